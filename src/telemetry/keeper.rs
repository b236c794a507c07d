//! Keeps the last finished traces in memory, so that they can be looked at with nothing else installed.
//!
//! Spans come one by one as they end, children before their parents, and some after the trace's first span, as the shadow's do. A trace
//! is finished when a first span ends: one without a parent, or whose parent is the caller's. Half of the room is for the latest traces.
//! What falls out of it is forgotten, unless it failed (a quarter of the room, the latest stay) or is among the slowest of its name (the
//! last quarter), because those are what people come looking for. Everything is bounded: traces, spans in each, names, and traces whose
//! first span never ends.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::Context;
use opentelemetry::trace::{SpanId, Status, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::traces::{SpanEvent, SpanRecord, TraceRecord};

/// Spans that one trace keeps: a stream of pictures makes one for each.
const MOST_SPANS: usize = 200;
/// Traces under way. More than may be in work at once, so that only lost ones are pushed out.
const MOST_OPEN: usize = 4096;
/// Kinds of traces whose slowest are kept.
const MOST_NAMES: usize = 16;

/// A span processor that keeps instead of sending.
#[derive(Debug)]
pub(super) struct Keeper {
    /// Locked for a few map operations by whoever ends a span.
    state: Mutex<State>,
    room: Room,
}

#[derive(Debug, Clone, Copy)]
struct Room {
    latest: usize,
    failed: usize,
    slow: usize,
}

#[derive(Debug, Default)]
struct State {
    traces: HashMap<TraceId, Trace>,
    /// Not yet finished, oldest first; may name traces that are finished by now.
    open: VecDeque<TraceId>,
    latest: VecDeque<TraceId>,
    failed: VecDeque<TraceId>,
    /// By name, the slowest last.
    slow: BTreeMap<String, Vec<(Duration, TraceId)>>,
}

#[derive(Debug, Default)]
struct Trace {
    spans: Vec<SpanData>,
    left_out: u64,
    /// Set when a first span has ended.
    first: Option<First>,
    failed: bool,
}

#[derive(Debug, Clone)]
struct First {
    name: String,
    started: SystemTime,
    duration: Duration,
}

impl Keeper {
    /// Room for about so many traces.
    pub fn new(traces: usize) -> Self {
        let quarter = traces.div_ceil(4);
        let room = Room {
            latest: traces.div_ceil(2),
            failed: quarter,
            slow: quarter,
        };
        Self {
            state: Mutex::default(),
            room,
        }
    }

    /// The finished traces, the latest first.
    pub fn list(&self) -> Vec<TraceRecord> {
        // One short lock for each, so that a reader of many traces never holds up whoever ends a span.
        let ids: Vec<TraceId> = self.state().traces.keys().copied().collect();
        let mut records: Vec<TraceRecord> = ids
            .into_iter()
            .filter_map(|id| self.state().traces.get(&id)?.record(id))
            .collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.started));
        records
    }

    /// One finished trace.
    pub fn get(&self, trace_id: &str) -> Option<TraceRecord> {
        let id = TraceId::from_hex(trace_id).ok()?;
        self.state().traces.get(&id)?.record(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SpanProcessor for Keeper {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.room.latest > 0 {
            self.state().take(span, self.room);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl State {
    fn take(&mut self, span: SpanData, room: Room) {
        let id = span.span_context.trace_id();
        let trace = self.traces.entry(id).or_insert_with(|| {
            self.open.push_back(id);
            Trace::default()
        });
        let was_finished = trace.first.is_some();
        trace.take(span);
        if trace.first.is_some() && !was_finished {
            self.latest.push_back(id);
        }
        while self.latest.len() > room.latest {
            self.make_room(room);
        }
        while self.open.len() > MOST_OPEN {
            self.forget_lost();
        }
    }

    /// Drops the oldest of the open traces, unless it is finished and so counted elsewhere.
    fn forget_lost(&mut self) {
        let Some(id) = self.open.pop_front() else { return };
        if self.traces.get(&id).is_some_and(|trace| trace.first.is_none()) {
            self.traces.remove(&id);
        }
    }

    /// Moves the oldest of the latest to where it may stay, or drops it.
    fn make_room(&mut self, room: Room) {
        let Some(id) = self.latest.pop_front() else { return };
        let Some((failed, first)) = self
            .traces
            .get(&id)
            .and_then(|trace| Some((trace.failed, trace.first.clone()?)))
        else {
            return;
        };
        if failed {
            self.failed.push_back(id);
            let surplus = if self.failed.len() > room.failed {
                self.failed.pop_front()
            } else {
                None
            };
            surplus.map(|surplus| self.traces.remove(&surplus));
            return;
        }
        let surplus = self.keep_if_slow(id, first, room.slow);
        surplus.map(|surplus| self.traces.remove(&surplus));
    }

    /// Puts a trace among the slowest of its name; gives back the one that has no place there.
    fn keep_if_slow(&mut self, id: TraceId, first: First, room: usize) -> Option<TraceId> {
        if !self.slow.contains_key(&first.name) && self.slow.len() >= MOST_NAMES {
            return Some(id);
        }
        let slowest = self.slow.entry(first.name).or_default();
        let place = slowest.partition_point(|(duration, _)| *duration <= first.duration);
        slowest.insert(place, (first.duration, id));
        let total: usize = self.slow.values().map(Vec::len).sum();
        if total <= room {
            return None;
        }
        // The name with the most gives up its fastest.
        let fullest = self.slow.values_mut().max_by_key(|slowest| slowest.len())?;
        (!fullest.is_empty()).then(|| fullest.remove(0).1)
    }
}

impl Trace {
    fn take(&mut self, span: SpanData) {
        self.failed |= matches!(span.status, Status::Error { .. });
        let is_first = span.parent_span_id == SpanId::INVALID || span.parent_span_is_remote;
        if is_first && self.first.is_none() {
            self.first = Some(First {
                name: span.name.to_string(),
                started: span.start_time,
                duration: length_of(&span),
            });
        }
        if self.spans.len() < MOST_SPANS || is_first {
            self.spans.push(span);
        } else {
            self.left_out += 1;
        }
    }

    fn record(&self, id: TraceId) -> Option<TraceRecord> {
        let First {
            name,
            started,
            duration,
        } = self.first.clone()?;
        let parents: HashMap<SpanId, SpanId> = self
            .spans
            .iter()
            .map(|span| (span.span_context.span_id(), span.parent_span_id))
            .collect();
        let mut spans: Vec<SpanRecord> = self
            .spans
            .iter()
            .map(|span| span_record(span, started, &parents))
            .collect();
        spans.sort_by_key(|span| (span.offset, span.depth));
        Some(TraceRecord {
            trace_id: id.to_string(),
            name,
            started,
            duration,
            failed: self.failed,
            spans,
            spans_left_out: self.left_out,
        })
    }
}

fn span_record(span: &SpanData, trace_started: SystemTime, parents: &HashMap<SpanId, SpanId>) -> SpanRecord {
    let after = |moment: SystemTime| moment.duration_since(trace_started).unwrap_or_default();
    let failure = match &span.status {
        Status::Error { description } => Some(description.to_string()),
        Status::Ok | Status::Unset => None,
    };
    let parent_id = match span.parent_span_id {
        SpanId::INVALID => String::new(),
        parent => parent.to_string(),
    };
    let text_of = |event: &opentelemetry::trace::Event| {
        let details = event
            .attributes
            .iter()
            .filter(|detail| !["level", "target"].contains(&detail.key.as_str()));
        details.fold(event.name.to_string(), |text, detail| {
            format!("{text} {}={}", detail.key, detail.value)
        })
    };
    SpanRecord {
        span_id: span.span_context.span_id().to_string(),
        parent_id,
        name: span.name.to_string(),
        depth: depth_of(span.span_context.span_id(), parents),
        offset: after(span.start_time),
        duration: length_of(span),
        failure,
        attributes: span
            .attributes
            .iter()
            .map(|attribute| (attribute.key.to_string(), attribute.value.to_string()))
            .collect(),
        events: span
            .events
            .iter()
            .map(|event| SpanEvent {
                offset: after(event.timestamp),
                text: text_of(event),
            })
            .collect(),
    }
}

/// How many known spans stand above one. Bounded, because parents are what callers and other processes say.
fn depth_of(span: SpanId, parents: &HashMap<SpanId, SpanId>) -> usize {
    const DEEPEST: usize = 16;
    let above = std::iter::successors(parents.get(&span), |parent| parents.get(parent));
    above
        .take_while(|parent| parents.contains_key(parent))
        .take(DEEPEST)
        .count()
}

fn length_of(span: &SpanData) -> Duration {
    span.end_time.duration_since(span.start_time).unwrap_or_default()
}

#[cfg(test)]
#[path = "keeper_tests.rs"]
mod tests;
