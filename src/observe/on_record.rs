//! What is on record, for whoever asks.

use bytes::Bytes;

use crate::base::{Digest, Recorded, Refusal};
use crate::store::{DecisionQuery, Page, Records};

/// Decisions on record. Cheap to clone.
#[derive(Clone)]
pub struct OnRecord {
    records: Records,
}

impl OnRecord {
    /// Reads these records.
    pub fn new(records: Records) -> Self {
        Self { records }
    }

    /// A page of decisions, the newest first.
    ///
    /// # Errors
    /// A wrong question, or a store that does not answer.
    pub async fn list(&self, query: DecisionQuery) -> Result<Page<Recorded>, Refusal> {
        Ok(self.records.decisions(&query).await?)
    }

    /// A picture's encoded bytes.
    ///
    /// # Errors
    /// `NotFound`, or a store that does not answer.
    pub async fn picture(&self, sha256: Digest) -> Result<Bytes, Refusal> {
        let found = self.records.picture(sha256).await?;
        found.ok_or_else(|| {
            Refusal::not_found(format!(
                "picture {sha256} is not kept: it never came, has not been written yet, made room for others (records.pictures), or went with its partner"
            ))
        })
    }

    /// One decision.
    ///
    /// # Errors
    /// `NotFound`, or a store that does not answer.
    pub async fn get(&self, decision_id: &str) -> Result<Recorded, Refusal> {
        let found = self.records.decision(decision_id).await?;
        found.ok_or_else(|| {
            Refusal::not_found(format!(
                "decision {decision_id:?} is not on record: it was never made, has not been written yet, or is older than records.keep_days"
            ))
        })
    }
}
