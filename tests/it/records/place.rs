//! Where a test's records are: a data folder of its own, or a database of its own.

use tempfile::TempDir;
use vigie::store::{DataDirectory, PostgresSettings, Records, SqliteSettings};

use crate::support::postgres;

/// A place for records.
pub enum Place {
    Sqlite {
        folder: TempDir,
        data: Option<DataDirectory>,
    },
    Postgres {
        connection: String,
    },
}

/// Opened records and their place.
pub struct Opened {
    pub place: Place,
    pub records: Records,
}

impl Place {
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Some(DataDirectory::open(folder.path()).unwrap());
        Self::Sqlite { folder, data }
    }

    pub async fn postgres() -> Self {
        Self::Postgres {
            connection: postgres::shared().database().await,
        }
    }

    pub async fn open(self) -> Opened {
        let records = self.records().await;
        Opened { place: self, records }
    }

    /// Records at the place; several at a time only in PostgreSQL.
    pub async fn records(&self) -> Records {
        match self {
            Self::Sqlite { data, .. } => {
                Records::open_sqlite(data.as_ref().unwrap(), SqliteSettings::default()).unwrap()
            }
            Self::Postgres { connection } => Records::open_postgres(connection, PostgresSettings::default())
                .await
                .unwrap(),
        }
    }
}

impl Opened {
    /// Closes the records and opens them again.
    pub async fn reopen(&mut self) {
        self.records = self.place.records().await;
    }

    /// What another replica would see: in SQLite there is none, so the same.
    pub async fn other(&self) -> Records {
        match &self.place {
            Place::Sqlite { .. } => self.records.clone(),
            Place::Postgres { .. } => self.place.records().await,
        }
    }
}
