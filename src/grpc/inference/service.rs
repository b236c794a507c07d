//! The twenty methods, each in a line or two.

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use super::describe::{self, SERVER};
use super::{infer, repository, settings, statistics};
use crate::base::{ModelName, Refusal, Version};
use crate::control::Control;
use crate::grpc::calls::Counter;
use crate::grpc::deadline::asker_of;
use crate::grpc::generated::inference::grpc_inference_service_server::GrpcInferenceService;
use crate::grpc::status::status;
use crate::grpc::streams::{Answers, Streams};
use crate::serving::{ModelDescription, Serving};
use crate::wire::inference::*;

/// See the module.
#[derive(Clone)]
pub struct InferenceService {
    pub serving: Serving,
    pub control: Control,
    pub counter: Counter,
    pub ready: watch::Receiver<bool>,
    /// Whether callers may load and unload models.
    pub load_unload: bool,
    pub log: settings::LogReport,
    pub streams: Streams,
    pub stop: CancellationToken,
}

type Answer<T> = Result<Response<T>, Status>;

impl InferenceService {
    /// Ends a call: counts a refusal and gives it its status.
    pub fn answered<T>(&self, answer: Result<T, Refusal>) -> Answer<T> {
        answer.map(Response::new).map_err(|refusal| {
            self.counter.refused(&refusal);
            status(refusal)
        })
    }

    fn describe(&self, name: &str, version: &str) -> Result<ModelDescription, Refusal> {
        let (model, version) = (model_name(name, version)?, version_number(version)?);
        self.serving.describe(&model, version)
    }
}

/// A model's name as a caller gives it. What cannot be one is the name of no model.
pub fn model_name(name: &str, version: &str) -> Result<ModelName, Refusal> {
    let shown: String = name.chars().take(128).collect();
    let of_version = if version.is_empty() {
        String::new()
    } else {
        format!(" version {}", version.chars().take(32).collect::<String>())
    };
    name.parse()
        .map_err(|_| Refusal::not_found(format!("Request for unknown model: '{shown}'{of_version} is not found")))
}

/// A version as a caller gives it; none for "": the one in force.
pub fn version_number(text: &str) -> Result<Option<Version>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|error: crate::base::IdError| Refusal::invalid("model_version", error.to_string()))
}

fn no_shared_memory<T>() -> Answer<T> {
    Err(status(Refusal::unsupported(
        "shared memory is not offered: send the values in the message",
    )))
}

#[tonic::async_trait]
impl GrpcInferenceService for InferenceService {
    async fn server_live(&self, _: Request<ServerLiveRequest>) -> Answer<ServerLiveResponse> {
        Ok(Response::new(ServerLiveResponse { live: true }))
    }

    async fn server_ready(&self, _: Request<ServerReadyRequest>) -> Answer<ServerReadyResponse> {
        Ok(Response::new(ServerReadyResponse {
            ready: *self.ready.borrow(),
        }))
    }

    async fn model_ready(&self, request: Request<ModelReadyRequest>) -> Answer<ModelReadyResponse> {
        let request = request.into_inner();
        let version = version_number(&request.version).map_err(status)?;
        let ready = request
            .name
            .parse()
            .is_ok_and(|model| self.serving.describe(&model, version).is_ok());
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(&self, _: Request<ServerMetadataRequest>) -> Answer<ServerMetadataResponse> {
        Ok(Response::new(ServerMetadataResponse {
            name: SERVER.name.to_owned(),
            version: SERVER.version.to_owned(),
            extensions: SERVER.extensions.iter().map(ToString::to_string).collect(),
        }))
    }

    async fn model_metadata(&self, request: Request<ModelMetadataRequest>) -> Answer<ModelMetadataResponse> {
        let request = request.into_inner();
        self.answered(self.describe(&request.name, &request.version).map(describe::metadata))
    }

    async fn model_config(&self, request: Request<ModelConfigRequest>) -> Answer<ModelConfigResponse> {
        let request = request.into_inner();
        let described = self.describe(&request.name, &request.version);
        self.answered(described.map(|described| ModelConfigResponse {
            config: Some(describe::config(&described)),
        }))
    }

    async fn model_infer(&self, request: Request<ModelInferRequest>) -> Answer<ModelInferResponse> {
        let asker = asker_of(&request);
        let (answer, told) = match infer::infer(&self.serving, request.into_inner(), asker).await {
            Ok((answer, told)) => (Ok(answer), Some(told)),
            Err(refusal) => (Err(refusal), None),
        };
        let mut answer = self.answered(answer)?;
        answer.extensions_mut().extend(
            told.map(|told| {
                let mut extensions = http::Extensions::new();
                extensions.insert(told);
                extensions
            })
            .unwrap_or_default(),
        );
        Ok(answer)
    }

    type ModelStreamInferStream = Answers<ModelStreamInferResponse>;

    async fn model_stream_infer(
        &self,
        request: Request<Streaming<ModelInferRequest>>,
    ) -> Answer<Self::ModelStreamInferStream> {
        let asker = asker_of(&request);
        self.answered(infer::infer_stream(self.clone(), request.into_inner(), asker))
    }

    async fn model_statistics(&self, request: Request<ModelStatisticsRequest>) -> Answer<ModelStatisticsResponse> {
        let request = request.into_inner();
        let described = if request.name.is_empty() {
            Ok(self
                .serving
                .ready_models()
                .into_iter()
                .filter_map(|(model, version)| self.serving.describe(&model, Some(version)).ok())
                .collect())
        } else {
            self.of_model(&request.name, &request.version)
        };
        let counted = described.map(|described: Vec<_>| ModelStatisticsResponse {
            model_stats: described.iter().map(statistics::statistics).collect(),
        });
        self.answered(counted)
    }

    async fn repository_index(&self, request: Request<RepositoryIndexRequest>) -> Answer<RepositoryIndexResponse> {
        Ok(Response::new(repository::index(
            &self.control.view(),
            request.into_inner().ready,
        )))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Answer<RepositoryModelLoadResponse> {
        let request = request.into_inner();
        let loaded = match self.may_change(&request.parameters, &[]) {
            Ok(()) => self.load(&request.model_name).await,
            Err(refusal) => Err(refusal),
        };
        self.answered(loaded.map(|()| RepositoryModelLoadResponse {}))
    }

    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Answer<RepositoryModelUnloadResponse> {
        let request = request.into_inner();
        let unloaded = match self.may_change(&request.parameters, &["unload_dependents"]) {
            Ok(()) => self.unload(&request.model_name).await,
            Err(refusal) => Err(refusal),
        };
        self.answered(unloaded.map(|()| RepositoryModelUnloadResponse {}))
    }

    async fn trace_setting(&self, request: Request<TraceSettingRequest>) -> Answer<TraceSettingResponse> {
        self.answered(settings::trace(&request.into_inner()))
    }

    async fn log_settings(&self, request: Request<LogSettingsRequest>) -> Answer<LogSettingsResponse> {
        self.answered(settings::log(&self.log, &request.into_inner()))
    }

    async fn system_shared_memory_status(
        &self,
        _: Request<SystemSharedMemoryStatusRequest>,
    ) -> Answer<SystemSharedMemoryStatusResponse> {
        no_shared_memory()
    }

    async fn system_shared_memory_register(
        &self,
        _: Request<SystemSharedMemoryRegisterRequest>,
    ) -> Answer<SystemSharedMemoryRegisterResponse> {
        no_shared_memory()
    }

    async fn system_shared_memory_unregister(
        &self,
        _: Request<SystemSharedMemoryUnregisterRequest>,
    ) -> Answer<SystemSharedMemoryUnregisterResponse> {
        no_shared_memory()
    }

    async fn cuda_shared_memory_status(
        &self,
        _: Request<CudaSharedMemoryStatusRequest>,
    ) -> Answer<CudaSharedMemoryStatusResponse> {
        no_shared_memory()
    }

    async fn cuda_shared_memory_register(
        &self,
        _: Request<CudaSharedMemoryRegisterRequest>,
    ) -> Answer<CudaSharedMemoryRegisterResponse> {
        no_shared_memory()
    }

    async fn cuda_shared_memory_unregister(
        &self,
        _: Request<CudaSharedMemoryUnregisterRequest>,
    ) -> Answer<CudaSharedMemoryUnregisterResponse> {
        no_shared_memory()
    }
}

impl InferenceService {
    /// One version of a model, or all that are ready.
    fn of_model(&self, name: &str, version: &str) -> Result<Vec<ModelDescription>, Refusal> {
        let described = self.describe(name, version)?;
        if !version.is_empty() {
            return Ok(vec![described]);
        }
        let model = &described.model;
        described
            .versions
            .iter()
            .map(|version| self.serving.describe(model, Some(*version)))
            .collect()
    }
}
