//! The bounded queues before the computing threads.
//!
//! Pure: no thread, no lock, no clock. Full means full of work that somebody still waits for: before a job is refused,
//! those whose callers have left make room.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

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

/// A job as the queue sees it.
pub(super) trait Waiting {
    /// Whether nobody waits for it any more.
    fn is_abandoned(&self, now: Instant) -> bool;
}

/// What became of a job that was offered. Whoever gets the abandoned ones drops them outside the lock.
pub(super) struct Pushed<J> {
    pub refused: Option<J>,
    pub abandoned: Vec<J>,
}

pub(super) struct Queues<J> {
    limits: QueueLimits,
    live: VecDeque<J>,
    bulk: VecDeque<J>,
    background: VecDeque<J>,
    /// A moving average over the jobs of the live threads; zero until one has ended.
    service: Duration,
}

impl<J: Waiting> Queues<J> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        let (live, bulk, background) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self {
            limits,
            live,
            bulk,
            background,
            service: Duration::ZERO,
        }
    }

    fn queue(&mut self, class: Class) -> &mut VecDeque<J> {
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

    /// Takes a job, or gives it back when the class is full of jobs that somebody waits for.
    pub(super) fn push(&mut self, class: Class, job: J, now: Instant) -> Pushed<J> {
        let limit = self.limits.of(class);
        let queue = self.queue(class);
        let mut abandoned = Vec::new();
        if queue.len() >= limit {
            let (gone, kept): (Vec<J>, Vec<J>) =
                std::mem::take(queue).into_iter().partition(|job| job.is_abandoned(now));
            abandoned = gone;
            *queue = kept.into();
        }
        if queue.len() >= limit {
            return Pushed {
                refused: Some(job),
                abandoned,
            };
        }
        queue.push_back(job);
        Pushed {
            refused: None,
            abandoned,
        }
    }

    /// The next job of the live threads: live before bulk, each first come, first served.
    pub(super) fn pop_live(&mut self) -> Option<(Class, J)> {
        let live = self.live.pop_front().map(|job| (Class::Live, job));
        live.or_else(|| self.bulk.pop_front().map(|job| (Class::Bulk, job)))
    }

    /// The next job of the background threads.
    pub(super) fn pop_background(&mut self) -> Option<(Class, J)> {
        self.background.pop_front().map(|job| (Class::Background, job))
    }

    /// Takes out everything that waits in a class.
    pub(super) fn drain(&mut self, class: Class) -> Vec<J> {
        self.queue(class).drain(..).collect()
    }

    /// Learns how long a job of a live thread took.
    pub(super) fn served(&mut self, took: Duration) {
        self.service = if self.service.is_zero() {
            took
        } else {
            self.service * 7 / 8 + took / 8
        };
    }

    /// How long a job that came now would wait for one of `threads`. Zero until there is something to go by.
    pub(super) fn wait(&self, class: Class, threads: usize) -> Duration {
        let ahead = match class {
            Class::Live => self.live.len(),
            Class::Bulk => self.live.len() + self.bulk.len(),
            Class::Background => self.background.len(),
        };
        let ahead = u32::try_from(ahead).unwrap_or(u32::MAX);
        let threads = u32::try_from(threads.max(1)).unwrap_or(u32::MAX);
        self.service.saturating_mul(ahead) / threads
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A job with a number; some have been left by their callers.
    #[derive(Debug, PartialEq)]
    struct Numbered(usize, bool);

    impl Waiting for Numbered {
        fn is_abandoned(&self, _: Instant) -> bool {
            self.1
        }
    }

    const LIMITS: QueueLimits = QueueLimits {
        live: 3,
        bulk: 2,
        background: 1,
    };

    #[test]
    fn the_left_make_room_before_anybody_is_refused() {
        let mut queues = Queues::new(LIMITS);
        let now = Instant::now();
        for (number, left) in [(0, false), (1, true), (2, false)] {
            assert!(queues.push(Class::Live, Numbered(number, left), now).refused.is_none());
        }
        let pushed = queues.push(Class::Live, Numbered(3, false), now);
        assert_eq!((pushed.refused, pushed.abandoned), (None, vec![Numbered(1, true)]));
        assert_eq!(
            queues.push(Class::Live, Numbered(4, false), now).refused,
            Some(Numbered(4, false))
        );
    }

    #[test]
    fn the_wait_follows_what_was_measured() {
        let mut queues = Queues::new(LIMITS);
        let now = Instant::now();
        queues.push(Class::Live, Numbered(0, false), now);
        queues.push(Class::Bulk, Numbered(1, false), now);
        assert_eq!(queues.wait(Class::Bulk, 2), Duration::ZERO);
        queues.served(Duration::from_millis(8));
        queues.served(Duration::from_millis(16));
        assert_eq!(queues.wait(Class::Live, 1), Duration::from_millis(9));
        assert_eq!(queues.wait(Class::Bulk, 2), Duration::from_millis(9));
    }

    proptest! {
        #[test]
        fn bounds_hold_and_live_comes_first(steps in prop::collection::vec((0_usize..5, any::<bool>()), 0..200)) {
            let mut queues = Queues::new(LIMITS);
            let now = Instant::now();
            for (number, (step, left)) in steps.into_iter().enumerate() {
                match step {
                    3 => {
                        let live = queues.depth(Class::Live);
                        let popped = queues.pop_live().map(|(class, _)| class);
                        prop_assert_eq!(popped == Some(Class::Live), live > 0);
                    }
                    4 => drop(queues.pop_background()),
                    class => {
                        let class = Class::ALL[class];
                        let pushed = queues.push(class, Numbered(number, left), now);
                        prop_assert!(pushed.abandoned.iter().all(|job| job.1));
                        prop_assert!(pushed.refused.is_none() || queues.depth(class) == LIMITS.of(class));
                    }
                }
                for class in Class::ALL {
                    prop_assert!(queues.depth(class) <= LIMITS.of(class));
                }
            }
        }
    }
}
