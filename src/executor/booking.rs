//! How the cores are booked: every thread that computes, by kind, with its priority and its share.
//!
//! Threads of the first two kinds may keep a core busy each, connections before computing; the others are of lower priority and use what
//! those leave. The shares tell what each kind gets of the cores when all of them are busy at once, by the weights that Linux gives to
//! priorities, so that they add up to the cores.

use std::fmt;
use std::time::Duration;

use super::control_group;
use super::cores::Lanes;

/// A kind of computing thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Connections: messages in and out, hashes.
    Network,
    /// From pictures to scores.
    Live,
    /// What records and what changes: the recorder, the controller.
    Control,
    /// Candidates on their way: loading, warming up, golden scores.
    Load,
    /// After the answer: the shadow.
    Background,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Network, Self::Live, Self::Control, Self::Load, Self::Background];

    /// The name in the plan that is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Live => "live",
            Self::Control => "control",
            Self::Load => "load",
            Self::Background => "background",
        }
    }

    /// The priority at the operating system: 0 is normal, 19 the lowest.
    pub fn nice(self) -> i32 {
        match self {
            Self::Network => 0,
            // Below the connections: where both want a core, a message must not wait behind computing to be read, or its deadline would run unseen, and
            // a refusal come late.
            Self::Live => 4,
            // No answer waits for it. Where requests keep every core busy it has a tenth of one, which is more than the records of their decisions take.
            Self::Control => 8,
            // At 19, requests that keep every core busy would hold a new version up for minutes; so a thread that competes with them gets a tenth of a
            // core, and they hardly feel it.
            Self::Load => 14,
            Self::Background => 19,
        }
    }
}

impl Kind {
    /// How long it goes on at a time where others want the core too. Whoever wakes up with a shorter one need not wait for the end of a longer one: a
    /// message is read, and a picture begun, in the midst of loading.
    pub fn slice(self) -> Duration {
        match self {
            Self::Network => Duration::from_micros(200),
            Self::Live | Self::Control => Duration::from_millis(1),
            Self::Load | Self::Background => Duration::from_millis(4),
        }
    }
}

/// The threads of one kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Booking {
    pub kind: Kind,
    pub threads: usize,
    /// Of the cores, when every booked thread is busy.
    pub share: f64,
}

/// How the cores are booked.
#[derive(Debug, Clone, PartialEq)]
pub struct CorePlan {
    /// What the process may use: a fraction where a control group grants one.
    pub cores: f64,
    pub bookings: [Booking; 5],
}

/// Books the cores that the process may use: a live thread for each whole core, or as many as `live` says, but never more than there are; and as many
/// for connections, because answers from memory are theirs alone.
pub fn plan_cores(cores: f64, live: Option<usize>) -> CorePlan {
    let cores = if cores.is_finite() { cores.max(0.01) } else { 1.0 };
    let whole = (cores as usize).max(1);
    let live = live.map_or(whole, |live| live.clamp(1, whole));
    let threads = |kind| match kind {
        Kind::Network => whole,
        Kind::Live => live,
        Kind::Control | Kind::Load | Kind::Background => 1,
    };
    let weight = |kind: Kind| threads(kind) as f64 * weight(kind.nice());
    let all: f64 = Kind::ALL.into_iter().map(weight).sum();
    let bookings = Kind::ALL.map(|kind| Booking {
        kind,
        threads: threads(kind),
        share: cores * weight(kind) / all,
    });
    CorePlan { cores, bookings }
}

/// The weight of a priority in the kernel's scheduler: each step is a quarter more or less.
fn weight(nice: i32) -> f64 {
    1.25_f64.powi(-nice)
}

impl CorePlan {
    /// The threads of a kind.
    pub fn threads(&self, kind: Kind) -> usize {
        self.bookings
            .iter()
            .find(|booking| booking.kind == kind)
            .map_or(1, |booking| booking.threads)
    }

    /// The threads that run jobs.
    pub fn lanes(&self) -> Lanes {
        Lanes {
            live: self.threads(Kind::Live),
            background: self.threads(Kind::Background),
        }
    }
}

impl fmt::Display for CorePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} cores", self.cores)?;
        for Booking { kind, threads, share } in self.bookings {
            write!(f, "; {} {threads} x nice {} ({share:.2})", kind.as_str(), kind.nice())?;
        }
        Ok(())
    }
}

/// The cores that this process may use: what its affinity allows, and no more than its control group grants, which may be a fraction.
pub fn cores_of_this_process() -> f64 {
    let allowed = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    granted().map_or(allowed, |granted| granted.min(affinity().unwrap_or(allowed)))
}

/// The cores in this process's affinity, without regard to control groups.
fn affinity() -> Option<f64> {
    // SAFETY: the set is ours, all zeros is a valid one, and the call writes no more than the size that it is told.
    let count = unsafe {
        let mut cores: libc::cpu_set_t = std::mem::zeroed();
        let outcome = libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut cores);
        (outcome == 0).then(|| libc::CPU_COUNT(&cores))
    };
    count.filter(|count| *count > 0).map(f64::from)
}

/// What control groups grant, of the second version: the least over this process's group and those above it.
fn granted() -> Option<f64> {
    let texts = control_group::texts("cpu.max");
    texts.iter().filter_map(|text| quota(text)).min_by(f64::total_cmp)
}

/// `cpu.max`: a quota and a period in microseconds, or `max` for no quota.
fn quota(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_quota_is_a_fraction_or_none() {
        assert_eq!(quota("150000 100000\n"), Some(1.5));
        assert_eq!(quota("max 100000\n"), None);
        assert_eq!(quota(""), None);
    }

    #[test]
    fn the_plan_tells_threads_and_shares() {
        assert_eq!(
            plan_cores(2.0, None).to_string(),
            "2.00 cores; network 2 x nice 0 (1.31); live 2 x nice 4 (0.54); control 1 x nice 8 (0.11); load 1 x nice 14 (0.03); background 1 x nice 19 (0.01)"
        );
    }

    #[test]
    fn a_fraction_of_a_core_or_beside_whole_ones_books_no_thread_of_its_own() {
        for (cores, live, whole) in [
            (0.25, None, 1),
            (0.5, Some(4), 1),
            (1.0, None, 1),
            (1.5, None, 1),
            (1.99, Some(8), 1),
            (2.5, None, 2),
            (2.5, Some(1), 1),
            (7.9, None, 7),
        ] {
            let plan = plan_cores(cores, live);
            assert_eq!(plan.threads(Kind::Live), whole, "{plan}");
            assert_eq!(plan.threads(Kind::Network), (cores as usize).max(1), "{plan}");
            assert_eq!(
                (plan.threads(Kind::Load), plan.threads(Kind::Background)),
                (1, 1),
                "{plan}"
            );
            assert!((plan.cores - cores).abs() < f64::EPSILON, "{plan}");
        }
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_cores_and_live_threads_never_exceed_them(
            cores in prop_oneof![0.0_f64..300.0, Just(f64::NAN), Just(f64::INFINITY), Just(-1.0)],
            live in prop::option::of(0_usize..400),
        ) {
            let plan = plan_cores(cores, live);
            let sum: f64 = plan.bookings.iter().map(|booking| booking.share).sum();
            prop_assert!((sum - plan.cores).abs() < 1e-9 * plan.cores.max(1.0), "{plan}");
            prop_assert!(plan.bookings.iter().all(|booking| booking.threads >= 1 && booking.share > 0.0));
            prop_assert!(plan.threads(Kind::Live) as f64 <= plan.cores.max(1.0));
            let kinds: Vec<Kind> = plan.bookings.iter().map(|booking| booking.kind).collect();
            prop_assert_eq!(kinds, Kind::ALL);
        }
    }
}
