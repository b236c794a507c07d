//! Why the store does not answer: one closed set of causes, so that whoever asked knows whose move is next.

use std::path::Path;

use crate::base::{Correction, Refusal};

/// Why an operation on the records did not happen, or cannot be known to have happened.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database cannot be reached now. What was being written may or may not be on record: ask again with the same identities.
    #[error("the store cannot be reached: {reason}; it is tried again by itself")]
    Away { reason: String },
    /// There is no room for more.
    #[error("the store is full: {reason}; free space, or let older records be forgotten")]
    Full { reason: String },
    /// It took longer than allowed, or others were in the way.
    #[error("the store took too long: {reason}; ask again, or for less")]
    Slow { reason: String },
    /// What was expected of a correction is no longer so.
    #[error(
        "correction {:?} is no longer as expected: it was revoked by {}; look at it again",
        .current.correction_id, revoked_by(.current)
    )]
    Conflict { current: Box<Correction> },
    #[error("{what} is not on record")]
    NotFound { what: String },
    /// What is stored cannot be read.
    #[error("read {place}: {reason}; restore it from a copy, or move it away to start without it")]
    Corrupt { place: String, reason: String },
    /// A newer program has been here.
    #[error(
        "{place} has schema {found}, and this program knows schemas up to {known}: run the program that wrote it, or a newer one"
    )]
    Newer { place: String, found: i64, known: i64 },
    /// The question is wrong; `field` is its path.
    #[error("{field}: {reason}")]
    Input { field: String, reason: String },
    /// Anything else that the database or the disk refuses.
    #[error("the store failed: {reason}; see to it, then ask again")]
    Failed { reason: String },
}

impl RecordsError {
    pub(in crate::store) fn input(field: &str, reason: impl Into<String>) -> Self {
        Self::Input {
            field: field.to_owned(),
            reason: reason.into(),
        }
    }

    pub(in crate::store) fn corrupt(place: impl Into<String>, reason: impl ToString) -> Self {
        Self::Corrupt {
            place: place.into(),
            reason: reason.to_string(),
        }
    }

    pub(in crate::store) fn corrupt_file(path: &Path, reason: impl ToString) -> Self {
        Self::corrupt(path.display().to_string(), reason)
    }

    /// True where the store has answered and its answer is no: the same question gets the same answer again. All else is trouble with the store, which
    /// ends by itself or by somebody's doing.
    pub fn is_answer(&self) -> bool {
        match self {
            Self::Conflict { .. } | Self::NotFound { .. } | Self::Input { .. } => true,
            Self::Away { .. }
            | Self::Slow { .. }
            | Self::Full { .. }
            | Self::Corrupt { .. }
            | Self::Newer { .. }
            | Self::Failed { .. } => false,
        }
    }
}

fn revoked_by(current: &Correction) -> &str {
    let revocation = current.revoked.as_ref();
    revocation.map_or("nobody", |revocation| revocation.by.as_str())
}

impl From<RecordsError> for Refusal {
    fn from(error: RecordsError) -> Self {
        match error {
            RecordsError::Input { field, reason } => Self::invalid(field, reason),
            RecordsError::NotFound { .. } => Self::not_found(error.to_string()),
            RecordsError::Conflict { .. } => Self::aborted(error.to_string()),
            RecordsError::Away { .. }
            | RecordsError::Full { .. }
            | RecordsError::Slow { .. }
            | RecordsError::Corrupt { .. }
            | RecordsError::Newer { .. }
            | RecordsError::Failed { .. } => Self::unavailable(error.to_string()),
        }
    }
}
