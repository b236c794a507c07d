//! What one look at the repository found: plain values, for the control plane to act upon.
//!
//! They say what the disk holds and whether it may serve. What does serve, what was tried before and when to try again is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Digest, ModelName, RevisionId, Version};

use super::layout::Root;
use super::manifest::Manifest;
use super::names::FileName;
use super::settings::ModelSettings;
use super::triton::TritonConfig;

/// Everything found by one scan.
#[derive(Debug, Clone, Default)]
pub struct Scan {
    pub models: BTreeMap<ModelName, ModelFound>,
    /// What may not be used, and why: names that are no names, links that leave the repository, devices.
    pub refused: Vec<Refused>,
    /// What is no part of the repository's layout and does no harm: hidden and temporary names, folders beside the versions.
    pub ignored: Vec<Refused>,
    /// When to scan again though nothing may have been heard: something is still being written, or waits for its time.
    pub look_again: Option<Duration>,
    /// How many bytes were read to be hashed; zero when nothing changed.
    pub bytes_hashed: u64,
}

/// A path that is not used, and the reason in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub path: PathBuf,
    pub reason: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// A file that cannot be used as it is: which, and what is wrong in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct Problem {
    pub path: PathBuf,
    pub reason: String,
}

/// One model's directory.
#[derive(Debug, Clone)]
pub struct ModelFound {
    /// From `model.toml`; the defaults where there is none.
    pub settings: Result<ModelSettings, Problem>,
    /// From `policy.toml`, where there is one.
    pub policy: Option<Result<PolicyFile, Problem>>,
    /// From `config.pbtxt`, where there is one.
    pub triton: Option<Result<Arc<TritonConfig>, Problem>>,
    pub versions: BTreeMap<Version, VersionFound>,
}

/// The text of a policy. It is UTF-8 and no longer being written; what it says is the policy room's to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    pub text: Arc<str>,
    pub digest: Digest,
}

/// What a version's directory holds.
#[derive(Debug, Clone)]
pub enum VersionFound {
    /// Everything is there and hashed: it may be sealed, proved and served.
    Complete(Candidate),
    /// Not everything is there yet, or it is still being written.
    Incomplete { reason: String },
    /// Its content is wrong. `content` covers all that was found: while it stays the same there is nothing to try again.
    Rejected { content: Digest, reason: String },
    /// It could not be read for a passing reason.
    Waiting { reason: String },
}

/// A complete version, as it lay on the disk when it was hashed.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub model: ModelName,
    pub version: Version,
    pub revision: RevisionId,
    /// Covers every byte of the version, also those that the revision leaves out (golden pictures, metrics): a candidate that failed is not
    /// tried again while this stays the same.
    pub content: Digest,
    /// None: a plain tensor model.
    pub manifest: Option<Arc<Manifest>>,
    pub(super) manifest_text: Option<Arc<str>>,
    pub(super) root: Root,
    pub(super) directory: PathBuf,
    /// The ONNX file among `files`.
    pub(super) onnx: FileName,
    /// The weight files that the model reads beside itself, among `files`.
    pub(super) external: BTreeSet<FileName>,
    pub(super) files: BTreeMap<FileName, Digest>,
}
