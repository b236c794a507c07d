//! Forgetting what is old, and erasing what is a partner's. Both go in batches, so that recording goes on between them, and both may be broken
//! off and called again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::acts::{Act, Deed, check_id, request_taken};
use super::{Database, Records, RecordsError, remembered_since};
use crate::base::{Digest, Moment, Principal};

/// So many rows are removed at a time.
pub(in crate::store) const BATCH: usize = 1_000;

/// What an erasure removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Erased {
    /// Its own place in the order of all acts.
    #[serde(skip)]
    pub seq: u64,
    pub decisions: u64,
    pub products: u64,
    pub corrections: u64,
    pub pictures: u64,
}

/// An erasure that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedErasure {
    /// The same one removes nothing twice, for 24 hours.
    pub request_id: String,
    pub partner_id: String,
    pub author: Principal,
    pub at: Moment,
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

    /// What an erasure of a partner would remove now.
    pub async fn count_partner(&self, partner_id: &str) -> Result<Erased, RecordsError> {
        let mut counted = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.count_partner(partner_id).await,
            Database::Postgres(postgres) => postgres.count_partner(partner_id).await,
        }?;
        for batch in self.pictures_of(partner_id).await?.chunks(BATCH) {
            let alone = self.needed_by_nobody_else(partner_id, batch).await?;
            counted.pictures += match &self.0 {
                Database::Sqlite(sqlite) => sqlite.kept_of(alone).await,
                Database::Postgres(postgres) => postgres.kept_of(&alone).await,
            }?;
        }
        Ok(counted)
    }

    /// What came of an erasure that was asked for by this request before; none where it was not, or not finished.
    ///
    /// # Errors
    /// `Input` where the request was used for something else.
    pub async fn erasure(&self, asked: &AskedErasure) -> Result<Option<Erased>, RecordsError> {
        check_id("request_id", &asked.request_id)?;
        let since = remembered_since(asked.at);
        let previous = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.previous(&asked.author, &asked.request_id, since).await,
            Database::Postgres(postgres) => postgres.previous(&asked.author, &asked.request_id, since).await,
        }?;
        previous.map(|act| asked.answered_by(act)).transpose()
    }

    /// Removes a partner: its products, its decisions, the content of its corrections, and the pictures that nothing else refers to. The erasure
    /// is an act, with the partner's identity, so that other replicas forget it too; the places of the erased acts stay. What is put on record
    /// meanwhile may stay: [`Records::finish_erasure`] removes it; and [`Records::scrub`] removes the bytes from the database's files.
    ///
    /// Where it fails midway, calling it again goes on.
    pub async fn erase_partner(&self, asked: &AskedErasure) -> Result<Erased, RecordsError> {
        let begun = AskedErasure {
            request_id: String::new(),
            ..asked.clone()
        };
        // Pictures first: what refers to them tells which they are, should this break off.
        let pictures = self.erase_pictures(&asked.partner_id).await?;
        let acts = self.erase_acts(&begun, Erased::default()).await?;
        let rows = self.erase_rows(&asked.partner_id).await?;
        Ok(Erased {
            pictures,
            corrections: acts.corrections,
            ..rows.of(acts.seq)
        })
    }

    /// Removes what came after `removed` was, and puts the whole on record under the request: from then on the request is answered by it.
    pub async fn finish_erasure(&self, asked: &AskedErasure, removed: Erased) -> Result<Erased, RecordsError> {
        let pictures = self.erase_pictures(&asked.partner_id).await?;
        let rows = self.erase_rows(&asked.partner_id).await?;
        let so_far = Erased {
            seq: 0,
            decisions: removed.decisions + rows.decisions,
            products: removed.products + rows.products,
            corrections: removed.corrections,
            pictures: removed.pictures + pictures,
        };
        self.erase_acts(asked, so_far).await
    }

    /// Writes the database anew, so that the bytes of what was removed are gone from its files; it takes time and room by its size. Where something
    /// keeps them there, the answer says what, and what to do; PostgreSQL's log and copies of it keep them for as long as they are kept.
    ///
    /// On SQLite no act is written meanwhile: it is told at once that the store is slow. On PostgreSQL all wait for the table that is written anew.
    pub async fn scrub(&self) -> Result<Option<String>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.scrub().await,
            Database::Postgres(postgres) => postgres.scrub().await,
        }
    }

    async fn erase_acts(&self, asked: &AskedErasure, so_far: Erased) -> Result<Erased, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.erase_acts(asked, so_far).await,
            Database::Postgres(postgres) => postgres.erase_acts(asked, so_far).await,
        }
    }

    /// Products and decisions.
    async fn erase_rows(&self, partner_id: &str) -> Result<Erased, RecordsError> {
        let mut erased = Erased::default();
        loop {
            let (products, decisions) = match &self.0 {
                Database::Sqlite(sqlite) => sqlite.erase_batch(partner_id).await,
                Database::Postgres(postgres) => postgres.erase_batch(partner_id).await,
            }?;
            erased.products += products;
            erased.decisions += decisions;
            if products + decisions == 0 {
                return Ok(erased);
            }
        }
    }

    async fn erase_pictures(&self, partner_id: &str) -> Result<u64, RecordsError> {
        let mut erased = 0;
        for batch in self.pictures_of(partner_id).await?.chunks(BATCH) {
            let alone = self.needed_by_nobody_else(partner_id, batch).await?;
            erased += self.remove_pictures(&alone).await?;
        }
        Ok(erased)
    }

    /// Those that no other partner's product has.
    async fn pictures_of(&self, partner_id: &str) -> Result<Vec<Digest>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.partner_pictures(partner_id).await,
            Database::Postgres(postgres) => postgres.partner_pictures(partner_id).await,
        }
    }

    async fn needed_by_nobody_else(&self, partner_id: &str, shas: &[Digest]) -> Result<Vec<Digest>, RecordsError> {
        let others: BTreeSet<Digest> = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.needed_by_others(partner_id, shas.to_vec()).await,
            Database::Postgres(postgres) => postgres.needed_by_others(partner_id, shas).await,
        }?;
        Ok(shas.iter().filter(|sha| !others.contains(sha)).copied().collect())
    }
}

impl Erased {
    fn of(self, seq: u64) -> Self {
        Self { seq, ..self }
    }

    /// With the corrections that went with the act itself.
    pub(in crate::store) fn and_corrections(self, corrections: u64) -> Self {
        Self {
            corrections: self.corrections + corrections,
            ..self
        }
    }
}

/// What an act of erasing says was removed, with its place.
pub(in crate::store) fn erased_by(act: &Act) -> Erased {
    match &act.deed {
        Deed::ErasePartner { erased, .. } => erased.of(act.seq),
        Deed::Correct(_) | Deed::Revoke { .. } | Deed::Erased | Deed::Unknown { .. } => Erased::default().of(act.seq),
    }
}

impl AskedErasure {
    /// The act of it.
    pub(in crate::store) fn act(&self, seq: u64, erased: Erased) -> Act {
        Act {
            seq,
            at: self.at,
            principal: self.author.clone(),
            request_id: self.request_id.clone(),
            deed: Deed::ErasePartner {
                partner_id: self.partner_id.clone(),
                erased,
            },
        }
    }

    fn answered_by(&self, act: Act) -> Result<Erased, RecordsError> {
        match act.deed {
            Deed::ErasePartner { partner_id, erased } if partner_id == self.partner_id => Ok(erased.of(act.seq)),
            Deed::ErasePartner { .. }
            | Deed::Correct(_)
            | Deed::Revoke { .. }
            | Deed::Erased
            | Deed::Unknown { .. } => Err(request_taken()),
        }
    }
}
