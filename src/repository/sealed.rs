//! Sealed revisions, opened again: after a restart, for a rollback, to be proved.
//!
//! A revision's name is the hash of what answers depend on, so its bytes can be held against the name itself. They are, each time: disks forget, and people
//! edit what they should not. Why a revision is wanted is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RevisionId};

use super::hashing::{copy_hashing, digest_of};
use super::layout::{Root, Unusable};
use super::manifest::{MANIFEST, Manifest, tensor_revision};
use super::names::FileName;

/// One revision in the data directory, whole and unchanging.
#[derive(Debug, Clone)]
pub struct SealedRevision {
    pub revision: RevisionId,
    /// Covers also what the revision leaves out: see [`super::Candidate::content`].
    pub content: Digest,
    /// Absolute. The manifest's files lie under it: see [`FileName::under`].
    pub directory: PathBuf,
    /// The model file, absolute.
    pub onnx: PathBuf,
    /// None: a plain tensor model.
    pub manifest: Option<Arc<Manifest>>,
}

/// Why a sealed revision cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenSealedError {
    #[error("revision {0} is not in the data directory")]
    Missing(RevisionId),
    /// Its bytes are not those that were sealed; sealing it again replaces them.
    #[error("revision {revision} is damaged in the data directory: {reason}")]
    Damaged { revision: RevisionId, reason: String },
    #[error("revision {revision} cannot be read now: {source}")]
    Passing {
        revision: RevisionId,
        #[source]
        source: io::Error,
    },
}

/// What was sealed, beside the files; its name is one that no file of a version can have.
pub(super) const RECORD: &str = ".sealed.json";
pub(super) const REVISIONS: &str = "revisions";
pub(super) const ASIDE: &str = ".incoming-";
const MOST_RECORD_BYTES: u64 = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) content: Digest,
    pub(super) onnx: FileName,
    /// Weight files that the model reads beside itself.
    pub(super) external: BTreeSet<FileName>,
    pub(super) files: BTreeMap<FileName, Digest>,
    pub(super) manifest: Option<Digest>,
}

/// Opens a sealed revision and reads it all, to be sure of every byte.
///
/// # Errors
/// See [`OpenSealedError`].
pub fn open_sealed(data: &Path, revision: &RevisionId) -> Result<SealedRevision, OpenSealedError> {
    let revision = *revision;
    let directory = data.join(REVISIONS).join(revision.to_string());
    let root = Root::resolve(&directory).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => OpenSealedError::Missing(revision),
        _ => OpenSealedError::Passing { revision, source },
    })?;
    read_sealed(&root, revision).map_err(|error| match error {
        Unusable::Missing | Unusable::Refused(_) => OpenSealedError::Damaged {
            revision,
            reason: error.to_string(),
        },
        Unusable::Passing(source) => OpenSealedError::Passing { revision, source },
    })
}

fn read_sealed(root: &Root, revision: RevisionId) -> Result<SealedRevision, Unusable> {
    let read = |name: &str| {
        let opened = root.open(&root.path().join(name)).map_err(|error| about(name, error))?;
        let mut bytes = Vec::new();
        opened.file.take(MOST_RECORD_BYTES).read_to_end(&mut bytes)?;
        Ok::<_, Unusable>(bytes)
    };
    let record: Record =
        serde_json::from_slice(&read(RECORD)?).map_err(|error| Unusable::Refused(format!("{RECORD}: {error}")))?;
    for (name, expected) in &record.files {
        let mut opened = root
            .open_in(root.path(), name)
            .map_err(|error| about(name.as_str(), error))?;
        if copy_hashing(&mut opened.file, |_| Ok(()))? != *expected {
            return Err(Unusable::Refused(format!("{name} has other bytes than were sealed")));
        }
    }
    let text = record.manifest.map(|_| read(MANIFEST)).transpose()?;
    let manifest = sealed_manifest(&record, text.as_deref(), revision).map_err(Unusable::Refused)?;
    Ok(SealedRevision {
        revision,
        content: record.content,
        onnx: record.onnx.under(root.path()),
        directory: root.path().to_owned(),
        manifest: manifest.map(Arc::new),
    })
}

/// The manifest of a sealed revision, without a look at its other files; none for a plain tensor model. For descriptions: to load a revision, see
/// [`open_sealed`].
///
/// # Errors
/// See [`OpenSealedError`].
pub fn sealed_manifest_of(data: &Path, revision: &RevisionId) -> Result<Option<Manifest>, OpenSealedError> {
    let revision = *revision;
    let directory = data.join(REVISIONS).join(revision.to_string());
    let damaged = |reason: String| OpenSealedError::Damaged { revision, reason };
    let bytes = match fs::read(directory.join(MANIFEST)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(OpenSealedError::Passing {
                revision,
                source: error,
            });
        }
        Err(_) if directory.join(RECORD).exists() => return Ok(None),
        Err(_) => return Err(OpenSealedError::Missing(revision)),
    };
    let manifest = Manifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| damaged(error.to_string()))?;
    Ok(Some(manifest))
}

/// Every revision that is sealed in the data directory.
///
/// # Errors
/// When the folder cannot be read.
pub fn sealed_revisions(data: &Path) -> io::Result<BTreeSet<RevisionId>> {
    let entries = match fs::read_dir(data.join(REVISIONS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(error) => return Err(error),
    };
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let names: Vec<String> = names.collect::<io::Result<_>>()?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// The same error, saying which file it is about.
fn about(name: &str, error: Unusable) -> Unusable {
    match error {
        Unusable::Missing => Unusable::Refused(format!("{name} is missing")),
        Unusable::Refused(reason) => Unusable::Refused(format!("{name} {reason}")),
        Unusable::Passing(source) => Unusable::Passing(source),
    }
}

/// The manifest of a sealed revision, once all that was sealed gives the revision's name again.
fn sealed_manifest(record: &Record, text: Option<&[u8]>, revision: RevisionId) -> Result<Option<Manifest>, String> {
    let digest = |name: &FileName| {
        record
            .files
            .get(name)
            .copied()
            .ok_or_else(|| format!("{name} is not recorded"))
    };
    let external: BTreeMap<FileName, Digest> = record
        .external
        .iter()
        .map(|name| Ok((name.clone(), digest(name)?)))
        .collect::<Result<_, String>>()?;
    let model = digest(&record.onnx)?;
    let (manifest, found) = match text {
        None => (None, tensor_revision(model, &external)),
        Some(bytes) => {
            if record.manifest != Some(digest_of(bytes)) {
                return Err(format!("{MANIFEST} has other bytes than were sealed"));
            }
            let manifest = Manifest::parse(&String::from_utf8_lossy(bytes)).map_err(|error| error.to_string())?;
            let found = manifest.revision(model, &external);
            (Some(manifest), found)
        }
    };
    if found != revision {
        Err(format!("its content is that of revision {found}"))
    } else {
        Ok(manifest)
    }
}

/// Removes the sealed revisions that are not to be kept, and what interrupted copies left; returns what was removed.
/// Not to be called while a candidate is being sealed.
///
/// # Errors
/// When a folder cannot be read or removed; what was removed before stays so.
pub fn prune(data: &Path, keep: &BTreeSet<RevisionId>) -> io::Result<Vec<RevisionId>> {
    let mut removed = Vec::new();
    let entries = match fs::read_dir(data.join(REVISIONS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(removed),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        match name.parse::<RevisionId>() {
            Ok(revision) if !keep.contains(&revision) => {
                remove(&entry.path())?;
                removed.push(revision);
            }
            Ok(_) => {}
            Err(_) if name.starts_with(ASIDE) => remove(&entry.path())?,
            // Somebody else's.
            Err(_) => {}
        }
    }
    Ok(removed)
}

/// Removes a folder whose folders are read-only.
pub(super) fn remove(directory: &Path) -> io::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    for folder in folders(directory)? {
        fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
    }
    fs::remove_dir_all(directory)
}

/// A folder and all folders below it, the deepest first.
pub(super) fn folders(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(folders(&entry.path())?);
        }
    }
    found.push(directory.to_owned());
    Ok(found)
}
