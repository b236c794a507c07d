//! One loaded revision at work: a session for each computing thread, or for several where a run is spread over them.
//!
//! A session belongs to a lane, so that threads never wait for one another, and a picture is decoded and judged on the
//! same core. Pictures are run together only in numbers at which their scores were seen not to depend on it. What is
//! retired goes to the reaper.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::cores::Lanes;
use super::estimate::Estimate;
use super::known::Known;
use super::lane::{Abandoned, Lane};
use super::measure::{Measuring, measure};
use super::memory::Reservation;
use super::reaper::Reaper;
use super::setting::{CostCurve, Setting};
use super::spec::{JudgeSpec, RevisionSpec};
use super::statistics::{Counter, Statistics, Timing};
use super::warm_up::warm_up;
use crate::base::{LabelScore, Wish};
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
    /// Of live lanes first, or fewer where each is spread over several threads; then of background lanes.
    sessions: Vec<Mutex<Session>>,
    lanes: Lanes,
    threads: usize,
    batch: AtomicUsize,
    curve: CostCurve,
    counter: Counter,
    known: Known,
    estimate: Estimate,
    reaper: Reaper,
    memory: Option<Reservation>,
}

impl Executor {
    /// Loads a revision for so many lanes, holds its signature against its specification, and warms every session up.
    /// Blocks; takes a processor for as long as `lanes` loads take.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load(runtime: &Runtime, spec: RevisionSpec, lanes: usize, reaper: &Reaper) -> Result<Self, LoadError> {
        let lanes = Lanes {
            live: lanes.max(1),
            background: 0,
        };
        Self::load_measured(runtime, spec, lanes, (CostCurve::default(), Wish::default()), reaper)
    }

    /// Loads a revision for one lane, with want of memory told apart.
    pub(super) fn try_load(runtime: &Runtime, spec: RevisionSpec, reaper: &Reaper) -> Result<Self, Trouble> {
        let lanes = Lanes { live: 1, background: 0 };
        Self::try_load_measured(runtime, spec, lanes, (CostCurve::default(), Wish::default()), reaper)
    }

    /// Measures what its runs take, on its first session.
    pub(super) fn measure(&mut self, runtime: &Runtime, measuring: &Measuring) -> Result<CostCurve, Trouble> {
        let session = self.sessions[0].get_mut().unwrap_or_else(PoisonError::into_inner);
        measure(runtime, &self.spec, session, measuring)
    }

    /// As [`Executor::load`], in the best setting for a wish by what was measured.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub fn load_measured(
        runtime: &Runtime,
        spec: RevisionSpec,
        lanes: Lanes,
        (curve, wish): (CostCurve, Wish),
        reaper: &Reaper,
    ) -> Result<Self, LoadError> {
        Ok(Self::try_load_measured(runtime, spec, lanes, (curve, wish), reaper)?)
    }

    fn try_load_measured(
        runtime: &Runtime,
        spec: RevisionSpec,
        lanes: Lanes,
        (curve, wish): (CostCurve, Wish),
        reaper: &Reaper,
    ) -> Result<Self, Trouble> {
        let setting = curve.choose(&wish, lanes.live);
        let mut executor = Self {
            signature: Signature {
                inputs: Vec::new(),
                outputs: Vec::new(),
            },
            sessions: Vec::with_capacity(lanes.count()),
            lanes,
            threads: setting.threads,
            batch: AtomicUsize::new(setting.batch),
            curve,
            counter: Counter::default(),
            known: Known::default(),
            estimate: Estimate::default(),
            reaper: reaper.clone(),
            memory: None,
            spec,
        };
        let live = std::iter::repeat_n(setting.threads, setting.sessions);
        for threads in live.chain(std::iter::repeat_n(1, lanes.background)) {
            // Pushed one by one: when a later one fails, those before it go to the reaper.
            executor.add_session(runtime, threads)?;
        }
        Ok(executor)
    }

    fn add_session(&mut self, runtime: &Runtime, threads: usize) -> Result<(), Trouble> {
        let (onnx, optimization) = (&self.spec.onnx, self.spec.optimization);
        let mut session = Session::load(runtime, onnx, optimization, self.spec.judge.is_some(), threads)?;
        if self.sessions.is_empty() {
            self.signature = session.signature().clone();
            if let Some(judge) = &self.spec.judge {
                judge.check(&self.signature).map_err(Trouble::Content)?;
            }
        }
        warm_up(&mut session, self.spec.judge.as_ref())?;
        self.sessions.push(Mutex::new(session));
        Ok(())
    }

    /// Follows a wish that has changed, as far as that needs no other sessions: threads stay as they are until it is loaded again.
    pub fn follow(&self, wish: &Wish) {
        let threads = Some(self.threads);
        let setting = self.curve.choose(&Wish { threads, ..*wish }, self.lanes.live);
        self.batch.store(setting.batch, Ordering::Relaxed);
    }

    /// How it is run.
    pub fn setting(&self) -> Setting {
        Setting {
            threads: self.threads,
            sessions: self.sessions.len() - self.lanes.background,
            batch: self.batch.load(Ordering::Relaxed),
        }
    }

    /// What its runs were measured to take.
    pub fn curve(&self) -> &CostCurve {
        &self.curve
    }

    /// Cores that one run keeps busy.
    pub fn width(&self) -> usize {
        self.threads
    }

    /// Pictures that are run together at most.
    pub(super) fn most_together(&self) -> usize {
        self.batch.load(Ordering::Relaxed)
    }

    /// What a run of so many pictures costs, by those before it; zero until there were some.
    pub(super) fn run_of(&self, together: usize) -> Duration {
        let one = self.estimate.of(0);
        if together == 1 {
            return one;
        }
        one.mul_f64(self.curve.longer(self.threads, together))
    }

    /// Lets it remember the scores of pictures, in so many bytes.
    pub fn remembering(mut self, bytes: u64) -> Self {
        let labels = self.spec.judge.as_ref().map_or(0, |judge| judge.head.labels().len());
        self.known = Known::with_room(bytes, labels);
        self
    }

    /// Lets it have this place in the memory until it is gone.
    pub fn in_place(mut self, place: Reservation) -> Self {
        self.memory = Some(place);
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
        let logits = judge_logits(&mut self.session(lane), judge, 1, tensor);
        timing.infer = lane.lap();
        self.estimate.ran(timing.infer);
        let scores = logits.and_then(|logits| Ok(judge.head.probabilities(&logits)?));
        timing.output = lane.lap();
        self.count(1, &timing, scores)
    }

    /// As [`Executor::judge`], but counted nowhere, and nothing is learnt from how long it took: for whoever looks again at what was judged.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn judge_again(&self, lane: &Lane, tensor: &[f32]) -> Result<Vec<LabelScore>, RunError> {
        let judge = self.spec.judge.as_ref().ok_or(RunError::NotAJudge)?;
        let logits = judge_logits(&mut self.session(lane), judge, 1, tensor)?;
        Ok(judge.head.probabilities(&logits)?)
    }

    /// Judges pictures in one run, each with the lane of its own work; gives scores in their order. One that comes to nothing leaves the others theirs,
    /// and where the run itself does, each has one of its own.
    pub(super) fn judge_together(&self, pictures: &[(&Lane, &[f32])]) -> Vec<Result<Vec<LabelScore>, RunError>> {
        let alone = || pictures.iter().map(|(lane, tensor)| self.judge(lane, tensor)).collect();
        let (Some(judge), [(lane, _), _, ..]) = (self.spec.judge.as_ref(), pictures) else {
            return alone();
        };
        let tensors: Vec<f32> = pictures.iter().flat_map(|(_, tensor)| tensor.iter().copied()).collect();
        let began = Instant::now();
        let Ok(logits) = judge_logits(&mut self.session(lane), judge, pictures.len(), &tensors) else {
            return alone();
        };
        let infer = began.elapsed();
        let longer = self.curve.longer(self.threads, pictures.len());
        self.estimate.ran(infer.div_f64(longer.max(1.0)));
        let timings = pictures.iter().map(|(lane, _)| Timing {
            queue: lane.take_queued(),
            input: lane.lap().saturating_sub(infer),
            infer,
            output: Duration::ZERO,
        });
        let rows = logits.chunks(judge.head.labels().len());
        let scores: Vec<_> = rows
            .map(|row| judge.head.probabilities(row).map_err(RunError::from))
            .collect();
        self.counter.ran_together(timings.zip(scores.iter().map(Result::is_ok)));
        scores
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
        let logits = judge_logits(&mut self.session(&Lane::apart(0)), judge, 1, tensor)?;
        self.estimate.ran(began.elapsed());
        Ok(judge.head.probabilities(&logits)?)
    }

    /// The session of a lane. It is free unless somebody works apart from the computing threads.
    fn session(&self, lane: &Lane) -> MutexGuard<'_, Session> {
        let (live, background) = self.sessions.split_at(self.sessions.len() - self.lanes.background);
        let beyond = lane
            .index()
            .checked_sub(self.lanes.live)
            .filter(|_| !background.is_empty());
        let of_class = if beyond.is_some() { background } else { live };
        // Where runs are spread over several threads there are fewer sessions than lanes, and as many runs at a time as sessions: one is free.
        let first = beyond.unwrap_or(lane.index()) % of_class.len();
        let (before, from_own) = of_class.split_at(first);
        for session in from_own.iter().chain(before) {
            match session.try_lock() {
                Ok(taken) => return taken,
                // A run that panicked is answered by an error value already; the session itself keeps no state between runs.
                Err(TryLockError::Poisoned(error)) => return error.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        of_class[first].lock().unwrap_or_else(PoisonError::into_inner)
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
        self.reaper.take(std::mem::take(&mut self.sessions), self.memory.take());
    }
}

/// The logits of so many pictures, of the shape that the specification states.
pub(super) fn judge_logits(
    session: &mut Session,
    judge: &JudgeSpec,
    pictures: usize,
    tensors: &[f32],
) -> Result<Vec<f32>, RunError> {
    let (mut given, mut expected) = (judge.input_shape(), judge.output_shape());
    given[0] = pictures as i64;
    expected[0] = pictures as i64;
    let (shape, logits) = session.run_f32((&judge.input, &given), tensors, &judge.output)?;
    if shape != expected {
        return Err(RunError::Shape {
            expected: expected.to_vec(),
            got: shape,
        });
    }
    Ok(logits)
}
