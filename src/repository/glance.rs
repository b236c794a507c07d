//! What a folder looks like from outside: names, sizes and times, without reading a file.
//!
//! Two glances that differ say that something changed; two that are equal say nothing for certain. It serves where the operating system tells of no
//! changes, and to notice that another folder has taken the watched one's place.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::path::Path;

use super::layout::Identity;

/// A fingerprint of a folder; the default is that of one that cannot be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Glance(u64);

/// Deeper and larger repositories are looked at in part.
const MOST_DEPTH: u32 = 10;
const MOST_ENTRIES: u32 = 200_000;

impl Glance {
    /// Which folder a path leads to.
    pub(super) fn of_root(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::MetadataExt;

        let metadata = fs::metadata(path)?;
        let mut hasher = DefaultHasher::new();
        (metadata.dev(), metadata.ino()).hash(&mut hasher);
        Ok(Self(hasher.finish()))
    }

    /// Everything in the folder that a path leads to. Links are looked at, not followed: what they lead to inside lies there itself.
    pub(super) fn of_tree(path: &Path) -> io::Result<Self> {
        let mut hasher = DefaultHasher::new();
        let mut left = MOST_ENTRIES;
        let path = path.canonicalize()?;
        walk(&path, 0, &mut left, &mut hasher)?;
        Ok(Self(hasher.finish()))
    }
}

fn walk(directory: &Path, depth: u32, left: &mut u32, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    directory.hash(hasher);
    for entry in entries {
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        let path = entry.path();
        // What disappears while it is looked at was a change already.
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        entry.file_name().hash(hasher);
        Identity::of(&metadata).hash(hasher);
        if metadata.is_symlink() {
            fs::read_link(&path).ok().hash(hasher);
        }
        if metadata.is_dir() && depth < MOST_DEPTH {
            // A folder that cannot be read hides nothing of the others.
            walk(&path, depth + 1, left, hasher)
                .map_err(|error| error.kind())
                .hash(hasher);
        }
    }
    Ok(())
}
