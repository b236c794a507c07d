//! Verdicts with the one reason that made each, for machines: nothing is put into words, and countries with the same rules are judged once.

use crate::base::{CountryCode, CountryVerdict, Label, Moment, Probability, Reason, Source, Verdict};

use super::Policy;
use super::case::{Case, Seen};
use super::hearing::Hearing;
use super::judge::asked;
use super::marks;
use super::said::Said;

/// A country's verdict and the first of the reasons that made it: the same as `Policy::judge` gives, in fewer words.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BriefVerdict<'a> {
    pub country: CountryCode,
    pub verdict: Verdict,
    pub source: Source,
    pub label: Option<&'a Label>,
    pub score: Option<Probability>,
    pub threshold: Option<Probability>,
    /// As in `Reason::rule`.
    pub rule: &'a str,
    /// The author's own sentence, or a short one.
    pub text: &'a str,
    /// As in `CountryVerdict::valid_until`.
    pub valid_until: Option<Moment>,
}

impl BriefVerdict<'_> {
    /// The same in the words of the house.
    pub fn to_verdict(&self) -> CountryVerdict {
        CountryVerdict {
            country: self.country,
            verdict: self.verdict,
            reasons: vec![Reason {
                source: self.source,
                label: self.label.cloned(),
                score: self.score,
                threshold: self.threshold,
                rule: self.rule.to_owned(),
                text: self.text.to_owned(),
                losing: false,
            }],
            valid_until: self.valid_until,
        }
    }
}

impl Policy {
    /// The verdict of each country asked for, in the order asked, with the first of its reasons.
    pub fn brief<'a>(&'a self, case: &Case<'a>) -> Vec<BriefVerdict<'a>> {
        let hearing = Hearing::new(self, case, false);
        // What people say and what was taken over is said of countries, not of places.
        let shares = case.corrections.is_empty() && !matches!(case.look, Seen::Imported(_));
        let mut heard: Vec<(u16, BriefVerdict<'a>)> = Vec::new();
        let mut said = Vec::new();
        let countries = asked(case.countries).iter();
        let verdicts = countries.map(|&country| {
            let place = self.places.number(country);
            let known = heard.iter().find(|(other, _)| shares && *other == place);
            if let Some((_, known)) = known {
                return BriefVerdict { country, ..*known };
            }
            let verdict = brief_in(country, &hearing, &mut said);
            if shares {
                heard.push((place, verdict));
            }
            verdict
        });
        verdicts.collect()
    }
}

fn brief_in<'a>(country: CountryCode, hearing: &Hearing<'a>, said: &mut Vec<Said<'a>>) -> BriefVerdict<'a> {
    said.clear();
    let heard = hearing.hear(country, said);
    let first = said.iter().min_by(|a, b| a.in_order(b, heard.verdict));
    let what = first
        .map(|said| said.what)
        .expect("no verdict is without something that was said for it");
    BriefVerdict {
        country,
        verdict: heard.verdict,
        source: marks::source(&what),
        label: what.shown().map(|shown| shown.label),
        score: what.shown().map(|shown| shown.score),
        threshold: marks::threshold(&what),
        rule: marks::rule_id(&what),
        text: marks::short(&what, heard.verdict),
        valid_until: heard.valid_until,
    }
}
