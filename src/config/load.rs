//! Laying the sources over each other, and collecting every mistake on the way.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use toml::{Table, Value};

use super::keys::{KEYS, Key, Settings};
use super::value::{ByteSize, Given};

/// One value given on the command line.
#[derive(Debug, Clone)]
pub struct Override {
    /// The flag, for messages: `--grpc`.
    pub flag: &'static str,
    /// The path of the key that it sets: `grpc.address`.
    pub key: &'static str,
    pub value: String,
}

/// Where the configuration comes from, weakest first; the defaults are under them all.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file.
    pub file: Option<PathBuf>,
    /// The variables of the process; only those named `VIGIE_…` are looked at.
    pub environment: Vec<(String, String)>,
    pub overrides: Vec<Override>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, the variable or the flag.
    pub source: String,
    /// The path of the key; empty where the whole source is meant.
    pub key: String,
    pub message: String,
}

/// Everything that is wrong with the configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration cannot be used:")?;
        for Mistake { source, key, message } in &self.mistakes {
            let separator = if key.is_empty() { "" } else { ": " };
            write!(f, "\n  {source}{separator}{key}: {message}")?;
        }
        write!(
            f,
            "\n`vigie serve --print-config` shows every key with its meaning and default"
        )
    }
}

impl Settings {
    /// Lays file, environment and flags over the defaults, and checks the whole.
    ///
    /// # Errors
    /// Every mistake of every source, not only the first.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut loader = Loader::default();
        loader.read_file(sources);
        loader.read_environment(sources);
        loader.read_overrides(sources);
        loader.check();
        match loader.mistakes {
            mistakes if mistakes.is_empty() => Ok(loader.settings),
            mistakes => Err(ConfigError { mistakes }),
        }
    }
}

#[derive(Default)]
struct Loader {
    settings: Settings,
    /// Who set a key last, by its path.
    origins: BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
}

impl Loader {
    fn read_file(&mut self, sources: &Sources) {
        let Some(path) = &sources.file else { return };
        let source = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.wrong(&source, "", format!("the file cannot be read: {error}")),
        };
        let table: Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                return self.wrong(
                    &source,
                    "",
                    format!("the file is not TOML: {}", error.to_string().trim_end()),
                );
            }
        };
        for (name, value) in &table {
            match value {
                Value::Table(section) if KEYS.iter().any(|key| key.section == name) => {
                    for (field, value) in section {
                        self.set(&source, &format!("{name}.{field}"), Given::Toml(value));
                    }
                }
                other => self.set(&source, name, Given::Toml(other)),
            }
        }
    }

    fn read_environment(&mut self, sources: &Sources) {
        for (variable, text) in &sources.environment {
            if !variable.starts_with("VIGIE_") || ["VIGIE_SERVER", "VIGIE_CONFIG"].contains(&variable.as_str()) {
                continue;
            }
            if let Some(key) = KEYS.iter().find(|key| key.variable() == *variable) {
                self.set(variable, &key.path(), Given::Text(text));
                continue;
            }
            // Kubernetes sets VIGIE_PORT and the like for a service called vigie, so a single underscore proves no intent.
            let near = nearest(variable, KEYS.iter().map(Key::variable));
            if variable.contains("__") || near.is_some() {
                self.wrong(variable, "", format!("no key has this variable{}", suggestion(near)));
            }
        }
    }

    fn read_overrides(&mut self, sources: &Sources) {
        for Override { flag, key, value } in &sources.overrides {
            self.set(flag, key, Given::Text(value));
        }
    }

    fn set(&mut self, source: &str, path: &str, given: Given<'_>) {
        let Some(key) = KEYS.iter().find(|key| key.path() == path) else {
            let near = nearest(path, KEYS.iter().map(Key::path));
            return self.wrong(source, path, format!("there is no such key{}", suggestion(near)));
        };
        match (key.set)(&mut self.settings, given) {
            Ok(()) => drop(self.origins.insert(path.to_owned(), source.to_owned())),
            Err(message) => self.wrong(source, path, message),
        }
    }

    fn wrong(&mut self, source: &str, key: &str, message: String) {
        self.mistakes.push(Mistake {
            source: source.to_owned(),
            key: key.to_owned(),
            message,
        });
    }

    /// What single values cannot know: bounds, and how they stand to each other.
    fn check(&mut self) {
        let settings = &self.settings;
        let found: Vec<(&str, String)> = at_least_one(settings)
            .into_iter()
            .chain(not_zero(settings))
            .chain(fitting(settings))
            .collect();
        for (key, message) in found {
            let source = self.origins.get(key).map_or("default", String::as_str).to_owned();
            self.wrong(&source, key, message);
        }
    }
}

fn at_least_one(settings: &Settings) -> Vec<(&'static str, String)> {
    let counts = [
        ("grpc.max_streams", u64::from(settings.grpc.max_streams)),
        ("cores.queue", settings.cores.queue as u64),
        ("limits.max_picture", settings.limits.max_picture.bytes()),
        ("limits.max_pixels", settings.limits.max_pixels),
        ("limits.max_side", u64::from(settings.limits.max_side)),
        ("limits.in_flight", settings.limits.in_flight as u64),
        ("shadow.queue", settings.shadow.queue as u64),
    ];
    let bad = counts.into_iter().filter(|(_, count)| *count == 0);
    bad.map(|(key, _)| (key, "at least 1 is expected".to_owned())).collect()
}

fn not_zero(settings: &Settings) -> Vec<(&'static str, String)> {
    const SHORTEST: Duration = Duration::from_millis(10);
    let spans = [
        ("grpc.stalled_reader", settings.grpc.stalled_reader),
        ("watch.poll", settings.watch.poll),
        ("watch.rescan", settings.watch.rescan),
        ("proof.cpu", settings.proof.cpu),
        ("proof.wall", settings.proof.wall),
    ];
    let bad = spans.into_iter().filter(|(_, span)| *span < SHORTEST);
    bad.map(|(key, _)| (key, "at least \"10ms\" is expected".to_owned()))
        .collect()
}

fn fitting(settings: &Settings) -> Vec<(&'static str, String)> {
    /// What HTTP/2 allows (RFC 9113, §4.2).
    const FRAMES: std::ops::RangeInclusive<u64> = (1 << 14)..=(1 << 24) - 1;
    /// Room for the texts beside a picture.
    const TEXTS: u64 = 64 << 10;
    /// Less cannot even load ONNX Runtime.
    const LEAST_PROOF: u64 = 128 << 20;
    let mut found = Vec::new();
    if !FRAMES.contains(&settings.grpc.max_frame.bytes()) {
        found.push((
            "grpc.max_frame",
            "from 16 KiB to just under 16 MiB is expected, as HTTP/2 has it".to_owned(),
        ));
    }
    let (picture, message) = (settings.limits.max_picture, settings.grpc.max_message);
    if message.bytes() > u64::from(u32::MAX) {
        found.push((
            "grpc.max_message",
            "less than 4 GiB is expected, as gRPC has it".to_owned(),
        ));
    }
    if message.bytes() < picture.bytes().saturating_add(TEXTS) {
        let least = ByteSize::from_bytes(picture.bytes().saturating_add(TEXTS));
        found.push((
            "grpc.max_message",
            format!("at least {least} is expected, so that a picture of limits.max_picture fits"),
        ));
    }
    if settings.proof.memory.bytes() < LEAST_PROOF {
        found.push(("proof.memory", "at least 128 MiB is expected".to_owned()));
    }
    let (grpc, admin) = (settings.grpc.address, settings.admin.address);
    if grpc == admin && grpc.port() != 0 {
        found.push(("admin.address", format!("{admin} is taken by grpc.address")));
    }
    found
}

fn suggestion(near: Option<String>) -> String {
    near.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// The candidate that differs from a misspelt name by at most two letters.
fn nearest(name: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    candidates
        .map(|candidate| (distance(name, &candidate), candidate))
        .filter(|(distance, _)| *distance <= 2)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance, by bytes.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.bytes().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
