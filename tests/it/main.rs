//! The integration tests, all in one binary: a second one would link everything again. Each module is a subject; the promises are the tests' names.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test, and what helps it, fails by panicking"
)]

mod allocations;
mod batching;
mod cli;
mod corrections;
mod dates;
mod dependencies;
mod documents;
mod engine;
mod executor;
mod grpc;
mod grpc_deadlines;
mod guarded;
mod house;
mod killed;
mod known;
mod odd_models;
mod policies;
mod preprocess;
mod proof;
mod records;
mod reload;
mod reload_policy;
mod reload_rejected;
mod reload_restart;
mod reload_swaps;
mod replicas;
mod repository;
mod serving;
mod serving_pictures;
mod serving_stop;
mod soak;
mod support;
mod takeover;
mod telemetry;
mod thresholds;
mod triton;
mod under_load;
mod watch;
mod why;
