//! A collector in this process, and what it is told.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use vigie::telemetry::Metrics;

use crate::support::client::{catalogue, for_countries};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files};
use vigie::grpc::generated::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use vigie::wire::inference::RepositoryModelLoadRequest;

use super::{CALLER, caller, telemetry, traced_request};

/// Hands on every span that it gets.
struct Collector(mpsc::Sender<Span>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans;
        for span in resources
            .into_iter()
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
        {
            self.0
                .send(span)
                .await
                .map_err(|_| Status::unavailable("the test has ended"))?;
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

async fn collector() -> (String, mpsc::Receiver<Span>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port can be had");
    let endpoint = format!("http://{}", listener.local_addr().expect("a free port can be had"));
    let (sender, spans) = mpsc::channel(1000);
    let server = tonic::transport::Server::builder().add_service(TraceServiceServer::new(Collector(sender)));
    tokio::spawn(server.serve_with_incoming(tonic::transport::server::TcpIncoming::from(listener)));
    (endpoint, spans)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_every_span_under_the_callers_trace() {
    let (endpoint, mut spans) = collector().await;
    let metrics = Metrics::new();
    let (telemetry, dispatch) = telemetry(Some(endpoint), &metrics);
    let trace = tracing::dispatcher::with_default(&dispatch, || traced_request(&caller()));
    assert_eq!(trace, CALLER);
    telemetry.shutdown(Duration::from_secs(10)).await.unwrap();
    let mut got = Vec::new();
    while let Ok(span) = spans.try_recv() {
        assert_eq!(
            span.trace_id
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
            CALLER
        );
        got.push(span);
    }
    let find = |name: &str| {
        got.iter()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("{name} did not arrive"))
    };
    assert_eq!(got.len(), 3);
    assert_eq!(find("infer").parent_span_id, find("classify").span_id);
    assert_eq!(find("shadow").parent_span_id, find("classify").span_id);
    assert!(
        find("shadow").end_time_unix_nano >= find("classify").end_time_unix_nano,
        "the answer does not wait for the shadow"
    );
    assert!(
        metrics
            .encode_plain()
            .contains("vigie_telemetry_exported_spans_total{result=\"sent\"} 3")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_holds_nobody_up_and_what_is_lost_is_counted() {
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", away.local_addr().unwrap());
    drop(away);
    let metrics = Metrics::new();
    let (telemetry, dispatch) = telemetry(Some(endpoint), &metrics);
    tracing::dispatcher::with_default(&dispatch, || traced_request(&caller()));
    let began = std::time::Instant::now();
    let _ = telemetry.clone().shutdown(Duration::from_secs(2)).await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert!(telemetry.traces().get(CALLER).is_some());
}

/// A call under the caller's trace.
fn traced<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let place = caller()["traceparent"].to_str().unwrap().parse().unwrap();
    request.metadata_mut().insert("traceparent", place);
    request
}

/// Stops a server in order, and gives back every span that it sent under the caller's trace.
async fn spans_of(server: Server, mut spans: mpsc::Receiver<Span>) -> Vec<Span> {
    server.signal("TERM");
    tokio::task::spawn_blocking(|| server.wait_for_exit(Duration::from_secs(60)))
        .await
        .unwrap();
    let mut found = Vec::new();
    while let Ok(span) = spans.try_recv() {
        found.push(span);
    }
    found.retain(|span| {
        span.trace_id
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
            == CALLER
    });
    found
}

fn parent_and_child(spans: &[Span], parent: &str, child: &str) {
    let find = |name: &str| {
        let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
        spans
            .iter()
            .find(|span| span.name == name)
            .unwrap_or_else(|| panic!("no {name} among {names:?}"))
    };
    assert_eq!(
        find(child).parent_span_id,
        find(parent).span_id,
        "{child} under {parent}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_served_request_its_stages_and_its_shadow_are_under_the_callers_trace() {
    let (endpoint, spans) = collector().await;
    let place = Place::shipped();
    let server = Launch::new(&place)
        .set("TELEMETRY__OTLP_ENDPOINT", endpoint)
        .start_ready();
    server.version_in(2, "READY").await;
    let request = for_countries(catalogue()[0].question(), &["FR"]);
    let decision = server
        .ad_safety()
        .await
        .classify(traced(request))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(decision.trace_id, CALLER);
    // Counted once the shadow has judged.
    let judged = || server.metric("vigie_observe_shadow_judged_total", &[]) > 0.0;
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while !judged() {
        assert!(std::time::Instant::now() < until, "the shadow never judged");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, page) = server.admin_page(&format!("/traces/{CALLER}"));
    assert!(status == 200 && page.contains("infer"), "{status} {page}");
    let spans = spans_of(server, spans).await;
    for child in ["decode", "prepare", "infer", "judge", "shadow"] {
        parent_and_child(&spans, "vigie.v1.AdSafety/Classify", child);
    }
    let request = spans.iter().find(|span| span.name.ends_with("/Classify")).unwrap();
    let callers_span: String = request
        .parent_span_id
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(callers_span, "b7ad6b7169203331");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_that_a_caller_asked_for_is_under_the_callers_trace() {
    let (endpoint, spans) = collector().await;
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place)
        .set("TELEMETRY__OTLP_ENDPOINT", endpoint)
        .set("WATCH__MODE", "poll")
        .set("WATCH__POLL", "1h")
        .set("WATCH__RESCAN", "1h")
        .start_ready();
    files::copy(&shipped_version(2), &place.version(2));
    let load = RepositoryModelLoadRequest {
        model_name: "adsafety".into(),
        ..RepositoryModelLoadRequest::default()
    };
    let mut client = GrpcInferenceServiceClient::new(server.channel().await);
    client.repository_model_load(traced(load)).await.unwrap();
    assert_eq!(server.live().await.version, 2);
    let spans = spans_of(server, spans).await;
    let asked = "inference.GRPCInferenceService/RepositoryModelLoad";
    parent_and_child(&spans, asked, "swap");
    parent_and_child(&spans, asked, "bring_up");
    for child in ["seal", "prove", "load", "golden"] {
        parent_and_child(&spans, "bring_up", child);
    }
}
