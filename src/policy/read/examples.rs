//! `[[example]]`: cases with what must come of them.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeValue;

use crate::base::{CountryCode, Label, Moment, Money, Probability, Product, Verdict};

use super::super::examples::{Example, On};
use super::super::price::Amount;
use super::conditions::is_fact_name;
use super::mistakes::Mistakes;
use super::rules::tables;
use super::section::{Entry, Section};
use super::values::{MOST_TEXT, as_number, as_verdict, civil, list, parsed, text, text_of};

const MOST_EXAMPLES: usize = 1_000;

/// What examples may refer to.
pub(super) struct Known<'a> {
    pub rules: &'a BTreeSet<&'a str>,
    pub any_dates: bool,
}

/// Reads the tables of `[[example]]`.
pub(super) fn examples(top: &mut Section<'_>, known: &Known<'_>, mistakes: &mut Mistakes<'_>) -> Vec<Example> {
    let tables = tables("example", top, mistakes);
    if let Some(one_more) = tables.get(MOST_EXAMPLES) {
        mistakes.add(
            &one_more.spot,
            format!("{} examples; at most {MOST_EXAMPLES} are read", tables.len()),
        );
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut examples = Vec::new();
    for section in tables {
        let spot = section.spot.clone();
        if let Some(example) = example(section, known, mistakes) {
            if !names.insert(example.name.clone()) {
                mistakes.add(
                    &spot,
                    format!("another example is called {:?}; write a name of its own", example.name),
                );
            }
            examples.push(example);
        }
    }
    examples
}

fn example(mut section: Section<'_>, known: &Known<'_>, mistakes: &mut Mistakes<'_>) -> Option<Example> {
    let noted = mistakes.count();
    let (line, _) = mistakes.place(section.spot.at);
    if !section.has("name") {
        mistakes.add(
            &section.missing("name"),
            "missing; write in a few words what it is an example of",
        );
    }
    let name = text_of(&mut section, "name", mistakes);
    let scores = section
        .take("scores")
        .map(|entry| scores(entry, mistakes))
        .unwrap_or_default();
    let unreadable = section.take("unreadable");
    if let (Some(entry), false) = (&unreadable, scores.is_empty()) {
        mistakes.add(
            &entry.spot,
            "a picture that cannot be judged has no scores; remove one of the two keys",
        );
    }
    let example = Example {
        name: name.unwrap_or_default(),
        line,
        scores,
        product: section
            .take("product")
            .map(|entry| product(entry, mistakes))
            .unwrap_or_default(),
        countries: countries(&mut section, mistakes),
        ad_type: text_of(&mut section, "ad_type", mistakes).unwrap_or_default(),
        facts: section
            .take("facts")
            .map(|entry| facts(entry, mistakes))
            .unwrap_or_default(),
        on: on(&mut section, known.any_dates, mistakes),
        unreadable: unreadable.and_then(|entry| text(&entry, MOST_TEXT, mistakes)),
        expect: expected(&mut section, mistakes).unwrap_or(Verdict::Review),
        rule: winner(&mut section, known, mistakes),
    };
    let all = "name, scores or unreadable, product, country or countries, ad_type, facts, on, expect, rule";
    section.refuse_the_rest(all, mistakes);
    (mistakes.count() == noted).then_some(example)
}

fn scores(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> BTreeMap<Label, Probability> {
    let mut scores = BTreeMap::new();
    let Some(section) = Section::of_entry(entry, mistakes) else {
        return scores;
    };
    for (name, entry) in section.into_entries() {
        let score = as_number(&entry).and_then(|number| Probability::new(number as f32));
        match (name.parse::<Label>(), score) {
            (Ok(label), Some(score)) => {
                scores.insert(label, score);
            }
            (Ok(_), None) => mistakes.add(
                &entry.spot,
                format!("{} is not a score; write a number from 0 to 1", entry.shown()),
            ),
            (Err(error), _) => mistakes.add(&entry.spot, error.to_string()),
        }
    }
    scores
}

fn product(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> Product {
    let Some(mut section) = Section::of_entry(entry, mistakes) else {
        return Product::default();
    };
    let price = section.take("price").and_then(|entry| price(&entry, mistakes));
    let mut of = |name: &str| text_of(&mut section, name, mistakes).unwrap_or_default();
    let product = Product {
        partner_id: of("partner"),
        product_id: of("id"),
        title: of("title"),
        description: of("description"),
        category: of("category"),
        brand: of("brand"),
        language: of("language"),
        price,
        ..Product::default()
    };
    section.refuse_the_rest(
        "partner, id, title, description, category, brand, language, price",
        mistakes,
    );
    product
}

fn price(entry: &Entry<'_>, mistakes: &mut Mistakes<'_>) -> Option<Money> {
    let written = text(entry, 40, mistakes)?;
    let money = written.split_once(' ').and_then(|(amount, currency)| {
        let is_currency = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_uppercase());
        Amount::parse(amount)
            .filter(|_| is_currency)?
            .money(currency.to_owned())
    });
    money.or_else(|| {
        mistakes.note(
            &entry.spot,
            format!("{} is not a price; write it as \"9.90 EUR\"", entry.shown()),
        )
    })
}

fn countries(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Vec<CountryCode> {
    let (one, many) = (section.take("country"), section.take("countries"));
    if let (Some(entry), Some(_)) = (&one, &many) {
        mistakes.add(&entry.spot, "write country or countries, not both");
    }
    let stated = one.or(many).map(|entry| {
        list(entry, 251, mistakes, |entry, mistakes| match &entry.value {
            DeValue::String(text) if text.is_empty() => Some(CountryCode::REST_OF_WORLD),
            _ => parsed(entry, mistakes),
        })
    });
    stated
        .unwrap_or_else(|| Some(vec![CountryCode::REST_OF_WORLD]))
        .unwrap_or_default()
}

fn facts(entry: Entry<'_>, mistakes: &mut Mistakes<'_>) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    let Some(section) = Section::of_entry(entry, mistakes) else {
        return facts;
    };
    for (name, entry) in section.into_entries() {
        if !is_fact_name(&name) {
            mistakes.add(
                &entry.spot,
                format!("{name:?} is not a fact; write 1 to 64 of a-z, A-Z, 0-9, '_', '-' and '.'"),
            );
        }
        let value = if as_number(&entry).is_some() {
            Some(entry.shown())
        } else {
            text(&entry, MOST_TEXT, mistakes)
        };
        facts.extend(value.map(|value| (name, value)));
    }
    facts
}

fn on(section: &mut Section<'_>, any_dates: bool, mistakes: &mut Mistakes<'_>) -> On {
    let Some(entry) = section.take("on") else {
        if any_dates {
            mistakes.add(
                &section.missing("on"),
                "missing, and rules here have dates; write a day such as on = 2026-01-05",
            );
        }
        return On::AnyDay;
    };
    read_on(&entry).unwrap_or_else(|| {
        let problem = format!(
            "{} is not a day from 1970 to 2999; write it as 2026-01-05, or 2026-01-05T08:00:00Z for a moment",
            entry.shown()
        );
        mistakes.add(&entry.spot, problem);
        On::AnyDay
    })
}

fn read_on(entry: &Entry<'_>) -> Option<On> {
    let DeValue::Datetime(stated) = &entry.value else {
        return None;
    };
    let day = civil(stated.date.as_ref()?)?;
    let Some(time) = &stated.time else {
        return Some(On::Day(day));
    };
    let part = |part: u8| i8::try_from(part).ok();
    let time = jiff::civil::Time::new(part(time.hour)?, part(time.minute)?, part(time.second.unwrap_or(0))?, 0).ok()?;
    let clock = day.to_datetime(time);
    let minutes = match stated.offset {
        None => return Some(On::Clock(clock)),
        Some(toml::value::Offset::Z) => 0,
        Some(toml::value::Offset::Custom { minutes }) => minutes,
    };
    let zone = jiff::tz::Offset::from_seconds(i32::from(minutes) * 60)
        .ok()?
        .to_time_zone();
    Some(On::Moment(Moment::from_micros(
        clock.to_zoned(zone).ok()?.timestamp().as_microsecond(),
    )))
}

fn expected(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<Verdict> {
    let Some(entry) = section.take("expect") else {
        return mistakes.note(
            &section.missing("expect"),
            "missing; write the verdict that must come: \"ALLOW\", \"REVIEW\" or \"BLOCK\"",
        );
    };
    let problem = || {
        format!(
            "{} is not a verdict; write \"ALLOW\", \"REVIEW\" or \"BLOCK\"",
            entry.shown()
        )
    };
    as_verdict(&entry).or_else(|| mistakes.note(&entry.spot, problem()))
}

fn winner(section: &mut Section<'_>, known: &Known<'_>, mistakes: &mut Mistakes<'_>) -> Option<String> {
    let entry = section.take("rule")?;
    let rule = text(&entry, MOST_TEXT, mistakes)?;
    if !known.rules.contains(rule.as_str()) {
        return mistakes.note(&entry.spot, format!("there is no rule {rule:?}; write the id of one"));
    }
    Some(rule)
}
