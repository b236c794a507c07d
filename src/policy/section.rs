//! Tables of a policy file, read key by key, and the mistakes found on the way.
//!
//! What is read is taken out of its table, so what is left at the end is what nobody knows: a misspelt key is never overlooked.

use std::fmt::Display;
use std::str::FromStr;

use toml::{Table, Value};

/// One thing that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct Mistake {
    /// The path of the key in the file: `country.FR.label.alcohol.block`.
    pub key: String,
    /// What is wrong and what to write instead.
    pub problem: String,
}

/// Everything that is wrong with a policy. The policy in force stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    /// In the order of the keys in the file's model: format, default, labels, countries. Never empty.
    pub mistakes: Vec<Mistake>,
}

impl std::error::Error for PolicyError {}

impl Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.mistakes.as_slice() {
            [one] => write!(f, "the policy has a mistake: {one}"),
            all => {
                write!(f, "the policy has {} mistakes", all.len())?;
                let separators = std::iter::once(": ").chain(std::iter::repeat("; "));
                all.iter()
                    .zip(separators)
                    .try_for_each(|(mistake, separator)| write!(f, "{separator}{mistake}"))
            }
        }
    }
}

/// The mistakes found so far.
#[derive(Default)]
pub(super) struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    /// Notes a mistake and answers None, so that a reader can end with it.
    pub(super) fn note<T>(&mut self, key: impl Into<String>, problem: impl Into<String>) -> Option<T> {
        self.add(key, problem);
        None
    }

    pub(super) fn add(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        self.0.push(Mistake {
            key: key.into(),
            problem: problem.into(),
        });
    }
}

/// A table of the file, and where it stands. What is read is taken out; what is left at the end is not known.
pub(super) struct Section {
    pub path: String,
    pub entries: Table,
}

impl Section {
    pub(super) fn of_file(text: &str, mistakes: &mut Mistakes) -> Option<Self> {
        match Table::from_str(text) {
            Ok(entries) => Some(Self {
                path: String::new(),
                entries,
            }),
            Err(error) => {
                let place = error.span().map_or(1, |span| {
                    1 + text.bytes().take(span.start).filter(|&byte| byte == b'\n').count()
                });
                mistakes.note(format!("line {place}"), format!("not TOML: {}", error.message()))
            }
        }
    }

    pub(super) fn of_value(path: String, value: Value, mistakes: &mut Mistakes) -> Option<Self> {
        match value {
            Value::Table(entries) => Some(Self { path, entries }),
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_) => {
                let problem = format!("a table is expected, not {}; write [{path}]", value.type_str());
                mistakes.note(path, problem)
            }
        }
    }

    pub(super) fn key(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.entries.remove(name)
    }

    pub(super) fn subsection(&mut self, name: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let value = self.take(name)?;
        Self::of_value(self.key(name), value, mistakes)
    }

    /// The tables within, under the names that their keys stand for.
    pub(super) fn into_named<Name: FromStr<Err: Display>>(self, mistakes: &mut Mistakes) -> Vec<(Name, Self)> {
        let path = self.path;
        let mut named = Vec::new();
        for (key, value) in self.entries {
            let path = format!("{path}.{}", if key.is_empty() { "\"\"" } else { &key });
            match key.parse::<Name>() {
                Ok(name) => named.extend(Self::of_value(path, value, mistakes).map(|section| (name, section))),
                Err(error) => mistakes.add(path, error.to_string()),
            }
        }
        named
    }

    pub(super) fn refuse_the_rest(&mut self, known: &str, mistakes: &mut Mistakes) {
        for (name, _) in std::mem::take(&mut self.entries) {
            mistakes.add(self.key(&name), format!("not known here; known are {known}"))
        }
    }
}
