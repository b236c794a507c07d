//! The serving plan: the immutable value that says how a request is served now, and the one place where it is swapped.
//!
//! A request pins the plan once and is judged by it alone (promise 1): revision, preprocessing, policy and shadow come from
//! one value. Control is the only publisher; whoever pinned an old plan keeps its executors alive until it is done.

mod route;
mod swap;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::{ModelName, RevisionId, Version};
use crate::executor::Executor;
use crate::policy::Policy;
use crate::wire::inference::ModelConfig;

pub use route::Route;
pub use swap::{PlanHandle, PlanPublisher, channel};

/// A loaded revision under the version that it serves as.
#[derive(Clone)]
pub struct Served {
    pub version: Version,
    pub revision: RevisionId,
    pub executor: Arc<Executor>,
    pub loaded_at: SystemTime,
}

/// How one model is served.
#[derive(Clone, Default)]
pub struct ModelPlan {
    /// Answers whoever names no version.
    pub live: Option<Arc<Served>>,
    /// Judges the same pictures after the answer, for comparison.
    pub shadow: Option<Arc<Served>>,
    /// Every version that is ready, for those who name one.
    pub versions: BTreeMap<Version, Arc<Served>>,
    /// Versions that exist but cannot serve, and why.
    pub not_ready: BTreeMap<Version, String>,
    /// None where there is no usable `policy.toml`: then the model gives tensors, no verdicts.
    pub policy: Option<Arc<Policy>>,
    /// The model's `config.pbtxt`, where there is one.
    pub triton: Option<Arc<ModelConfig>>,
}

/// How every request is served, from the moment it is published until the next.
#[derive(Clone, Default)]
pub struct ServingPlan {
    /// Rises by one with each published plan.
    pub generation: u64,
    pub models: BTreeMap<ModelName, Arc<ModelPlan>>,
    /// The model that judges when a request names none, where it is configured.
    pub default_model: Option<ModelName>,
}
