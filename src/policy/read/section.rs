//! Tables of a policy file, read key by key.
//!
//! What is read is taken out of its table, so what is left at the end is what nobody knows: a misspelt key is never overlooked.

use std::fmt::Display;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistakes::{Mistakes, Spot};

/// A value of the file, and where it stands.
pub(super) struct Entry<'t> {
    pub spot: Spot,
    pub value: DeValue<'t>,
}

/// A table of the file, and where it stands. What is read is taken out; what is left at the end is not known.
pub(super) struct Section<'t> {
    pub spot: Spot,
    entries: Vec<Key<'t>>,
}

struct Key<'t> {
    name: String,
    at: usize,
    value: Spanned<DeValue<'t>>,
}

impl<'t> Section<'t> {
    /// The whole file, where it is TOML.
    pub(super) fn of_file(text: &'t str, mistakes: &mut Mistakes<'t>) -> Option<Self> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let top = Spot {
            path: String::new(),
            at: 0,
        };
        if errors.is_empty() {
            return Some(Self::of_table(top, table.into_inner()));
        }
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            let spot = Spot { at, ..top.clone() };
            mistakes.add(&spot, format!("not TOML: {}", error.message().replace('\n', ", ")));
        }
        None
    }

    fn of_table(spot: Spot, table: DeTable<'t>) -> Self {
        let entries = table.into_iter().map(|(key, value)| Key {
            at: key.span().start,
            name: key.into_inner().into_owned(),
            value,
        });
        let mut entries: Vec<Key<'t>> = entries.collect();
        entries.sort_by_key(|key| key.at);
        Self { spot, entries }
    }

    pub(super) fn of_entry(entry: Entry<'t>, mistakes: &mut Mistakes<'_>) -> Option<Self> {
        match entry.value {
            DeValue::Table(table) => Some(Self::of_table(entry.spot, table)),
            other @ (DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)) => {
                let path = &entry.spot.path;
                let problem = format!("a table is expected, not {}; write [{path}] or {{ … }}", kind(&other));
                mistakes.note(&entry.spot, problem)
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|key| key.name == name)
    }

    /// Where a key would stand that is missing.
    pub(super) fn missing(&self, name: &str) -> Spot {
        Spot {
            path: self.path_of(name),
            at: self.spot.at,
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Entry<'t>> {
        let place = self.entries.iter().position(|key| key.name == name)?;
        Some(self.entry(place))
    }

    pub(super) fn subsection(&mut self, name: &str, mistakes: &mut Mistakes<'_>) -> Option<Self> {
        let entry = self.take(name)?;
        Self::of_entry(entry, mistakes)
    }

    /// The tables within, under the names that their keys stand for.
    pub(super) fn into_named<Name: FromStr<Err: Display>>(self, mistakes: &mut Mistakes<'_>) -> Vec<(Name, Self)> {
        let mut named = Vec::new();
        for (key, entry) in self.into_entries() {
            match key.parse::<Name>() {
                Ok(name) => named.extend(Self::of_entry(entry, mistakes).map(|section| (name, section))),
                Err(error) => {
                    mistakes.add(&entry.spot, error.to_string());
                }
            }
        }
        named
    }

    /// Everything within, by key, in the order of the file.
    pub(super) fn into_entries(mut self) -> Vec<(String, Entry<'t>)> {
        let names: Vec<String> = self.entries.iter().map(|key| key.name.clone()).collect();
        names.into_iter().map(|name| (name, self.entry(0))).collect()
    }

    pub(super) fn refuse_the_rest(mut self, known: &str, mistakes: &mut Mistakes<'_>) {
        while !self.entries.is_empty() {
            let entry = self.entry(0);
            mistakes.add(&entry.spot, format!("not known here; known are {known}"));
        }
    }

    fn entry(&mut self, place: usize) -> Entry<'t> {
        let key = self.entries.remove(place);
        let spot = Spot {
            path: self.path_of(&key.name),
            at: key.at,
        };
        Entry {
            spot,
            value: key.value.into_inner(),
        }
    }

    fn path_of(&self, name: &str) -> String {
        let name = if name.is_empty() { "\"\"" } else { name };
        if self.spot.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.spot.path)
        }
    }
}

impl<'t> Entry<'t> {
    /// The values of a list, each with its place in it, from 1. Anything else is a list of itself.
    pub(super) fn into_list(self) -> Vec<Self> {
        match self.value {
            DeValue::Array(values) => {
                let numbered = (1..).zip(values);
                let entries = numbered.map(|(number, value)| Entry {
                    spot: Spot {
                        path: format!("{}[{number}]", self.spot.path),
                        at: value.span().start,
                    },
                    value: value.into_inner(),
                });
                entries.collect()
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => vec![self],
        }
    }

    /// The value in a few words, for a mistake.
    pub(super) fn shown(&self) -> String {
        let short = |text: &str| {
            let cut: String = text.chars().take(60).collect();
            if cut.len() < text.len() {
                format!("{cut}…")
            } else {
                cut
            }
        };
        match &self.value {
            DeValue::String(text) => format!("{:?}", short(text)),
            DeValue::Integer(number) => short(&number.to_string()),
            DeValue::Float(number) => short(number.as_str()),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(moment) => moment.to_string(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
