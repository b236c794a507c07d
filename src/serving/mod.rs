//! The data plane: admission → preprocess → execute → judge → respond. Nothing slow, no file, no store, no metrics registry.

mod admission;
mod infer;
mod judge;
mod look;
mod pipeline;
mod trail;
mod verdicts;
mod watch;

pub use infer::{InferRequest, Inferred, ModelDescription};
pub use pipeline::{Judged, Serving, ServingLimits};
pub use trail::Trail;
pub use watch::{Cursor, Told, Watch};
