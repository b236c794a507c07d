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
    pub(super) fn succeeded(&self, batch: u64, timing: &Timing) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.inference_count += batch;
        counted.execution_count += 1;
        counted.last_inference = Some(SystemTime::now());
        counted.success.add(timing.sum());
        counted.queue.add(timing.queue);
        counted.compute_input.add(timing.input);
        counted.compute_infer.add(timing.infer);
        counted.compute_output.add(timing.output);
        let full = counted.batches.len() >= BATCH_SIZES && !counted.batches.contains_key(&batch);
        let largest = counted.batches.last_key_value().map(|(size, _)| *size);
        let size = largest.filter(|_| full).unwrap_or(batch);
        let of_size = counted.batches.entry(size).or_default();
        of_size.compute_input.add(timing.input);
        of_size.compute_infer.add(timing.infer);
        of_size.compute_output.add(timing.output);
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
