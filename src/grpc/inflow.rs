//! What callers send, on its way in: how much of it may lie in memory at once, and how long it may take to arrive.
//!
//! A message is held in memory from its first byte until its call has been answered. Without a bound, callers who send large messages slowly, or many
//! at once, would fill the machine before anything counts them as requests. So bytes are counted as they arrive: one call too much is refused with the
//! moment to come back, and a message that trickles is given up. Streams take their room item by item, and wait for it: see [`super::streams`].

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tonic::Status;
use tonic::body::Body;

use super::around::{Answer, Around};
use super::calls::Counter;
use super::status::status;
use crate::base::Refusal;
use crate::wire;

/// When a caller that found no room may come back: about the time that a few calls take.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Memory for messages, in steps of a KiB.
#[derive(Clone)]
pub struct Room {
    free: Arc<Semaphore>,
    kibibytes: u32,
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: usize) -> Self {
        let kibibytes = kibibytes(bytes);
        Self {
            free: Arc::new(Semaphore::new(kibibytes as usize)),
            kibibytes,
        }
    }

    /// The bytes that are taken.
    pub fn taken(&self) -> usize {
        (self.kibibytes as usize - self.free.available_permits()) * 1024
    }

    /// Takes room, or none where there is not enough.
    fn try_take(&self, kibibytes: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).try_acquire_many_owned(kibibytes).ok()
    }

    /// Takes room for so many bytes, when there is some; all of it for more than there is.
    ///
    /// # Cancel safety
    /// Nothing is taken when the future is dropped.
    pub async fn take(&self, bytes: usize) -> OwnedSemaphorePermit {
        let wanted = kibibytes(bytes).min(self.kibibytes);
        let taken = Arc::clone(&self.free).acquire_many_owned(wanted).await;
        taken.expect("nobody closes the room")
    }
}

fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// Counts what calls with one message send.
#[derive(Clone)]
pub struct InflowLayer {
    pub room: Room,
    /// How long a message may take to arrive.
    pub slowest: Duration,
    pub counter: Counter,
}

impl Around for InflowLayer {
    fn around<F, E>(&self, request: Request<Body>, inner: impl FnOnce(Request<Body>) -> F) -> Answer<E>
    where
        F: Future<Output = Result<Response<Body>, E>> + Send + 'static,
        E: Send + 'static,
    {
        if wire::method(request.uri().path()).is_none_or(|method| method.takes_stream) {
            return Box::pin(inner(request));
        }
        let held = Arc::<Held>::default();
        let arriving = Arc::clone(&held);
        let answer = inner(request.map(|body| {
            Body::new(Arriving {
                inner: body,
                layer: self.clone(),
                arrived: 0,
                held: arriving,
                timer: Box::pin(tokio::time::sleep_until(Instant::now() + self.slowest)),
            })
        }));
        Box::pin(async move {
            let answer = answer.await;
            // Until here the message may be in use.
            drop(held);
            answer
        })
    }
}

/// The room that one call has taken.
#[derive(Default)]
struct Held(Mutex<Option<OwnedSemaphorePermit>>);

impl Held {
    fn add(&self, more: OwnedSemaphorePermit) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            Some(permit) => permit.merge(more),
            None => *held = Some(more),
        }
    }
}

/// A message on its way in.
struct Arriving {
    inner: Body,
    layer: InflowLayer,
    arrived: usize,
    held: Arc<Held>,
    timer: Pin<Box<Sleep>>,
}

impl Arriving {
    /// Takes room for what has just arrived.
    fn make_room(&mut self, bytes: usize) -> Result<(), Status> {
        let more = kibibytes(self.arrived + bytes) - kibibytes(self.arrived);
        self.arrived += bytes;
        let permit = self.layer.room.try_take(more).ok_or_else(|| {
            self.refused(Refusal::overloaded(
                RETRY_AFTER,
                "the messages in flight take as much memory as the server gives them (limits.in_flight_memory)",
            ))
        })?;
        self.held.add(permit);
        Ok(())
    }

    fn refused(&self, refusal: Refusal) -> Status {
        self.layer.counter.refused(&refusal);
        status(refusal)
    }
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(context) {
            let Some(frame) = frame.transpose()? else {
                return Poll::Ready(None);
            };
            if let Some(data) = frame.data_ref() {
                self.make_room(data.len())?;
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        ready!(self.timer.as_mut().poll(context));
        let late = Refusal {
            message: format!(
                "the message has not arrived within {:?} (grpc.slow_sender)",
                self.layer.slowest
            ),
            ..Refusal::deadline()
        };
        Poll::Ready(Some(Err(self.refused(late))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
