//! Which policy is in force: the file's, if it can be; else the one that was.
//!
//! An emptied, absurd or vanished file changes nothing live: the policy in force is kept in the data directory and outlives a restart.

use std::sync::Arc;

use crate::base::{Digest, Label, ModelName, PolicyVersion};
use crate::policy::Policy;
use crate::repository::{PolicyFile, Problem};
use crate::store::DataDirectory;

/// A model's policy, and what is wrong with its file.
#[derive(Default, Clone)]
pub(super) struct PolicyInForce {
    pub policy: Option<Arc<Policy>>,
    pub problem: Option<String>,
    /// The content of a file that is whole and yet changes nothing, because it is wrong.
    pub refused: Option<Digest>,
}

impl PolicyInForce {
    /// The rules that can never speak, as problems in words. `labels` are those that the model's versions give.
    pub fn inert(&self, labels: &[Label]) -> Vec<String> {
        let Some(policy) = self.policy.as_ref().filter(|_| !labels.is_empty()) else {
            return Vec::new();
        };
        let rules = policy.inert(labels).into_iter();
        rules
            .map(|rule| format!("policy.toml: {rule} is about a label that no version gives, so it never speaks"))
            .collect()
    }
}

/// Takes the file's policy in force, or keeps the one that is. `labels` are those that the model's versions give.
pub(super) fn adopt(
    data: &DataDirectory,
    (model, labels): (&ModelName, &[Label]),
    recorded: Option<PolicyVersion>,
    found: Option<&Result<PolicyFile, Problem>>,
    current: Option<Arc<Policy>>,
) -> PolicyInForce {
    let file_version = match found {
        Some(Ok(file)) => Some(PolicyVersion(file.digest)),
        Some(Err(_)) | None => None,
    };
    if let Some(policy) = &current
        && file_version == Some(policy.version())
    {
        return PolicyInForce {
            policy: current,
            ..PolicyInForce::default()
        };
    }
    match read(data, found, labels) {
        Ok(Some(policy)) => PolicyInForce {
            policy: Some(Arc::new(policy)),
            ..PolicyInForce::default()
        },
        Ok(None) => kept(data, model, recorded, current, None),
        Err(problem) => PolicyInForce {
            refused: file_version.map(|version| version.0),
            ..kept(data, model, recorded, current, Some(problem))
        },
    }
}

fn read(
    data: &DataDirectory,
    found: Option<&Result<PolicyFile, Problem>>,
    labels: &[Label],
) -> Result<Option<Policy>, String> {
    let Some(found) = found else { return Ok(None) };
    let file = found.as_ref().map_err(Problem::to_string)?;
    let policy = Policy::parse(&file.text).map_err(|error| format!("policy.toml changes nothing: {error}"))?;
    if let Some(objection) = policy.allows_everything(labels) {
        return Err(format!("policy.toml changes nothing: {objection}"));
    }
    data.keep_policy(policy.version(), &file.text)
        .map_err(|error| format!("policy.toml is not in force yet: {error}"))?;
    Ok(Some(policy))
}

fn kept(
    data: &DataDirectory,
    model: &ModelName,
    recorded: Option<PolicyVersion>,
    current: Option<Arc<Policy>>,
    problem: Option<String>,
) -> PolicyInForce {
    let policy = current.or_else(|| {
        recorded
            .and_then(|version| from_data(data, model, version))
            .map(Arc::new)
    });
    let problem = problem.or_else(|| {
        policy.as_ref().map(|policy| {
            format!(
                "policy.toml is gone: the policy {} that was in force serves on",
                policy.version().0.short()
            )
        })
    });
    PolicyInForce {
        policy,
        problem,
        refused: None,
    }
}

fn from_data(data: &DataDirectory, model: &ModelName, version: PolicyVersion) -> Option<Policy> {
    let text = match data.policy(version) {
        Ok(text) => text?,
        Err(error) => {
            tracing::warn!(%model, %error, "the policy on record cannot be read");
            return None;
        }
    };
    Policy::parse(&text)
        .inspect_err(|error| tracing::warn!(%model, %error, "the policy on record cannot be used"))
        .ok()
}
