//! Which threshold meets what somebody asks of it, said in words: and where none does, which comes nearest, and what would help.

use crate::base::Probability;
use crate::stats::{Proportion, draws_without_hit};

use super::tradeoff::{Moved, Point, Tradeoff};
use super::words::number;

/// What is asked of a threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// It holds back at most this share of products: the lowest threshold that does, because it misses the fewest.
    AtMostBlocked(f64),
    /// It misses at most this share of what shows the label, as far as can be told: the highest threshold of which the upper end of the interval is within it.
    AtMostMissed(f64),
    /// It leaves at most so many products a day for people to look at: the threshold that makes the most of them.
    AtMostReviews(f64),
    /// Errors cost least, while people can look at what is left to them, where the policy states how much they can.
    LeastCost,
}

/// The threshold that a goal names.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// None where too little is known to name any.
    pub threshold: Option<f32>,
    /// Whether it does what was asked; where it does not, none does, and it comes nearest.
    pub meets: bool,
    pub sentence: String,
}

/// The most further pictures that anybody is told to look at.
const MOST_PICTURES: u64 = 1_000_000;

impl Tradeoff {
    /// Names the threshold that meets a goal.
    pub fn named(&self, goal: Goal) -> Named {
        match goal {
            Goal::AtMostBlocked(share) => {
                let within = |point: &Point| self.share(point) <= share;
                let found = self.points.iter().find(|point| within(point));
                let nearest = self.points.last();
                self.told(found, nearest, &format!("at most {} of products", percent(share)), "")
            }
            Goal::AtMostMissed(share) => self.missing_at_most(share),
            Goal::AtMostReviews(reviews) => self.reviewing_at_most(reviews),
            Goal::LeastCost => self.cheapest(),
        }
    }

    /// The share of products that a point holds back.
    pub fn share(&self, point: &Point) -> f64 {
        point.held as f64 / self.products.max(1) as f64
    }

    fn missing_at_most(&self, share: f64) -> Named {
        let Some(first) = self.points.first().filter(|first| first.missed.draws > 0) else {
            let label = &self.label;
            let needed = self.more_pictures(0, 0, share);
            return Named {
                threshold: None,
                meets: false,
                sentence: format!(
                    "{label}: what is missed is not known: nobody has said of a picture that it shows {label}; {needed}"
                ),
            };
        };
        let found = self.points.iter().rfind(|point| point.missed.high <= share);
        let least = first.missed.high;
        let nearest = self.points.iter().rfind(|point| point.missed.high <= least);
        let missed = nearest.map_or(first.missed, |point| point.missed);
        let aim = format!("at most {} missed, by the upper bound", percent(share));
        self.told(
            found,
            nearest,
            &aim,
            &self.more_pictures(missed.hits, missed.draws, share),
        )
    }

    fn more_pictures(&self, hits: u64, draws: u64, share: f64) -> String {
        let label = &self.label;
        match draws_without_hit(hits, draws, share, MOST_PICTURES) {
            Some(more) => format!(
                "say `--is {label}` of {more} more pictures that show it, also where the model is right, and it can be told if none of them is missed"
            ),
            None => "no number of corrections could show so little".to_owned(),
        }
    }

    fn reviewing_at_most(&self, reviews: f64) -> Named {
        let within = |point: &&Point| point.reviews_per_day <= reviews;
        let found = match self.moved {
            Moved::Block => self.points.iter().rfind(within),
            Moved::Review => self.points.iter().find(within),
        };
        let nearest = match self.moved {
            Moved::Block => self.points.first(),
            Moved::Review => self.points.last(),
        };
        if self.moved == Moved::Block && !self.has_review() {
            let sentence = format!(
                "{}: no REVIEW threshold is in force beside the BLOCK threshold, so no BLOCK threshold leaves anything to people; ask for the REVIEW threshold \
                 instead",
                self.label
            );
            return Named {
                threshold: None,
                meets: false,
                sentence,
            };
        }
        self.told(found, nearest, &format!("at most {} reviews a day", brief(reviews)), "")
    }

    /// Whether a REVIEW threshold of its own is in force, which stays where the BLOCK threshold is moved.
    fn has_review(&self) -> bool {
        self.now.is_some_and(|now| now.block != Some(now.review))
    }

    fn cheapest(&self) -> Named {
        let most = self.reviews_per_day.map(f64::from);
        let within = |point: &&Point| most.is_none_or(|most| point.reviews_per_day <= most);
        let cost = |point: &Point| point.cost.unwrap_or(f64::INFINITY);
        // Of equal ones the lowest threshold, which is the safer.
        let by_cost = |a: &&Point, b: &&Point| cost(a).total_cmp(&cost(b));
        let priced = || self.points.iter().filter(|point| point.cost.is_some());
        if priced().next().is_none() {
            return Named {
                threshold: None,
                meets: false,
                sentence: format!(
                    "{}: the policy does not state what errors cost: write [costs] with show_unsafe and hide_safe",
                    self.label
                ),
            };
        }
        let found = priced().filter(within).min_by(by_cost);
        let by_reviews = |a: &&Point, b: &&Point| a.reviews_per_day.total_cmp(&b.reviews_per_day);
        let nearest = priced().min_by(by_reviews);
        let aim = match most {
            Some(most) => format!(
                "the least cost with at most {} reviews a day, as the policy states",
                brief(most)
            ),
            None => "the least cost, with as many reviews as come".to_owned(),
        };
        self.told(found, nearest, &aim, "")
    }

    fn told(&self, found: Option<&Point>, nearest: Option<&Point>, aim: &str, help: &str) -> Named {
        let label = &self.label;
        let point = found.or(nearest);
        let said = point.map(|point| self.sentence(point)).unwrap_or_default();
        let sentence = match (found, help) {
            (Some(_), _) => format!("{label}: {said}"),
            (None, "") => format!("{label}: no threshold gives {aim}; the nearest: {said}"),
            (None, help) => format!("{label}: no threshold gives {aim}; the nearest: {said}; {help}"),
        };
        Named {
            threshold: point.map(|point| point.threshold),
            meets: found.is_some(),
            sentence,
        }
    }

    fn sentence(&self, point: &Point) -> String {
        let (step, does) = match self.moved {
            Moved::Block => ("block", "blocks"),
            Moved::Review => ("review", "holds back"),
        };
        let threshold = Probability::new(point.threshold).map(number).unwrap_or_default();
        let mut said = format!(
            "{step} from {threshold}: {does} {} of products",
            percent(self.share(point))
        );
        said.push_str(&errors(", misses", &point.missed));
        if point.missed_reviewed > 0 {
            said.push_str(&format!(", {} of these left to people", point.missed_reviewed));
        }
        said.push_str(&errors(&format!(", wrongly {does}"), &point.wrongly_held));
        if point.reviewed > 0 {
            said.push_str(&format!(", {} reviews a day", brief(point.reviews_per_day)));
        }
        if let Some(cost) = point.cost {
            said.push_str(&format!(", cost {}", brief(cost)));
        }
        said
    }
}

fn errors(what: &str, proportion: &Proportion) -> String {
    if proportion.draws == 0 {
        return String::new();
    }
    format!(
        "{what} {} of {} (upper bound {})",
        proportion.hits,
        proportion.draws,
        percent(proportion.high)
    )
}

/// A share in percent, with as many decimals as it takes to see it.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 0.095 {
        format!("{percent:.2} %")
    } else if percent >= 10.0 && percent.fract() == 0.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

/// A number in few digits.
fn brief(number: f64) -> String {
    if number >= 100.0 || number.fract() == 0.0 {
        format!("{number:.0}")
    } else if number >= 1.0 {
        format!("{number:.1}")
    } else {
        format!("{number:.3}")
    }
}
