//! Shows what the controller knows: the view for callers, reasons for the plan, numbers for the metrics.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use super::model::ModelState;
use super::policies::PolicyInForce;
use super::versions::Loaded;
use super::view::{ExecutionView, ModelView, PolicyWaits, RepositoryView, VersionState, VersionView};
use crate::base::{ModelName, PolicyVersion, RevisionId, Version};
use crate::plan::ModelPlan;
use crate::repository::{Candidate, VersionFound};
use crate::store::{Appointed, DataDirectory, ModelRecord, ServingChange, ServingRecord};
use crate::telemetry::{Metrics, PolicySwap, PolicySwapResult, SettingShown, VersionCount};

/// The view of everything.
pub(super) fn view(
    models: &BTreeMap<ModelName, ModelState>,
    record: &ServingRecord,
    unloaded: &BTreeSet<ModelName>,
) -> RepositoryView {
    let mut view = RepositoryView {
        looked: true,
        ..RepositoryView::default()
    };
    for (name, state) in models {
        let none = ModelRecord::default();
        let record = record.models.get(name).unwrap_or(&none);
        view.models.push(ModelView {
            name: name.clone(),
            policy_version: state.policy.policy.as_ref().map(|policy| policy.version()),
            waits: waits(&state.policy),
            lacks_policy: state.policy.policy.is_none() && state.policy.problem.is_some(),
            problems: state.problems.clone(),
        });
        let rows = ModelRows {
            name,
            state,
            record,
            unloaded: unloaded.contains(name),
        };
        view.versions.extend(rows.rows());
    }
    view
}

fn waits(of: &PolicyInForce) -> Option<PolicyWaits> {
    let policy = of.waits.as_ref()?;
    Some(PolicyWaits {
        version: policy.version(),
        text: policy.text().into(),
        why: of.problem.clone().unwrap_or_default(),
    })
}

struct ModelRows<'a> {
    name: &'a ModelName,
    state: &'a ModelState,
    record: &'a ModelRecord,
    unloaded: bool,
}

impl ModelRows<'_> {
    /// A row for each version as the disk has it, and one for each revision that serves although the disk has another.
    fn rows(&self) -> Vec<VersionView> {
        let mut rows: Vec<VersionView> = self
            .state
            .found
            .iter()
            .map(|(version, found)| self.found(*version, found))
            .collect();
        for held in [self.record.live, self.record.shadow].into_iter().flatten() {
            let shown = rows
                .iter()
                .any(|row| row.version == held.version && row.revision == Some(held.revision));
            if !shown && !self.unloaded {
                rows.push(self.held(held));
            }
        }
        rows.sort_by_key(|row| (row.version, !row.live));
        rows
    }

    fn found(&self, version: Version, found: &VersionFound) -> VersionView {
        match found {
            VersionFound::Incomplete { reason } => self.row(version, None, VersionState::Incomplete, reason),
            VersionFound::Waiting { reason } => self.row(version, None, VersionState::Waiting, reason),
            VersionFound::Rejected { reason, .. } => self.row(version, None, VersionState::Rejected, reason),
            VersionFound::Complete(candidate) => {
                let (state, reason) = self.complete(version, candidate);
                let mut row = self.row(version, Some(candidate.revision), state, &reason);
                if let Some(manifest) = &candidate.manifest {
                    row.labels = manifest.head.labels().to_vec();
                    row.metadata = metadata(&manifest.provenance);
                }
                row
            }
        }
    }

    fn complete(&self, version: Version, candidate: &Candidate) -> (VersionState, String) {
        let versions = &self.state.versions;
        if self.unloaded {
            return (
                VersionState::Retired,
                "unloaded by request; load it to have it back".into(),
            );
        }
        if !self.state.candidates().contains_key(&version) {
            return (
                VersionState::Retired,
                "not among the versions that the model serves (model.toml)".into(),
            );
        }
        if let Some(reason) = versions.rejected.get(&candidate.content) {
            return (
                VersionState::Rejected,
                format!("{reason} (content {})", candidate.content.short()),
            );
        }
        if let Some(loaded) = versions.loaded.get(&candidate.revision) {
            let executor = &loaded.executor;
            let objection = executor.curve().objection(&self.state.wish(), &executor.setting());
            return (VersionState::Ready, objection.unwrap_or_default());
        }
        if let Some(phase) = versions.loading.get(&candidate.revision) {
            return (*phase.borrow(), String::new());
        }
        match versions.waiting.get(&candidate.revision) {
            Some(waiting) => (VersionState::Waiting, waiting.reason.clone()),
            None => (VersionState::Loading, String::new()),
        }
    }

    /// A revision that serves from its sealed copy while its version's files are others, or gone.
    fn held(&self, held: Appointed) -> VersionView {
        let Some(loaded) = self.state.versions.loaded.get(&held.revision) else {
            let waiting = self.state.versions.waiting.get(&held.revision);
            let reason = waiting
                .map(|waiting| waiting.reason.as_str())
                .unwrap_or("comes back from its sealed copy");
            let state = if waiting.is_some() {
                VersionState::Waiting
            } else {
                VersionState::Loading
            };
            return self.row(held.version, Some(held.revision), state, reason);
        };
        let reason = "its files have changed; it serves from its sealed copy";
        let mut row = self.row(held.version, Some(held.revision), VersionState::Ready, reason);
        if let Some(manifest) = &loaded.manifest {
            row.labels = manifest.head.labels().to_vec();
            row.metadata = metadata(&manifest.provenance);
        }
        row
    }

    fn row(&self, version: Version, revision: Option<RevisionId>, state: VersionState, reason: &str) -> VersionView {
        let holds = |role: Option<Appointed>| {
            state == VersionState::Ready
                && role.is_some_and(|held| held.version == version && Some(held.revision) == revision)
        };
        let loaded: Option<&Loaded> = revision.and_then(|revision| self.state.versions.loaded.get(&revision));
        VersionView {
            model: self.name.clone(),
            version,
            revision,
            state,
            reason: reason.to_owned(),
            live: holds(self.record.live),
            shadow: holds(self.record.shadow),
            canary_share: 0.0,
            loaded_at: loaded.map(|loaded| loaded.loaded_at),
            execution: loaded.map(|loaded| ExecutionView {
                aim: self.state.wish().aim,
                setting: loaded.executor.setting(),
                curve: loaded.executor.curve().clone(),
            }),
            labels: Vec::new(),
            metadata: BTreeMap::new(),
        }
    }
}

fn metadata(provenance: &toml::Table) -> BTreeMap<String, String> {
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    provenance
        .iter()
        .map(|(key, value)| (key.clone(), text(value)))
        .collect()
}

/// Why versions that exist cannot serve, for whoever names one.
pub(super) fn not_ready(name: &ModelName, state: &ModelState, plan: &ModelPlan) -> BTreeMap<Version, String> {
    let record = ModelRecord::default();
    let rows = ModelRows {
        name,
        state,
        record: &record,
        unloaded: false,
    }
    .rows();
    let missing = rows.into_iter().filter(|row| !plan.versions.contains_key(&row.version));
    missing
        .map(|row| {
            (
                row.version,
                format!("{} {}", row.state.as_str(), row.reason).trim_end().to_owned(),
            )
        })
        .collect()
}

/// The models whose record changes.
pub(super) fn changed_models<'a>(before: &'a ServingRecord, after: &'a ServingRecord) -> BTreeSet<&'a ModelName> {
    let names: BTreeSet<&ModelName> = before.models.keys().chain(after.models.keys()).collect();
    let changed = |name: &&ModelName| before.models.get(*name) != after.models.get(*name);
    names.into_iter().filter(changed).collect()
}

/// Names for a span.
pub(super) fn names(models: &BTreeSet<&ModelName>) -> String {
    models.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(",")
}

/// Tells of each change of what serves, in the log and in the metrics.
pub(super) fn swaps(metrics: &Metrics, before: &ServingRecord, after: &ServingRecord) {
    let none = ModelRecord::default();
    for (model, now) in &after.models {
        let was = before.models.get(model).unwrap_or(&none);
        if was.live != now.live {
            tracing::info!(%model, from = text(was.live), to = text(now.live), "the live revision changed");
        }
        if was.shadow != now.shadow {
            tracing::info!(%model, from = text(was.shadow), to = text(now.shadow), "the shadow changed");
        }
        metrics.live_version(model, now.live.map(|live| live.version));
    }
}

/// Tells of a policy that came into force, and of one that was refused: once each.
pub(super) fn policy_swap(metrics: &Metrics, model: &ModelName, before: &PolicyInForce, now: &PolicyInForce) {
    let version = |policy: &PolicyInForce| policy.policy.as_ref().map(|policy| policy.version());
    let swap = |policy, result, reason| {
        metrics.policy_swap(&PolicySwap {
            model,
            policy,
            result,
            reason,
        });
    };
    if version(now).is_some() && version(now) != version(before) {
        swap(version(now), PolicySwapResult::Published, "");
    }
    if let Some(refused) = now.refused.filter(|refused| before.refused != Some(*refused)) {
        let reason = now.problem.as_deref().unwrap_or_default();
        swap(Some(PolicyVersion(refused)), PolicySwapResult::Rejected, reason);
    }
}

fn text(held: Option<Appointed>) -> String {
    held.map_or_else(
        || "none".into(),
        |held| format!("{} ({})", held.version, held.revision.0.short()),
    )
}

/// Sets the gauges of versions by state.
pub(super) fn gauges(metrics: &Metrics, view: &RepositoryView) {
    let mut counts: BTreeMap<(&ModelName, &'static str), u64> = BTreeMap::new();
    for version in &view.versions {
        *counts.entry((&version.model, version.state.as_str())).or_default() += 1;
    }
    let counts: Vec<VersionCount> = counts
        .into_iter()
        .map(|((model, state), count)| VersionCount {
            model: model.clone(),
            state,
            count,
        })
        .collect();
    let shown = |version: &VersionView| {
        let ExecutionView { setting, curve, .. } = version.execution.as_ref()?;
        let runs = curve
            .points
            .iter()
            .map(|point| (point.threads, point.batch, point.took));
        Some(SettingShown {
            model: version.model.clone(),
            version: version.version,
            threads: setting.threads,
            sessions: setting.sessions,
            batch: setting.batch,
            runs: runs.collect(),
        })
    };
    let settings: Vec<SettingShown> = view.versions.iter().filter_map(shown).collect();
    metrics.versions(&counts, &settings);
}

/// Adds what changed to the history of what served.
pub(super) fn history(data: &DataDirectory, (before, after): (&ServingRecord, &ServingRecord), at: SystemTime) {
    let changes = ServingChange::between(before, after, at.into());
    if let Err(error) = data.note_served(&changes) {
        tracing::warn!(%error, "the history of what served misses a change");
    }
}
