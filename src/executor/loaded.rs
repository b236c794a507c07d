//! One loaded revision at work: a session for each computing thread.
//!
//! A session belongs to a lane, so that threads never wait for one another, and a picture is decoded and judged on the
//! same core. Each picture is run by itself: its scores never depend on what else was asked at the same time. What is
//! retired goes to the reaper.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::estimate::Estimate;
use super::known::Known;
use super::lane::{Abandoned, Lane};
use super::reaper::Reaper;
use super::spec::{JudgeSpec, RevisionSpec};
use super::statistics::{Counter, Statistics, Timing};
use super::warm_up::warm_up;
use crate::base::LabelScore;
use crate::engine::{self, HeadError, NamedTensor, Runtime, Session, SessionError, Signature};

/// Why a revision cannot be loaded, or does not keep what it states.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Its content is at fault: trying again changes nothing.
    #[error("{0}")]
    Content(String),
    /// Something that may pass: memory, a file that cannot be read now.
    #[error("{0}")]
    Passing(String),
}

/// As [`LoadError`], with want of memory told apart: under a stated limit it is the content's fault, else it may pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    Content(String),
    Memory(String),
    Passing(String),
}

impl From<Trouble> for LoadError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Content(reason) => Self::Content(reason),
            Trouble::Memory(reason) | Trouble::Passing(reason) => Self::Passing(reason),
        }
    }
}

impl From<SessionError> for Trouble {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Content(reason) => Self::Content(reason),
            SessionError::Memory(_) => Self::Memory(error.to_string()),
            SessionError::Passing(reason) => Self::Passing(reason),
        }
    }
}

/// Why a run gave nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RunError {
    /// The session refused the tensors, or failed.
    #[error(transparent)]
    Engine(#[from] engine::RunError),
    /// What the model gave is no score.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The model gave an output of a shape it does not declare.
    #[error("the model gave an output of shape {got:?}, expected {expected:?}")]
    Shape { expected: Vec<i64>, got: Vec<i64> },
    /// Nobody waits for the outcome.
    #[error(transparent)]
    Abandoned(#[from] Abandoned),
    /// Asked to judge pictures, a tensor model.
    #[error("the model does not judge pictures: it has no version.toml")]
    NotAJudge,
}

impl From<RunError> for Trouble {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Engine(engine::RunError::Memory(_)) => Self::Memory(error.to_string()),
            RunError::Engine(_) | RunError::Head(_) | RunError::Shape { .. } | RunError::NotAJudge => {
                Self::Content(error.to_string())
            }
            RunError::Abandoned(_) => Self::Passing(error.to_string()),
        }
    }
}

/// A loaded revision. Dropping the last reference to it, anywhere, costs nothing there.
pub struct Executor {
    spec: RevisionSpec,
    signature: Signature,
    sessions: Vec<Mutex<Session>>,
    counter: Counter,
    known: Known,
    estimate: Estimate,
    reaper: Reaper,
}

impl Executor {
    /// Loads a revision for so many lanes, holds its signature against its specification, and warms every session up.
    /// Blocks; takes a processor for as long as `lanes` loads take.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(runtime: &Runtime, spec: RevisionSpec, lanes: usize, reaper: &Reaper) -> Result<Self, LoadError> {
        Ok(Self::try_load(runtime, spec, lanes, reaper)?)
    }

    pub(super) fn try_load(
        runtime: &Runtime,
        spec: RevisionSpec,
        lanes: usize,
        reaper: &Reaper,
    ) -> Result<Self, Trouble> {
        let mut executor = Self {
            signature: Signature {
                inputs: Vec::new(),
                outputs: Vec::new(),
            },
            sessions: Vec::with_capacity(lanes),
            counter: Counter::default(),
            known: Known::default(),
            estimate: Estimate::default(),
            reaper: reaper.clone(),
            spec,
        };
        for lane in 0..lanes.max(1) {
            let (onnx, optimization) = (&executor.spec.onnx, executor.spec.optimization);
            let mut session = Session::load(runtime, onnx, optimization, executor.spec.judge.is_some())?;
            if lane == 0 {
                executor.signature = session.signature().clone();
                if let Some(judge) = &executor.spec.judge {
                    judge.check(&executor.signature).map_err(Trouble::Content)?;
                }
            }
            warm_up(&mut session, executor.spec.judge.as_ref())?;
            // Pushed one by one: when a later one fails, those before it go to the reaper.
            executor.sessions.push(Mutex::new(session));
        }
        Ok(executor)
    }

    /// Lets it remember the scores of pictures, in so many bytes.
    pub fn remembering(mut self, bytes: u64) -> Self {
        let labels = self.spec.judge.as_ref().map_or(0, |judge| judge.head.labels().len());
        self.known = Known::with_room(bytes, labels);
        self
    }

    /// What judging a picture of so many encoded bytes will cost a thread, by those before it.
    pub fn cost_of(&self, encoded_bytes: usize) -> Duration {
        self.estimate.of(encoded_bytes)
    }

    /// Learns how long it took to make the input of a picture of so many encoded bytes.
    pub fn prepared(&self, encoded_bytes: usize, took: Duration) {
        self.estimate.prepared(encoded_bytes, took);
    }

    /// The pictures that it has judged already.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// What was loaded.
    pub fn spec(&self) -> &RevisionSpec {
        &self.spec
    }

    /// The folder of the model file.
    pub fn folder(&self) -> &Path {
        self.spec.onnx.parent().unwrap_or(Path::new(""))
    }

    /// What the model itself takes and gives.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// What was counted since loading.
    pub fn statistics(&self) -> Statistics {
        self.counter.snapshot()
    }

    /// Judges one picture: its tensor as [`crate::preprocess::to_tensor`] makes it, to a calibrated score per label.
    ///
    /// # Errors
    /// See [`RunError`]. Numbers that are none are errors, never scores.
    pub fn judge(&self, lane: &Lane, tensor: &[f32]) -> Result<Vec<LabelScore>, RunError> {
        let judge = self.spec.judge.as_ref().ok_or(RunError::NotAJudge)?;
        let mut timing = Timing {
            queue: lane.take_queued(),
            input: lane.lap(),
            ..Timing::default()
        };
        let logits = judge_logits(&mut self.session(lane), judge, tensor);
        timing.infer = lane.lap();
        self.estimate.ran(timing.infer);
        let scores = logits.and_then(|logits| Ok(judge.head.probabilities(&logits)?));
        timing.output = lane.lap();
        self.count(1, &timing, scores)
    }

    /// Judges pictures whose tensors follow one another; gives scores in their order. Each is run by itself, and the
    /// lane is asked before each whether the outcome is still wanted.
    ///
    /// # Errors
    /// See [`RunError`]; the first one ends it.
    pub fn judge_batch(&self, lane: &Lane, tensors: &[f32]) -> Result<Vec<Vec<LabelScore>>, RunError> {
        let judge = self.spec.judge.as_ref().ok_or(RunError::NotAJudge)?;
        let pictures = tensors.chunks(judge.preprocessing.tensor_len());
        let scores = pictures.map(|picture| {
            lane.check()?;
            self.judge(lane, picture)
        });
        scores.collect()
    }

    /// Runs the model on tensors; gives the outputs named, all when none is.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn infer(&self, lane: &Lane, inputs: &[NamedTensor], outputs: &[String]) -> Result<Vec<NamedTensor>, RunError> {
        let mut timing = Timing {
            queue: lane.take_queued(),
            input: lane.lap(),
            ..Timing::default()
        };
        let found = self.session(lane).run(inputs, outputs).map_err(RunError::from);
        timing.infer = lane.lap();
        self.count(self.batch_of(inputs), &timing, found)
    }

    /// A judging model's raw logits for one picture; counted nowhere.
    pub(super) fn try_picture(&self, judge: &JudgeSpec, tensor: &[f32]) -> Result<Vec<LabelScore>, RunError> {
        let began = Instant::now();
        let logits = judge_logits(&mut self.session(&Lane::apart(0)), judge, tensor)?;
        self.estimate.ran(began.elapsed());
        Ok(judge.head.probabilities(&logits)?)
    }

    /// The session of a lane. Its lock is free unless somebody works apart from the computing threads.
    fn session(&self, lane: &Lane) -> MutexGuard<'_, Session> {
        // At least one session is loaded, and a lane beyond the last shares one.
        let session = &self.sessions[lane.index() % self.sessions.len()];
        // A run that panicked is answered by an error value already; the session itself keeps no state between runs.
        session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rows of a request: the first dimension where the model leaves it free.
    fn batch_of(&self, inputs: &[NamedTensor]) -> u64 {
        let free = |input: &NamedTensor| {
            let spec = self.signature.input(&input.name)?;
            let first = input.tensor.shape().first()?;
            spec.shape.first().filter(|size| **size == -1)?;
            u64::try_from(*first).ok()
        };
        inputs.iter().find_map(free).unwrap_or(1)
    }

    fn count<T>(&self, batch: u64, timing: &Timing, outcome: Result<T, RunError>) -> Result<T, RunError> {
        match &outcome {
            Ok(_) => self.counter.succeeded(batch, timing),
            Err(_) => self.counter.failed(timing),
        }
        outcome
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        self.reaper.take(std::mem::take(&mut self.sessions));
    }
}

/// One picture's logits, of the shape that the specification states.
pub(super) fn judge_logits(session: &mut Session, judge: &JudgeSpec, tensor: &[f32]) -> Result<Vec<f32>, RunError> {
    let (shape, logits) = session.run_f32((&judge.input, &judge.input_shape()), tensor, &judge.output)?;
    let expected = judge.output_shape();
    if shape != expected {
        return Err(RunError::Shape {
            expected: expected.to_vec(),
            got: shape,
        });
    }
    Ok(logits)
}
