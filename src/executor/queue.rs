//! The bounded queues before the computing threads, and who may wait in them.
//!
//! Pure: no thread, no lock, no clock. A job is taken only where what it costs and what is before it leave it in time. Full means full of work that
//! somebody still waits for: before a job is refused, those whose callers have left make room, and then whoever takes the most.

use std::time::{Duration, Instant};

use super::line::Line;
use crate::base::{Asker, Caller, Deadline};

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
    /// Cores that it keeps busy while it runs.
    pub width: usize,
}

impl Ticket {
    /// For work of this class and asker whose cost is not known.
    pub fn new(class: Class, asker: Asker) -> Self {
        Self {
            class,
            asker,
            cost: None,
            width: 1,
        }
    }
}

/// A job as the queue sees it.
pub(super) trait Waiting {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self, now: Instant) -> bool;

    /// By when it must have ended.
    fn deadline(&self) -> Deadline;

    /// Cores that it keeps busy while it runs.
    fn width(&self) -> usize;

    /// With whom it may be run together: jobs of the same number; none: it runs alone.
    fn kin(&self) -> Option<usize>;

    /// How many of its kin may be run together.
    fn most_together(&self) -> usize;

    /// What the run of so many of its kin takes, without what each needs before; of one, a part of what it was said to cost.
    fn run_of(&self, together: usize) -> Duration;
}

/// Jobs that were taken from the line to be run now, together.
pub(super) struct Taken<J> {
    pub class: Class,
    pub first: J,
    /// Of the same kin.
    pub others: Vec<J>,
    /// Of the same kin, but left by their callers.
    pub abandoned: Vec<J>,
    /// What all of them were said to cost, on every core that they keep busy.
    pub said: Duration,
}

impl<J> Taken<J> {
    /// A job that runs alone.
    fn alone(class: Class, (first, said): (J, Duration)) -> Self {
        Self {
            class,
            first,
            others: Vec::new(),
            abandoned: Vec::new(),
            said,
        }
    }
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
        let Ticket { class, asker, cost, .. } = *ticket;
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
            // A job that keeps several cores busy takes as much from all.
            let cores = u32::try_from(job.width()).unwrap_or(1);
            line.push(asker.caller, cost * cores, job);
        }
        pushed
    }

    /// Cores that the next job of the live threads keeps busy; none where nothing waits.
    pub(super) fn next_width(&self) -> Option<usize> {
        self.next_live()
            .and_then(|(_, line)| line.first())
            .map(|(job, _)| job.width())
    }

    fn next_live(&self) -> Option<(Class, &Line<J>)> {
        let lines = [(Class::Live, &self.live), (Class::Bulk, &self.bulk)];
        lines.into_iter().find(|(_, line)| line.len() > 0)
    }

    /// The next job of the live threads, live before bulk, and with it those of its kin that follow at once: a fair part of them for each of the
    /// threads, no more than may be run together, and no more than leave each of them in time.
    pub(super) fn pop_live(&mut self, now: Instant, threads: usize) -> Option<Taken<J>> {
        let (class, _) = self.next_live()?;
        let line = self.line(class);
        let mut taken = Taken::alone(class, line.pop()?);
        let (kin, most) = (taken.first.kin(), taken.first.most_together());
        if kin.is_some() && most > 1 {
            let like = line.leading(most * threads.max(1), |job| job.kin() == kin);
            take_kin(line, &mut taken, (like + 1).div_ceil(threads.max(1)).min(most), now);
        }
        self.running += taken.said;
        Some(taken)
    }

    /// The next job of the background threads.
    pub(super) fn pop_background(&mut self) -> Option<Taken<J>> {
        self.background
            .pop()
            .map(|popped| Taken::alone(Class::Background, popped))
    }

    /// Takes out everything that waits in a class.
    pub(super) fn drain(&mut self, class: Class) -> Vec<J> {
        self.line(class).take_out(|_| true)
    }

    /// Learns that jobs of a live thread have ended: what they were said to cost, and how long each took; none where they were not begun.
    pub(super) fn served(&mut self, said: Duration, each: Option<Duration>) {
        self.running = self.running.saturating_sub(said);
        if let Some(took) = each {
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

/// Takes from the front of a line, until there are `most` with the first, jobs of its kin, as long as none of them would be late.
fn take_kin<J: Waiting>(line: &mut Line<J>, taken: &mut Taken<J>, most: usize, now: Instant) {
    let kin = taken.first.kin();
    let mut prepared = taken.said.saturating_sub(taken.first.run_of(1));
    let mut deadline = taken.first.deadline();
    while taken.others.len() + 1 < most {
        let Some((next, cost)) = line.first().filter(|(job, _)| job.kin() == kin) else {
            break;
        };
        let abandoned = next.is_abandoned(now);
        if !abandoned {
            let preparing = prepared + cost.saturating_sub(next.run_of(1));
            let tightest = deadline.earliest(next.deadline());
            let ends = now + preparing + next.run_of(taken.others.len() + 2);
            if tightest.has_passed(ends) {
                break;
            }
            (prepared, deadline) = (preparing, tightest);
        }
        let Some((job, cost)) = line.pop() else { break };
        taken.said += cost;
        if abandoned {
            taken.abandoned.push(job);
        } else {
            taken.others.push(job);
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
