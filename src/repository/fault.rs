//! Why a version is not complete, and so what becomes of it.
//!
//! Content is told apart from passing trouble at the place where each is met. Only content is ever rejected, because only other content can mend it.

use std::io::Read;

use super::layout::{Opened, Unusable};

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
    pub(super) fn of(name: &str, error: Unusable) -> Self {
        match error {
            Unusable::Missing => Self::NotYet(format!("{name} is missing")),
            Unusable::Refused(reason) => Self::Wrong(format!("{name} {reason}")),
            Unusable::Passing(_) => Self::Passing(format!("{name} {error}")),
        }
    }

    pub(super) fn into_reason(self) -> String {
        match self {
            Self::NotYet(reason) | Self::Busy(reason) | Self::Wrong(reason) | Self::Passing(reason) => reason,
        }
    }

    pub(super) fn named(self, name: &str) -> Self {
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
