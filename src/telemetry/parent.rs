//! How a trace crosses borders: in from a caller's `traceparent`, and on to work that outlives its request.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The place in a trace under which new spans go; perhaps the root of a new one.
#[derive(Debug, Clone)]
pub struct Parent(Context);

/// The caller's place, by the W3C headers `traceparent` and `tracestate`; a new trace where they are missing or malformed.
pub fn parent_of(headers: &HeaderMap) -> Parent {
    Parent(TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers)))
}

/// The place of a span, for work that must not hold the span itself open: what runs after the answer, as the shadow does.
///
/// A span made inside another one keeps it open until both have ended; so make such work's span with `parent: None` and give it this.
pub fn as_parent(span: &Span) -> Parent {
    Parent(span.context())
}

/// Puts a new span under a parent. To be called before the span is entered; has no effect where traces are off.
pub fn set_parent(span: &Span, parent: Parent) {
    // Fails only for a span that is switched off or already under way, and a trace is never worth a request.
    let _ = span.set_parent(parent.0);
}

/// The identity of a span's trace: 32 hexadecimal digits. None where traces are off.
pub fn trace_id(span: &Span) -> Option<String> {
    let context = span.context();
    let place = context.span().span_context().clone();
    place.is_valid().then(|| place.trace_id().to_string())
}

/// Marks a span as failed, with the reason.
pub fn mark_failed(span: &Span, reason: &str) {
    span.set_status(Status::error(reason.to_owned()));
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }
    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
