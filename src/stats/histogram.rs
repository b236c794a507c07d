//! Scores by thousandths, so that what lies at or above a threshold of that grid is known exactly, and in little memory.
//!
//! The grid has the thresholds 0.000, 0.001, … 1.000, each the number that a policy means by these digits. Between two of them the histogram cannot
//! tell scores apart.

/// The grid's steps from 0 to 1; a threshold is known to one part of so many.
pub const STEPS: usize = 1000;

/// The threshold of a step, as a policy reads it.
pub fn threshold_at(step: usize) -> f32 {
    (step.min(STEPS) as f64 / STEPS as f64) as f32
}

/// The highest step whose threshold a score reaches; the first for what is no number from 0 to 1.
pub fn step_of(score: f32) -> usize {
    let near = (f64::from(score) * STEPS as f64) as usize;
    // What is near in one precision may be on the other side of the threshold in the other.
    let reached = (near.saturating_sub(1)..=near + 1).rev();
    reached
        .filter(|step| *step <= STEPS)
        .find(|step| threshold_at(*step) <= score)
        .unwrap_or(0)
}

/// What is at or above a threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Above {
    /// How many scores.
    pub count: u64,
    /// The sum of their weights.
    pub weight: f64,
    /// The sum of their weights, each times how probable it is.
    pub expected: f64,
}

impl Above {
    /// What is above one threshold and not above a higher one.
    pub fn less(self, higher: Self) -> Self {
        Self {
            count: self.count.saturating_sub(higher.count),
            weight: self.weight - higher.weight,
            expected: self.expected - higher.expected,
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            weight: self.weight + other.weight,
            expected: self.expected + other.expected,
        }
    }
}

/// Scores on the grid, each with a weight and a probability.
#[derive(Debug, Clone)]
pub struct Histogram {
    bins: Vec<Above>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            bins: vec![Above::default(); STEPS + 1],
        }
    }
}

impl Histogram {
    /// Adds a score that weighs so much, of something that is so with this probability.
    pub fn add(&mut self, score: f32, weight: f64, probability: f64) {
        let bin = &mut self.bins[step_of(score)];
        *bin = bin.and(Above {
            count: 1,
            weight,
            expected: weight * probability,
        });
    }

    /// What is at or above each threshold of the grid, from 0 to 1.
    pub fn above(&self) -> Vec<Above> {
        let mut sums = self.bins.clone();
        for step in (0..STEPS).rev() {
            sums[step] = sums[step].and(sums[step + 1]);
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn thresholds_are_those_that_a_policy_reads() {
        for step in 0..=STEPS {
            let written: f64 = format!("{}.{:03}", step / STEPS, step % STEPS).parse().unwrap();
            assert_eq!(threshold_at(step), written as f32);
            assert_eq!(step_of(threshold_at(step)), step);
        }
        assert_eq!(step_of(threshold_at(700).next_down()), 699);
    }

    proptest! {
        #[test]
        fn what_is_above_is_what_counting_finds(scores in prop::collection::vec((0.0..=1.0_f32, 0..50_u32), 0..60), step in 0..=STEPS) {
            let mut histogram = Histogram::default();
            for (score, weight) in &scores {
                histogram.add(*score, f64::from(*weight), 0.5);
            }
            let reached = scores.iter().filter(|(score, _)| *score >= threshold_at(step));
            let (count, weight) = reached.fold((0, 0), |(count, sum), (_, weight)| (count + 1, sum + weight));
            let above = histogram.above()[step];
            prop_assert_eq!((above.count, above.weight), (count, f64::from(weight)));
            prop_assert!((above.expected - above.weight / 2.0).abs() < 1e-9);
        }
    }
}
