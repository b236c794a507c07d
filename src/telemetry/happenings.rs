//! What happens, as the rooms that see it say it.

use std::time::Duration;

use super::labels::{Direction, PolicySwapResult, ShadowOutcome, SwapResult};
use crate::base::{CountryCode, Label, ModelName, PolicyVersion, RevisionId, Version};

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

/// How a loaded version is run, and what its runs were measured to take.
#[derive(Debug, Clone, PartialEq)]
pub struct SettingShown {
    pub model: ModelName,
    pub version: Version,
    pub threads: usize,
    pub sessions: usize,
    pub batch: usize,
    /// Threads, pictures together, and what a run took.
    pub runs: Vec<(usize, usize, Duration)>,
}

/// How many versions of a model are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionCount {
    pub model: ModelName,
    /// `READY`, `REJECTED`, …
    pub state: &'static str,
    pub count: u64,
}
