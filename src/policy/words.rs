//! What was said, in words: the reasons that people read, and the short ones that machines pass on.

use crate::base::{Correction, CountryCode, ImportedVerdict, Label, Probability, Reason, Verdict};

use super::case::Case;
use super::corrections::{Change, change};
use super::keywords::Keywords;
use super::marks::{rule_id, source, threshold};
use super::price::{Amount, PriceFinding};
use super::rule::{Outcome, Rule, Says};
use super::said::{By, Doubt, Found, OnLabel, Said, Shown, What};
use super::zones::day_of;

/// What a sentence is told about, besides what was said.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    pub case: &'a Case<'a>,
    pub keywords: &'a Keywords,
    pub country: CountryCode,
    /// What the verdict is.
    pub verdict: Verdict,
    /// The exception that was said over what the policy says.
    pub exception: Option<&'a Correction>,
}

impl Telling<'_> {
    /// A reason in full.
    pub(super) fn reason(&self, said: &Said<'_>) -> Reason {
        let what = &said.what;
        Reason {
            source: source(what),
            label: what.shown().map(|shown| shown.label.clone()),
            score: what.shown().map(|shown| shown.score),
            threshold: threshold(what),
            rule: rule_id(what).to_owned(),
            text: self.sentence(said),
            losing: said.loses(self.verdict),
        }
    }

    fn sentence(&self, said: &Said<'_>) -> String {
        let (mut sentence, rule) = self.told(said);
        if let (Some(exception), None) = (self.exception, by_person(&said.what)) {
            let author = &exception.author;
            if said.outranked {
                sentence += &format!("; outranked by the exception of {author}");
            } else if said.what.shown().is_none() {
                sentence += &format!(
                    "; what {author} allowed for all products of the partner does not cover severe labels, which nobody has looked for"
                );
            }
        }
        match rule.and_then(|rule| rule.about.text.as_ref()) {
            Some(text) => format!("{sentence}. {text}"),
            None => sentence,
        }
    }

    /// What was said, and the rule whose author's own sentence follows.
    fn told<'r>(&self, said: &Said<'r>) -> (String, Option<&'r Rule>) {
        let country = self.country;
        match said.what {
            What::Exception(correction) => (exception(correction, said.verdict, country), None),
            What::Lapsed(correction) => (lapsed(correction, self.case), None),
            What::Unreadable(cause) => (format!("the picture cannot be judged: {cause}"), None),
            What::Unknown => ("nothing is known of this product".to_owned(), None),
            What::NoScores => ("there is no score to judge by".to_owned(), None),
            What::Imported(imported) => (taken_over(imported), None),
            What::NotImported => (
                format!("another system's verdicts were taken over, and none {}", place(country)),
                None,
            ),
            What::Label(on) => (on_label(&on, country), Some(on.rule)),
            What::Doubt(doubt) => (self.doubt(&doubt), Some(doubt.rule)),
            What::Outranked {
                by,
                rule,
                shown,
                outcome,
            } => (outranked(&by, rule, shown.label, outcome), Some(rule)),
            What::Other { rule, found } => {
                let found = self.found(&found, rule);
                (
                    format!("{found}: {} {}", consequence(said.verdict), place(country)),
                    Some(rule),
                )
            }
            What::Nearest { shown, step, .. } => (nothing_reached(&shown, step, country), None),
        }
    }

    fn doubt(&self, doubt: &Doubt<'_>) -> String {
        let unknown = doubt.rule.when.unknown(&self.case.facts);
        let (verb, them) = if unknown.len() == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        let facts: Vec<String> = unknown.iter().map(|fact| fact.replace('_', " ")).collect();
        let about = doubt
            .shown
            .map(|shown| format!(" for {} {:.2}", shown.label, shown.score.get()));
        let otherwise = match doubt.otherwise {
            Some((rule, verdict)) => format!(", or {} says {}", rule.id, verdict.as_str()),
            None => " or nothing".to_owned(),
        };
        let sentence = format!(
            "the {} {verb} not known: depending on {them} {} says {}{}{otherwise}, so a person decides {}",
            facts.join(" and "),
            doubt.rule.id,
            doubt.would_be.as_str(),
            about.unwrap_or_default(),
            place(self.country)
        );
        with_uncovered(sentence, doubt.shown.as_ref())
    }

    fn found(&self, found: &Found, rule: &Rule) -> String {
        match found {
            Found::Keyword(hit) => {
                let word = self.keywords.word(*hit).unwrap_or_default();
                format!("the {} contains {word:?}", hit.field.as_str())
            }
            Found::Category => format!("the category is {:?}", self.case.subject.category),
            Found::Product => {
                let subject = &self.case.subject;
                format!("{}/{} is listed", subject.partner_id, subject.product_id)
            }
            Found::Price(finding) => self.price(*finding, rule),
        }
    }

    fn price(&self, finding: PriceFinding, rule: &Rule) -> String {
        let Some(price) = self.case.subject.price else {
            return "there is no price".to_owned();
        };
        let (amount, currency) = (Amount::of(price), &price.currency);
        match finding {
            PriceFinding::Absent => "there is no price".to_owned(),
            PriceFinding::NotPositive => format!("the price is {amount} {currency}"),
            PriceFinding::OtherCurrency => match &rule.says {
                Says::OfPrice(bounds) => format!("the price is in {currency:?}, and {} is expected", bounds.currency),
                Says::OfLabel { .. }
                | Says::ByDefault { .. }
                | Says::OfKeywords { .. }
                | Says::OfCategory { .. }
                | Says::OfProduct { .. } => format!("the price is in {currency:?}"),
            },
            PriceFinding::BelowMinimum(min) => format!("the price of {amount} {currency} is below {min}"),
            PriceFinding::AboveMaximum(max) => format!("the price of {amount} {currency} is above {max}"),
            PriceFinding::FarBelow(share, median) => {
                format!("the price of {amount} {currency} is less than {share} of the usual {median}")
            }
        }
    }
}

/// What a rule said of a label's score in a country.
fn on_label(on: &OnLabel<'_>, country: CountryCode) -> String {
    let OnLabel { shown, outcome, .. } = on;
    let (label, score, place) = (shown.label, shown.score, place(country));
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
    let told = match shown.corrected {
        Some(correction) => format!("{}; {sentence}", wrong_label(correction, shown)),
        None => sentence,
    };
    with_uncovered(told, Some(shown))
}

/// That a person said that a label is there or not.
fn wrong_label(correction: &Correction, shown: &Shown<'_>) -> String {
    let (author, day) = (&correction.author, day_of(correction.created_at));
    let is = if shown.score.get() > 0.5 { "is" } else { "is not" };
    let given = shown
        .given
        .map(|given| format!(", to which the model gives {:.2}", given.get()))
        .unwrap_or_default();
    format!(
        "{author} said on {day} that it {is} {}{given}: {}",
        shown.label,
        quoted(&correction.reason)
    )
}

/// That a severe label stands, although somebody allowed all products of a partner.
fn with_uncovered(sentence: String, shown: Option<&Shown<'_>>) -> String {
    match shown.and_then(|shown| Some((shown, shown.uncovered?))) {
        Some((shown, correction)) => format!(
            "{sentence}; {} is severe, so what {} allowed for all products of the partner does not cover it",
            shown.label, correction.author
        ),
        None => sentence,
    }
}

/// The correction that speaks for itself.
fn by_person<'a>(what: &What<'a>) -> Option<&'a Correction> {
    match what {
        What::Exception(correction) | What::Lapsed(correction) => Some(correction),
        What::Unreadable(_)
        | What::Unknown
        | What::NoScores
        | What::Imported(_)
        | What::NotImported
        | What::Label(_)
        | What::Doubt(_)
        | What::Outranked { .. }
        | What::Other { .. }
        | What::Nearest { .. } => None,
    }
}

fn taken_over(imported: &ImportedVerdict) -> String {
    let verdict = imported.verdict.as_str();
    if imported.reason.is_empty() {
        return format!("taken over from another system: {verdict}");
    }
    format!("taken over from another system: {verdict}, {}", imported.reason)
}

fn exception(correction: &Correction, verdict: Verdict, country: CountryCode) -> String {
    let (author, day, place) = (&correction.author, day_of(correction.created_at), place(country));
    let set = match verdict {
        Verdict::Allow => "allowed it",
        Verdict::Review => "asked for a person's look at it",
        Verdict::Block => "blocked it",
    };
    format!("{author} {set} {place} on {day}: {}", quoted(&correction.reason))
}

fn lapsed(correction: &Correction, case: &Case<'_>) -> String {
    let (author, day) = (&correction.author, day_of(correction.created_at));
    let changed = match change(correction, case) {
        Some(Change::Picture) => "the picture has changed",
        Some(Change::Texts) => "the texts have changed",
        Some(Change::Unknown) => "nothing is known of the product to compare it with",
        Some(Change::Both) | None => "the picture and the texts have changed",
    };
    format!(
        "{author} allowed it on {day} as it was then ({}), and {changed}: a person decides",
        quoted(&correction.reason)
    )
}

/// The same of a rule that another outranked.
fn outranked(by: &By<'_>, rule: &Rule, label: &Label, outcome: Outcome) -> String {
    let said = match outcome.threshold {
        Some(threshold) if outcome.verdict != Verdict::Allow => {
            format!("{} from {}", outcome.verdict.as_str(), number(threshold))
        }
        Some(threshold) => format!("ALLOW below {}", number(threshold)),
        None => format!("{} whatever the score", outcome.verdict.as_str()),
    };
    let by = match by {
        By::MoreSpecific(by) => format!("outranked by the more specific {}", by.id),
        By::EquallySpecific(by) => format!("outranked by the equally specific and stricter {}", by.id),
        By::Doubt(by) => format!("{} is more specific or stricter and may apply", by.id),
    };
    format!("{} says {said} for {label}; {by}", rule.id)
}

/// That no rule has anything against it.
fn nothing_reached(nearest: &Shown<'_>, (verdict, threshold): (Verdict, Probability), country: CountryCode) -> String {
    format!(
        "no label reaches its threshold {}; the nearest is {} {} ({} from {})",
        place(country),
        nearest.label,
        score_beside(nearest.score, threshold),
        verdict.as_str().to_lowercase(),
        number(threshold)
    )
}

fn place(country: CountryCode) -> String {
    if country == CountryCode::REST_OF_WORLD {
        "in the rest of the world".to_owned()
    } else {
        format!("in {}", country.as_str())
    }
}

/// What a verdict means for the product.
pub(super) fn consequence(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "it is allowed",
        Verdict::Review => "a person decides",
        Verdict::Block => "it is blocked",
    }
}

fn quoted(reason: &str) -> String {
    if reason.is_empty() {
        "no reason given".to_owned()
    } else {
        format!("{reason:?}")
    }
}

/// A probability with two decimals, or as many more as it has.
pub(super) fn number(probability: Probability) -> String {
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
