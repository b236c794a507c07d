//! Erasing a partner: out of the records, the ledger and what was observed, with everything that is on its way there.
//!
//! What is decided on the partner's products while it is being erased is answered and not kept. Other replicas forget the partner when they hear of the
//! act, within a second; a decision that one of them is writing at that very moment is removed with what came late, unless it is slower than the erasure.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::shadow::Observe;
use crate::base::{Moment, Refusal};
use crate::ledger::Ledger;
use crate::store::{AskedErasure, Erased, Records};

/// How long what is being written may take before an erasure is given up.
const SETTLE: Duration = Duration::from_secs(20);

/// How long the follower may take to hear of it, and how often it is looked whether it has.
const FOLLOWED: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Erases. Cheap to clone.
#[derive(Clone)]
pub struct Erasing {
    pub records: Records,
    pub ledger: Arc<Ledger>,
    pub observe: Observe,
}

/// What came of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    pub erased: Erased,
    /// What keeps the bytes in the database's files, and what to do; none where they are gone.
    pub still_in_use: Option<String>,
}

impl Erasing {
    /// What an erasure would remove now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn count(&self, partner_id: &str) -> Result<Erased, Refusal> {
        Ok(self.records.count_partner(partner_id).await?)
    }

    /// Erases a partner, to the end whether or not anybody waits for the answer. A request that was answered before removes nothing more: the files are
    /// written anew once more, and it gets its first answer.
    ///
    /// # Errors
    /// The partner is being erased already, the request was used for something else, or the store does not answer: then asking again goes on.
    pub async fn erase(&self, asked: AskedErasure) -> Result<Erasure, Refusal> {
        let this = self.clone();
        let erased = tokio::spawn(async move { this.erase_here(asked).await }).await;
        erased.map_err(|error| Refusal::internal(error.to_string()))?
    }

    async fn erase_here(&self, asked: AskedErasure) -> Result<Erasure, Refusal> {
        let erased = match self.records.erasure(&asked).await? {
            Some(erased) => erased,
            None => self.remove(&asked).await?,
        };
        let still_in_use = self.records.scrub().await?;
        let Erased {
            seq,
            decisions,
            products,
            corrections,
            pictures,
        } = erased;
        tracing::info!(seq, decisions, products, corrections, pictures, "a partner is erased");
        if let Some(reason) = &still_in_use {
            tracing::warn!(%reason, "the database's files may still hold what was erased");
        }
        Ok(Erasure { erased, still_in_use })
    }

    async fn remove(&self, asked: &AskedErasure) -> Result<Erased, Refusal> {
        let partner_id = &asked.partner_id;
        let Some(_under_way) = self.ledger.gone().begin(partner_id) else {
            return Err(Refusal::aborted(format!(
                "{partner_id:?} is being erased already: ask again when that has ended"
            )));
        };
        if !self.ledger.gone().settle(SETTLE).await {
            return Err(Refusal::unavailable(
                "decisions made before are still being written: is the store away? ask again later",
            ));
        }
        let begun = self.records.erase_partner(asked).await?;
        self.forget(partner_id, begun.seq);
        let finished = AskedErasure {
            at: SystemTime::now().into(),
            ..asked.clone()
        };
        let erased = self.records.finish_erasure(&finished, begun).await?;
        self.forget(partner_id, erased.seq);
        self.until_followed(erased.seq).await;
        Ok(erased)
    }

    /// The follower hears of the act, too. Until it has, what comes of the partner might be taken for what came before.
    async fn until_followed(&self, seq: u64) {
        let followed = async {
            while self.ledger.applied_seq() < seq {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        // Where the store is away just now, it hears of it when that is back.
        let _late = tokio::time::timeout(FOLLOWED, followed).await;
    }

    /// Nothing of the partner is kept meanwhile, so all of it goes.
    fn forget(&self, partner_id: &str, seq: u64) {
        let until = Moment::from_micros(i64::MAX);
        self.ledger.remove_partner(partner_id, until);
        self.ledger.erase_corrections(partner_id, seq, until);
        self.observe.forget_partner(partner_id, until);
    }
}
