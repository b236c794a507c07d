//! Copies of complete versions that do not change any more: `<data>/revisions/<revision>/`.
//!
//! A version is copied while its hashes are checked again, so that what is sealed is what was inspected, whatever happens to the repository meanwhile. Copies are
//! written aside, flushed to the disk, renamed into place and made read-only. Everything later (proving, loading, restarting, rolling back) reads the
//! copy.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::base::Digest;

use super::found::Candidate;
use super::hashing::{copy_hashing, digest_of};
use super::layout::{Opened, Unusable};
use super::manifest::MANIFEST;
use super::sealed::{ASIDE, RECORD, REVISIONS, Record, SealedRevision, folders, open_sealed, remove};

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
