//! The same precedence once more, slowly and without cleverness: what the fast road is held against.

use std::collections::BTreeSet;

use super::super::conditions::{FactCondition, FactTest};
use super::super::fold::fold;
use super::super::price::Amount;
use super::super::rule::{Effect, Rule, Says};
use super::super::zones::countries;
use super::*;

/// A country's verdict by the rules and by what people said.
pub(super) fn verdict(policy: &Policy, case: &Case<'_>, country: CountryCode) -> Verdict {
    let speaks = |one: &&Correction| one.holds_at(case.at) && one.covers(country);
    let in_force: Vec<&Correction> = case.corrections.iter().copied().filter(speaks).collect();
    let fresh: Vec<&Correction> = in_force.iter().copied().filter(|one| !has_lapsed(one, case)).collect();
    let picture = picture(policy, case, country);
    let labels = labels(policy, case, &fresh).into_iter();
    let by_label: Vec<(Label, Verdict)> = labels
        .map(|score| (score.label.clone(), label_verdict(policy, case, country, &score)))
        .collect();
    let exceptions = fresh.iter().filter_map(|one| match one.kind {
        CorrectionKind::Exception(verdict) => Some((*one, verdict)),
        CorrectionKind::WrongLabel { .. } => None,
    });
    let mut verdict = match exceptions.max_by_key(|(one, _)| strength(one)) {
        Some((one, Verdict::Allow)) if is_wide(one) && !policy.severe().is_empty() => {
            let severe = by_label.iter().filter(|(label, _)| policy.severe().contains(label));
            severe
                .map(|(_, verdict)| *verdict)
                .chain(picture)
                .max()
                .unwrap_or(ALLOW)
        }
        Some((_, verdict)) => verdict,
        None => {
            let labels = by_label.iter().map(|(_, verdict)| *verdict);
            labels
                .chain(picture)
                .chain(others(policy, case, country))
                .max()
                .unwrap_or(ALLOW)
        }
    };
    for lapsed in in_force.iter().filter(|one| has_lapsed(one, case)) {
        let is_later = |one: &&Correction| matches!(one.scope, CorrectionScope::Product(_)) && one.seq > lapsed.seq;
        if !fresh.iter().any(is_later) {
            verdict = verdict.max(REVIEW);
        }
    }
    verdict
}

/// The greater is the stronger.
fn strength(one: &Correction) -> (u8, bool, u64) {
    let scope = match one.scope {
        CorrectionScope::Product(_) => 3,
        CorrectionScope::Picture(_) => 2,
        CorrectionScope::Partner(_) => 1,
    };
    (scope, !one.countries.is_empty(), one.seq)
}

fn is_wide(one: &Correction) -> bool {
    matches!(one.scope, CorrectionScope::Partner(_))
}

/// The scores, as people corrected them.
fn labels(policy: &Policy, case: &Case<'_>, fresh: &[&Correction]) -> Vec<LabelScore> {
    let mut labels: Vec<LabelScore> = match case.look {
        Seen::Scored(scores) => scores.to_vec(),
        Seen::Unreadable(_) | Seen::Unknown | Seen::Imported(_) => Vec::new(),
    };
    let mut winners: Vec<(&Label, &Correction, bool)> = Vec::new();
    for one in fresh {
        let CorrectionKind::WrongLabel { label, present } = &one.kind else {
            continue;
        };
        let covers = *present || !is_wide(one) || !policy.severe().contains(label);
        let is_beaten = winners
            .iter()
            .any(|(other, winner, _)| other == &label && strength(winner) > strength(one));
        if covers && !is_beaten {
            winners.retain(|(other, ..)| other != &label);
            winners.push((label, one, *present));
        }
    }
    for (label, _, present) in winners {
        let has_it = labels.iter().any(|score| score.label == *label);
        labels.retain(|score| score.label != *label);
        if has_it || present {
            labels.push(score(label.as_str(), if present { 1.0 } else { 0.0 }));
        }
    }
    labels
}

/// The verdict of what came of looking at the picture, where that was no scores.
fn picture(policy: &Policy, case: &Case<'_>, country: CountryCode) -> Option<Verdict> {
    match case.look {
        Seen::Scored([]) | Seen::Unknown => Some(REVIEW),
        Seen::Scored(_) => None,
        Seen::Unreadable(_) => Some(policy.on_unreadable_picture.into()),
        Seen::Imported(all) => {
            let of = |country| {
                all.iter()
                    .filter(|one| one.country == country)
                    .map(|one| one.verdict)
                    .max()
            };
            Some(of(country).or(of(CountryCode::REST_OF_WORLD)).unwrap_or(REVIEW))
        }
    }
}

fn has_lapsed(one: &Correction, case: &Case<'_>) -> bool {
    one.seen.is_some_and(|seen| {
        matches!(case.look, Seen::Unknown)
            || seen.image_sha256 != case.subject.image_sha256
            || seen.texts != case.subject.texts
    })
}

/// Every way in which rules whose facts are unknown may apply or not; a REVIEW where they do not agree.
fn label_verdict(policy: &Policy, case: &Case<'_>, country: CountryCode, score: &LabelScore) -> Verdict {
    let on_label = |rule: &&Rule| rule.label().is_some_and(|number| policy.labels[number] == score.label);
    let rules: Vec<(&Rule, Option<bool>)> = policy
        .rules
        .iter()
        .filter(on_label)
        .map(|rule| (rule, applies(policy, rule, case, country)))
        .collect();
    let unknown: Vec<&Rule> = rules
        .iter()
        .filter(|(_, applies)| applies.is_none())
        .map(|(rule, _)| *rule)
        .collect();
    let mut verdicts = BTreeSet::new();
    for ways in 0..(1_u32 << unknown.len()) {
        let applies_now = |rule: &Rule, applies: Option<bool>| {
            applies.unwrap_or_else(|| {
                unknown
                    .iter()
                    .position(|other| other.id == rule.id)
                    .is_some_and(|bit| ways >> bit & 1 == 1)
            })
        };
        let applying: Vec<&Rule> = rules
            .iter()
            .filter(|(rule, applies)| applies_now(rule, *applies))
            .map(|(rule, _)| *rule)
            .collect();
        let strongest = applying.iter().map(|rule| specificity(policy, rule, country)).max();
        let speaking = applying
            .iter()
            .filter(|rule| Some(specificity(policy, rule, country)) == strongest);
        let verdict = speaking
            .map(|rule| outcome(rule.effect().unwrap(), score.probability.get()))
            .max();
        verdicts.insert(
            verdict.unwrap_or_else(|| outcome(policy.default_rule().effect().unwrap(), score.probability.get())),
        );
    }
    if verdicts.len() == 1 {
        *verdicts.first().unwrap()
    } else {
        REVIEW
    }
}

fn outcome(effect: Effect, score: f32) -> Verdict {
    match effect {
        Effect::Allow => ALLOW,
        Effect::Step { verdict, from } if score >= from.get() => verdict.into(),
        Effect::Graded { block, .. } if score >= block.get() => BLOCK,
        Effect::Graded { review, .. } if score >= review.get() => REVIEW,
        Effect::Step { .. } | Effect::Graded { .. } => ALLOW,
    }
}

/// The greater is the more specific: product, partner, country, smaller group, larger group, world; ad type; facts.
fn specificity(policy: &Policy, rule: &Rule, country: CountryCode) -> (bool, bool, i64, bool, usize) {
    let place = if rule.scope.countries.contains(&country) {
        1_000
    } else {
        let groups = rule.scope.groups.iter().map(|&group| &policy.groups[group].countries);
        groups
            .filter(|members| members.contains(&country))
            .map(|members| 500 - members.len() as i64)
            .max()
            .unwrap_or(0)
    };
    let facts = rule.when.facts.len() + usize::from(rule.when.categories.is_some());
    (
        !rule.when.products.is_empty(),
        !rule.when.partners.is_empty(),
        place,
        !rule.when.ad_types.is_empty(),
        facts,
    )
}

/// Whether a rule applies; None where a fact is missing.
fn applies(policy: &Policy, rule: &Rule, case: &Case<'_>, country: CountryCode) -> Option<bool> {
    let scope = &rule.scope;
    let here = (scope.countries.is_empty() && scope.groups.is_empty())
        || scope.countries.contains(&country)
        || scope
            .groups
            .iter()
            .any(|&group| policy.groups[group].countries.contains(&country));
    let when = &rule.when;
    let subject = &case.subject;
    let ad_type = when.ad_types.is_empty() || when.ad_types.contains(&case.ad_type.to_lowercase());
    let partner = when.partners.is_empty() || when.partners.iter().any(|one| one == subject.partner_id);
    let product = when.products.is_empty()
        || when
            .products
            .iter()
            .any(|key| key.partner_id == subject.partner_id && key.product_id == subject.product_id);
    let steps = |path: &str| path.split('>').map(fold).collect::<Vec<_>>();
    let category = when.categories.as_ref().is_none_or(|categories| {
        !subject.category.is_empty()
            && categories
                .written
                .iter()
                .any(|one| steps(subject.category).starts_with(&steps(one)))
    });
    if !(here && is_in_force(rule, case.at, country) && ad_type && partner && product && category) {
        return Some(false);
    }
    let facts: Vec<Option<bool>> = when.facts.iter().map(|condition| fact_holds(condition, case)).collect();
    if facts.contains(&Some(false)) {
        return Some(false);
    }
    if facts.contains(&None) { None } else { Some(true) }
}

fn fact_holds(condition: &FactCondition, case: &Case<'_>) -> Option<bool> {
    let facts = &case.facts;
    let value = facts
        .given
        .get(&condition.fact)
        .or(facts.known.get(&condition.fact))
        .filter(|value| !value.is_empty())?;
    match &condition.test {
        FactTest::OneOf(values) => Some(values.contains(value)),
        FactTest::NoneOf(values) => Some(!values.contains(value)),
        FactTest::Within { at_least, below } => {
            let number: f64 = value.parse().ok()?;
            Some(at_least.is_none_or(|least| least <= number) && below.is_none_or(|bound| number < bound))
        }
    }
}

/// By what the clocks of the country show.
fn is_in_force(rule: &Rule, at: Moment, country: CountryCode) -> bool {
    let zone = countries()
        .find(|(other, _)| *other == country)
        .map_or("UTC", |(_, zone)| zone);
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
    let today = jiff::Timestamp::from_microsecond(at.micros())
        .unwrap()
        .to_zoned(zone)
        .date();
    rule.dates.starts.is_none_or(|starts| starts <= today) && rule.dates.ends.is_none_or(|ends| today <= ends)
}

/// The verdicts of all rules that are not about labels.
fn others(policy: &Policy, case: &Case<'_>, country: CountryCode) -> Vec<Verdict> {
    let subject = &case.subject;
    let states_currency = policy.rules.iter().any(|rule| match &rule.says {
        Says::OfPrice(bounds) => {
            applies(policy, rule, case, country) == Some(true)
                && subject.price.is_some_and(|price| price.currency == bounds.currency)
        }
        Says::OfLabel { .. }
        | Says::ByDefault { .. }
        | Says::OfKeywords { .. }
        | Says::OfCategory { .. }
        | Says::OfProduct { .. } => false,
    });
    let mut verdicts = Vec::new();
    for rule in &policy.rules {
        let said: Option<Verdict> = match &rule.says {
            Says::OfLabel { .. } | Says::ByDefault { .. } => None,
            Says::OfKeywords { number, verdict } => subject.matched.of_rule(*number).map(|_| (*verdict).into()),
            Says::OfCategory { verdict } | Says::OfProduct { verdict } => Some((*verdict).into()),
            Says::OfPrice(_) if matches!(case.look, Seen::Unknown) => None,
            Says::OfPrice(bounds) => match subject.price {
                None => Some(REVIEW),
                Some(price) if price.units < 0 || (price.units == 0 && price.nanos <= 0) => Some(REVIEW),
                Some(price) if price.currency != bounds.currency => (!states_currency).then_some(REVIEW),
                Some(price) => {
                    let amount = Amount::of(price);
                    let out = bounds.min.is_some_and(|min| amount < min) || bounds.max.is_some_and(|max| amount > max);
                    let far = bounds
                        .median
                        .is_some_and(|(median, share)| amount < median.times(share));
                    if out {
                        Some(bounds.verdict.into())
                    } else {
                        far.then_some(REVIEW)
                    }
                }
            },
        };
        match (said, applies(policy, rule, case, country)) {
            (Some(verdict), Some(true)) => verdicts.push(verdict),
            (Some(_), None) => verdicts.push(REVIEW),
            (Some(_), Some(false)) | (None, _) => {}
        }
    }
    verdicts
}
