//! Loaded revisions at work: the computing threads, the sessions on them, and what is proved before a revision may serve.
//!
//! Nothing here knows why a revision is loaded or who asks for scores; the plan holds executors, serving runs work on the cores.

mod cores;
mod lane;
mod priority;
mod queue;
mod threads;

pub use cores::{CorePlan, Cores, Load, NotRun, QueueFull, plan_cores};
pub use lane::{Abandoned, Lane};
pub use priority::lower_to;
pub use queue::{Class, QueueLimits};
