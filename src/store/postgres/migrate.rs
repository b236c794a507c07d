//! Brings the database to the schema of this program, one replica at a time.

use super::Lock;
use super::connect::Connector;
use crate::store::migrations::{POSTGRES, missing};
use crate::store::records::RecordsError;

pub(super) async fn migrate(connector: &Connector) -> Result<(), RecordsError> {
    let mut session = connector.unlimited().await?;
    session.begin().await?;
    session.lock(Lock::Migrations).await?;
    let is_new = session.one("SELECT to_regclass('migrations') IS NULL", &[]).await?;
    if is_new.get(0) {
        let table = "CREATE TABLE migrations (number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())";
        session.batch(table).await?;
    }
    let last = session
        .one("SELECT coalesce(max(number), 0) FROM migrations", &[])
        .await?;
    for (number, migration) in missing(POSTGRES, last.get(0), &connector.place())? {
        session.batch(migration.sql).await?;
        session
            .execute(
                "INSERT INTO migrations (number, name) VALUES ($1, $2)",
                &[&number, &migration.name],
            )
            .await?;
    }
    session.commit().await
}
