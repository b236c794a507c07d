//! The roof: builds everything from the settings, owns the tasks, and sees to the order of start and stop.
//!
//! Start: ports are bound first and answer NOT_SERVING; then the runtime, the cores, the planes; ready when every required model
//! serves. Stop: not ready, drain, close, flush, each within its time; a second signal exits at once.

mod build;
mod observing;
mod offline;
mod readiness;
mod records;
mod runtimes;
mod serve;
mod stop;

pub use offline::{Offline, OfflineError};
pub use serve::{ServeError, serve};
