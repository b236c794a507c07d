//! Corrections: what people said of a case, and which of it holds in a country.
//!
//! A product's correction goes before a picture's and that before a partner's; one that names the country before one for all; else the
//! later before the earlier. One that is bound to what was seen and no longer sees it has lapsed: it asks for a new look.

use std::collections::BTreeMap;

use crate::base::{Correction, CorrectionKind, CorrectionScope, CountryCode, Label, Moment, Verdict};

use super::case::{Case, Seen};

/// What corrections say in one country.
#[derive(Debug, Default)]
pub(super) struct Ruling<'a> {
    /// The exception that sets the verdict.
    pub exception: Option<&'a Correction>,
    /// What people say of labels, one of each.
    pub labels: BTreeMap<&'a Label, &'a Correction>,
    /// That a severe label is not there, said for all products of a partner: it does not hold.
    pub uncovered: BTreeMap<&'a Label, &'a Correction>,
    /// Bound to what is no longer seen, and not replaced; the strongest first.
    pub lapsed: Vec<&'a Correction>,
    /// When the first of those that speak here expires.
    pub until: Option<Moment>,
}

impl<'a> Ruling<'a> {
    /// The exception where it is an ALLOW for all products of a partner, which does not cover severe labels.
    pub(super) fn partner_wide_allow(&self) -> Option<&'a Correction> {
        self.exception.filter(|exception| {
            exception.kind == CorrectionKind::Exception(Verdict::Allow) && is_partner_wide(exception)
        })
    }
}

/// What the corrections of a case say in a country.
pub(super) fn ruling<'a>(case: &Case<'a>, country: CountryCode, is_severe: impl Fn(&Label) -> bool) -> Ruling<'a> {
    let mut ruling = Ruling::default();
    if case.corrections.is_empty() {
        return ruling;
    }
    let speaking = || {
        let corrections = case.corrections.iter().copied();
        corrections.filter(|correction| correction.holds_at(case.at) && correction.covers(country))
    };
    ruling.until = speaking().filter_map(|correction| correction.expires_at).min();
    for correction in speaking().filter(|correction| !has_lapsed(correction, case)) {
        match &correction.kind {
            CorrectionKind::Exception(_) => {
                let stronger = ruling.exception.is_none_or(|other| rank(correction) > rank(other));
                ruling.exception = if stronger { Some(correction) } else { ruling.exception };
            }
            CorrectionKind::WrongLabel { label, present } => {
                let covers = *present || !is_partner_wide(correction) || !is_severe(label);
                let heard = if covers {
                    &mut ruling.labels
                } else {
                    &mut ruling.uncovered
                };
                let winner = heard.entry(label).or_insert(correction);
                if rank(correction) > rank(winner) {
                    *winner = correction;
                }
            }
        }
    }
    let is_replaced = |lapsed: &Correction| {
        let products = speaking().filter(|other| matches!(other.scope, CorrectionScope::Product(_)));
        products
            .filter(|other| !has_lapsed(other, case))
            .any(|other| other.seq > lapsed.seq)
    };
    let lapsed = speaking().filter(|correction| has_lapsed(correction, case) && !is_replaced(correction));
    ruling.lapsed = lapsed.collect();
    ruling.lapsed.sort_by(|a, b| rank(b).cmp(&rank(a)));
    ruling
}

/// What is no longer as it was when a correction was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Picture,
    Texts,
    Both,
    /// Nothing is known of the product, so it cannot be compared.
    Unknown,
}

/// What changed since a correction was given that is bound to what was seen. None where it is not bound, or nothing changed.
pub(super) fn change(correction: &Correction, case: &Case<'_>) -> Option<Change> {
    let then = correction.seen.as_ref()?;
    if matches!(case.look, Seen::Unknown) {
        return Some(Change::Unknown);
    }
    let picture = then.image_sha256 != case.subject.image_sha256;
    let texts = then.texts != case.subject.texts;
    match (picture, texts) {
        (true, true) => Some(Change::Both),
        (true, false) => Some(Change::Picture),
        (false, true) => Some(Change::Texts),
        (false, false) => None,
    }
}

fn has_lapsed(correction: &Correction, case: &Case<'_>) -> bool {
    change(correction, case).is_some()
}

fn is_partner_wide(correction: &Correction) -> bool {
    matches!(correction.scope, CorrectionScope::Partner(_))
}

/// The greater is the stronger. The id decides between what nothing else tells apart, so that their order never does.
fn rank(correction: &Correction) -> (u8, bool, u64, &str) {
    let scope = match correction.scope {
        CorrectionScope::Product(_) => 2,
        CorrectionScope::Picture(_) => 1,
        CorrectionScope::Partner(_) => 0,
    };
    (
        scope,
        !correction.countries.is_empty(),
        correction.seq,
        &correction.correction_id,
    )
}
