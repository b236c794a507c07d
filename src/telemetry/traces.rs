//! Finished traces as people look at them, and the handle on those that are remembered.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::keeper::Keeper;

/// One finished trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceRecord {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// The name of its first span: `classify`, `swap`.
    pub name: String,
    #[serde(rename = "started_ms", serialize_with = "as_milliseconds_since_1970")]
    pub started: SystemTime,
    /// Of its first span: what the caller waited. Later work, as the shadow's, is not part of it.
    #[serde(rename = "duration_us", serialize_with = "as_microseconds")]
    pub duration: Duration,
    /// Whether any of its spans failed.
    pub failed: bool,
    /// In order of their start.
    pub spans: Vec<SpanRecord>,
    /// Spans beyond what one trace may keep.
    pub spans_left_out: u64,
}

/// One piece of work within a trace.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpanRecord {
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// The span it is part of; empty for a first span. A caller's span is named but not here.
    pub parent_id: String,
    pub name: String,
    /// How deep it is nested: 0 for a first span.
    pub depth: usize,
    /// After the trace's start.
    #[serde(rename = "offset_us", serialize_with = "as_microseconds")]
    pub offset: Duration,
    #[serde(rename = "duration_us", serialize_with = "as_microseconds")]
    pub duration: Duration,
    /// Why it failed; none where it did not.
    pub failure: Option<String>,
    pub attributes: Vec<(String, String)>,
    pub events: Vec<SpanEvent>,
}

/// Something that was noted while a span ran.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpanEvent {
    #[serde(rename = "offset_us", serialize_with = "as_microseconds")]
    pub offset: Duration,
    pub text: String,
}

/// The remembered traces. Cloning gives another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Traces(pub(super) Arc<Keeper>);

impl Traces {
    /// The remembered traces, the latest first.
    pub fn list(&self) -> Vec<TraceRecord> {
        self.0.list()
    }

    /// One trace by its identity.
    pub fn get(&self, trace_id: &str) -> Option<TraceRecord> {
        self.0.get(trace_id)
    }
}

fn as_microseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

fn as_milliseconds_since_1970<S: serde::Serializer>(moment: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    serializer.serialize_u64(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
