//! The records in SQLite: two files of the data directory, each with one thread that writes and a few connections that read.
//!
//! Pictures have a file of their own, so that the one with the records stays small. Everything a write changes is in one transaction; acts wait
//! until the disk has them, decisions until the system has them.

mod acts;
mod decisions;
mod fault;
mod file;
mod known;
mod pictures;
mod readers;
mod removal;
mod writer;

use std::path::Path;

use super::migrations::{SQLITE_PICTURES, SQLITE_RECORDS};
use super::records::{Hints, RecordsError, SqliteSettings};
use file::{DatabaseFile, Shape};

/// Both files.
#[derive(Debug)]
pub(super) struct Sqlite {
    records: DatabaseFile,
    pictures: DatabaseFile,
    hints: Hints,
}

impl Sqlite {
    /// Opens or makes them in a folder that this process has for itself.
    pub fn open(folder: &Path, settings: SqliteSettings) -> Result<Self, RecordsError> {
        let records = Shape {
            migrations: SQLITE_RECORDS,
            page_bytes: 4096,
            most_bytes: settings.records_bytes,
            question_limit: settings.question_limit,
            on_thread: settings.on_thread,
        };
        let pictures = Shape {
            migrations: SQLITE_PICTURES,
            page_bytes: 16_384,
            most_bytes: None,
            question_limit: settings.question_limit,
            on_thread: settings.on_thread,
        };
        Ok(Self {
            records: DatabaseFile::open(&folder.join("records.sqlite"), records)?,
            pictures: DatabaseFile::open(&folder.join("pictures.sqlite"), pictures)?,
            hints: Hints::new(),
        })
    }

    pub fn hints(&self) -> &Hints {
        &self.hints
    }
}
