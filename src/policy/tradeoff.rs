//! What a threshold of a label would do, at every threshold there is: how much it would hold back, how often it would be wrong in either direction, how much
//! people would have to look at, and what errors would cost.
//!
//! One of the two thresholds of a label is moved, the other stays as it is in force: below the lower a product is shown, between the two a person looks at
//! it, from the upper on it is blocked. How much is held back is counted, product by product. How often it is wrong is known only of pictures of which
//! a person has said what they show. What errors would cost is expected, not counted: where nobody has said what a picture shows, the score is taken for the
//! probability that it shows the label.

use crate::base::{Label, Probability};
use crate::stats::{Above, Histogram, Proportion, STEPS, Tally, step_of, threshold_at};

use super::{Costs, Policy, Thresholds};

/// The threshold that is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// From where on it is a BLOCK. What the REVIEW threshold in force leaves below it is for people to look at.
    Block,
    /// From where on it is at least a REVIEW. The BLOCK threshold in force stays above it.
    Review,
}

/// A picture of which a person has said whether it shows a label, with the score that the model gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    pub score: Probability,
    pub present: bool,
    /// How probable it was that a person would look at just this one; 1 where it was not drawn by chance.
    pub chance: f64,
}

/// What is known of a label.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Products by their scores, each with its displays, and with how probable it is that it shows the label.
    pub products: Histogram,
    pub pairs: Vec<Pair>,
    /// The chance that a product had to be among them; 1 where all are.
    pub chance: f64,
    /// In which they came.
    pub days: f64,
}

/// What one threshold would do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub threshold: f32,
    /// Products that score at least so much, and their displays.
    pub held: u64,
    pub held_displays: f64,
    /// Products that a person would have to look at: in all, and a day.
    pub reviewed: u64,
    pub reviews_per_day: f64,
    /// Of the pictures that do not show the label, those that score at least so much.
    pub wrongly_held: Proportion,
    /// Of the pictures that show the label, those that score less.
    pub missed: Proportion,
    /// How many of those are left for people to look at, and so not shown.
    pub missed_reviewed: u64,
    /// Expected, in the policy's unit; none where the policy states no costs.
    pub cost: Option<f64>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Tradeoff {
    pub label: Label,
    pub moved: Moved,
    /// The thresholds in force; none where the label is allowed whatever its score.
    pub now: Option<Thresholds>,
    /// Products with a score of the label.
    pub products: u64,
    /// By rising thresholds: 0.001, 0.002, … 1.
    pub points: Vec<Point>,
    /// How much people can look at in a day, where the policy states it.
    pub reviews_per_day: Option<u32>,
}

impl Policy {
    /// What each threshold of a label would do, given what is known of it and the thresholds in force.
    pub fn tradeoff(&self, label: &Label, moved: Moved, now: Option<Thresholds>, evidence: &Evidence) -> Tradeoff {
        let above = evidence.products.above();
        let (present, absent) = (sorted(evidence, true), sorted(evidence, false));
        let missed = at_each_step(&present, |score, threshold| score < threshold);
        let wrongly_held = at_each_step(&absent, |score, threshold| score >= threshold);
        let scaled = |count: u64| (count as f64 / evidence.chance).round() as u64;
        let costs = self.costs();
        let steps = (1..=STEPS).zip(missed.into_iter().zip(wrongly_held));
        let points = steps.map(|(step, (missed, wrongly_held))| {
            let zones = Zones::at(step, moved, now);
            let reviewed = zones.reviewed(&above);
            Point {
                threshold: threshold_at(step),
                held: scaled(above[step].count),
                held_displays: above[step].weight / evidence.chance,
                reviewed: scaled(reviewed.count),
                reviews_per_day: reviewed.count as f64 / evidence.chance / evidence.days,
                wrongly_held,
                missed,
                missed_reviewed: zones.reviewed_below(step, &present),
                cost: costs.map(|costs| zones.cost(costs, label, &above) / evidence.chance),
            }
        });
        Tradeoff {
            label: label.clone(),
            moved,
            now,
            products: scaled(above[0].count),
            points: points.collect(),
            reviews_per_day: costs.and_then(Costs::reviews_per_day),
        }
    }
}

impl Tradeoff {
    /// The point of a threshold, or of the nearest one below it on the grid.
    pub fn point(&self, threshold: Probability) -> &Point {
        &self.points[step_of(threshold.get()).max(1) - 1]
    }
}

/// Where a product is shown, looked at and blocked, by steps of the grid.
struct Zones {
    /// From here it is not shown before a person has looked.
    review: usize,
    /// From here it is blocked; none where no score leads to that.
    block: Option<usize>,
}

impl Zones {
    fn at(step: usize, moved: Moved, now: Option<Thresholds>) -> Self {
        // Thresholds between two steps count as the higher.
        let on_grid = |threshold: Probability| {
            let below = step_of(threshold.get());
            below + usize::from(threshold_at(below) < threshold.get())
        };
        let block = now.and_then(|now| now.block);
        match moved {
            Moved::Block => {
                // Where both are one, there is no REVIEW before the BLOCK, wherever that is.
                let review = now
                    .filter(|now| block != Some(now.review))
                    .map(|now| on_grid(now.review));
                Self {
                    review: review.map_or(step, |review| review.min(step)),
                    block: Some(step),
                }
            }
            Moved::Review => Self {
                review: step,
                block: block.map(|block| on_grid(block).max(step)),
            },
        }
    }

    fn blocked(&self, above: &[Above]) -> Above {
        self.block.and_then(|step| above.get(step).copied()).unwrap_or_default()
    }

    fn reviewed(&self, above: &[Above]) -> Above {
        above[self.review.min(STEPS)].less(self.blocked(above))
    }

    /// How many pairs, in the order of their scores, are below a step and for people to look at.
    fn reviewed_below(&self, step: usize, pairs: &[Pair]) -> u64 {
        let below = |step: usize| pairs.partition_point(|pair| pair.score.get() < threshold_at(step));
        (below(step) - below(self.review.min(step))) as u64
    }

    fn cost(&self, costs: &Costs, label: &Label, above: &[Above]) -> f64 {
        let shown = above[0].less(above[self.review.min(STEPS)]);
        let blocked = self.blocked(above);
        costs.of_errors(
            label,
            shown.expected.max(0.0),
            (blocked.weight - blocked.expected).max(0.0),
        )
    }
}

/// The pictures that show the label, or those that do not, by their scores.
fn sorted(evidence: &Evidence, present: bool) -> Vec<Pair> {
    let pairs = evidence.pairs.iter().filter(|pair| pair.present == present);
    let mut pairs: Vec<Pair> = pairs.copied().collect();
    pairs.sort_by(|a, b| a.score.get().total_cmp(&b.score.get()));
    pairs
}

/// At each step, of pairs in the order of their scores, the share of which something holds that depends on the side of the threshold alone.
fn at_each_step(pairs: &[Pair], holds: impl Fn(f32, f32) -> bool) -> Vec<Proportion> {
    let mut last: Option<(usize, Proportion)> = None;
    let at = |step: usize| {
        let threshold = threshold_at(step);
        let below = pairs.partition_point(|pair| pair.score.get() < threshold);
        if let Some((before, proportion)) = last
            && before == below
        {
            return proportion;
        }
        let mut tally = Tally::default();
        for pair in pairs {
            tally.add(pair.chance, holds(pair.score.get(), threshold));
        }
        let proportion = tally.proportion();
        last = Some((below, proportion));
        proportion
    };
    (1..=STEPS).map(at).collect()
}
