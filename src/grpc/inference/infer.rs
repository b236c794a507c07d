//! One inference, and a stream of them.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use tonic::{Code, Streaming};
use tracing::{Instrument, info_span};

use super::classes::{Classes, classes_asked};
use super::service::{InferenceService, model_name, version_number};
use crate::base::{Asker, Deadline, Refusal};
use crate::grpc::calls::{CallName, Told, reworded};
use crate::grpc::streams::{Answers, Item, Order, answer};
use crate::grpc::tensor::{self, SHARED_MEMORY, no_shared_memory, whole_number};
use crate::serving::{InferRequest, Serving};
use crate::wire::inference::{ModelInferRequest, ModelInferResponse, ModelStreamInferResponse};

const ITEM: CallName = CallName {
    service: "inference.GRPCInferenceService",
    method: "ModelStreamInfer",
};

/// Items that a stream may have read and not yet answered.
const READ_AHEAD: usize = 16;

/// Runs one request.
pub async fn infer(
    serving: &Serving,
    request: ModelInferRequest,
    asker: Asker,
) -> Result<(ModelInferResponse, Told), Refusal> {
    let (asked, of_request) = parsed(request)?;
    let asker = asker.until(of_request.deadline);
    let model = asked.model.clone();
    let labels = match of_request.classes.is_empty() {
        true => Vec::new(),
        false => serving.describe(&model, asked.version)?.labels,
    };
    let inferred = serving.infer(asked, asker);
    let inferred = match asker.deadline.moment() {
        None => inferred.await,
        Some(moment) => tokio::time::timeout_at(moment.into(), inferred)
            .await
            .unwrap_or(Err(Refusal::deadline())),
    }?;
    let answered = of_request
        .classes
        .iter()
        .try_fold(inferred.outputs, |outputs, classes| classes.of(outputs, &labels))?;
    let (outputs, raw_output_contents) = tensor::outputs(answered);
    let answer = ModelInferResponse {
        model_name: model.to_string(),
        model_version: inferred.version.to_string(),
        id: of_request.id,
        outputs,
        raw_output_contents,
        ..ModelInferResponse::default()
    };
    Ok((
        answer,
        Told {
            model,
            version: inferred.version,
            trail: inferred.trail,
        },
    ))
}

/// What of a request concerns the answer alone.
struct OfRequest {
    id: String,
    deadline: Deadline,
    classes: Vec<Classes>,
}

fn parsed(request: ModelInferRequest) -> Result<(InferRequest, OfRequest), Refusal> {
    let model = model_name(&request.model_name, &request.model_version)?;
    let version = version_number(&request.model_version)?;
    if let Some(output) = request
        .outputs
        .iter()
        .find(|output| output.parameters.contains_key(SHARED_MEMORY))
    {
        return Err(no_shared_memory(&output.name));
    }
    let deadline = match request.parameters.get("timeout") {
        None => Deadline::NONE,
        Some(parameter) => match whole_number("parameters[\"timeout\"]", parameter)? {
            0 => Deadline::NONE,
            microseconds => Deadline::after(Instant::now(), Duration::from_micros(microseconds)),
        },
    };
    let classes = classes_asked(&request.outputs)?;
    let inputs = tensor::inputs(request.inputs, request.raw_input_contents)?;
    let outputs = request.outputs.into_iter().map(|output| output.name).collect();
    Ok((
        InferRequest {
            model,
            version,
            inputs,
            outputs,
        },
        OfRequest {
            id: request.id,
            deadline,
            classes,
        },
    ))
}

/// Answers a stream in the order asked; an error is the answer of its item.
///
/// # Errors
/// When as many streams are open as may be.
pub fn infer_stream(
    service: InferenceService,
    requests: Streaming<ModelInferRequest>,
    asker: Asker,
) -> Result<Answers<ModelStreamInferResponse>, Refusal> {
    let (streams, stop) = (service.streams.clone(), service.stop.clone());
    let driving = streams.open(Order::AsAsked, READ_AHEAD, asker.deadline, stop)?;
    let requests = requests.map(|request| request.map_err(|status| reworded(ITEM, &status).unwrap_or(status)));
    let respond = move |request| item(service.clone(), request, asker);
    Ok(answer(requests, respond, driving))
}

impl Item for ModelInferRequest {
    fn bytes(&self) -> usize {
        self.raw_input_contents.iter().map(bytes::Bytes::len).sum()
    }
}

fn item(
    service: InferenceService,
    request: ModelInferRequest,
    asker: Asker,
) -> Pin<Box<dyn Future<Output = ModelStreamInferResponse> + Send>> {
    let answered = async move {
        let began = Instant::now();
        let (name, version, id) = (
            request.model_name.clone(),
            request.model_version.clone(),
            request.id.clone(),
        );
        match infer(&service.serving, request, asker).await {
            Ok((answer, told)) => {
                service.counter.done(ITEM, Code::Ok, Some(&told), began.elapsed());
                ModelStreamInferResponse {
                    error_message: String::new(),
                    infer_response: Some(answer),
                }
            }
            Err(refusal) => {
                let code = service.counter.refused(&refusal);
                service.counter.done(ITEM, code, None, began.elapsed());
                // The identity goes back with the error, so that the caller knows what it is about.
                let about = ModelInferResponse {
                    model_name: name,
                    model_version: version,
                    id,
                    ..ModelInferResponse::default()
                };
                ModelStreamInferResponse {
                    error_message: refusal.message,
                    infer_response: Some(about),
                }
            }
        }
    };
    Box::pin(answered.instrument(info_span!("item", otel.kind = "server")))
}
