//! The text of a policy file to a `Policy`, or to everything that is wrong with it.
//!
//! The file is walked by hand rather than derived, for two reasons: all mistakes are told at once, and each says what to write
//! instead. Keys that are not known are mistakes, so a misspelt threshold cannot silently fall back to another.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use toml::Value;

use crate::base::{CountryCode, Digest, Label, PolicyVersion, Probability, Verdict};

use super::Policy;
use super::rule::{Effect, Rule, Strict};
use super::section::{Mistakes, PolicyError, Section};

/// Far above any policy that people wrote, far below what could trouble the server.
const MAX_BYTES: usize = 1024 * 1024;
/// The longest sentence of a rule, in characters: it is repeated in answers.
const MAX_TEXT: usize = 500;
/// The only file format there is so far.
const FORMAT: i64 = 1;

pub(super) fn parse(text: &str) -> Result<Policy, PolicyError> {
    let mut mistakes = Mistakes::default();
    let policy = read(text, &mut mistakes);
    match policy {
        Some(policy) if mistakes.0.is_empty() => Ok(policy),
        Some(_) | None => Err(PolicyError { mistakes: mistakes.0 }),
    }
}

/// None only where a mistake was noted.
fn read(text: &str, mistakes: &mut Mistakes) -> Option<Policy> {
    if text.len() > MAX_BYTES {
        return mistakes.note(
            "policy.toml",
            format!("{} bytes; at most {MAX_BYTES} are read", text.len()),
        );
    }
    let mut top = Section::of_file(text, mistakes)?;
    match top.take("format") {
        Some(Value::Integer(FORMAT)) => {}
        Some(other) => mistakes.add("format", format!("{other} is not known; write format = {FORMAT}")),
        None => mistakes.add("format", format!("missing; write format = {FORMAT}")),
    }
    let on_unreadable_picture = read_on_unreadable(&mut top, mistakes);
    let default = read_default(&mut top, mistakes);
    let labels = read_labels(&mut top, mistakes);
    let countries = read_countries(&mut top, mistakes);
    top.refuse_the_rest("format, on_unreadable_picture, default, label, country", mistakes);
    Some(Policy {
        version: PolicyVersion(Digest(Sha256::digest(text.as_bytes()).into())),
        on_unreadable_picture: on_unreadable_picture?,
        default: default?,
        labels,
        countries,
    })
}

fn read_on_unreadable(top: &mut Section, mistakes: &mut Mistakes) -> Option<Verdict> {
    let key = "on_unreadable_picture";
    let Some(value) = top.take(key) else {
        return Some(Verdict::Review);
    };
    match value.as_str() {
        Some("REVIEW") => Some(Verdict::Review),
        Some("BLOCK") => Some(Verdict::Block),
        Some("ALLOW") => mistakes.note(
            key,
            "a picture that cannot be looked at must not be allowed; write \"REVIEW\" or \"BLOCK\"",
        ),
        Some(_) | None => mistakes.note(key, format!("{value} is not a verdict; write \"REVIEW\" or \"BLOCK\"")),
    }
}

fn read_default(top: &mut Section, mistakes: &mut Mistakes) -> Option<Rule> {
    let Some(table) = top.take("default") else {
        return mistakes.note(
            "default",
            "missing; write [default] with review and block, for the labels that no rule names",
        );
    };
    let rule = read_rule(Section::of_value("default".to_owned(), table, mistakes)?, mistakes)?;
    match rule.effect {
        Effect::Allow => mistakes.note(
            "default.verdict",
            "every label without a rule would be allowed; write review and block thresholds instead",
        ),
        Effect::Graded { .. } | Effect::Step { .. } => Some(rule),
    }
}

fn read_labels(parent: &mut Section, mistakes: &mut Mistakes) -> BTreeMap<Label, Rule> {
    let Some(section) = parent.subsection("label", mistakes) else {
        return BTreeMap::new();
    };
    section
        .into_named(mistakes)
        .into_iter()
        .filter_map(|(label, rule)| Some((label, read_rule(rule, mistakes)?)))
        .collect()
}

fn read_countries(top: &mut Section, mistakes: &mut Mistakes) -> BTreeMap<CountryCode, BTreeMap<Label, Rule>> {
    let Some(section) = top.subsection("country", mistakes) else {
        return BTreeMap::new();
    };
    let mut countries = BTreeMap::new();
    for (country, mut section) in section.into_named::<CountryCode>(mistakes) {
        let path = section.path.clone();
        if country == CountryCode::REST_OF_WORLD {
            mistakes.add(
                path,
                "the rest of the world has no country table; write its rules as [label.NAME]",
            );
            continue;
        }
        if section.entries.is_empty() {
            mistakes.add(
                path,
                format!("empty; remove it or write [country.{country}.label.NAME]"),
            );
        }
        let rules = read_labels(&mut section, mistakes);
        section.refuse_the_rest("label", mistakes);
        countries.insert(country, rules);
    }
    countries
}

fn read_rule(mut section: Section, mistakes: &mut Mistakes) -> Option<Rule> {
    let noted = mistakes.0.len();
    let text = read_text(&mut section, mistakes);
    let effect = match section.take("verdict") {
        Some(verdict) => read_fixed(&verdict, &mut section, mistakes),
        None => read_graded(&mut section, mistakes),
    };
    section.refuse_the_rest("review, block, text, or verdict, from, text", mistakes);
    let rule = Rule {
        name: section.path,
        effect: effect?,
        text,
    };
    (mistakes.0.len() == noted).then_some(rule)
}

fn read_text(section: &mut Section, mistakes: &mut Mistakes) -> Option<String> {
    let value = section.take("text")?;
    match value {
        Value::String(text)
            if !text.trim().is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control) =>
        {
            Some(text.trim().to_owned())
        }
        _ => mistakes.note(
            section.key("text"),
            format!("not a sentence; write one line of 1 to {MAX_TEXT} characters, or remove the key"),
        ),
    }
}

fn read_graded(section: &mut Section, mistakes: &mut Mistakes) -> Option<Effect> {
    let review = read_threshold("review", section, mistakes);
    let block = read_threshold("block", section, mistakes);
    let (review, block) = (review?, block?);
    if review.get() >= 1.0 {
        return mistakes.note(
            section.key("review"),
            "1 would let everything pass but certainty; write less than 1, or verdict = \"ALLOW\"",
        );
    }
    if review > block {
        let problem = format!(
            "{} is above block ({}); write review <= block",
            review.get(),
            block.get()
        );
        return mistakes.note(section.key("review"), problem);
    }
    Some(Effect::Graded { review, block })
}

fn read_fixed(verdict: &Value, section: &mut Section, mistakes: &mut Mistakes) -> Option<Effect> {
    let verdict = match verdict.as_str() {
        Some("ALLOW") => return Some(Effect::Allow),
        Some("REVIEW") => Strict::Review,
        Some("BLOCK") => Strict::Block,
        Some(_) | None => {
            section.entries.remove("from");
            return mistakes.note(
                section.key("verdict"),
                format!("{verdict} is not a verdict; write \"ALLOW\", \"REVIEW\" or \"BLOCK\""),
            );
        }
    };
    let from = read_threshold("from", section, mistakes)?;
    Some(Effect::Step { verdict, from })
}

/// A number above 0 and at most 1, also after rounding to the precision of scores.
fn read_threshold(name: &str, section: &mut Section, mistakes: &mut Mistakes) -> Option<Probability> {
    let key = section.key(name);
    let number = match section.take(name) {
        Some(Value::Float(number)) => number,
        Some(Value::Integer(number)) => number as f64,
        Some(other) => {
            return mistakes.note(
                key,
                format!("{other} is not a number; write a threshold above 0 and at most 1"),
            );
        }
        None => return mistakes.note(key, "missing; write a threshold above 0 and at most 1"),
    };
    match Probability::new(number as f32) {
        Some(threshold) if threshold.get() > 0.0 && number <= 1.0 => Some(threshold),
        Some(_) if number > 0.0 => mistakes.note(
            key,
            format!("{number} is too near to 0 or 1 to be told from it; write fewer digits"),
        ),
        Some(_) => mistakes.note(
            key,
            format!("{number} would catch every picture; write a threshold above 0 and at most 1"),
        ),
        None => mistakes.note(
            key,
            format!("{number} is not a probability; write a threshold above 0 and at most 1"),
        ),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
