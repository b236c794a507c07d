//! What can be seen from outside: metrics, traces and logs.
//!
//! Happenings are typed: a caller says what happened, and this room decides what is counted, timed and logged. It owns the heavy crates
//! (OpenTelemetry, the metrics registry, the log subscriber), so that nobody else names them, and it knows nothing of how requests are
//! served. Every room may emit; none waits for it.

mod export;
mod exposition;
mod happenings;
mod keeper;
mod labels;
mod metrics;
mod of_versions;
mod parent;
mod process;
mod series;
mod start;
mod traces;

pub use happenings::{FlipSeen, PolicySwap, RequestDone, SettingShown, ShadowDone, Swap, VersionCount};
pub use labels::{Direction, PolicySwapResult, RefusalReason, ScanResult, ShadowOutcome, Stage, SwapResult};
pub use metrics::Metrics;
pub use parent::{Parent, as_parent, mark_failed, parent_of, set_parent, trace_id};
pub use start::{LogFormat, Telemetry, TelemetryError, TelemetrySettings};
pub use traces::{SpanEvent, SpanRecord, TraceRecord, Traces};
