//! Hints that the repository may have changed.

use std::path::PathBuf;

/// Something may have changed: scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    /// Paths that were renamed into place or closed after writing, so that they need not settle.
    pub arrived: Vec<PathBuf>,
}
