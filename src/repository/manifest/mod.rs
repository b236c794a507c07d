//! `version.toml`: everything about a version that its weights do not say.
//!
//! How pictures are prepared, what the outputs mean, the hash of every file, and golden pictures with the scores that they must get. It is read as
//! a whole or not at all: a `Manifest` that exists is consistent in itself. All mistakes are reported together, each with its key. Whether the
//! files lie beside it is `inspect`'s business.

mod read;
mod revision;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Digest;
use crate::engine::{Head, Optimization};
use crate::preprocess::Preprocessing;

use super::names::FileName;

pub use revision::tensor_revision;

/// The name of the manifest in a version's directory.
pub const MANIFEST: &str = "version.toml";

/// A longer manifest is refused unread.
pub const MOST_MANIFEST_BYTES: u64 = 4 << 20;

/// The manifest of one version, consistent in itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// The SHA-256 of every file of the version but the manifest; always names `model.onnx`.
    pub files: BTreeMap<FileName, Digest>,
    /// The name of the model's picture input, FP32 `[-1, 3, height, width]`.
    pub input: String,
    /// The name of the model's output, FP32 `[-1, labels]`.
    pub output: String,
    /// Labels in output order, activation, calibration.
    pub head: Head,
    pub preprocessing: Preprocessing,
    pub runtime: RuntimeSettings,
    pub golden: Golden,
    /// Where the version comes from; free in form, no part of the revision.
    pub provenance: toml::Table,
    /// What was measured, a table a label; free in form, no part of the revision.
    pub metrics: toml::Table,
}

/// How the model is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuntimeSettings {
    /// What the weights were made for (`fp32`, `int8`); for people, and part of the revision.
    #[serde(default = "full_precision")]
    pub precision: String,
    /// How far the graph is rewritten before it runs.
    #[serde(default = "all_optimizations")]
    pub optimization: Optimization,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            precision: full_precision(),
            optimization: all_optimizations(),
        }
    }
}

fn full_precision() -> String {
    "fp32".into()
}

fn all_optimizations() -> Optimization {
    Optimization::All
}

/// Where golden scores come from, and so what they prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GoldenSource {
    /// From the training pipeline: they prove that serving judges as training did.
    Training,
    /// From this model as it was served when they were made: they prove that it still judges so, nothing more.
    #[serde(rename = "self")]
    Itself,
}

/// Pictures with the scores that the version must give them before it may serve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    pub source: GoldenSource,
    /// The largest absolute difference of a probability; above 0, at most 0.1.
    pub tolerance: f32,
    /// At least one.
    pub cases: Vec<GoldenCase>,
}

/// One golden picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenCase {
    /// One of the manifest's files.
    pub file: FileName,
    /// A probability a label, in the order of the labels.
    #[serde(serialize_with = "read::shortest")]
    pub scores: Vec<f32>,
}

/// Everything that is wrong with a manifest, each with its key and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", mistakes.join("; "))]
pub struct ManifestError {
    pub mistakes: Vec<String>,
}

impl Manifest {
    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// All mistakes at once, unless the text is no TOML at all.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        read::parse(text)
    }

    /// The manifest as text that reads back as the same manifest.
    pub fn to_toml(&self) -> String {
        read::render(self)
    }
}
