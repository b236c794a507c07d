//! The files of one version, opened and hashed, and what they looked like.
//!
//! Everything that inspecting learns of the disk passes through here, so that the hash over all that was found covers exactly what was judged.

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::base::Digest;

use super::fault::Fault;
use super::hashing::Progress;
use super::inspect::{Inspector, Place};
use super::layout::Identity;
use super::manifest::MANIFEST;
use super::names::FileName;
use super::onnx::{self, Outline, OutlineError};
use super::settling::Appearance;

/// A file this small is hashed even while it is being written: it costs less than the wait.
const HASHED_AT_ONCE_BYTES: u64 = 64 << 20;

/// What was found so far, for the hash over all that was found.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) manifest: Option<Digest>,
    pub(super) files: BTreeMap<FileName, Digest>,
    pub(super) appearance: Appearance,
}

impl Evidence {
    /// Covers every file that was read, by name and hash.
    pub(super) fn content(&self, reason: Option<&str>) -> Digest {
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
    /// The hash of one file of the version, noted as evidence.
    pub(super) fn hash(&mut self, place: &Place, name: &FileName, evidence: &mut Evidence) -> Result<Digest, Fault> {
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
    pub(super) fn external(
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
}
