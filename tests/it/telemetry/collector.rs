//! A collector in this process, and what it is told.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};
use vigie::telemetry::Metrics;

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
