//! The one set of computing threads of the process.
//!
//! Decoding a picture and running a model keep a core busy for milliseconds, so neither happens on the threads that
//! serve connections, and no library's pool of its own may add to them. There are as many live threads as cores; each
//! takes a job and carries it from picture to scores, so that what one step leaves in the core's caches serves the
//! next. Live jobs go before bulk jobs, always. Background threads run at the lowest priority of the operating system
//! and take background jobs only: they use what the others leave.
//!
//! Queues are bounded and refuse at once when full, with the time after which to come back. A job whose caller left or
//! whose deadline passed before its turn is never started. Pictures that wait for the same model are run together where the model's setting says so;
//! nobody waits for others to come.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout_at;
use tracing::Span;

use super::judging::{PictureCall, PictureWork};
use super::lane::{Absence, Lane};
use super::loaded::Executor;
use super::queue::{Class, QueueLimits, Ticket};
use super::threads::{Job, Shared, Task, Work};
use crate::base::{Asker, Caller, Deadline};

/// The threads that run jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lanes {
    /// For live and bulk jobs.
    pub live: usize,
    /// For background jobs, at the lowest priority.
    pub background: usize,
}

impl Lanes {
    /// All of them: so many sessions does a model need.
    pub fn count(self) -> usize {
        self.live + self.background
    }
}

/// Why a job gave no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRun {
    #[error("too much work is waiting: come back in {} ms", retry_after.as_millis())]
    QueueFull { retry_after: Duration },
    #[error("the deadline has passed")]
    DeadlinePassed,
    #[error("the deadline cannot be met: come back in {} ms", retry_after.as_millis())]
    Late { retry_after: Duration },
    #[error("the work failed unexpectedly")]
    Panicked,
    #[error("the server is closing")]
    Closing,
}

/// A background job was not taken: the queue is full or closing. The work is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the background queue is full")]
pub struct QueueFull;

/// What waits and what runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    pub waiting_live: usize,
    pub waiting_bulk: usize,
    pub waiting_background: usize,
    pub running_live: usize,
    pub running_background: usize,
}

/// A handle on the computing threads. They end when the last handle is gone, after what was queued.
#[derive(Clone)]
pub struct Cores {
    shared: Arc<Shared>,
    _last: Arc<LastHandle>,
}

struct LastHandle(Arc<Shared>);

impl Drop for LastHandle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Cores {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the operating system gives no more threads; those already started end again.
    pub fn start(lanes: Lanes, limits: QueueLimits) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(lanes, limits));
        let cores = Self {
            _last: Arc::new(LastHandle(Arc::clone(&shared))),
            shared,
        };
        for index in 0..lanes.count() {
            let shared = Arc::clone(&cores.shared);
            let class = if index < lanes.live { "live" } else { "background" };
            shared.thread_begins();
            let thread = std::thread::Builder::new().name(format!("{class}-{index}"));
            let body = Arc::clone(&shared);
            thread
                .spawn(move || body.serve(index))
                .inspect_err(|_| shared.thread_ended())?;
        }
        Ok(cores)
    }

    /// What waits and what runs now.
    pub fn load(&self) -> Load {
        self.shared.load()
    }

    /// Runs work on a thread of its class and gives its outcome, under the caller's tracing span.
    ///
    /// # Errors
    /// See [`NotRun`]. A deadline that cannot be met, by what waits before it and what it costs itself, is refused at once. Bulk work, whose callers are
    /// themselves bounded, waits for room instead of being refused for load.
    ///
    /// # Cancel safety
    /// Dropping the future abandons the job: if it has not begun it never will; if it has, [`Lane::check`] tells it so.
    pub async fn run<T: Send + 'static>(
        &self,
        ticket: Ticket,
        work: impl FnOnce(&Lane) -> T + Send + 'static,
    ) -> Result<T, NotRun> {
        let span = Span::current();
        let (job, answer) = job(&ticket, |reply| Task::Alone(Box::new(Call { work, reply, span })));
        self.outcome(&ticket, job, answer).await
    }

    /// Has a model judge a picture, as [`Cores::run`] runs work. Pictures that wait for the same model may be run together.
    ///
    /// # Errors
    /// As [`Cores::run`].
    ///
    /// # Cancel safety
    /// As [`Cores::run`].
    pub async fn judge<W: PictureWork>(
        &self,
        mut ticket: Ticket,
        executor: Arc<Executor>,
        work: W,
    ) -> Result<W::Outcome, NotRun> {
        ticket.width = executor.width();
        let (job, answer) = job(&ticket, |reply| {
            Task::Picture(Box::new(PictureCall::new(executor, work, reply)))
        });
        self.outcome(&ticket, job, answer).await
    }

    async fn outcome<T>(&self, ticket: &Ticket, mut job: Job, answer: Answer<T>) -> Result<T, NotRun> {
        loop {
            // Registered before trying, so that room made in between is not missed.
            let room = self.shared.room(ticket.class).notified();
            match self.shared.push(ticket, job) {
                Ok(()) => return answer.outcome().await,
                Err((refused, NotRun::QueueFull { .. })) if ticket.class == Class::Bulk => job = refused,
                Err((_, why)) => return Err(why),
            }
            until(ticket.asker.deadline, room).await?;
        }
    }

    /// Runs background work, whenever there is room for it, and gives its outcome. Nobody's deadline holds for it; keep it to some milliseconds.
    ///
    /// # Errors
    /// The work panicked, or the server is closing.
    ///
    /// # Cancel safety
    /// As [`Cores::run`].
    pub async fn run_behind<T: Send + 'static>(
        &self,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<T, NotRun> {
        let work = Arc::new(work);
        loop {
            let again = Arc::clone(&work);
            match self.run(of_nobody(), move |_| again()).await {
                Err(NotRun::QueueFull { retry_after }) => {
                    tokio::time::sleep(retry_after.max(Duration::from_millis(1))).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Leaves background work to be done, or not at all. Never waits.
    ///
    /// # Errors
    /// When the queue is full or closing: the work is dropped, and the caller counts it.
    pub fn offer(&self, work: impl FnOnce(&Lane) + Send + 'static) -> Result<(), QueueFull> {
        let ticket = of_nobody();
        let (reply, _) = oneshot::channel();
        let call = Call {
            work,
            reply,
            span: Span::current(),
        };
        let job = Job::new(Absence::default(), Deadline::NONE, 1, Task::Alone(Box::new(call)));
        self.shared.push(&ticket, job).map_err(|_| QueueFull)
    }

    /// Takes no more work, does what is queued but for background work, and waits until the threads have ended. Blocks.
    ///
    /// Gives false when they have not ended `within` the time; what then still waits is refused.
    pub fn close(&self, within: Duration) -> bool {
        self.shared.close();
        self.shared.wait_ended(within)
    }
}

/// For background work.
fn of_nobody() -> Ticket {
    let nobody = Asker {
        caller: Caller::default(),
        deadline: Deadline::NONE,
    };
    Ticket::new(Class::Background, nobody)
}

/// The waiting side of a job.
struct Answer<T> {
    outcome: oneshot::Receiver<Result<T, NotRun>>,
    deadline: Deadline,
    _presence: Presence,
}

/// Declares the caller absent when its future goes, whichever way.
struct Presence(Absence);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.declare();
    }
}

impl<T> Answer<T> {
    async fn outcome(self) -> Result<T, NotRun> {
        // A job that is dropped without a word was still queued when the threads ended.
        until(self.deadline, self.outcome)
            .await?
            .unwrap_or(Err(NotRun::Closing))
    }
}

async fn until<F: Future>(deadline: Deadline, future: F) -> Result<F::Output, NotRun> {
    match deadline.moment() {
        None => Ok(future.await),
        Some(moment) => timeout_at(moment.into(), future)
            .await
            .map_err(|_| NotRun::DeadlinePassed),
    }
}

/// A job and its waiting side.
fn job<T>(ticket: &Ticket, task: impl FnOnce(oneshot::Sender<Result<T, NotRun>>) -> Task) -> (Job, Answer<T>) {
    let (reply, outcome) = oneshot::channel();
    let (absence, deadline) = (Absence::default(), ticket.asker.deadline);
    let job = Job::new(absence.clone(), deadline, ticket.width, task(reply));
    let answer = Answer {
        outcome,
        deadline,
        _presence: Presence(absence),
    };
    (job, answer)
}

/// Work with the way back to its caller and the span that it belongs to.
struct Call<T, F> {
    work: F,
    reply: oneshot::Sender<Result<T, NotRun>>,
    span: Span,
}

impl<T: Send, F: FnOnce(&Lane) -> T + Send> Work for Call<T, F> {
    fn run(self: Box<Self>, lane: &Lane) {
        let Self { work, reply, span } = *self;
        let outcome = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| work(lane))));
        // Dropped here: whoever gets the answer finds the span closed on this side.
        drop(span);
        // A caller that left does not want it.
        let _ = reply.send(outcome.map_err(|_| NotRun::Panicked));
    }

    fn refuse(self: Box<Self>, why: NotRun) {
        let _ = self.reply.send(Err(why));
    }
}

#[cfg(test)]
#[path = "cores_tests.rs"]
mod tests;
