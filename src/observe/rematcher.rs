//! The rematcher: when a policy with other keyword rules comes into force, the texts of known products are searched anew.
//!
//! The ledger keeps what was found in texts, not the texts; those are on record. Until a product's turn has come, nobody knows what the new rules
//! would find in it, and its verdict is a REVIEW.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::base::KnownProduct;
use crate::ledger::{Ledger, Matched};
use crate::plan::PlanHandle;
use crate::policy::{Policy, Texts};
use crate::store::{Records, RecordsError};

/// How often it is looked whether another policy is in force.
const EVERY: Duration = Duration::from_millis(100);

/// See the module.
pub struct Rematcher {
    pub records: Records,
    pub ledger: Arc<Ledger>,
    pub plan: PlanHandle,
}

impl Rematcher {
    /// Runs until the token is cancelled. What is on record at the start is matched by whoever fills the ledger, with the first policy.
    pub async fn run(self, stop: CancellationToken) {
        let mut done: Option<u64> = None;
        while !stop.is_cancelled() {
            if let Some(policy) = in_force(&self.plan)
                && done != Some(policy.keywords_mark())
            {
                match (done, policy.has_keywords()) {
                    (Some(_), true) => match self.rematch(&policy).await {
                        Ok(()) => done = Some(policy.keywords_mark()),
                        Err(error) => tracing::warn!(%error, "texts cannot be searched for the new keywords yet"),
                    },
                    (None, _) | (_, false) => done = Some(policy.keywords_mark()),
                }
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn rematch(&self, policy: &Policy) -> Result<(), RecordsError> {
        let began = Instant::now();
        let mut products = 0;
        let mut known = self.records.load_known();
        while let Some(group) = known.next().await? {
            for (_, product) in &group {
                self.ledger
                    .rematch(&product.key, product.texts, &matched_by(policy, product));
            }
            products += group.len();
        }
        let took = began.elapsed();
        tracing::info!(products, ?took, "texts were searched for the new keywords");
        Ok(())
    }
}

/// The policy in force of the model that judges where none is named. The plan is not held.
pub(super) fn in_force(plan: &PlanHandle) -> Option<Arc<Policy>> {
    let plan = plan.pin();
    plan.policy(None).ok().map(|(_, policy)| Arc::clone(policy))
}

/// What a policy's keyword rules find in a product's texts.
pub(super) fn matched_by(policy: &Policy, product: &KnownProduct) -> Matched {
    let texts = Texts {
        title: &product.title,
        description: &product.description,
        brand: &product.brand,
        language: &product.language,
    };
    Matched {
        by: policy.keywords_mark(),
        rules: policy.matches(&texts).to_numbers(),
    }
}
