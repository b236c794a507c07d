//! Is this version whole, and may it serve? The rules, applied to one version's directory.
//!
//! With a manifest the hashes decide: what matches is complete at that moment, what does not is incomplete and, once it has not changed for a while,
//! rejected. Without one, see `settling`. Content is told apart from passing trouble throughout: only content is ever rejected, because only
//! other content can mend it. Weights are not loaded here.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::base::{Digest, ModelName, Version};

use super::found::{Candidate, VersionFound};
use super::hashing::{HashCache, Progress};
use super::layout::{Identity, Opened, Root, Unusable};
use super::manifest::{MANIFEST, MOST_MANIFEST_BYTES, Manifest};
use super::names::FileName;
use super::onnx::{self, Outline, OutlineError};
use super::scan::RepositoryOptions;
use super::settling::{Appearance, Moment, Settling};

/// A file this small is hashed even while it is being written: it costs less than the wait.
pub(super) const HASHED_AT_ONCE_BYTES: u64 = 64 << 20;

/// One version's place in the repository.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) model: ModelName,
    pub(super) version: Version,
    /// With every link resolved.
    pub(super) directory: PathBuf,
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

/// Why a version is not complete.
pub(super) enum Fault {
    /// Perhaps not all written yet; rejected when it stays so.
    NotYet(String),
    /// Being read or written; never rejected for that.
    Busy(String),
    /// Wrong, whatever happens elsewhere.
    Wrong(String),
    Passing(String),
}

impl Fault {
    fn of(name: &str, error: Unusable) -> Self {
        match error {
            Unusable::Missing => Self::NotYet(format!("{name} is missing")),
            Unusable::Refused(reason) => Self::Wrong(format!("{name} {reason}")),
            Unusable::Passing(_) => Self::Passing(format!("{name} {error}")),
        }
    }
}

/// What was found so far, for the hash over all that was found.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) manifest: Option<Digest>,
    pub(super) files: BTreeMap<FileName, Digest>,
    appearance: Appearance,
}

impl Evidence {
    /// Covers every file that was read, by name and hash.
    fn content(&self, reason: Option<&str>) -> Digest {
        let mut hasher = Sha256::new();
        let mut add = |name: &str, digest: &[u8]| {
            hasher.update((name.len() as u64).to_le_bytes());
            hasher.update(name);
            hasher.update(digest);
        };
        if let Some(manifest) = self.manifest {
            add(MANIFEST, &manifest.0);
        }
        self.files
            .iter()
            .for_each(|(name, digest)| add(name.as_str(), &digest.0));
        if let Some(reason) = reason {
            // What could not be read has no hash: the reason stands in for it.
            add(reason, &[]);
        }
        Digest(hasher.finalize().into())
    }
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
        evidence.manifest = Some(super::hashing::digest_of(&bytes));
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
            return Err(Fault::NotYet(mismatches(&faults, &place.directory)));
        }
        let external = self.external(place, &FileName::model(), evidence)?;
        if let Some(name) = external.keys().find(|name| !manifest.files.contains_key(*name)) {
            return Err(Fault::Wrong(format!(
                "model.onnx reads {name}, which [files] does not list; run `vigie add --reseal {}`",
                place.directory.display()
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
            revision: super::manifest::tensor_revision(model, &external),
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
                nested
                    .parse()
                    .map_err(|error: crate::base::IdError| Fault::Wrong(error.to_string()))
            }
            Ok(_) => Ok(place.model_file.clone()),
            Err(error) => Err(Fault::of(place.model_file.as_str(), error)),
        }
    }

    /// The hash of one file of the version, noted as evidence.
    fn hash(&mut self, place: &Place, name: &FileName, evidence: &mut Evidence) -> Result<Digest, Fault> {
        let opened = self.root.open_in(&place.directory, name);
        evidence
            .appearance
            .add(name.as_str(), opened.as_ref().ok().map(|opened| opened.identity));
        let mut opened = opened.map_err(|error| Fault::of(name.as_str(), error))?;
        let identity = opened.identity;
        let is_young = identity.age(self.moment.wall) < self.options.settle;
        if is_young && identity.bytes > HASHED_AT_ONCE_BYTES && !self.hashes.knows(&identity) {
            let path = name.under(&place.directory).canonicalize();
            if !path.is_ok_and(|path| self.settling.has_arrived(&path)) {
                return Err(Fault::Busy(format!(
                    "{name} is still being written ({} MiB so far)",
                    identity.bytes >> 20
                )));
            }
        }
        match self.hashes.digest(&mut opened, self.moment.wall) {
            Ok(Progress::Done(digest)) => {
                evidence.files.insert(name.clone(), digest);
                Ok(digest)
            }
            Ok(Progress::Reading { done, total }) => {
                self.wake_after(Duration::from_millis(1));
                Err(Fault::Busy(format!(
                    "{name} is being read: {} of {} MiB",
                    done >> 20,
                    total >> 20
                )))
            }
            Ok(Progress::Changed) => Err(Fault::Busy(format!("{name} changed while it was read"))),
            Err(error) => Err(Fault::Passing(format!("{name} cannot be read now: {error}"))),
        }
    }

    /// The weight files that the model reads beside itself, hashed.
    fn external(
        &mut self,
        place: &Place,
        onnx: &FileName,
        evidence: &mut Evidence,
    ) -> Result<BTreeMap<FileName, Digest>, Fault> {
        let digest = evidence
            .files
            .get(onnx)
            .copied()
            .expect("the model file was hashed before");
        let outline = self.outline(place, onnx, digest, evidence)?;
        let mut external = BTreeMap::new();
        for (location, needed) in &outline.external {
            let name = onnx.beside(location).map_err(|_| {
                Fault::Wrong(format!(
                    "{onnx} reads {location:?}, which is no file inside the version's folder"
                ))
            })?;
            let digest = self.hash(place, &name, evidence)?;
            let bytes = self
                .root
                .open_in(&place.directory, &name)
                .map_err(|error| Fault::of(name.as_str(), error))?;
            if bytes.identity.bytes < *needed {
                return Err(Fault::NotYet(format!(
                    "{name} is not whole: {onnx} reads {needed} bytes of it, it has {}",
                    bytes.identity.bytes
                )));
            }
            external.insert(name, digest);
        }
        Ok(external)
    }

    fn outline(
        &mut self,
        place: &Place,
        onnx: &FileName,
        digest: Digest,
        evidence: &Evidence,
    ) -> Result<Outline, Fault> {
        if !self.outlines.contains_key(&digest) {
            let opened = self
                .root
                .open_in(&place.directory, onnx)
                .map_err(|error| Fault::of(onnx.as_str(), error))?;
            let outlined = match onnx::outline(&opened.file, opened.identity.bytes) {
                Ok(outline) => Ok(outline),
                Err(OutlineError::NotOnnx(reason)) => Err(reason),
                Err(OutlineError::Io(error)) => {
                    return Err(Fault::Passing(format!("{onnx} cannot be read now: {error}")));
                }
            };
            // What was walked must be what was hashed, or it would be remembered under another file's hash.
            let after = opened.file.metadata().map(|metadata| Identity::of(&metadata)).ok();
            if evidence.appearance.get(onnx.as_str()) != after {
                return Err(Fault::Busy(format!("{onnx} changed while it was read")));
            }
            self.outlines.insert(digest, outlined);
        }
        let outlined = self.outlines.get(&digest).cloned().expect("inserted above");
        outlined.map_err(|reason| Fault::Wrong(format!("{onnx}: {reason}")))
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
            reseal_hint(&place.directory)
        )))
    }
}

impl Fault {
    pub(super) fn into_reason(self) -> String {
        match self {
            Self::NotYet(reason) | Self::Busy(reason) | Self::Wrong(reason) | Self::Passing(reason) => reason,
        }
    }

    fn named(self, name: &str) -> Self {
        match self {
            Self::NotYet(reason) => Self::NotYet(format!("{name} {reason}")),
            Self::Busy(reason) => Self::Busy(format!("{name} {reason}")),
            Self::Wrong(reason) => Self::Wrong(format!("{name} {reason}")),
            Self::Passing(reason) => Self::Passing(format!("{name} {reason}")),
        }
    }
}

/// Reads a small file whole.
pub(super) fn read_bounded(opened: Opened, most: u64) -> Result<Vec<u8>, Fault> {
    if opened.identity.bytes > most {
        return Err(Fault::Wrong(format!(
            "has {} bytes, more than the {most} that are read",
            opened.identity.bytes
        )));
    }
    let mut bytes = Vec::new();
    opened
        .file
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::Passing(format!("cannot be read now: {error}")))?;
    Ok(bytes)
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
