//! The data directory: one process's own, locked while it lives; files in it change by rename alone.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the data directory {path} is in use by another process: stop that one, or name another directory with --data"
    )]
    Locked { path: PathBuf },
    #[error("{action} {path}: {source}")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("read {path}: {reason}; move the file away to start afresh from the repository")]
    Corrupt { path: PathBuf, reason: String },
}

/// A data directory that this process holds. The lock falls with the value, or with the process.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory where it is missing and locks it for this process.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|source| io_error("make directory", path, source))?;
        let path = path.canonicalize().map_err(|source| io_error("find", path, source))?;
        let lock_path = path.join("lock");
        let lock = File::options()
            .create(true)
            .write(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|source| io_error("open", &lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path }),
            Err(TryLockError::Error(source)) => Err(io_error("lock", &lock_path, source)),
        }
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file of it; none where there is none.
    pub fn read(&self, name: &str) -> Result<Option<String>, StoreError> {
        let path = self.path.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_error("read", &path, source)),
        }
    }

    /// Replaces a file of it at once: after a crash at any point it holds the old or the new bytes, whole.
    pub fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let parent = path.parent().expect("a name below the data directory has a parent");
        fs::create_dir_all(parent).map_err(|source| io_error("make directory", parent, source))?;
        let aside = path.with_extension("new");
        let write = || {
            let mut file = File::create(&aside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&aside, &path)?;
            File::open(parent)?.sync_all()
        };
        write().map_err(|source| io_error("write", &path, source))
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_holds_a_data_directory() {
        let directory = tempfile::tempdir().unwrap();
        let held = DataDirectory::open(directory.path()).unwrap();
        assert!(matches!(
            DataDirectory::open(directory.path()),
            Err(StoreError::Locked { .. })
        ));
        drop(held);
        assert!(DataDirectory::open(directory.path()).is_ok());
    }

    #[test]
    fn a_replaced_file_reads_back_and_leaves_nothing_aside() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        assert_eq!(data.read("a/b.json").unwrap(), None);
        data.replace("a/b.json", b"one").unwrap();
        data.replace("a/b.json", b"two").unwrap();
        assert_eq!(data.read("a/b.json").unwrap().as_deref(), Some("two"));
        let names = fs::read_dir(directory.path().join("a")).unwrap().count();
        assert_eq!(names, 1);
    }
}
