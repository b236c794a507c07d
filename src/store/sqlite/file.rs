//! One SQLite file: opened, brought to the schema of this program, with its writer and its readers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::fault::Fault;
use super::readers::Readers;
use super::writer::Writer;
use crate::store::migrations::{Migration, missing};
use crate::store::records::RecordsError;

/// How long a connection waits for another one's lock.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// The log is folded into the file whenever it has grown by so many pages.
const CHECKPOINT_PAGES: i64 = 16_000;

/// A log that is longer than this is cut as soon as can be, in bytes.
pub(super) const LOG_BYTES: u64 = 134_217_728;

/// Statements that a connection keeps ready.
const STATEMENTS: usize = 64;

/// What a file is like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub migrations: &'static [Migration],
    pub page_bytes: u32,
    pub most_bytes: Option<u64>,
    pub question_limit: Duration,
    /// Called first on the thread that writes.
    pub on_thread: fn(),
}

/// An open file.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    pub writer: Writer,
    pub readers: Readers,
}

impl DatabaseFile {
    pub fn open(path: &Path, shape: Shape) -> Result<Self, RecordsError> {
        let connection = prepare(path, shape).map_err(|fault| fault.of(path))?;
        Ok(Self {
            writer: Writer::start(connection, path, shape.on_thread)?,
            readers: Readers::new(path, shape.question_limit),
        })
    }
}

fn prepare(path: &Path, shape: Shape) -> Result<Connection, Fault> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "page_size", shape.page_bytes)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What is removed is overwritten, not only unlinked.
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -65_536)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES as i64)?;
    if let Some(bytes) = shape.most_bytes {
        let pages = (bytes / u64::from(shape.page_bytes)).clamp(1, i64::MAX as u64);
        connection.pragma_update(None, "max_page_count", pages as i64)?;
    }
    migrate(&mut connection, path, shape.migrations)?;
    Ok(connection)
}

fn migrate(connection: &mut Connection, path: &Path, all: &'static [Migration]) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)",
    )?;
    let last: Option<i64> = transaction
        .query_row("SELECT max(number) FROM migrations", (), |row| row.get(0))
        .optional()?
        .flatten();
    for (number, migration) in missing(all, last.unwrap_or(0), &path.display().to_string())? {
        transaction.execute_batch(migration.sql)?;
        transaction.execute(
            "INSERT INTO migrations (number, name, applied_at) VALUES (?1, ?2, datetime('now'))",
            (number, migration.name),
        )?;
    }
    transaction.commit()?;
    Ok(())
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, Fault> {
    let connection = Connection::open_with_flags(
        path,
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// The file in which SQLite keeps what was written last.
pub(super) fn log_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}
