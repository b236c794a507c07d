//! The control plane: from what lies in the repository to what serves. The only writer of the plan.
//!
//! File events are hints; each leads to the same rescan. What is complete is sealed, proved in a child process, loaded, warmed and
//! golden-checked (`bring_up`); then `appoint`, a pure function, says which revision takes which role; the record is written,
//! and the plan published. What fails leaves everything as it was, with a reason that people can read.

mod appoint;
mod bring_up;
mod controller;
mod corrections;
mod drafts;
mod guard;
mod handle;
mod kept;
mod loads;
mod model;
mod policies;
mod replay;
mod show;
mod thresholds;
mod versions;
mod view;

pub use bring_up::{BringUp, spec_of};
pub use controller::{Controller, ControllerParts};
pub use corrections::Corrections;
pub use drafts::{Drafts, InForce, Trial};
pub use handle::Control;
pub use replay::{
    About, Culprit, EndTold, Event, EventKind, Outcome, Part, Replayed, ReplayedPart, ReplayedScore, ReplayedVerdict,
    Replays, Tried, Why, WhyAsk,
};
pub use thresholds::{Basis, RevisionShare, ThresholdQuestion, ThresholdStudies, ThresholdStudy, ThresholdsFound};
pub use view::{ExecutionView, Lack, ModelView, PolicyWaits, RepositoryView, VersionState, VersionView};
