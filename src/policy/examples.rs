//! Examples: cases that the policy's author wrote beside the rules, with what must come of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, DateTime};

use crate::base::{CountryCode, CountryVerdict, Label, LabelScore, Moment, Probability, Product, Verdict};

use super::case::{Case, Seen, Subject};
use super::keywords::Texts;
use super::zones::{Calendars, start_of_day};
use super::{Facts, Policy};

/// A case with what must come of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Example {
    pub name: String,
    pub line: usize,
    /// Labels that are not among them score 0.
    pub scores: BTreeMap<Label, Probability>,
    pub product: Product,
    /// Never empty.
    pub countries: Vec<CountryCode>,
    pub ad_type: String,
    pub facts: BTreeMap<String, String>,
    pub on: On,
    /// Why the picture cannot be judged, where it cannot.
    pub unreadable: Option<String>,
    pub expect: Verdict,
    /// The rule that must have made the verdict.
    pub rule: Option<String>,
}

/// When an example takes place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum On {
    /// It does not matter.
    AnyDay,
    /// At the first moment of a day, in each country's own time.
    Day(Date),
    /// When clocks in each country show this.
    Clock(DateTime),
    Moment(Moment),
}

/// What came of an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleOutcome {
    pub name: String,
    /// Where it stands in the file, from 1.
    pub line: usize,
    pub passed: bool,
    /// What was expected and what came, with its reason.
    pub sentence: String,
}

impl Policy {
    /// Judges every example, in the order of the file.
    pub fn run_examples(&self) -> Vec<ExampleOutcome> {
        let calendars = Calendars::new();
        self.examples
            .iter()
            .map(|example| self.run_example(example, &calendars))
            .collect()
    }

    fn run_example(&self, example: &Example, calendars: &Calendars) -> ExampleOutcome {
        let verdicts = example
            .countries
            .iter()
            .map(|&country| self.judge_example(example, country, calendars));
        let mut told = Vec::new();
        let mut passed = true;
        for verdict in verdicts {
            let made_by = verdict.reasons.iter().filter(|reason| !reason.losing);
            let by_rule = example
                .rule
                .as_ref()
                .is_none_or(|rule| made_by.clone().any(|reason| reason.rule == *rule));
            let as_expected = verdict.verdict == example.expect && by_rule;
            if as_expected && !passed {
                continue;
            }
            if passed && !as_expected {
                told.clear();
            }
            passed &= as_expected;
            told.push(came(&verdict));
        }
        let by_rule = example
            .rule
            .as_ref()
            .map(|rule| format!(" by {rule}"))
            .unwrap_or_default();
        let expected = format!("{}{by_rule}", example.expect.as_str());
        let sentence = if passed {
            format!("expected {expected}; came: {}", told.first().map_or("", String::as_str))
        } else {
            format!("expected {expected}, but came: {}", told.join("; "))
        };
        ExampleOutcome {
            name: example.name.clone(),
            line: example.line,
            passed,
            sentence,
        }
    }

    fn judge_example(&self, example: &Example, country: CountryCode, calendars: &Calendars) -> CountryVerdict {
        let labels: BTreeSet<&Label> = self.labels.iter().chain(example.scores.keys()).collect();
        let zero = Probability::new(0.0).expect("0 is a probability");
        let scores: Vec<LabelScore> = labels
            .into_iter()
            .map(|label| LabelScore {
                label: label.clone(),
                probability: example.scores.get(label).copied().unwrap_or(zero),
            })
            .collect();
        let matched = self.matches(&Texts::of(&example.product));
        let case = Case {
            at: moment(example.on, country, calendars),
            countries: &[country],
            ad_type: &example.ad_type,
            facts: Facts::given(&example.facts),
            subject: Subject::of(&example.product, None, &matched),
            look: example
                .unreadable
                .as_deref()
                .map_or(Seen::Scored(&scores), Seen::Unreadable),
            corrections: &[],
        };
        self.judge(&case)
            .pop()
            .expect("one country was asked for, and each has a verdict")
    }
}

fn moment(on: On, country: CountryCode, calendars: &Calendars) -> Moment {
    match on {
        On::AnyDay => Moment::from_micros(0),
        On::Day(day) => start_of_day(day, &calendars.zone(country)),
        On::Clock(clock) => {
            let moment = clock
                .to_zoned(calendars.zone(country))
                .map(|moment| moment.timestamp().as_microsecond());
            Moment::from_micros(moment.unwrap_or_default())
        }
        On::Moment(moment) => moment,
    }
}

fn came(verdict: &CountryVerdict) -> String {
    let reason = verdict
        .reasons
        .first()
        .map(|reason| format!("{} ({})", reason.text, reason.rule));
    format!("{} because {}", verdict.verdict.as_str(), reason.unwrap_or_default())
}
