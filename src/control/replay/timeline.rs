//! What happened to a product: decisions on it, corrections and their ends, and what served. Each event is a moment before which things were otherwise.

use super::again::place;
use super::people::fits;
use super::states::History;
use super::words::{of_scope, said, when};
use crate::base::{Correction, CountryVerdict, Moment};
use crate::store::Changed;

/// What kind of event it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    Decision,
    Correction,
    Revocation,
    Expiry,
    Live,
    Policy,
}

impl EventKind {
    /// The name in messages and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Correction => "correction",
            Self::Revocation => "revocation",
            Self::Expiry => "expiry",
            Self::Live => "live",
            Self::Policy => "policy",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: Moment,
    pub kind: EventKind,
    pub sentence: String,
    /// Of the decision or the correction that it is about; empty where it is about neither.
    pub id: String,
    /// Of a decision.
    pub verdicts: Vec<CountryVerdict>,
}

/// Everything up to a moment, the newest first.
pub(super) fn timeline(history: &History<'_>, until: Moment) -> Vec<Event> {
    let mut events: Vec<Event> = decisions(history).collect();
    events.extend(
        history
            .corrections
            .iter()
            .flat_map(|correction| of_correction(history, correction)),
    );
    events.extend(served(history));
    events.extend(between(history, &events));
    events.retain(|event| event.at <= until);
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events
}

fn event(at: Moment, kind: EventKind, sentence: String, id: &str) -> Event {
    Event {
        at,
        kind,
        sentence,
        id: id.to_owned(),
        verdicts: Vec::new(),
    }
}

fn decisions<'h>(history: &'h History<'_>) -> impl Iterator<Item = Event> + use<'h> {
    history.decisions.iter().map(|seen| {
        let decision = &seen.decision;
        let verdicts: Vec<String> = decision
            .verdicts
            .iter()
            .map(|verdict| format!("{} in {}", verdict.verdict.as_str(), place(verdict.country)))
            .collect();
        let picture = decision.image_sha256.map_or("none".to_owned(), |sha| sha.short());
        let sentence = format!(
            "{} by {} version {} ({}), policy {}, picture {picture}",
            verdicts.join(", "),
            decision.model,
            decision.version,
            decision.revision.0.short(),
            decision.policy_version.0.short(),
        );
        Event {
            verdicts: decision.verdicts.clone(),
            ..event(
                decision.decided_at,
                EventKind::Decision,
                sentence,
                &decision.decision_id,
            )
        }
    })
}

fn of_correction(history: &History<'_>, correction: &Correction) -> Vec<Event> {
    let pictures = || history.decisions.iter().map(|seen| seen.decision.image_sha256);
    if !pictures().any(|picture| fits(correction, picture)) {
        return Vec::new();
    }
    let id = &correction.correction_id;
    let scope = of_scope(correction);
    let given = format!("{}{scope}", said(correction));
    let mut events = vec![event(correction.created_at, EventKind::Correction, given, id)];
    if let Some(revoked) = &correction.revoked {
        let sentence = format!("{} revoked what {}: {:?}", revoked.by, said(correction), revoked.reason);
        events.push(event(revoked.at, EventKind::Revocation, sentence, id));
    }
    let ended_before = |end| correction.revoked.as_ref().is_some_and(|revoked| revoked.at < end);
    if let Some(end) = correction.expires_at.filter(|end| !ended_before(*end)) {
        let sentence = format!("what {} holds no more", said(correction));
        events.push(event(end, EventKind::Expiry, sentence, id));
    }
    events
}

fn served<'h>(history: &'h History<'_>) -> impl Iterator<Item = Event> + use<'h> {
    history.served.iter().filter_map(|change| {
        let model = &change.model;
        match change.what {
            Changed::Live { from, to } => {
                let told = |side: Option<crate::store::Appointed>| {
                    side.map(|side| format!("version {} ({})", side.version, side.revision.0.short()))
                };
                let sentence = match (told(from), told(to)) {
                    (None, Some(to)) => format!("{model} {to} went live"),
                    (Some(from), Some(to)) => format!("{model} {to} went live in place of {from}"),
                    (Some(from), None) => format!("{model} {from} was taken out of service"),
                    (None, None) => return None,
                };
                Some(event(change.at, EventKind::Live, sentence, ""))
            }
            Changed::Policy { from, to } => {
                let sentence = match (from, to) {
                    (None, Some(to)) => format!("policy {} came into force", to.0.short()),
                    (Some(from), Some(to)) => {
                        format!("policy {} came into force in place of {}", to.0.short(), from.0.short())
                    }
                    (Some(from), None) => format!("policy {} went out of force", from.0.short()),
                    (None, None) => return None,
                };
                Some(event(change.at, EventKind::Policy, sentence, ""))
            }
            Changed::Shadow { .. } => None,
        }
    })
}

/// Changes of what served that no history tells of, seen from one decision to the next.
fn between(history: &History<'_>, known: &[Event]) -> Vec<Event> {
    let mut found = Vec::new();
    for pair in history.decisions.windows(2) {
        let [later, earlier] = [&pair[0].decision, &pair[1].decision];
        let is_told = |kind| {
            let mut of_kind = known.iter().filter(|event| event.kind == kind);
            of_kind.any(|event| event.at > earlier.decided_at && event.at <= later.decided_at)
        };
        let since = format!("at some time after {}", when(earlier.decided_at));
        if later.revision != earlier.revision && !is_told(EventKind::Live) {
            let sentence = format!(
                "{} version {} ({}) judges in place of version {} ({}), {since}",
                later.model,
                later.version,
                later.revision.0.short(),
                earlier.version,
                earlier.revision.0.short()
            );
            found.push(event(later.decided_at, EventKind::Live, sentence, ""));
        }
        if later.policy_version != earlier.policy_version && !is_told(EventKind::Policy) {
            let sentence = format!(
                "policy {} is in force in place of {}, {since}",
                later.policy_version.0.short(),
                earlier.policy_version.0.short()
            );
            found.push(event(later.decided_at, EventKind::Policy, sentence, ""));
        }
    }
    found
}
