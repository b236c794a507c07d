//! Comparing two verdicts of one product, and keeping the last ones that differ.

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use crate::base::{
    CountryCode, CountryVerdict, Digest, Label, ModelName, PolicyVersion, Probability, RevisionId, Verdict, Version,
};
use crate::telemetry::Direction;

/// A product on which candidate and stable give different verdicts in a country.
#[derive(Debug, Clone)]
pub struct Flip {
    pub at: SystemTime,
    pub partner_id: String,
    pub product_id: String,
    pub title: String,
    pub image_sha256: Option<Digest>,
    pub country: CountryCode,
    /// The label that decides the stricter of the two verdicts.
    pub label: Option<Label>,
    pub stable: FlipSide,
    pub candidate: FlipSide,
    pub trace_id: String,
}

/// What one side said.
#[derive(Debug, Clone, PartialEq)]
pub struct FlipSide {
    pub version: Version,
    pub verdict: Verdict,
    /// Its score of the flip's label.
    pub score: Option<Probability>,
}

/// The label that decides a verdict: that of the first reason that has one and did not lose.
pub fn deciding_label(verdict: &CountryVerdict) -> Option<&Label> {
    verdict
        .reasons
        .iter()
        .filter(|reason| !reason.losing)
        .find_map(|reason| reason.label.as_ref())
}

/// Who is compared with whom, under which policy. When it changes, counting begins anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub stable: RevisionId,
    pub candidate: RevisionId,
    pub policy: PolicyVersion,
}

/// How a shadow does so far. `judged`, `shed` and `failed` count products; the others count verdicts, one a country.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowSummary {
    pub candidate: Version,
    pub judged: u64,
    pub agreed: u64,
    pub newly_blocked: u64,
    pub newly_allowed: u64,
    pub other: u64,
    /// Not compared because the shadow's queue was full.
    pub shed: u64,
    /// Not compared because the candidate failed.
    pub failed: u64,
}

/// What is kept of each model's comparison.
pub(super) struct Tally {
    models: BTreeMap<ModelName, Comparison>,
    kept: usize,
}

struct Comparison {
    pair: Pair,
    summary: ShadowSummary,
    flips: VecDeque<Flip>,
}

impl Tally {
    /// Keeps so many flips of each model.
    pub fn new(kept: usize) -> Self {
        Self {
            models: BTreeMap::new(),
            kept,
        }
    }

    /// Counts one thing of a comparison.
    pub fn count(&mut self, model: &ModelName, pair: Pair, candidate: Version, count: impl FnOnce(&mut ShadowSummary)) {
        count(&mut self.comparison(model, pair, candidate).summary);
    }

    /// Keeps a flip, at the cost of the oldest.
    pub fn keep(&mut self, model: &ModelName, pair: Pair, flip: Flip) {
        let kept = self.kept;
        let flips = &mut self.comparison(model, pair, flip.candidate.version).flips;
        if flips.len() >= kept {
            flips.pop_front();
        }
        flips.push_back(flip);
    }

    /// The last flips of a model, newest first.
    pub fn flips(&self, model: &ModelName, limit: usize) -> Vec<Flip> {
        let flips = self.models.get(model).map(|comparison| &comparison.flips);
        flips.into_iter().flatten().rev().take(limit).cloned().collect()
    }

    /// Forgets the flips of a partner's products up to a moment.
    pub fn forget_partner(&mut self, partner_id: &str, until: SystemTime) {
        for comparison in self.models.values_mut() {
            comparison
                .flips
                .retain(|flip| flip.partner_id != partner_id || flip.at > until);
        }
    }

    /// How a model's shadow does.
    pub fn summary(&self, model: &ModelName) -> Option<ShadowSummary> {
        self.models.get(model).map(|comparison| comparison.summary.clone())
    }

    fn comparison(&mut self, model: &ModelName, pair: Pair, candidate: Version) -> &mut Comparison {
        let fresh = || Comparison {
            pair,
            summary: ShadowSummary::none(candidate),
            flips: VecDeque::new(),
        };
        let comparison = self.models.entry(model.clone()).or_insert_with(fresh);
        if comparison.pair != pair {
            *comparison = fresh();
        }
        comparison
    }
}

impl ShadowSummary {
    /// Of a candidate that has judged nothing yet.
    pub fn none(candidate: Version) -> Self {
        Self {
            candidate,
            judged: 0,
            agreed: 0,
            newly_blocked: 0,
            newly_allowed: 0,
            other: 0,
            shed: 0,
            failed: 0,
        }
    }

    /// Counts one country's comparison; none: they agree.
    pub fn add(&mut self, direction: Option<Direction>) {
        match direction {
            None => self.agreed += 1,
            Some(Direction::NewlyAllowed) => self.newly_allowed += 1,
            Some(Direction::NewlyBlocked) => self.newly_blocked += 1,
            Some(Direction::Other) => self.other += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(byte: u8) -> Pair {
        let digest = |byte| Digest([byte; 32]);
        Pair {
            stable: RevisionId(digest(1)),
            candidate: RevisionId(digest(byte)),
            policy: PolicyVersion(digest(3)),
        }
    }

    fn flip(title: &str) -> Flip {
        let version = |number| Version::try_from(number).unwrap();
        let side = |number, verdict| FlipSide {
            version: version(number),
            verdict,
            score: None,
        };
        Flip {
            at: SystemTime::UNIX_EPOCH,
            partner_id: String::new(),
            product_id: String::new(),
            title: title.into(),
            image_sha256: None,
            country: CountryCode::REST_OF_WORLD,
            label: None,
            stable: side(1, Verdict::Allow),
            candidate: side(2, Verdict::Block),
            trace_id: String::new(),
        }
    }

    #[test]
    fn only_the_last_flips_are_kept_and_a_new_candidate_begins_anew() {
        let model: ModelName = "adsafety".parse().unwrap();
        let mut tally = Tally::new(2);
        for title in ["a", "b", "c"] {
            tally.keep(&model, pair(2), flip(title));
        }
        let titles = |tally: &Tally| tally.flips(&model, 9).into_iter().map(|f| f.title).collect::<Vec<_>>();
        assert_eq!(titles(&tally), ["c", "b"]);
        tally.keep(&model, pair(4), flip("d"));
        assert_eq!(titles(&tally), ["d"]);
        tally.forget_partner("another", SystemTime::now());
        assert_eq!(titles(&tally), ["d"]);
        tally.forget_partner("", SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1));
        assert_eq!(titles(&tally), ["d"], "it was seen later");
        tally.forget_partner("", SystemTime::UNIX_EPOCH);
        assert!(titles(&tally).is_empty());
    }
}
