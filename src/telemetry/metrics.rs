//! The metrics, as one typed method per happening.
//!
//! Names are `vigie_<room>_<what>_<unit>[_total]`. What a histogram counts is not counted a second time. Changes of state are logged
//! here too, so that a log line and its counter cannot disagree.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::exposition::plain;
use super::happenings::{FlipSeen, PolicySwap, RequestDone, SettingShown, ShadowDone, Swap, VersionCount};
use super::labels::*;
use super::series::Series;
use crate::base::{ModelName, Verdict, Version};

/// The metrics of the process. Cloning gives another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Series>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics at zero.
    pub fn new() -> Self {
        Self(Arc::new(Series::new()))
    }

    /// A request was answered.
    pub fn request(&self, done: &RequestDone<'_>) {
        let labels = RequestLabels {
            service: done.service,
            method: done.method,
            code: done.code,
            model: done.model.cloned(),
            version: done.version,
        };
        let trace = done.trace_id.map(|trace_id| TraceLabels {
            trace_id: trace_id.to_owned(),
        });
        self.0
            .requests
            .get_or_create(&labels)
            .observe(done.duration.as_secs_f64(), trace, None);
    }

    /// A stage of a request took so long.
    pub fn stage(&self, stage: Stage, duration: Duration) {
        self.0
            .stages
            .get_or_create(&StageLabels { stage })
            .observe(duration.as_secs_f64());
    }

    /// A picture was run together with so many, itself among them.
    pub fn run_together(&self, pictures: usize) {
        self.0.together.observe(pictures as f64);
    }

    /// A request was refused.
    pub fn refused(&self, reason: RefusalReason) {
        self.0.refused.get_or_create(&RefusalLabels { reason }).inc();
    }

    /// A version gave one country's verdict.
    pub fn verdict(&self, model: &ModelName, version: Version, verdict: Verdict) {
        let labels = VerdictLabels {
            model: model.clone(),
            version,
            verdict,
        };
        self.0.verdicts.get_or_create(&labels).inc();
    }

    /// A version judged a picture, from its scores on record or by looking.
    pub fn picture(&self, model: &ModelName, version: Version, known: bool) {
        let labels = PictureLabels {
            model: model.clone(),
            version,
            known: if known { "yes" } else { "no" },
        };
        self.0.pictures.get_or_create(&labels).inc();
    }

    /// The versions of the repository by state, and how those that are loaded are run: all of them, every time.
    pub fn versions(&self, counts: &[VersionCount], settings: &[SettingShown]) {
        let loaded = settings.iter().map(|setting| (setting.model.clone(), setting.version));
        self.0.keep(&loaded.collect());
        // One writer at a time, so that a scrape between clearing and setting is the only thing that can see less; it waits here instead.
        let shown = self.0.repository.write().unwrap_or_else(PoisonError::into_inner);
        shown.versions.clear();
        shown.settings.clear();
        shown.runs.clear();
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for VersionCount { model, state, count } in counts {
            let labels = StateLabels {
                model: model.clone(),
                state,
            };
            shown.versions.get_or_create(&labels).set(whole(*count));
        }
        for setting in settings {
            let (model, version) = (&setting.model, setting.version);
            let parts = [
                ("threads", setting.threads),
                ("sessions", setting.sessions),
                ("batch", setting.batch),
            ];
            for (what, value) in parts {
                let model = model.clone();
                let labels = SettingLabels { model, version, what };
                shown.settings.get_or_create(&labels).set(whole(value as u64));
            }
            for (threads, batch, took) in &setting.runs {
                let labels = RunLabels {
                    model: model.clone(),
                    version,
                    threads: *threads as u64,
                    batch: *batch as u64,
                };
                shown.runs.get_or_create(&labels).set(took.as_secs_f64());
            }
        }
    }

    /// The version that is live for a model; none where none is.
    pub fn live_version(&self, model: &ModelName, version: Option<Version>) {
        let labels = ModelLabels { model: model.clone() };
        match version {
            Some(version) => drop(self.0.live.get_or_create(&labels).set(version.get())),
            None => drop(self.0.live.remove(&labels)),
        }
    }

    /// A revision came, and serves or not. Logs it.
    pub fn swap(&self, swap: &Swap<'_>) {
        let Swap {
            model,
            version,
            result,
            reason,
            duration,
            ..
        } = *swap;
        let labels = SwapLabels {
            model: model.clone(),
            result,
        };
        self.0.swaps.get_or_create(&labels).observe(duration.as_secs_f64());
        let revision = swap.revision.map(|revision| revision.0.short()).unwrap_or_default();
        match result {
            SwapResult::Published => tracing::info!(%model, %version, revision, ?duration, "revision is serving"),
            SwapResult::Rejected => tracing::warn!(%model, %version, revision, reason, "revision is rejected"),
            SwapResult::Waiting => {
                tracing::warn!(%model, %version, revision, reason, "revision waits to be tried again")
            }
            SwapResult::Abandoned => {
                tracing::info!(%model, %version, revision, reason, "revision was replaced before it could serve")
            }
        }
    }

    /// A policy came, and judges or not. Logs it.
    pub fn policy_swap(&self, swap: &PolicySwap<'_>) {
        let PolicySwap {
            model, result, reason, ..
        } = *swap;
        self.0
            .policy_swaps
            .get_or_create(&PolicySwapLabels {
                model: model.clone(),
                result,
            })
            .inc();
        let policy = swap.policy.map(|policy| policy.0.short()).unwrap_or_default();
        match result {
            PolicySwapResult::Published => tracing::info!(%model, policy, "policy is judging"),
            PolicySwapResult::Rejected => tracing::warn!(%model, policy, reason, "policy is rejected"),
        }
    }

    /// How far a version's probabilities are from its golden scores at worst.
    pub fn golden_difference(&self, model: &ModelName, version: Version, worst: f64) {
        let labels = VersionLabels {
            model: model.clone(),
            version,
        };
        self.0.golden.get_or_create(&labels).set(worst);
    }

    /// The repository was looked at.
    pub fn scan(&self, result: ScanResult, duration: Duration) {
        self.0
            .scans
            .get_or_create(&ScanLabels { result })
            .observe(duration.as_secs_f64());
    }

    /// File events were lost, and a look at everything makes up for it.
    pub fn watch_overflow(&self) {
        self.0.overflows.inc();
    }

    /// The shadow judged, was shed or failed.
    pub fn shadow(&self, done: &ShadowDone<'_>) {
        let ShadowDone {
            model,
            candidate,
            outcome,
        } = *done;
        self.0
            .shadow
            .get_or_create(&ShadowLabels {
                model: model.clone(),
                candidate,
                outcome,
            })
            .inc();
    }

    /// The candidate's verdict differs in one country.
    pub fn flip(&self, flip: &FlipSeen<'_>) {
        let FlipSeen {
            model,
            candidate,
            direction,
            label,
            country,
        } = *flip;
        let labels = FlipLabels {
            model: model.clone(),
            candidate,
            direction,
            label: label.cloned(),
            country,
        };
        self.0.flips.get_or_create(&labels).inc();
    }

    /// Decisions were put on record together.
    pub fn records_written(&self, decisions: u64, took: Duration) {
        self.0.records_written.inc_by(decisions);
        self.0.records_took.observe(took.as_secs_f64());
    }

    /// Decisions were answered and did not go on record.
    pub fn records_lost(&self, decisions: u64) {
        self.0.records_lost.inc_by(decisions);
    }

    /// A decision found no place in the tap.
    pub fn tap_dropped(&self) {
        self.0.tap_drops.inc();
    }

    /// Which ONNX Runtime is loaded.
    pub fn runtime_loaded(&self, version: &str) {
        let labels = RuntimeLabels {
            onnxruntime: version.to_owned(),
        };
        self.0.runtime.get_or_create(&labels).set(1);
    }

    /// Spans left for the collector, or did not.
    pub(super) fn spans_exported(&self, result: &'static str, count: u64) {
        self.0.exported.get_or_create(&ExportLabels { result }).inc_by(count);
    }

    /// A value that is read at each scrape, as a queue's depth is. Naming the same series again replaces its reading.
    ///
    /// `name` is the whole name, `vigie_executor_queue_jobs`; the reading must not block.
    pub fn reading(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &'static [(&'static str, &'static str)],
        read: impl Fn() -> f64 + Send + Sync + 'static,
    ) {
        self.0.readings.set(name, help, labels, Box::new(read));
    }

    /// Everything in the OpenMetrics text format, exemplars included (`application/openmetrics-text; version=1.0.0`).
    pub fn encode_openmetrics(&self) -> String {
        self.0.encode()
    }

    /// Everything in the older Prometheus text format (`text/plain; version=0.0.4`), for scrapers and people that ask for no other.
    pub fn encode_plain(&self) -> String {
        plain(&self.encode_openmetrics())
    }
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
