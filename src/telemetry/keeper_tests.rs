//! Which traces people find when they come looking.

use std::sync::Arc;

use opentelemetry::trace::{SpanKind, Tracer, TracerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

use super::*;

#[derive(Debug)]
struct Shared(Arc<Keeper>);

impl SpanProcessor for Shared {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.0.on_start(span, context);
    }
    fn on_end(&self, span: SpanData) {
        self.0.on_end(span);
    }
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }
    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn keeper(traces: usize) -> (Arc<Keeper>, SdkTracer) {
    let keeper = Arc::new(Keeper::new(traces));
    let provider = SdkTracerProvider::builder()
        .with_span_processor(Shared(keeper.clone()))
        .build();
    (keeper, provider.tracer("test"))
}

/// A trace of one span; gives back its identity.
fn one(tracer: &SdkTracer, name: &'static str, milliseconds: u64, status: Status) -> String {
    use opentelemetry::trace::Span as _;
    let started = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_start_time(started)
        .start_with_context(tracer, &Context::new());
    span.set_status(status);
    span.end_with_timestamp(started + Duration::from_millis(milliseconds));
    span.span_context().trace_id().to_string()
}

#[test]
fn a_trace_is_shown_with_its_stages_once_its_first_span_has_ended() {
    use opentelemetry::trace::{Span as _, TraceContextExt};
    let (keeper, tracer) = keeper(8);
    let root = tracer.start_with_context("classify", &Context::new());
    let context = Context::new().with_span(root);
    let mut child = tracer.start_with_context("decode", &context);
    child.end();
    assert_eq!(keeper.list(), [], "its first span has not ended");
    context.span().end();
    let mut late = tracer.start_with_context("shadow", &context);
    late.end();
    let traces = keeper.list();
    let names: Vec<(&str, usize)> = traces[0]
        .spans
        .iter()
        .map(|span| (span.name.as_str(), span.depth))
        .collect();
    assert_eq!(names, [("classify", 0), ("decode", 1), ("shadow", 1)]);
    assert_eq!(keeper.get(&traces[0].trace_id).as_ref(), Some(&traces[0]));
    assert_eq!(keeper.get("not an id"), None);
}

#[test]
fn failed_and_slow_traces_outlive_the_ordinary_ones() {
    let (keeper, tracer) = keeper(8);
    let failed = one(&tracer, "classify", 1, Status::error("no picture"));
    let slow = one(&tracer, "classify", 900, Status::Unset);
    let swap = one(&tracer, "swap", 500, Status::Unset);
    let ordinary = one(&tracer, "classify", 2, Status::Unset);
    for _ in 0..1000 {
        one(&tracer, "classify", 3, Status::Unset);
    }
    for kept in [&failed, &slow, &swap] {
        assert!(keeper.get(kept).is_some());
    }
    assert!(keeper.get(&ordinary).is_none());
    assert!(keeper.list().len() <= 8);
    assert!(keeper.get(&failed).unwrap().failed);
}

#[test]
fn nothing_grows_without_bound() {
    let (keeper, tracer) = keeper(8);
    let parent = tracer.start_with_context("stream", &Context::new());
    use opentelemetry::trace::TraceContextExt;
    let context = Context::new().with_span(parent);
    for _ in 0..1000 {
        drop(tracer.start_with_context("item", &context));
    }
    context.span().end();
    let trace = &keeper.list()[0];
    assert_eq!(
        (trace.spans.len(), trace.spans_left_out),
        (MOST_SPANS + 1, 1000 - MOST_SPANS as u64)
    );
    for _ in 0..3 * MOST_OPEN {
        let root = Context::new().with_span(tracer.start_with_context("lost", &Context::new()));
        drop(tracer.start_with_context("child", &root));
        // The first span is kept from ending: its trace never finishes.
        std::mem::forget(root);
    }
    assert!(keeper.state().traces.len() <= MOST_OPEN + 8);
}
