//! The hearing of a case: everything that has something to say of it in a country says it here, and the strictest is the verdict.
//!
//! Heard thoroughly for people, who want to know also what lost, or briefly for machines, which want the verdict and what made it. Both
//! go through the same lines, so they agree.

use std::cell::{Cell, OnceCell};

use crate::base::{CorrectionKind, CountryCode, Label, Moment, Probability, Verdict};

use super::Policy;
use super::case::{Case, Seen};
use super::category::folded_path;
use super::conditions::{Applies, Circumstances};
use super::corrections::{Ruling, ruling};
use super::place::{Place, Standing};
use super::price::PriceFinding;
use super::rule::{Effect, Rule, Says};
use super::said::{Doubt, Found, Said, Shown, What};

/// A case as it is heard in one country after another.
pub(super) struct Hearing<'a> {
    pub policy: &'a Policy,
    pub case: Case<'a>,
    /// Whether also those speak up who have no part in the verdict.
    pub thorough: bool,
    /// What the picture shows by the model.
    shown: Vec<Shown<'a>>,
    /// The product's category, folded.
    category: String,
    /// What is known of each rule's conditions: they are the same in every country.
    answers: Vec<Cell<Option<Applies>>>,
    /// Below this the default allows.
    default_floor: Probability,
}

/// How a case ends in one country.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    pub verdict: Verdict,
    pub valid_until: Option<Moment>,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(policy: &'a Policy, case: &Case<'a>, thorough: bool) -> Self {
        let scores = match case.look {
            Seen::Scored(scores) => scores,
            Seen::Unreadable(_) | Seen::Unknown | Seen::Imported(_) => &[],
        };
        let shown = scores
            .iter()
            .map(|score| shown(policy, &score.label, score.probability))
            .collect();
        Self {
            policy,
            case: *case,
            thorough,
            shown,
            category: if policy.asks_for_categories {
                folded_path(case.subject.category)
            } else {
                String::new()
            },
            answers: policy.without_asking.iter().copied().map(Cell::new).collect(),
            default_floor: policy
                .default_rule()
                .effect()
                .and_then(Effect::first_step)
                .map_or(certainty(true), |(_, first)| first),
        }
    }

    /// Hears the case in a country. What is said is added to `said`, which is empty.
    pub(super) fn hear(&self, country: CountryCode, said: &mut Vec<Said<'a>>) -> Heard {
        let place = self.policy.places.of(country);
        let ruling = ruling(&self.case, country, |label| self.policy.is_severe(label));
        let corrected = self.corrected(&ruling);
        let shown = corrected.as_deref().unwrap_or(&self.shown);
        said.extend(
            ruling
                .lapsed
                .iter()
                .map(|lapsed| Said::new(Verdict::Review, What::Lapsed(lapsed))),
        );
        let exception = ruling.exception.and_then(|correction| match &correction.kind {
            CorrectionKind::Exception(verdict) => Some(Said::new(*verdict, What::Exception(correction))),
            CorrectionKind::WrongLabel { .. } => None,
        });
        said.extend(exception);
        let wide = ruling.partner_wide_allow();
        // An exception is over all that the policy says, but severe labels stand beside one that is partner-wide; so does a picture in which
        // nobody has looked for them.
        let overruled = |severe: bool| exception.is_some() && !(severe && wide.is_some());
        self.hear_picture(country, overruled(!self.policy.severe.labels.is_empty()), said);
        let floors = self.policy.places.floors(country);
        for one in shown {
            if !self.thorough && one.corrected.is_none() && one.score < self.floor(floors, one) {
                continue;
            }
            let uncovered = one.uncovered.or(wide.filter(|_| one.is_severe));
            let one = Shown { uncovered, ..*one };
            self.hear_label(place, one, overruled(one.is_severe), said);
        }
        self.hear_others(place, exception.is_some(), said);
        let in_force = said.iter().filter(|said| !said.outranked);
        let strictest = in_force.map(|said| said.verdict).max();
        let verdict = strictest.unwrap_or(Verdict::Allow);
        if verdict == Verdict::Allow && exception.is_none() && (self.thorough || strictest.is_none()) {
            said.extend(self.nearest((place, floors), shown, strictest.is_none()));
        }
        Heard {
            verdict,
            valid_until: self.valid_until(place, &ruling, shown),
        }
    }

    /// The score below which every rule allows a label.
    pub(super) fn floor(&self, floors: &[Probability], shown: &Shown<'_>) -> Probability {
        shown
            .number
            .and_then(|number| floors.get(number))
            .copied()
            .unwrap_or(self.default_floor)
    }

    /// The rule at a standing, where it is in force and its conditions may hold.
    pub(super) fn applying(&self, standing: &Standing) -> Option<(&'a Rule, Applies)> {
        if !standing.holds_at(self.case.at) {
            return None;
        }
        let (rule, applies) = self.answer(standing);
        (applies != Applies::No).then_some((rule, applies))
    }

    fn answer(&self, standing: &Standing) -> (&'a Rule, Applies) {
        let number = usize::from(standing.rule);
        let (rule, answer) = (&self.policy.rules[number], &self.answers[number]);
        let applies = answer.get().unwrap_or_else(|| {
            let applies = rule.when.hold(&self.circumstances());
            answer.set(Some(applies));
            applies
        });
        (rule, applies)
    }

    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            ad_type: self.case.ad_type,
            partner_id: self.case.subject.partner_id,
            product_id: self.case.subject.product_id,
            category: &self.category,
            facts: self.case.facts,
        }
    }

    /// The labels as people see them, where people said something of them: a label that a person sees counts although the model has none
    /// such, or nothing was seen at all.
    fn corrected(&self, ruling: &Ruling<'a>) -> Option<Vec<Shown<'a>>> {
        if ruling.labels.is_empty() && ruling.uncovered.is_empty() {
            return None;
        }
        let present = |label: &Label| match ruling.labels.get(label).map(|correction| &correction.kind) {
            Some(CorrectionKind::WrongLabel { present, .. }) => Some(certainty(*present)),
            Some(CorrectionKind::Exception(_)) | None => None,
        };
        let seen = self.shown.iter().map(|shown| Shown {
            score: present(shown.label).unwrap_or(shown.score),
            corrected: ruling.labels.get(shown.label).copied(),
            uncovered: ruling
                .uncovered
                .get(shown.label)
                .copied()
                .filter(|_| !ruling.labels.contains_key(shown.label)),
            ..*shown
        });
        let unseen = ruling
            .labels
            .iter()
            .filter(|(label, _)| self.shown.iter().all(|shown| shown.label != **label));
        let added = unseen.filter_map(|(&label, &correction)| {
            let score = present(label).filter(|&score| score == certainty(true))?;
            let shown = shown(self.policy, label, score);
            Some(Shown {
                given: None,
                corrected: Some(correction),
                ..shown
            })
        });
        Some(seen.chain(added).collect())
    }

    fn hear_picture(&self, country: CountryCode, outranked: bool, said: &mut Vec<Said<'a>>) {
        let (verdict, what) = match self.case.look {
            Seen::Scored([_, ..]) => return,
            Seen::Scored([]) => (Verdict::Review, What::NoScores),
            Seen::Unreadable(cause) => (self.policy.on_unreadable_picture.into(), What::Unreadable(cause)),
            Seen::Unknown => (Verdict::Review, What::Unknown),
            Seen::Imported(all) => {
                let of = |country| {
                    all.iter()
                        .filter(move |one| one.country == country)
                        .max_by_key(|one| one.verdict)
                };
                let imported = of(country).or_else(|| of(CountryCode::REST_OF_WORLD));
                imported.map_or((Verdict::Review, What::NotImported), |one| {
                    (one.verdict, What::Imported(one))
                })
            }
        };
        self.add(Said::new(verdict, what).outranked_if(outranked), said);
    }

    /// Keywords, categories, products and prices: each rule that found something says so.
    fn hear_others(&self, place: &'a Place, outranked: bool, said: &mut Vec<Said<'a>>) {
        if outranked && !self.thorough {
            return;
        }
        let has_currency = OnceCell::new();
        for standing in &place.others {
            let Some((rule, applies)) = self.applying(standing) else {
                continue;
            };
            let Some((verdict, found)) = self.found(rule, || *has_currency.get_or_init(|| self.has_currency(place)))
            else {
                continue;
            };
            let (verdict, what) = match applies {
                Applies::Yes => (verdict, What::Other { rule, found }),
                Applies::Maybe | Applies::No => {
                    let doubt = Doubt {
                        rule,
                        shown: None,
                        would_be: verdict,
                        otherwise: None,
                    };
                    (Verdict::Review, What::Doubt(doubt))
                }
            };
            self.add(Said::new(verdict, what).outranked_if(outranked), said);
        }
    }

    /// What a rule that is not about labels finds, if it applies, and what it says of that. `has_currency` says whether bounds for the
    /// price's currency are stated at all.
    fn found(&self, rule: &Rule, has_currency: impl Fn() -> bool) -> Option<(Verdict, Found)> {
        match &rule.says {
            Says::OfLabel { .. } | Says::ByDefault { .. } => None,
            Says::OfKeywords { number, verdict } => {
                let hit = self.case.subject.matched.of_rule(*number)?;
                Some(((*verdict).into(), Found::Keyword(hit)))
            }
            Says::OfCategory { verdict } => Some(((*verdict).into(), Found::Category)),
            Says::OfProduct { verdict } => Some(((*verdict).into(), Found::Product)),
            Says::OfPrice(bounds) => {
                // What is not known of an unknown product is no fault of its price.
                let known = !matches!(self.case.look, Seen::Unknown);
                let (verdict, finding) = bounds.on(self.case.subject.price).filter(|_| known)?;
                let is_judged = finding != PriceFinding::OtherCurrency || !has_currency();
                is_judged.then_some((verdict, Found::Price(finding)))
            }
        }
    }

    /// Whether a rule that certainly applies states bounds in the currency of the price.
    fn has_currency(&self, place: &Place) -> bool {
        let states = |rule: &Rule| match (&rule.says, self.case.subject.price) {
            (Says::OfPrice(bounds), Some(price)) => bounds.currency == price.currency,
            (
                Says::OfPrice(_)
                | Says::OfLabel { .. }
                | Says::ByDefault { .. }
                | Says::OfKeywords { .. }
                | Says::OfCategory { .. }
                | Says::OfProduct { .. },
                _,
            ) => false,
        };
        let mut applying = place.others.iter().filter_map(|standing| self.applying(standing));
        applying.any(|(rule, applies)| applies == Applies::Yes && states(rule))
    }

    /// Adds what was said, unless only the thorough ask for it.
    pub(super) fn add(&self, one: Said<'a>, said: &mut Vec<Said<'a>>) {
        if self.thorough || !one.outranked {
            said.push(one);
        }
    }

    /// The next moment at which a rule that may have to do with this case begins or ends, or a correction of it expires.
    fn valid_until(&self, place: &Place, ruling: &Ruling<'_>, shown: &[Shown<'a>]) -> Option<Moment> {
        let decided = ruling.exception.is_some() && ruling.partner_wide_allow().is_none();
        if !place.is_dated || decided {
            return ruling.until;
        }
        let of_labels = shown
            .iter()
            .filter_map(|shown| place.labels.get(shown.number?))
            .flatten();
        let of_others = place.others.iter().filter(|standing| {
            let rule = &self.policy.rules[usize::from(standing.rule)];
            match rule.says {
                Says::OfKeywords { number, .. } => self.case.subject.matched.of_rule(number).is_some(),
                Says::OfLabel { .. }
                | Says::ByDefault { .. }
                | Says::OfCategory { .. }
                | Says::OfProduct { .. }
                | Says::OfPrice(_) => true,
            }
        });
        let dated = of_labels.chain(of_others).filter(|standing| standing.is_dated());
        let bearing = dated.filter(|standing| self.answer(standing).1 != Applies::No);
        bearing
            .filter_map(|standing| standing.changes_after(self.case.at))
            .chain(ruling.until)
            .min()
    }
}

fn shown<'a>(policy: &Policy, label: &'a Label, score: Probability) -> Shown<'a> {
    Shown {
        label,
        number: policy.labels.binary_search(label).ok(),
        is_severe: policy.is_severe(label),
        score,
        given: Some(score),
        corrected: None,
        uncovered: None,
    }
}

/// The score of a label that is there, or is not.
fn certainty(present: bool) -> Probability {
    Probability::new(f32::from(u8::from(present))).expect("0 and 1 are probabilities")
}
