//! What a piece of work sees of the thread that runs it.
//!
//! A lane is one computing thread's place: work asks it which session is its own, and between two expensive steps
//! whether anybody still waits for the outcome. It also keeps the time of the steps, so that nothing else has to.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::base::Deadline;
use crate::preprocess::Workspace;

/// Why work should stop: nobody waits for its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Abandoned {
    #[error("the caller has left")]
    CallerLeft,
    #[error("the deadline has passed")]
    DeadlinePassed,
}

/// Whether the caller of a job is still there. Set when its future is dropped.
#[derive(Clone, Default)]
pub(super) struct Absence(Arc<AtomicBool>);

impl Absence {
    pub(super) fn declare(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_declared(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// One computing thread, as seen by the work on it.
pub struct Lane {
    index: usize,
    absence: Absence,
    deadline: Deadline,
    queued: Cell<Duration>,
    lap_began: Cell<Instant>,
    workspace: Rc<RefCell<Workspace>>,
}

impl Lane {
    /// The lane of a thread that is not one of the computing threads: a test, a check offline. Nobody ever leaves it.
    pub fn apart(index: usize) -> Self {
        Self::new(index, Absence::default(), Deadline::NONE, Duration::ZERO, Rc::default())
    }

    pub(super) fn new(
        index: usize,
        absence: Absence,
        deadline: Deadline,
        queued: Duration,
        workspace: Rc<RefCell<Workspace>>,
    ) -> Self {
        Self {
            index,
            absence,
            deadline,
            queued: Cell::new(queued),
            lap_began: Cell::new(Instant::now()),
            workspace,
        }
    }

    /// The thread's number, from 0; no other thread has it at the same time.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether the outcome is still wanted. Asked before each expensive step.
    ///
    /// # Errors
    /// When the caller left or its deadline has passed.
    pub fn check(&self) -> Result<(), Abandoned> {
        if self.absence.is_declared() {
            return Err(Abandoned::CallerLeft);
        }
        if self.deadline.has_passed(Instant::now()) {
            return Err(Abandoned::DeadlinePassed);
        }
        Ok(())
    }

    /// The thread's buffers. Not to be asked for twice at once.
    pub fn workspace(&self) -> RefMut<'_, Workspace> {
        self.workspace.borrow_mut()
    }

    /// How long the work waited before it began.
    pub fn queued(&self) -> Duration {
        self.queued.get()
    }

    /// The time since the last lap, or since the work began.
    pub(super) fn lap(&self) -> Duration {
        let now = Instant::now();
        now.saturating_duration_since(self.lap_began.replace(now))
    }

    /// The waiting time, told once: several inferences of one job count it once.
    pub(super) fn take_queued(&self) -> Duration {
        self.queued.take()
    }
}
