//! Decisions, what they make known of products, and acts: the operations on them.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{known_from, merge_known};
use super::{
    Act, AskedAct, CorrectionQuery, Database, DecisionQuery, DecisionRow, KnownRow, Page, Records, RecordsError, Scan,
};
use crate::base::{Correction, KnownProduct, Moment, ProductKey, Recorded};

/// Decisions that are put on record together, ready for the database.
#[derive(Debug)]
pub(in crate::store) struct Group {
    pub rows: Vec<DecisionRow>,
    /// The products that they are about, in one order for all writers.
    pub products: Vec<ProductKey>,
    /// What they saw of each product, in turn: one sight after the other, as if each had come alone.
    sights: Vec<Vec<KnownProduct>>,
}

impl Group {
    fn new(recorded: &[Recorded]) -> Self {
        let mut sights = BTreeMap::<ProductKey, Vec<KnownProduct>>::new();
        for seen in recorded.iter().filter_map(known_from) {
            sights.entry(seen.key.clone()).or_default().push(seen);
        }
        let (products, sights) = sights.into_iter().unzip();
        Self {
            rows: recorded.iter().map(DecisionRow::new).collect(),
            products,
            sights,
        }
    }

    /// The rows to write, given what was known of each product in turn: only those that say something new.
    pub fn changed(&self, before: Vec<Option<KnownProduct>>) -> Vec<KnownRow> {
        let pairs = self.sights.iter().zip(before);
        let changed = pairs.filter_map(|(sights, before)| {
            let mut after = before.clone();
            for seen in sights {
                after = Some(match after {
                    Some(known) => merge_known(known, seen.clone()),
                    None => seen.clone(),
                });
            }
            if after == before {
                None
            } else {
                after.as_ref().map(KnownRow::new)
            }
        });
        changed.collect()
    }
}

impl Records {
    /// Puts decisions on record, all or none, and with them what they make known of their products. Those that are on record already, by their
    /// identity, are left as they are; the number of new ones is the answer. Some hundreds at a time go quickest.
    pub async fn append(&self, decisions: Vec<Recorded>) -> Result<usize, RecordsError> {
        if decisions.is_empty() {
            return Ok(0);
        }
        let group = off_thread(move || Group::new(&decisions)).await?;
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.append(group).await,
            Database::Postgres(postgres) => postgres.append(&group).await,
        }
    }

    /// Those of these decisions, by their identities, that are on record.
    pub async fn on_record(&self, decision_ids: Vec<String>) -> Result<BTreeSet<String>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.on_record(decision_ids).await,
            Database::Postgres(postgres) => postgres.on_record(decision_ids).await,
        }
    }

    /// One decision.
    pub async fn decision(&self, decision_id: &str) -> Result<Option<Recorded>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.decision(decision_id).await,
            Database::Postgres(postgres) => postgres.decision(decision_id).await,
        }
    }

    /// Decisions, newest first; of those made in the same microsecond, the last recorded first.
    pub async fn decisions(&self, query: &DecisionQuery) -> Result<Page<Recorded>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.decisions(query).await,
            Database::Postgres(postgres) => postgres.decisions(query).await,
        }
    }

    /// Everything that was ever decided on a product, newest first.
    pub async fn history(
        &self,
        product: &ProductKey,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<Page<Recorded>, RecordsError> {
        self.decisions(&DecisionQuery {
            product: Some(product.clone()),
            cursor,
            limit,
            ..DecisionQuery::default()
        })
        .await
    }

    /// Every decision made from a moment on and before another, oldest first. To be called within a tokio runtime, as all that reads.
    pub fn scan_decisions(&self, since: Moment, until: Moment) -> Scan<Recorded> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.scan_decisions(since, until),
            Database::Postgres(postgres) => postgres.scan_decisions(since, until),
        }
    }

    /// Everything known, each with the number of its last change, in no order; whoever goes on from the highest number misses nothing.
    pub fn load_known(&self) -> Scan<(u64, KnownProduct)> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.load_known(),
            Database::Postgres(postgres) => postgres.load_known(),
        }
    }

    /// What changed after a change, in the order of changes: of each product its last. Changes appear in order; numbers may be left out.
    /// Products that were erased are told of by acts alone.
    pub async fn known_since(&self, change: u64, limit: usize) -> Result<Vec<(u64, KnownProduct)>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.known_since(change, limit).await,
            Database::Postgres(postgres) => postgres.known_since(change, limit).await,
        }
    }

    /// What is known of a product.
    pub async fn known(&self, product: &ProductKey) -> Result<Option<KnownProduct>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.known(product).await,
            Database::Postgres(postgres) => postgres.known(product).await,
        }
    }

    /// Puts a correction or a revocation on record and gives back the correction as it then is. When this returns, no crash undoes it. The same
    /// request by the same person gets its first answer for 24 hours.
    ///
    /// # Errors
    /// `NotFound` where what is to be revoked is not there, `Conflict` where it was revoked before, `Input` where the request was used for
    /// something else.
    pub async fn act(&self, asked: AskedAct) -> Result<Correction, RecordsError> {
        asked.check()?;
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.act(asked).await,
            Database::Postgres(postgres) => postgres.act(&asked).await,
        }
    }

    /// The acts after a place, in order; none is ever left out that a later call would give.
    pub async fn acts_since(&self, seq: u64, limit: usize) -> Result<Vec<Act>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.acts_since(seq, limit).await,
            Database::Postgres(postgres) => postgres.acts_since(seq, limit).await,
        }
    }

    /// The place of the last act; 0 where there is none.
    pub async fn last_seq(&self) -> Result<u64, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.last_seq().await,
            Database::Postgres(postgres) => postgres.last_seq().await,
        }
    }

    /// One correction as it stands.
    pub async fn correction(&self, correction_id: &str) -> Result<Option<Correction>, RecordsError> {
        match &self.0 {
            Database::Sqlite(sqlite) => sqlite.correction(correction_id).await,
            Database::Postgres(postgres) => postgres.correction(correction_id).await,
        }
    }

    /// Corrections as they stand, newest first.
    pub async fn corrections(&self, query: &CorrectionQuery) -> Result<Page<Correction>, RecordsError> {
        let select = super::select_corrections(query)?;
        let mut found = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.corrections(select).await,
            Database::Postgres(postgres) => postgres.corrections(&select).await,
        }?;
        let is_more = found.len() > query.limit;
        found.truncate(query.limit);
        let last = found.last().filter(|_| is_more);
        Ok(Page {
            next: last.map(|correction| correction.seq.to_string()),
            items: found,
        })
    }
}

/// Computes where it holds nobody up.
pub(in crate::store) async fn off_thread<T: Send + 'static>(
    compute: impl FnOnce() -> T + Send + 'static,
) -> Result<T, RecordsError> {
    let done = tokio::task::spawn_blocking(compute).await;
    done.map_err(|error| RecordsError::Failed {
        reason: error.to_string(),
    })
}
