//! What rules on labels do with scores: `review` and `block`, or a `verdict` with the score that it holds `from`.

use crate::base::{Probability, Verdict};

use super::super::rule::{Effect, Strict};
use super::mistakes::{Mistakes, Spot};
use super::section::{Entry, Section};
use super::values::{as_number, as_verdict};

/// Takes the keys of an effect out of a rule's table.
pub(super) fn effect(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Effect> {
    match section.take("verdict") {
        Some(verdict) => fixed(&verdict, section, mistakes),
        None => graded(section, mistakes),
    }
}

fn graded(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Effect> {
    let review = threshold("review", section, mistakes);
    let block = threshold("block", section, mistakes);
    let ((review, spot), (block, _)) = (review?, block?);
    if review.get() >= 1.0 {
        return mistakes.note(
            &spot,
            "1 would let everything pass but certainty; write less than 1, or verdict = \"ALLOW\"",
        );
    }
    if review > block {
        let problem = format!(
            "{} is above block ({}); write review <= block",
            review.get(),
            block.get()
        );
        return mistakes.note(&spot, problem);
    }
    Some(Effect::Graded { review, block })
}

fn fixed(entry: &Entry<'_>, section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Effect> {
    let verdict = match as_verdict(entry) {
        Some(Verdict::Allow) => return Some(Effect::Allow),
        Some(Verdict::Review) => Strict::Review,
        Some(Verdict::Block) => Strict::Block,
        None => {
            section.take("from");
            let problem = format!(
                "{} is not a verdict; write \"ALLOW\", \"REVIEW\" or \"BLOCK\"",
                entry.shown()
            );
            return mistakes.note(&entry.spot, problem);
        }
    };
    let (from, _) = threshold("from", section, mistakes)?;
    Some(Effect::Step { verdict, from })
}

/// A number above 0 and at most 1, also after rounding to the precision of scores.
fn threshold(name: &str, section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<(Probability, Spot)> {
    let Some(entry) = section.take(name) else {
        return mistakes.note(
            &section.missing(name),
            "missing; write a threshold above 0 and at most 1",
        );
    };
    let Some(number) = as_number(&entry) else {
        let problem = format!(
            "{} is not a number; write a threshold above 0 and at most 1",
            entry.shown()
        );
        return mistakes.note(&entry.spot, problem);
    };
    let problem = match Probability::new(number as f32) {
        Some(threshold) if threshold.get() > 0.0 && number <= 1.0 => return Some((threshold, entry.spot)),
        Some(_) if number > 0.0 => format!("{number} is too near to 0 or 1 to be told from it; write fewer digits"),
        Some(_) => format!("{number} would catch every picture; write a threshold above 0 and at most 1"),
        None => format!("{number} is not a probability; write a threshold above 0 and at most 1"),
    };
    mistakes.note(&entry.spot, problem)
}
