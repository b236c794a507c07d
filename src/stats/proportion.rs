//! What share of something has a property, from draws that were looked at, with an interval.
//!
//! Draws with equal chances get the exact interval of Clopper and Pearson (Biometrika 26, 1934, page 404), by quantiles of beta distributions: it covers
//! the true share with at least the stated confidence, whatever the share. Draws with unequal, known chances count inversely to them (Hájek's ratio of
//! Horvitz-Thompson sums); their interval is the same one at the number of draws with equal chances that would tell as much (Korn and
//! Graubard, Survey Methodology 24, 1998, page 193).
//!
//! It cannot know how draws came about: of a sample that nobody drew by chance the interval tells the smallness of the sample, and nothing of its bias.

use super::beta::beta_quantile;

/// The confidence of all intervals that people are shown.
pub const CONFIDENCE: f64 = 0.95;

/// A share, with the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// Draws with the property.
    pub hits: u64,
    /// All draws.
    pub draws: u64,
    /// The estimate; none without a draw.
    pub value: Option<f64>,
    /// The ends of the interval, 0 to 1 without a draw.
    pub low: f64,
    pub high: f64,
}

/// The interval of a share of which `hits` of `draws` had the property. Neither need be whole: weighted draws are not. Without a draw, 0 to 1.
pub fn clopper_pearson(hits: f64, draws: f64, confidence: f64) -> (f64, f64) {
    let tail = (1.0 - confidence) / 2.0;
    let missed = draws - hits;
    let low = if hits > 0.0 {
        beta_quantile(tail, hits, missed + 1.0)
    } else {
        0.0
    };
    let high = if missed > 0.0 {
        beta_quantile(1.0 - tail, hits + 1.0, missed)
    } else {
        1.0
    };
    (low, high)
}

/// How many more draws are needed until the interval's upper end is at most this, if none of them has the property. At most `most`; none where even
/// those would not do.
pub fn draws_without_hit(hits: u64, draws: u64, at_most: f64, most: u64) -> Option<u64> {
    let reaches = |more: u64| clopper_pearson(hits as f64, (draws + more) as f64, CONFIDENCE).1 <= at_most;
    if !reaches(most) {
        return None;
    }
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low.midpoint(high);
        if reaches(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

/// Draws, as they are added up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    hits: u64,
    draws: u64,
    /// Sums of the weights and of their squares, over all draws and over the hits.
    all: Sums,
    with: Sums,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    weight: f64,
    square: f64,
}

impl Sums {
    fn add(&mut self, weight: f64) {
        self.weight += weight;
        self.square += weight * weight;
    }
}

impl Tally {
    /// Adds a draw that had this chance to be drawn, above 0 and at most 1. Where chances are equal or not known, 1.
    pub fn add(&mut self, chance: f64, is_hit: bool) {
        let weight = 1.0 / chance;
        self.draws += 1;
        self.all.add(weight);
        if is_hit {
            self.hits += 1;
            self.with.add(weight);
        }
    }

    /// The share so far.
    pub fn proportion(&self) -> Proportion {
        let draws = self.draws as f64;
        if self.draws == 0 {
            return Proportion {
                hits: 0,
                draws: 0,
                value: None,
                low: 0.0,
                high: 1.0,
            };
        }
        let value = self.with.weight / self.all.weight;
        let equal_draws = self.equal_draws(value).min(draws);
        let (low, high) = clopper_pearson(value * equal_draws, equal_draws, CONFIDENCE);
        Proportion {
            hits: self.hits,
            draws: self.draws,
            value: Some(value),
            low,
            high,
        }
    }

    /// How many draws with equal chances would tell as much.
    fn equal_draws(&self, value: f64) -> f64 {
        // The variance of the ratio, by its linear form, each draw's weight against the whole.
        let without = self.all.square - self.with.square;
        let variance =
            (self.with.square * (1.0 - value).powi(2) + without * value * value) / (self.all.weight * self.all.weight);
        if variance > 0.0 {
            value * (1.0 - value) / variance
        } else {
            self.all.weight * self.all.weight / self.all.square
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// P(at most `hits` of `draws`) by adding the probabilities up, each by the logarithms of its factors.
    fn at_most(hits: u32, draws: u32, p: f64) -> f64 {
        let mut choose = 0.0;
        let mut sum = 0.0;
        for k in 0..=hits {
            sum += (choose + f64::from(k) * p.ln() + f64::from(draws - k) * (-p).ln_1p()).exp();
            choose += f64::from(draws - k).ln() - f64::from(k + 1).ln();
        }
        sum
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_ends_are_where_so_few_or_so_many_hits_become_improbable(draws in 1..120_u32, share in 0.0..=1.0) {
            let hits = (f64::from(draws) * share) as u32;
            let (low, high) = clopper_pearson(f64::from(hits), f64::from(draws), 0.95);
            if hits < draws {
                prop_assert!((at_most(hits, draws, high) - 0.025).abs() < 1e-9);
            }
            if hits > 0 {
                prop_assert!((1.0 - at_most(hits - 1, draws, low) - 0.025).abs() < 1e-9);
            }
        }

        #[test]
        fn equal_chances_give_the_exact_interval_whatever_they_are(draws in 1..80_u32, share in 0.0..=1.0, chance in 0.01..=1.0) {
            let hits = (f64::from(draws) * share) as u32;
            let mut tally = Tally::default();
            (0..draws).for_each(|i| tally.add(chance, i < hits));
            let told = tally.proportion();
            let (low, high) = clopper_pearson(f64::from(hits), f64::from(draws), CONFIDENCE);
            prop_assert!((told.low - low).abs() < 1e-9 && (told.high - high).abs() < 1e-9);
            prop_assert!((told.value.unwrap() - f64::from(hits) / f64::from(draws)).abs() < 1e-12);
        }

        #[test]
        fn the_fewest_draws_are_found(hits in 0..4_u64, draws in 4..40_u64, limit in 0.02..0.5) {
            let slow = (0..2000).find(|more| clopper_pearson(hits as f64, (draws + more) as f64, CONFIDENCE).1 <= limit);
            prop_assert_eq!(draws_without_hit(hits, draws, limit, 1999), slow);
        }
    }

    #[test]
    fn the_interval_covers_every_share_at_least_as_often_as_it_says() {
        for draws in [1_u32, 5, 12, 41, 100] {
            for per_mille in (1..1000_u32).step_by(7) {
                let p = f64::from(per_mille) / 1000.0;
                let probability = |k: u32| at_most(k, draws, p) - if k > 0 { at_most(k - 1, draws, p) } else { 0.0 };
                let covered: f64 = (0..=draws)
                    .filter(|k| {
                        let (low, high) = clopper_pearson(f64::from(*k), f64::from(draws), 0.95);
                        (low..=high).contains(&p)
                    })
                    .map(probability)
                    .sum();
                assert!(covered >= 0.95 - 1e-9, "{draws} draws, share {p}: {covered}");
            }
        }
    }

    #[test]
    fn nothing_drawn_says_nothing() {
        let none = Tally::default().proportion();
        assert_eq!((none.value, none.low, none.high), (None, 0.0, 1.0));
        // The rule of three, exactly: 72 draws without a hit for 5 %.
        assert_eq!(draws_without_hit(0, 0, 0.05, 1000), Some(72));
        assert_eq!(draws_without_hit(0, 0, 0.0, 1000), None);
    }

    /// A small generator with a fixed seed (Marsaglia, Xorshift RNGs, 2003).
    fn uniform(state: &mut u64) -> f64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn draws_with_unequal_chances_tell_of_the_whole_and_their_interval_covers_it() {
        // A tenth of all has a high score and is drawn ten times as often; it has the property much oftener.
        let (mut state, mut covered, mut sum) = (0x2545_F491_4F6C_DD1D_u64, 0, 0.0);
        let (rounds, truth) = (600, 0.1 * 0.4 + 0.9 * 0.02);
        for _ in 0..rounds {
            let mut tally = Tally::default();
            for _ in 0..2000 {
                let is_high = uniform(&mut state) < 0.1;
                let chance = if is_high { 0.5 } else { 0.05 };
                let is_hit = uniform(&mut state) < if is_high { 0.4 } else { 0.02 };
                if uniform(&mut state) < chance {
                    tally.add(chance, is_hit);
                }
            }
            let told = tally.proportion();
            covered += i32::from((told.low..=told.high).contains(&truth));
            sum += told.value.unwrap();
        }
        let mean = sum / f64::from(rounds);
        assert!(
            (mean - truth).abs() < 0.002,
            "the mean of the estimates is {mean}, the truth {truth}"
        );
        assert!(
            f64::from(covered) >= 0.94 * f64::from(rounds),
            "{covered} of {rounds} intervals cover it"
        );
    }
}
