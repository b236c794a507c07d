//! `[costs]`: what errors cost, and how much people can look at.

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::base::Label;

use super::super::costs::Costs;
use super::mistakes::Mistakes;
use super::section::{Entry, Section};
use super::values::number;

const A_COST: &str = "a cost from 0 to 1000000000";
const MOST: f64 = 1e9;

/// Reads the table of costs, where there is one.
pub(super) fn costs(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Costs> {
    let mut section = top.subsection("costs", mistakes)?;
    let (line, _) = mistakes.place(section.spot.at);
    let show_unsafe = match section.take("show_unsafe") {
        Some(entry) => show_unsafe(entry, mistakes),
        None => mistakes.note(
            &section.missing("show_unsafe"),
            "missing; write what it costs to show one display of an unsafe product, or a table of labels with a default",
        ),
    };
    let hide_safe = match section.take("hide_safe") {
        Some(entry) => cost(&entry, mistakes),
        None => mistakes.note(
            &section.missing("hide_safe"),
            "missing; write what it costs to hide one display of a safe product",
        ),
    };
    let reviews = section.take("reviews_per_day").and_then(|entry| {
        number(&entry, "a whole number from 0 to 1000000000", mistakes, |number| {
            (0.0..=MOST).contains(&number) && number.fract() == 0.0
        })
    });
    section.refuse_the_rest("show_unsafe, hide_safe, reviews_per_day", mistakes);
    let (show_unsafe, by_label) = show_unsafe?;
    Some(Costs {
        line,
        show_unsafe,
        by_label,
        hide_safe: hide_safe?,
        reviews_per_day: reviews.map(|reviews| reviews as u32),
    })
}

fn show_unsafe(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<(f64, BTreeMap<Label, f64>)> {
    if !matches!(entry.value, DeValue::Table(_)) {
        return Some((cost(&entry, mistakes)?, BTreeMap::new()));
    }
    let mut section = Section::of_entry(entry, mistakes)?;
    let default = match section.take("default") {
        Some(entry) => cost(&entry, mistakes),
        None => mistakes.note(
            &section.missing("default"),
            "missing; write the cost for labels that are not named here",
        ),
    };
    let mut by_label = BTreeMap::new();
    for (name, entry) in section.into_entries() {
        match name.parse::<Label>() {
            Ok(label) => by_label.extend(cost(&entry, mistakes).map(|cost| (label, cost))),
            Err(error) => mistakes.add(&entry.spot, error.to_string()),
        }
    }
    Some((default?, by_label))
}

fn cost(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<f64> {
    number(entry, A_COST, mistakes, |number| (0.0..=MOST).contains(&number))
}
