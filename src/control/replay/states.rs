//! The states of a product: at each decision, at any moment, and now; out of what is on record and of the history of what served.

use std::sync::Arc;
use std::time::SystemTime;

use super::Desk;
use super::lab::Look;
use super::part::{End, Occasion, Side};
use super::people::{bearing, fits, in_force, known_to, without_end};
use crate::base::{
    Correction, CountryCode, CountryVerdict, Digest, ModelName, Moment, Origin, PolicyVersion, Recorded, Refusal,
};
use crate::policy::{Case, Facts, Policy, Seen, Subject, Texts};
use crate::store::{Appointed, Changed, DecisionQuery, ServingChange};

/// Decisions of one product that are looked through.
pub(super) const DECISIONS: usize = 500;

/// What is on record of one product.
pub(super) struct History<'a> {
    desk: &'a Desk,
    /// Those that were judged here and count, the newest first; the one asked about is among them.
    pub decisions: Vec<Arc<Recorded>>,
    /// Every one that bears on it or did, the oldest first.
    pub corrections: Vec<Correction>,
    /// What served of its model, the oldest first.
    pub served: Vec<ServingChange>,
}

impl<'a> History<'a> {
    /// Everything on the product of a decision.
    pub fn of(desk: &'a Desk, asked: &Arc<Recorded>) -> Result<Self, Refusal> {
        let mut decisions = match asked.product.key() {
            None => Vec::new(),
            Some(key) => {
                let query = DecisionQuery {
                    product: Some(key),
                    limit: DECISIONS,
                    ..DecisionQuery::default()
                };
                let page = desk.wait(desk.records().decisions(&query))?;
                let counting = page.items.into_iter().filter(|recorded| recorded.counts);
                counting
                    .filter(|recorded| recorded.origin == Origin::Judged)
                    .map(Arc::new)
                    .collect()
            }
        };
        let is_asked = |other: &Arc<Recorded>| other.decision.decision_id == asked.decision.decision_id;
        if decisions.is_empty() || (asked.counts && !decisions.iter().any(is_asked)) {
            decisions.push(Arc::clone(asked));
        }
        decisions.sort_by_key(|recorded| std::cmp::Reverse(recorded.decision.decided_at));
        let mut pictures: Vec<Digest> = decisions
            .iter()
            .filter_map(|recorded| recorded.decision.image_sha256)
            .collect();
        pictures.extend(asked.decision.image_sha256);
        pictures.sort();
        pictures.dedup();
        desk.check()?;
        let corrections = bearing(desk, asked, &pictures)?;
        let served = desk.shared.data.served().unwrap_or_else(|error| {
            tracing::warn!(%error, "the history of what served cannot be read");
            Vec::new()
        });
        let of_model = |change: &ServingChange| change.model == asked.decision.model;
        Ok(Self {
            desk,
            decisions,
            corrections,
            served: served.into_iter().filter(of_model).collect(),
        })
    }

    /// The state that a decision was made in; else why it cannot be told.
    pub fn at_decision(&self, seen: &Arc<Recorded>) -> Result<End, String> {
        let decision = &seen.decision;
        let side = Side {
            model: decision.model.clone(),
            version: decision.version,
            revision: decision.revision,
        };
        let corrections = known_to(&self.corrections, decision.correction_seq, decision.decided_at);
        Ok(End {
            at: decision.decided_at,
            seen: Arc::clone(seen),
            of: Occasion::Decision,
            picture: decision.image_sha256,
            preprocessing: side.clone(),
            weights: side,
            policy: policy(self.desk, &decision.model, decision.policy_version)?,
            corrections: without_end(corrections).into(),
        })
    }

    /// The state at a moment: the product as it was last seen, judged by what served then. None before it was seen first.
    pub fn at(&self, at: Moment) -> Option<Result<End, String>> {
        let seen = self.decisions.iter().find(|seen| seen.decision.decided_at <= at)?;
        let decision = &seen.decision;
        let live = self.live_at(at).unwrap_or(Appointed {
            version: decision.version,
            revision: decision.revision,
        });
        let version = self.policy_at(at).unwrap_or(decision.policy_version);
        Some(
            policy(self.desk, &decision.model, version)
                .map(|policy| self.state((at, Occasion::Moment), seen, live, policy)),
        )
    }

    /// The state now, by the plan; else why there is none.
    pub fn now(&self) -> Result<End, String> {
        let at = SystemTime::now().into();
        let seen = &self.decisions[0];
        let name = &seen.decision.model;
        let model = self.desk.plan.models.get(name);
        let live = model.and_then(|model| model.live.as_ref());
        let live = live.ok_or_else(|| format!("no version of {name} serves now"))?;
        let policy = model.and_then(|model| model.policy.clone());
        let policy = policy.ok_or_else(|| format!("{name} has no policy in force now"))?;
        let live = Appointed {
            version: live.version,
            revision: live.revision,
        };
        Ok(self.state((at, Occasion::Now), seen, live, policy))
    }

    fn state(&self, (at, of): (Moment, Occasion), seen: &Arc<Recorded>, live: Appointed, policy: Arc<Policy>) -> End {
        let side = Side {
            model: seen.decision.model.clone(),
            version: live.version,
            revision: live.revision,
        };
        End {
            at,
            seen: Arc::clone(seen),
            of,
            picture: seen.decision.image_sha256,
            preprocessing: side.clone(),
            weights: side,
            policy,
            corrections: without_end(in_force(&self.corrections, at)).into(),
        }
    }

    fn live_at(&self, at: Moment) -> Option<Appointed> {
        let changes = self.served.iter().filter_map(|change| match change.what {
            Changed::Live { from, to } => Some((change.at, from, to)),
            Changed::Shadow { .. } | Changed::Policy { .. } => None,
        });
        value_at(changes, at)
    }

    fn policy_at(&self, at: Moment) -> Option<PolicyVersion> {
        let changes = self.served.iter().filter_map(|change| match change.what {
            Changed::Policy { from, to } => Some((change.at, from, to)),
            Changed::Live { .. } | Changed::Shadow { .. } => None,
        });
        value_at(changes, at)
    }
}

/// What a value was at a moment, by its changes in order: what the last one before made of it, else what the first one after found.
fn value_at<T>(changes: impl Iterator<Item = (Moment, Option<T>, Option<T>)>, at: Moment) -> Option<T> {
    let mut last = None;
    for (when, from, to) in changes {
        if when > at {
            return last.unwrap_or(from);
        }
        last = Some(to);
    }
    last.flatten()
}

/// A policy by its version: the one in force, or as the data directory keeps it; else why it cannot be had.
pub(super) fn policy(desk: &Desk, model: &ModelName, version: PolicyVersion) -> Result<Arc<Policy>, String> {
    let in_force = desk.plan.models.get(model).and_then(|model| model.policy.as_ref());
    if let Some(policy) = in_force.filter(|policy| policy.version() == version) {
        return Ok(Arc::clone(policy));
    }
    let short = version.0.short();
    let text = desk
        .shared
        .data
        .policy(version)
        .map_err(|error| format!("policy {short} cannot be read: {error}"))?;
    let text = text.ok_or_else(|| {
        format!("the text of policy {short} is not in this server's data directory: it was in force on another server; ask that one")
    })?;
    let policy =
        Policy::parse(&text).map_err(|error| format!("policy {short} cannot be read by this program: {error}"))?;
    Ok(Arc::new(policy))
}

/// What is judged for whom.
pub(super) struct Bench<'a> {
    pub at: Moment,
    pub countries: &'a [CountryCode],
    pub seen: &'a Recorded,
    pub picture: Option<Digest>,
    pub policy: &'a Policy,
    pub corrections: &'a [Correction],
}

impl Bench<'_> {
    /// The verdicts on what was seen.
    pub fn judge(&self, look: &Look) -> Vec<CountryVerdict> {
        let product = &self.seen.product;
        let matched = self.policy.matches(&Texts::of(product));
        let fitting = self
            .corrections
            .iter()
            .filter(|correction| fits(correction, self.picture));
        let corrections: Vec<&Correction> = fitting.collect();
        self.policy.judge(&Case {
            at: self.at,
            countries: self.countries,
            ad_type: &self.seen.ad_type,
            facts: Facts::given(&self.seen.facts),
            subject: Subject::of(product, self.picture, &matched),
            look: match look {
                Look::Scored(scores) => Seen::Scored(scores),
                Look::Unreadable(cause) => Seen::Unreadable(cause),
            },
            corrections: &corrections,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_between_its_changes_is_what_the_last_one_made_of_it() {
        let at = Moment::from_micros;
        let changes = || {
            [
                (at(10), Some(1), Some(2)),
                (at(20), Some(2), None),
                (at(30), None, Some(3)),
            ]
            .into_iter()
        };
        for (moment, expected) in [(5, Some(1)), (10, Some(2)), (19, Some(2)), (25, None), (31, Some(3))] {
            assert_eq!(value_at(changes(), at(moment)), expected, "at {moment}");
        }
        assert_eq!(value_at(std::iter::empty::<(Moment, Option<u8>, _)>(), at(1)), None);
    }
}
