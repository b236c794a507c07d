//! The follower: fills the ledger from what is on record, and keeps it up with what others add.
//!
//! Hints say when to look; the tables are the truth, and are looked at now and then without a hint too.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::rematcher::{in_force, matched_by};
use super::shadow::Observe;
use crate::base::{KnownProduct, Label, RevisionId, RevisionLook, Revocation};
use crate::ledger::Ledger;
use crate::plan::PlanHandle;
use crate::policy::Policy;
use crate::store::{Act, Deed, Records, RecordsError};

/// How often everything is looked at without a hint.
const EVERY: Duration = Duration::from_millis(500);
/// How often it is looked whether there is a first plan: nothing tells of it, and it is waited for once.
const FIRST_PLAN: Duration = Duration::from_millis(10);
/// Acts or products read at once.
const AT_ONCE: usize = 1000;

/// How far the filling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filled {
    pub products: u64,
    /// Everything that was on record at the start is in, corrections first.
    pub done: bool,
}

/// See the module.
pub struct Follower {
    pub records: Records,
    pub ledger: Arc<Ledger>,
    pub plan: PlanHandle,
    pub observe: Observe,
    /// Other servers write to the same records.
    pub shared: bool,
    pub filled: watch::Sender<Filled>,
    /// Revisions whose labels the ledger was told.
    pub registered: HashSet<RevisionId>,
}

impl Follower {
    /// Fills the ledger, then follows, until the token is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut hints = self.records.watch();
        let mut change = 0;
        let mut begun = false;
        while !stop.is_cancelled() {
            let step = async {
                if begun {
                    self.follow(&mut change).await
                } else {
                    self.fill(&mut change).await
                }
            };
            let caught_up = tokio::select! {
                caught_up = step => caught_up,
                () = stop.cancelled() => return,
            };
            match caught_up {
                Ok(()) => begun = true,
                Err(error) => tracing::warn!(%error, "what others put on record is not known yet"),
            }
            self.ledger.sweep(SystemTime::now().into());
            tokio::select! {
                _ = hints.changed() => {}
                () = tokio::time::sleep(EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Corrections first: no product is ever judged without them.
    async fn fill(&mut self, change: &mut u64) -> Result<(), RecordsError> {
        self.acts().await?;
        // Its keywords are looked for on the way.
        while self.plan.pin().generation == 0 {
            tokio::time::sleep(FIRST_PLAN).await;
        }
        let policy = in_force(&self.plan);
        let mut products = 0;
        let mut known = self.records.load_known();
        while let Some(group) = known.next().await? {
            for (number, product) in &group {
                self.know(product, policy.as_deref()).await?;
                *change = (*change).max(*number);
            }
            products += group.len() as u64;
            self.filled.send_replace(Filled { products, done: false });
        }
        self.filled.send_replace(Filled { products, done: true });
        tracing::info!(products, "what is on record of products is known");
        Ok(())
    }

    async fn follow(&mut self, change: &mut u64) -> Result<(), RecordsError> {
        self.acts().await?;
        while self.shared {
            let group = self.records.known_since(*change, AT_ONCE).await?;
            let policy = in_force(&self.plan);
            for (number, product) in &group {
                self.know(product, policy.as_deref()).await?;
                *change = (*change).max(*number);
            }
            if group.len() < AT_ONCE {
                break;
            }
        }
        Ok(())
    }

    async fn acts(&self) -> Result<(), RecordsError> {
        loop {
            let acts = self.records.acts_since(self.ledger.applied_seq(), AT_ONCE).await?;
            let (count, last) = (acts.len(), acts.last().map(|act| act.seq));
            for act in acts {
                self.apply(act);
            }
            if let Some(last) = last {
                self.ledger.acts_until(last);
            }
            if count < AT_ONCE {
                return Ok(());
            }
        }
    }

    fn apply(&self, act: Act) {
        match act.deed {
            Deed::Correct(correction) => self.ledger.correct(*correction),
            Deed::Revoke { correction_id, reason } => {
                let revocation = Revocation {
                    seq: act.seq,
                    by: act.principal,
                    at: act.at,
                    reason,
                };
                self.ledger.revoke(&correction_id, revocation);
            }
            Deed::ErasePartner { partner_id, .. } => {
                self.ledger.gone().note(&partner_id, act.at);
                self.ledger.remove_partner(&partner_id, act.at);
                self.ledger.erase_corrections(&partner_id, act.seq, act.at);
                self.observe.forget_partner(&partner_id, act.at);
            }
            Deed::Erased => {}
            Deed::Unknown { kind } => {
                tracing::warn!(
                    kind,
                    seq = act.seq,
                    "a newer server did something that this one does not know"
                );
            }
        }
    }

    async fn know(&mut self, product: &KnownProduct, policy: Option<&Policy>) -> Result<(), RecordsError> {
        for look in &product.looks {
            if self.registered.insert(look.revision) {
                self.register(look).await?;
            }
        }
        let matched = policy.map(|policy| matched_by(policy, product));
        self.ledger.judged(product, &matched.unwrap_or_default());
        Ok(())
    }

    /// What a revision's scores are scores of: its decision on record says it.
    async fn register(&self, look: &RevisionLook) -> Result<(), RecordsError> {
        if let Some(recorded) = self.records.decision(&look.decision_id).await? {
            let labels: Vec<Label> = recorded.decision.scores.into_iter().map(|score| score.label).collect();
            self.ledger.register(look.revision, &labels);
        }
        Ok(())
    }
}
