//! What is asked of `add`, what it answers, and why it may not do it.

use std::io;
use std::path::PathBuf;

use crate::base::{ModelName, RevisionId, Version};
use crate::engine::{Head, Optimization};
use crate::preprocess::Preprocessing;

use super::super::manifest::{GoldenSource, MANIFEST, ManifestError};
use super::files::ScoresError;

/// What to make a version of.
#[derive(Debug, Clone)]
pub struct AddRequest {
    pub repository: PathBuf,
    pub model: ModelName,
    /// The ONNX file; the weight files that it reads lie beside it.
    pub onnx: PathBuf,
    /// The version whose labels, preprocessing and calibration also hold for this one; none: the highest that has a manifest, and without any
    /// the new version is a plain tensor model.
    pub like: Option<Version>,
    /// Golden pictures; none: those of the version that this one is like.
    pub samples: Option<PathBuf>,
    /// Golden scores from the training pipeline; none: the model's own, which prove stability alone.
    pub scores: Option<PathBuf>,
}

/// What was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Added {
    pub version: Version,
    /// The version's folder.
    pub directory: PathBuf,
    pub revision: RevisionId,
    /// Where its golden scores come from; none for a plain tensor model.
    pub golden: Option<GoldenSource>,
    /// The version that it was made like.
    pub like: Option<Version>,
    /// What whoever added it should know, in sentences.
    pub remarks: Vec<String>,
}

/// Pictures to be scored by a model that is not yet a version.
#[derive(Debug, Clone)]
pub struct ScoreRequest {
    pub model: ModelName,
    pub onnx: PathBuf,
    pub input: String,
    pub output: String,
    pub head: Head,
    pub preprocessing: Preprocessing,
    pub optimization: Optimization,
    pub pictures: Vec<PathBuf>,
}

/// Gives each picture of a request its scores in the order of the labels, or says why it cannot.
pub type Scorer<'a> = dyn FnMut(&ScoreRequest) -> Result<Vec<Vec<f32>>, String> + 'a;

/// Why no version was made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{}: {reason}", path.display())]
    NotOnnx { path: PathBuf, reason: String },
    #[error("{}: it reads weights from {location:?}; put them beside the model and export it anew", path.display())]
    ExternalData { path: PathBuf, location: String },
    #[error("{model} has no version {version} with a manifest to be like; {}", existing(.have))]
    NoSuchVersion {
        model: ModelName,
        version: Version,
        have: Vec<Version>,
    },
    #[error(
        "{0} has no version with a manifest, which would say what its labels are and how pictures are prepared; leave --samples and --scores out to add a plain tensor model, or put a whole first version there (its training pipeline writes one)"
    )]
    NothingToBeLike(ModelName),
    #[error(transparent)]
    Scores(#[from] ScoresError),
    #[error("{}: no picture in it (.jpg, .jpeg, .png, .webp, .gif, .bmp)", .0.display())]
    NoSamples(PathBuf),
    #[error("the golden pictures could not be scored: {0}")]
    NotScored(String),
    #[error("{}: {source}", path.display())]
    Manifest {
        path: PathBuf,
        #[source]
        source: ManifestError,
    },
    #[error("{}: is no version with a {MANIFEST}; `vigie add MODEL.onnx --to NAME` makes one", .0.display())]
    NoManifest(PathBuf),
    #[error("the version would not be whole: {0}")]
    NotWhole(String),
    #[error("{} exists by now; run the command again", .0.display())]
    Taken(PathBuf),
}

fn existing(have: &[Version]) -> String {
    match have {
        [] => "it has none at all".into(),
        have => format!(
            "it has {}",
            have.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        ),
    }
}
