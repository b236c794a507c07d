//! The one place where files of a repository are found and opened.
//!
//! Links are followed as long as they stay inside the repository, because mounted configuration (`..data`) is made of them; a link that leaves it,
//! a pipe, a socket or a device is refused. Paths are resolved first and opened without following a last link, and what was opened is asked where
//! it lies, so that a link swapped in between gains nothing. What files mean is not known here.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::names::FileName;

/// A folder with more is not read: models have a handful of versions, and versions a handful of files.
const MOST_ENTRIES: usize = 10_000;

/// A repository's root with every link in its path resolved: nothing outside of it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root(PathBuf);

/// Why a path is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("is missing")]
    Missing,
    /// Never to be read, whatever its bytes are.
    #[error("{0}")]
    Refused(String),
    /// Perhaps readable later.
    #[error("cannot be read now: {0}")]
    Passing(io::Error),
}

impl From<io::Error> for Unusable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            _ if error.raw_os_error() == Some(libc::ELOOP) => {
                Self::Refused("is a chain of links without end; replace it by the file itself".into())
            }
            _ => Self::Passing(error),
        }
    }
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
    pub(super) bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// How long before `now` the file was last touched; zero where the clocks disagree.
    pub(super) fn age(&self, now: SystemTime) -> Duration {
        let (seconds, nanoseconds) = self.modified.max(self.changed);
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let touched = Duration::new(
            u64::try_from(seconds).unwrap_or(0),
            u32::try_from(nanoseconds).unwrap_or(0),
        );
        since_epoch.saturating_sub(touched)
    }

    /// True where the file system seems to keep whole seconds only.
    pub(super) fn has_coarse_times(&self) -> bool {
        self.changed.1 == 0
    }
}

/// A regular file inside the repository, opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) identity: Identity,
}

/// An entry of a directory: its name, and what it is once links are followed.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// With every link resolved.
    pub(super) path: PathBuf,
    pub(super) kind: EntryKind,
}

#[derive(Debug)]
pub(super) enum EntryKind {
    Directory,
    File,
    /// Never to be read.
    Refused(String),
    /// Perhaps readable later.
    Unreadable(String),
}

impl Root {
    /// Resolves the links in the path of a repository.
    pub(super) fn resolve(path: &Path) -> io::Result<Self> {
        let resolved = path.canonicalize()?;
        if !resolved.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "is no directory"));
        }
        Ok(Self(resolved))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The place that a path leads to, where it lies inside.
    pub(super) fn locate(&self, path: &Path) -> Result<PathBuf, Unusable> {
        let resolved = path.canonicalize()?;
        if !resolved.starts_with(&self.0) {
            return Err(Unusable::Refused(
                "leads out of the repository by a link; put the file itself there, or a link that stays inside".into(),
            ));
        }
        Ok(resolved)
    }

    /// Opens a regular file for reading.
    pub(super) fn open(&self, path: &Path) -> Result<Opened, Unusable> {
        let resolved = self.locate(path)?;
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
        let kind = |metadata: &Metadata| refuse_special(metadata).map_err(Unusable::Refused);
        kind(&resolved.symlink_metadata()?)?;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&resolved)?;
        let metadata = file.metadata()?;
        kind(&metadata)?;
        if !metadata.is_file() {
            return Err(Unusable::Refused("is a directory where a file is expected".into()));
        }
        // Where the system can tell, what was opened must itself lie inside.
        if let Ok(real) = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
            && real.is_absolute()
            && !real.starts_with(&self.0)
        {
            return Err(Unusable::Refused(
                "was moved out of the repository while it was opened".into(),
            ));
        }
        Ok(Opened {
            identity: Identity::of(&metadata),
            file,
        })
    }

    /// Opens a file of a version.
    pub(super) fn open_in(&self, directory: &Path, name: &FileName) -> Result<Opened, Unusable> {
        self.open(&name.under(directory))
    }

    /// What a directory holds, sorted by name. An entry that disappears meanwhile is left out.
    pub(super) fn list(&self, directory: &Path) -> Result<Vec<Entry>, Unusable> {
        let directory = self.locate(directory)?;
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            match self.look_at(&path) {
                Ok((path, kind)) => entries.push(Entry { name, path, kind }),
                Err(Unusable::Missing) => {}
                Err(Unusable::Refused(reason)) => entries.push(Entry {
                    name,
                    path,
                    kind: EntryKind::Refused(reason),
                }),
                Err(error @ Unusable::Passing(_)) => {
                    entries.push(Entry {
                        name,
                        path,
                        kind: EntryKind::Unreadable(error.to_string()),
                    });
                }
            }
            // What is left out would count as removed: better to know nothing.
            if entries.len() > MOST_ENTRIES {
                return Err(Unusable::Refused(format!(
                    "holds more than {MOST_ENTRIES} entries; move the others elsewhere"
                )));
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn look_at(&self, path: &Path) -> Result<(PathBuf, EntryKind), Unusable> {
        let resolved = self.locate(path)?;
        let metadata = resolved.symlink_metadata()?;
        let kind = match refuse_special(&metadata) {
            Err(reason) => EntryKind::Refused(reason),
            Ok(()) if metadata.is_dir() => EntryKind::Directory,
            Ok(()) => EntryKind::File,
        };
        Ok((resolved, kind))
    }
}

/// Refuses what is neither a file nor a directory.
fn refuse_special(metadata: &Metadata) -> Result<(), String> {
    let kind = metadata.file_type();
    let name = if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else if kind.is_block_device() || kind.is_char_device() {
        "a device"
    } else {
        return Ok(());
    };
    Err(format!("is {name}; only regular files are read"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn repository() -> (tempfile::TempDir, Root) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("inside/sub")).unwrap();
        std::fs::write(directory.path().join("inside/sub/file"), "text").unwrap();
        std::fs::write(directory.path().join("outside"), "secret").unwrap();
        let root = Root::resolve(&directory.path().join("inside")).unwrap();
        (directory, root)
    }

    #[test]
    fn a_link_inside_is_followed_and_one_that_leaves_is_refused() {
        let (directory, root) = repository();
        let inside = directory.path().join("inside");
        symlink("sub/file", inside.join("near")).unwrap();
        symlink("../outside", inside.join("far")).unwrap();
        symlink("/etc/hostname", inside.join("absolute")).unwrap();
        symlink("../..", inside.join("up")).unwrap();
        assert!(root.open(&inside.join("near")).is_ok());
        for escape in ["far", "absolute", "up"] {
            assert!(
                matches!(root.open(&inside.join(escape)), Err(Unusable::Refused(_))),
                "{escape}"
            );
        }
        let entries = root.list(&inside).unwrap();
        let refused: Vec<_> = entries
            .iter()
            .filter(|entry| matches!(entry.kind, EntryKind::Refused(_)))
            .collect();
        assert_eq!(refused.len(), 3);
    }

    #[test]
    fn a_link_to_itself_is_refused_and_a_dangling_one_is_missing() {
        let (directory, root) = repository();
        let inside = directory.path().join("inside");
        symlink("loop", inside.join("loop")).unwrap();
        symlink("nothing", inside.join("dangling")).unwrap();
        assert!(matches!(root.open(&inside.join("loop")), Err(Unusable::Refused(_))));
        assert!(matches!(root.open(&inside.join("dangling")), Err(Unusable::Missing)));
    }

    #[test]
    fn a_pipe_is_refused_without_waiting_for_its_writer() {
        let (directory, root) = repository();
        let pipe = directory.path().join("inside/pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(matches!(root.open(&pipe), Err(Unusable::Refused(reason)) if reason.contains("pipe")));
    }

    #[test]
    fn the_age_of_a_file_is_never_negative() {
        let (_directory, root) = repository();
        let opened = root.open(&root.path().join("sub/file")).unwrap();
        assert_eq!(opened.identity.age(SystemTime::UNIX_EPOCH), Duration::ZERO);
        assert!(opened.identity.age(SystemTime::now() + Duration::from_secs(60)) > Duration::from_secs(50));
    }
}
