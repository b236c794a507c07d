//! The threads behind [`super::cores`]: their shared state, their loop, their end.
//!
//! An idle thread sleeps on a condition variable; it never spins. One lock guards the queues and is held for
//! nanoseconds: a job is taken or left, never run, dropped or refused under it.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::booking::Kind;
use super::cores::{Lanes, Load, NotRun};
use super::judging::{PictureJob, judge_pictures};
use super::lane::{Absence, Lane};
use super::priority::become_one_of;
use super::queue::{Class, QueueLimits, Queues, Taken, Ticket, Waiting, Why};
use crate::base::Deadline;
use crate::preprocess::Workspace;

/// Told to those who are refused before a first job has been measured.
const FIRST_RETRY: Duration = Duration::from_millis(10);
/// The bounds of what callers are told to wait.
const RETRY_BOUNDS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(5));

/// Work without its types.
pub(super) trait Work: Send {
    fn run(self: Box<Self>, lane: &Lane);
    fn refuse(self: Box<Self>, why: NotRun);
}

/// What a job does.
pub(super) enum Task {
    /// Anything, by itself.
    Alone(Box<dyn Work>),
    /// Has a model judge a picture, together with others that come to it.
    Picture(Box<dyn PictureJob>),
}

/// Work in the queue.
pub(super) struct Job {
    absence: Absence,
    deadline: Deadline,
    came: Instant,
    width: usize,
    task: Task,
}

impl Job {
    pub(super) fn new(absence: Absence, deadline: Deadline, width: usize, task: Task) -> Self {
        Self {
            absence,
            deadline,
            came: Instant::now(),
            width,
            task,
        }
    }

    fn refuse(self, why: NotRun) {
        match self.task {
            Task::Alone(work) => work.refuse(why),
            Task::Picture(picture) => picture.refuse(why),
        }
    }

    fn picture(&self) -> Option<&dyn PictureJob> {
        match &self.task {
            Task::Alone(_) => None,
            Task::Picture(picture) => Some(&**picture),
        }
    }
}

impl Waiting for Job {
    fn is_abandoned(&self, now: Instant) -> bool {
        self.absence.is_declared() || self.deadline.has_passed(now)
    }

    fn deadline(&self) -> Deadline {
        self.deadline
    }

    fn width(&self) -> usize {
        self.width
    }

    fn kin(&self) -> Option<usize> {
        self.picture().map(|picture| Arc::as_ptr(picture.executor()).addr())
    }

    fn most_together(&self) -> usize {
        self.picture().map_or(1, |picture| picture.executor().most_together())
    }

    fn run_of(&self, together: usize) -> Duration {
        self.picture()
            .map_or(Duration::ZERO, |picture| picture.executor().run_of(together))
    }
}

/// Runs jobs that were taken together, on the thread of this index.
fn run(jobs: impl Iterator<Item = Job>, index: usize, now: Instant, workspace: &Rc<RefCell<Workspace>>) {
    let mut pictures = Vec::new();
    for job in jobs {
        let queued = now.saturating_duration_since(job.came);
        let lane = Lane::new(index, job.absence, job.deadline, queued, Rc::clone(workspace));
        match job.task {
            Task::Alone(work) => work.run(&lane),
            Task::Picture(picture) => pictures.push((lane, picture)),
        }
    }
    if !pictures.is_empty() {
        judge_pictures(pictures);
    }
}

struct State {
    queues: Queues<Job>,
    running_live: usize,
    running_background: usize,
    /// Cores that running live and bulk jobs keep busy.
    busy: usize,
    /// Live threads that wait until enough cores are free for the next job.
    held_back: usize,
    threads: usize,
    closing: bool,
}

pub(super) struct Shared {
    lanes: Lanes,
    state: Mutex<State>,
    live_wanted: Condvar,
    background_wanted: Condvar,
    thread_ended: Condvar,
    /// Somebody may take a place in the queue, per class.
    room: [Notify; 3],
}

impl Shared {
    pub(super) fn new(lanes: Lanes, limits: QueueLimits) -> Self {
        let state = State {
            queues: Queues::new(limits),
            running_live: 0,
            running_background: 0,
            busy: 0,
            held_back: 0,
            threads: 0,
            closing: false,
        };
        Self {
            lanes,
            state: Mutex::new(state),
            live_wanted: Condvar::new(),
            background_wanted: Condvar::new(),
            thread_ended: Condvar::new(),
            room: [Notify::new(), Notify::new(), Notify::new()],
        }
    }

    pub(super) fn load(&self) -> Load {
        let state = self.lock();
        Load {
            waiting_live: state.queues.depth(Class::Live),
            waiting_bulk: state.queues.depth(Class::Bulk),
            waiting_background: state.queues.depth(Class::Background),
            running_live: state.running_live,
            running_background: state.running_background,
        }
    }

    pub(super) fn room(&self, class: Class) -> &Notify {
        match class {
            Class::Live => &self.room[0],
            Class::Bulk => &self.room[1],
            Class::Background => &self.room[2],
        }
    }

    /// Leaves a job for a thread of its class; gives it back with the reason when it is not taken.
    pub(super) fn push(&self, ticket: &Ticket, job: Job) -> Result<(), (Job, NotRun)> {
        let (class, now) = (ticket.class, Instant::now());
        let mut state = self.lock();
        if state.closing {
            return Err((job, NotRun::Closing));
        }
        let idle = self.lanes.live.saturating_sub(state.busy);
        let pushed = state.queues.push(ticket, job, now, (self.lanes.live, idle));
        drop(state);
        let wait = if pushed.wait.is_zero() {
            FIRST_RETRY
        } else {
            pushed.wait
        };
        let retry_after = wait.clamp(RETRY_BOUNDS.0, RETRY_BOUNDS.1);
        for abandoned in pushed.abandoned {
            self.room(class).notify_one();
            abandoned.refuse(NotRun::DeadlinePassed);
        }
        if let Some(ousted) = pushed.ousted {
            ousted.refuse(NotRun::QueueFull { retry_after });
        }
        if let Some((job, why)) = pushed.refused {
            let why = match why {
                Why::Full => NotRun::QueueFull { retry_after },
                Why::Late if ticket.asker.deadline.has_passed(now) => NotRun::DeadlinePassed,
                Why::Late => NotRun::Late { retry_after },
            };
            return Err((job, why));
        }
        match class {
            Class::Live | Class::Bulk => self.live_wanted.notify_one(),
            Class::Background => self.background_wanted.notify_one(),
        }
        Ok(())
    }

    /// Takes no more work, drops background work, and lets the threads end when the rest is done.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closing = true;
        let background = state.queues.drain(Class::Background);
        drop(state);
        refuse_all(background);
        self.live_wanted.notify_all();
        self.background_wanted.notify_all();
        self.room.iter().for_each(Notify::notify_waiters);
    }

    /// Waits for the threads' end; what then still waits is refused. Gives whether they have ended.
    pub(super) fn wait_ended(&self, within: Duration) -> bool {
        let waited = self
            .thread_ended
            .wait_timeout_while(self.lock(), within, |state| state.threads > 0);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let ended = state.threads == 0;
        let left: Vec<Job> = Class::ALL
            .into_iter()
            .flat_map(|class| state.queues.drain(class))
            .collect();
        drop(state);
        refuse_all(left);
        ended
    }

    pub(super) fn thread_begins(&self) {
        self.lock().threads += 1;
    }

    pub(super) fn thread_ended(&self) {
        self.lock().threads -= 1;
        self.thread_ended.notify_all();
    }

    /// The life of one thread.
    pub(super) fn serve(&self, index: usize) {
        let live = index < self.lanes.live;
        let kind = if live { Kind::Live } else { Kind::Background };
        if let Err(error) = become_one_of(kind) {
            tracing::warn!(%error, kind = kind.as_str(), "a computing thread runs at normal priority");
        }
        let workspace = Rc::default();
        while let Some((taken, width)) = self.next(live) {
            let Taken {
                class,
                first,
                others,
                mut abandoned,
                said,
            } = taken;
            for _ in 0..=others.len() + abandoned.len() {
                self.room(class).notify_one();
            }
            let began = Instant::now();
            let mut jobs = Vec::with_capacity(1 + others.len());
            for job in std::iter::once(first).chain(others) {
                if job.is_abandoned(began) {
                    abandoned.push(job);
                } else {
                    jobs.push(job);
                }
            }
            abandoned.into_iter().for_each(|job| job.refuse(NotRun::DeadlinePassed));
            let count = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
            // Work answers for its own panics; this is for what it leaves behind, so that no thread is ever lost.
            let _ = catch_unwind(AssertUnwindSafe(|| run(jobs.into_iter(), index, began, &workspace)));
            self.done(live, width, said, began.elapsed().checked_div(count));
        }
        self.thread_ended();
    }

    /// Waits for jobs, and until as many cores are free as they keep busy; none when there will be no more.
    fn next(&self, live: bool) -> Option<(Taken<Job>, usize)> {
        let mut state = self.lock();
        loop {
            // More cores than there are cannot become free.
            let wanted = if live { state.queues.next_width() } else { None };
            let width = wanted.unwrap_or(1).min(self.lanes.live);
            let held_back = live && wanted.is_some() && state.busy + width > self.lanes.live;
            let taken = match live {
                true if held_back => None,
                true => state.queues.pop_live(Instant::now(), self.lanes.live),
                false => state.queues.pop_background(),
            };
            if let Some(taken) = taken {
                *state.running(live) += 1;
                if live {
                    state.busy += width;
                }
                return Some((taken, width));
            }
            if state.closing && !held_back {
                return None;
            }
            state.held_back += usize::from(held_back);
            let wanted = if live {
                &self.live_wanted
            } else {
                &self.background_wanted
            };
            state = wanted.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.held_back -= usize::from(held_back);
        }
    }

    fn done(&self, live: bool, width: usize, said: Duration, each: Option<Duration>) {
        let mut state = self.lock();
        *state.running(live) -= 1;
        if live {
            state.busy -= width;
            state.queues.served(said, each);
            if state.held_back > 0 {
                self.live_wanted.notify_all();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing can panic half-way through a change of the state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn running(&mut self, live: bool) -> &mut usize {
        if live {
            &mut self.running_live
        } else {
            &mut self.running_background
        }
    }
}

fn refuse_all(jobs: Vec<Job>) {
    for job in jobs {
        job.refuse(NotRun::Closing);
    }
}
