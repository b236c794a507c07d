//! Pictures in SQLite, in a file of their own.

use std::collections::BTreeSet;

use bytes::Bytes;
use rusqlite::{Connection, Transaction, params};

use super::Sqlite;
use super::decisions::maybe;
use super::fault::Fault;
use super::writer::Durability;
use crate::base::{Digest, Moment};
use crate::store::records::{BATCH, KeptPicture, PictureFile, RecordsError};

impl Sqlite {
    pub async fn keep_pictures(&self, files: Vec<PictureFile>, at: Moment, stale: Moment) -> Result<(), RecordsError> {
        let write = move |transaction: &Transaction<'_>| {
            let mut needed = transaction.prepare_cached("SELECT needed_at FROM pictures WHERE sha = ?1")?;
            let mut mark = transaction.prepare_cached("UPDATE pictures SET needed_at = ?2 WHERE sha = ?1")?;
            let mut insert = transaction
                .prepare_cached("INSERT INTO pictures (sha, size, needed_at, bytes) VALUES (?1, ?2, ?3, ?4)")?;
            for PictureFile { sha, bytes } in &files {
                let kept: Option<i64> =
                    rusqlite::OptionalExtension::optional(needed.query_row([sha.0], |row| row.get(0)))?;
                match kept {
                    None => insert.execute(params![sha.0, bytes.len() as i64, at.micros(), bytes.as_ref()])?,
                    Some(needed_at) if needed_at < stale.micros() => mark.execute(params![sha.0, at.micros()])?,
                    Some(_) => 0,
                };
            }
            Ok(())
        };
        self.pictures.writer.write(Durability::System, write).await
    }

    pub async fn picture(&self, sha: Digest) -> Result<Option<Bytes>, RecordsError> {
        let ask = move |connection: &Connection| {
            let sql = "SELECT bytes FROM pictures WHERE sha = ?1";
            maybe(connection, sql, [sha.0], |row| {
                Ok(Bytes::from(row.get::<_, Vec<u8>>(0)?))
            })
        };
        self.pictures.readers.read(ask).await
    }

    /// How many of these are kept.
    pub async fn kept_of(&self, shas: Vec<Digest>) -> Result<u64, RecordsError> {
        let ask = move |connection: &Connection| {
            let mut kept = 0;
            for sha in &shas {
                let found: Option<i64> = maybe(connection, "SELECT 1 FROM pictures WHERE sha = ?1", [sha.0], |row| {
                    row.get(0)
                })?;
                kept += u64::from(found.is_some());
            }
            Ok(kept)
        };
        self.pictures.readers.read(ask).await
    }

    pub async fn corrected_pictures(&self) -> Result<BTreeSet<Digest>, RecordsError> {
        let ask = |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT image FROM corrections WHERE image IS NOT NULL \
                 UNION SELECT seen_image FROM corrections WHERE seen_image IS NOT NULL",
            )?;
            let shas = statement.query_map((), |row| row.get(0).map(Digest))?;
            Ok(shas.collect::<Result<_, _>>()?)
        };
        self.records.readers.read(ask).await
    }

    pub async fn picture_bytes(&self) -> Result<u64, RecordsError> {
        let ask = |connection: &Connection| {
            let sql = "SELECT coalesce(sum(size), 0) FROM pictures INDEXED BY pictures_by_need";
            let total: Option<i64> = maybe(connection, sql, (), |row| row.get(0))?;
            Ok(total.unwrap_or(0) as u64)
        };
        self.pictures.readers.read(ask).await
    }

    pub async fn least_needed(&self, after: Option<(Moment, Digest)>) -> Result<Vec<KeptPicture>, RecordsError> {
        let (at, sha) = after.map_or((i64::MIN, [0; 32]), |(at, sha)| (at.micros(), sha.0));
        let ask = move |connection: &Connection| {
            let mut statement = connection.prepare_cached(
                "SELECT sha, size, needed_at FROM pictures INDEXED BY pictures_by_need \
                 WHERE needed_at >= ?1 AND (needed_at > ?1 OR sha > ?2) ORDER BY needed_at, sha LIMIT ?3",
            )?;
            let pictures = statement.query_map(params![at, sha, BATCH as i64], |row| {
                Ok(KeptPicture {
                    sha: Digest(row.get(0)?),
                    size: row.get::<_, i64>(1)? as u64,
                    needed_at: Moment::from_micros(row.get(2)?),
                })
            })?;
            Ok(pictures.collect::<Result<_, _>>()?)
        };
        self.pictures.readers.read(ask).await
    }

    pub async fn remove_pictures(&self, shas: Vec<Digest>) -> Result<u64, RecordsError> {
        let write = move |transaction: &Transaction<'_>| -> Result<u64, Fault> {
            let mut statement = transaction.prepare_cached("DELETE FROM pictures WHERE sha = ?1")?;
            let mut removed = 0;
            for sha in &shas {
                removed += statement.execute([sha.0])? as u64;
            }
            Ok(removed)
        };
        self.pictures.writer.write(Durability::System, write).await
    }
}
