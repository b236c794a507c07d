//! Work on a repository without a server: checking it, adding versions to it.
//!
//! The rules are the `repository` room's; here they get what that room does without: a child process to prove a version in, and the
//! runtime that scores golden pictures.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::{Digest, RevisionId};
use crate::config::Settings;
use crate::control::spec_of;
use crate::engine::{Runtime, RuntimeError};
use crate::executor::{Executor, JudgeSpec, Lane, ProofLimits, Reaper, RevisionSpec, prove};
use crate::preprocess::{PictureLimits, decode, to_tensor};
use crate::repository::{self, AddError, AddRequest, Added, CheckError, CheckReport, Proved, ScoreRequest};

/// Why work without a server cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    #[error("start the thread that proves: {0}")]
    Thread(#[from] io::Error),
}

/// What is needed to load models without a server.
pub struct Offline {
    library: PathBuf,
    program: PathBuf,
    pictures: PictureLimits,
    proof: ProofLimits,
    /// On which the child processes are waited for.
    waiting: tokio::runtime::Runtime,
}

impl Offline {
    /// With the limits that a server of these settings would set.
    ///
    /// # Errors
    /// ONNX Runtime cannot be found; the message says what to run.
    pub fn new(settings: &Settings) -> Result<Self, OfflineError> {
        Ok(Self {
            library: Runtime::find_library(settings.runtime.library.as_deref())?,
            program: std::env::current_exe()?,
            pictures: PictureLimits {
                max_bytes: settings.limits.max_picture.as_usize(),
                max_pixels: settings.limits.max_pixels,
                max_side: settings.limits.max_side,
            },
            proof: ProofLimits {
                memory_bytes: settings.proof.memory.bytes(),
                cpu: settings.proof.cpu,
                wall: settings.proof.wall,
            },
            waiting: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        })
    }

    /// Checks a repository; every version is loaded and run in a child process, as it would be before it serves. `tell` hears which
    /// model is being proved.
    ///
    /// # Errors
    /// When the repository cannot be read at all; what is wrong inside is in the report.
    pub fn check(&self, root: &Path, tell: impl Fn(&str)) -> Result<CheckReport, CheckError> {
        let mut prover = |model: &crate::base::ModelName, sealed: &repository::SealedRevision| {
            tell(model.as_str());
            self.prove(&spec_of(model.clone(), sealed))
        };
        repository::check(root, Some(&mut prover))
    }

    /// Makes a version of an ONNX file.
    ///
    /// # Errors
    /// See [`AddError`]; then nothing was changed.
    pub fn add(&self, request: &AddRequest) -> Result<Added, AddError> {
        repository::add(request, &mut |asked: &ScoreRequest| self.score(asked))
    }

    /// Makes a version's manifest agree with its files again.
    ///
    /// # Errors
    /// See [`AddError`]; then nothing was changed.
    pub fn reseal(&self, directory: &Path) -> Result<Added, AddError> {
        repository::reseal(directory, &mut |asked: &ScoreRequest| self.score(asked))
    }

    fn prove(&self, spec: &RevisionSpec) -> Result<Proved, String> {
        let proving = prove(&self.program, &self.library, spec, &self.pictures, &self.proof, None);
        let report = self.waiting.block_on(proving).map_err(|error| error.to_string())?;
        Ok(Proved {
            golden_cases: report.golden.cases,
            worst: report.golden.worst,
        })
    }

    /// Scores pictures by a model that is no version yet: proved in a child process first, because nobody has vouched for it.
    fn score(&self, asked: &ScoreRequest) -> Result<Vec<Vec<f32>>, String> {
        let judge = JudgeSpec {
            input: asked.input.clone(),
            output: asked.output.clone(),
            head: asked.head.clone(),
            preprocessing: asked.preprocessing.clone(),
            golden: Vec::new(),
            tolerance: 0.0,
        };
        let spec = RevisionSpec {
            model: asked.model.clone(),
            // It has none until it has scores.
            revision: RevisionId(Digest([0; 32])),
            onnx: asked.onnx.clone(),
            optimization: asked.optimization,
            judge: Some(judge),
        };
        self.prove(&spec)?;
        let runtime = Runtime::load(&self.library).map_err(|error| error.to_string())?;
        let reaper = Reaper::start().map_err(|error| error.to_string())?;
        let executor = Executor::load(&runtime, spec, 1, &reaper).map_err(|error| error.to_string())?;
        let lane = Lane::apart(0);
        let score = |picture: &PathBuf| {
            let wrong = |error: String| format!("{}: {error}", picture.display());
            let bytes = std::fs::read(picture).map_err(|error| wrong(error.to_string()))?;
            let mut workspace = lane.workspace();
            let decoded = decode(
                &bytes,
                &asked.preprocessing.decode_options(),
                &self.pictures,
                &mut workspace,
            )
            .map_err(|error| wrong(error.to_string()))?;
            let tensor = to_tensor(&decoded, &asked.preprocessing, &mut workspace);
            let scores = executor
                .judge(&lane, &tensor)
                .map_err(|error| wrong(error.to_string()))?;
            Ok(scores.into_iter().map(|score| score.probability.get()).collect())
        };
        asked.pictures.iter().map(score).collect()
    }
}
