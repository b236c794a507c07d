//! Is this version whole, and may it serve? The rules, applied to one version's directory.
//!
//! With a manifest the hashes decide: what matches is complete at that moment, what does not is incomplete and, once it has not changed for a while,
//! rejected. Without one, see `settling`. Content is told apart from passing trouble throughout: only content is ever rejected, because only
//! other content can mend it. Weights are not loaded here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::{Digest, IdError, ModelName, Version};

use super::evidence::Evidence;
use super::fault::{Fault, read_bounded};
use super::found::{Candidate, VersionFound};
use super::hashing::{HashCache, digest_of};
use super::layout::{Identity, Opened, Root, Unusable};
use super::manifest::{MANIFEST, MOST_MANIFEST_BYTES, Manifest, tensor_revision};
use super::names::FileName;
use super::onnx::Outline;
use super::scan::RepositoryOptions;
use super::settling::{Moment, Settling};

/// One version's place in the repository.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) model: ModelName,
    pub(super) version: Version,
    /// With every link resolved.
    pub(super) directory: PathBuf,
    /// As people know it, for them to be told.
    pub(super) shown: PathBuf,
    /// The model file of a version without a manifest.
    pub(super) model_file: FileName,
    /// Whether its model judges, and so serves no version without a manifest.
    pub(super) must_judge: bool,
}

/// What inspecting needs and keeps between scans.
#[derive(Debug)]
pub(super) struct Inspector {
    pub(super) options: RepositoryOptions,
    pub(super) root: Root,
    pub(super) moment: Moment,
    pub(super) hashes: HashCache,
    pub(super) settling: Settling,
    pub(super) outlines: HashMap<Digest, Result<Outline, String>>,
    pub(super) look_again: Option<Duration>,
}

impl Inspector {
    /// Applies the rules to one version.
    pub(super) fn inspect(&mut self, place: &Place) -> VersionFound {
        let mut evidence = Evidence::default();
        let found = self.examine(place, &mut evidence);
        let fault = match found {
            Ok(candidate) => {
                self.settling.accept(&place.directory, candidate.content);
                return VersionFound::Complete(candidate);
            }
            Err(fault) => fault,
        };
        match fault {
            Fault::Busy(reason) => {
                self.wake_after(self.options.settle);
                VersionFound::Incomplete { reason }
            }
            Fault::NotYet(reason) => self.not_yet(place, evidence, reason),
            Fault::Wrong(reason) => VersionFound::Rejected {
                content: evidence.content(Some(&reason)),
                reason,
            },
            Fault::Passing(reason) => {
                let wait = self.settling.back_off(&place.directory, self.moment);
                self.wake_after(wait);
                VersionFound::Waiting {
                    reason: format!("{reason}; tried again in {} s", wait.as_secs()),
                }
            }
        }
    }

    /// Asks for another scan after a span.
    pub(super) fn wake_after(&mut self, span: Duration) {
        let span = span.max(Duration::from_millis(1));
        self.look_again = Some(self.look_again.map_or(span, |earlier| earlier.min(span)));
    }

    fn not_yet(&mut self, place: &Place, mut evidence: Evidence, reason: String) -> VersionFound {
        // The directory's own times tell when a file was taken away.
        if let Ok(metadata) = place.directory.symlink_metadata() {
            evidence.appearance.add("", Some(Identity::of(&metadata)));
        }
        let appearance = std::mem::take(&mut evidence.appearance);
        let unchanged = self
            .settling
            .unchanged_for(&place.directory.join(MANIFEST), appearance, self.moment);
        if unchanged >= self.options.reject_after {
            return VersionFound::Rejected {
                content: evidence.content(Some(&reason)),
                reason,
            };
        }
        // A file closed before its folder was watched is heard of by nobody: so look once more soon after a change.
        let left = self.options.reject_after - unchanged;
        let soon = if unchanged < self.options.settle {
            self.options.settle - unchanged
        } else {
            left
        };
        self.wake_after(soon.min(left));
        VersionFound::Incomplete { reason }
    }

    fn examine(&mut self, place: &Place, evidence: &mut Evidence) -> Result<Candidate, Fault> {
        match self.root.open(&place.directory.join(MANIFEST)) {
            Ok(opened) => self.with_manifest(place, opened, evidence),
            Err(Unusable::Missing) if place.must_judge || place.directory.join("golden").exists() => {
                Err(Fault::NotYet(format!(
                    "{MANIFEST} is missing: without it nothing says how pictures are judged"
                )))
            }
            Err(Unusable::Missing) => self.without_manifest(place, evidence),
            Err(error) => Err(Fault::of(MANIFEST, error)),
        }
    }

    fn with_manifest(&mut self, place: &Place, opened: Opened, evidence: &mut Evidence) -> Result<Candidate, Fault> {
        evidence.appearance.add(MANIFEST, Some(opened.identity));
        let bytes = read_bounded(opened, MOST_MANIFEST_BYTES).map_err(|fault| fault.named(MANIFEST))?;
        evidence.manifest = Some(digest_of(&bytes));
        let text = String::from_utf8(bytes).map_err(|_| Fault::NotYet(format!("{MANIFEST} is not UTF-8 text")))?;
        let manifest = Manifest::parse(&text).map_err(|error| Fault::NotYet(format!("{MANIFEST}: {error}")))?;

        let mut faults = Vec::new();
        for (name, expected) in &manifest.files {
            match self.hash(place, name, evidence) {
                Ok(found) if found == *expected => {}
                Ok(found) => faults.push(format!(
                    "{name} does not match its manifest: expected SHA-256 {expected}, found {found}"
                )),
                Err(Fault::NotYet(reason)) => faults.push(reason),
                Err(other) => return Err(other),
            }
        }
        if !faults.is_empty() {
            return Err(Fault::NotYet(mismatches(&faults, &place.shown)));
        }
        let external = self.external(place, &FileName::model(), evidence)?;
        if let Some(name) = external.keys().find(|name| !manifest.files.contains_key(*name)) {
            return Err(Fault::Wrong(format!(
                "model.onnx reads {name}, which [files] does not list; run `vigie add --reseal {}`",
                place.shown.display()
            )));
        }
        self.labels_agree(place, &manifest)?;
        let model = manifest
            .files
            .get(&FileName::model())
            .copied()
            .expect("a manifest names its model file");
        Ok(Candidate {
            model: place.model.clone(),
            version: place.version,
            revision: manifest.revision(model, &external),
            content: evidence.content(None),
            manifest: Some(Arc::new(manifest)),
            manifest_text: Some(text.into()),
            root: self.root.clone(),
            directory: place.directory.clone(),
            external: external.into_keys().collect(),
            onnx: FileName::model(),
            files: std::mem::take(&mut evidence.files),
        })
    }

    fn without_manifest(&mut self, place: &Place, evidence: &mut Evidence) -> Result<Candidate, Fault> {
        let onnx = self.model_file(place)?;
        let model = self.hash(place, &onnx, evidence)?;
        let outlined = self.external(place, &onnx, evidence);
        let unchanged = self
            .settling
            .unchanged_for(&place.directory, evidence.appearance.clone(), self.moment);
        let is_settled = unchanged >= self.options.settle;
        let external = match outlined {
            // Before it has settled, the rest may still be on its way.
            Err(Fault::Wrong(reason)) if !is_settled => return Err(Fault::Busy(reason)),
            other => other?,
        };
        let content = evidence.content(None);
        let has_arrived = evidence.files.keys().all(|name| {
            name.under(&place.directory)
                .canonicalize()
                .is_ok_and(|path| self.settling.has_arrived(&path))
        });
        if !(is_settled || has_arrived || self.settling.is_accepted(&place.directory, content)) {
            return Err(Fault::Busy(format!(
                "{onnx} may still be written: it changed less than {:?} ago",
                self.options.settle
            )));
        }
        Ok(Candidate {
            model: place.model.clone(),
            version: place.version,
            revision: tensor_revision(model, &external),
            content,
            manifest: None,
            manifest_text: None,
            root: self.root.clone(),
            directory: place.directory.clone(),
            external: external.into_keys().collect(),
            onnx,
            files: std::mem::take(&mut evidence.files),
        })
    }

    /// Triton takes a folder of the model file's name as well, with `model.onnx` and its weights inside.
    fn model_file(&self, place: &Place) -> Result<FileName, Fault> {
        let path = place.model_file.under(&place.directory);
        match self.root.locate(&path) {
            Ok(path) if path.is_dir() => {
                let nested = format!("{}/{}", place.model_file, FileName::model());
                nested.parse().map_err(|error: IdError| Fault::Wrong(error.to_string()))
            }
            Ok(_) => Ok(place.model_file.clone()),
            Err(error) => Err(Fault::of(place.model_file.as_str(), error)),
        }
    }

    fn labels_agree(&self, place: &Place, manifest: &Manifest) -> Result<(), Fault> {
        let name = FileName::labels();
        if !manifest.files.contains_key(&name) {
            return Ok(());
        }
        let opened = self
            .root
            .open_in(&place.directory, &name)
            .map_err(|error| Fault::of(name.as_str(), error))?;
        let bytes = read_bounded(opened, MOST_MANIFEST_BYTES).map_err(|fault| fault.named(name.as_str()))?;
        let text = String::from_utf8_lossy(&bytes);
        let agrees = text
            .lines()
            .map(str::trim_end)
            .eq(manifest.head.labels().iter().map(|label| label.as_str()));
        if agrees {
            return Ok(());
        }
        Err(Fault::Wrong(format!(
            "labels: the file does not give the manifest's labels, one a line in their order; {}",
            reseal_hint(&place.shown)
        )))
    }
}

fn mismatches(faults: &[String], directory: &Path) -> String {
    const SHOWN: usize = 3;
    let more = match faults.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    let shown = faults.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    format!("{shown}{more}; {}", reseal_hint(directory))
}

fn reseal_hint(directory: &Path) -> String {
    format!("if this is meant, run `vigie add --reseal {}`", directory.display())
}
