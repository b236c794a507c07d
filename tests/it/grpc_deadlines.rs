//! A deadline is answered with DEADLINE_EXCEEDED, by the server itself.
//!
//! A gRPC client keeps its own clock and would answer first. So these calls are plain HTTP/2 requests with the header `grpc-timeout`, by a client
//! that waits for whatever the server says.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};

use super::support::client::{catalogue, within};
use super::support::{Launch, Place, Server};

type Connection = SendRequest<Full<Bytes>>;

async fn connected(server: &Server) -> Connection {
    let socket = tokio::net::TcpStream::connect(server.grpc).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// `grpc-status` of a call of `Classify`, and the words with it: in the head of an answer that is a refusal, else behind its body.
async fn status(mut connection: Connection, timeout: &str, message: Bytes) -> (u16, String) {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put(message);
    let request = Request::post("http://server/vigie.v1.AdSafety/Classify")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("grpc-timeout", timeout)
        .body(Full::new(framed.freeze()))
        .unwrap();
    let (head, body) = connection.send_request(request).await.unwrap().into_parts();
    let of = |headers: &HeaderMap| {
        let text = |name: &str| Some(headers.get(name)?.to_str().unwrap().to_owned());
        Some((
            text("grpc-status")?.parse().unwrap(),
            text("grpc-message").unwrap_or_default(),
        ))
    };
    match of(&head.headers) {
        Some(status) => status,
        None => of(body.collect().await.unwrap().trailers().unwrap()).unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_call_is_answered_deadline_exceeded_and_never_cancelled() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let connection = connected(&server).await;
    let message = Bytes::from(prost::Message::encode_to_vec(&catalogue()[0].question()));
    // More at once than can be done in such times, so that some expire while they wait and some while they are computed.
    let timeouts = ["1n", "100u", "1m", "3m", "10m", "30m"];
    let calls = (0..300).map(|number| {
        tokio::spawn(status(
            connection.clone(),
            timeouts[number % timeouts.len()],
            message.clone(),
        ))
    });
    let calls: Vec<_> = calls.collect();
    let mut answered = BTreeMap::<(u16, String), usize>::new();
    for call in calls {
        let status = within(Duration::from_secs(60), call).await.unwrap();
        *answered.entry(status).or_default() += 1;
    }
    assert!(answered.keys().any(|(status, _)| *status == 4), "{answered:?}");
    // In time, too late, or too many at once; 1 would tell callers that they had left.
    assert!(
        answered.keys().all(|(status, _)| [0, 4, 8].contains(status)),
        "{answered:?}"
    );
    let patient = within(
        Duration::from_secs(60),
        status(connection.clone(), "1H", message.clone()),
    )
    .await;
    assert_eq!(patient, (0, String::new()));
    assert_eq!(status(connection, "soon", message).await.0, 3);
}

/// As when a proxy sends the calls of many callers over one connection, and the server stalls for longer than they wait.
#[tokio::test]
async fn calls_given_up_together_cost_the_other_calls_of_their_connection_nothing() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let client = server.ad_safety().await;
    let call = || {
        let mut client = client.clone();
        async move { client.classify(catalogue()[0].question()).await }
    };
    call().await.unwrap();
    server.signal("STOP");
    let patient = tokio::spawn(call());
    let given_up = (0..200).map(|_| tokio::time::timeout(Duration::from_millis(100), call()));
    let answered = futures_util::future::join_all(given_up).await;
    assert!(answered.iter().all(Result::is_err));
    server.signal("CONT");
    within(Duration::from_secs(60), patient).await.unwrap().unwrap();
    call().await.unwrap();
}
