//! One line of waiting jobs, in which callers share fairly.
//!
//! Jobs take their turns by start-time fair queueing (Goyal, Vin and Cheng 1996): each caller's jobs follow one another in a time of its own that
//! advances by what they cost, and the job that begins earliest in that time is next. So a caller alone has everything, first come, first served; one
//! who asks seldom does not wait behind one who asks much; and no one is passed over more than once by each of the others.
//!
//! Pure: no thread, no lock, no clock.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use crate::base::Caller;

/// A job's place: when it begins in its caller's time, in nanoseconds, and how many came before it.
pub(super) type Turn = (u64, u64);

struct Waiting<J> {
    caller: Caller,
    cost: Duration,
    job: J,
}

#[derive(Default)]
struct Share {
    waiting: usize,
    /// When the caller's last job ends, in its time.
    ends: u64,
}

/// A line of jobs. Its length is the user's to bound.
pub(super) struct Line<J> {
    jobs: BTreeMap<Turn, Waiting<J>>,
    callers: HashMap<Caller, Share>,
    /// Where the last job taken began.
    now: u64,
    came: u64,
}

impl<J> Default for Line<J> {
    fn default() -> Self {
        Self {
            jobs: BTreeMap::new(),
            callers: HashMap::new(),
            now: 0,
            came: 0,
        }
    }
}

impl<J> Line<J> {
    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// The turn that a job of this caller would get if it came now.
    pub(super) fn turn(&self, caller: Caller) -> Turn {
        let ends = self.callers.get(&caller).map_or(0, |share| share.ends);
        (self.now.max(ends), self.came)
    }

    /// What the jobs before a turn cost together.
    pub(super) fn ahead_of(&self, turn: Turn) -> Duration {
        self.jobs.range(..turn).map(|(_, waiting)| waiting.cost).sum()
    }

    /// What all of them cost together.
    pub(super) fn cost(&self) -> Duration {
        self.jobs.values().map(|waiting| waiting.cost).sum()
    }

    pub(super) fn push(&mut self, caller: Caller, cost: Duration, job: J) {
        let turn = self.turn(caller);
        self.came += 1;
        let share = self.callers.entry(caller).or_default();
        share.waiting += 1;
        share.ends = turn.0 + u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX / 2).max(1);
        self.jobs.insert(turn, Waiting { caller, cost, job });
    }

    /// The next job, with what it was said to cost.
    pub(super) fn first(&self) -> Option<(&J, Duration)> {
        self.jobs
            .first_key_value()
            .map(|(_, waiting)| (&waiting.job, waiting.cost))
    }

    /// How many jobs at the front are so, of the first `most`.
    pub(super) fn leading(&self, most: usize, is_so: impl Fn(&J) -> bool) -> usize {
        let jobs = self.jobs.values().take(most);
        jobs.take_while(|waiting| is_so(&waiting.job)).count()
    }

    /// Takes the next job, with what it was said to cost.
    pub(super) fn pop(&mut self) -> Option<(J, Duration)> {
        let (turn, waiting) = self.jobs.pop_first()?;
        self.now = turn.0;
        self.leave(waiting.caller);
        Some((waiting.job, waiting.cost))
    }

    /// Takes the last job of the caller with the most waiting, unless `newcomer` would have as many itself: whoever takes the most room gives way.
    pub(super) fn make_room_for(&mut self, newcomer: Caller) -> Option<J> {
        let (&greediest, most) = self.callers.iter().max_by_key(|(_, share)| share.waiting)?;
        let of_newcomer = self.callers.get(&newcomer).map_or(0, |share| share.waiting);
        if of_newcomer + 1 >= most.waiting {
            return None;
        }
        let (&turn, _) = self
            .jobs
            .iter()
            .rev()
            .find(|(_, waiting)| waiting.caller == greediest)?;
        let waiting = self.jobs.remove(&turn)?;
        if let Some(share) = self.callers.get_mut(&greediest) {
            share.ends = turn.0;
        }
        self.leave(greediest);
        Some(waiting.job)
    }

    /// Takes out the jobs that are so.
    pub(super) fn take_out(&mut self, is_so: impl Fn(&J) -> bool) -> Vec<J> {
        let taken: Vec<Waiting<J>> = self
            .jobs
            .extract_if(.., |_, waiting| is_so(&waiting.job))
            .map(|(_, waiting)| waiting)
            .collect();
        taken.iter().for_each(|waiting| self.leave(waiting.caller));
        taken.into_iter().map(|waiting| waiting.job).collect()
    }

    /// A caller of whom nothing waits has no debts.
    fn leave(&mut self, caller: Caller) {
        if let Some(share) = self.callers.get_mut(&caller) {
            share.waiting -= 1;
            if share.waiting == 0 {
                self.callers.remove(&caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(number: u8) -> Caller {
        Caller::new([number; 16])
    }

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[test]
    fn one_who_asks_seldom_does_not_wait_behind_one_who_asks_much() {
        let mut line = Line::default();
        for number in 0..10 {
            line.push(caller(1), MILLISECOND, number);
        }
        assert_eq!(line.pop(), Some((0, MILLISECOND)));
        line.push(caller(2), MILLISECOND, 100);
        let order: Vec<i32> = std::iter::from_fn(|| line.pop()).map(|(job, _)| job).collect();
        assert!(order.iter().position(|job| *job == 100) <= Some(1), "{order:?}");
    }

    #[test]
    fn whoever_takes_the_most_room_gives_way() {
        let mut line = Line::default();
        for number in 0..4 {
            line.push(caller(1), MILLISECOND, number);
        }
        assert_eq!(line.make_room_for(caller(1)), None);
        assert_eq!(line.make_room_for(caller(2)), Some(3));
        line.push(caller(2), MILLISECOND, 100);
        line.push(caller(2), MILLISECOND, 101);
        assert_eq!(
            line.make_room_for(caller(2)),
            None,
            "they have three and two, and would have three each"
        );
    }

    proptest! {
        /// Turns of equal cost: between two jobs of one caller, no other caller has more than one more than its turn.
        #[test]
        fn nobody_starves_and_nobody_is_mixed_up(jobs in prop::collection::vec((0_u8..5, 1_u64..4), 1..200)) {
            let mut line = Line::default();
            for (number, (who, cost)) in jobs.iter().enumerate() {
                line.push(caller(*who), MILLISECOND * u32::try_from(*cost).unwrap(), (*who, number));
            }
            let total = line.cost();
            let order: Vec<((u8, usize), Duration)> = std::iter::from_fn(|| line.pop()).collect();
            prop_assert_eq!(order.len(), jobs.len());
            prop_assert_eq!(order.iter().map(|(_, cost)| *cost).sum::<Duration>(), total);
            prop_assert!(line.callers.is_empty());
            for who in 0..5 {
                let own: Vec<usize> = order.iter().filter(|((of, _), _)| *of == who).map(|((_, number), _)| *number).collect();
                prop_assert!(own.is_sorted(), "a caller's own jobs keep their order");
            }
            // Served so far, while both have jobs waiting, two callers differ by no more than the costliest job of each.
            let mut served = [Duration::ZERO; 5];
            let mut left = [0; 5];
            jobs.iter().for_each(|(who, _)| left[usize::from(*who)] += 1);
            for ((who, _), cost) in &order {
                served[usize::from(*who)] += *cost;
                left[usize::from(*who)] -= 1;
                let active: Vec<Duration> = (0..5).filter(|who| left[*who] > 0).map(|who| served[who]).collect();
                let (least, most) = (active.iter().min(), active.iter().max());
                if let (Some(least), Some(most)) = (least, most) {
                    prop_assert!(*most - *least <= MILLISECOND * 6, "{served:?}");
                }
            }
        }
    }
}
