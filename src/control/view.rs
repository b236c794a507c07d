//! What the control plane shows of itself: every version with its state and reason, made anew after each step.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::{Aim, Label, ModelName, PolicyVersion, RevisionId, Version};
use crate::executor::{CostCurve, Setting};

/// Everything that is known of the repository.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RepositoryView {
    /// True once the repository has been looked at.
    pub looked: bool,
    pub models: Vec<ModelView>,
    pub versions: Vec<VersionView>,
}

/// One model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelView {
    pub name: ModelName,
    pub policy_version: Option<PolicyVersion>,
    /// A sound policy that is not in force yet; why, stands among the problems.
    pub waits: Option<PolicyWaits>,
    /// True where there is a `policy.toml`, but neither it nor one before it could be taken into force.
    pub lacks_policy: bool,
    /// What is wrong with its settings, its policy or its configuration, in words. It serves on without the change.
    pub problems: Vec<String>,
}

/// A policy that waits for a person, or to be tried.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyWaits {
    pub version: PolicyVersion,
    pub text: Arc<str>,
    /// Why it waits, in words.
    pub why: String,
}

/// One version.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionView {
    pub model: ModelName,
    pub version: Version,
    pub revision: Option<RevisionId>,
    pub state: VersionState,
    /// Why it is in this state; empty where there is nothing to say.
    pub reason: String,
    pub live: bool,
    pub shadow: bool,
    /// Of the traffic, 0 to 1. Always 0 while there are no canaries.
    pub canary_share: f64,
    pub loaded_at: Option<SystemTime>,
    /// How it is run; none where it is not loaded.
    pub execution: Option<ExecutionView>,
    pub labels: Vec<Label>,
    /// Where it comes from, as its manifest tells.
    pub metadata: BTreeMap<String, String>,
}

/// How a loaded version is run, by what was measured of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionView {
    pub aim: Aim,
    pub setting: Setting,
    pub curve: CostCurve,
}

/// The state of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionState {
    /// Its files are not all there yet.
    Incomplete,
    /// Something that may pass is in the way; it is tried again.
    Waiting,
    /// It is copied aside and proved in a child process.
    Loading,
    /// It is loaded, and its golden scores are being reproduced.
    Checking,
    Ready,
    /// Its content is bad. It is not tried again until its bytes change.
    Rejected,
    /// It was unloaded, or is not among the versions that the model serves.
    Retired,
}

impl VersionState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Incomplete,
        Self::Waiting,
        Self::Loading,
        Self::Checking,
        Self::Ready,
        Self::Rejected,
        Self::Retired,
    ];

    /// The name on the wire and in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "INCOMPLETE",
            Self::Waiting => "WAITING",
            Self::Loading => "LOADING",
            Self::Checking => "CHECKING",
            Self::Ready => "READY",
            Self::Rejected => "REJECTED",
            Self::Retired => "RETIRED",
        }
    }
}

/// Something that is not as it should be, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// `model adsafety`.
    pub what: String,
    pub why: String,
}

impl RepositoryView {
    /// The required models that do not serve. With none required: those that are there; with nothing there, that is what is missing.
    pub fn missing(&self, required: &[ModelName]) -> Vec<Lack> {
        let lack = |why: &str| {
            vec![Lack {
                what: "the repository".into(),
                why: why.into(),
            }]
        };
        if !self.looked {
            return lack("it has not been looked at yet");
        }
        let names: Vec<&ModelName> = match required {
            [] => self.models.iter().map(|model| &model.name).collect(),
            required => required.iter().collect(),
        };
        if names.is_empty() {
            return lack("it holds no model; add one with `vigie add`, or name another with --repository");
        }
        names
            .into_iter()
            .filter_map(|name| self.why_not_serving(name))
            .collect()
    }

    /// What is wrong though requests are served: settings, policies and configurations that could not be taken over.
    pub fn degraded(&self) -> Vec<Lack> {
        let of_model = |model: &ModelView| {
            let what = format!("model {}", model.name);
            model
                .problems
                .iter()
                .map(|why| Lack {
                    what: what.clone(),
                    why: why.clone(),
                })
                .collect::<Vec<_>>()
        };
        self.models.iter().flat_map(of_model).collect()
    }

    /// The policy of a model that is not in force yet; none where none waits.
    pub fn waiting_policy(&self, model: &ModelName) -> Option<&PolicyWaits> {
        self.model(model)?.waits.as_ref()
    }

    fn model(&self, name: &ModelName) -> Option<&ModelView> {
        self.models.iter().find(|model| model.name == *name)
    }

    fn lacks_policy(&self, name: &ModelName) -> bool {
        self.model(name).is_some_and(|model| model.lacks_policy)
    }

    fn problems(&self, name: &ModelName) -> String {
        self.model(name)
            .map(|model| model.problems.join("; "))
            .unwrap_or_default()
    }

    fn why_not_serving(&self, name: &ModelName) -> Option<Lack> {
        let mut versions = self.versions.iter().filter(|version| version.model == *name);
        let live = versions.clone().find(|version| version.live);
        let problems = || self.problems(name);
        let why = match (live, versions.next_back()) {
            (Some(_), _) if !self.lacks_policy(name) => return None,
            (Some(_), _) => format!("there is no policy to judge by: {}", problems()),
            (None, None) => "it has no version".into(),
            (None, Some(last)) if last.state == VersionState::Ready => format!(
                "version {} is READY, but none is appointed. {}",
                last.version,
                problems()
            ),
            (None, Some(last)) => format!("version {} is {} {}", last.version, last.state.as_str(), last.reason)
                .trim_end()
                .to_owned(),
        };
        Some(Lack {
            what: format!("model {name}"),
            why,
        })
    }
}
