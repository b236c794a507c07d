//! Single values of a policy file: texts, lists, numbers, dates, countries, verdicts.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use jiff::civil::Date;
use toml::de::DeValue;

use crate::base::{CountryCode, Verdict};

use super::super::price::Amount;
use super::super::rule::Strict;
use super::mistakes::Mistakes;
use super::section::{Entry, Section};

/// The longest sentence of a rule, in characters: it is repeated in answers.
pub(super) const MOST_TEXT: usize = 500;
/// The longest name, category or word of a list, in characters.
pub(super) const MOST_NAME: usize = 200;

/// One line of text that says something, without spaces at its ends.
pub(super) fn text(entry: &Entry<'_>, most: usize, mistakes: &mut Mistakes<'_>) -> Option<String> {
    match &entry.value {
        DeValue::String(text)
            if !text.trim().is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control) =>
        {
            Some(text.trim().to_owned())
        }
        _ => mistakes.note(
            &entry.spot,
            format!(
                "{} is not one line of 1 to {most} characters; write one, or remove the key",
                entry.shown()
            ),
        ),
    }
}

/// A text under a key, where the key is there.
pub(super) fn text_of(section: &mut Section<'_>, name: &str, mistakes: &mut Mistakes<'_>) -> Option<String> {
    text(&section.take(name)?, MOST_TEXT, mistakes)
}

/// A text or a list of some, at most so many, none of them twice; read with `read`, which notes its own mistakes.
pub(super) fn list<T: Ord + Clone>(
    entry: Entry<'_>,
    most: usize,
    mistakes: &mut Mistakes<'_>,
    mut read: impl FnMut(&Entry<'_>, &mut Mistakes<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let spot = entry.spot.clone();
    let entries = entry.into_list();
    if entries.is_empty() {
        return mistakes.note(&spot, "an empty list; write at least one, or remove the key");
    }
    if entries.len() > most {
        return mistakes.note(&spot, format!("{} in one list; at most {most} are read", entries.len()));
    }
    let noted = mistakes.count();
    let mut seen = BTreeSet::new();
    let mut values = Vec::with_capacity(entries.len());
    for entry in &entries {
        let Some(value) = read(entry, mistakes) else { continue };
        if seen.insert(value.clone()) {
            values.push(value);
        } else {
            mistakes.add(&entry.spot, format!("{} is listed twice; remove one", entry.shown()));
        }
    }
    (mistakes.count() == noted).then_some(values)
}

/// Names, at most so many.
pub(super) fn names(entry: Entry<'_>, most: usize, mistakes: &mut Mistakes<'_>) -> Option<Vec<String>> {
    list(entry, most, mistakes, |entry, mistakes| {
        text(entry, MOST_NAME, mistakes)
    })
}

/// What a text stands for.
pub(super) fn parsed<T: FromStr<Err: Display>>(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<T> {
    let text = text(entry, MOST_NAME, mistakes)?;
    text.parse()
        .or_else(|error: T::Err| mistakes.note(&entry.spot, error.to_string()).ok_or(()))
        .ok()
}

/// Countries, none of them the rest of the world.
pub(super) fn countries(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<CountryCode>> {
    list(entry, 250, mistakes, |entry, mistakes| match &entry.value {
        DeValue::String(text) if text.is_empty() => mistakes.note(
            &entry.spot,
            "the rest of the world is no country; a rule without countries and groups applies there and everywhere",
        ),
        _ => parsed(entry, mistakes),
    })
}

/// A finite number that is `good`; `wanted` says in words which are.
pub(super) fn number(
    entry: &Entry<'_>,
    wanted: &str,
    mistakes: &mut Mistakes<'_>,
    good: impl Fn(f64) -> bool,
) -> Option<f64> {
    match as_number(entry) {
        Some(number) if number.is_finite() && good(number) => Some(number),
        Some(_) | None => mistakes.note(
            &entry.spot,
            format!("{} is not {wanted}; write {wanted}", entry.shown()),
        ),
    }
}

/// A number, whatever it is. None where it is something else.
pub(super) fn as_number(entry: &Entry<'_>) -> Option<f64> {
    match &entry.value {
        DeValue::Integer(number) => Some(i64::from_str_radix(number.as_str(), number.radix()).ok()? as f64),
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::String(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// An amount of money above 0.
pub(super) fn amount(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Amount> {
    let amount = match &entry.value {
        DeValue::Integer(number) if number.radix() == 10 => Amount::parse(number.as_str()),
        DeValue::Float(number) => Amount::parse(number.as_str()),
        DeValue::Integer(_)
        | DeValue::String(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    };
    let positive = amount.filter(|amount| amount.is_positive());
    positive.or_else(|| {
        mistakes.note(
            &entry.spot,
            format!("{} is not an amount; write one above 0 such as 9.90", entry.shown()),
        )
    })
}

/// A currency by its three capital letters.
pub(super) fn currency(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    match &entry.value {
        DeValue::String(text) if text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase()) => {
            Some(text.to_string())
        }
        _ => mistakes.note(
            &entry.spot,
            format!(
                "{} is not a currency; write its three capital letters, such as \"EUR\"",
                entry.shown()
            ),
        ),
    }
}

/// A day of the calendar, from 1970 to 2999.
pub(super) fn date(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Date> {
    let day = match &entry.value {
        DeValue::Datetime(moment) if moment.time.is_none() && moment.offset.is_none() => {
            moment.date.and_then(|day| civil(&day))
        }
        _ => None,
    };
    day.or_else(|| {
        mistakes.note(
            &entry.spot,
            format!(
                "{} is not a day from 1970 to 2999; write it as 2026-01-05, without quotes and time",
                entry.shown()
            ),
        )
    })
}

/// A day of the file as a day of the calendar.
pub(super) fn civil(day: &toml::value::Date) -> Option<Date> {
    let (year, month, day) = (
        i16::try_from(day.year).ok()?,
        i8::try_from(day.month).ok()?,
        i8::try_from(day.day).ok()?,
    );
    Date::new(year, month, day)
        .ok()
        .filter(|day| (1970..=2999).contains(&day.year()))
}

/// REVIEW or BLOCK; `on_allow` says why ALLOW is neither.
pub(super) fn strict(entry: &Entry<'_>, on_allow: &str, mistakes: &mut Mistakes<'_>) -> Option<Strict> {
    match as_verdict(entry) {
        Some(Verdict::Review) => Some(Strict::Review),
        Some(Verdict::Block) => Some(Strict::Block),
        Some(Verdict::Allow) => mistakes.note(&entry.spot, format!("{on_allow}; write \"REVIEW\" or \"BLOCK\"")),
        None => mistakes.note(
            &entry.spot,
            format!("{} is not a verdict; write \"REVIEW\" or \"BLOCK\"", entry.shown()),
        ),
    }
}

/// The verdict that a text names.
pub(super) fn as_verdict(entry: &Entry<'_>) -> Option<Verdict> {
    match &entry.value {
        DeValue::String(text) => Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == text),
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}
