//! The service of policies: what is in force, whether a draft is sound, and what it would change.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::{Stream, StreamExt, stream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinError;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::authority::principal_of;
use super::calls::Counter;
use super::generated::vigie::policies_server::Policies;
use super::policies_told;
use super::status::status;
use super::thresholds;
use crate::base::{Moment, PolicyVersion, Principal, Refusal};
use crate::control::{Control, Drafts, InForce, ThresholdStudies, Trial};
use crate::policy::Policy;
use crate::wire::{self, Timestamp, vigie};

/// Studies of the records that may run at once.
pub const STUDIES: usize = 4;
/// When one that found no place may come back.
const COME_BACK: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Clone)]
pub struct PoliciesService {
    /// [`STUDIES`] places.
    pub places: Arc<Semaphore>,
    pub drafts: Drafts,
    pub control: Control,
    pub thresholds: ThresholdStudies,
    pub counter: Counter,
}

#[tonic::async_trait]
impl Policies for PoliciesService {
    async fn get_policy(
        &self,
        request: Request<vigie::GetPolicyRequest>,
    ) -> Result<Response<vigie::GetPolicyResponse>, Status> {
        let found = self.told(self.in_force(&request.into_inner().model))?;
        let waits = self.control.view().waiting_policy(&found.model).cloned();
        Ok(Response::new(vigie::GetPolicyResponse {
            model: found.model.to_string(),
            waiting: waits.map(Into::into),
            policy_version: found.policy.version().to_string(),
            text: found.policy.text().to_owned(),
            rules: found.policy.rules().map(Into::into).collect(),
        }))
    }

    async fn validate_policy(
        &self,
        request: Request<vigie::ValidatePolicyRequest>,
    ) -> Result<Response<vigie::ValidatePolicyResponse>, Status> {
        let request = request.into_inner();
        let labels = self.told(self.in_force(&request.model))?.labels;
        let validated = move || validated(&request.text, &labels);
        let answer = tokio::task::spawn_blocking(validated).await;
        answer
            .map(Response::new)
            .map_err(|error| status(Refusal::internal(error.to_string())))
    }

    type SimulatePolicyStream = Pin<Box<dyn Stream<Item = Result<vigie::SimulatePolicyResponse, Status>> + Send>>;

    async fn simulate_policy(
        &self,
        request: Request<vigie::SimulatePolicyRequest>,
    ) -> Result<Response<Self::SimulatePolicyStream>, Status> {
        let request = request.into_inner();
        let (trial, time) = self.told(self.trial(&request))?;
        let place = self.told(self.place())?;
        let (now, then) = (trial.now.version(), trial.then.version());
        let (told, progress) = mpsc::channel(1);
        let service = self.clone();
        let simulation = tokio::spawn(async move {
            let _place = place;
            service.drafts.simulate(trial, time, &told).await
        });
        let progress = ReceiverStream::new(progress).map(|judged| {
            Ok(vigie::SimulatePolicyResponse {
                judged,
                difference: None,
            })
        });
        let service = self.clone();
        let last = async move {
            let broken = |error: JoinError| Refusal::internal(error.to_string());
            let difference = service.told(simulation.await.map_err(broken).flatten())?;
            Ok(vigie::SimulatePolicyResponse {
                judged: difference.judged,
                difference: Some(policies_told::difference(&difference, now, then)),
            })
        };
        Ok(Response::new(Box::pin(progress.chain(stream::once(last)))))
    }

    async fn apply_policy(
        &self,
        request: Request<vigie::ApplyPolicyRequest>,
    ) -> Result<Response<vigie::ApplyPolicyResponse>, Status> {
        let by = principal_of(&request);
        let applied = self.apply(&by, request.into_inner()).await;
        let policy_version = self.told(applied)?.to_string();
        Ok(Response::new(vigie::ApplyPolicyResponse { policy_version }))
    }

    type ThresholdsStream = Pin<Box<dyn Stream<Item = Result<vigie::ThresholdsResponse, Status>> + Send>>;

    async fn thresholds(
        &self,
        request: Request<vigie::ThresholdsRequest>,
    ) -> Result<Response<Self::ThresholdsStream>, Status> {
        let request = request.into_inner();
        let question = thresholds::question(&request);
        let begun = question.and_then(|question| {
            let found = self.in_force(&request.model)?;
            let about = thresholds::About::new(&found, &question);
            let place = self.place()?;
            Ok((self.thresholds.begin(&found, question)?, about, place))
        });
        let (study, about, place) = self.told(begun)?;
        let service = self.clone();
        let answers = thresholds::answers(study, about).map(move |answer| {
            let _until_the_stream_ends = &place;
            service.told(answer)
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

impl PoliciesService {
    /// Takes what waits into force; says in the log by whom and why.
    async fn apply(&self, by: &Principal, request: vigie::ApplyPolicyRequest) -> Result<PolicyVersion, Refusal> {
        let request_id = wire::request_id(request.request_id)?;
        let reason = wire::reason(request.reason)?;
        let model = self.in_force(&request.model)?.model;
        let expected = || "64 hexadecimal digits are expected: what GetPolicy says that waits";
        let version = request.policy_version.parse().map(PolicyVersion);
        let version = version.map_err(|_| Refusal::invalid("policy_version", expected()))?;
        self.control.apply_policy(&model, version).await?;
        tracing::info!(%model, policy = %version, %by, reason, request_id, "a person brought a policy into force");
        Ok(version)
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|_| {
            let message = format!("{STUDIES} studies of the records are under way, which is as many as may be at once");
            Refusal::overloaded(COME_BACK, message)
        })
    }

    fn in_force(&self, model: &str) -> Result<InForce, Refusal> {
        let model = wire::optional("model", model)?;
        self.drafts.in_force(model.as_ref())
    }

    /// What is to be compared, over the decisions of which time.
    fn trial(&self, request: &vigie::SimulatePolicyRequest) -> Result<(Trial, (Moment, Moment)), Refusal> {
        let found = self.in_force(&request.model)?;
        let draft = Policy::parse(&request.text).map_err(|error| Refusal::invalid("text", error.to_string()))?;
        let time = between(request.since, request.until)?;
        let trial = Trial {
            model: found.model,
            now: found.policy,
            then: Arc::new(draft),
        };
        Ok((trial, time))
    }

    fn told<T>(&self, outcome: Result<T, Refusal>) -> Result<T, Status> {
        outcome.map_err(|refusal| {
            self.counter.refused(&refusal);
            status(refusal)
        })
    }
}

/// From the beginning, or from a moment on, until another or until now.
pub(super) fn between(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<(Moment, Moment), Refusal> {
    let since = since.map(|at| wire::moment("since", at)).transpose()?;
    let until = until.map(|at| wire::moment("until", at)).transpose()?;
    let (since, until) = (
        since.unwrap_or(Moment::from_micros(0)),
        until.unwrap_or_else(|| SystemTime::now().into()),
    );
    if since >= until {
        return Err(Refusal::invalid(
            "since",
            "is not before until: nothing was decided between them",
        ));
    }
    Ok((since, until))
}

fn validated(text: &str, labels: &[crate::base::Label]) -> vigie::ValidatePolicyResponse {
    match Policy::parse(text) {
        Err(error) => vigie::ValidatePolicyResponse {
            findings: error.mistakes.into_iter().map(Into::into).collect(),
            ..Default::default()
        },
        Ok(policy) => vigie::ValidatePolicyResponse {
            policy_version: policy.version().to_string(),
            findings: policy
                .check(Some(labels), SystemTime::now().into())
                .into_iter()
                .map(Into::into)
                .collect(),
            examples: policy.run_examples().into_iter().map(Into::into).collect(),
        },
    }
}
