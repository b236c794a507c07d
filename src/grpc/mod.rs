//! The gRPC edge: services as thin as they can be — parse, ask a plane, convert — and what belongs to the transport: deadlines,
//! status codes, streams, health, reflection.
//!
//! The only room that names `tonic`. It decides nothing about products or models.

pub mod client;
pub mod generated;
mod status;
