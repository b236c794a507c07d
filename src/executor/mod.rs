//! Loaded revisions at work: the computing threads, the sessions on them, and what is proved before a revision may
//! serve.
//!
//! Nothing here knows why a revision is loaded or who asks for scores; the plan holds executors, serving runs work on
//! the cores.

mod booking;
mod control_group;
mod cores;
mod estimate;
mod golden;
mod judging;
mod known;
mod lane;
mod line;
mod loaded;
mod measure;
mod memory;
mod priority;
mod proof;
mod queue;
mod reaper;
mod setting;
mod spec;
mod statistics;
mod threads;
mod warm_up;

pub use booking::{Booking, CorePlan, Kind, cores_of_this_process, plan_cores};
pub use cores::{Cores, Lanes, Load, NotRun, QueueFull};
pub use golden::GoldenReport;
pub use judging::{PictureWork, Run};
pub use known::{Known, LookUp, Place, Scores};
pub use lane::{Abandoned, Lane};
pub use loaded::{Executor, LoadError, RunError};
pub use measure::{Measuring, processor};
pub use memory::{MemoryBudget, Need, Reservation, Shortage, memory_for_revisions};
pub use priority::become_one_of;
pub use proof::{ProofError, ProofLimits, ProofReport, SUBCOMMAND, prove, prove_here};
pub use queue::{Class, QueueLimits, Ticket};
pub use reaper::Reaper;
pub use setting::{CostCurve, CostPoint, Setting};
pub use spec::{GoldenCase, JudgeSpec, RevisionSpec};
pub use statistics::{BatchStatistics, Statistics, Total};
