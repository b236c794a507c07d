//! The metrics, as one typed method per happening.
//!
//! Names are `vigie_<room>_<what>_<unit>[_total]`. What a histogram counts is not counted a second time. Changes of state are logged
//! here too, so that a log line and its counter cannot disagree.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::*;
use super::process::{Process, Readings};
use crate::base::{CountryCode, Label, ModelName, PolicyVersion, RevisionId, Verdict, Version};

/// From a tenth of a millisecond to ten seconds: an answer from memory up to a hopeless one.
const REQUEST_SECONDS: [f64; 18] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0,
];
/// From ten microseconds: judging takes hardly more.
const STAGE_SECONDS: [f64; 16] = [
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];
/// Loading and proving a revision.
const SWAP_SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0];
/// Looking at a repository.
const SCAN_SECONDS: [f64; 8] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

/// A request that has been answered, well or not.
#[derive(Debug, Clone, Copy)]
pub struct RequestDone<'a> {
    /// The service's full name: `vigie.v1.AdSafety`.
    pub service: &'static str,
    pub method: &'static str,
    /// The status: `OK`, `NOT_FOUND`, …
    pub code: &'static str,
    /// Only a model that exists: a name that a caller made up must not become a series.
    pub model: Option<&'a ModelName>,
    /// The version that answered.
    pub version: Option<Version>,
    pub duration: Duration,
    /// Put beside the histogram's bucket, so that a slow request leads to its trace.
    pub trace_id: Option<&'a str>,
}

/// The coming of a revision, however it ended.
#[derive(Debug, Clone, Copy)]
pub struct Swap<'a> {
    pub model: &'a ModelName,
    pub version: Version,
    pub revision: Option<RevisionId>,
    pub result: SwapResult,
    /// Why it did not serve; empty where it does.
    pub reason: &'a str,
    /// From the moment it was found whole.
    pub duration: Duration,
}

/// The coming of a policy, however it ended.
#[derive(Debug, Clone, Copy)]
pub struct PolicySwap<'a> {
    pub model: &'a ModelName,
    pub policy: Option<PolicyVersion>,
    pub result: PolicySwapResult,
    /// What is wrong with it; empty where it judges.
    pub reason: &'a str,
}

/// One offer to the shadow.
#[derive(Debug, Clone, Copy)]
pub struct ShadowDone<'a> {
    pub model: &'a ModelName,
    pub candidate: Version,
    pub outcome: ShadowOutcome,
}

/// One country in which the candidate's verdict differs.
#[derive(Debug, Clone, Copy)]
pub struct FlipSeen<'a> {
    pub model: &'a ModelName,
    pub candidate: Version,
    pub direction: Direction,
    /// The label that the difference hangs on, where it hangs on one.
    pub label: Option<&'a Label>,
    pub country: CountryCode,
}

/// How many versions of a model are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCount {
    pub model: ModelName,
    /// `READY`, `REJECTED`, …
    pub state: &'static str,
    pub count: u64,
}

/// The metrics of the process. Cloning gives another handle on the same ones.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

type TimedBy<L> = Family<L, Histogram, fn() -> Histogram>;
type Traced = HistogramWithExemplars<TraceLabels>;

#[derive(Debug)]
struct Inner {
    registry: Registry,
    readings: Readings,
    requests: Family<RequestLabels, Traced, fn() -> Traced>,
    stages: TimedBy<StageLabels>,
    refused: Family<RefusalLabels, Counter>,
    verdicts: Family<VerdictLabels, Counter>,
    versions: RwLock<Family<StateLabels, Gauge>>,
    live: Family<ModelLabels, Gauge>,
    swaps: TimedBy<SwapLabels>,
    policy_swaps: Family<PolicySwapLabels, Counter>,
    golden: Family<VersionLabels, Gauge<f64, std::sync::atomic::AtomicU64>>,
    scans: TimedBy<ScanLabels>,
    overflows: Counter,
    shadow: Family<ShadowLabels, Counter>,
    flips: Family<FlipLabels, Counter>,
    tap_drops: Counter,
    exported: Family<ExportLabels, Counter>,
    runtime: Family<RuntimeLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Metrics at zero.
    pub fn new() -> Self {
        let mut inner = Inner {
            registry: Registry::default(),
            readings: Readings::default(),
            requests: Family::new_with_constructor(|| Traced::new(REQUEST_SECONDS.into_iter())),
            stages: Family::new_with_constructor(|| Histogram::new(STAGE_SECONDS)),
            refused: Family::default(),
            verdicts: Family::default(),
            versions: RwLock::default(),
            live: Family::default(),
            swaps: Family::new_with_constructor(|| Histogram::new(SWAP_SECONDS)),
            policy_swaps: Family::default(),
            golden: Family::default(),
            scans: Family::new_with_constructor(|| Histogram::new(SCAN_SECONDS)),
            overflows: Counter::default(),
            shadow: Family::default(),
            flips: Family::default(),
            tap_drops: Counter::default(),
            exported: Family::default(),
            runtime: Family::default(),
        };
        inner.register_requests();
        inner.register_changes();
        inner.register_the_process();
        for reason in RefusalReason::ALL {
            drop(inner.refused.get_or_create(&RefusalLabels { reason: *reason }));
        }
        Self(Arc::new(inner))
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

    /// The versions of the repository by state: all of them, every time.
    pub fn versions(&self, counts: &[VersionCount]) {
        // One writer at a time, so that a scrape between clearing and setting is the only thing that can see less; it waits here instead.
        let versions = self.0.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.clear();
        for VersionCount { model, state, count } in counts {
            let labels = StateLabels {
                model: model.clone(),
                state,
            };
            versions
                .get_or_create(&labels)
                .set(i64::try_from(*count).unwrap_or(i64::MAX));
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
        let _whole = self.0.versions.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        text::encode(&mut text, &self.0.registry).expect("writing to a text does not fail");
        text
    }

    /// Everything in the older Prometheus text format (`text/plain; version=0.0.4`), for scrapers and people that ask for no other.
    pub fn encode_plain(&self) -> String {
        plain(&self.encode_openmetrics())
    }
}

impl Inner {
    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        let grpc = registry.sub_registry_with_prefix("vigie_grpc");
        grpc.register_with_unit(
            "request_duration",
            "Time to the answer of a call, by its status",
            Unit::Seconds,
            self.requests.clone(),
        );
        let serving = registry.sub_registry_with_prefix("vigie_serving");
        serving.register_with_unit(
            "stage_duration",
            "Time in a stage of a request",
            Unit::Seconds,
            self.stages.clone(),
        );
        serving.register("refused", "Requests refused, by cause", self.refused.clone());
        serving.register("verdicts", "Verdicts given, one a country", self.verdicts.clone());
        let observe = registry.sub_registry_with_prefix("vigie_observe");
        observe.register(
            "shadow_judged",
            "Offers to the shadow, by what came of them",
            self.shadow.clone(),
        );
        observe.register(
            "shadow_flips",
            "Verdicts that differ between live and candidate, one a country",
            self.flips.clone(),
        );
        let tap = registry.sub_registry_with_prefix("vigie_tap");
        tap.register(
            "dropped",
            "Decisions that found no place in the tap",
            self.tap_drops.clone(),
        );
    }

    fn register_changes(&mut self) {
        let versions = self.versions.get_mut().unwrap_or_else(PoisonError::into_inner).clone();
        let registry = &mut self.registry;
        let control = registry.sub_registry_with_prefix("vigie_control");
        control.register_with_unit(
            "swap_duration",
            "Time from finding a revision whole to the end of its coming",
            Unit::Seconds,
            self.swaps.clone(),
        );
        control.register(
            "policy_swaps",
            "Policies that came, by how it ended",
            self.policy_swaps.clone(),
        );
        control.register("live_version", "The number of the live version", self.live.clone());
        control.register("versions", "Versions by state", versions);
        control.register(
            "golden_difference_ratio",
            "The largest difference of a probability from its golden score",
            self.golden.clone(),
        );
        let repository = registry.sub_registry_with_prefix("vigie_repository");
        repository.register_with_unit(
            "scan_duration",
            "Time of a look at the repository",
            Unit::Seconds,
            self.scans.clone(),
        );
        repository.register(
            "watch_overflows",
            "Times that file events were lost",
            self.overflows.clone(),
        );
    }

    fn register_the_process(&mut self) {
        let registry = &mut self.registry;
        let telemetry = registry.sub_registry_with_prefix("vigie_telemetry");
        telemetry.register(
            "exported_spans",
            "Spans sent to the collector, or lost",
            self.exported.clone(),
        );
        registry.register("vigie_runtime_info", "The ONNX Runtime in use", self.runtime.clone());
        let build = Family::<BuildLabels, Gauge>::default();
        build
            .get_or_create(&BuildLabels {
                version: env!("CARGO_PKG_VERSION"),
            })
            .set(1);
        registry.register("vigie_build_info", "The program", build);
        registry.register_collector(Box::new(self.readings.clone()));
        registry.register_collector(Box::new(Process));
    }
}

/// OpenMetrics without what only OpenMetrics has: exemplars, units and the end mark; and with counters named as their samples are.
fn plain(open: &str) -> String {
    let counters: Vec<&str> = open
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .collect();
    let mut text = String::with_capacity(open.len());
    for line in open.lines() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        let sample = if line.starts_with('#') {
            line
        } else {
            line.split_once(" # {").map_or(line, |(sample, _)| sample)
        };
        let mut words = sample.splitn(4, ' ');
        let renamed = match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(&name) => {
                Some(format!("# {what} {name}_total {rest}"))
            }
            _ => None,
        };
        text.push_str(renamed.as_deref().unwrap_or(sample));
        text.push('\n');
    }
    text
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
