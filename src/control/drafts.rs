//! Drafts of a policy: whether one is sound, and what it would change of what was decided. Nothing here comes into force.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tokio::sync::mpsc;

use crate::base::{Label, ModelName, Moment, Origin, Recorded, Refusal};
use crate::executor::Cores;
use crate::ledger::Ledger;
use crate::plan::PlanHandle;
use crate::policy::{About, Case, Difference, Facts, Policy, Seen, Subject, Texts};
use crate::store::Records;

/// Reads the policies in force, and tries drafts. Cheap to clone.
#[derive(Clone)]
pub struct Drafts {
    plan: PlanHandle,
    records: Records,
    ledger: Arc<Ledger>,
    cores: Cores,
}

/// A model's policy in force, and the labels that its versions give.
pub struct InForce {
    pub model: ModelName,
    pub policy: Arc<Policy>,
    pub labels: Vec<Label>,
}

impl Drafts {
    /// Against the policies of this plan and these records; what is judged is judged on these cores.
    pub fn new(plan: PlanHandle, records: Records, ledger: Arc<Ledger>, cores: Cores) -> Self {
        Self {
            plan,
            records,
            ledger,
            cores,
        }
    }

    /// What is in force for a model, or for the one that judges where none is named.
    ///
    /// # Errors
    /// There is no such model, or it has no policy.
    pub fn in_force(&self, model: Option<&ModelName>) -> Result<InForce, Refusal> {
        let plan = self.plan.pin();
        let (model, policy) = plan.policy(model)?;
        let versions = plan.model(model)?.versions.values();
        let judges = versions.filter_map(|served| served.executor.spec().judge.as_ref());
        let mut labels: Vec<Label> = judges.flat_map(|judge| judge.head.labels()).cloned().collect();
        labels.sort();
        labels.dedup();
        Ok(InForce {
            model: model.clone(),
            policy: Arc::clone(policy),
            labels,
        })
    }

    /// Judges a model's decisions of a time by one policy and by another, both as of now: with today's rules and corrections. It computes on the
    /// background threads, tells how many it has judged, and ends early when nobody listens any more.
    ///
    /// # Errors
    /// The store does not answer, or the server is closing.
    pub async fn simulate(
        &self,
        trial: Trial,
        (since, until): (Moment, Moment),
        told: &mpsc::Sender<u64>,
    ) -> Result<Difference, Refusal> {
        let bench = Arc::new(Bench {
            trial,
            ledger: Arc::clone(&self.ledger),
            at: SystemTime::now().into(),
            difference: Mutex::default(),
        });
        let mut scan = self.records.scan_decisions(since, until);
        while let Some(group) = scan.next().await? {
            let of_bench = Arc::clone(&bench);
            let judging = move || of_bench.judge_all(&group);
            let judged = self.cores.run_behind(judging).await;
            let judged = judged.map_err(|error| Refusal::unavailable(error.to_string()))?;
            if let Err(mpsc::error::TrySendError::Closed(_)) = told.try_send(judged) {
                break;
            }
        }
        let difference = std::mem::take(&mut *bench.difference.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(difference)
    }
}

/// Two policies of a model to be compared.
pub struct Trial {
    pub model: ModelName,
    pub now: Arc<Policy>,
    pub then: Arc<Policy>,
}

/// Both policies, by what else cases are judged, and what came of it so far.
struct Bench {
    trial: Trial,
    ledger: Arc<Ledger>,
    at: Moment,
    difference: Mutex<Difference>,
}

impl Bench {
    /// Gives how many were judged so far.
    fn judge_all(&self, group: &[Recorded]) -> u64 {
        let mut difference = self.difference.lock().unwrap_or_else(PoisonError::into_inner);
        // What was taken over from another system has no scores to judge by.
        let is_meant =
            |recorded: &&Recorded| recorded.decision.model == self.trial.model && recorded.origin == Origin::Judged;
        for recorded in group.iter().filter(is_meant) {
            self.judge(recorded, &mut difference);
        }
        difference.judged
    }

    fn judge(&self, recorded: &Recorded, difference: &mut Difference) {
        let Recorded { decision, product, .. } = recorded;
        let Trial { now, then, .. } = &self.trial;
        let texts = Texts::of(product);
        let (now_matched, then_matched) = (now.matches(&texts), then.matches(&texts));
        let key = product.key();
        let about = About {
            decision_id: &decision.decision_id,
            title: &product.title,
            displays: product.displays,
        };
        let picture = decision.image_sha256.as_ref();
        self.ledger
            .corrections_on(key.as_ref(), picture, &product.partner_id, |corrections| {
                let corrections: Vec<_> = corrections.iter().collect();
                let case = |matched| Case {
                    at: self.at,
                    countries: &recorded.countries,
                    ad_type: &recorded.ad_type,
                    facts: Facts::given(&recorded.facts),
                    subject: Subject::of(product, decision.image_sha256, matched),
                    look: match &recorded.unreadable {
                        Some(cause) => Seen::Unreadable(cause),
                        None => Seen::Scored(&decision.scores),
                    },
                    corrections: &corrections,
                };
                difference.add((now, &case(&now_matched)), (then, &case(&then_matched)), about);
            });
    }
}
