//! The promises of the queues.

use proptest::prelude::*;

use super::*;
use crate::base::Deadline;

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

const MILLISECOND: Duration = Duration::from_millis(1);

fn ticket(class: Class, deadline: Deadline) -> Ticket {
    Ticket {
        class,
        asker: Asker {
            caller: Caller::default(),
            deadline,
        },
        cost: Some(4 * MILLISECOND),
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
    let _running = queues.pop_live();
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
                    let popped = queues.pop_live();
                    prop_assert_eq!(popped.as_ref().map(|(class, ..)| *class) == Some(Class::Live), live > 0);
                    if let Some((_, _, cost)) = popped {
                        queues.served(cost, Some(cost));
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
        while let Some((_, job, cost)) = queues.pop_live() {
            clock += cost;
            prop_assert!(clock <= deadlines[&job.0], "job {} ends {:?} late", job.0, clock - deadlines[&job.0]);
            queues.served(cost, Some(cost));
        }
    }
}
