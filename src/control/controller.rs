//! The loop of the control plane: look, bring up, appoint, record, publish, show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::bring_up::{AGAIN, BringUp, BroughtUp, Failure, Tuning};
use super::drafts::Drafts;
use super::guard::{Tried, try_out};
use super::handle::{Ask, Command, Control, ControllerEnds, control};
use super::kept::Kept;
use super::loads::{Loads, unknown};
use super::model::{ModelState, Start};
use super::show;
use super::versions::Loaded;
use super::view::VersionState;
use crate::base::{Digest, ModelName, PolicyVersion, Refusal, RevisionId, Version};
use crate::executor::CostCurve;
use crate::plan::{PlanPublisher, ServingPlan};
use crate::repository::{Hint, Repository, Scan, prune};
use crate::store::{DataDirectory, Measured, ModelRecord, ServingRecord};
use crate::telemetry::{Metrics, ScanResult, Swap, SwapResult};

/// What the controller is made of.
pub struct ControllerParts {
    pub repository: Repository,
    pub hints: mpsc::Receiver<Hint>,
    pub data: Arc<DataDirectory>,
    pub publisher: PlanPublisher,
    pub bring_up: BringUp,
    /// Tries policies that changed.
    pub drafts: Drafts,
    pub metrics: Metrics,
    /// How often the repository is looked at without a hint.
    pub rescan: Duration,
    pub default_model: Option<ModelName>,
    /// Revisions that are kept though nobody serves from them any more.
    pub keep_revisions: usize,
}

/// The control plane's one task.
pub struct Controller {
    repository: Option<Repository>,
    hints: mpsc::Receiver<Hint>,
    data: Arc<DataDirectory>,
    kept: Kept,
    /// What was measured of revisions, and on what.
    measured: Measured<CostCurve>,
    machine: String,
    newly_measured: Vec<(RevisionId, CostCurve)>,
    publisher: PlanPublisher,
    bring_up: BringUp,
    drafts: Drafts,
    metrics: Metrics,
    rescan: Duration,
    default_model: Option<ModelName>,
    ends: ControllerEnds,
    record: ServingRecord,
    models: BTreeMap<ModelName, ModelState>,
    unloaded: BTreeSet<ModelName>,
    tasks: JoinSet<Finished>,
    trials: JoinSet<Tried>,
    loads: Loads,
    look_again: Option<Instant>,
}

/// A revision that came up, or did not.
struct Finished {
    model: ModelName,
    version: Version,
    revision: RevisionId,
    content: Option<Digest>,
    outcome: Result<BroughtUp, Failure>,
    began: Instant,
}

impl Controller {
    /// Makes the controller and its handle. The record tells what serves.
    pub fn new(parts: ControllerParts, record: ServingRecord) -> (Self, Control) {
        let (handle, ends) = control();
        let controller = Self {
            repository: Some(parts.repository),
            hints: parts.hints,
            measured: Measured::load(&parts.data),
            kept: Kept::load(&parts.data, parts.keep_revisions),
            machine: parts.bring_up.machine(),
            newly_measured: Vec::new(),
            data: parts.data,
            publisher: parts.publisher,
            bring_up: parts.bring_up,
            drafts: parts.drafts,
            metrics: parts.metrics,
            rescan: parts.rescan,
            default_model: parts.default_model,
            ends,
            record,
            models: BTreeMap::new(),
            unloaded: BTreeSet::new(),
            tasks: JoinSet::new(),
            trials: JoinSet::new(),
            loads: Loads::default(),
            look_again: None,
        };
        (controller, handle)
    }

    /// Runs until the token is cancelled.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let began = Instant::now();
            let scan = self.scan().await;
            let took = began.elapsed();
            let result = match scan.map(|scan| self.step(scan)) {
                Some(true) => ScanResult::Changed,
                Some(false) => ScanResult::Unchanged,
                None => ScanResult::Failed,
            };
            self.metrics.scan(result, took);
            tokio::select! {
                () = self.something_happens() => {}
                () = stop.cancelled() => {}
            }
        }
        self.tasks.shutdown().await;
        self.trials.shutdown().await;
    }

    /// Looks at the repository on a thread that may block. None where it could not be looked at: then all stays as it is.
    async fn scan(&mut self) -> Option<Scan> {
        self.look_again = None;
        let mut repository = self.repository.take()?;
        let scanning = tokio::task::spawn_blocking(move || {
            let scan = repository.scan(Instant::now());
            (repository, scan)
        });
        let (repository, scan) = scanning.await.expect("a scan neither panics nor is cancelled");
        self.repository = Some(repository);
        scan.inspect_err(|error| tracing::warn!(%error, "the repository cannot be looked at; everything serves on"))
            .ok()
    }

    /// Waits for whatever makes another look worthwhile.
    async fn something_happens(&mut self) {
        let now = Instant::now();
        let next = self
            .models
            .values()
            .filter_map(ModelState::next_look)
            .chain(self.look_again)
            .min();
        let wait = next
            .map_or(self.rescan, |at| at.saturating_duration_since(now))
            .min(self.rescan);
        tokio::select! {
            Some(finished) = self.tasks.join_next() => {
                if let Ok(finished) = finished {
                    self.note(finished);
                }
                while let Some(Ok(finished)) = self.tasks.try_join_next() {
                    self.note(finished);
                }
            }
            Some(tried) = self.trials.join_next() => {
                if let Ok(tried) = tried
                    && let Some(state) = self.models.get_mut(&tried.model)
                {
                    state.guard.note(tried);
                }
            }
            Some(command) = self.ends.commands.recv() => self.obey(command),
            Some(hint) = self.hints.recv() => {
                self.take_hint(&hint);
                while let Ok(hint) = self.hints.try_recv() {
                    self.take_hint(&hint);
                }
            }
            () = tokio::time::sleep(wait) => {}
        }
    }

    fn take_hint(&mut self, hint: &Hint) {
        if hint.is_overflow {
            self.metrics.watch_overflow();
        }
        if let Some(repository) = &mut self.repository {
            repository.note(hint);
        }
    }

    fn note(&mut self, finished: Finished) {
        let Finished {
            model,
            version,
            revision,
            content,
            outcome,
            began,
        } = finished;
        let swap = |result, reason| Swap {
            model: &model,
            version,
            revision: Some(revision),
            result,
            reason,
            duration: began.elapsed(),
        };
        let state = self.models.entry(model.clone()).or_default();
        state.versions.loading.remove(&revision);
        match outcome {
            Ok(BroughtUp::Loaded {
                executor,
                manifest,
                content,
                golden_worst,
            }) => {
                self.metrics.golden_difference(&model, version, golden_worst);
                self.metrics.swap(&swap(SwapResult::Published, ""));
                let proven = BTreeSet::from([content]);
                self.newly_measured.push((revision, executor.curve().clone()));
                let loaded = Loaded {
                    executor,
                    manifest,
                    loaded_at: SystemTime::now(),
                    proven,
                };
                state.versions.note_loaded(revision, loaded);
            }
            Ok(BroughtUp::Proven) => {
                if let Some(content) = content {
                    state.versions.note_proven(revision, content);
                }
            }
            Err(failure) => {
                self.metrics.swap(&swap(failure.result(), failure.reason()));
                if let (Failure::Content(_), None) = (&failure, content) {
                    state.lose(revision);
                }
                let is_memory = matches!(failure, Failure::Memory(_));
                state.versions.note_failure(revision, content, failure, Instant::now());
                if is_memory {
                    self.give_up_previous();
                }
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Load(ask) => {
                self.unloaded.remove(&ask.model);
                self.loads.add(ask);
            }
            Command::ApplyPolicy { model, version, answer } => {
                let applied = self.apply_policy(&model, version);
                let _caller_left = answer.send(applied);
            }
            Command::Unload(Ask { model, answer, .. }) => {
                let known = self.models.contains_key(&model);
                if known {
                    // In force before it is acknowledged: taking out of service waits for no look at the repository.
                    self.unloaded.insert(model.clone());
                    self.publish();
                    self.show();
                }
                let _caller_left = answer.send(if known { Ok(()) } else { Err(unknown(&model)) });
            }
        }
    }

    fn apply_policy(&mut self, model: &ModelName, version: PolicyVersion) -> Result<(), Refusal> {
        let state = self.models.get_mut(model).ok_or_else(|| unknown(model))?;
        let before = state.policy.clone();
        state.apply_policy(version)?;
        show::policy_swap(&self.metrics, model, &before, &state.policy);
        self.put_in_force()?;
        self.show();
        Ok(())
    }

    /// One look taken in: bring up what is new, appoint, record, publish, show. True where anything is otherwise than before.
    fn step(&mut self, scan: Scan) -> bool {
        let now = Instant::now();
        self.look_again = scan.look_again.map(|span| now + span);
        for refused in &scan.refused {
            tracing::debug!(path = %refused.path.display(), reason = %refused.reason, "refused in the repository");
        }
        self.take_in(scan, now);
        self.start_what_is_new(now);
        // Why it was not, if it was not, is in the log: the next look tries again.
        let _not_recorded = self.put_in_force();
        let is_changed = self.show();
        self.loads.answer(&self.models, &self.ends.view.borrow().clone());
        self.keep_measured();
        is_changed
    }

    /// Appoints, records, publishes.
    ///
    /// # Errors
    /// What shall serve cannot be recorded: then what is recorded serves.
    fn put_in_force(&mut self) -> Result<(), Refusal> {
        let before = self.record.clone();
        let record = self.appointed();
        if record == before {
            self.publish();
            return Ok(());
        }
        let at = SystemTime::now();
        let models = show::changed_models(&before, &record);
        let span = info_span!("swap", models = show::names(&models));
        self.loads.under_asker(&span, |asked| models.contains(asked));
        let _entered = span.enter();
        let saved = record.save(&self.data);
        match &saved {
            Ok(()) => self.take_over(record),
            Err(error) => tracing::error!(%error, "what shall serve cannot be recorded, so nothing is changed"),
        }
        self.publish();
        show::swaps(&self.metrics, &before, &self.record);
        show::history(&self.data, (&before, &self.record), at);
        saved.map_err(|error| Refusal::unavailable(format!("it cannot be recorded, so nothing is changed: {error}")))
    }

    fn take_over(&mut self, record: ServingRecord) {
        let none = ModelRecord::default();
        for (name, after) in &record.models {
            if let Some(state) = self.models.get_mut(name) {
                state.note_swap(self.record.models.get(name).unwrap_or(&none), after);
            }
        }
        self.record = record;
    }

    /// Keeps what was measured of new revisions for the next start. Writes to the disk, so it comes after whatever somebody waits for.
    fn keep_measured(&mut self) {
        for (revision, curve) in std::mem::take(&mut self.newly_measured) {
            let loaded = self.models.values().flat_map(|state| state.versions.loaded.keys());
            let of: BTreeSet<RevisionId> = loaded.copied().collect();
            self.measured.keep(&self.data, revision, &self.machine, curve, &of);
        }
    }

    /// Gives up the revisions that were live before, so that there is memory for one on its way.
    fn give_up_previous(&mut self) {
        for (model, state) in &mut self.models {
            if state.give_up_previous() {
                tracing::info!(%model, "the previous revision is given up: its memory is needed");
            }
        }
    }

    /// After a plan was published: lets go of what nobody needs any more, and shows what is.
    fn show(&mut self) -> bool {
        self.let_go();
        let view = Arc::new(show::view(&self.models, &self.record, &self.unloaded));
        show::gauges(&self.metrics, &view);
        let before = self.ends.view.send_replace(Arc::clone(&view));
        before != view
    }

    fn take_in(&mut self, mut scan: Scan, now: Instant) {
        for name in scan.models.keys() {
            self.models.entry(name.clone()).or_default();
        }
        for (name, state) in &mut self.models {
            let none = ModelRecord::default();
            let record = self.record.models.get(name).unwrap_or(&none);
            let before = state.policy.clone();
            state.look(name, scan.models.remove(name), record, &self.data, now);
            show::policy_swap(&self.metrics, name, &before, &state.policy);
            if let Some(trial) = state.trial(now) {
                self.trials.spawn(try_out(self.drafts.clone(), name.clone(), trial));
            }
        }
    }

    fn start_what_is_new(&mut self, now: Instant) {
        for (name, state) in &mut self.models {
            if self.unloaded.contains(name) {
                continue;
            }
            let record = self.record.models.get(name).cloned().unwrap_or_default();
            for Start {
                version,
                revision,
                content,
                origin,
            } in state.starts(&record, now)
            {
                let (phase, watched) = watch::channel(VersionState::Loading);
                state.versions.loading.insert(revision, watched);
                let (bring_up, model) = (self.bring_up.clone(), name.clone());
                let wish = state.wish();
                let measured = self.measured.of(&revision, &self.machine);
                let measured = measured.filter(|curve| curve.covers(&wish)).cloned();
                let tuning = Tuning { wish, measured };
                let span = info_span!("bring_up", %model, %version, %revision);
                self.loads.under_asker(&span, |asked| asked == name);
                let task = async move {
                    let outcome = bring_up.run((model.clone(), version), origin, tuning, phase).await;
                    Finished {
                        model,
                        version,
                        revision,
                        content,
                        outcome,
                        began: now,
                    }
                };
                self.tasks.spawn(task.instrument(span));
            }
        }
    }

    fn appointed(&self) -> ServingRecord {
        let mut record = ServingRecord::default();
        for (name, state) in &self.models {
            let before = self.record.models.get(name).cloned().unwrap_or_default();
            let after = if self.unloaded.contains(name) {
                before
            } else {
                state.appoint(&before)
            };
            if !state.is_over() && after != ModelRecord::default() {
                record.models.insert(name.clone(), after);
            }
        }
        record
    }

    fn publish(&mut self) {
        let serving = self
            .models
            .iter()
            .filter(|(name, state)| !self.unloaded.contains(*name) && !state.is_over());
        let models = serving
            .map(|(name, state)| {
                let record = self.record.models.get(name).cloned().unwrap_or_default();
                let mut plan = state.plan(&record);
                plan.not_ready = show::not_ready(name, state, &plan);
                (name.clone(), Arc::new(plan))
            })
            .collect();
        let plan = ServingPlan {
            generation: 0,
            models,
            default_model: self.default_model.clone(),
        };
        self.publisher.publish(plan);
    }

    /// Lets go of what neither the plan nor the record needs.
    fn let_go(&mut self) {
        let mut keep: BTreeSet<RevisionId> = BTreeSet::new();
        let mut loading: BTreeSet<RevisionId> = BTreeSet::new();
        for (name, state) in &mut self.models {
            let record = self.record.models.get(name).cloned().unwrap_or_default();
            if self.unloaded.contains(name) {
                state.versions.loaded.clear();
                state.versions.waiting.clear();
            } else {
                state.retire(&record);
            }
            keep.extend(state.versions.loaded.keys());
            loading.extend(state.versions.loading.keys());
            keep.extend(
                [record.live, record.shadow]
                    .into_iter()
                    .flatten()
                    .map(|held| held.revision),
            );
        }
        self.models.retain(|_, state| !state.is_over());
        let beside = self.kept.beside(&keep, &self.data);
        keep.extend(loading.into_iter().chain(beside));
        if self.tasks.is_empty() {
            let pruned =
                prune(self.data.path(), &keep).and_then(|_| prune(&self.data.path().join(AGAIN), &BTreeSet::new()));
            if let Err(error) = pruned {
                tracing::warn!(%error, "sealed revisions that nobody needs cannot be removed");
            }
        }
    }
}
