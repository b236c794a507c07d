//! Where, when and on what conditions a rule applies, as its table states it.

use jiff::civil::Date;
use toml::de::DeValue;

use crate::base::ProductKey;

use super::super::category::{Categories, folded_path};
use super::super::conditions::{Conditions, FactCondition, FactTest};
use super::super::rule::{About, Dates};
use super::mistakes::{Mistakes, Spot};
use super::section::{Entry, Section};
use super::values::{MOST_NAME, as_number, date, list, names, text, text_of};

/// Products or categories of one rule.
const MOST_LISTED: usize = 50_000;
/// Ad types, partners and the like of one rule.
const MOST_NAMES: usize = 1_000;
const MOST_FACTS: usize = 32;

/// Takes what people want to know of a rule out of its table.
pub(super) fn about(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> About {
    About {
        text: text_of(section, "text", mistakes),
        owner: text_of(section, "owner", mistakes),
        source: source(section, mistakes),
        review_by: section.take("review_by").and_then(|entry| date(&entry, mistakes)),
    }
}

fn source(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let entry = section.take("source")?;
    let source = text(&entry, MOST_NAME, mistakes)?;
    let is_address = ["https://", "http://"]
        .iter()
        .any(|scheme| source.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    if !is_address || source.contains(char::is_whitespace) {
        return mistakes.note(
            &entry.spot,
            format!(
                "{} is not an address; write one that begins with https://",
                entry.shown()
            ),
        );
    }
    Some(source)
}

/// Takes the days of a rule out of its table.
pub(super) fn dates(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Dates {
    let mut day = |name: &str| -> Option<(Date, Spot)> {
        let entry = section.take(name)?;
        Some((date(&entry, mistakes)?, entry.spot))
    };
    let (starts, ends) = (day("starts"), day("ends"));
    if let (Some((starts, _)), Some((ends, spot))) = (&starts, &ends)
        && starts > ends
    {
        mistakes.add(
            spot,
            format!("{ends} is before starts ({starts}); write the first day in force as starts and the last as ends"),
        );
    }
    Dates {
        starts: starts.map(|(day, _)| day),
        ends: ends.map(|(day, _)| day),
    }
}

/// Takes the conditions of a rule out of its table. None where there is a mistake in them.
pub(super) fn conditions(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Conditions> {
    let noted = mistakes.count();
    let ad_types = section.take("ad_type").and_then(|entry| {
        list(entry, MOST_NAMES, mistakes, |entry, mistakes| {
            Some(text(entry, MOST_NAME, mistakes)?.to_ascii_lowercase())
        })
    });
    let partners = section
        .take("partner")
        .and_then(|entry| names(entry, MOST_NAMES, mistakes));
    let products = section
        .take("product")
        .and_then(|entry| list(entry, MOST_LISTED, mistakes, product));
    let conditions = Conditions {
        ad_types: sorted(ad_types),
        partners: sorted(partners),
        products: sorted(products),
        categories: section.take("category").and_then(|entry| categories(entry, mistakes)),
        facts: section
            .take("facts")
            .map(|entry| facts(entry, mistakes))
            .unwrap_or_default(),
    };
    (mistakes.count() == noted).then_some(conditions)
}

fn sorted<T: Ord>(list: Option<Vec<T>>) -> Vec<T> {
    let mut list = list.unwrap_or_default();
    list.sort();
    list
}

fn product(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<ProductKey> {
    let written = text(entry, 2 * MOST_NAME, mistakes)?;
    match written.split_once('/') {
        Some((partner_id, product_id)) if !product_id.is_empty() => Some(ProductKey {
            partner_id: partner_id.to_owned(),
            product_id: product_id.to_owned(),
        }),
        Some(_) | None => mistakes.note(
            &entry.spot,
            format!("{} names no product; write \"partner/product\"", entry.shown()),
        ),
    }
}

fn categories(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Categories> {
    let mut folded = std::collections::BTreeSet::new();
    let written = list(entry, MOST_LISTED, mistakes, |entry, mistakes| {
        let written = text(entry, MOST_NAME, mistakes)?;
        let path = folded_path(&written);
        if path.is_empty() {
            return mistakes.note(
                &entry.spot,
                format!(
                    "{} says nothing; write a category such as \"Food > Snacks\"",
                    entry.shown()
                ),
            );
        }
        if !folded.insert(path) {
            return mistakes.note(
                &entry.spot,
                format!("{} is listed before in another spelling; remove one", entry.shown()),
            );
        }
        Some(written)
    })?;
    Some(Categories::new(written))
}

fn facts(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Vec<FactCondition> {
    let Some(section) = Section::of_entry(entry, mistakes) else {
        return Vec::new();
    };
    let spot = section.spot.clone();
    let entries = section.into_entries();
    if entries.is_empty() || entries.len() > MOST_FACTS {
        mistakes.add(
            &spot,
            format!("{} facts; write 1 to {MOST_FACTS}, or remove the key", entries.len()),
        );
        return Vec::new();
    }
    let mut facts: Vec<FactCondition> = entries
        .into_iter()
        .filter_map(|(name, entry)| fact(name, entry, mistakes))
        .collect();
    facts.sort_by(|a, b| a.fact.cmp(&b.fact));
    facts
}

fn fact(fact: String, entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<FactCondition> {
    if !is_fact_name(&fact) {
        return mistakes.note(
            &entry.spot,
            format!("{fact:?} is not a fact; write 1 to 64 of a-z, A-Z, 0-9, '_', '-' and '.'"),
        );
    }
    let test = match &entry.value {
        DeValue::Table(_) => fact_table(entry, mistakes)?,
        DeValue::String(_) | DeValue::Array(_) => FactTest::OneOf(fact_values(entry, mistakes)?),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {
            let shown = entry.shown();
            let problem = format!(
                "{shown} is not a text, and facts are texts; write \"{shown}\", or {{ at_least = 4 }} for a number"
            );
            return mistakes.note(&entry.spot, problem);
        }
    };
    Some(FactCondition { fact, test })
}

/// Whether a fact can have this name.
pub(super) fn is_fact_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    (1..=64).contains(&name.len()) && name.bytes().all(allowed)
}

fn fact_values(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<String>> {
    Some(sorted(Some(names(entry, MOST_NAMES, mistakes)?)))
}

fn fact_table(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<FactTest> {
    let mut section = Section::of_entry(entry, mistakes)?;
    let spot = section.spot.clone();
    let noted = mistakes.count();
    let none_of = section.take("not").and_then(|entry| fact_values(entry, mistakes));
    let bound = |name: &str, section: &mut Section<'_>, mistakes: &mut Mistakes<'_>| {
        let entry = section.take(name)?;
        let number = as_number(&entry).filter(|number| number.is_finite());
        number.or_else(|| mistakes.note(&entry.spot, format!("{} is not a number; write one", entry.shown())))
    };
    let at_least = bound("at_least", &mut section, mistakes);
    let below = bound("below", &mut section, mistakes);
    section.refuse_the_rest("at_least, below, or not", mistakes);
    if mistakes.count() > noted {
        return None;
    }
    match (none_of, at_least, below) {
        (Some(values), None, None) => Some(FactTest::NoneOf(values)),
        (None, Some(least), Some(bound)) if least >= bound => mistakes.note(
            &spot,
            format!("no number is at least {least} and below {bound}; write at_least < below"),
        ),
        (None, Some(_), _) | (None, _, Some(_)) => Some(FactTest::Within { at_least, below }),
        (Some(_), ..) => mistakes.note(&spot, "`not` stands alone; write a second rule for the number"),
        (None, None, None) => mistakes.note(&spot, "asks nothing; write at_least, below or not, or a text"),
    }
}
