//! The promises of the queues.

use proptest::prelude::*;

use super::*;
use crate::base::Deadline;

/// A job with a number that runs alone; some have been left by their callers.
#[derive(Debug, PartialEq)]
struct Numbered(usize, bool);

impl Waiting for Numbered {
    fn is_abandoned(&self, _: Instant) -> bool {
        self.1
    }

    fn deadline(&self) -> Deadline {
        Deadline::NONE
    }

    fn width(&self) -> usize {
        1
    }

    fn kin(&self) -> Option<usize> {
        None
    }

    fn most_together(&self) -> usize {
        1
    }

    fn run_of(&self, _: usize) -> Duration {
        Duration::ZERO
    }
}

/// A job that may be run with its kin.
#[derive(Debug, Clone, PartialEq)]
struct Social {
    number: usize,
    kin: Option<usize>,
    abandoned: bool,
    deadline: Deadline,
}

/// Of the social ones: what each needs before its run, and the run of so many.
const PREPARE: Duration = Duration::from_millis(3);
fn social_run(together: usize) -> Duration {
    MILLISECOND * u32::try_from(together).unwrap() + MILLISECOND
}
const MOST: usize = 4;

impl Waiting for Social {
    fn is_abandoned(&self, _: Instant) -> bool {
        self.abandoned
    }

    fn deadline(&self) -> Deadline {
        self.deadline
    }

    fn width(&self) -> usize {
        1
    }

    fn kin(&self) -> Option<usize> {
        self.kin
    }

    fn most_together(&self) -> usize {
        MOST
    }

    fn run_of(&self, together: usize) -> Duration {
        social_run(together)
    }
}

const LIMITS: QueueLimits = QueueLimits {
    live: 3,
    bulk: 2,
    background: 1,
};

const MILLISECOND: Duration = Duration::from_millis(1);

fn ticket(class: Class, deadline: Deadline) -> Ticket {
    let caller = Caller::default();
    Ticket {
        cost: Some(4 * MILLISECOND),
        ..Ticket::new(class, Asker { caller, deadline })
    }
}

fn queues() -> Queues<Numbered> {
    Queues::new(LIMITS)
}

#[test]
fn the_left_make_room_before_anybody_is_refused() {
    let mut queues = queues();
    let now = Instant::now();
    let live = ticket(Class::Live, Deadline::NONE);
    for (number, left) in [(0, false), (1, true), (2, false)] {
        assert!(
            queues
                .push(&live, Numbered(number, left), now, (1, 0))
                .refused
                .is_none()
        );
    }
    let pushed = queues.push(&live, Numbered(3, false), now, (1, 0));
    assert_eq!((pushed.refused, pushed.abandoned), (None, vec![Numbered(1, true)]));
    assert_eq!(
        queues.push(&live, Numbered(4, false), now, (1, 0)).refused,
        Some((Numbered(4, false), Why::Full))
    );
}

#[test]
fn a_greedy_caller_makes_room_for_another() {
    let mut queues = queues();
    let now = Instant::now();
    let greedy = ticket(Class::Live, Deadline::NONE);
    for number in 0..3 {
        queues.push(&greedy, Numbered(number, false), now, (1, 0));
    }
    let mut modest = greedy;
    modest.asker.caller = Caller::new([1; 16]);
    let pushed = queues.push(&modest, Numbered(3, false), now, (1, 0));
    assert_eq!((pushed.refused, pushed.ousted), (None, Some(Numbered(2, false))));
}

#[test]
fn bulk_work_waits_for_room_and_ousts_nobody() {
    let mut queues = queues();
    let now = Instant::now();
    let mut bulk = ticket(Class::Bulk, Deadline::NONE);
    for number in 0..2 {
        queues.push(&bulk, Numbered(number, false), now, (1, 0));
    }
    bulk.asker.caller = Caller::new([1; 16]);
    let pushed = queues.push(&bulk, Numbered(2, false), now, (1, 0));
    assert_eq!(
        (pushed.refused, pushed.ousted),
        (Some((Numbered(2, false), Why::Full)), None)
    );
}

#[test]
fn a_job_that_would_be_late_is_refused_and_told_how_long_it_would_wait() {
    let mut queues = queues();
    let now = Instant::now();
    let no_hurry = ticket(Class::Live, Deadline::NONE);
    queues.push(&no_hurry, Numbered(0, false), now, (1, 1));
    queues.push(&no_hurry, Numbered(1, false), now, (1, 0));
    let _running = queues.pop_live(now, 1);
    // Half of what runs and all of what waits, a quarter of that for safety, and itself: 6 + 1.5 + 4 ms.
    let in_time = ticket(Class::Live, Deadline::at(now + 12 * MILLISECOND));
    let late = ticket(Class::Live, Deadline::at(now + 11 * MILLISECOND));
    let refused = queues.push(&late, Numbered(2, false), now, (1, 0));
    assert_eq!(
        (refused.refused, refused.wait),
        (Some((Numbered(2, false), Why::Late)), 6 * MILLISECOND)
    );
    assert!(queues.push(&in_time, Numbered(3, false), now, (1, 0)).refused.is_none());
}

#[test]
fn a_cost_that_nobody_knows_is_what_jobs_took_of_late() {
    let mut queues = queues();
    let now = Instant::now();
    queues.served(Duration::ZERO, Some(8 * MILLISECOND));
    queues.served(Duration::ZERO, Some(16 * MILLISECOND));
    let mut unknown = ticket(Class::Live, Deadline::at(now + 8 * MILLISECOND));
    unknown.cost = None;
    assert_eq!(
        queues.push(&unknown, Numbered(0, false), now, (1, 1)).refused,
        Some((Numbered(0, false), Why::Late))
    );
    unknown.asker.deadline = Deadline::at(now + 9 * MILLISECOND);
    assert!(queues.push(&unknown, Numbered(0, false), now, (1, 1)).refused.is_none());
}

proptest! {
    #[test]
    fn bounds_hold_and_live_comes_first(steps in prop::collection::vec((0_usize..5, any::<bool>(), 0_u8..3), 0..200)) {
        let mut queues = queues();
        let now = Instant::now();
        for (number, (step, left, who)) in steps.into_iter().enumerate() {
            match step {
                3 => {
                    let live = queues.depth(Class::Live);
                    let popped = queues.pop_live(now, 2);
                    prop_assert_eq!(popped.as_ref().map(|taken| taken.class) == Some(Class::Live), live > 0);
                    if let Some(taken) = popped {
                        queues.served(taken.said, Some(taken.said));
                    }
                }
                4 => drop(queues.pop_background()),
                class => {
                    let class = Class::ALL[class];
                    let mut ticket = ticket(class, Deadline::NONE);
                    ticket.asker.caller = Caller::new([who; 16]);
                    let pushed = queues.push(&ticket, Numbered(number, left), now, (2, 0));
                    prop_assert!(pushed.abandoned.iter().all(|job| job.1));
                    prop_assert!(pushed.refused.is_none() || queues.depth(class) == LIMITS.of(class));
                }
            }
            for class in Class::ALL {
                prop_assert!(queues.depth(class) <= LIMITS.of(class));
            }
            prop_assert_eq!(queues.running, Duration::ZERO);
        }
    }

    /// One thread, one caller, costs as they were said: whoever is taken ends in time.
    #[test]
    fn nobody_is_taken_who_would_be_late(jobs in prop::collection::vec((1_u32..20, 0_u32..100), 1..60)) {
        let mut queues: Queues<Numbered> = Queues::new(QueueLimits { live: 1000, bulk: 0, background: 0 });
        let now = Instant::now();
        let mut deadlines = std::collections::HashMap::new();
        for (number, (cost, patience)) in jobs.into_iter().enumerate() {
            let deadline = now + patience * MILLISECOND;
            let mut ticket = ticket(Class::Live, Deadline::at(deadline));
            ticket.cost = Some(cost * MILLISECOND);
            if queues.push(&ticket, Numbered(number, false), now, (1, 1)).refused.is_none() {
                deadlines.insert(number, deadline);
            }
        }
        let mut clock = now;
        while let Some(Taken { first: job, said, .. }) = queues.pop_live(clock, 1) {
            clock += said;
            prop_assert!(clock <= deadlines[&job.0], "job {} ends {:?} late", job.0, clock - deadlines[&job.0]);
            queues.served(said, Some(said));
        }
    }

    /// Whoever is run together is of one kin and no more than may be, in the order of the line; nobody is passed over, lost, or late for the company.
    #[test]
    fn those_run_together_are_few_alike_next_in_line_and_in_time(
        jobs in prop::collection::vec((prop::option::weighted(0.9, 0_usize..2), any::<bool>(), prop::option::of(4_u32..60)), 0..60),
        threads in 1_usize..4,
    ) {
        let mut queues: Queues<Social> = Queues::new(QueueLimits { live: 1000, bulk: 0, background: 0 });
        let now = Instant::now();
        let mut line = std::collections::VecDeque::new();
        for (number, (kin, abandoned, patience)) in jobs.into_iter().enumerate() {
            let deadline = patience.map_or(Deadline::NONE, |patience| Deadline::at(now + patience * MILLISECOND));
            let job = Social { number, kin, abandoned, deadline };
            let mut ticket = ticket(Class::Live, Deadline::NONE);
            ticket.cost = Some(PREPARE + social_run(1));
            prop_assert!(queues.push(&ticket, job.clone(), now, (threads, 0)).refused.is_none());
            line.push_back(job);
        }
        while let Some(taken) = queues.pop_live(now, threads) {
            let waiting = line.iter().take_while(|job| job.kin == taken.first.kin).count();
            let count = 1 + taken.others.len() + taken.abandoned.len();
            let mut members: Vec<&Social> = std::iter::once(&taken.first).chain(&taken.others).collect();
            prop_assert!(members.len() <= MOST.min(waiting.div_ceil(threads)).max(1));
            prop_assert!(members.len() == 1 || taken.first.kin.is_some());
            prop_assert!(taken.others.iter().all(|job| !job.abandoned) && taken.abandoned.iter().all(|job| job.abandoned));
            prop_assert_eq!(taken.said, (PREPARE + social_run(1)) * u32::try_from(count).unwrap());
            if members.len() > 1 {
                let together = u32::try_from(members.len()).unwrap();
                let ends = now + PREPARE * together + social_run(members.len());
                prop_assert!(members.iter().all(|job| !job.deadline.has_passed(ends)));
            }
            members.extend(&taken.abandoned);
            members.sort_by_key(|job| job.number);
            for member in members {
                prop_assert_eq!(Some(member.clone()), line.pop_front());
            }
        }
        prop_assert!(line.is_empty());
    }
}
