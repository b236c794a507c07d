//! The admin port: status codes, forms and pages, and that it ends when told to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use tokio::sync::watch;
use vigie::http::{Admin, AdminState, Readiness};
use vigie::telemetry::{Metrics, RefusalReason};

use super::{CALLER, caller, telemetry, traced_request};

struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn get(address: SocketAddr, path: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("the port answers as HTTP does");
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n{headers}\r\n"
    )
    .expect("the port answers as HTTP does");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("the port answers as HTTP does");
    let (head, body) = text.split_once("\r\n\r\n").expect("the port answers as HTTP does");
    let status = head
        .split(' ')
        .nth(1)
        .expect("the port answers as HTTP does")
        .parse()
        .expect("the port answers as HTTP does");
    Answer {
        status,
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

fn admin() -> (Admin, watch::Sender<Readiness>, Metrics, impl Fn()) {
    let metrics = Metrics::new();
    let (telemetry, dispatch) = telemetry(None, &metrics);
    let (ready, readiness) = watch::channel(Readiness::waiting_for("model adsafety", "version 1 is LOADING"));
    let state = AdminState {
        readiness,
        metrics: metrics.clone(),
        traces: telemetry.traces(),
        config_toml: "data = \"data\"\n".into(),
    };
    let admin = Admin::start(TcpListener::bind("127.0.0.1:0").expect("a free port can be had"), state)
        .expect("a free port can be had");
    let trace = move || tracing::dispatcher::with_default(&dispatch, || drop(traced_request(&caller())));
    (admin, ready, metrics, trace)
}

#[test]
fn ready_says_what_is_missing_until_nothing_is() {
    let (admin, ready, ..) = admin();
    let before = get(admin.address(), "/ready", "");
    assert_eq!(before.status, 503);
    let said: serde_json::Value = serde_json::from_str(&before.body).unwrap();
    assert_eq!(said["missing"][0]["what"], "model adsafety");
    assert_eq!(said["missing"][0]["why"], "version 1 is LOADING");
    assert_eq!(get(admin.address(), "/live", "").status, 200);
    ready.send_replace(Readiness::ready());
    assert_eq!(get(admin.address(), "/ready", "").status, 200);
}

#[test]
fn metrics_come_in_the_form_that_is_asked_for() {
    let (admin, _ready, metrics, _) = admin();
    metrics.refused(RefusalReason::NotFound);
    let plain = get(admin.address(), "/metrics", "");
    assert!(
        plain.head.contains("content-type: text/plain; version=0.0.4"),
        "{}",
        plain.head
    );
    assert!(
        plain
            .body
            .contains("vigie_serving_refused_total{reason=\"not_found\"} 1\n")
            && !plain.body.contains("# EOF")
    );
    let open = get(
        admin.address(),
        "/metrics",
        "Accept: application/openmetrics-text; version=1.0.0\r\n",
    );
    assert!(
        open.head.contains("content-type: application/openmetrics-text"),
        "{}",
        open.head
    );
    assert!(open.body.ends_with("# EOF\n"));
}

#[test]
fn traces_are_drawn_filtered_and_given_to_machines() {
    let (admin, _ready, _, trace) = admin();
    trace();
    let page = get(admin.address(), "/traces", "").body;
    assert!(
        page.contains(&format!("/traces/{CALLER}")) && page.contains("classify"),
        "{page}"
    );
    let one = get(admin.address(), &format!("/traces/{CALLER}"), "").body;
    for name in ["classify", "infer", "shadow", "&lt;lamp&gt; &amp; co"] {
        assert!(one.contains(name), "{name} is not in {one}");
    }
    assert!(!one.contains("<lamp>") && !one.contains("noise"), "{one}");
    let count = |query: &str| {
        let answer = get(admin.address(), &format!("/traces?format=json&{query}"), "");
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        json["traces"].as_array().unwrap().len()
    };
    assert_eq!(
        [
            count(""),
            count("text=LAMP"),
            count("text=chair"),
            count("failed=1"),
            count("at_least=60000"),
            count("at_least=0.5")
        ],
        [1, 1, 0, 0, 0, 1]
    );
    assert_eq!(
        get(admin.address(), "/traces/00000000000000000000000000000001", "").status,
        404
    );
}

#[test]
fn no_page_may_run_a_script_or_be_framed() {
    let (admin, ..) = admin();
    for path in ["/", "/traces", "/config", "/nowhere"] {
        let answer = get(admin.address(), path, "");
        assert!(
            answer.head.contains("content-security-policy: default-src 'none'")
                && answer.head.contains("x-frame-options: deny")
        );
        assert_eq!(answer.status, if path == "/nowhere" { 404 } else { 200 });
        assert!(
            !answer.body.contains("<script") && !answer.body.contains("http://") && !answer.body.contains("https://"),
            "{path}"
        );
    }
    assert_eq!(get(admin.address(), "/config", "").body, "data = \"data\"\n");
}

#[test]
fn the_port_closes_when_told_to_even_under_an_open_connection() {
    let (admin, ..) = admin();
    let address = admin.address();
    let _idle = TcpStream::connect(address).unwrap();
    admin.stop();
    assert!(TcpStream::connect(address).is_err());
}
