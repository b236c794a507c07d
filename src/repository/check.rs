//! A whole repository held against the rules, offline, for people.
//!
//! The same scan, seal and proof as in serving, without patience: what is not whole now is wrong. How a version is loaded and run is passed in, because this room
//! does not run models. Nothing in the repository is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::base::{Label, ModelName, RevisionId, Version};
use crate::policy::Policy;

use super::found::{Candidate, ModelFound, Problem, VersionFound};
use super::manifest::{GoldenSource, Manifest};
use super::report::{CheckReport, Finding, ModelCheck, Proved, VersionCheck};
use super::scan::{Repository, RepositoryOptions, ScanError};
use super::seal::seal;
use super::sealed::{SealedRevision, prune};
use super::settings::FirstStart;

/// Loads a sealed version, runs its golden pictures and answers with what that showed, or with the reason why it may not serve.
pub type Prover<'a> = dyn FnMut(&ModelName, &SealedRevision) -> Result<Proved, String> + 'a;

/// Why a repository was not checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Scan(#[from] ScanError),
    #[error("cannot make a temporary folder for copies: {0}; set TMPDIR to one with room for the largest version")]
    Temporary(io::Error),
}

/// Checks everything in a repository. Reads every file; to be called off any request path.
///
/// # Errors
/// When the repository cannot be read at all; what is wrong inside is in the report.
pub fn check(root: &Path, prover: Option<&mut Prover<'_>>) -> Result<CheckReport, CheckError> {
    let options = RepositoryOptions {
        settle: Duration::ZERO,
        reject_after: Duration::ZERO,
    };
    let mut repository = Repository::open(root, options)?;
    let mut scan = repository.scan(Instant::now())?;
    // Large files are read in steps, one a scan.
    while scan.bytes_hashed > 0 && scan.models.values().any(is_being_read) {
        scan = repository.scan(Instant::now())?;
    }
    let copies = tempfile::tempdir().map_err(CheckError::Temporary)?;
    let mut checker = Checker {
        root,
        copies: copies.path(),
        prover,
        seen: BTreeMap::new(),
    };
    let models = scan
        .models
        .iter()
        .map(|(name, found)| (name.clone(), checker.model(name, found)))
        .collect();
    let refused = scan
        .refused
        .iter()
        .map(|refused| Finding::error(refused.to_string(), "rename or remove it"));
    let mut findings: Vec<_> = refused.collect();
    if scan.models.is_empty() {
        let mend = "put a model at <repository>/<model>/<version>/model.onnx, or run `vigie add MODEL.onnx --to NAME`";
        findings.push(Finding::error("the repository holds no model", mend));
    }
    // Copies are read-only, folders too: make them removable again.
    let _ = prune(copies.path(), &BTreeSet::new());
    Ok(CheckReport {
        repository: root.to_owned(),
        models,
        findings,
    })
}

fn is_being_read(model: &ModelFound) -> bool {
    model
        .versions
        .values()
        .any(|version| matches!(version, VersionFound::Incomplete { .. }))
}

struct Checker<'a, 'b> {
    root: &'a Path,
    copies: &'a Path,
    prover: Option<&'a mut Prover<'b>>,
    /// Where each revision was met first.
    seen: BTreeMap<RevisionId, String>,
}

impl Checker<'_, '_> {
    fn model(&mut self, name: &ModelName, found: &ModelFound) -> ModelCheck {
        let mut check = ModelCheck::default();
        for (version, found) in &found.versions {
            check.versions.insert(*version, self.version(name, *version, found));
        }
        let problems = [
            found.settings.as_ref().err(),
            problem(found.policy.as_ref()),
            problem(found.triton.as_ref()),
        ];
        for problem in problems.into_iter().flatten() {
            check.findings.push(Finding::error(
                problem.to_string(),
                "correct the file; the rest serves as before it changed",
            ));
        }
        first_start(found, &mut check.findings);
        policy(found, &mut check.findings);
        if found.versions.is_empty() {
            let path = self.root.join(name.as_str()).join("1/model.onnx");
            check.findings.push(Finding::error(
                "it has no version",
                format!("put one at {}", path.display()),
            ));
        }
        check
    }

    fn version(&mut self, name: &ModelName, version: Version, found: &VersionFound) -> VersionCheck {
        let place = self.root.join(name.as_str()).join(version.to_string());
        match found {
            VersionFound::Complete(candidate) => self.candidate(candidate),
            VersionFound::Incomplete { reason } | VersionFound::Rejected { reason, .. } => {
                let finding = Finding::error(reason, mend(reason, &place));
                VersionCheck {
                    findings: vec![finding],
                    ..VersionCheck::default()
                }
            }
            VersionFound::Waiting { reason } => {
                let finding = Finding::error(reason, "check the permissions and the disk, then check again");
                VersionCheck {
                    findings: vec![finding],
                    ..VersionCheck::default()
                }
            }
        }
    }

    fn candidate(&mut self, candidate: &Candidate) -> VersionCheck {
        let manifest = candidate.manifest.as_deref();
        let mut check = VersionCheck {
            revision: Some(candidate.revision),
            judges: manifest.is_some(),
            labels: manifest.map_or(0, |manifest| manifest.head.labels().len()),
            files: candidate.files.len(),
            ..VersionCheck::default()
        };
        match manifest {
            Some(manifest) => remarks(manifest, &mut check.findings),
            None => check.findings.push(Finding::note(
                "it has no version.toml: a plain tensor model, which judges no pictures",
            )),
        }
        let here = format!("{}/{}", candidate.model, candidate.version);
        if let Some(first) = self.seen.get(&candidate.revision) {
            check.findings.push(Finding::note(format!(
                "it is the same revision as {first}: loaded once"
            )));
        }
        self.seen.entry(candidate.revision).or_insert(here);
        self.prove(candidate, &mut check);
        check
    }

    fn prove(&mut self, candidate: &Candidate, check: &mut VersionCheck) {
        let Some(prover) = &mut self.prover else { return };
        match seal(candidate, self.copies) {
            Err(error) => check.findings.push(Finding::error(error.to_string(), "check again")),
            Ok(sealed) => match prover(&candidate.model, &sealed) {
                Ok(proved) => check.proved = Some(proved),
                Err(reason) => {
                    check.findings.push(Finding::error(
                        reason,
                        "replace the model or correct its manifest, then reseal it",
                    ));
                }
            },
        }
    }
}

fn problem<T>(read: Option<&Result<T, Problem>>) -> Option<&Problem> {
    read.and_then(|read| read.as_ref().err())
}

fn mend(reason: &str, place: &Path) -> String {
    if reason.contains("vigie add") {
        // The reason says it already.
        return String::new();
    }
    if reason.contains("is missing") {
        return format!(
            "put the file into {}, or run `vigie add --reseal {}` to do without it",
            place.display(),
            place.display()
        );
    }
    "correct or replace the file; see the reason".into()
}

fn remarks(manifest: &Manifest, findings: &mut Vec<Finding>) {
    if manifest.golden.source == GoldenSource::Itself {
        findings.push(Finding::note(
            "its golden scores come from the model itself: they prove that it judges as before, not that it judges as in training",
        ));
    }
    if manifest.metrics.is_empty() {
        findings.push(Finding::note("it states no [metrics]: nothing says how good it is"));
    }
}

fn first_start(found: &ModelFound, findings: &mut Vec<Finding>) {
    let Ok(settings) = &found.settings else { return };
    let Some(FirstStart { live, shadow }) = settings.release.first else {
        return;
    };
    for (role, version) in [("live", Some(live)), ("shadow", shadow)] {
        if let Some(version) = version
            && !found.versions.contains_key(&version)
        {
            let text = format!("model.toml: release.first.{role} names version {version}, which does not exist");
            findings.push(Finding::error(text, "name a version that exists, or leave the key out"));
        }
    }
}

fn policy(found: &ModelFound, findings: &mut Vec<Finding>) {
    let manifests = found.versions.iter().filter_map(|(version, found)| match found {
        VersionFound::Complete(candidate) => candidate.manifest.as_ref().map(|manifest| (version, manifest)),
        VersionFound::Incomplete { .. } | VersionFound::Rejected { .. } | VersionFound::Waiting { .. } => None,
    });
    let manifests: Vec<_> = manifests.collect();
    let text = match &found.policy {
        Some(Ok(file)) => &file.text,
        Some(Err(_)) => return,
        None if manifests.is_empty() => return,
        None => {
            let mend = "write a policy.toml beside the versions: thresholds per label and country";
            return findings.push(Finding::error(
                "it judges pictures but has no policy.toml, so no verdict can be given",
                mend,
            ));
        }
    };
    let policy = match Policy::parse(text) {
        Ok(policy) => policy,
        Err(error) => {
            let mistakes = error.mistakes.iter().map(|mistake| format!("policy.toml: {mistake}"));
            return findings.extend(
                mistakes.map(|mistake| Finding::error(mistake, "correct it; the policy before it stays in force")),
            );
        }
    };
    for (version, manifest) in manifests {
        let labels: &[Label] = manifest.head.labels();
        for rule in policy.inert(labels) {
            let text = format!(
                "policy.toml: {rule} is about a label that version {version} does not give, so it never speaks"
            );
            findings.push(Finding::warning(
                text,
                "remove the rule, or serve a version with that label",
            ));
        }
    }
}
