//! A caller's deadline: read from `grpc-timeout`, handed down as a value, and kept.
//!
//! The transport below this layer would answer an expired call with CANCELLED, which is wrong and would have callers believe that they left.
//! So this layer answers first, with DEADLINE_EXCEEDED, a moment before the deadline itself: the answer then still arrives in time to be
//! read. It covers a call until its answer begins; a stream keeps its own deadline.

use std::future::Future;
use std::net::IpAddr;
use std::task::Poll;
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response};
use tonic::body::Body;

use super::around::{Answer, Around};
use super::status::status;
use crate::base::{Asker, Caller, Deadline, Refusal};

/// How long before the deadline the answer leaves: at most this, and a twentieth of short ones.
const MARGIN: Duration = Duration::from_millis(2);

/// Puts a [`Deadline`] into the extensions of every request and answers in its place when it has passed.
#[derive(Debug, Clone, Copy)]
pub struct DeadlineLayer;

impl Around for DeadlineLayer {
    fn around<F, E>(&self, mut request: Request<Body>, inner: impl FnOnce(Request<Body>) -> F) -> Answer<E>
    where
        F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
        E: Send + 'static,
    {
        let span = match timeout(request.headers()) {
            Ok(span) => span,
            Err(refusal) => return Box::pin(std::future::ready(Ok(status(refusal).into_http()))),
        };
        let now = Instant::now();
        let deadline = span.map_or(Deadline::NONE, |span| Deadline::after(now, span));
        request.extensions_mut().insert(deadline);
        let answer = inner(request);
        let Some(moment) = span.and_then(|span| now.checked_add(span - MARGIN.min(span / 20))) else {
            return Box::pin(answer);
        };
        Box::pin(before(moment.into(), answer))
    }
}

/// The answer, or DEADLINE_EXCEEDED from the moment on.
///
/// An answer that is there goes out whatever the clock says. The clock is read besides the timer, because the transport's own timer may
/// wake the call first.
async fn before<E>(
    moment: tokio::time::Instant,
    answer: impl Future<Output = Result<Response<Body>, E>>,
) -> Result<Response<Body>, E> {
    let mut answer = std::pin::pin!(answer);
    let mut timer = std::pin::pin!(tokio::time::sleep_until(moment));
    std::future::poll_fn(|context| {
        if let Poll::Ready(answer) = answer.as_mut().poll(context) {
            return Poll::Ready(answer);
        }
        if timer.as_mut().poll(context).is_ready() || tokio::time::Instant::now() >= moment {
            return Poll::Ready(Ok(status(Refusal::deadline()).into_http()));
        }
        Poll::Pending
    })
    .await
}

/// Who asks, by the address of the connection, and the deadline that the layer has left in the request.
pub fn asker_of<T>(request: &tonic::Request<T>) -> Asker {
    let address = request.remote_addr().map(|address| match address.ip() {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    });
    Asker {
        caller: address.map_or_else(Caller::default, |address| Caller::new(address.octets())),
        deadline: request.extensions().get().copied().unwrap_or(Deadline::NONE),
    }
}

/// `grpc-timeout`: at most eight digits and a unit.
fn timeout(headers: &HeaderMap) -> Result<Option<Duration>, Refusal> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let parsed = value.to_str().ok().and_then(parse);
    parsed.map(Some).ok_or_else(|| {
        Refusal::invalid(
            "grpc-timeout",
            "one to eight digits and one of H, M, S, m, u, n are expected, as in \"250m\"",
        )
    })
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tonic::{Code, Status};
    use tower::{Layer, ServiceExt, service_fn};

    use super::*;
    use crate::grpc::around::AroundLayer;

    #[test]
    fn a_timeout_is_read_as_the_protocol_writes_it() {
        for (text, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("99999999M", Some(Duration::from_secs(99_999_999 * 60))),
            ("250m", Some(Duration::from_millis(250))),
            ("0n", Some(Duration::ZERO)),
            ("", None),
            ("m", None),
            ("123456789m", None),
            ("-1m", None),
            ("1.5S", None),
            ("10", None),
            ("1é", None),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[tokio::test]
    async fn an_expired_call_is_answered_and_its_work_dropped() {
        let work = std::sync::Arc::new(());
        let held = std::sync::Arc::clone(&work);
        let endless = service_fn(move |request: Request<Body>| {
            let held = std::sync::Arc::clone(&held);
            async move {
                assert!(request.extensions().get::<Deadline>().unwrap().moment().is_some());
                std::future::pending::<()>().await;
                drop(held);
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }
        });
        let request = Request::builder()
            .header("grpc-timeout", "20m")
            .body(Body::empty())
            .unwrap();
        let answer = AroundLayer(DeadlineLayer)
            .layer(endless)
            .oneshot(request)
            .await
            .unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(std::sync::Arc::strong_count(&work), 1);
    }

    #[tokio::test]
    async fn a_malformed_timeout_is_the_callers_mistake() {
        let never = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
        let request = Request::builder()
            .header("grpc-timeout", "soon")
            .body(Body::empty())
            .unwrap();
        let answer = AroundLayer(DeadlineLayer).layer(never).oneshot(request).await.unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}
