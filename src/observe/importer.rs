//! The importer: what another system decided goes on record as decisions of its own, and is known until a revision has looked.

use std::sync::Arc;
use std::time::SystemTime;

use super::rematcher::{in_force, matched_by};
use crate::base::{ImportedProduct, ModelName, Moment, Recorded, Refusal, Target};
use crate::ledger::Ledger;
use crate::plan::PlanHandle;
use crate::store::{Records, known_from};

/// Imports. Cheap to clone.
#[derive(Clone)]
pub struct Importer {
    pub records: Records,
    pub ledger: Arc<Ledger>,
    pub plan: PlanHandle,
}

impl Importer {
    /// Puts a group on record, all or none, and makes it known; tells how many are new. Some hundreds at a time go quickest.
    ///
    /// # Errors
    /// No model is ready that could judge the products later, a partner is being erased, a decision of the future, or the store does not answer.
    pub async fn import(&self, source: &str, products: Vec<ImportedProduct>) -> Result<u64, Refusal> {
        let now = Moment::from(SystemTime::now());
        let model = self.plan.pin().route(None, &Target::Plan)?.model;
        // Given back when all is known: an erasure begins between two groups.
        let _pass = self.ledger.gone().pass().await;
        let recorded = self.recorded(source, products, &model, now)?;
        let ids = recorded.iter().map(|one| one.decision.decision_id.clone()).collect();
        let before = self.records.on_record(ids).await?;
        // What is there already says nothing new: a later word on the same product stands.
        let new: Vec<Recorded> = recorded
            .into_iter()
            .filter(|one| !before.contains(&one.decision.decision_id))
            .collect();
        let added = self.records.append(new.clone()).await?;
        for one in &new {
            self.know(one).await?;
        }
        Ok(added as u64)
    }

    fn recorded(
        &self,
        source: &str,
        products: Vec<ImportedProduct>,
        model: &ModelName,
        now: Moment,
    ) -> Result<Vec<Recorded>, Refusal> {
        let each = products.into_iter().enumerate().map(|(place, product)| {
            let partner_id = &product.product.partner_id;
            if self.ledger.gone().is_under_way(partner_id) {
                return Err(Refusal::aborted(format!(
                    "{partner_id:?} is being erased: import its products when that has ended"
                )));
            }
            if product.decided_at.is_some_and(|at| at > now) {
                let field = format!("products[{place}].decided_at");
                return Err(Refusal::invalid(
                    field,
                    "lies in the future: nothing is decided yet then",
                ));
            }
            Ok(product.into_recorded(source, model.clone(), now))
        });
        each.collect()
    }

    /// Makes known what the records know now, which may be more than this import said.
    async fn know(&self, recorded: &Recorded) -> Result<(), Refusal> {
        let Some(told) = known_from(recorded) else {
            return Ok(());
        };
        let known = self.records.known(&told.key).await?.unwrap_or(told);
        loop {
            let policy = in_force(&self.plan);
            let matched = policy.as_ref().map(|policy| matched_by(policy, &known));
            self.ledger.judged(&known, &matched.unwrap_or_default());
            // Whoever searches what is on record for the keywords of a policy that came meanwhile may have been there before.
            let mark = |policy: &Arc<crate::policy::Policy>| policy.keywords_mark();
            if in_force(&self.plan).as_ref().map(mark) == policy.as_ref().map(mark) {
                return Ok(());
            }
        }
    }
}
