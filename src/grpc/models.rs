//! The service that shows models: what the control plane and the observing plane see, in messages.

use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use tokio_stream::wrappers::WatchStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::generated::vigie::models_server::Models;
use super::status::status;
use crate::base::{Aim, ModelName, Refusal};
use crate::control::{Control, ExecutionView, ModelView, RepositoryView, VersionView};
use crate::executor::CostPoint;
use crate::observe::{Flip, FlipSide, Observe, ShadowSummary};
use crate::wire::{timestamp, verdict_to_wire, vigie};

/// Flips that are listed where no number is asked for, and at most.
const FLIPS: (usize, usize) = (100, 1000);

/// See the module.
#[derive(Clone)]
pub struct ModelsService {
    pub control: Control,
    pub observe: Observe,
    pub stop: CancellationToken,
}

#[tonic::async_trait]
impl Models for ModelsService {
    async fn list_models(
        &self,
        _: Request<vigie::ListModelsRequest>,
    ) -> Result<Response<vigie::ListModelsResponse>, Status> {
        let (models, summaries) = self.seen(&self.control.view(), None);
        Ok(Response::new(vigie::ListModelsResponse { models, summaries }))
    }

    async fn get_model(&self, request: Request<vigie::GetModelRequest>) -> Result<Response<vigie::Model>, Status> {
        let name = model_name(&request.into_inner().model).map_err(status)?;
        let (versions, summaries) = self.seen(&self.control.view(), Some(&name));
        let summary = summaries.into_iter().next().ok_or_else(|| status(unknown(&name)))?;
        Ok(Response::new(vigie::Model {
            summary: Some(summary),
            versions,
        }))
    }

    type WatchModelsStream = Pin<Box<dyn Stream<Item = Result<vigie::WatchModelsResponse, Status>> + Send>>;

    async fn watch_models(
        &self,
        request: Request<vigie::WatchModelsRequest>,
    ) -> Result<Response<Self::WatchModelsStream>, Status> {
        let only = match request.into_inner().model.as_str() {
            "" => None,
            name => Some(model_name(name).map_err(status)?),
        };
        if let Some(name) = &only
            && !self.control.view().models.iter().any(|model| model.name == *name)
        {
            return Err(status(unknown(name)));
        }
        let service = self.clone();
        let seen = WatchStream::new(self.control.subscribe()).map(move |view| {
            let (models, summaries) = service.seen(&view, only.as_ref());
            Ok(vigie::WatchModelsResponse { models, summaries })
        });
        let stopped = self.stop.clone().cancelled_owned();
        let said = Err(Status::unavailable(
            "the server is stopping: call another one, or this one again later",
        ));
        let last = futures_util::stream::iter([said]);
        Ok(Response::new(Box::pin(seen.take_until(stopped).chain(last))))
    }

    async fn list_flips(
        &self,
        request: Request<vigie::ListFlipsRequest>,
    ) -> Result<Response<vigie::ListFlipsResponse>, Status> {
        let request = request.into_inner();
        let name = model_name(&request.model).map_err(status)?;
        if !self.control.view().models.iter().any(|model| model.name == name) {
            return Err(status(unknown(&name)));
        }
        let (usual, most) = FLIPS;
        let limit = match usize::try_from(request.limit) {
            Ok(0) => usual,
            Ok(limit) => limit.min(most),
            Err(_) => most,
        };
        let flips = self.observe.flips(&name, limit).into_iter().map(flip).collect();
        Ok(Response::new(vigie::ListFlipsResponse { flips }))
    }
}

impl ModelsService {
    /// What a view shows of one model, or of all.
    fn seen(
        &self,
        view: &RepositoryView,
        only: Option<&ModelName>,
    ) -> (Vec<vigie::ModelVersion>, Vec<vigie::ModelSummary>) {
        let wanted = |name: &ModelName| only.is_none_or(|only| only == name);
        let versions = view
            .versions
            .iter()
            .filter(|version| wanted(&version.model))
            .map(version)
            .collect();
        let models = view.models.iter().filter(|model| wanted(&model.name));
        (
            versions,
            models
                .map(|model| summary(model, self.shadow(view, &model.name)))
                .collect(),
        )
    }
}

impl ModelsService {
    /// How the version that is in shadow now does; one that has judged nothing yet has nothing but zeros.
    fn shadow(&self, view: &RepositoryView, model: &ModelName) -> Option<ShadowSummary> {
        let in_shadow = view
            .versions
            .iter()
            .find(|version| version.shadow && version.model == *model)?;
        let observed = self.observe.summary(model);
        Some(
            observed
                .filter(|summary| summary.candidate == in_shadow.version)
                .unwrap_or_else(|| ShadowSummary::none(in_shadow.version)),
        )
    }
}

fn model_name(text: &str) -> Result<ModelName, Refusal> {
    text.parse()
        .map_err(|error: crate::base::IdError| Refusal::invalid("model", error.to_string()))
}

fn unknown(name: &ModelName) -> Refusal {
    Refusal::not_found(format!("no model is called {name}: ask ListModels for the names"))
}

fn version(view: &VersionView) -> vigie::ModelVersion {
    vigie::ModelVersion {
        model: view.model.to_string(),
        version: view.version.get(),
        revision: view.revision.map(|revision| revision.to_string()).unwrap_or_default(),
        state: view.state.as_str().to_owned(),
        reason: view.reason.clone(),
        live: view.live,
        shadow: view.shadow,
        canary_share: view.canary_share,
        loaded_at: view.loaded_at.map(timestamp),
        execution: view.execution.as_ref().map(execution),
        labels: view.labels.iter().map(ToString::to_string).collect(),
        metadata: view.metadata.clone(),
    }
}

fn execution(view: &ExecutionView) -> vigie::Execution {
    let small = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let run = |point: &CostPoint| vigie::RunCost {
        threads: small(point.threads),
        batch: small(point.batch),
        seconds: point.took.as_secs_f64(),
        same_answers: point.same,
    };
    vigie::Execution {
        latency_bound_seconds: match view.aim {
            Aim::Throughput => None,
            Aim::Latency(bound) => Some(bound.as_secs_f64()),
        },
        threads: small(view.setting.threads),
        sessions: small(view.setting.sessions),
        batch: small(view.setting.batch),
        runs: view.curve.points.iter().map(run).collect(),
    }
}

fn summary(model: &ModelView, shadow: Option<ShadowSummary>) -> vigie::ModelSummary {
    vigie::ModelSummary {
        model: model.name.to_string(),
        policy_version: model
            .policy_version
            .map(|policy| policy.to_string())
            .unwrap_or_default(),
        problems: model.problems.clone(),
        shadow: shadow.map(|shadow| vigie::ShadowSummary {
            candidate: shadow.candidate.get(),
            judged: shadow.judged,
            agreed: shadow.agreed,
            newly_blocked: shadow.newly_blocked,
            newly_allowed: shadow.newly_allowed,
            other: shadow.other,
            shed: shadow.shed,
            failed: shadow.failed,
        }),
    }
}

fn flip(flip: Flip) -> vigie::Flip {
    vigie::Flip {
        at: Some(timestamp(flip.at)),
        partner_id: flip.partner_id,
        product_id: flip.product_id,
        title: flip.title,
        image_sha256: flip.image_sha256.map(|digest| digest.to_string()).unwrap_or_default(),
        country: flip.country.to_string(),
        label: flip.label.map(String::from).unwrap_or_default(),
        stable: Some(side(flip.stable)),
        candidate: Some(side(flip.candidate)),
        trace_id: flip.trace_id,
    }
}

fn side(side: FlipSide) -> vigie::FlipSide {
    vigie::FlipSide {
        version: side.version.get(),
        verdict: verdict_to_wire(side.verdict).into(),
        score: side.score.map(f32::from),
    }
}
