//! Reading and writing the manifest's text.
//!
//! Each section is read by itself, so that a mistake in one does not hide those of the others; what holds between sections is checked after.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use toml::{Table, Value};

use crate::base::{Digest, Label};
use crate::engine::{Activation, Calibration, Head};
use crate::preprocess::Preprocessing;

use super::super::names::FileName;
use super::{Golden, MANIFEST, Manifest, ManifestError, RuntimeSettings};

/// The form that this program writes and reads.
const FORMAT: i64 = 1;
const MOST_LABELS: usize = 10_000;
const MOST_NAME_BYTES: usize = 1024;
/// A wider tolerance would accept almost any model.
const WIDEST_TOLERANCE: f32 = 0.1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputSection {
    name: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OutputSection {
    name: String,
    activation: Activation,
}

/// The whole text, in the order in which it is written.
#[derive(Serialize)]
struct Text<'a> {
    format: i64,
    labels: &'a [Label],
    files: &'a BTreeMap<FileName, Digest>,
    input: InputSection,
    output: OutputSection,
    #[serde(skip_serializing_if = "Option::is_none")]
    calibration: Option<&'a Calibration>,
    preprocessing: &'a Preprocessing,
    runtime: &'a RuntimeSettings,
    golden: &'a Golden,
    #[serde(skip_serializing_if = "Table::is_empty")]
    provenance: &'a Table,
    #[serde(skip_serializing_if = "Table::is_empty")]
    metrics: &'a Table,
}

pub(super) fn render(manifest: &Manifest) -> String {
    let text = Text {
        format: FORMAT,
        labels: manifest.head.labels(),
        files: &manifest.files,
        input: InputSection {
            name: manifest.input.clone(),
        },
        output: OutputSection {
            name: manifest.output.clone(),
            activation: manifest.head.activation(),
        },
        calibration: manifest.head.calibration(),
        preprocessing: &manifest.preprocessing,
        runtime: &manifest.runtime,
        golden: &manifest.golden,
        provenance: &manifest.provenance,
        metrics: &manifest.metrics,
    };
    toml::to_string(&text).expect("every part of a manifest has a form in TOML")
}

/// Writes each number with the fewest digits that read back as the same 32 bits, instead of its 64-bit neighbour.
pub(super) fn shortest<S: Serializer>(numbers: &[f32], serializer: S) -> Result<S::Ok, S::Error> {
    let widened = numbers
        .iter()
        .map(|number| number.to_string().parse().unwrap_or_else(|_| f64::from(*number)));
    serializer.collect_seq(widened)
}

pub(super) fn parse(text: &str) -> Result<Manifest, ManifestError> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| ManifestError {
        mistakes: vec![format!("not TOML: {}", one_line(&error.to_string()))],
    })?;
    let mut reader = Reader {
        table,
        mistakes: Vec::new(),
    };
    let manifest = reader.manifest();
    match manifest {
        Some(manifest) if reader.mistakes.is_empty() => Ok(manifest),
        Some(_) | None => Err(ManifestError {
            mistakes: reader.mistakes,
        }),
    }
}

struct Reader {
    table: Table,
    mistakes: Vec<String>,
}

impl Reader {
    fn manifest(&mut self) -> Option<Manifest> {
        self.format();
        let labels = self.required("labels", "the labels in output order");
        let files = self.required("files", "the SHA-256 of each file");
        let input = self.required("input", "`name` of the model's input");
        let output = self.required("output", "`name` of the model's output and its `activation`");
        let calibration = self.optional("calibration");
        let preprocessing = self.required("preprocessing", "how a picture becomes the input");
        let runtime = self
            .optional::<RuntimeSettings>("runtime")
            .flatten()
            .unwrap_or_default();
        let golden = self.required("golden", "pictures with the scores that they must get");
        let provenance = self.optional("provenance").flatten().unwrap_or_default();
        let metrics = self.optional("metrics").flatten().unwrap_or_default();
        let unknown: Vec<String> = self
            .table
            .keys()
            .map(|key| format!("{key}: no such key; remove it"))
            .collect();
        self.mistakes.extend(unknown);

        let head = labels.and_then(|labels| self.head(labels, output.as_ref(), calibration?));
        let files = files.filter(|files| self.files_are_sound(files));
        let golden = golden.filter(|golden| self.golden_is_sound(golden, files.as_ref(), head.as_ref()));
        let (input, output): (InputSection, OutputSection) = (input?, output?);
        self.names_are_sound(&input, &output, &runtime);
        Some(Manifest {
            files: files?,
            input: input.name,
            output: output.name,
            head: head?,
            preprocessing: preprocessing?,
            runtime,
            golden: golden?,
            provenance,
            metrics,
        })
    }

    fn mistake(&mut self, text: impl Into<String>) {
        self.mistakes.push(text.into());
    }

    fn format(&mut self) {
        match self.table.remove("format") {
            Some(Value::Integer(FORMAT)) => {}
            Some(other) => self.mistake(format!("format: this program reads format {FORMAT}, not {other}")),
            None => self.mistake(format!("format is missing: write `format = {FORMAT}`")),
        }
    }

    fn required<T: DeserializeOwned>(&mut self, key: &str, what: &str) -> Option<T> {
        if !self.table.contains_key(key) {
            self.mistake(format!("{key} is missing: {what}"));
            return None;
        }
        self.optional(key).flatten()
    }

    /// None where the section is wrong, `Some(None)` where there is none.
    fn optional<T: DeserializeOwned>(&mut self, key: &str) -> Option<Option<T>> {
        let Some(value) = self.table.remove(key) else {
            return Some(None);
        };
        match value.try_into() {
            Ok(section) => Some(Some(section)),
            Err(error) => {
                self.mistake(format!("{key}: {}", one_line(&error.to_string())));
                None
            }
        }
    }

    fn head(
        &mut self,
        labels: Vec<Label>,
        output: Option<&OutputSection>,
        calibration: Option<Calibration>,
    ) -> Option<Head> {
        if labels.len() > MOST_LABELS {
            self.mistake(format!("labels: {} are too many: at most {MOST_LABELS}", labels.len()));
            return None;
        }
        // Where the output section is wrong the labels and the calibration are checked all the same.
        let activation = output.map_or(Activation::Sigmoid, |output| output.activation);
        Head::new(labels, activation, calibration)
            .map_err(|error| self.mistake(error.to_string()))
            .ok()
    }

    fn files_are_sound(&mut self, files: &BTreeMap<FileName, Digest>) -> bool {
        let before = self.mistakes.len();
        if !files.contains_key(&FileName::model()) {
            self.mistake("files: \"model.onnx\" is missing");
        }
        if files.keys().any(|name| name.as_str() == MANIFEST) {
            self.mistake(format!("files: \"{MANIFEST}\" cannot hold its own hash; remove it"));
        }
        self.mistakes.len() == before
    }

    fn golden_is_sound(
        &mut self,
        golden: &Golden,
        files: Option<&BTreeMap<FileName, Digest>>,
        head: Option<&Head>,
    ) -> bool {
        let before = self.mistakes.len();
        if !(golden.tolerance > 0.0 && golden.tolerance <= WIDEST_TOLERANCE) {
            let found = golden.tolerance;
            self.mistake(format!(
                "golden.tolerance: {found} is not above 0 and at most {WIDEST_TOLERANCE}"
            ));
        }
        if golden.cases.is_empty() {
            self.mistake("golden.cases: at least one picture with its scores is needed");
        }
        for (at, case) in golden.cases.iter().enumerate() {
            if files.is_some_and(|files| !files.contains_key(&case.file)) {
                self.mistake(format!("golden.cases[{at}].file: \"{}\" is not in [files]", case.file));
            }
            let (got, labels) = (case.scores.len(), head.map(|head| head.labels().len()));
            if labels.is_some_and(|labels| labels != got) {
                let expected = labels.unwrap_or_default();
                self.mistake(format!(
                    "golden.cases[{at}].scores: {expected} are expected, one a label, not {got}"
                ));
            }
            if let Some(score) = case.scores.iter().find(|score| !(0.0..=1.0).contains(*score)) {
                self.mistake(format!(
                    "golden.cases[{at}].scores: {score} is not a probability of 0 to 1"
                ));
            }
        }
        self.mistakes.len() == before
    }

    fn names_are_sound(&mut self, input: &InputSection, output: &OutputSection, runtime: &RuntimeSettings) {
        let names = [
            ("input.name", &input.name),
            ("output.name", &output.name),
            ("runtime.precision", &runtime.precision),
        ];
        for (key, name) in names {
            if name.is_empty() || name.len() > MOST_NAME_BYTES {
                self.mistake(format!(
                    "{key}: 1 to {MOST_NAME_BYTES} bytes are expected, not {}",
                    name.len()
                ));
            }
        }
    }
}

/// An error's lines as one: reasons stand in lists and logs.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
