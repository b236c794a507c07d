//! The Open Inference Protocol with Triton's extensions, so that clients written for Triton work as they are.
//!
//! Texts and codes are Triton's where its clients depend on them; overload is RESOURCE_EXHAUSTED with RetryInfo, as everywhere here.
//! Answers are raw, always. Shared memory and changes of trace and log settings are not offered and say so.

mod classes;
mod describe;
mod infer;
mod repository;
mod service;
mod settings;
mod statistics;

pub use service::InferenceService;
pub use settings::LogReport;
