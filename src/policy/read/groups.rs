//! Groups of countries: who is in them, themselves or by way of other groups, and their rules on labels.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::CountryCode;

use super::super::place::Group;
use super::super::rule::Scope;
use super::draft::Draft;
use super::mistakes::{Mistakes, Spot};
use super::section::{Entry, Section};
use super::short_forms::labels;
use super::values::{countries, list, text};

const MOST_GROUPS: usize = 1_000;

/// A group as its table states it.
struct Stated {
    spot: Spot,
    countries: Vec<CountryCode>,
    within: Vec<(String, Spot)>,
}

/// The groups by name, and the rules of `[group.NAME.label.NAME]`.
pub(super) fn groups(top: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> (Vec<Group>, Vec<Draft>) {
    let Some(section) = top.subsection("group", mistakes) else {
        return (Vec::new(), Vec::new());
    };
    let noted = mistakes.count();
    let spot = section.spot.clone();
    let named = section.into_named::<GroupName>(mistakes);
    if named.len() > MOST_GROUPS {
        mistakes.add(&spot, format!("{} groups; at most {MOST_GROUPS} are read", named.len()));
        return (Vec::new(), Vec::new());
    }
    let mut stated = BTreeMap::new();
    let mut rules = Vec::new();
    for (GroupName(name), mut section) in named {
        let of_group = Stated {
            spot: section.spot.clone(),
            countries: section
                .take("countries")
                .and_then(|entry| countries(entry, mistakes))
                .unwrap_or_default(),
            within: section
                .take("groups")
                .and_then(|entry| names(entry, mistakes))
                .unwrap_or_default(),
        };
        rules.push((name.clone(), section));
        stated.insert(name, of_group);
    }
    let mut groups = Vec::new();
    for (name, of_group) in &stated {
        let members = members(name, &stated, mistakes);
        if members.is_empty() && mistakes.count() == noted {
            mistakes.add(
                &of_group.spot,
                "no country is in it; write countries = [\"FR\"], or groups, or remove it",
            );
        }
        let (line, _) = mistakes.place(of_group.spot.at);
        groups.push(Group {
            name: name.clone(),
            line,
            countries: members,
            within: of_group.within.iter().map(|(name, _)| name.clone()).collect(),
        });
    }
    let mut drafts = Vec::new();
    for (name, mut section) in rules {
        let scope = Scope {
            countries: Vec::new(),
            groups: groups.iter().position(|group| group.name == name).into_iter().collect(),
        };
        drafts.extend(labels(&mut section, &scope, mistakes));
        section.refuse_the_rest("countries, groups, label", mistakes);
    }
    (groups, drafts)
}

/// The groups that a rule names, by their places.
pub(super) fn named(entry: Entry<'_>, groups: &[Group], mistakes: &mut Mistakes<'_>) -> Option<Vec<usize>> {
    list(entry, MOST_GROUPS, mistakes, |entry, mistakes| {
        let name = text(entry, 64, mistakes)?;
        let place = groups.iter().position(|group| group.name == name);
        place.or_else(|| {
            mistakes.note(
                &entry.spot,
                format!("there is no group {name:?}; write [group.{name}] or the name of another"),
            )
        })
    })
}

fn names(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<(String, Spot)>> {
    let mut spots = Vec::new();
    let names = list(entry, MOST_GROUPS, mistakes, |entry, mistakes| {
        spots.push(entry.spot.clone());
        text(entry, 64, mistakes)
    })?;
    Some(names.into_iter().zip(spots).collect())
}

/// Every country of a group and of those within it. Notes groups that do not exist, and a group that is within itself.
fn members(name: &str, stated: &BTreeMap<String, Stated>, mistakes: &mut Mistakes<'_>) -> BTreeSet<CountryCode> {
    let mut members = BTreeSet::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut open = vec![name];
    while let Some(at) = open.pop() {
        let Some(group) = stated.get(at) else { continue };
        members.extend(&group.countries);
        for (within, spot) in &group.within {
            if within == name {
                mistakes.add(
                    spot,
                    format!("{name} would be within itself by way of {at}; remove it from the groups of one of them"),
                );
            } else if at == name && !stated.contains_key(within) {
                mistakes.add(
                    spot,
                    format!("there is no group {within:?}; write [group.{within}] or the name of another"),
                );
            } else if seen.insert(within) {
                open.push(within);
            }
        }
    }
    members
}

/// The name of a group: 1 to 64 of `a–z 0–9 _ -`, beginning with a letter or a digit.
struct GroupName(String);

impl std::str::FromStr for GroupName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-');
        let begins_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if !begins_well || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(format!(
                "{text:?} is not the name of a group; write 1 to 64 of a-z, 0-9, '_' and '-', beginning with a letter or a digit"
            ));
        }
        Ok(Self(text.to_owned()))
    }
}
