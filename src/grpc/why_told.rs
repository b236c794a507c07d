//! What replays and the search for culprits found, in messages.

use crate::base::{CountryCode, CountryVerdict, Moment};
use crate::control::{Culprit, EndTold, Event, Replayed, ReplayedPart, ReplayedScore, ReplayedVerdict, Tried, Why};
use crate::wire::{Timestamp, timestamp, verdict_to_wire, vigie};

fn at(moment: Moment) -> Option<Timestamp> {
    Some(timestamp(moment.into()))
}

fn code(country: CountryCode) -> String {
    country.as_str().to_owned()
}

fn told<A, B: From<A>>(all: impl IntoIterator<Item = A>) -> Vec<B> {
    all.into_iter().map(B::from).collect()
}

impl From<Replayed> for vigie::ReplayResponse {
    fn from(replayed: Replayed) -> Self {
        Self {
            decision_id: replayed.decision_id,
            reproduced: replayed.reproduced,
            same_bits: replayed.same_bits,
            sentence: replayed.sentence,
            parts: told(replayed.parts),
            scores: told(replayed.scores),
            verdicts: told(replayed.verdicts),
        }
    }
}

impl From<ReplayedPart> for vigie::ReplayedPart {
    fn from(part: ReplayedPart) -> Self {
        Self {
            part: part.part.to_owned(),
            outcome: part.outcome.as_str().to_owned(),
            sentence: part.sentence,
        }
    }
}

impl From<ReplayedScore> for vigie::ReplayedScore {
    fn from(score: ReplayedScore) -> Self {
        Self {
            label: score.label.into(),
            recorded: score.recorded,
            again: score.again,
        }
    }
}

impl From<ReplayedVerdict> for vigie::ReplayedVerdict {
    fn from(verdict: ReplayedVerdict) -> Self {
        let (recorded, recorded_rule) = verdict.recorded;
        let (again, again_rule) = match verdict.again {
            Some((again, rule)) => (verdict_to_wire(again), rule),
            None => (vigie::Verdict::Unspecified, String::new()),
        };
        Self {
            country: code(verdict.country),
            recorded: verdict_to_wire(recorded).into(),
            recorded_rule,
            again: again.into(),
            again_rule,
        }
    }
}

impl From<Why> for vigie::WhyResponse {
    fn from(why: Why) -> Self {
        Self {
            answer: why.answer,
            before: why.before.map(Into::into),
            after: Some(why.after.into()),
            culprits: told(why.culprits),
            tried: told(why.tried),
            replay: Some(why.replay.into()),
            timeline: told(why.timeline),
        }
    }
}

impl From<EndTold> for vigie::ComparedState {
    fn from(end: EndTold) -> Self {
        Self {
            at: at(end.at),
            decision_id: end.decision_id.unwrap_or_default(),
            model: end.model.to_string(),
            version: end.version.get(),
            revision: end.revision.to_string(),
            policy_version: end.policy_version.to_string(),
            image_sha256: end.image_sha256.map(|sha| sha.to_string()).unwrap_or_default(),
            verdicts: told(end.verdicts),
        }
    }
}

impl From<Culprit> for vigie::Culprit {
    fn from(culprit: Culprit) -> Self {
        let sets = culprit.sets.iter().map(|parts| vigie::PartSet {
            parts: parts.iter().map(|part| part.as_str().to_owned()).collect(),
        });
        Self {
            sets: sets.collect(),
            countries: culprit.countries.into_iter().map(code).collect(),
            sentence: culprit.sentence,
        }
    }
}

impl From<Tried> for vigie::TriedPart {
    fn from(tried: Tried) -> Self {
        Self {
            part: tried.part.as_str().to_owned(),
            differs: tried.differs,
            before: tried.before,
            after: tried.after,
            put_back: tried.put_back.map(trial),
            put_in: tried.put_in.map(trial),
        }
    }
}

fn trial(outcome: Result<Vec<CountryVerdict>, String>) -> vigie::Trial {
    match outcome {
        Ok(verdicts) => vigie::Trial {
            verdicts: told(verdicts),
            untried: String::new(),
        },
        Err(untried) => vigie::Trial {
            verdicts: Vec::new(),
            untried,
        },
    }
}

impl From<Event> for vigie::TimelineEvent {
    fn from(event: Event) -> Self {
        Self {
            at: at(event.at),
            kind: event.kind.as_str().to_owned(),
            sentence: event.sentence,
            id: event.id,
            verdicts: told(event.verdicts),
        }
    }
}
