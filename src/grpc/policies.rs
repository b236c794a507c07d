//! The service of policies: what is in force, whether a draft is sound, and what it would change.

use std::pin::Pin;
use std::time::SystemTime;

use futures_util::{Stream, StreamExt, stream};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::calls::Counter;
use super::generated::vigie::policies_server::Policies;
use super::policies_told;
use super::status::status;
use super::thresholds;
use crate::base::{Moment, Refusal};
use crate::control::{Drafts, InForce, ThresholdStudies};
use crate::policy::Policy;
use crate::wire::{self, Timestamp, vigie};

/// See the module.
#[derive(Clone)]
pub struct PoliciesService {
    pub drafts: Drafts,
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
        Ok(Response::new(vigie::GetPolicyResponse {
            model: found.model.to_string(),
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
        let (found, draft, since, until) = self.told(self.draft(&request))?;
        let (now, then) = (found.policy.version(), draft.version());
        let simulation = self.drafts.simulate(&found, draft, since, until);
        let progress = ReceiverStream::new(simulation.progress).map(|judged| {
            Ok(vigie::SimulatePolicyResponse {
                judged,
                difference: None,
            })
        });
        let service = self.clone();
        let last = async move {
            let broken = || Refusal::internal("the simulation broke off; ask again");
            let difference = simulation.difference.await.map_err(|_| broken()).flatten();
            let difference = service.told(difference)?;
            Ok(vigie::SimulatePolicyResponse {
                judged: difference.judged,
                difference: Some(policies_told::difference(&difference, now, then)),
            })
        };
        Ok(Response::new(Box::pin(progress.chain(stream::once(last)))))
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
            Ok((self.thresholds.begin(&found, question)?, about))
        });
        let (study, about) = self.told(begun)?;
        let service = self.clone();
        let answers = thresholds::answers(study, about).map(move |answer| service.told(answer));
        Ok(Response::new(Box::pin(answers)))
    }
}

impl PoliciesService {
    fn in_force(&self, model: &str) -> Result<InForce, Refusal> {
        let model = wire::optional("model", model)?;
        self.drafts.in_force(model.as_ref())
    }

    fn draft(&self, request: &vigie::SimulatePolicyRequest) -> Result<(InForce, Policy, Moment, Moment), Refusal> {
        let found = self.in_force(&request.model)?;
        let draft = Policy::parse(&request.text).map_err(|error| Refusal::invalid("text", error.to_string()))?;
        let (since, until) = between(request.since, request.until)?;
        Ok((found, draft, since, until))
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
