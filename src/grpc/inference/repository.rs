//! The repository as Triton's clients see it: an index, and loading and unloading by name.

use std::collections::BTreeMap;

use super::service::{InferenceService, model_name};
use crate::base::Refusal;
use crate::control::{RepositoryView, VersionState, VersionView};
use crate::wire::inference::repository_index_response::ModelIndex;
use crate::wire::inference::{ModelRepositoryParameter, RepositoryIndexResponse};

/// Every version, or those alone that can be called.
pub fn index(view: &RepositoryView, only_ready: bool) -> RepositoryIndexResponse {
    let shown = view
        .versions
        .iter()
        .filter(|version| !only_ready || version.state == VersionState::Ready);
    RepositoryIndexResponse {
        models: shown.map(row).collect(),
    }
}

fn row(version: &VersionView) -> ModelIndex {
    let state = match version.state {
        VersionState::Ready => "READY",
        VersionState::Loading | VersionState::Checking => "LOADING",
        VersionState::Incomplete | VersionState::Waiting | VersionState::Rejected | VersionState::Retired => {
            "UNAVAILABLE"
        }
    };
    // Triton's own word for what was taken out of service on purpose; its clients look for it.
    let reason = match version.state {
        VersionState::Retired => "unloaded".to_owned(),
        _ => version.reason.clone(),
    };
    ModelIndex {
        name: version.model.to_string(),
        version: version.version.to_string(),
        state: state.to_owned(),
        reason,
    }
}

impl InferenceService {
    /// Whether a caller may load or unload with these parameters.
    pub fn may_change(
        &self,
        parameters: &BTreeMap<String, ModelRepositoryParameter>,
        known: &[&str],
    ) -> Result<(), Refusal> {
        if !self.load_unload {
            return Err(Refusal::unsupported(
                "loading and unloading are switched off (models.load_unload)",
            ));
        }
        match parameters.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) if key == "config" || key.starts_with("file:") => Err(Refusal::invalid(
                format!("parameters[{key:?}]"),
                "models and their configuration come from the repository alone: put the files there",
            )),
            Some(key) => Err(Refusal::invalid(format!("parameters[{key:?}]"), "is unknown")),
        }
    }

    pub async fn load(&self, name: &str) -> Result<(), Refusal> {
        self.control.load(&model_name(name, "")?).await
    }

    pub async fn unload(&self, name: &str) -> Result<(), Refusal> {
        self.control.unload(&model_name(name, "")?).await
    }
}
