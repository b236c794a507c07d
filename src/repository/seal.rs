//! Copies of complete versions that do not change any more: `<data>/revisions/<revision>/`.
//!
//! A version is copied while its hashes are checked again, so that what is sealed is what was inspected, whatever happens to the repository meanwhile. Copies are
//! written aside, flushed to the disk, renamed into place and made read-only. Everything later (proving, loading, restarting, rolling back) reads the
//! copy. A copy is checked against its own name each time it is opened: a damaged one is found before it is served.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Digest, RevisionId};

use super::found::Candidate;
use super::hashing::{copy_hashing, digest_of};
use super::layout::{Opened, Root, Unusable};
use super::manifest::{MANIFEST, Manifest, tensor_revision};
use super::names::FileName;

/// One revision in the data directory, whole and unchanging.
#[derive(Debug, Clone)]
pub struct SealedRevision {
    pub revision: RevisionId,
    /// Covers also what the revision leaves out: see [`Candidate::content`].
    pub content: Digest,
    /// Absolute. The manifest's files lie under it: see [`FileName::under`].
    pub directory: PathBuf,
    /// The model file, absolute.
    pub onnx: PathBuf,
    /// None: a plain tensor model.
    pub manifest: Option<Arc<Manifest>>,
}

/// Why a candidate was not sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The repository changed since the scan; scan again.
    #[error("{0} changed while it was copied; it is looked at again")]
    Changed(String),
    /// Disk, permissions: worth trying again later.
    #[error("cannot copy into {}: {source}; check its free space and permissions", path.display())]
    Passing {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
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
const RECORD: &str = ".sealed.json";
const REVISIONS: &str = "revisions";
const ASIDE: &str = ".incoming-";
const MOST_RECORD_BYTES: u64 = 16 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    content: Digest,
    onnx: FileName,
    /// Weight files that the model reads beside itself.
    external: BTreeSet<FileName>,
    files: BTreeMap<FileName, Digest>,
    manifest: Option<Digest>,
}

/// Copies a candidate into the data directory; does nothing where it is there already. Reads and writes: to be called off the request path.
///
/// # Errors
/// See [`SealError`]; what was begun is removed again.
pub fn seal(candidate: &Candidate, data: &Path) -> Result<SealedRevision, SealError> {
    let revisions = data.join(REVISIONS);
    let passing = |source| SealError::Passing {
        path: revisions.clone(),
        source,
    };
    if let Ok(sealed) = open_sealed(data, &candidate.revision)
        && sealed.content == candidate.content
    {
        return Ok(sealed);
    }
    fs::create_dir_all(&revisions).map_err(passing)?;
    let aside = tempfile::Builder::new()
        .prefix(ASIDE)
        .tempdir_in(&revisions)
        .map_err(passing)?;
    let aside = Aside(aside.keep());
    copy_files(candidate, &aside.0, &revisions)?;
    let target = revisions.join(candidate.revision.to_string());
    finish(candidate, &aside.0)
        .and_then(|()| publish(&aside, &target))
        .map_err(passing)?;
    open_sealed(data, &candidate.revision)
        .map_err(|error| passing(io::Error::other(format!("the copy does not read back: {error}"))))
}

/// A folder being written, removed when it is dropped; renamed away it is no more.
struct Aside(PathBuf);

impl Drop for Aside {
    fn drop(&mut self) {
        // Nothing more can be done here: `prune` removes what is left.
        let _ = remove(&self.0);
    }
}

fn copy_files(candidate: &Candidate, aside: &Path, revisions: &Path) -> Result<(), SealError> {
    let passing = |source| SealError::Passing {
        path: revisions.to_owned(),
        source,
    };
    for (name, expected) in &candidate.files {
        let opened = candidate
            .root
            .open_in(&candidate.directory, name)
            .map_err(|error| match error {
                Unusable::Missing | Unusable::Refused(_) => SealError::Changed(name.to_string()),
                Unusable::Passing(source) => passing(source),
            })?;
        let target = name.under(aside);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(passing)?;
        }
        let found = copy_file(opened, &target).map_err(passing)?;
        if found != Some(*expected) {
            return Err(SealError::Changed(name.to_string()));
        }
    }
    Ok(())
}

/// The hash of what was copied; none where the file grew meanwhile.
fn copy_file(opened: Opened, target: &Path) -> io::Result<Option<Digest>> {
    let mut written = File::create_new(target)?;
    let mut source = opened.file.take(opened.identity.bytes.saturating_add(1));
    let digest = copy_hashing(&mut source, |chunk| written.write_all(chunk))?;
    let is_whole = source.limit() == 1;
    close_read_only(&written)?;
    Ok(is_whole.then_some(digest))
}

fn close_read_only(file: &File) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(0o444))?;
    file.sync_all()
}

/// Adds the manifest and the record, and flushes the folders.
fn finish(candidate: &Candidate, aside: &Path) -> io::Result<()> {
    let write = |name: &str, text: &[u8]| {
        let mut file = File::create_new(aside.join(name))?;
        file.write_all(text)?;
        close_read_only(&file)
    };
    let text = candidate.manifest_text.as_deref();
    if let Some(text) = text {
        write(MANIFEST, text.as_bytes())?;
    }
    let record = Record {
        content: candidate.content,
        onnx: candidate.onnx.clone(),
        external: candidate.external.clone(),
        files: candidate.files.clone(),
        manifest: text.map(|text| digest_of(text.as_bytes())),
    };
    write(RECORD, serde_json::to_string_pretty(&record)?.as_bytes())?;
    for folder in folders(aside)? {
        fs::set_permissions(&folder, Permissions::from_mode(0o555))?;
        File::open(&folder)?.sync_all()?;
    }
    Ok(())
}

/// A folder and all folders below it, the deepest first.
fn folders(directory: &Path) -> io::Result<Vec<PathBuf>> {
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

/// Renames the finished folder into place. Where one is there already (damaged, or with other golden pictures), the two change places in one step.
fn publish(aside: &Aside, target: &Path) -> io::Result<()> {
    if target.symlink_metadata().is_ok() {
        exchange(&aside.0, target)?;
    } else {
        fs::rename(&aside.0, target)?;
    }
    match target.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Lets two paths change places, at once where the file system can.
#[cfg(target_os = "linux")]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;

    let path = |path: &Path| CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from);
    let (from, to) = (path(one)?, path(other)?);
    // SAFETY: both texts end in a zero byte and outlive the call, which reads them and nothing else of ours.
    let outcome = unsafe {
        libc::renameat2(
            libc::AT_FDCWD,
            from.as_ptr(),
            libc::AT_FDCWD,
            to.as_ptr(),
            libc::RENAME_EXCHANGE,
        )
    };
    if outcome == 0 {
        Ok(())
    } else {
        exchange_in_steps(one, other)
    }
}

#[cfg(not(target_os = "linux"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    exchange_in_steps(one, other)
}

fn exchange_in_steps(one: &Path, other: &Path) -> io::Result<()> {
    let between = one.with_extension("replaced");
    fs::rename(other, &between)?;
    fs::rename(one, other)?;
    fs::rename(between, one)
}

/// Opens a sealed revision and reads it all, to be sure of every byte.
///
/// # Errors
/// See [`OpenSealedError`].
pub fn open_sealed(data: &Path, revision: &RevisionId) -> Result<SealedRevision, OpenSealedError> {
    let directory = data.join(REVISIONS).join(revision.to_string());
    let damaged = |reason: String| OpenSealedError::Damaged {
        revision: *revision,
        reason,
    };
    let unusable = |name: &str, error: Unusable| match error {
        Unusable::Missing | Unusable::Refused(_) => damaged(format!("{name} {error}")),
        Unusable::Passing(source) => OpenSealedError::Passing {
            revision: *revision,
            source,
        },
    };
    let root = match Root::resolve(&directory) {
        Ok(root) => root,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(OpenSealedError::Missing(*revision)),
        Err(source) => {
            return Err(OpenSealedError::Passing {
                revision: *revision,
                source,
            });
        }
    };
    let read = |name: &str| -> Result<Vec<u8>, OpenSealedError> {
        let opened = root
            .open(&root.path().join(name))
            .map_err(|error| unusable(name, error))?;
        let mut bytes = Vec::new();
        let read = opened.file.take(MOST_RECORD_BYTES).read_to_end(&mut bytes);
        read.map_err(|source| OpenSealedError::Passing {
            revision: *revision,
            source,
        })?;
        Ok(bytes)
    };
    let record: Record =
        serde_json::from_slice(&read(RECORD)?).map_err(|error| damaged(format!("{RECORD}: {error}")))?;
    for (name, expected) in &record.files {
        let mut opened = root
            .open_in(root.path(), name)
            .map_err(|error| unusable(name.as_str(), error))?;
        let found = copy_hashing(&mut opened.file, |_| Ok(()));
        let found = found.map_err(|source| OpenSealedError::Passing {
            revision: *revision,
            source,
        })?;
        if found != *expected {
            return Err(damaged(format!("{name} has other bytes than were sealed")));
        }
    }
    let manifest = match record.manifest {
        Some(_) => Some(read(MANIFEST)?),
        None => None,
    };
    let manifest = sealed_manifest(&record, manifest.as_deref(), revision).map_err(damaged)?;
    Ok(SealedRevision {
        revision: *revision,
        content: record.content,
        onnx: record.onnx.under(root.path()),
        directory: root.path().to_owned(),
        manifest: manifest.map(Arc::new),
    })
}

/// The manifest of a sealed revision, once all that was sealed gives the revision's name again.
fn sealed_manifest(record: &Record, text: Option<&[u8]>, revision: &RevisionId) -> Result<Option<Manifest>, String> {
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
    if found != *revision {
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
fn remove(directory: &Path) -> io::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    for folder in folders(directory)? {
        fs::set_permissions(&folder, Permissions::from_mode(0o755))?;
    }
    fs::remove_dir_all(directory)
}
