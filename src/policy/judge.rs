//! Verdicts with all their reasons, for people: those that made it first, then those that lost.

use crate::base::{CountryCode, CountryVerdict};

use super::Policy;
use super::case::Case;
use super::hearing::Hearing;
use super::said::What;
use super::words::Telling;

impl Policy {
    /// The verdict of each country asked for, in the order asked, never without a reason: everything that had something to say of the case.
    pub fn judge(&self, case: &Case<'_>) -> Vec<CountryVerdict> {
        let hearing = Hearing::new(self, case, true);
        asked(case.countries)
            .iter()
            .map(|&country| self.judge_in(country, &hearing))
            .collect()
    }

    fn judge_in(&self, country: CountryCode, hearing: &Hearing<'_>) -> CountryVerdict {
        let mut said = Vec::new();
        let heard = hearing.hear(country, &mut said);
        said.sort_by(|a, b| a.in_order(b, heard.verdict));
        let telling = Telling {
            case: &hearing.case,
            keywords: &self.keywords,
            country,
            verdict: heard.verdict,
            exception: said.iter().find_map(|said| {
                let What::Exception(correction) = said.what else {
                    return None;
                };
                Some(correction)
            }),
        };
        CountryVerdict {
            country,
            verdict: heard.verdict,
            reasons: said.iter().map(|said| telling.reason(said)).collect(),
            valid_until: heard.valid_until,
        }
    }
}

/// The countries asked for; the rest of the world where none is.
pub(super) fn asked(countries: &[CountryCode]) -> &[CountryCode] {
    if countries.is_empty() {
        &[CountryCode::REST_OF_WORLD]
    } else {
        countries
    }
}
