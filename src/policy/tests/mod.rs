//! What holds of every policy and every case, and the cases that people would name.

mod absurd;
mod checks;
mod dates;
mod generate;
mod language;
mod people;
mod precedence;
mod properties;
mod reference;
mod shipped;
mod thresholds;
mod words_found;

use super::*;
use crate::base::*;

const ALLOW: Verdict = Verdict::Allow;
const REVIEW: Verdict = Verdict::Review;
const BLOCK: Verdict = Verdict::Block;

fn score(label: &str, probability: f32) -> LabelScore {
    LabelScore {
        label: label.parse().unwrap(),
        probability: Probability::new(probability).unwrap(),
    }
}

fn countries(codes: &[&str]) -> Vec<CountryCode> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

/// A moment, written as in `2026-01-05T12:00Z`.
fn day(text: &str) -> Moment {
    Moment::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// A case with nothing but scores.
fn scored(scores: &[LabelScore]) -> Case<'_> {
    Case {
        at: Moment::from_micros(0),
        countries: &[],
        ad_type: "",
        facts: Facts::NONE,
        subject: Subject::unknown("", ""),
        look: Seen::Scored(scores),
        corrections: &[],
    }
}
