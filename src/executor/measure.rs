//! What runs of a judging model cost, by size: measured in the child process that proves a candidate, under its limits.
//!
//! On one thread the processor's time is measured, which says the same on a busy machine as on an idle one; on several, the clock's, so that a busy
//! machine finds fewer threads. Beside each picture are others that try to show through: numbers that are none, infinite, huge. Sizes are tried from
//! the smallest on, as long as the next is likely to fit into the budget and the last ones gained anything.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::loaded::{RunError, Trouble, judge_logits};
use super::setting::{CostCurve, CostPoint};
use super::spec::{JudgeSpec, RevisionSpec};
use crate::base::{Aim, Wish};
use crate::engine::{Runtime, Session};

/// Sizes of batches that are tried.
const BATCHES: [usize; 5] = [1, 2, 4, 8, 16];
/// No larger batch is measured, though it were pinned.
const LARGEST: usize = 64;
/// Runs of each size, of which the quicker counts: the first one also finds its memory.
const RUNS: u32 = 2;
/// What stands beside a picture.
const HOSTILE: [f32; 4] = [f32::NAN, f32::INFINITY, 1e30, 0.0];
/// A size that gains less per picture than one part in so many, twice in a row, ends the search.
const GAIN: u32 = 50;

/// What may be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measuring {
    pub wish: Wish,
    /// Cores that live work has.
    pub cores: usize,
    /// Time that it may take, about; zero: nothing is measured.
    pub budget: Duration,
}

struct Bench<'a> {
    judge: &'a JudgeSpec,
    picture: Vec<f32>,
    /// The picture's logits, alone on one thread.
    alone: Vec<f32>,
    curve: CostCurve,
    left: Duration,
}

/// Measures a judging model that has been loaded and warmed up on one thread. What does not run at some size ends the search, and is no error.
pub(super) fn measure(
    runtime: &Runtime,
    spec: &RevisionSpec,
    session: &mut Session,
    measuring: &Measuring,
) -> Result<CostCurve, Trouble> {
    let (Some(judge), false) = (&spec.judge, measuring.budget.is_zero()) else {
        return Ok(CostCurve::default());
    };
    let picture = noise(judge.preprocessing.tensor_len());
    let alone = judge_logits(session, judge, 1, &picture).map_err(Trouble::from)?;
    let mut bench = Bench {
        judge,
        picture,
        alone,
        curve: CostCurve::default(),
        left: measuring.budget,
    };
    let takes = |batch: usize| {
        let mut shape = judge.input_shape();
        shape[0] = batch as i64;
        let input = session.signature().input(&judge.input);
        input.is_some_and(|input| input.takes_shape(&shape))
    };
    let takes: Vec<usize> = BATCHES.into_iter().filter(|batch| takes(*batch)).collect();
    let pinned = measuring.wish.batch.filter(|batch| (1..=LARGEST).contains(batch));
    bench.search(session, 1, &takes, pinned);
    for threads in wider(measuring, &bench.curve) {
        let (onnx, optimization) = (&spec.onnx, spec.optimization);
        let Ok(mut wide) = Session::load(runtime, onnx, optimization, true, threads) else {
            break;
        };
        bench.search(&mut wide, threads, &takes[..1.min(takes.len())], None);
    }
    Ok(bench.curve)
}

/// Numbers of threads that are worth trying: those pinned; else where a run on one thread takes longer than it may.
fn wider(measuring: &Measuring, curve: &CostCurve) -> Vec<usize> {
    let within = |threads: &usize| (2..=measuring.cores).contains(threads);
    if let Some(threads) = measuring.wish.threads {
        return Some(threads).filter(within).into_iter().collect();
    }
    let too_long = match (measuring.wish.aim, curve.points.first()) {
        (Aim::Latency(bound), Some(one)) => one.took > bound,
        _ => false,
    };
    let doubled = std::iter::successors(Some(2), |threads| Some(threads * 2));
    doubled.take_while(|threads| too_long && within(threads)).collect()
}

impl Bench<'_> {
    /// Measures these sizes, and at any cost the pinned one.
    fn search(&mut self, session: &mut Session, threads: usize, batches: &[usize], pinned: Option<usize>) {
        let mut best = Duration::MAX;
        let mut without_gain = 0;
        for &batch in batches {
            let likely = self.curve.points.last().map_or(Duration::ZERO, |last| {
                last.took * u32::try_from(batch / last.batch).unwrap_or(1) * RUNS
            });
            if threads == 1 && likely > self.left {
                break;
            }
            let Ok(point) = self.point(session, threads, batch) else {
                return;
            };
            let each = point.took / u32::try_from(batch).unwrap_or(1);
            without_gain = if each < best - best / GAIN { 0 } else { without_gain + 1 };
            best = best.min(each);
            if without_gain == 2 {
                break;
            }
        }
        let measured = |batch: &usize| self.curve.points.iter().any(|point| point.batch == *batch);
        if let Some(batch) = pinned.filter(|batch| !measured(batch)) {
            let _does_not_run = self.point(session, threads, batch);
        }
    }

    /// Runs one size with the picture in the first place and in the last, among hostile neighbours.
    fn point(&mut self, session: &mut Session, threads: usize, batch: usize) -> Result<CostPoint, RunError> {
        let mut point = CostPoint {
            threads,
            batch,
            took: Duration::MAX,
            same: true,
        };
        let labels = self.alone.len();
        for place in [0, batch - 1] {
            let together = self.among_hostile(place, batch);
            let began = Clock::now(threads);
            let logits = judge_logits(session, self.judge, batch, &together)?;
            let run = began.elapsed();
            point.took = point.took.min(run);
            self.left = self.left.saturating_sub(run);
            let bits = |logits: &[f32]| logits.iter().map(|logit| logit.to_bits()).collect::<Vec<_>>();
            point.same &= bits(&logits[place * labels..][..labels]) == bits(&self.alone);
        }
        self.curve.points.push(point);
        Ok(point)
    }

    fn among_hostile(&self, place: usize, batch: usize) -> Vec<f32> {
        let len = self.picture.len();
        let mut together = Vec::with_capacity(batch * len);
        for slot in 0..batch {
            if slot == place {
                together.extend_from_slice(&self.picture);
            } else {
                together.resize(together.len() + len, HOSTILE[slot % HOSTILE.len()]);
            }
        }
        together
    }
}

/// Numbers without a pattern, from -2 to 2, the same every time.
fn noise(count: usize) -> Vec<f32> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 8) as f32 / (1 << 22) as f32 - 2.0
    };
    (0..count).map(|_| next()).collect()
}

/// A moment of the thread's time on the processor, or on the clock where several threads work.
enum Clock {
    Processor(Duration),
    Wall(Instant),
}

impl Clock {
    fn now(threads: usize) -> Self {
        match on_processor() {
            Some(moment) if threads == 1 => Self::Processor(moment),
            _ => Self::Wall(Instant::now()),
        }
    }

    fn elapsed(&self) -> Duration {
        match self {
            Self::Processor(began) => on_processor().unwrap_or_default().saturating_sub(*began),
            Self::Wall(began) => began.elapsed(),
        }
    }
}

/// How long this thread has been on a processor.
fn on_processor() -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes the time that it is given, which is ours.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?);
    (outcome == 0).then(|| Duration::new(seconds, nanoseconds))
}

/// The processor that this process runs on, in a word by which measurements on it are told from others.
pub fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default();
    let field = |name: &str| {
        let line = first.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or("", |(_, value)| value.trim())
    };
    let features = field("flags");
    let mut hasher = DefaultHasher::new();
    features.hash(&mut hasher);
    format!("{} {:016x}", field("model name"), hasher.finish())
}
