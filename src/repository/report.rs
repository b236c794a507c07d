//! What `check` tells people about a repository: plain values, for a table or JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use crate::base::{ModelName, RevisionId, Version};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// It serves, though perhaps not as meant.
    Warning,
    /// It does not serve.
    Error,
}

/// Something that was found, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub severity: Severity,
    pub text: String,
    /// What to do; empty where nothing need be done.
    pub mend: String,
}

impl Finding {
    pub(super) fn error(text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            text: text.into(),
            mend: mend.into(),
        }
    }

    pub(super) fn warning(text: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            text: text.into(),
            mend: mend.into(),
        }
    }

    pub(super) fn note(text: impl Into<String>) -> Self {
        Self {
            severity: Severity::Note,
            text: text.into(),
            mend: String::new(),
        }
    }
}

/// A whole repository, checked.
#[derive(Debug, Clone, Serialize)]
pub struct CheckReport {
    pub repository: PathBuf,
    pub models: BTreeMap<ModelName, ModelCheck>,
    /// What is wrong outside of any model.
    pub findings: Vec<Finding>,
}

/// One model, checked.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ModelCheck {
    pub findings: Vec<Finding>,
    pub versions: BTreeMap<Version, VersionCheck>,
}

/// One version, checked.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct VersionCheck {
    /// None where it is not whole.
    pub revision: Option<RevisionId>,
    /// True with a manifest: it judges pictures. False: a plain tensor model.
    pub judges: bool,
    pub labels: usize,
    /// How many files were hashed.
    pub files: usize,
    /// None where it was not loaded.
    pub proved: Option<Proved>,
    pub findings: Vec<Finding>,
}

/// What loading a version and running its golden pictures showed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proved {
    pub golden_cases: usize,
    /// The largest difference of a probability from its golden score.
    pub worst: f32,
}

impl CheckReport {
    /// Every finding with what it is about: `""`, `adsafety`, `adsafety/2`.
    pub fn findings(&self) -> impl Iterator<Item = (String, &Finding)> {
        let own = self.findings.iter().map(|finding| (String::new(), finding));
        let models = self.models.iter().flat_map(|(name, model)| {
            let own = model.findings.iter().map(move |finding| (name.to_string(), finding));
            let versions = model.versions.iter().flat_map(move |(version, check)| {
                check
                    .findings
                    .iter()
                    .map(move |finding| (format!("{name}/{version}"), finding))
            });
            own.chain(versions)
        });
        own.chain(models)
    }

    /// True where something does not serve.
    pub fn has_errors(&self) -> bool {
        self.findings().any(|(_, finding)| finding.severity == Severity::Error)
    }
}
