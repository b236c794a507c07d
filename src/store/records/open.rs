//! Opening what is on record, and how much it may take.

use std::sync::Arc;
use std::time::Duration;

use super::{Database, Records, RecordsError};
use crate::store::DataDirectory;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;

/// How SQLite is used.
#[derive(Debug, Clone, Copy)]
pub struct SqliteSettings {
    /// A question that takes longer is given up. Readings of everything have no limit.
    pub question_limit: Duration,
    /// The most that the file of the records may grow to, in bytes; none: as much as the disk has.
    pub records_bytes: Option<u64>,
    /// Called first on each thread that writes, so that it can be given its priority.
    pub on_thread: fn(),
}

impl Default for SqliteSettings {
    fn default() -> Self {
        Self {
            question_limit: Duration::from_secs(10),
            records_bytes: None,
            on_thread: || {},
        }
    }
}

/// How PostgreSQL is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostgresSettings {
    /// A statement that takes longer is given up; the server is told so, too. Readings of everything have no limit.
    pub statement_limit: Duration,
    /// A connection that is not made in this time is given up.
    pub connect_limit: Duration,
    /// Connections for questions; writing has two of its own, and hearing of what others append one.
    pub readers: usize,
}

impl Default for PostgresSettings {
    fn default() -> Self {
        Self {
            statement_limit: Duration::from_secs(10),
            connect_limit: Duration::from_secs(3),
            readers: 3,
        }
    }
}

impl Records {
    /// Opens, or makes, the records in the data directory: `records.sqlite` and `pictures.sqlite`. Blocks on the disk for some milliseconds.
    pub fn open_sqlite(data: &DataDirectory, settings: SqliteSettings) -> Result<Self, RecordsError> {
        let sqlite = Sqlite::open(data.path(), settings)?;
        Ok(Self(Database::Sqlite(Arc::new(sqlite))))
    }

    /// Opens the records in a PostgreSQL database, by its connection string (`host=/run/postgresql dbname=vigie user=vigie`, or
    /// `postgresql://…`), and makes its tables where there are none. It must be reachable now; later it may go away and come back.
    pub async fn open_postgres(connection: &str, settings: PostgresSettings) -> Result<Self, RecordsError> {
        let postgres = Postgres::open(connection, settings).await?;
        Ok(Self(Database::Postgres(Arc::new(postgres))))
    }
}
