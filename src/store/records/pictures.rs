//! Pictures, by the SHA-256 of their encoded bytes: each kept once, for so long and in so much room as is configured.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::removal::BATCH;
use super::{Database, Records, RecordsError};
use crate::base::{Digest, Moment};

/// A picture is marked as needed at most this often: it is seen far more often than that is worth writing down.
const MARKED_EVERY: Duration = Duration::from_secs(60 * 60);

/// A picture to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct PictureFile {
    pub sha: Digest,
    pub bytes: Bytes,
}

/// What is known of a kept picture without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct KeptPicture {
    pub sha: Digest,
    pub size: u64,
    pub needed_at: Moment,
}

/// What came of holding the pictures to their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Enforced {
    pub removed: u64,
    /// Bytes of the removed ones.
    pub removed_bytes: u64,
    /// Bytes of those that are still kept. Above the budget only where corrections refer to that many.
    pub kept_bytes: u64,
}

impl Records {
    /// Keeps pictures under the SHA-256 of their bytes, which is taken at its word. One that is kept already is marked as needed at this moment.
    pub async fn keep_pictures(&self, pictures: Vec<(Digest, Bytes)>, at: Moment) -> Result<(), RecordsError> {
        let mut files: Vec<_> = pictures
            .into_iter()
            .map(|(sha, bytes)| PictureFile { sha, bytes })
            .collect();
        // In one order, so that two writers never wait for each other.
        files.sort_by_key(|file| file.sha);
        files.dedup_by_key(|file| file.sha);
        let stale = at.before(MARKED_EVERY);
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.keep_pictures(files, at, stale).await,
            Database::Postgres(postgres) => postgres.keep_pictures(&files, at, stale).await,
        }
    }

    /// A picture's encoded bytes, if they are kept.
    pub async fn picture(&self, sha: Digest) -> Result<Option<Bytes>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.picture(sha).await,
            Database::Postgres(postgres) => postgres.picture(sha).await,
        }
    }

    /// Removes the pictures that were not needed for the span of the retention, and then the least recently needed ones until the rest is
    /// within the budget, in bytes. Those that a correction refers to are never removed.
    pub async fn enforce_pictures(
        &self,
        budget: u64,
        now: Moment,
        retention: Duration,
    ) -> Result<Enforced, RecordsError> {
        let expired = now.before(retention);
        let referred = self.corrected_pictures().await?;
        let mut done = Enforced {
            kept_bytes: self.picture_bytes().await?,
            ..Enforced::default()
        };
        let mut after = None;
        loop {
            let candidates = self.least_needed(after).await?;
            let Some(last) = candidates.last() else {
                return Ok(done);
            };
            after = Some((last.needed_at, last.sha));
            let mut removed = Vec::new();
            for picture in &candidates {
                let is_over = picture.needed_at < expired || done.kept_bytes > budget;
                if is_over && !referred.contains(&picture.sha) {
                    done.kept_bytes = done.kept_bytes.saturating_sub(picture.size);
                    done.removed_bytes += picture.size;
                    removed.push(picture.sha);
                }
            }
            done.removed += self.remove_pictures(&removed).await?;
            let is_within = done.kept_bytes <= budget && last.needed_at >= expired;
            if is_within || candidates.len() < BATCH {
                return Ok(done);
            }
        }
    }

    async fn corrected_pictures(&self) -> Result<BTreeSet<Digest>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.corrected_pictures().await,
            Database::Postgres(postgres) => postgres.corrected_pictures().await,
        }
    }

    async fn picture_bytes(&self) -> Result<u64, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.picture_bytes().await,
            Database::Postgres(postgres) => postgres.picture_bytes().await,
        }
    }

    /// The next batch, the least recently needed first.
    async fn least_needed(&self, after: Option<(Moment, Digest)>) -> Result<Vec<KeptPicture>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.least_needed(after).await,
            Database::Postgres(postgres) => postgres.least_needed(after).await,
        }
    }

    pub(super) async fn remove_pictures(&self, shas: &[Digest]) -> Result<u64, RecordsError> {
        if shas.is_empty() {
            return Ok(0);
        }
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.remove_pictures(shas.to_vec()).await,
            Database::Postgres(postgres) => postgres.remove_pictures(shas).await,
        }
    }
}
