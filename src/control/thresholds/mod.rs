//! What other thresholds would do, from the decisions on record and from what people said of labels.
//!
//! Decisions are read once, oldest first, and each product keeps what its latest says (`gathered`); what people said of labels is held against the scores of the
//! very pictures that they said it of (`truth`). Both are added up on the planned background threads, a group of decisions at a time, so that a shadow waits for
//! milliseconds at most. What follows for a threshold is the policy room's to say.

mod gathered;
mod truth;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::{mpsc, oneshot};

use super::InForce;
use crate::base::{CorrectionKind, CountryCode, Label, ModelName, Moment, Origin, Recorded, Refusal, Version};
use crate::executor::Cores;
use crate::policy::{Goal, Moved, Named, Policy, Thresholds, Tradeoff};
use crate::store::{CorrectionQuery, PAGE, Records};

use gathered::Gathered;
use truth::Truth;

pub use gathered::{Basis, RevisionShare};

/// Studies thresholds. Cheap to clone.
#[derive(Clone)]
pub struct ThresholdStudies {
    records: Records,
    cores: Cores,
}

/// Which thresholds are to be studied, and by which decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct ThresholdQuestion {
    /// None: every label that the model's versions give.
    pub labels: Vec<Label>,
    /// Whose rules say what is in force.
    pub country: CountryCode,
    pub moved: Moved,
    pub since: Moment,
    pub until: Moment,
    /// Only decisions by this version.
    pub version: Option<Version>,
    pub goal: Option<Goal>,
}

/// A study on its way.
pub struct ThresholdStudy {
    /// Decisions read so far, now and then.
    pub progress: mpsc::Receiver<u64>,
    pub found: oneshot::Receiver<Result<ThresholdsFound, Refusal>>,
}

/// What came of a study.
#[derive(Debug)]
pub struct ThresholdsFound {
    pub basis: Basis,
    /// One for each label, with the threshold that meets the goal, where one was stated.
    pub tradeoffs: Vec<(Tradeoff, Option<Named>)>,
}

impl ThresholdStudies {
    /// On these records, by these threads.
    pub fn new(records: Records, cores: Cores) -> Self {
        Self { records, cores }
    }

    /// Begins a study of the labels of a model. It ends when nobody waits for it any more.
    ///
    /// # Errors
    /// A label that no version of the model gives. Later, in what is found: there is no decision to go by, or the store does not answer.
    pub fn begin(&self, in_force: &InForce, mut asked: ThresholdQuestion) -> Result<ThresholdStudy, Refusal> {
        if asked.labels.is_empty() {
            asked.labels.clone_from(&in_force.labels);
        }
        if let Some(at) = asked.labels.iter().position(|label| !in_force.labels.contains(label)) {
            let known: Vec<&str> = in_force.labels.iter().map(Label::as_str).collect();
            return Err(Refusal::invalid(
                format!("labels[{at}]"),
                format!(
                    "{} is a label that no version of {} gives: one of {} is expected",
                    asked.labels[at],
                    in_force.model,
                    known.join(", ")
                ),
            ));
        }
        let (told, progress) = mpsc::channel(1);
        let (mut answer, found) = oneshot::channel();
        let bench = Bench {
            studies: self.clone(),
            model: in_force.model.clone(),
            policy: Arc::clone(&in_force.policy),
            asked,
        };
        tokio::spawn(async move {
            let outcome = tokio::select! {
                () = answer.closed() => return,
                outcome = bench.study(told) => outcome,
            };
            let _nobody_waits = answer.send(outcome);
        });
        Ok(ThresholdStudy { progress, found })
    }
}

/// One study, and what it is made with.
struct Bench {
    studies: ThresholdStudies,
    model: ModelName,
    policy: Arc<Policy>,
    asked: ThresholdQuestion,
}

impl Bench {
    async fn study(&self, told: mpsc::Sender<u64>) -> Result<ThresholdsFound, Refusal> {
        let truth = self.truth().await?;
        let gathered = Gathered::new(self.asked.labels.clone(), truth);
        let gathered = Arc::new(Mutex::new(gathered));
        let mut scan = self.studies.records.scan_decisions(self.asked.since, self.asked.until);
        let mut read = 0;
        while let Some(group) = scan.next().await? {
            read += group.len() as u64;
            let counted = group.into_iter().filter(|recorded| self.counts(recorded));
            let group = Arc::new(counted.collect::<Vec<_>>());
            self.on_core(&gathered, move |gathered| gathered.add_all(&group))
                .await?;
            // Whoever looks at the progress seldom looks at the newest.
            let _is_behind = told.try_send(read);
        }
        let basis = lock(&gathered).basis(read).ok_or_else(|| self.nothing_on_record())?;
        let mut tradeoffs = Vec::with_capacity(self.asked.labels.len());
        for (number, label) in self.asked.labels.iter().enumerate() {
            let now = self.policy.thresholds(label, self.asked.country, now());
            tradeoffs.push(self.tradeoff(&gathered, (number, label), now).await?);
        }
        Ok(ThresholdsFound { basis, tradeoffs })
    }

    /// Whether it is what is known of its product; where a version is named, what that said of it, even where a caller had named it too.
    fn counts(&self, recorded: &Recorded) -> bool {
        let decision = &recorded.decision;
        let by_version = match self.asked.version {
            Some(version) => decision.version == version,
            None => recorded.counts,
        };
        by_version && decision.model == self.model && recorded.origin == Origin::Judged
    }

    async fn tradeoff(
        &self,
        gathered: &Arc<Mutex<Gathered>>,
        (number, label): (usize, &Label),
        now: Option<Thresholds>,
    ) -> Result<(Tradeoff, Option<Named>), Refusal> {
        let (policy, label) = (Arc::clone(&self.policy), label.clone());
        let (moved, goal) = (self.asked.moved, self.asked.goal);
        let work = move |gathered: &mut Gathered| {
            let evidence = gathered.evidence(number);
            let tradeoff = policy.tradeoff(&label, moved, now, &evidence);
            let named = goal.map(|goal| tradeoff.named(goal));
            (tradeoff, named)
        };
        self.on_core(gathered, work).await
    }

    /// What people said of labels, and did not take back.
    async fn truth(&self) -> Result<Truth, Refusal> {
        let mut truth = Truth::default();
        let mut query = CorrectionQuery {
            limit: PAGE,
            ..CorrectionQuery::default()
        };
        loop {
            let page = self.studies.records.corrections(&query).await?;
            for correction in page.items.iter().filter(|correction| correction.revoked.is_none()) {
                if let CorrectionKind::WrongLabel { label, present } = &correction.kind
                    && let Some(number) = self.asked.labels.iter().position(|asked| asked == label)
                {
                    truth.hear(correction, number, *present);
                }
            }
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(truth);
            }
        }
    }

    /// Runs work on a background thread.
    async fn on_core<T: Send + 'static>(
        &self,
        gathered: &Arc<Mutex<Gathered>>,
        work: impl FnOnce(&mut Gathered) -> T + Clone + Send + Sync + 'static,
    ) -> Result<T, Refusal> {
        let gathered = Arc::clone(gathered);
        let job = move || work.clone()(&mut lock(&gathered));
        let done = self.studies.cores.run_behind(job).await;
        done.map_err(|why| Refusal::unavailable(why.to_string()))
    }

    fn nothing_on_record(&self) -> Refusal {
        let by = self
            .asked
            .version
            .map(|version| format!(" by version {version}"))
            .unwrap_or_default();
        Refusal::not_found(format!(
            "no decision of {}{by} on a picture is on record in that time: have products judged first (`vigie classify --catalogue`), or ask about a longer time",
            self.model
        ))
    }
}

fn lock(gathered: &Mutex<Gathered>) -> MutexGuard<'_, Gathered> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> Moment {
    SystemTime::now().into()
}
