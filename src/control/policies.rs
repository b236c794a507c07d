//! Which policy is in force: the file's, if it can be; else the one that was.
//!
//! An emptied, absurd or vanished file changes nothing live: the policy in force is kept in the data directory and outlives a restart.

use std::sync::Arc;

use super::guard::Guard;
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
    /// A sound policy that is not in force yet: its guard does not admit it, and `problem` says why.
    pub waits: Option<Arc<Policy>>,
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

/// Takes the file's policy in force, or keeps the one that is. `labels` are those that the model's versions give; a guard is asked before a policy takes
/// another's place, with the share of verdicts that may be newly allowed.
pub(super) fn adopt(
    data: &DataDirectory,
    (model, labels): (&ModelName, &[Label]),
    recorded: Option<PolicyVersion>,
    found: Option<&Result<PolicyFile, Problem>>,
    (current, guard): (Option<Arc<Policy>>, Option<(&Guard, f64)>),
) -> PolicyInForce {
    let file_version = match found {
        Some(Ok(file)) => Some(PolicyVersion(file.digest)),
        Some(Err(_)) | None => None,
    };
    let in_force = |policy| PolicyInForce {
        policy: Some(policy),
        ..PolicyInForce::default()
    };
    if let Some(policy) = &current
        && file_version == Some(policy.version())
    {
        return in_force(Arc::clone(policy));
    }
    let before = || recorded.filter(|&version| file_version != Some(version));
    let current = current.or_else(|| from_data(data, model, before()?).map(Arc::new));
    match read(data, found, labels) {
        Ok(Some(policy)) => {
            let policy = Arc::new(policy);
            let pair = current.as_ref().map(|current| (current.version(), policy.version()));
            match guard
                .zip(pair)
                .map(|((guard, at_most), pair)| guard.admits(pair, at_most))
            {
                None | Some(Ok(())) => in_force(policy),
                Some(Err(why)) => PolicyInForce {
                    waits: Some(policy),
                    ..kept(current, Some(why))
                },
            }
        }
        Ok(None) => kept(current, None),
        Err(problem) => PolicyInForce {
            refused: file_version.map(|version| version.0),
            ..kept(current, Some(problem))
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

fn kept(policy: Option<Arc<Policy>>, problem: Option<String>) -> PolicyInForce {
    let gone = |policy: &Arc<Policy>| {
        format!(
            "policy.toml is gone: the policy {} that was in force serves on",
            policy.version().0.short()
        )
    };
    PolicyInForce {
        problem: problem.or_else(|| policy.as_ref().map(gone)),
        policy,
        ..PolicyInForce::default()
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
