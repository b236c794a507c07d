//! What the integration tests share: a real server process, repositories to put before it, and a way to wait without sleeping.

pub mod client;
pub mod clock;
pub mod files;
pub mod http;
pub mod lines;
pub mod onnx;
pub mod place;
pub mod postgres;
pub mod server;

pub use place::Place;
pub use server::{Launch, Server};
