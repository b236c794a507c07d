//! Vigie serves versioned ad-safety models over gRPC and keeps them honest in production.
//!
//! The rooms stand on floors, and a room uses only the floors below it: see `src/ARCHITECTURE.md`.

pub mod accounts;
pub mod app;
pub mod base;
pub mod cli;
pub mod config;
pub mod control;
pub mod engine;
pub mod executor;
pub mod grpc;
pub mod http;
pub mod ledger;
pub mod observe;
pub mod plan;
pub mod policy;
pub mod preprocess;
pub mod repository;
pub mod serving;
pub mod stats;
pub mod store;
pub mod tap;
pub mod telemetry;
pub mod wire;
