//! Builds the house from its settings, from the ground up: data directory, runtime, cores, doors, planes.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::observing::{Ground, Observing, keeps_pictures};
use super::records::{OnDisk, show_ledger};
use super::serve::ServeError;
use crate::accounts::Accounts;
use crate::config::{Settings, WatchMode};
use crate::control::{BringUp, Control, Controller, ControllerParts};
use crate::engine::Runtime;
use crate::executor::{Cores, Lanes, MemoryBudget, ProofLimits, QueueLimits, Reaper, memory_for_revisions};
use crate::grpc::{GrpcParts, OnRecords};
use crate::http::Readiness;
use crate::ledger::Ledger;
use crate::observe::{Filled, Observe};
use crate::plan;
use crate::preprocess::PictureLimits;
use crate::repository::{self, Repository, RepositoryOptions, Watcher};
use crate::serving::{Serving, ServingLimits};
use crate::store::ServingRecord;
use crate::tap::Tap;
use crate::telemetry::Metrics;

/// What pictures on their way to observers may take of memory.
const TAP_MEMORY_BYTES: usize = 256 << 20;

/// The planes and what they stand on.
pub(super) struct House {
    pub serving: Serving,
    pub control: Control,
    pub observe: Observe,
    pub accounts: Accounts,
    pub metrics: Metrics,
    pub readiness: watch::Sender<Readiness>,
    /// How far the ledger is filled.
    pub filled: watch::Receiver<Filled>,
    on_records: OnRecords,
    cores: Cores,
    planes: Option<Planes>,
    /// Where they run.
    control_runtime: Handle,
    stop_planes: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
    /// Ends when everything that was decided is on record.
    recording: Option<JoinHandle<()>>,
    _watcher: Watcher,
    _reaper: Reaper,
}

/// The planes that run as tasks, before they are started.
struct Planes {
    controller: Controller,
    observing: Observing,
}

/// Builds everything that does not need the ports.
pub(super) fn build(
    settings: &Settings,
    metrics: Metrics,
    (lanes, control_runtime): (Lanes, Handle),
    disk: OnDisk,
) -> Result<House, ServeError> {
    let OnDisk { data, records, journal } = disk;
    let record = ServingRecord::load(&data)?;
    let accounts = accounts(settings)?;
    let runtime = runtime(settings, &metrics)?;
    let cores = Cores::start(lanes, queue_limits(settings))
        .map_err(|error| ServeError::System(format!("start the computing threads: {error}")))?;
    show_load(&metrics, &cores);
    let memory = memory(settings);
    show_memory(&metrics, &memory);
    let reaper = Reaper::start().map_err(|error| ServeError::System(format!("start the reaper's thread: {error}")))?;

    let ledger = Arc::new(Ledger::new());
    show_ledger(&metrics, &ledger);
    let (publisher, plan) = plan::channel();
    let mut tap = Tap::new(TAP_MEMORY_BYTES);
    let observe = Observe::new(settings.shadow.flips);
    let ground = Ground {
        cores: &cores,
        ledger: &ledger,
        plan: &plan,
        records: &records,
        observe: &observe,
        accounts: &accounts,
        metrics: &metrics,
    };
    let (observing, filled) = Observing::new(settings, &ground, &mut tap);
    let (repository, hints, watcher) = open_repository(settings)?;
    let data = Arc::new(data);
    let bring_up = bring_up(settings, data.path(), runtime, lanes, memory, reaper.clone())?;
    let on_records = ground.on_records(journal, Arc::clone(&data), bring_up.clone());
    let parts = ControllerParts {
        repository,
        hints,
        publisher,
        drafts: on_records.drafts.clone(),
        bring_up,
        data,
        metrics: metrics.clone(),
        rescan: settings.watch.rescan,
        default_model: settings.default_model.clone(),
        keep_revisions: settings.models.keep_revisions,
    };
    let (controller, control) = Controller::new(parts, record);
    Ok(House {
        control,
        observe,
        accounts,
        metrics,
        readiness: watch::channel(Readiness::default()).0,
        filled,
        on_records,
        serving: Serving::new(plan, cores.clone(), (ledger, Arc::new(tap)), serving_limits(settings)),
        cores,
        planes: Some(Planes { controller, observing }),
        control_runtime,
        stop_planes: CancellationToken::new(),
        tasks: Vec::new(),
        recording: None,
        _watcher: watcher,
        _reaper: reaper,
    })
}

fn accounts(settings: &Settings) -> Result<Accounts, ServeError> {
    match &settings.auth.accounts {
        Some(file) => Ok(Accounts::open(file)?),
        None => Ok(Accounts::off()),
    }
}

/// ONNX Runtime, and where it was found.
fn runtime(settings: &Settings, metrics: &Metrics) -> Result<(PathBuf, Arc<Runtime>), ServeError> {
    let library = Runtime::find_library(settings.runtime.library.as_deref())?;
    let runtime = Runtime::load(&library)?;
    metrics.runtime_loaded(runtime.version());
    Ok((library, Arc::new(runtime)))
}

/// What bringing revisions up needs.
fn bring_up(
    settings: &Settings,
    data: &Path,
    (library, runtime): (PathBuf, Arc<Runtime>),
    lanes: Lanes,
    memory: MemoryBudget,
    reaper: Reaper,
) -> Result<BringUp, ServeError> {
    Ok(BringUp {
        runtime,
        library,
        program: this_program()?,
        data: data.to_owned(),
        lanes,
        reaper,
        picture_limits: picture_limits(settings),
        known_bytes: settings.known.memory.bytes(),
        memory,
        proof: proof_limits(settings),
        measure: settings.proof.measure,
    })
}

impl House {
    /// The planes, for the gRPC port.
    pub fn grpc_parts(&self, ready: watch::Receiver<bool>) -> GrpcParts {
        GrpcParts {
            serving: self.serving.clone(),
            accounts: self.accounts.clone(),
            control: self.control.clone(),
            observe: self.observe.clone(),
            on_records: self.on_records.clone(),
            metrics: self.metrics.clone(),
            ready,
        }
    }

    /// Starts the planes: from now on the repository is looked at.
    pub fn start_planes(&mut self) {
        let Some(planes) = self.planes.take() else { return };
        let stop = &self.stop_planes;
        let on = &self.control_runtime;
        let (recording, observing) = planes.observing.start(on, stop);
        self.recording = Some(recording);
        // The first is waited for when they are stopped.
        self.tasks.push(on.spawn(planes.controller.run(stop.clone())));
        self.tasks.extend(observing);
        self.tasks
            .push(on.spawn(self.on_records.corrections.clone().bring(stop.clone())));
    }

    /// Stops the planes and then the computing threads, each within the time.
    pub async fn stop_planes(&mut self, within: Duration) {
        self.stop_planes.cancel();
        if let Some(controller) = self.tasks.first_mut()
            && tokio::time::timeout(within, controller).await.is_err()
        {
            tracing::warn!("the control plane did not end in time and is cut off");
        }
        for task in &self.tasks {
            task.abort();
        }
        if let Some(recording) = self.recording.take()
            && tokio::time::timeout(within, recording).await.is_err()
        {
            tracing::warn!("the last decisions were not written in time and are lost");
        }
        let cores = self.cores.clone();
        let closing = tokio::task::spawn_blocking(move || cores.close(within));
        match closing.await {
            Ok(true) => {}
            Ok(false) | Err(_) => tracing::warn!("the computing threads did not end in time and are cut off"),
        }
    }
}

fn open_repository(settings: &Settings) -> Result<(Repository, mpsc::Receiver<repository::Hint>, Watcher), ServeError> {
    let refused = |reason: String| ServeError::Repository {
        path: settings.repository.clone(),
        reason,
    };
    let options = RepositoryOptions {
        settle: settings.watch.settle,
        reject_after: settings.watch.reject_after,
    };
    let repository = Repository::open(&settings.repository, options).map_err(|error| refused(error.to_string()))?;
    let mode = match settings.watch.mode {
        WatchMode::Events => repository::WatchMode::Events,
        WatchMode::Poll => repository::WatchMode::Poll {
            every: settings.watch.poll,
        },
    };
    let (hint, hints) = mpsc::channel(16);
    let watcher = repository::watch(&settings.repository, mode, hint).map_err(|error| refused(error.to_string()))?;
    Ok((repository, hints, watcher))
}

fn queue_limits(settings: &Settings) -> QueueLimits {
    QueueLimits {
        live: settings.cores.queue,
        bulk: settings.cores.queue,
        background: settings.shadow.queue,
    }
}

/// The caps on one picture, from the settings.
pub(super) fn picture_limits(settings: &Settings) -> PictureLimits {
    PictureLimits {
        max_bytes: settings.limits.max_picture.as_usize(),
        max_pixels: settings.limits.max_pixels,
        max_side: settings.limits.max_side,
    }
}

/// What a candidate's child process may take, from the settings.
pub(super) fn proof_limits(settings: &Settings) -> ProofLimits {
    ProofLimits {
        memory_bytes: settings.proof.memory.bytes(),
        cpu: settings.proof.cpu,
        wall: settings.proof.wall,
    }
}

fn serving_limits(settings: &Settings) -> ServingLimits {
    ServingLimits {
        picture: picture_limits(settings),
        in_flight: settings.limits.in_flight,
        default_deadline: settings.limits.default_deadline,
        keep_pictures: keeps_pictures(settings),
    }
}

fn memory(settings: &Settings) -> MemoryBudget {
    let stated = settings.models.memory.map(|bytes| bytes.bytes());
    MemoryBudget::new(stated.unwrap_or_else(memory_for_revisions))
}

/// This very program, to run candidates in: by the link that still leads to it when an upgrade has replaced its file meanwhile.
pub(super) fn this_program() -> Result<PathBuf, ServeError> {
    let link = PathBuf::from("/proc/self/exe");
    if link.exists() {
        return Ok(link);
    }
    env::current_exe().map_err(|error| ServeError::System(format!("find this program: {error}")))
}

fn show_memory(metrics: &Metrics, memory: &MemoryBudget) {
    let (whole, taken) = (memory.clone(), memory.clone());
    let name = "vigie_executor_revisions_memory_bytes";
    let help = "Memory for loaded revisions, and what of it they have taken";
    metrics.reading(name, help, &[("what", "budget")], move || whole.use_of().0 as f64);
    metrics.reading(name, help, &[("what", "taken")], move || taken.use_of().1 as f64);
}

/// A gauge: its name, its labels, and how it is read.
type LoadSeries = (
    &'static str,
    &'static [(&'static str, &'static str)],
    fn(crate::executor::Load) -> usize,
);

fn show_load(metrics: &Metrics, cores: &Cores) {
    let series: [LoadSeries; 5] = [
        ("vigie_executor_queue_jobs", &[("class", "live")], |load| {
            load.waiting_live
        }),
        ("vigie_executor_queue_jobs", &[("class", "bulk")], |load| {
            load.waiting_bulk
        }),
        ("vigie_executor_queue_jobs", &[("class", "background")], |load| {
            load.waiting_background
        }),
        ("vigie_executor_running_jobs", &[("class", "live")], |load| {
            load.running_live
        }),
        ("vigie_executor_running_jobs", &[("class", "background")], |load| {
            load.running_background
        }),
    ];
    for (name, labels, read) in series {
        let cores = cores.clone();
        let help = if name.contains("queue") {
            "Jobs waiting for a thread"
        } else {
            "Jobs on a thread"
        };
        metrics.reading(name, help, labels, move || read(cores.load()) as f64);
    }
}
