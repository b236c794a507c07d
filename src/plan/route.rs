//! Finds in a pinned plan what serves a request.

use std::sync::Arc;

use super::{ModelPlan, Served, ServingPlan};
use crate::base::{Arm, ModelName, Refusal, Target, Version};
use crate::policy::Policy;

/// What serves one judgement: all from one plan.
#[derive(Clone)]
pub struct Route {
    pub model: ModelName,
    pub served: Arc<Served>,
    pub arm: Arm,
    pub policy: Arc<Policy>,
    /// The revision that shall judge the same picture afterwards; none where the caller named a version.
    pub shadow: Option<Arc<Served>>,
}

impl ServingPlan {
    /// Finds the revision and the policy for a judgement.
    ///
    /// # Errors
    /// `NotFound` for an unknown model, version or revision; `Unavailable` for one that cannot serve yet; `InvalidArgument`
    /// where the model judges no pictures, or none is named and there are several.
    pub fn route(&self, model: Option<&ModelName>, target: &Target) -> Result<Route, Refusal> {
        let (model, plan) = self.judging_model(model)?;
        let (served, arm) = match target {
            Target::Plan => (plan.live(model)?, Arm::Stable),
            Target::Version(version) => (plan.version(model, *version)?, Arm::Named),
            Target::Revision(revision) => {
                let named = plan.versions.values().find(|served| served.revision == *revision);
                let named = named
                    .ok_or_else(|| Refusal::not_found(format!("model {model} has no ready revision {revision}")))?;
                (named, Arm::Named)
            }
        };
        if served.executor.spec().judge.is_none() {
            return Err(Refusal::invalid(
                "model",
                format!(
                    "{model} version {} has no version.toml, so it judges no pictures: use the Open Inference Protocol",
                    served.version
                ),
            ));
        }
        let policy = plan.policy.as_ref().ok_or_else(|| {
            Refusal::unavailable(format!(
                "model {model} has no usable policy.toml, so it cannot give verdicts"
            ))
        })?;
        Ok(Route {
            model: model.clone(),
            served: Arc::clone(served),
            arm,
            policy: Arc::clone(policy),
            shadow: plan.shadow.clone().filter(|_| arm == Arm::Stable),
        })
    }

    /// The policy in force of the model named, or of the one that judges where none is, whether or not that is ready.
    ///
    /// # Errors
    /// `NotFound` for an unknown model or one without a policy; `InvalidArgument` where none is named and several have one.
    pub fn policy<'a>(&'a self, named: Option<&'a ModelName>) -> Result<(&'a ModelName, &'a Arc<Policy>), Refusal> {
        if let Some(name) = named.or(self.default_model.as_ref()) {
            let policy = self.model(name)?.policy.as_ref();
            let policy =
                policy.ok_or_else(|| Refusal::not_found(format!("model {name} has no policy.toml in force")))?;
            return Ok((name, policy));
        }
        let with_policy = |(name, plan): (&'a ModelName, &'a Arc<ModelPlan>)| Some((name, plan.policy.as_ref()?));
        let mut found = self.models.iter().filter_map(with_policy);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err(Refusal::not_found("no model has a policy in force")),
            (Some((one, _)), Some((other, _))) => Err(Refusal::invalid(
                "model",
                format!("several models have a policy ({one}, {other}, …): name one, or configure default_model"),
            )),
        }
    }

    /// Finds a model's ready version for tensor inference: the named one, else the live one.
    ///
    /// # Errors
    /// As [`ServingPlan::route`], in the words that clients of the Open Inference Protocol know.
    pub fn serving(&self, model: &ModelName, version: Option<Version>) -> Result<&Arc<Served>, Refusal> {
        let plan = self.model(model)?;
        match version {
            Some(version) => plan.version(model, version),
            None => plan.live(model),
        }
    }

    /// One model's plan.
    pub fn model(&self, model: &ModelName) -> Result<&Arc<ModelPlan>, Refusal> {
        self.models.get(model).ok_or_else(|| unknown(model, None))
    }

    fn judging_model<'a>(&'a self, named: Option<&'a ModelName>) -> Result<(&'a ModelName, &'a ModelPlan), Refusal> {
        if let Some(name) = named.or(self.default_model.as_ref()) {
            return Ok((name, self.model(name)?));
        }
        let mut judging = self.models.iter().filter(|(_, plan)| plan.judges_pictures());
        match (judging.next(), judging.next()) {
            (Some((name, plan)), None) => Ok((name, plan)),
            (None, _) => Err(Refusal::unavailable("no model that judges pictures is ready")),
            (Some((one, _)), Some((other, _))) => Err(Refusal::invalid(
                "model",
                format!("several models judge pictures ({one}, {other}, …): name one, or configure default_model"),
            )),
        }
    }
}

impl ModelPlan {
    fn judges_pictures(&self) -> bool {
        self.versions
            .values()
            .any(|served| served.executor.spec().judge.is_some())
    }

    fn live(&self, model: &ModelName) -> Result<&Arc<Served>, Refusal> {
        let refusal = || match (self.not_ready.iter().next_back(), self.versions.is_empty()) {
            (_, false) => Refusal::unavailable(format!("Request for unknown model: '{model}' has no live version yet")),
            (Some((version, reason)), true) => not_at_ready_state(model, *version, reason),
            (None, true) => Refusal::not_found(format!(
                "Request for unknown model: '{model}' has no available versions"
            )),
        };
        self.live.as_ref().ok_or_else(refusal)
    }

    fn version(&self, model: &ModelName, version: Version) -> Result<&Arc<Served>, Refusal> {
        let refusal = || match self.not_ready.get(&version) {
            Some(reason) => not_at_ready_state(model, version, reason),
            None => unknown(model, Some(version)),
        };
        self.versions.get(&version).ok_or_else(refusal)
    }
}

fn not_at_ready_state(model: &ModelName, version: Version, reason: &str) -> Refusal {
    Refusal::unavailable(format!(
        "Request for unknown model: '{model}' version {version} is not at ready state: {reason}"
    ))
}

fn unknown(model: &ModelName, version: Option<Version>) -> Refusal {
    let version = version.map(|version| format!(" version {version}")).unwrap_or_default();
    Refusal::not_found(format!("Request for unknown model: '{model}'{version} is not found"))
}
