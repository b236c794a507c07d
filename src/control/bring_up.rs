//! Bringing one revision up: sealed, proved in a child process, loaded at low priority, golden-checked. Nothing of it is seen by the
//! request path before it has ended well.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};
use tracing::{Instrument, Span, info_span};

use super::view::VersionState;
use crate::base::{Digest, ModelName, RevisionId};
use crate::engine::{Head, Runtime};
use crate::executor::{
    Executor, GoldenCase, JudgeSpec, Kind, LoadError, ProofError, ProofLimits, Reaper, RevisionSpec, lower_to, prove,
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
    /// Sessions a revision gets: one for each computing thread.
    pub lanes: usize,
    pub reaper: Reaper,
    pub picture_limits: PictureLimits,
    /// What the scores of known pictures may take of memory, for each revision.
    pub known_bytes: u64,
    pub proof: ProofLimits,
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
}

impl BringUp {
    /// Brings a revision up, telling the phase that it is in.
    pub(super) async fn run(
        self,
        model: ModelName,
        origin: Origin,
        phase: watch::Sender<VersionState>,
    ) -> Result<BroughtUp, Failure> {
        let known_bytes = self.known_bytes;
        let once_more = matches!(origin, Origin::Again(_));
        let sealed = self.seal(origin).instrument(info_span!("seal")).await?;
        let spec = spec_of(model, &sealed);
        prove(&self.program, &self.library, &spec, &self.picture_limits, &self.proof)
            .instrument(info_span!("prove"))
            .await
            .map_err(|error| match error {
                ProofError::Content(reason) => Failure::Content(reason),
                ProofError::Passing(reason) => Failure::Passing(reason),
            })?;
        if once_more {
            return Ok(BroughtUp::Proven);
        }
        phase.send_replace(VersionState::Checking);
        let (executor, golden_worst) = self.load(spec).await?;
        let SealedRevision { content, manifest, .. } = sealed;
        Ok(BroughtUp::Loaded {
            executor: Arc::new(executor.remembering(known_bytes)),
            manifest,
            content,
            golden_worst,
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
    async fn load(self, spec: RevisionSpec) -> Result<(Executor, f64), Failure> {
        let (done, loaded) = oneshot::channel();
        let span = Span::current();
        let work = move || {
            lower_own_priority();
            let loaded = span.in_scope(|| {
                let executor =
                    info_span!("load").in_scope(|| Executor::load(&self.runtime, spec, self.lanes, &self.reaper))?;
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
            Self::Content(reason) | Self::Passing(reason) => reason,
        }
    }

    /// How it counts in metrics.
    pub(super) fn result(&self) -> SwapResult {
        match self {
            Self::Content(_) => SwapResult::Rejected,
            Self::Passing(_) => SwapResult::Waiting,
        }
    }
}

fn lower_own_priority() {
    if let Err(error) = lower_to(Kind::Load.nice()) {
        tracing::debug!(%error, "loading runs at normal priority");
    }
}
