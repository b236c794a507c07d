//! Drafts of a policy: whether one is sound, and what it would change of what was decided. Nothing here comes into force.

use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::{mpsc, oneshot};

use crate::base::{Label, ModelName, Moment, Origin, Recorded, Refusal};
use crate::executor::{Kind, become_one_of};
use crate::ledger::Ledger;
use crate::plan::{ModelPlan, PlanHandle};
use crate::policy::{About, Case, Difference, Facts, Policy, Seen, Subject, Texts};
use crate::store::Records;

/// Groups of decisions that may wait to be judged.
const GROUPS: usize = 4;

/// Reads the policies in force, and tries drafts. Cheap to clone.
#[derive(Clone)]
pub struct Drafts {
    plan: PlanHandle,
    records: Records,
    ledger: Arc<Ledger>,
}

/// A model's policy in force, and the labels that its versions give.
pub struct InForce {
    pub model: ModelName,
    pub policy: Arc<Policy>,
    pub labels: Vec<Label>,
}

/// A simulation on its way.
pub struct Simulation {
    /// Decisions judged so far, now and then.
    pub progress: mpsc::Receiver<u64>,
    /// What came of it.
    pub difference: oneshot::Receiver<Result<Difference, Refusal>>,
}

impl Drafts {
    /// Against the policies of this plan and these records.
    pub fn new(plan: PlanHandle, records: Records, ledger: Arc<Ledger>) -> Self {
        Self { plan, records, ledger }
    }

    /// What is in force for a model, or for the one that judges where none is named.
    ///
    /// # Errors
    /// There is no such model, or it has no policy.
    pub fn in_force(&self, model: Option<&ModelName>) -> Result<InForce, Refusal> {
        let plan = self.plan.pin();
        let name = match model.or(plan.default_model.as_ref()) {
            Some(name) => name.clone(),
            None => only_with_policy(&plan.models)?,
        };
        let found = plan.model(&name)?;
        let policy = found
            .policy
            .clone()
            .ok_or_else(|| Refusal::not_found(format!("model {name} has no policy.toml in force")))?;
        let judges = found
            .versions
            .values()
            .filter_map(|served| served.executor.spec().judge.as_ref());
        let mut labels: Vec<Label> = judges.flat_map(|judge| judge.head.labels()).cloned().collect();
        labels.sort();
        labels.dedup();
        Ok(InForce {
            model: name,
            policy,
            labels,
        })
    }

    /// Judges the decisions of a time by a draft and by the policy in force, both as of now: with today's rules and corrections. It runs on a
    /// thread of the lowest priority, and ends when nobody waits for it any more.
    pub fn simulate(&self, in_force: &InForce, draft: Policy, since: Moment, until: Moment) -> Simulation {
        let (groups, waiting) = mpsc::channel(GROUPS);
        let (told, progress) = mpsc::channel(1);
        let (answer, difference) = oneshot::channel();
        let (read, outcome) = oneshot::channel();
        let mut scan = self.records.scan_decisions(since, until);
        let model = in_force.model.clone();
        tokio::spawn(async move {
            let reading = async {
                while let Some(group) = scan.next().await? {
                    // What was taken over from another system has no scores to judge by.
                    let is_meant =
                        |recorded: &Recorded| recorded.decision.model == model && recorded.origin == Origin::Judged;
                    let of_model = group.into_iter().filter(is_meant);
                    if groups.send(of_model.collect::<Vec<_>>()).await.is_err() {
                        break;
                    }
                }
                Ok(())
            };
            let ended: Result<(), crate::store::RecordsError> = reading.await;
            let _nobody_waits = read.send(ended);
        });
        let bench = Bench {
            now: Arc::clone(&in_force.policy),
            then: draft,
            ledger: Arc::clone(&self.ledger),
            at: SystemTime::now().into(),
        };
        let judging = move || {
            let _refused = become_one_of(Kind::Background);
            let difference = bench.judge_all(waiting, &told);
            let ended = outcome.blocking_recv().unwrap_or(Ok(()));
            let _nobody_waits = answer.send(ended.map(|()| difference).map_err(Refusal::from));
        };
        if let Err(error) = std::thread::Builder::new()
            .name("vigie-simulate".to_owned())
            .spawn(judging)
        {
            tracing::warn!(%error, "a simulation cannot begin");
        }
        Simulation { progress, difference }
    }
}

fn only_with_policy(models: &std::collections::BTreeMap<ModelName, Arc<ModelPlan>>) -> Result<ModelName, Refusal> {
    let mut named = models.iter().filter(|(_, plan)| plan.policy.is_some());
    match (named.next(), named.next()) {
        (Some((name, _)), None) => Ok(name.clone()),
        (None, _) => Err(Refusal::not_found("no model has a policy in force")),
        (Some((one, _)), Some((other, _))) => Err(Refusal::invalid(
            "model",
            format!("several models have a policy ({one}, {other}, …): name one"),
        )),
    }
}

/// Both policies, and by what else cases are judged.
struct Bench {
    now: Arc<Policy>,
    then: Policy,
    ledger: Arc<Ledger>,
    at: Moment,
}

impl Bench {
    fn judge_all(&self, mut waiting: mpsc::Receiver<Vec<Recorded>>, told: &mpsc::Sender<u64>) -> Difference {
        let mut difference = Difference::default();
        while let Some(group) = waiting.blocking_recv() {
            for recorded in &group {
                self.judge(recorded, &mut difference);
            }
            if let Err(mpsc::error::TrySendError::Closed(_)) = told.try_send(difference.judged) {
                break;
            }
        }
        difference
    }

    fn judge(&self, recorded: &Recorded, difference: &mut Difference) {
        let Recorded { decision, product, .. } = recorded;
        let texts = Texts::of(product);
        let (now_matched, then_matched) = (self.now.matches(&texts), self.then.matches(&texts));
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
                difference.add(
                    (&self.now, &case(&now_matched)),
                    (&self.then, &case(&then_matched)),
                    about,
                );
            });
    }
}
