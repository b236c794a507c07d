//! A candidate is tried in a child process first.
//!
//! A model file is a program: a few hundred bytes can ask for gigabytes or for minutes, at loading or only at the first
//! run, and a bug of the runtime can take its process down. So a candidate is loaded, warmed up and held against its
//! golden scores in a child process of the same binary, under limits on memory, processor time and wall time; only what
//! ends well there is loaded here. What stops a candidate is told as its reason: `REJECTED` where its content is at
//! fault, a later attempt where something else was.
//!
//! The child lowers its own priority and its own limits before it reads a byte of the model, cannot write files, and
//! ends when its parent does.

mod child;
mod limits;
mod parent;

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::golden::GoldenReport;
use super::loaded::Trouble;
use super::measure::Measuring;
use super::setting::CostCurve;
use super::spec::RevisionSpec;
use crate::preprocess::PictureLimits;

pub use child::prove_here;
pub use parent::prove;

/// The hidden subcommand of this program that is the child's side.
pub const SUBCOMMAND: &str = "prove";

/// What a candidate may take in its child process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProofLimits {
    /// Memory that it may allocate, in bytes. One session is loaded in the child; the server will load one a computing
    /// thread.
    pub memory_bytes: u64,
    /// Processor time, in whole seconds.
    pub cpu: Duration,
    /// Time on the clock; more than `cpu`, because the child has a low priority.
    pub wall: Duration,
}

/// What a candidate that ended well showed.
#[derive(Debug, Clone, PartialEq)]
pub struct ProofReport {
    /// How well its golden scores were reproduced.
    pub golden: GoldenReport,
    /// What its runs take; empty where nothing was to be measured, or measuring did not end well.
    pub curve: CostCurve,
    /// What one session of it takes of memory, about, its first runs included.
    pub session_bytes: u64,
    /// How long the child took.
    pub took: Duration,
}

/// Why a candidate did not end well.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Its content is at fault: trying again changes nothing.
    #[error("{0}")]
    Content(String),
    /// Something that may pass.
    #[error("{0}")]
    Passing(String),
}

/// What the child is told: one line of JSON on its standard input.
#[derive(Serialize, Deserialize)]
struct Task {
    library: PathBuf,
    spec: RevisionSpec,
    memory_bytes: u64,
    cpu_seconds: u64,
    max_bytes: usize,
    max_pixels: u64,
    max_side: u32,
    measuring: Option<Measuring>,
}

impl Task {
    fn pictures(&self) -> PictureLimits {
        PictureLimits {
            max_bytes: self.max_bytes,
            max_pixels: self.max_pixels,
            max_side: self.max_side,
        }
    }
}

/// What the child answers: lines of JSON on its standard output, of which the last holds.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Answer {
    /// Said before anything is measured: what happens then is not the candidate's fault.
    Proved(Proved),
    Content(String),
    Memory(String),
    Passing(String),
}

/// What a candidate showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Proved {
    golden: GoldenReport,
    session_bytes: u64,
    curve: CostCurve,
}

impl From<Trouble> for Answer {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Content(reason) => Self::Content(reason),
            Trouble::Memory(reason) => Self::Memory(reason),
            Trouble::Passing(reason) => Self::Passing(reason),
        }
    }
}
