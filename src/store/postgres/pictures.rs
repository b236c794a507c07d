//! Pictures in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::Postgres;
use super::link::Session;
use crate::base::{Digest, Moment};
use crate::store::records::{BATCH, KeptPicture, PictureFile, RecordsError, digest};

/// One statement takes about so many bytes of pictures.
const STATEMENT_BYTES: usize = 8_388_608;

impl Postgres {
    pub async fn keep_pictures(&self, files: &[PictureFile], at: Moment, stale: Moment) -> Result<(), RecordsError> {
        let mut session = self.recorder.session().await?;
        let shas: Vec<&[u8]> = files.iter().map(|file| file.sha.0.as_slice()).collect();
        let rows = session
            .query("SELECT sha, needed_at FROM pictures WHERE sha = ANY($1)", &[&shas])
            .await?;
        let kept: BTreeMap<&[u8], i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let marked: Vec<&[u8]> = kept
            .iter()
            .filter(|(_, needed_at)| **needed_at < stale.micros())
            .map(|(sha, _)| *sha)
            .collect();
        if !marked.is_empty() {
            let sql = "UPDATE pictures SET needed_at = $2 WHERE sha = ANY($1)";
            session.execute(sql, &[&marked, &at.micros()]).await?;
        }
        let mut new = Vec::new();
        let mut size = 0;
        for file in files.iter().filter(|file| !kept.contains_key(file.sha.0.as_slice())) {
            new.push(file);
            size += file.bytes.len();
            if size >= STATEMENT_BYTES {
                insert(&mut session, &std::mem::take(&mut new), at).await?;
                size = 0;
            }
        }
        insert(&mut session, &new, at).await
    }

    pub async fn picture(&self, sha: Digest) -> Result<Option<Bytes>, RecordsError> {
        let mut session = self.reader().await?;
        let row = session
            .maybe("SELECT bytes FROM pictures WHERE sha = $1", &[&sha.0.as_slice()])
            .await?;
        Ok(row.map(|row| Bytes::from(row.get::<_, Vec<u8>>(0))))
    }

    /// How many of these are kept.
    pub async fn kept_of(&self, shas: &[Digest]) -> Result<u64, RecordsError> {
        let shas: Vec<&[u8]> = shas.iter().map(|sha| sha.0.as_slice()).collect();
        let sql = "SELECT count(*) FROM pictures WHERE sha = ANY($1)";
        let kept: i64 = self.reader().await?.one(sql, &[&shas]).await?.get(0);
        Ok(kept as u64)
    }

    pub async fn corrected_pictures(&self) -> Result<BTreeSet<Digest>, RecordsError> {
        let sql = "SELECT image FROM corrections WHERE image IS NOT NULL \
                   UNION SELECT seen_image FROM corrections WHERE seen_image IS NOT NULL";
        let rows = self.reader().await?.query(sql, &[]).await?;
        rows.iter().map(|row| read_sha(row.get(0))).collect()
    }

    pub async fn picture_bytes(&self) -> Result<u64, RecordsError> {
        let sql = "SELECT coalesce(sum(size), 0)::bigint FROM pictures";
        let row = self.reader().await?.one(sql, &[]).await?;
        let total: i64 = row.get(0);
        Ok(total as u64)
    }

    pub async fn least_needed(&self, after: Option<(Moment, Digest)>) -> Result<Vec<KeptPicture>, RecordsError> {
        let (at, sha) = after.map_or((i64::MIN, [0; 32]), |(at, sha)| (at.micros(), sha.0));
        let sql = "SELECT sha, size, needed_at FROM pictures WHERE (needed_at, sha) > ($1, $2) ORDER BY needed_at, sha LIMIT $3";
        let mut session = self.reader().await?;
        let rows = session.query(sql, &[&at, &sha.as_slice(), &(BATCH as i64)]).await?;
        let read = |row: &tokio_postgres::Row| {
            let size: i64 = row.get(1);
            Ok(KeptPicture {
                sha: read_sha(row.get(0))?,
                size: size as u64,
                needed_at: Moment::from_micros(row.get(2)),
            })
        };
        rows.iter().map(read).collect()
    }

    pub async fn remove_pictures(&self, shas: &[Digest]) -> Result<u64, RecordsError> {
        let shas: Vec<&[u8]> = shas.iter().map(|sha| sha.0.as_slice()).collect();
        let mut session = self.recorder.session().await?;
        session
            .execute("DELETE FROM pictures WHERE sha = ANY($1)", &[&shas])
            .await
    }
}

async fn insert(session: &mut Session, files: &[&PictureFile], at: Moment) -> Result<(), RecordsError> {
    if files.is_empty() {
        return Ok(());
    }
    let shas: Vec<&[u8]> = files.iter().map(|file| file.sha.0.as_slice()).collect();
    let bytes: Vec<&[u8]> = files.iter().map(|file| file.bytes.as_ref()).collect();
    let sql = "INSERT INTO pictures (sha, size, needed_at, bytes) SELECT sha, length(bytes), $3, bytes \
               FROM UNNEST($1::bytea[], $2::bytea[]) AS asked (sha, bytes) ON CONFLICT (sha) DO NOTHING";
    session.execute(sql, &[&shas, &bytes, &at.micros()]).await?;
    Ok(())
}

pub(super) fn read_sha(bytes: &[u8]) -> Result<Digest, RecordsError> {
    digest(bytes).map_err(|error| RecordsError::corrupt("the hash of a picture", error))
}
