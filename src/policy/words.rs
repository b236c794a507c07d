//! The sentences of reasons: what people read, made from what a rule said.

use crate::base::{CountryCode, Label, Probability, Verdict};

use super::rule::{Outcome, Rule};

/// What a rule said of a label's score in a country.
pub(super) fn spoken(rule: &Rule, label: &Label, score: Probability, outcome: Outcome, country: CountryCode) -> String {
    let place = place(country);
    let sentence = match (outcome.verdict, outcome.threshold) {
        (Verdict::Allow, None) => format!("{label} is allowed {place}, whatever its score ({:.2})", score.get()),
        (Verdict::Allow, Some(threshold)) => {
            format!(
                "{label} scores {}, below {}: allowed {place}",
                score_beside(score, threshold),
                number(threshold)
            )
        }
        (verdict @ (Verdict::Review | Verdict::Block), Some(threshold)) => {
            let (score, threshold) = (score_beside(score, threshold), number(threshold));
            format!(
                "{label} scores {score}: from {threshold} {} {place}",
                consequence(verdict)
            )
        }
        (verdict @ (Verdict::Review | Verdict::Block), None) => format!("{label}: {} {place}", consequence(verdict)),
    };
    with_text(sentence, rule)
}

/// The same of a rule that a more specific one outranked.
pub(super) fn outranked(by: &Rule, rule: &Rule, label: &Label, outcome: Outcome) -> String {
    let said = match outcome.threshold {
        Some(threshold) if outcome.verdict != Verdict::Allow => {
            format!("{} from {}", outcome.verdict.as_str(), number(threshold))
        }
        Some(threshold) => format!("ALLOW below {}", number(threshold)),
        None => format!("{} whatever the score", outcome.verdict.as_str()),
    };
    with_text(
        format!(
            "{} says {said} for {label}; outranked by the more specific {}",
            rule.name, by.name
        ),
        rule,
    )
}

/// That no rule has anything against it; `nearest` is the label that came closest to a threshold.
pub(super) fn nothing_reached(nearest: (&Label, Probability, Verdict, Probability), country: CountryCode) -> String {
    let (label, score, verdict, threshold) = nearest;
    format!(
        "no label reaches its threshold {}; the nearest is {label} {} ({} from {})",
        place(country),
        score_beside(score, threshold),
        verdict.as_str().to_lowercase(),
        number(threshold)
    )
}

fn place(country: CountryCode) -> String {
    if country == CountryCode::REST_OF_WORLD {
        "in the rest of the world".to_owned()
    } else {
        format!("in {country}")
    }
}

fn consequence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "it is allowed",
        Verdict::Review => "a person decides",
        Verdict::Block => "it is blocked",
    }
}

fn with_text(sentence: String, rule: &Rule) -> String {
    match &rule.text {
        Some(text) => format!("{sentence}. {text}"),
        None => sentence,
    }
}

/// A probability with two decimals, or as many more as it has.
fn number(probability: Probability) -> String {
    let short = format!("{:.2}", probability.get());
    if short.parse() == Ok(probability.get()) {
        short
    } else {
        probability.get().to_string()
    }
}

/// A score with two decimals, or as many more as keep it on its own side of a threshold: never "0.90, below 0.90".
fn score_beside(score: Probability, threshold: Probability) -> String {
    let reaches = score >= threshold;
    (2..=9)
        .map(|decimals| format!("{:.decimals$}", score.get()))
        .find(|shown| {
            shown
                .parse::<f32>()
                .is_ok_and(|shown| (shown >= threshold.get()) == reaches)
        })
        .unwrap_or_else(|| score.get().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_shown_on_its_own_side_of_the_threshold() {
        let p = |value| Probability::new(value).unwrap();
        assert_eq!(score_beside(p(0.9), p(0.9)), "0.90");
        assert_eq!(score_beside(p(0.8999), p(0.9)), "0.8999");
        assert_eq!(score_beside(p(0.123_456), p(0.9)), "0.12");
        assert_eq!(score_beside(p(0.949_999_9), p(0.95)), "0.9499999");
        assert_eq!(number(p(0.5)), "0.50");
        assert_eq!(number(p(0.125)), "0.125");
    }
}
