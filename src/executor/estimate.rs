//! What a picture will cost one revision on one thread, learned from those before it: so much a byte until it is the model's input, and so much for the
//! run. Beginning with the golden pictures, so that there is something to go by before the first caller comes.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Moving averages. Two threads that learn at once may lose one of two lessons.
#[derive(Debug, Default)]
pub(super) struct Estimate {
    run_nanoseconds: AtomicU64,
    picoseconds_a_byte: AtomicU64,
}

impl Estimate {
    /// Learns how long a run of the model took.
    pub(super) fn ran(&self, took: Duration) {
        learn(&self.run_nanoseconds, nanoseconds(took));
    }

    /// Learns how long it took from so many encoded bytes to the model's input.
    pub(super) fn prepared(&self, bytes: usize, took: Duration) {
        learn(
            &self.picoseconds_a_byte,
            nanoseconds(took).saturating_mul(1000) / (bytes as u64).max(1),
        );
    }

    /// What a picture of so many encoded bytes will cost; zero until something was learned.
    pub(super) fn of(&self, bytes: usize) -> Duration {
        let run = self.run_nanoseconds.load(Ordering::Relaxed);
        let prepare = self
            .picoseconds_a_byte
            .load(Ordering::Relaxed)
            .saturating_mul(bytes as u64)
            / 1000;
        Duration::from_nanos(run.saturating_add(prepare))
    }
}

fn learn(average: &AtomicU64, value: u64) {
    let before = average.load(Ordering::Relaxed);
    let after = if before == 0 {
        value
    } else {
        before - before / 8 + value / 8
    };
    average.store(after.max(1), Ordering::Relaxed);
}

fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_what_was_measured() {
        let estimate = Estimate::default();
        assert_eq!(estimate.of(1000), Duration::ZERO);
        estimate.ran(Duration::from_micros(80));
        estimate.prepared(1000, Duration::from_micros(20));
        assert_eq!(estimate.of(2000), Duration::from_micros(120));
        for _ in 0..100 {
            estimate.ran(Duration::from_micros(160));
        }
        let run = estimate.of(0).as_secs_f64();
        assert!((run - 160e-6).abs() < 2e-6, "{run}");
    }
}
