//! What is seen from outside: the admin port over a real socket, and traces as a collector gets them.

mod admin;
mod collector;

use std::time::Duration;

use tracing::Dispatch;
use vigie::telemetry::{LogFormat, Metrics, Telemetry, TelemetrySettings};

/// Telemetry that no other test of this process shares.
fn telemetry(otlp_endpoint: Option<String>, metrics: &Metrics) -> (Telemetry, Dispatch) {
    let settings = TelemetrySettings {
        otlp_endpoint,
        log_format: LogFormat::Text,
        log_filter: "off".into(),
        traces: 100,
    };
    Telemetry::build(&settings, metrics).expect("the settings are good")
}

/// A request as the edge traces one: a span under the caller's place, a stage in it, and work that goes on after the answer.
fn traced_request(caller: &http::HeaderMap) -> String {
    use vigie::telemetry::{as_parent, parent_of, set_parent, trace_id};
    let request = tracing::info_span!(target: "vigie::grpc", "classify", product = "<lamp> & co");
    set_parent(&request, parent_of(caller));
    let trace = trace_id(&request).expect("traces are on");
    let later = as_parent(&request);
    request.in_scope(|| {
        tracing::info_span!(target: "vigie::serving", "infer").in_scope(|| std::thread::sleep(Duration::from_millis(1)))
    });
    drop(request);
    let shadow = tracing::info_span!(target: "vigie::observe", parent: None, "shadow");
    set_parent(&shadow, later);
    drop(shadow);
    // What libraries do is not traced: the exporter's own calls would be exported in turn.
    drop(tracing::info_span!(target: "h2::client", "noise").entered());
    trace
}

const CALLER: &str = "0af7651916cd43dd8448eb211c80319c";

fn caller() -> http::HeaderMap {
    let place = format!("00-{CALLER}-b7ad6b7169203331-01");
    [(
        http::HeaderName::from_static("traceparent"),
        place.parse().expect("a header's value"),
    )]
    .into_iter()
    .collect()
}
