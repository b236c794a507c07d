//! A decision made again, part by part, and held against the record.

use super::Desk;
use super::lab::{Lab, Look};
use super::part::Side;
use super::people::{bearing, known_to};
use super::states::{Bench, policy};
use crate::base::{Correction, CountryCode, CountryVerdict, Label, LabelScore, Origin, Recorded, Refusal, Verdict};
use crate::policy::Policy;

/// What came of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Reproduced,
    Differs,
    /// Something that it needs is not there any more.
    CannotBe,
}

impl Outcome {
    /// The name in messages and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Differs => "differs",
            Self::CannotBe => "cannot be",
        }
    }
}

/// One part of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedPart {
    /// `picture`, `scores`, `policy`, `corrections` or `verdicts`.
    pub part: &'static str,
    pub outcome: Outcome,
    /// In plain words; where it cannot be, what to do.
    pub sentence: String,
}

/// A label's score as it is recorded, and as it came out again.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedScore {
    pub label: Label,
    pub recorded: Option<f32>,
    pub again: Option<f32>,
}

/// A country's verdict as it is recorded, and as it came out again, each with the rule that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayedVerdict {
    pub country: CountryCode,
    pub recorded: (Verdict, String),
    pub again: Option<(Verdict, String)>,
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    pub decision_id: String,
    /// Every part came out as it is recorded.
    pub reproduced: bool,
    /// The scores did to the last bit.
    pub same_bits: bool,
    pub sentence: String,
    pub parts: Vec<ReplayedPart>,
    pub scores: Vec<ReplayedScore>,
    pub verdicts: Vec<ReplayedVerdict>,
}

/// Makes a decision again.
pub(super) fn replay(desk: &Desk, recorded: &Recorded) -> Result<Replayed, Refusal> {
    let decision_id = recorded.decision.decision_id.clone();
    if recorded.origin == Origin::Imported {
        let sentence = format!(
            "Decision {decision_id} was taken over from another system: there is nothing to replay. Classify the product to have it judged here."
        );
        return Ok(Replayed {
            decision_id,
            reproduced: false,
            same_bits: false,
            sentence,
            parts: Vec::new(),
            scores: Vec::new(),
            verdicts: Vec::new(),
        });
    }
    let mut lab = Lab::new(desk);
    let picture = picture(&mut lab, recorded);
    desk.check()?;
    let looked = look(&mut lab, recorded);
    let (scores, same_bits) = scores(&mut lab, recorded, &looked);
    desk.check()?;
    let (people, corrections) = people(desk, recorded)?;
    let found = policy(desk, &recorded.decision.model, recorded.decision.policy_version);
    let rules = match &found {
        Ok(policy) => ReplayedPart {
            part: "policy",
            outcome: Outcome::Reproduced,
            sentence: format!("the text of policy {} is kept", policy.version().0.short()),
        },
        Err(why) => cannot_be("policy", why.clone()),
    };
    // Where they cannot be had again, those on record are judged.
    let look = looked.clone().unwrap_or_else(|_| Look::of(recorded));
    let judged = |look: &Look| {
        found
            .as_ref()
            .ok()
            .map(|policy| judge(recorded, policy, &corrections, look))
    };
    let again = judged(&look);
    let by_scores = looked.is_ok() && judged(&Look::of(recorded)).as_ref() == Some(&recorded.decision.verdicts);
    let verdicts = verdicts(recorded, again.as_deref(), (looked.is_ok(), by_scores));
    let parts = vec![picture, scores, rules, people, verdicts];
    Ok(Replayed {
        reproduced: parts.iter().all(|part| part.outcome == Outcome::Reproduced),
        same_bits,
        sentence: summary(&decision_id, same_bits, &parts),
        scores: beside(recorded, &looked),
        verdicts: pairs(recorded, again.as_deref()),
        decision_id,
        parts,
    })
}

fn cannot_be(part: &'static str, sentence: String) -> ReplayedPart {
    ReplayedPart {
        part,
        outcome: Outcome::CannotBe,
        sentence,
    }
}

fn picture(lab: &mut Lab<'_>, recorded: &Recorded) -> ReplayedPart {
    let reproduced = |sentence| ReplayedPart {
        part: "picture",
        outcome: Outcome::Reproduced,
        sentence,
    };
    let Some(sha) = recorded.decision.image_sha256 else {
        return reproduced("the product had no picture".to_owned());
    };
    match lab.picture(sha) {
        Ok(bytes) => reproduced(format!("{} is kept, with all its {} bytes", sha.short(), bytes.len())),
        Err(_) if recorded.unreadable.is_some() => cannot_be(
            "picture",
            format!(
                "{} could not be read then, and such a picture is not kept; the verdicts follow from the cause that is recorded",
                sha.short()
            ),
        ),
        Err(why) => cannot_be("picture", why),
    }
}

fn look(lab: &mut Lab<'_>, recorded: &Recorded) -> Result<Look, String> {
    let decision = &recorded.decision;
    let side = Side {
        model: decision.model.clone(),
        version: decision.version,
        revision: decision.revision,
    };
    lab.look_again(decision.image_sha256, &side, &side)
}

/// What came of looking again, and whether every bit is the same.
fn scores(lab: &mut Lab<'_>, recorded: &Recorded, looked: &Result<Look, String>) -> (ReplayedPart, bool) {
    let look = match looked {
        Ok(look) => look,
        Err(_) if recorded.unreadable.is_some() => {
            let why = "there were none, and nothing is left to look at again";
            return (cannot_be("scores", why.to_owned()), false);
        }
        Err(why) => return (cannot_be("scores", why.clone()), false),
    };
    let (outcome, sentence, same_bits) = match (&Look::of(recorded), look) {
        (Look::Scored(then), Look::Scored(now)) => scored(lab, recorded, then, now),
        (Look::Unreadable(then), Look::Unreadable(now)) if then == now => {
            let sentence = format!("the picture cannot be judged again, as then: {now}");
            (Outcome::Reproduced, sentence, true)
        }
        (Look::Unreadable(then), Look::Unreadable(now)) => {
            let sentence = format!("the picture cannot be judged for another cause: {now}; then it was: {then}");
            (Outcome::Differs, sentence, false)
        }
        (Look::Unreadable(then), Look::Scored(_)) => {
            let sentence = format!("the picture can be judged now; then it could not: {then}");
            (Outcome::Differs, sentence, false)
        }
        (Look::Scored(_), Look::Unreadable(now)) => {
            let sentence = format!("the picture cannot be judged now: {now}; then it could");
            (Outcome::Differs, sentence, false)
        }
    };
    let part = ReplayedPart {
        part: "scores",
        outcome,
        sentence,
    };
    (part, same_bits)
}

/// Scores beside those on record: whether they are the same, in words, and whether to the last bit.
fn scored(lab: &mut Lab<'_>, recorded: &Recorded, then: &[LabelScore], now: &[LabelScore]) -> (Outcome, String, bool) {
    let decision = &recorded.decision;
    let version = format!("version {} ({})", decision.version, decision.revision.0.short());
    let Some(largest) = largest_difference(then, now) else {
        let sentence = format!("{version} gives other labels than are recorded");
        return (Outcome::Differs, sentence, false);
    };
    if same_bits(then, now) {
        let sentence = format!("{version} gives the same {} scores, bit for bit", then.len());
        return (Outcome::Reproduced, sentence, true);
    }
    let tolerance = lab
        .manifest(&decision.revision)
        .map(|manifest| manifest.golden.tolerance);
    match tolerance.filter(|tolerance| largest <= *tolerance) {
        Some(tolerance) => {
            let sentence = format!(
                "{version} gives scores that differ by {largest:e} at most, within its tolerance of {tolerance}: another processor or ONNX Runtime \
                 computes them now"
            );
            (Outcome::Reproduced, sentence, false)
        }
        None => {
            let sentence = format!("{version} gives scores that differ by up to {largest:.4}");
            (Outcome::Differs, sentence, false)
        }
    }
}

fn same_bits(a: &[LabelScore], b: &[LabelScore]) -> bool {
    let bits = |scores: &[LabelScore]| {
        scores
            .iter()
            .map(|score| score.probability.get().to_bits())
            .collect::<Vec<_>>()
    };
    bits(a) == bits(b)
}

/// The largest difference of a probability; none where the labels are others.
fn largest_difference(a: &[LabelScore], b: &[LabelScore]) -> Option<f32> {
    let same_labels = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.label == b.label);
    let differences = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a.probability.get() - b.probability.get()).abs());
    same_labels.then(|| differences.fold(0.0, f32::max))
}

fn people(desk: &Desk, recorded: &Recorded) -> Result<(ReplayedPart, Vec<Correction>), Refusal> {
    let decision = &recorded.decision;
    let pictures: Vec<_> = decision.image_sha256.into_iter().collect();
    let all = bearing(desk, recorded, &pictures)?;
    let then = known_to(&all, decision.correction_seq, decision.decided_at);
    let last = desk.wait(desk.records().last_seq())?;
    let part = if last < decision.correction_seq {
        cannot_be(
            "corrections",
            format!(
                "the decision took acts up to {} into account, and the record ends with {last}: it was written to another store, or to one that was restored",
                decision.correction_seq
            ),
        )
    } else {
        let sentence = match then.len() {
            0 => "none bore on the product".to_owned(),
            1 => "the one that was in force is on record".to_owned(),
            many => format!("the {many} that were in force are on record"),
        };
        ReplayedPart {
            part: "corrections",
            outcome: Outcome::Reproduced,
            sentence,
        }
    };
    Ok((part, then))
}

fn judge(recorded: &Recorded, policy: &Policy, corrections: &[Correction], look: &Look) -> Vec<CountryVerdict> {
    let bench = Bench {
        at: recorded.decision.decided_at,
        countries: &recorded.countries,
        seen: recorded,
        picture: recorded.decision.image_sha256,
        policy,
        corrections,
    };
    bench.judge(look)
}

/// `by_scores`: on the scores that are recorded they come out as recorded.
fn verdicts(
    recorded: &Recorded,
    again: Option<&[CountryVerdict]>,
    (looked_again, by_scores): (bool, bool),
) -> ReplayedPart {
    let then = &recorded.decision.verdicts;
    let Some(again) = again else {
        return cannot_be("verdicts", "there is no policy to judge by".to_owned());
    };
    let told = |outcome, sentence| ReplayedPart {
        part: "verdicts",
        outcome,
        sentence,
    };
    let of = if looked_again {
        ""
    } else {
        " on the scores that are recorded"
    };
    if then == again {
        return told(
            Outcome::Reproduced,
            format!("the same{of}, and the same reasons, word for word"),
        );
    }
    let pairs = || then.iter().zip(again);
    let different: Vec<String> = pairs()
        .filter(|(then, now)| (then.country, then.verdict, rule(then)) != (now.country, now.verdict, rule(now)))
        .map(|(then, now)| {
            format!(
                "{} is {} by {}, and recorded as {} by {}",
                place(then.country),
                now.verdict.as_str(),
                rule(now),
                then.verdict.as_str(),
                rule(then)
            )
        })
        .collect();
    if then.len() == again.len() && different.is_empty() {
        return told(
            Outcome::Reproduced,
            format!("the same{of}, by the same rules; reasons are worded otherwise"),
        );
    }
    let cause = if by_scores {
        "the scores make the difference"
    } else {
        "the scores do not make the difference: this program judges otherwise than the one that decided, or a correction was in force on that server before \
         it was on record"
    };
    told(Outcome::Differs, format!("{}; {cause}", different.join("; ")))
}

/// The rule that made a verdict.
pub(super) fn rule(verdict: &CountryVerdict) -> &str {
    verdict.reasons.first().map_or("", |reason| reason.rule.as_str())
}

/// A country in a sentence.
pub(super) fn place(country: CountryCode) -> String {
    if country == CountryCode::REST_OF_WORLD {
        "the rest of the world".to_owned()
    } else {
        country.to_string()
    }
}

fn beside(recorded: &Recorded, looked: &Result<Look, String>) -> Vec<ReplayedScore> {
    let now: &[LabelScore] = match looked {
        Ok(Look::Scored(scores)) => scores,
        Ok(Look::Unreadable(_)) | Err(_) => &[],
    };
    let of = |scores: &[LabelScore], label: &Label| {
        let found = scores.iter().find(|score| score.label == *label);
        found.map(|score| score.probability.get())
    };
    let then = &recorded.decision.scores;
    let new = now.iter().filter(|score| of(then, &score.label).is_none());
    let labels = then.iter().chain(new).map(|score| score.label.clone());
    labels
        .map(|label| ReplayedScore {
            recorded: of(then, &label),
            again: of(now, &label),
            label,
        })
        .collect()
}

fn pairs(recorded: &Recorded, again: Option<&[CountryVerdict]>) -> Vec<ReplayedVerdict> {
    let told = |verdict: &CountryVerdict| (verdict.verdict, rule(verdict).to_owned());
    let then = recorded.decision.verdicts.iter();
    then.map(|then| ReplayedVerdict {
        country: then.country,
        recorded: told(then),
        again: again
            .and_then(|again| again.iter().find(|now| now.country == then.country))
            .map(told),
    })
    .collect()
}

fn summary(decision_id: &str, same_bits: bool, parts: &[ReplayedPart]) -> String {
    let of = |outcome| {
        let found = parts.iter().filter(move |part| part.outcome == outcome);
        found
            .map(|part| format!("{}: {}", part.part, part.sentence))
            .collect::<Vec<_>>()
            .join(". ")
    };
    let (differs, missing) = (of(Outcome::Differs), of(Outcome::CannotBe));
    match (differs.as_str(), missing.as_str()) {
        ("", "") if same_bits => {
            format!("Decision {decision_id} is reproduced: the same scores, bit for bit, and the same verdicts.")
        }
        ("", "") => {
            format!("Decision {decision_id} is reproduced, its scores within the tolerance: the same verdicts.")
        }
        ("", missing) => format!("Decision {decision_id} cannot be reproduced as a whole. {missing}."),
        (differs, "") => format!("Decision {decision_id} comes out otherwise. {differs}."),
        (differs, missing) => format!("Decision {decision_id} comes out otherwise. {differs}. {missing}."),
    }
}
