//! Decisions on their way out.

use std::time::SystemTime;

use prost_types::Timestamp;

use super::vigie;
use crate::base::{CountryVerdict, Decision, LabelScore, Reason, Source, Verdict};

/// A moment; one that the calendar of the wire cannot hold becomes its nearest bound.
pub fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp::from(at)
}

/// A verdict as the wire numbers it.
pub fn verdict_to_wire(verdict: Verdict) -> vigie::Verdict {
    match verdict {
        Verdict::Allow => vigie::Verdict::Allow,
        Verdict::Review => vigie::Verdict::Review,
        Verdict::Block => vigie::Verdict::Block,
    }
}

fn source_to_wire(source: Source) -> vigie::Source {
    match source {
        Source::Model => vigie::Source::Model,
        Source::Rule => vigie::Source::Rule,
        Source::Correction => vigie::Source::Correction,
        Source::Keyword => vigie::Source::Keyword,
        Source::Category => vigie::Source::Category,
        Source::ProductId => vigie::Source::ProductId,
        Source::Price => vigie::Source::Price,
        Source::Quality => vigie::Source::Quality,
        Source::Fallback => vigie::Source::Fallback,
        Source::Imported => vigie::Source::Imported,
    }
}

impl From<Reason> for vigie::Reason {
    fn from(reason: Reason) -> Self {
        Self {
            source: source_to_wire(reason.source).into(),
            label: reason.label.map(String::from).unwrap_or_default(),
            score: reason.score.map(f32::from),
            threshold: reason.threshold.map(f32::from),
            rule: reason.rule,
            text: reason.text,
            losing: reason.losing,
        }
    }
}

impl From<CountryVerdict> for vigie::CountryVerdict {
    fn from(verdict: CountryVerdict) -> Self {
        Self {
            country: verdict.country.as_str().to_owned(),
            verdict: verdict_to_wire(verdict.verdict).into(),
            reasons: verdict.reasons.into_iter().map(Into::into).collect(),
            valid_until: verdict.valid_until.map(|at| timestamp(at.into())),
        }
    }
}

impl From<LabelScore> for vigie::Score {
    fn from(score: LabelScore) -> Self {
        Self {
            label: score.label.into(),
            probability: score.probability.get(),
        }
    }
}

impl From<Decision> for vigie::Decision {
    fn from(decision: Decision) -> Self {
        Self {
            decision_id: decision.decision_id,
            verdicts: decision.verdicts.into_iter().map(Into::into).collect(),
            scores: decision.scores.into_iter().map(Into::into).collect(),
            model: decision.model.to_string(),
            version: decision.version.get(),
            revision: decision.revision.to_string(),
            policy_version: decision.policy_version.to_string(),
            correction_seq: decision.correction_seq,
            arm: decision.arm.as_str().to_owned(),
            image_sha256: decision
                .image_sha256
                .map(|digest| digest.to_string())
                .unwrap_or_default(),
            known_picture: decision.known_picture,
            trace_id: decision.trace_id,
            decided_at: Some(timestamp(decision.decided_at.into())),
        }
    }
}
