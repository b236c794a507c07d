//! One label of a case in a country: which rule speaks, what it outranks, and what depends on facts that nobody knows.

use std::cmp::Ordering;

use crate::base::{Probability, Verdict};

use super::conditions::Applies;
use super::hearing::Hearing;
use super::place::{Place, Standing};
use super::rule::{Effect, Outcome, Rule};
use super::said::{By, Doubt, OnLabel, Said, Shown, What};

/// How the rules on a label stand to each other.
struct Weighed<'a> {
    /// The rule that speaks, of those that certainly apply; else the default.
    rule: &'a Rule,
    /// Its class; above all others for the default.
    class: u16,
    outcome: Outcome,
    /// Rules that may apply and would then speak in its stead, with another verdict.
    doubts: Vec<(&'a Rule, Verdict)>,
}

impl<'a> Hearing<'a> {
    /// What is worth saying of one label: the rule that speaks, unless it merely lets a score pass that the default would let pass too;
    /// the rules that may speak instead; and those outranked that would have decided otherwise.
    pub(super) fn hear_label(&self, place: &'a Place, shown: Shown<'a>, outranked: bool, said: &mut Vec<Said<'a>>) {
        if outranked && !self.thorough {
            return;
        }
        let standings = of_label(place, &shown);
        let weighed = self.weigh(standings, shown.score);
        let (rule, outcome) = (weighed.rule, weighed.outcome);
        let in_doubt = !weighed.doubts.is_empty();
        let beaten = if self.thorough {
            self.beaten(standings, &weighed, shown)
        } else {
            Vec::new()
        };
        if in_doubt && outcome.verdict != Verdict::Review {
            let by = By::Doubt(weighed.doubts[0].0);
            let what = What::Outranked {
                by,
                rule,
                shown,
                outcome,
            };
            self.add(Said::new(outcome.verdict, what).outranked_if(true), said);
        } else if outcome.verdict != Verdict::Allow
            || shown.corrected.is_some()
            || self.is_allowed_by_name(&weighed, shown)
        {
            let what = What::Label(OnLabel { rule, shown, outcome });
            self.add(Said::new(outcome.verdict, what).outranked_if(outranked), said);
        }
        for (maybe, would_be) in weighed.doubts {
            let otherwise = Some((rule, outcome.verdict));
            let doubt = Doubt {
                rule: maybe,
                shown: Some(shown),
                would_be,
                otherwise,
            };
            self.add(
                Said::new(Verdict::Review, What::Doubt(doubt)).outranked_if(outranked),
                said,
            );
        }
        said.extend(beaten);
    }

    /// Of the labels held against a threshold, that which came closest to it, as a share of the threshold. Where every label is allowed
    /// by name, that with the highest score, if nothing else was said. Labels of which people said something are not among them.
    pub(super) fn nearest(
        &self,
        (place, floors): (&'a Place, &[Probability]),
        all: &[Shown<'a>],
        alone: bool,
    ) -> Option<Said<'a>> {
        let mut nearest: Option<(f32, Said<'a>)> = None;
        let mut highest: Option<Said<'a>> = None;
        for &shown in all.iter().filter(|shown| shown.corrected.is_none()) {
            let at_most = shown.score.get() / self.floor(floors, &shown).get();
            if nearest.as_ref().is_some_and(|(closeness, _)| at_most < *closeness) {
                continue;
            }
            let Weighed { rule, outcome, .. } = self.weigh(of_label(place, &shown), shown.score);
            let by_name = |said: &Said<'a>| said.what.shown().map(|other| shown.label.cmp(other.label));
            if let Some((verdict, threshold)) = rule.effect().and_then(Effect::first_step) {
                let closeness = shown.score.get() / threshold.get();
                let is_nearer = nearest
                    .as_ref()
                    .is_none_or(|(other, said)| match closeness.total_cmp(other) {
                        Ordering::Greater => true,
                        Ordering::Equal => by_name(said) == Some(Ordering::Less),
                        Ordering::Less => false,
                    });
                if is_nearer {
                    let step = (verdict, threshold);
                    nearest = Some((
                        closeness,
                        Said::new(Verdict::Allow, What::Nearest { rule, shown, step }),
                    ));
                }
            } else {
                let what = What::Label(OnLabel { rule, shown, outcome });
                let is_higher = highest.as_ref().and_then(|said| said.what.shown()).is_none_or(|other| {
                    shown.score > other.score || (shown.score == other.score && shown.label < other.label)
                });
                if is_higher {
                    highest = Some(Said::new(Verdict::Allow, what));
                }
            }
        }
        nearest.map(|(_, said)| said).or(highest.filter(|_| alone))
    }

    fn weigh(&self, standings: &'a [Standing], score: Probability) -> Weighed<'a> {
        let default = self.policy.default_rule();
        let mut base: Option<(&'a Rule, u16, Outcome)> = None;
        let mut maybes: Vec<(&'a Rule, u16, Verdict)> = Vec::new();
        for standing in standings {
            if base.is_some_and(|(_, class, _)| standing.class > class) {
                break;
            }
            let Some((rule, applies)) = self.applying(standing) else {
                continue;
            };
            let outcome = outcome(rule, score);
            match applies {
                Applies::Yes if base.is_none_or(|(_, _, other)| outcome.verdict > other.verdict) => {
                    base = Some((rule, standing.class, outcome));
                }
                Applies::Yes | Applies::No => {}
                Applies::Maybe => maybes.push((rule, standing.class, outcome.verdict)),
            }
        }
        let (rule, class, outcome) = base.unwrap_or_else(|| (default, u16::MAX, outcome(default, score)));
        // One that is more specific speaks alone if it applies; one that is equally specific only if it is stricter.
        let differs = |&(_, of_maybe, would_be): &(&Rule, u16, Verdict)| {
            if of_maybe < class {
                would_be != outcome.verdict
            } else {
                would_be > outcome.verdict
            }
        };
        let doubts = maybes
            .into_iter()
            .filter(differs)
            .map(|(rule, _, would_be)| (rule, would_be));
        Weighed {
            rule,
            class,
            outcome,
            doubts: doubts.collect(),
        }
    }

    /// The rules that certainly apply and are outranked, and would have led to another verdict.
    fn beaten(&self, standings: &'a [Standing], weighed: &Weighed<'a>, shown: Shown<'a>) -> Vec<Said<'a>> {
        let applying = standings
            .iter()
            .filter_map(|standing| Some((standing, self.applying(standing)?)));
        let certain = applying.filter(|(_, (rule, applies))| *applies == Applies::Yes && rule.id != weighed.rule.id);
        let told = certain.map(|(standing, (rule, _))| {
            let by = if standing.class == weighed.class {
                By::EquallySpecific(weighed.rule)
            } else {
                By::MoreSpecific(weighed.rule)
            };
            let outcome = outcome(rule, shown.score);
            let what = What::Outranked {
                by,
                rule,
                shown,
                outcome,
            };
            Said::new(outcome.verdict, what).outranked_if(true)
        });
        told.filter(|said| said.verdict != weighed.outcome.verdict).collect()
    }

    /// True where a rule allows a label whatever its score, and the default would not have.
    fn is_allowed_by_name(&self, weighed: &Weighed<'_>, shown: Shown<'_>) -> bool {
        let by_default = || outcome(self.policy.default_rule(), shown.score).verdict;
        weighed.rule.effect() == Some(Effect::Allow) && by_default() != Verdict::Allow
    }
}

fn of_label<'a>(place: &'a Place, shown: &Shown<'_>) -> &'a [Standing] {
    shown
        .number
        .and_then(|number| place.labels.get(number))
        .map_or(&[], Vec::as_slice)
}

/// What a rule on labels says of a score.
fn outcome(rule: &Rule, score: Probability) -> Outcome {
    rule.effect().map_or(
        Outcome {
            verdict: Verdict::Allow,
            threshold: None,
        },
        |effect| effect.on(score),
    )
}
