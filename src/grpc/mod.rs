//! The gRPC edge: services as thin as they can be — parse, ask a plane, convert — and what belongs to the transport: deadlines,
//! status codes, streams, health, reflection.
//!
//! The only room that names `tonic`. It decides nothing about products or models.

mod ad_safety;
mod around;
mod authority;
mod calls;
pub mod client;
mod deadline;
mod decisions;
mod decisions_data;
pub mod generated;
mod health;
mod inference;
mod inflow;
mod models;
mod policies;
mod policies_told;
mod server;
mod status;
mod streams;
pub mod tensor;
mod thresholds;
mod watch;
mod why_told;

pub use inference::LogReport;
pub use policies::STUDIES;
pub use server::{GrpcError, GrpcLimits, GrpcParts, GrpcServer, OnRecords};
