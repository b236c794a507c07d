//! What machines read of a reason: where it comes from, what the score was held against, whose rule it is, and a few words that need not
//! be made.

use crate::base::{Probability, Source, Verdict};

use super::rule::{Rule, Says};
use super::said::{Doubt, OnLabel, What};
use super::words::consequence;

/// Where a reason comes from.
pub(super) fn source(what: &What<'_>) -> Source {
    match what {
        What::Exception(_) | What::Lapsed(_) => Source::Correction,
        What::Unreadable(_) => Source::Quality,
        What::Unknown | What::NoScores | What::NotImported => Source::Fallback,
        What::Imported(_) => Source::Imported,
        What::Label(on) if on.shown.corrected.is_some() => Source::Correction,
        What::Label(OnLabel { outcome, .. }) | What::Outranked { outcome, .. } => match outcome.threshold {
            Some(_) => Source::Model,
            None => Source::Rule,
        },
        What::Nearest { .. } => Source::Model,
        What::Doubt(Doubt { rule, .. }) | What::Other { rule, .. } => match rule.says {
            Says::OfLabel { .. } | Says::ByDefault { .. } => Source::Rule,
            Says::OfKeywords { .. } => Source::Keyword,
            Says::OfCategory { .. } => Source::Category,
            Says::OfProduct { .. } => Source::ProductId,
            Says::OfPrice(_) => Source::Price,
        },
    }
}

/// What the score was held against.
pub(super) fn threshold(what: &What<'_>) -> Option<Probability> {
    match what {
        What::Label(OnLabel { outcome, .. }) | What::Outranked { outcome, .. } => outcome.threshold,
        What::Nearest {
            step: (_, threshold), ..
        } => Some(*threshold),
        What::Exception(_)
        | What::Lapsed(_)
        | What::Unreadable(_)
        | What::Unknown
        | What::NoScores
        | What::Imported(_)
        | What::NotImported
        | What::Doubt(_)
        | What::Other { .. } => None,
    }
}

/// The identity of the rule or the correction that spoke.
pub(super) fn rule_id<'a>(what: &What<'a>) -> &'a str {
    match *what {
        What::Exception(correction) | What::Lapsed(correction) => &correction.correction_id,
        What::Unreadable(_) => "on_unreadable_picture",
        What::Unknown | What::NoScores | What::NotImported => "default",
        What::Imported(_) => "imported",
        What::Label(OnLabel { rule, .. })
        | What::Doubt(Doubt { rule, .. })
        | What::Outranked { rule, .. }
        | What::Other { rule, .. }
        | What::Nearest { rule, .. } => &rule.id,
    }
}

/// A reason in a few words that need not be made: the author's own, where there are some.
pub(super) fn short<'a>(what: &What<'a>, verdict: Verdict) -> &'a str {
    let by_rule = |rule: &'a Rule| rule.about.text.as_deref();
    let own = match *what {
        What::Exception(correction) => Some(correction.reason.as_str()),
        What::Label(OnLabel { rule, shown, .. }) => shown
            .corrected
            .map(|correction| correction.reason.as_str())
            .or_else(|| by_rule(rule)),
        What::Unreadable(cause) => Some(cause),
        What::Imported(imported) => Some(imported.reason.as_str()),
        What::Other { rule, .. } | What::Outranked { rule, .. } => by_rule(rule),
        What::Lapsed(_) => Some("what it was allowed for has changed"),
        What::Unknown => Some("nothing is known of this product"),
        What::NoScores => Some("there is no score to judge by"),
        What::NotImported => Some("no verdict was taken over for this country"),
        What::Doubt(_) => Some("a fact that a rule asks for is not known"),
        What::Nearest { .. } => Some("no label reaches its threshold"),
    };
    own.filter(|text| !text.is_empty())
        .unwrap_or_else(|| consequence(verdict))
}
