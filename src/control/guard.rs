//! The guard of a policy that changed: it is tried on what was decided of late, and comes into force by itself only where it would newly allow little,
//! and nothing that a severe label keeps from being shown now. Else a person confirms it.
//!
//! With nothing on record there is nothing that it would newly allow. What cannot be tried, because the store does not answer, waits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::drafts::{Drafts, Trial};
use crate::base::{ModelName, Moment, PolicyVersion};
use crate::policy::{Change, Difference, Policy};

/// How far back decisions are taken, from now to the first of these, and on until there are enough.
const BACK: [Duration; 5] = [
    minutes(10),
    minutes(60),
    minutes(6 * 60),
    minutes(24 * 60),
    minutes(7 * 24 * 60),
];
/// So many decisions are enough.
const ENOUGH: u64 = 20_000;
/// How long until what could not be tried is tried again.
const AGAIN: Duration = Duration::from_secs(5);

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// What is known of the policy that waits. It belongs to one model.
#[derive(Default)]
pub(super) struct Guard {
    trial: Option<(Pair, Outcome)>,
    confirmed: BTreeSet<PolicyVersion>,
}

/// The policy in force, and the one that waits.
pub(super) type Pair = (PolicyVersion, PolicyVersion);

/// What came of trying it.
enum Outcome {
    UnderWay,
    Tried(Loosening),
    /// Not tried: why, and when to try again.
    Untried(String, Instant),
}

impl Guard {
    /// Says that a person wants this one in force.
    pub fn confirm(&mut self, version: PolicyVersion) {
        self.confirmed.insert(version);
    }

    /// Whether the one that waits may come into force where so large a share of verdicts may be newly allowed; else why it waits, for people.
    pub fn admits(&self, pair: Pair, newly_allow_at_most: f64) -> Result<(), String> {
        if self.confirmed.contains(&pair.1) {
            return Ok(());
        }
        let outcome = self.trial.as_ref().filter(|(of, _)| *of == pair);
        match outcome.map(|(_, outcome)| outcome) {
            None | Some(Outcome::UnderWay) => {
                Err("policy.toml is being tried on what was decided of late, and is not in force yet".into())
            }
            Some(Outcome::Tried(loosening)) => match loosening.objection(newly_allow_at_most) {
                None => Ok(()),
                Some(why) => Err(format!(
                    "policy.toml waits for a person: {why}. Look at it with `vigie policy diff`; then `vigie policy apply {}` brings it \
                     into force, and putting the file back ends this",
                    pair.1.0.short()
                )),
            },
            Some(Outcome::Untried(why, _)) => Err(format!(
                "policy.toml is not in force yet, since it cannot be tried on what was decided of late: {why}"
            )),
        }
    }

    /// True where a trial of this pair is to begin now; it counts as begun from then on.
    pub fn begin(&mut self, pair: Pair, now: Instant) -> bool {
        let is_due = match &self.trial {
            Some((of, outcome)) if *of == pair => matches!(outcome, Outcome::Untried(_, again) if *again <= now),
            Some(_) | None => true,
        };
        if is_due {
            self.trial = Some((pair, Outcome::UnderWay));
        }
        is_due
    }

    /// When what could not be tried wants to be tried again.
    pub fn next_try(&self) -> Option<Instant> {
        match &self.trial {
            Some((_, Outcome::Untried(_, again))) => Some(*again),
            Some((_, Outcome::UnderWay | Outcome::Tried(_))) | None => None,
        }
    }

    /// Takes in what came of a trial, unless another has begun meanwhile.
    pub fn note(&mut self, tried: Tried) {
        let Some((pair, outcome)) = &mut self.trial else { return };
        if *pair == tried.pair {
            *outcome = match tried.loosening {
                Ok(loosening) => Outcome::Tried(loosening),
                Err(why) => Outcome::Untried(why, Instant::now() + AGAIN),
            };
        }
    }
}

/// A trial that has ended.
pub(super) struct Tried {
    pub model: ModelName,
    pair: Pair,
    loosening: Result<Loosening, String>,
}

/// What it would newly allow.
struct Loosening {
    decisions: u64,
    verdicts: u64,
    newly_allowed: u64,
    /// Of those, the ones that a severe label keeps from being shown now.
    of_severe: u64,
}

impl From<&Difference> for Loosening {
    fn from(difference: &Difference) -> Self {
        let allowed = difference
            .by_country
            .iter()
            .filter(|((_, change), _)| *change == Change::NewlyAllowed);
        Self {
            decisions: difference.judged,
            verdicts: difference.verdicts,
            newly_allowed: allowed.map(|(_, count)| count.verdicts).sum(),
            of_severe: difference.severe_newly_allowed,
        }
    }
}

impl Loosening {
    /// Why it must not come into force by itself; none where it may.
    fn objection(&self, at_most: f64) -> Option<String> {
        let Self {
            decisions,
            verdicts,
            newly_allowed,
            of_severe,
        } = self;
        let share = *newly_allowed as f64 / (*verdicts).max(1) as f64;
        if *of_severe == 0 && share <= at_most {
            return None;
        }
        let severe = match of_severe {
            0 => String::new(),
            count => format!(", {count} of them though a severe label keeps them from being shown now"),
        };
        Some(format!(
            "of {verdicts} verdicts on the last {decisions} decisions it would newly allow {newly_allowed} ({:.1} %, where {:.1} % may \
             come by itself){severe}",
            100.0 * share,
            100.0 * at_most,
        ))
    }
}

/// Judges what was decided of late by both policies.
pub(super) async fn try_out(drafts: Drafts, model: ModelName, (now, then): (Arc<Policy>, Arc<Policy>)) -> Tried {
    let pair = (now.version(), then.version());
    let loosening = of_late(&drafts, &model, &now, &then).await;
    Tried { model, pair, loosening }
}

async fn of_late(
    drafts: &Drafts,
    model: &ModelName,
    now: &Arc<Policy>,
    then: &Arc<Policy>,
) -> Result<Loosening, String> {
    let (told, mut listened) = mpsc::channel(1);
    // Somebody listens to the end, or the simulation would end early.
    let _listening = tokio::spawn(async move { while listened.recv().await.is_some() {} });
    let mut difference = Difference::default();
    let mut until: Moment = SystemTime::now().into();
    let began = until;
    for back in BACK {
        let since = began.before(back);
        let trial = Trial {
            model: model.clone(),
            now: Arc::clone(now),
            then: Arc::clone(then),
        };
        let more = drafts.simulate(trial, (since, until), &told).await;
        difference.merge(more.map_err(|refusal| refusal.message)?);
        if difference.judged >= ENOUGH {
            break;
        }
        until = since;
    }
    Ok(Loosening::from(&difference))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    const NOW: PolicyVersion = PolicyVersion(Digest([1; 32]));
    const THEN: PolicyVersion = PolicyVersion(Digest([2; 32]));

    const AT_MOST: f64 = 0.01;

    fn allowing(verdicts: u64, newly_allowed: u64, of_severe: u64) -> Loosening {
        Loosening {
            decisions: verdicts,
            verdicts,
            newly_allowed,
            of_severe,
        }
    }

    fn tried(loosening: Result<Loosening, String>) -> Guard {
        let mut guard = Guard::default();
        assert!(guard.begin((NOW, THEN), Instant::now()));
        let (model, pair) = ("m".parse().unwrap(), (NOW, THEN));
        guard.note(Tried { model, pair, loosening });
        guard
    }

    #[test]
    fn what_newly_allows_little_comes_by_itself_and_all_else_waits_for_a_person() {
        for (verdicts, allowed, severe, comes) in [
            (0, 0, 0, true),
            (1000, 10, 0, true),
            (1000, 11, 0, false),
            (1_000_000, 1, 1, false),
        ] {
            let mut guard = tried(Ok(allowing(verdicts, allowed, severe)));
            let admitted = guard.admits((NOW, THEN), AT_MOST);
            assert_eq!(admitted.is_ok(), comes, "{admitted:?}");
            assert_eq!(
                guard.admits((NOW, THEN), 1.0).is_ok(),
                severe == 0,
                "another share may be newly allowed"
            );
            guard.confirm(THEN);
            assert_eq!(guard.admits((NOW, THEN), AT_MOST), Ok(()));
        }
    }

    #[test]
    fn nothing_comes_before_it_was_tried_and_a_trial_speaks_of_its_own_pair_alone() {
        let mut guard = Guard::default();
        guard.admits((NOW, THEN), AT_MOST).unwrap_err();
        assert!(guard.begin((NOW, THEN), Instant::now()));
        assert!(!guard.begin((NOW, THEN), Instant::now()), "it is under way");
        let guard = tried(Ok(allowing(10, 0, 0)));
        guard.admits((THEN, NOW), AT_MOST).unwrap_err();
        let mut guard = tried(Err("the store is away".into()));
        assert!(
            guard
                .admits((NOW, THEN), AT_MOST)
                .unwrap_err()
                .contains("the store is away")
        );
        let again = guard.next_try().unwrap();
        assert!(!guard.begin((NOW, THEN), again - AGAIN));
        assert!(guard.begin((NOW, THEN), again), "it is tried again in a while");
    }
}
