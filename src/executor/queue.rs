//! The bounded queues before the computing threads, and who may wait in them.
//!
//! Pure: no thread, no lock, no clock. A job is taken only where what it costs and what is before it leave it in time. Full means full of work that
//! somebody still waits for: before a job is refused, those whose callers have left make room, and then whoever takes the most.

use std::time::{Duration, Instant};

use super::line::Line;
use crate::base::{Asker, Caller};

/// What a job is for, and so when its turn comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Somebody waits for this one answer.
    Live,
    /// One of many: streams and scans. Its turn comes when no live job waits.
    Bulk,
    /// After the answer: shadow work. Runs at the lowest priority of the operating system, on threads of its own.
    Background,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Live, Self::Bulk, Self::Background];

    /// The name in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Bulk => "bulk",
            Self::Background => "background",
        }
    }
}

/// A wait may last longer than was thought by one part in so many: what is before a job is known in the mean only, and other
/// threads take their share. To refuse a little more costs nothing while so much waits; to take what is late costs its
/// computing.
const WAIT_MARGIN: u32 = 4;

/// How many jobs may wait, per class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    pub live: usize,
    pub bulk: usize,
    pub background: usize,
}

impl QueueLimits {
    fn of(&self, class: Class) -> usize {
        match class {
            Class::Live => self.live,
            Class::Bulk => self.bulk,
            Class::Background => self.background,
        }
    }
}

/// How a job asks to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    pub class: Class,
    pub asker: Asker,
    /// How long it will keep a thread busy, as far as that is known; none: as long as jobs did of late.
    pub cost: Option<Duration>,
}

impl Ticket {
    /// For work of this class and asker whose cost is not known.
    pub fn new(class: Class, asker: Asker) -> Self {
        Self {
            class,
            asker,
            cost: None,
        }
    }
}

/// A job as the queue sees it.
pub(super) trait Waiting {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self, now: Instant) -> bool;
}

/// What became of a job that was offered.
pub(super) struct Pushed<J> {
    pub refused: Option<(J, Why)>,
    /// Those who had to make room: whoever gets them refuses them, outside the lock.
    pub abandoned: Vec<J>,
    pub ousted: Option<J>,
    /// How long a job that came now would wait.
    pub wait: Duration,
}

/// Why a job is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    Full,
    /// It would end after its deadline.
    Late,
}

pub(super) struct Queues<J> {
    limits: QueueLimits,
    live: Line<J>,
    bulk: Line<J>,
    background: Line<J>,
    /// Of the jobs that live threads are running, what they were said to cost.
    running: Duration,
    /// A moving average over the jobs of the live threads; zero until one has ended.
    service: Duration,
}

impl<J: Waiting> Queues<J> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            live: Line::default(),
            bulk: Line::default(),
            background: Line::default(),
            running: Duration::ZERO,
            service: Duration::ZERO,
        }
    }

    fn line(&mut self, class: Class) -> &mut Line<J> {
        match class {
            Class::Live => &mut self.live,
            Class::Bulk => &mut self.bulk,
            Class::Background => &mut self.background,
        }
    }

    /// The jobs that wait.
    pub(super) fn depth(&self, class: Class) -> usize {
        match class {
            Class::Live => self.live.len(),
            Class::Bulk => self.bulk.len(),
            Class::Background => self.background.len(),
        }
    }

    /// Takes a job that can end in time on one of `threads`, of which `idle` have nothing to do; else gives it back.
    pub(super) fn push(&mut self, ticket: &Ticket, job: J, now: Instant, (threads, idle): (usize, usize)) -> Pushed<J> {
        let Ticket { class, asker, cost } = *ticket;
        let cost = cost.unwrap_or(self.service);
        let wait = match class {
            // What background work waits for is not measured.
            Class::Background => Duration::ZERO,
            Class::Live | Class::Bulk => self.wait(class, asker.caller, threads, idle),
        };
        let mut pushed = Pushed {
            refused: None,
            abandoned: Vec::new(),
            ousted: None,
            wait,
        };
        let needed = wait + wait / WAIT_MARGIN + cost;
        let left = asker.deadline.remaining(now);
        if left.is_some_and(|left| needed > left || left.is_zero()) {
            pushed.refused = Some((job, Why::Late));
            return pushed;
        }
        let limit = self.limits.of(class);
        let line = self.line(class);
        if line.len() >= limit {
            pushed.abandoned = line.take_out(|job| job.is_abandoned(now));
        }
        // Bulk work waits for room instead of being refused, so that nobody in its line need give way.
        if line.len() >= limit && class == Class::Live {
            pushed.ousted = line.make_room_for(asker.caller);
        }
        if line.len() >= limit {
            pushed.refused = Some((job, Why::Full));
        } else {
            line.push(asker.caller, cost, job);
        }
        pushed
    }

    /// The next job of the live threads and what it was said to cost: live before bulk.
    pub(super) fn pop_live(&mut self) -> Option<(Class, J, Duration)> {
        let live = self.live.pop().map(|(job, cost)| (Class::Live, job, cost));
        let next = live.or_else(|| self.bulk.pop().map(|(job, cost)| (Class::Bulk, job, cost)))?;
        self.running += next.2;
        Some(next)
    }

    /// The next job of the background threads.
    pub(super) fn pop_background(&mut self) -> Option<(Class, J, Duration)> {
        self.background.pop().map(|(job, cost)| (Class::Background, job, cost))
    }

    /// Takes out everything that waits in a class.
    pub(super) fn drain(&mut self, class: Class) -> Vec<J> {
        self.line(class).take_out(|_| true)
    }

    /// Learns that a job of a live thread has ended: what it was said to cost, and how long it took; none where it was not begun.
    pub(super) fn served(&mut self, said: Duration, took: Option<Duration>) {
        self.running = self.running.saturating_sub(said);
        if let Some(took) = took {
            self.service = if self.service.is_zero() {
                took
            } else {
                self.service * 7 / 8 + took / 8
            };
        }
    }

    /// How long a job of this caller that came now would wait for a thread: what is before it, and half of what is running. Zero where one is idle
    /// and nothing waits, and until there is something to go by.
    fn wait(&self, class: Class, caller: Caller, threads: usize, idle: usize) -> Duration {
        let ahead = match class {
            Class::Live => self.live.ahead_of(self.live.turn(caller)),
            Class::Bulk => self.live.cost() + self.bulk.ahead_of(self.bulk.turn(caller)),
            Class::Background => self.background.cost(),
        };
        if ahead.is_zero() && idle > 0 {
            return Duration::ZERO;
        }
        let threads = u32::try_from(threads.max(1)).unwrap_or(u32::MAX);
        (ahead + self.running / 2) / threads
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
