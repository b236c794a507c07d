//! What callers share: memory, places, cores, and what was judged already.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_util::sync::CancellationToken;
use tonic::Code;
use vigie::wire::vigie::StreamRequest;

use super::support::client::{catalogue, of_version, question, score_bits, within};
use super::support::{Launch, Place, Server};

const LONG: Duration = Duration::from_secs(60);

type Connection = SendRequest<BoxBody<Bytes, std::convert::Infallible>>;

/// A connection of plain HTTP/2 from this address of the machine.
async fn connected(server: &Server, from: [u8; 4]) -> Connection {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((from, 0))).unwrap();
    let stream = socket.connect(server.grpc).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put(message);
    framed.freeze()
}

/// The status of a call of `Classify` whose message is sent in these pieces; a call of pending pieces never ends its message.
async fn classify(
    mut connection: Connection,
    pieces: impl stream::Stream<Item = Bytes> + Send + Sync + 'static,
) -> (Code, String) {
    let body = StreamBody::new(pieces.map(|piece| Ok(Frame::data(piece))));
    let request = Request::post("http://server/vigie.v1.AdSafety/Classify")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(BoxBody::new(body))
        .unwrap();
    connection.ready().await.unwrap();
    let (head, body) = connection.send_request(request).await.unwrap().into_parts();
    let of = |headers: &HeaderMap| {
        let text = |name: &str| Some(headers.get(name)?.to_str().unwrap().to_owned());
        let code: i32 = text("grpc-status")?.parse().unwrap();
        Some((Code::from(code), text("grpc-message").unwrap_or_default()))
    };
    match of(&head.headers) {
        Some(status) => status,
        None => of(body.collect().await.unwrap().trailers().unwrap()).unwrap(),
    }
}

fn encoded(index: usize) -> Bytes {
    framed(&prost::Message::encode_to_vec(&catalogue()[index].question()))
}

#[tokio::test]
async fn a_picture_is_judged_once_by_a_revision_and_anew_by_another() {
    let place = Place::with_versions(&[1, 2]);
    let server = Launch::new(&place).start_ready();
    server.version_in(1, "READY").await;
    let entry = &catalogue()[0];
    let first = server.classify(of_version(entry.question(), 2)).await.unwrap();
    let again = server.classify(of_version(question(entry.bytes()), 2)).await.unwrap();
    let other = server.classify(of_version(entry.question(), 1)).await.unwrap();
    assert_eq!(
        (first.known_picture, again.known_picture, other.known_picture),
        (false, true, false)
    );
    assert_eq!(
        (score_bits(&again), &again.image_sha256),
        (score_bits(&first), &first.image_sha256)
    );
    assert_ne!(score_bits(&other), score_bits(&first));
}

#[tokio::test]
async fn simultaneous_identical_pictures_are_judged_once() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let calls = (0..24).map(|_| server.classify(catalogue()[3].question()));
    for decision in futures_util::future::join_all(calls).await {
        decision.unwrap();
    }
    let pictures = |known| server.metric("vigie_serving_pictures_total", &[known]);
    assert_eq!((pictures("known=\"no\""), pictures("known=\"yes\"")), (1.0, 23.0));
}

#[tokio::test]
async fn without_memory_for_it_every_picture_is_judged_anew() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("KNOWN__MEMORY", "0 B").start_ready();
    for _ in 0..2 {
        assert!(!server.classify(catalogue()[0].question()).await.unwrap().known_picture);
    }
}

#[tokio::test]
async fn a_message_that_trickles_is_given_up_and_nobody_else_waits() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("GRPC__SLOW_SENDER", "1s").start_ready();
    let trickle = encoded(0).slice(..100);
    let slow = classify(
        connected(&server, [127, 0, 0, 1]).await,
        stream::once(async { trickle }).chain(stream::pending()),
    );
    let slow = tokio::spawn(slow);
    server.classify(catalogue()[1].question()).await.unwrap();
    let (code, message) = within(LONG, slow).await.unwrap();
    assert!(
        code == Code::DeadlineExceeded && message.contains("grpc.slow_sender"),
        "{code:?} {message}"
    );
}

#[tokio::test]
async fn messages_beyond_their_memory_are_refused_until_others_are_gone() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place)
        .set("LIMITS__IN_FLIGHT_MEMORY", "1 MiB")
        .start_ready();
    let connection = connected(&server, [127, 0, 0, 1]).await;
    // It claims two megabytes, sends most of one and then nothing.
    let mut begun = framed(&vec![0; 2 << 20]);
    begun.truncate(1000 << 10);
    let leave = CancellationToken::new();
    let pieces = stream::once(async { begun }).chain(stream::pending());
    let holding = tokio::spawn(classify(connection, pieces.take_until(leave.clone().cancelled_owned())));
    let another = || async {
        let padded = framed(
            &[
                &prost::Message::encode_to_vec(&catalogue()[0].question())[..],
                &[0x9a, 0x06, 0x80, 0x80, 0x04],
                &[0; 65_536],
            ]
            .concat(),
        );
        classify(connected(&server, [127, 0, 0, 1]).await, stream::once(async { padded })).await
    };
    // Until what the first one sent has arrived.
    while server.metric("vigie_grpc_in_flight_bytes", &["calls"]) < 1e6 {
        tokio::task::yield_now().await;
    }
    let (code, refused) = another().await;
    assert_eq!(code, Code::ResourceExhausted, "{refused}");
    assert!(refused.contains("limits.in_flight_memory"), "{refused}");
    leave.cancel();
    assert_ne!(holding.await.unwrap().0, Code::Ok);
    within(LONG, async { while another().await.0 != Code::Ok {} }).await;
}

#[tokio::test]
async fn streams_beyond_their_number_are_refused_and_calls_are_not() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let mut clients = [
        server.ad_safety().await,
        server.ad_safety().await,
        server.ad_safety().await,
    ];
    let leave = CancellationToken::new();
    let mut open = Vec::new();
    let mut refused = Vec::new();
    for number in 0..300 {
        let idle = stream::pending::<StreamRequest>().take_until(leave.clone().cancelled_owned());
        match clients[number % 3].classify_stream(idle).await {
            Ok(answers) => open.push(answers),
            Err(status) => refused.push(status),
        }
    }
    assert_eq!((open.len(), refused.len()), (256, 44));
    assert!(
        refused
            .iter()
            .all(|status| status.code() == Code::ResourceExhausted && status.message().contains("limits.streams"))
    );
    server.classify(catalogue()[0].question()).await.unwrap();
    leave.cancel();
    within(LONG, async {
        while clients[0]
            .classify_stream(stream::empty::<StreamRequest>())
            .await
            .is_err()
        {}
    })
    .await;
}

/// A JPEG that keeps a core busy for some tens of milliseconds.
pub fn large_jpeg() -> Vec<u8> {
    let (width, height) = (3000, 2000);
    let pixels: Vec<u8> = (0..3 * width * height).map(|at| (at / 7 % 251) as u8).collect();
    let image = turbojpeg::Image {
        pixels: pixels.as_slice(),
        width,
        pitch: 3 * width,
        height,
        format: turbojpeg::PixelFormat::RGB,
    };
    turbojpeg::compress(image, 60, turbojpeg::Subsamp::Sub2x2)
        .unwrap()
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_asks_seldom_does_not_wait_behind_one_who_asks_much() {
    const GREEDY: usize = 60;
    let large = framed(&prost::Message::encode_to_vec(&question(large_jpeg())));
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).on_core(0).set("KNOWN__MEMORY", "0 B").start_ready();
    let (greedy, modest) = (
        connected(&server, [127, 0, 0, 1]).await,
        connected(&server, [127, 0, 0, 2]).await,
    );
    let answered = Arc::new(AtomicUsize::new(0));
    let calls: Vec<_> = (0..GREEDY)
        .map(|_| {
            let (connection, answered, large) = (greedy.clone(), Arc::clone(&answered), large.clone());
            tokio::spawn(async move {
                let (code, message) = classify(connection, stream::once(async move { large })).await;
                assert_eq!(code, Code::Ok, "{message}");
                answered.fetch_add(1, Ordering::SeqCst);
            })
        })
        .collect();
    // Until all but a few of them wait.
    while server.metric("vigie_executor_queue_jobs", &["class=\"live\""]) < GREEDY as f64 / 2.0 {
        assert!(answered.load(Ordering::SeqCst) < GREEDY, "they never waited");
        tokio::task::yield_now().await;
    }
    let before = answered.load(Ordering::SeqCst);
    let (code, message) = classify(modest, stream::once(async { encoded(199) })).await;
    assert_eq!(code, Code::Ok, "{message}");
    let meanwhile = answered.load(Ordering::SeqCst) - before;
    assert!(meanwhile < GREEDY / 3, "{meanwhile} of {GREEDY} were answered first");
    for call in calls {
        call.await.unwrap();
    }
}
