//! Stopping in order: not ready, drain, close, flush, each within its time; a second signal exits at once.

use std::time::Duration;

use tokio_stream::wrappers::ReceiverStream;
use vigie::wire::vigie::StreamRequest;

use crate::support::client::catalogue;
use crate::support::{Launch, Place};

fn item(name: &str) -> StreamRequest {
    StreamRequest {
        correlation_id: name.into(),
        timeout_ms: None,
        request: Some(catalogue()[0].question()),
    }
}

#[tokio::test]
async fn a_stopping_server_is_not_ready_but_answers_until_it_has_drained() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("SHUTDOWN__NOT_READY", "2s").start_ready();
    assert!(server.is_serving().await);
    let mut client = server.ad_safety().await;
    let (asks, asked) = tokio::sync::mpsc::channel(4);
    asks.send(item("before")).await.unwrap();
    let mut answers = client
        .classify_stream(ReceiverStream::new(asked))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(answers.message().await.unwrap().unwrap().correlation_id, "before");
    server.signal("TERM");
    server.wait_for_log("not ready");
    assert!(!server.is_serving().await);
    assert_eq!(server.admin_page("/ready").0, 503);
    assert_eq!(server.admin_page("/live").0, 200);
    asks.send(item("while stopping")).await.unwrap();
    assert_eq!(
        answers.message().await.unwrap().unwrap().correlation_id,
        "while stopping"
    );
    drop(asks);
    assert!(answers.message().await.unwrap().is_none());
    assert!(server.wait_for_exit(Duration::from_secs(20)).success());
}

#[tokio::test]
async fn what_does_not_end_within_the_drain_time_is_cut() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("SHUTDOWN__DRAIN", "300ms").start_ready();
    let mut client = server.ad_safety().await;
    let (asks, asked) = tokio::sync::mpsc::channel(4);
    asks.send(item("first")).await.unwrap();
    let mut answers = client
        .classify_stream(ReceiverStream::new(asked))
        .await
        .unwrap()
        .into_inner();
    answers.message().await.unwrap();
    server.signal("TERM");
    server.wait_for_exit(Duration::from_secs(20));
    assert!(!matches!(answers.message().await, Ok(Some(_))));
}

#[tokio::test]
async fn a_second_signal_exits_at_once() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("SHUTDOWN__NOT_READY", "10m").start_ready();
    server.signal("TERM");
    server.wait_for_log("not ready");
    server.signal("TERM");
    server.wait_for_exit(Duration::from_secs(5));
}
