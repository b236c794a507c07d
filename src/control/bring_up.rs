//! Bringing one revision up: sealed, proved and measured in a child process, given its place in the memory, loaded at low priority, golden-checked.
//! Nothing of it is seen by the request path before it has ended well.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tracing::{Instrument, Span, info_span};

use super::view::VersionState;
use crate::base::{Digest, ModelName, RevisionId, Version, Wish};
use crate::engine::{Head, Runtime};
use crate::executor::{
    CostCurve, Executor, GoldenCase, JudgeSpec, Kind, Lanes, LoadError, Measuring, MemoryBudget, Need, ProofError,
    ProofLimits, ProofReport, Reaper, RevisionSpec, become_one_of, processor, prove,
};
use crate::preprocess::PictureLimits;
use crate::repository::{Candidate, Manifest, OpenSealedError, SealedRevision, open_sealed, seal};
use crate::telemetry::SwapResult;

/// Where in the data directory copies lie that are only proved.
pub(super) const AGAIN: &str = "proving";

/// What bringing up needs; the same for every revision.
#[derive(Clone)]
pub struct BringUp {
    pub runtime: Arc<Runtime>,
    /// The ONNX Runtime library, for the child.
    pub library: PathBuf,
    /// This program, for the child.
    pub program: PathBuf,
    /// The data directory.
    pub data: PathBuf,
    /// The computing threads, each of which gets a session of a revision where one thread runs it.
    pub lanes: Lanes,
    pub reaper: Reaper,
    pub picture_limits: PictureLimits,
    /// What the scores of known pictures may take of memory, for each revision.
    pub known_bytes: u64,
    /// What loaded revisions may take of memory.
    pub memory: MemoryBudget,
    pub proof: ProofLimits,
    /// How long a revision's runs are measured; none: not at all.
    pub measure: Option<Duration>,
}

/// How a revision is to be run, and what is known of its runs already.
pub(super) struct Tuning {
    pub wish: Wish,
    pub measured: Option<CostCurve>,
}

/// Where a revision comes from.
#[derive(Clone)]
pub(super) enum Origin {
    /// The repository.
    Candidate(Candidate),
    /// The repository, of a revision that is loaded already but comes with other golden scores: it is only proved.
    Again(Candidate),
    /// The copy that was sealed earlier.
    Sealed(RevisionId),
}

/// What came up.
pub(super) enum BroughtUp {
    Loaded {
        executor: Arc<Executor>,
        manifest: Option<Arc<Manifest>>,
        /// Of what was sealed.
        content: Digest,
        /// The largest difference of a golden score.
        golden_worst: f64,
    },
    /// Proved once more; it was loaded already.
    Proven,
}

/// Why nothing came up.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The content is bad: it is not tried again until the bytes change.
    Content(String),
    /// Something that may pass.
    Passing(String),
    /// It does not fit beside what is loaded.
    Memory(String),
}

impl BringUp {
    /// Brings a revision up, telling the phase that it is in.
    pub(super) async fn run(
        self,
        (model, version): (ModelName, Version),
        origin: Origin,
        tuning: Tuning,
        phase: watch::Sender<VersionState>,
    ) -> Result<BroughtUp, Failure> {
        let known_bytes = self.known_bytes;
        let who = format!("{model} {version}");
        let once_more = matches!(origin, Origin::Again(_));
        let sealed = self.seal(origin).instrument(info_span!("seal")).await?;
        let spec = spec_of(model, &sealed);
        let proved = self.prove(&spec, &tuning, once_more).await?;
        if once_more {
            return Ok(BroughtUp::Proven);
        }
        phase.send_replace(VersionState::Checking);
        let curve = tuning.measured.unwrap_or(proved.curve);
        let sessions = curve.choose(&tuning.wish, self.lanes.live).sessions + self.lanes.background;
        let need = Need {
            sessions: sessions as u64,
            session_bytes: proved.session_bytes,
            known_bytes,
        };
        let place = self.memory.reserve(who, need);
        let place = place.map_err(|shortage| Failure::Memory(shortage.to_string()))?;
        let (executor, golden_worst) = self.load(spec, curve, tuning.wish).await?;
        let SealedRevision { content, manifest, .. } = sealed;
        Ok(BroughtUp::Loaded {
            executor: Arc::new(executor.remembering(known_bytes).in_place(place)),
            manifest,
            content,
            golden_worst,
        })
    }

    /// What runs are measured on, in a word.
    pub(super) fn machine(&self) -> String {
        format!(
            "ONNX Runtime {}, {} cores, {}",
            self.runtime.version(),
            self.lanes.live,
            processor()
        )
    }

    async fn prove(&self, spec: &RevisionSpec, tuning: &Tuning, once_more: bool) -> Result<ProofReport, Failure> {
        let measuring = self.measure.filter(|_| tuning.measured.is_none() && !once_more);
        let measuring = measuring.map(|budget| Measuring {
            wish: tuning.wish,
            cores: self.lanes.live,
            budget,
        });
        let limits = (&self.picture_limits, &self.proof);
        let proving = prove(&self.program, &self.library, spec, limits.0, limits.1, measuring);
        let proved = proving.instrument(info_span!("prove")).await;
        proved.map_err(|error| match error {
            ProofError::Content(reason) => Failure::Content(reason),
            ProofError::Passing(reason) => Failure::Passing(reason),
        })
    }

    async fn seal(&self, origin: Origin) -> Result<SealedRevision, Failure> {
        let data = self.data.clone();
        let sealing = tokio::task::spawn_blocking(move || match origin {
            Origin::Candidate(candidate) => {
                seal(&candidate, &data).map_err(|error| Failure::Passing(error.to_string()))
            }
            Origin::Again(candidate) => {
                seal(&candidate, &data.join(AGAIN)).map_err(|error| Failure::Passing(error.to_string()))
            }
            Origin::Sealed(revision) => open_sealed(&data, &revision).map_err(|error| match error {
                OpenSealedError::Passing { .. } => Failure::Passing(error.to_string()),
                OpenSealedError::Missing(_) | OpenSealedError::Damaged { .. } => Failure::Content(error.to_string()),
            }),
        });
        sealing
            .await
            .map_err(|error| Failure::Passing(format!("sealing broke off: {error}")))?
    }

    /// Loads and golden-checks on a thread of its own, of the lowest priority: requests do not feel it.
    async fn load(self, spec: RevisionSpec, curve: CostCurve, wish: Wish) -> Result<(Executor, f64), Failure> {
        let (done, loaded) = oneshot::channel();
        let span = Span::current();
        // Threads that a run is spread over are started here, and stay what this thread is.
        let spread = curve.choose(&wish, self.lanes.live).threads > 1;
        let kind = if spread { Kind::Live } else { Kind::Load };
        let work = move || {
            lower_own_priority(kind);
            let loaded = span.in_scope(|| {
                let load = || Executor::load_measured(&self.runtime, spec, self.lanes, (curve, wish), &self.reaper);
                let executor = info_span!("load").in_scope(load)?;
                let report = info_span!("golden").in_scope(|| executor.check_golden(&self.picture_limits))?;
                Ok((executor, f64::from(report.worst)))
            });
            // Ended here: this thread may wait long for its next turn, and would hold the span open.
            drop(span);
            let _nobody_waits = done.send(loaded);
        };
        std::thread::Builder::new()
            .name("vigie-load".into())
            .spawn(work)
            .map_err(|error| Failure::Passing(format!("start a thread to load on: {error}")))?;
        let loaded = loaded
            .await
            .map_err(|_| Failure::Content("loading broke off: the log tells where".into()))?;
        loaded.map_err(|error| match error {
            LoadError::Content(reason) => Failure::Content(reason),
            LoadError::Passing(reason) => Failure::Passing(reason),
        })
    }
}

/// What the executor needs to know of a sealed revision.
pub fn spec_of(model: ModelName, sealed: &SealedRevision) -> RevisionSpec {
    let judge = sealed.manifest.as_ref().map(|manifest| JudgeSpec {
        input: manifest.input.clone(),
        output: manifest.output.clone(),
        head: Head::clone(&manifest.head),
        preprocessing: manifest.preprocessing.clone(),
        golden: manifest
            .golden
            .cases
            .iter()
            .map(|case| GoldenCase {
                file: case.file.under(&sealed.directory),
                scores: case.scores.clone(),
            })
            .collect(),
        tolerance: manifest.golden.tolerance,
    });
    let optimization = sealed
        .manifest
        .as_ref()
        .map(|manifest| manifest.runtime.optimization)
        .unwrap_or_default();
    RevisionSpec {
        model,
        revision: sealed.revision,
        onnx: sealed.onnx.clone(),
        optimization,
        judge,
    }
}

impl Failure {
    /// Why, in words.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Content(reason) | Self::Passing(reason) | Self::Memory(reason) => reason,
        }
    }

    /// How it counts in metrics.
    pub(super) fn result(&self) -> SwapResult {
        match self {
            Self::Content(_) => SwapResult::Rejected,
            Self::Passing(_) | Self::Memory(_) => SwapResult::Waiting,
        }
    }
}

fn lower_own_priority(kind: Kind) {
    if let Err(error) = become_one_of(kind) {
        tracing::debug!(%error, "loading runs at normal priority");
    }
}
