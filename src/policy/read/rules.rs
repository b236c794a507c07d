//! The rules of `[[rule]]`: one subject, the conditions on which it applies, and what is said of it.

use toml::de::DeValue;

use crate::base::Label;

use super::super::fold::fold;
use super::super::keywords::{Keyword, Language};
use super::super::place::Group;
use super::super::price::Bounds;
use super::super::rule::{Scope, Strict};
use super::conditions::{about, conditions, dates};
use super::draft::{Draft, DraftSays};
use super::effects::effect;
use super::groups;
use super::mistakes::{Mistakes, Spot};
use super::section::{Entry, Section};
use super::values::{MOST_NAME, amount, countries, currency, list, number, parsed, strict, text};

/// Keywords of one language of one rule.
const MOST_KEYWORDS: usize = 100_000;
/// A price below this share of the usual one is not believed, where the rule states no other.
const FAR_BELOW: f64 = 0.1;

/// Reads the tables of `[[rule]]`.
pub(super) fn rules(top: &mut Section<'_>, groups: &[Group], mistakes: &mut Mistakes<'_>) -> Vec<Draft> {
    let tables = tables("rule", top, mistakes);
    tables
        .into_iter()
        .filter_map(|section| rule(section, groups, mistakes))
        .collect()
}

/// The tables of a list such as `[[rule]]`.
pub(super) fn tables<'t>(name: &str, top: &mut Section<'t>, mistakes: &mut Mistakes<'_>) -> Vec<Section<'t>> {
    let Some(entry) = top.take(name) else {
        return Vec::new();
    };
    match entry.value {
        DeValue::Array(_) => entry
            .into_list()
            .into_iter()
            .filter_map(|entry| Section::of_entry(entry, mistakes))
            .collect(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => {
            mistakes.add(
                &entry.spot,
                format!("{} is not a list of tables; write [[{name}]] above each", entry.shown()),
            );
            Vec::new()
        }
    }
}

fn rule(mut section: Section<'_>, groups: &[Group], mistakes: &mut Mistakes<'_>) -> Option<Draft> {
    let noted = mistakes.count();
    let at = section.spot.at;
    let id = id(&mut section, mistakes);
    if !section.has("text") {
        mistakes.add(
            &section.missing("text"),
            "missing; write a sentence for the people who read the reasons",
        );
    }
    let about = about(&mut section, mistakes);
    let dates = dates(&mut section, mistakes);
    let scope = Scope {
        countries: section
            .take("countries")
            .and_then(|entry| countries(entry, mistakes))
            .unwrap_or_default(),
        groups: section
            .take("groups")
            .and_then(|entry| groups::named(entry, groups, mistakes))
            .unwrap_or_default(),
    };
    let subject = subject(&section, mistakes);
    let says = subject.and_then(|subject| says(subject, &mut section, mistakes));
    let when = conditions(&mut section, mistakes);
    let known = "id, text, owner, source, review_by; one of label, keywords, category, product, price; countries, groups, ad_type, partner, \
                 facts, starts, ends; and verdict, or for a label review, block, or verdict, from";
    if subject.is_some() {
        section.refuse_the_rest(known, mistakes);
    }
    let (id, spot) = id?;
    let draft = Draft {
        id,
        spot,
        at,
        about,
        scope,
        when: when?,
        dates,
        says: says?,
    };
    (mistakes.count() == noted).then_some(draft)
}

fn id(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<(String, Spot)> {
    let Some(entry) = section.take("id") else {
        return mistakes.note(
            &section.missing("id"),
            "missing; write a name of its own for the rule, such as \"alcohol-retargeting\"",
        );
    };
    let id = text(&entry, 100, mistakes)?;
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    let begins_well = id.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    if !begins_well || !id.bytes().all(allowed) {
        let problem =
            format!("{id:?} is not an id; write a-z, 0-9, '.', '_' and '-', beginning with a letter or a digit");
        return mistakes.note(&entry.spot, problem);
    }
    section.spot.path = format!("rule[{id}]");
    Some((id, entry.spot))
}

/// What a rule can be about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Label,
    Keywords,
    Price,
    Product,
    Category,
}

impl Subject {
    fn key(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Keywords => "keywords",
            Self::Price => "price",
            Self::Product => "product",
            Self::Category => "category",
        }
    }
}

/// The one thing that a rule is about. Products are a condition beside a label or a category, categories beside everything.
fn subject(section: &Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Subject> {
    let all = [
        Subject::Label,
        Subject::Keywords,
        Subject::Price,
        Subject::Product,
        Subject::Category,
    ];
    let stated: Vec<Subject> = all.into_iter().filter(|subject| section.has(subject.key())).collect();
    let (first, rest) = stated
        .split_first()
        .map_or((None, &[][..]), |(first, rest)| (Some(*first), rest));
    let Some(first) = first else {
        return mistakes.note(
            &section.spot,
            "a rule on nothing; write one of label, keywords, category, product and price",
        );
    };
    let beside = |subject: &&Subject| match subject {
        Subject::Category => false,
        Subject::Product => first != Subject::Label,
        Subject::Label | Subject::Keywords | Subject::Price => true,
    };
    match rest.iter().find(beside) {
        Some(other) => mistakes.note(
            &section.missing(other.key()),
            format!(
                "a rule on {} is not also one on {}; write two rules",
                first.key(),
                other.key()
            ),
        ),
        None => Some(first),
    }
}

fn says(subject: Subject, section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<DraftSays> {
    match subject {
        Subject::Label => {
            let label = section
                .take("label")
                .and_then(|entry| parsed::<Label>(&entry, mistakes));
            let effect = effect(section, mistakes);
            Some(DraftSays::OfLabel(label?, effect?))
        }
        Subject::Keywords => {
            let keywords = section.take("keywords").and_then(|entry| keywords(entry, mistakes));
            let verdict = verdict(section, mistakes);
            Some(DraftSays::OfKeywords(keywords?, verdict?))
        }
        Subject::Price => {
            let bounds = section.take("price").and_then(|entry| price(entry, mistakes));
            let stated = section.has("verdict").then(|| verdict(section, mistakes));
            let verdict = stated.unwrap_or(Some(Strict::Review));
            Some(DraftSays::OfPrice(Bounds {
                verdict: verdict?,
                ..bounds?
            }))
        }
        Subject::Product => Some(DraftSays::OfProduct(verdict(section, mistakes)?)),
        Subject::Category => Some(DraftSays::OfCategory(verdict(section, mistakes)?)),
    }
}

fn verdict(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Strict> {
    let Some(entry) = section.take("verdict") else {
        return mistakes.note(&section.missing("verdict"), "missing; write \"REVIEW\" or \"BLOCK\"");
    };
    strict(
        &entry,
        "has no effect here, because the strictest rule decides: only a rule on a label can allow",
        mistakes,
    )
}

fn keywords(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Vec<Keyword>> {
    let section = Section::of_entry(entry, mistakes)?;
    let noted = mistakes.count();
    let spot = section.spot.clone();
    let mut keywords = Vec::new();
    for (name, entry) in section.into_entries() {
        let language = Language::of_tag(&name).filter(|_| name.len() == 2 && name == name.to_ascii_lowercase());
        if language.is_none() && name != "any" {
            let problem = format!(
                "{name:?} is not a language; write its two small letters, such as fr, or any for texts of every language"
            );
            mistakes.add(&entry.spot, problem);
            continue;
        }
        let mut words = std::collections::BTreeSet::new();
        let read = list(entry, MOST_KEYWORDS, mistakes, |entry, mistakes| {
            let written = text(entry, MOST_NAME, mistakes)?;
            let folded = fold(&written);
            if folded.is_empty() {
                return mistakes.note(
                    &entry.spot,
                    format!("{} has nothing that can be looked for; write a word", entry.shown()),
                );
            }
            if !words.insert(folded.clone()) {
                return mistakes.note(
                    &entry.spot,
                    format!("{} is listed before in another spelling; remove one", entry.shown()),
                );
            }
            Some((written, folded))
        });
        let words = read.into_iter().flatten();
        keywords.extend(words.map(|(written, folded)| Keyword {
            written,
            folded,
            language,
        }));
    }
    if keywords.is_empty() && mistakes.count() == noted {
        return mistakes.note(
            &spot,
            "no keywords; write a list for a language, such as fr = [\"réplique\"], or for any",
        );
    }
    Some(keywords)
}

fn price(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Bounds> {
    let mut section = Section::of_entry(entry, mistakes)?;
    let noted = mistakes.count();
    let spot = section.spot.clone();
    let stated_currency = match section.take("currency") {
        Some(entry) => currency(&entry, mistakes),
        None => mistakes.note(
            &section.missing("currency"),
            "missing; write three capital letters, such as \"EUR\"",
        ),
    };
    let mut of = |name: &str| section.take(name).and_then(|entry| amount(&entry, mistakes));
    let (min, max, median) = (of("min"), of("max"), of("median"));
    let share = section.take("far_below");
    if let (Some(entry), None) = (&share, median) {
        mistakes.add(
            &entry.spot,
            "nothing to be far below of; write median, the usual price, beside it",
        );
    }
    let is_share = |number: f64| 0.0 < number && number < 1.0;
    let share = share.and_then(|entry| number(&entry, "a share above 0 and below 1", mistakes, is_share));
    section.refuse_the_rest("currency, min, max, median, far_below", mistakes);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        mistakes.add(&spot, format!("min ({min}) is above max ({max}); write min <= max"));
    }
    if let Some(median) =
        median.filter(|&median| min.is_some_and(|min| median < min) || max.is_some_and(|max| median > max))
    {
        mistakes.add(
            &spot,
            format!("the usual price ({median}) is out of the bounds; write min <= median <= max"),
        );
    }
    let bounds = Bounds {
        currency: stated_currency?,
        min,
        max,
        median: median.map(|median| (median, share.unwrap_or(FAR_BELOW))),
        verdict: Strict::Review,
    };
    (mistakes.count() == noted).then_some(bounds)
}
