//! How often a revision ran and how long its parts took, as the Open Inference Protocol's statistics count it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Batches of more sizes than this are counted under the largest size seen.
const BATCH_SIZES: usize = 64;

/// How often something happened and how long it took in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    pub count: u64,
    pub duration: Duration,
}

impl Total {
    fn add(&mut self, duration: Duration) {
        self.count += 1;
        self.duration += duration;
    }
}

/// The executions of one batch size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchStatistics {
    pub compute_input: Total,
    pub compute_infer: Total,
    pub compute_output: Total,
}

/// Everything counted since the revision was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Pictures, or rows of a batch.
    pub inference_count: u64,
    /// Runs of the model.
    pub execution_count: u64,
    pub last_inference: Option<SystemTime>,
    /// Requests answered, from waiting to outputs.
    pub success: Total,
    /// Requests that the model did not answer.
    pub fail: Total,
    /// Waiting for a thread.
    pub queue: Total,
    /// Making the inputs: for a judging model, decoding and resizing.
    pub compute_input: Total,
    pub compute_infer: Total,
    pub compute_output: Total,
    /// By batch size.
    pub batches: BTreeMap<u64, BatchStatistics>,
}

impl Statistics {
    fn request(&mut self, timing: &Timing) {
        self.success.add(timing.sum());
        self.queue.add(timing.queue);
        self.compute_input.add(timing.input);
        self.compute_infer.add(timing.infer);
        self.compute_output.add(timing.output);
    }

    /// A run of the model: its size, and how many of that were answered.
    fn run(&mut self, (batch, answered): (u64, u64), timing: &Timing) {
        self.inference_count += answered;
        self.execution_count += 1;
        self.last_inference = Some(SystemTime::now());
        let full = self.batches.len() >= BATCH_SIZES && !self.batches.contains_key(&batch);
        let largest = self.batches.last_key_value().map(|(size, _)| *size);
        let size = largest.filter(|_| full).unwrap_or(batch);
        let of_size = self.batches.entry(size).or_default();
        of_size.compute_input.add(timing.input);
        of_size.compute_infer.add(timing.infer);
        of_size.compute_output.add(timing.output);
    }
}

/// The time of one request, by parts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Timing {
    pub queue: Duration,
    pub input: Duration,
    pub infer: Duration,
    pub output: Duration,
}

impl Timing {
    fn sum(&self) -> Duration {
        self.queue + self.input + self.infer + self.output
    }
}

/// Counts. One lock, held for nanoseconds after milliseconds of work.
#[derive(Default)]
pub(super) struct Counter(Mutex<Statistics>);

impl Counter {
    /// Counts a request that was run by itself, of so many rows.
    pub(super) fn succeeded(&self, batch: u64, timing: &Timing) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.request(timing);
        counted.run((batch, batch), timing);
    }

    /// Counts requests of one row each that were run together, and whether each was answered.
    pub(super) fn ran_together(&self, requests: impl Iterator<Item = (Timing, bool)>) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut together, mut answered, mut longest) = (0, 0, Timing::default());
        for (timing, is_answered) in requests {
            together += 1;
            longest.input = longest.input.max(timing.input);
            longest.infer = longest.infer.max(timing.infer);
            if is_answered {
                answered += 1;
                counted.request(&timing);
            } else {
                counted.fail.add(timing.sum());
            }
        }
        counted.run((together, answered), &longest);
    }

    pub(super) fn failed(&self, timing: &Timing) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fail
            .add(timing.sum());
    }

    pub(super) fn snapshot(&self) -> Statistics {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_sizes_that_callers_choose_do_not_grow_without_bound() {
        let counter = Counter::default();
        for batch in 1..1000 {
            counter.succeeded(
                batch,
                &Timing {
                    infer: Duration::from_millis(1),
                    ..Timing::default()
                },
            );
        }
        counter.failed(&Timing::default());
        let counted = counter.snapshot();
        assert_eq!(counted.batches.len(), BATCH_SIZES);
        assert_eq!(
            counted
                .batches
                .values()
                .map(|batch| batch.compute_infer.count)
                .sum::<u64>(),
            999
        );
        assert_eq!(
            (counted.execution_count, counted.inference_count, counted.fail.count),
            (999, 499_500, 1)
        );
        assert_eq!(counted.success.duration, Duration::from_millis(999));
    }
}
