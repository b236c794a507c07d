//! Every series of the process: its name, its buckets, its help.

use std::sync::atomic::AtomicU64;
use std::sync::{PoisonError, RwLock};

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::*;
use super::of_versions::{OfVersion, OfVersions, Versions};
use super::process::{Process, Readings};

/// From a tenth of a millisecond to ten seconds: an answer from memory up to a hopeless one.
const REQUEST_SECONDS: [f64; 18] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    10.0,
];
/// From ten microseconds: judging takes hardly more.
const STAGE_SECONDS: [f64; 16] = [
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0,
];
/// Sizes of batches.
const PICTURES_TOGETHER: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// Loading and proving a revision.
const SWAP_SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 120.0];
/// Writing a group of decisions: as long as the store is away.
const WRITE_SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 5.0, 60.0];
/// Looking at a repository.
const SCAN_SECONDS: [f64; 8] = [0.0005, 0.001, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0];

type TimedBy<L> = Family<L, Histogram, fn() -> Histogram>;
type Traced = HistogramWithExemplars<TraceLabels>;

/// Every series, and the registry that prints them.
#[derive(Debug)]
pub(super) struct Series {
    registry: Registry,
    pub readings: Readings,
    pub requests: OfVersions<RequestLabels, Traced>,
    pub stages: TimedBy<StageLabels>,
    pub together: Histogram,
    pub refused: Family<RefusalLabels, Counter>,
    pub verdicts: OfVersions<VerdictLabels, Counter>,
    pub pictures: OfVersions<PictureLabels, Counter>,
    pub repository: RwLock<Repository>,
    pub live: Family<ModelLabels, Gauge>,
    pub swaps: TimedBy<SwapLabels>,
    pub policy_swaps: Family<PolicySwapLabels, Counter>,
    pub golden: OfVersions<VersionLabels, Gauge<f64, AtomicU64>>,
    pub scans: TimedBy<ScanLabels>,
    pub overflows: Counter,
    pub shadow: OfVersions<ShadowLabels, Counter>,
    pub flips: OfVersions<FlipLabels, Counter>,
    pub tap_drops: Counter,
    pub records_written: Counter,
    pub records_lost: Counter,
    pub records_took: Histogram,
    pub exported: Family<ExportLabels, Counter>,
    pub runtime: Family<RuntimeLabels, Gauge>,
}

/// What is shown of the repository, made anew as a whole.
#[derive(Debug, Default)]
pub(super) struct Repository {
    pub versions: Family<StateLabels, Gauge>,
    pub settings: Family<SettingLabels, Gauge>,
    pub runs: Family<RunLabels, Gauge<f64, AtomicU64>>,
}

impl Series {
    /// All at zero.
    pub fn new() -> Self {
        let mut series = Self {
            registry: Registry::default(),
            readings: Readings::default(),
            requests: OfVersions::new(Family::new_with_constructor(|| {
                Traced::new(REQUEST_SECONDS.into_iter())
            })),
            stages: Family::new_with_constructor(|| Histogram::new(STAGE_SECONDS)),
            together: Histogram::new(PICTURES_TOGETHER),
            refused: Family::default(),
            verdicts: counted(),
            pictures: counted(),
            repository: RwLock::default(),
            live: Family::default(),
            swaps: Family::new_with_constructor(|| Histogram::new(SWAP_SECONDS)),
            policy_swaps: Family::default(),
            golden: counted(),
            scans: Family::new_with_constructor(|| Histogram::new(SCAN_SECONDS)),
            overflows: Counter::default(),
            shadow: counted(),
            flips: counted(),
            tap_drops: Counter::default(),
            records_written: Counter::default(),
            records_lost: Counter::default(),
            records_took: Histogram::new(WRITE_SECONDS),
            exported: Family::default(),
            runtime: Family::default(),
        };
        series.register_requests();
        series.register_what_is_observed();
        series.register_changes();
        series.register_the_process();
        for reason in RefusalReason::ALL {
            drop(series.refused.get_or_create(&RefusalLabels { reason: *reason }));
        }
        series
    }

    /// Lets go of what versions did that are gone.
    pub fn keep(&self, present: &Versions) {
        self.requests.keep(present);
        self.verdicts.keep(present);
        self.pictures.keep(present);
        self.golden.keep(present);
        self.shadow.keep(present);
        self.flips.keep(present);
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let _whole = self.repository.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing to a text does not fail");
        text
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        let grpc = registry.sub_registry_with_prefix("vigie_grpc");
        grpc.register_with_unit(
            "request_duration",
            "Time to the answer of a call, by its status",
            Unit::Seconds,
            self.requests.family.clone(),
        );
        let serving = registry.sub_registry_with_prefix("vigie_serving");
        serving.register_with_unit(
            "stage_duration",
            "Time in a stage of a request",
            Unit::Seconds,
            self.stages.clone(),
        );
        serving.register(
            "run_together",
            "Pictures that a picture was run together with, itself among them",
            self.together.clone(),
        );
        serving.register("refused", "Requests refused, by cause", self.refused.clone());
        serving.register(
            "pictures",
            "Pictures judged, by whether their scores were on record",
            self.pictures.family.clone(),
        );
        serving.register(
            "verdicts",
            "Verdicts given, one a country",
            self.verdicts.family.clone(),
        );
    }

    fn register_what_is_observed(&mut self) {
        let registry = &mut self.registry;
        let observe = registry.sub_registry_with_prefix("vigie_observe");
        observe.register(
            "shadow_judged",
            "Offers to the shadow, by what came of them",
            self.shadow.family.clone(),
        );
        observe.register(
            "shadow_flips",
            "Verdicts that differ between live and candidate, one a country",
            self.flips.family.clone(),
        );
        let tap = registry.sub_registry_with_prefix("vigie_tap");
        tap.register(
            "dropped",
            "Decisions that found no place in the tap",
            self.tap_drops.clone(),
        );
        let records = registry.sub_registry_with_prefix("vigie_records");
        records.register("written", "Decisions put on record", self.records_written.clone());
        records.register(
            "lost",
            "Decisions that were answered and did not go on record",
            self.records_lost.clone(),
        );
        records.register_with_unit(
            "write_duration",
            "Time to put a group of decisions on record",
            Unit::Seconds,
            self.records_took.clone(),
        );
    }

    fn register_changes(&mut self) {
        let shown = self.repository.get_mut().unwrap_or_else(PoisonError::into_inner);
        let registry = &mut self.registry;
        let executor = registry.sub_registry_with_prefix("vigie_executor");
        executor.register(
            "setting",
            "How a loaded version is run: threads a run, sessions, pictures run together at most",
            shown.settings.clone(),
        );
        executor.register_with_unit(
            "run_cost",
            "What a run was measured to take when the version came, by its size",
            Unit::Seconds,
            shown.runs.clone(),
        );
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
        control.register("versions", "Versions by state", shown.versions.clone());
        control.register(
            "golden_difference_ratio",
            "The largest difference of a probability from its golden score",
            self.golden.family.clone(),
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

/// Series that begin at zero, broken down by version.
fn counted<L, M>() -> OfVersions<L, M>
where
    L: OfVersion + Clone + std::hash::Hash + Eq,
    M: Default,
{
    OfVersions::new(Family::new_with_constructor(M::default))
}
