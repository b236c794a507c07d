//! Answering a stream of requests: reads ahead so far and no further, answers each item, and ends when there is nothing left to answer.
//!
//! One task drives a stream. What it has read and not yet handed over, in work or done, is never more than the read-ahead; beyond that
//! it stops reading, and the transport's flow control stops the caller. So a stream cannot fill a queue, and memory is bounded whatever
//! the reader does. A reader that takes nothing for too long is cut: its work is dropped and its stream ended. When the caller leaves,
//! the transport drops the stream of answers, and with it everything still in work.
//!
//! It knows nothing of what is asked: an item's error is a value inside its answer. Only what ends the whole stream is an error here.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{Fuse, FutureExt};
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use futures_util::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::Instrument;

use super::inflow::Room;
use super::status::status;
use crate::base::{Deadline, Refusal};

/// When a caller for whose stream there is no place may come back.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Answers to one request that wait for their reader.
const TOLD_AHEAD: usize = 64;

/// Whether answers keep the order of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    AsAsked,
    AsReady,
}

/// What all streams of the port share.
#[derive(Clone)]
pub struct Streams {
    places: Arc<Semaphore>,
    room: Room,
    stalled: Duration,
}

impl Streams {
    /// Places for so many streams at once, room for their items in work, and how long a reader may take nothing.
    pub fn new(places: usize, room: Room, stalled: Duration) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            room,
            stalled,
        }
    }

    /// A place for one more stream.
    ///
    /// # Errors
    /// When as many are open as may be.
    pub fn open(
        &self,
        order: Order,
        read_ahead: usize,
        deadline: Deadline,
        stop: CancellationToken,
    ) -> Result<Driving, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Refusal::overloaded(
                RETRY_AFTER,
                "as many streams are open as the server takes (limits.streams): send more over one of yours",
            )
        })?;
        Ok(Driving {
            order,
            read_ahead,
            stalled: self.stalled,
            deadline,
            room: self.room.clone(),
            stop,
            _place: Some(place),
        })
    }
}

/// How a stream is driven.
pub struct Driving {
    pub order: Order,
    /// Items that may be read and not yet handed over.
    pub read_ahead: usize,
    /// How long the reader may take nothing while an answer waits.
    pub stalled: Duration,
    /// Of the whole stream.
    pub deadline: Deadline,
    /// What items in work may take of memory, over all streams.
    pub room: Room,
    /// The server stops: nothing more is read, what was read is answered.
    pub stop: CancellationToken,
    /// Given back when the stream has ended.
    _place: Option<OwnedSemaphorePermit>,
}

/// What can be asked in a stream.
pub trait Item {
    /// What of it counts as taking memory: pictures and tensors.
    fn bytes(&self) -> usize;
}

/// The answers of a stream.
pub struct Answers<A> {
    answers: mpsc::Receiver<A>,
    end: Arc<OnceLock<Result<(), Status>>>,
    ended: bool,
}

/// Drives a stream on a task of its own, inside the current span.
pub fn answer<Q, A, F>(
    requests: impl Stream<Item = Result<Q, Status>> + Send + 'static,
    respond: impl Fn(Q) -> F + Send + 'static,
    driving: Driving,
) -> Answers<A>
where
    Q: Item + Send + 'static,
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    on_a_task(1, |to_reader| drive(Box::pin(requests), respond, to_reader, driving))
}

/// Answers one request with a stream: whatever the source gives, a handful at a time, while the reader takes it. It is asked for the next handful when
/// the last one is taken.
pub fn tell<A: Send + 'static>(source: impl Source<A>, driving: Driving) -> Answers<A> {
    on_a_task(TOLD_AHEAD, |to_reader| async move {
        // All of it, its place among the streams too.
        let driving = driving;
        let reader = to_reader.clone();
        tokio::select! {
            biased;
            () = reader.closed() => Ok(()),
            () = until(driving.deadline.moment()) => Err(status(Refusal::deadline())),
            () = driving.stop.cancelled() => Err(stopping()),
            ended = tell_all(source, to_reader, driving.stalled) => ended,
        }
    })
}

async fn tell_all<A: Send>(
    mut source: impl Source<A>,
    to_reader: mpsc::Sender<A>,
    limit: Duration,
) -> Result<(), Status> {
    loop {
        for answer in source.next().await.map_err(status)? {
            match tokio::time::timeout(limit, to_reader.send(answer)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ok(()),
                Err(_) => return Err(stalled(limit)),
            }
        }
    }
}

/// What a stream of answers to one request is made of.
pub trait Source<A>: Send + 'static {
    /// The next handful of answers. Never ends but with a refusal.
    fn next(&mut self) -> impl Future<Output = Result<Vec<A>, Refusal>> + Send;
}

/// Runs what answers on a task of its own, inside the current span.
fn on_a_task<A, F>(ahead: usize, answering: impl FnOnce(mpsc::Sender<A>) -> F) -> Answers<A>
where
    A: Send + 'static,
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (to_reader, answers) = mpsc::channel(ahead);
    let end = Arc::new(OnceLock::new());
    let ending = Arc::clone(&end);
    // The channel must not close before the end is written: the reader looks for it then.
    let open = to_reader.clone();
    let answering = answering(to_reader);
    let task = async move {
        let ended = answering.await;
        ending.get_or_init(|| ended);
        drop(open);
    };
    tokio::spawn(task.in_current_span());
    Answers {
        answers,
        end,
        ended: false,
    }
}

/// # Cancel safety
/// Dropping it drops everything in work.
async fn drive<Q, A, F>(
    mut requests: Pin<Box<impl Stream<Item = Result<Q, Status>>>>,
    respond: impl Fn(Q) -> F,
    to_reader: mpsc::Sender<A>,
    driving: Driving,
) -> Result<(), Status>
where
    Q: Item,
    F: Future<Output = A>,
{
    let mut in_work = InWork::new(driving.order);
    let mut done = VecDeque::new();
    let mut last_taken = Instant::now();
    // How the stream of requests ended; reading goes on while it has not.
    let mut read: Option<Result<(), Status>> = None;
    // An item that is read and waits for room in memory; until it has some, no other is read.
    let mut parked = None;
    let mut taking = pin!(Fuse::terminated());
    loop {
        if in_work.len() + done.len() == 0
            && parked.is_none()
            && let Some(end) = read
        {
            return end;
        }
        let may_read = read.is_none() && parked.is_none() && in_work.len() + done.len() < driving.read_ahead;
        tokio::select! {
            biased;
            () = to_reader.closed() => return Ok(()),
            () = until(driving.deadline.moment()) => return Err(status(Refusal::deadline())),
            () = until(last_taken.checked_add(driving.stalled)), if !done.is_empty() => return Err(stalled(driving.stalled)),
            Ok(place) = to_reader.reserve(), if !done.is_empty() => {
                place.send(done.pop_front().expect("guarded by the branch's condition"));
                last_taken = Instant::now();
            }
            Some(answer) = in_work.next() => {
                if done.is_empty() {
                    last_taken = Instant::now();
                }
                done.push_back(answer);
            }
            room = &mut taking => {
                if let Some(request) = parked.take() {
                    let answer = respond(request);
                    in_work.push(async move {
                        let answer = answer.await;
                        drop(room);
                        answer
                    });
                }
            }
            () = driving.stop.cancelled(), if read.is_none() => {
                read = Some(Err(stopping()));
            }
            request = requests.next(), if may_read => match request {
                Some(Ok(request)) => {
                    taking.set(driving.room.take(request.bytes()).fuse());
                    parked = Some(request);
                }
                Some(Err(error)) => read = Some(Err(error)),
                None => read = Some(Ok(())),
            },
        }
    }
}

fn stalled(limit: Duration) -> Status {
    Status::aborted(format!(
        "no answer was read for {limit:?}: read answers while sending requests"
    ))
}

fn stopping() -> Status {
    Status::unavailable("the server is stopping: call another one, or this one again later")
}

/// Waits for a moment; without one, for ever.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// Answers being made.
enum InWork<F: Future> {
    Ordered(FuturesOrdered<F>),
    Unordered(FuturesUnordered<F>),
}

impl<F: Future> InWork<F> {
    fn new(order: Order) -> Self {
        match order {
            Order::AsAsked => Self::Ordered(FuturesOrdered::new()),
            Order::AsReady => Self::Unordered(FuturesUnordered::new()),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Ordered(futures) => futures.len(),
            Self::Unordered(futures) => futures.len(),
        }
    }

    fn push(&mut self, future: F) {
        match self {
            Self::Ordered(futures) => futures.push_back(future),
            Self::Unordered(futures) => futures.push(future),
        }
    }

    async fn next(&mut self) -> Option<F::Output> {
        match self {
            Self::Ordered(futures) => futures.next().await,
            Self::Unordered(futures) => futures.next().await,
        }
    }
}

impl<A> Stream for Answers<A> {
    type Item = Result<A, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.answers.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(answer)) => Poll::Ready(Some(Ok(answer))),
            Poll::Ready(None) => {
                self.ended = true;
                match self.end.get() {
                    Some(Ok(())) => Poll::Ready(None),
                    Some(Err(status)) => Poll::Ready(Some(Err(status.clone()))),
                    None => Poll::Ready(Some(Err(Status::internal(
                        "the stream ended by a mistake of the server",
                    )))),
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "streams_tests.rs"]
mod tests;
