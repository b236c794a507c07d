//! Forgetting what is old, and erasing what is a partner's. Both go in batches, so that recording goes on between them, and both may be broken
//! off and called again.

use std::collections::BTreeSet;

use super::{Database, Records, RecordsError};
use crate::base::{Digest, Moment, Principal};

/// So many rows are removed at a time.
pub(in crate::store) const BATCH: usize = 1_000;

/// What an erasure removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Its own place in the order of all acts.
    pub seq: u64,
    pub decisions: u64,
    pub products: u64,
    pub corrections: u64,
    pub pictures: u64,
}

impl Records {
    /// Removes the decisions made before a moment, and says how many. What is known of products stays.
    pub async fn forget_before(&self, moment: Moment) -> Result<u64, RecordsError> {
        let mut forgotten = 0;
        loop {
            let batch = match &self.0 {
                Database::Sqlite(sqlite) => sqlite.forget_batch(moment).await,
                Database::Postgres(postgres) => postgres.forget_batch(moment).await,
            }?;
            forgotten += batch;
            if batch < BATCH as u64 {
                return Ok(forgotten);
            }
        }
    }

    /// Removes a partner: its products, its decisions, the content of its corrections, and the pictures that nothing else refers to. The erasure
    /// is an act, with the partner's identity; the places of the erased acts stay. Then the database is written anew so that the bytes are gone
    /// from its files, which takes time and room by its size, and on PostgreSQL holds up others meanwhile; PostgreSQL's log and copies of it
    /// keep them for as long as they are kept.
    ///
    /// Where it fails midway, calling it again goes on.
    pub async fn erase_partner(
        &self,
        partner_id: &str,
        principal: &Principal,
        at: Moment,
    ) -> Result<Erased, RecordsError> {
        // Pictures first: what refers to them tells which they are, should this break off.
        let mut erased = Erased {
            pictures: self.erase_pictures(partner_id).await?,
            ..Erased::default()
        };
        (erased.seq, erased.corrections) = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.erase_acts(partner_id, principal, at).await,
            Database::Postgres(postgres) => postgres.erase_acts(partner_id, principal, at).await,
        }?;
        loop {
            let (products, decisions) = match &self.0 {
                Database::Sqlite(sqlite) => sqlite.erase_batch(partner_id).await,
                Database::Postgres(postgres) => postgres.erase_batch(partner_id).await,
            }?;
            erased.products += products;
            erased.decisions += decisions;
            if products + decisions == 0 {
                break;
            }
        }
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.scrub().await,
            Database::Postgres(postgres) => postgres.scrub().await,
        }?;
        Ok(erased)
    }

    async fn erase_pictures(&self, partner_id: &str) -> Result<u64, RecordsError> {
        let own = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.partner_pictures(partner_id).await,
            Database::Postgres(postgres) => postgres.partner_pictures(partner_id).await,
        }?;
        let mut erased = 0;
        for batch in own.chunks(BATCH) {
            let others: BTreeSet<Digest> = match &self.0 {
                Database::Sqlite(sqlite) => sqlite.needed_by_others(partner_id, batch.to_vec()).await,
                Database::Postgres(postgres) => postgres.needed_by_others(partner_id, batch).await,
            }?;
            let alone: Vec<Digest> = batch.iter().filter(|sha| !others.contains(sha)).copied().collect();
            erased += self.remove_pictures(&alone).await?;
        }
        Ok(erased)
    }
}
