//! What SQLite says, as whose move it is.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::store::records::RecordsError;

/// What goes wrong within a statement or a transaction.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(Error),
    Records(RecordsError),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sql(error)
    }
}

impl From<RecordsError> for Fault {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}

impl Fault {
    /// The same, of a file.
    pub fn of(self, path: &Path) -> RecordsError {
        match self {
            Self::Records(error) => error,
            Self::Sql(error) => of_sqlite(&error, path),
        }
    }
}

fn of_sqlite(error: &Error, path: &Path) -> RecordsError {
    let reason = format!("{}: {error}", path.display());
    let Some(code) = error.sqlite_error_code() else {
        // Not the database, but what it holds: a value of another type than its column has.
        return RecordsError::corrupt_file(path, error);
    };
    match code {
        ErrorCode::DiskFull => RecordsError::Full { reason },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted => {
            RecordsError::Slow { reason }
        }
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => RecordsError::corrupt_file(path, error),
        _ => RecordsError::Failed { reason },
    }
}
