//! Tensor inference, as the Open Inference Protocol asks for it.
//!
//! A plain model is run as it stands. A model with a manifest takes either its own input or encoded pictures (`image`, BYTES),
//! and answers calibrated `probabilities`.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use super::look::{abandoned, pixels, refused_run};
use super::pipeline::Serving;
use super::trail::Trail;
use crate::base::{Asker, Label, LabelScore, ModelName, Refusal, Version};
use crate::engine::{DataType, NamedTensor, Signature, Tensor, TensorData, TensorSpec};
use crate::executor::{Class, JudgeSpec, Lane, Statistics, Ticket};
use crate::plan::{ModelPlan, Served};
use crate::preprocess::PictureLimits;
use crate::telemetry::Stage;
use crate::wire::inference::ModelConfig;

/// The input that takes encoded pictures.
const PICTURES: &str = "image";
/// The output of a model with a manifest.
const PROBABILITIES: &str = "probabilities";

/// One request for tensors.
pub struct InferRequest {
    pub model: ModelName,
    /// None: the live version.
    pub version: Option<Version>,
    pub inputs: Vec<NamedTensor>,
    /// The outputs wanted, in this order; empty: all.
    pub outputs: Vec<String>,
}

/// The tensors asked for, and the version that gave them.
pub struct Inferred {
    pub version: Version,
    pub outputs: Vec<NamedTensor>,
    pub trail: Trail,
}

/// What callers need to know of a model to use it.
pub struct ModelDescription {
    pub model: ModelName,
    pub version: Version,
    /// Every ready version.
    pub versions: Vec<Version>,
    /// As callers see it: on a model with a manifest, its input and `image`, and `probabilities`.
    pub signature: Signature,
    pub labels: Vec<Label>,
    pub triton: Option<Arc<ModelConfig>>,
    pub statistics: Statistics,
    pub loaded_at: SystemTime,
}

impl Serving {
    /// Runs a model on tensors.
    ///
    /// # Errors
    /// `InvalidArgument` says what was expected and what was got.
    ///
    /// # Cancel safety
    /// As [`Serving::classify`].
    pub async fn infer(&self, request: InferRequest, asker: Asker) -> Result<Inferred, Refusal> {
        let asker = self.bounded(asker);
        let admitted = self.admission.admit(Class::Live, asker.deadline).await?;
        let served = Arc::clone(admitted.plan.serving(&request.model, request.version)?);
        let version = served.version;
        let picture_limits = self.limits.picture;
        let ticket = Ticket {
            width: served.executor.width(),
            ..Ticket::new(Class::Live, asker)
        };
        let (outputs, trail) = self
            .on_core(ticket, move |lane, trail| match served.executor.spec().judge.as_ref() {
                None => run_plain(&served, lane, request, trail),
                Some(judge) => run_judging(&served, judge, lane, request, &picture_limits, trail),
            })
            .await?;
        Ok(Inferred {
            version,
            outputs,
            trail,
        })
    }

    /// Describes a model's ready version: the named one, else the live one.
    pub fn describe(&self, model: &ModelName, version: Option<Version>) -> Result<ModelDescription, Refusal> {
        let plan = self.admission.plan();
        let served = plan.serving(model, version)?;
        let of_model = plan.model(model)?;
        Ok(describe(model, served, of_model))
    }

    /// Every ready version of every model.
    pub fn ready_models(&self) -> Vec<(ModelName, Version)> {
        let plan = self.admission.plan();
        let versions_of = |(name, model): (&ModelName, &Arc<ModelPlan>)| {
            model
                .versions
                .keys()
                .map(|version| (name.clone(), *version))
                .collect::<Vec<_>>()
        };
        plan.models.iter().flat_map(versions_of).collect()
    }
}

fn describe(model: &ModelName, served: &Served, of_model: &ModelPlan) -> ModelDescription {
    let executor = &served.executor;
    let judge = executor.spec().judge.as_ref();
    ModelDescription {
        model: model.clone(),
        version: served.version,
        versions: of_model.versions.keys().copied().collect(),
        signature: judge.map_or_else(|| executor.signature().clone(), judging_signature),
        labels: judge.map(|judge| judge.head.labels().to_vec()).unwrap_or_default(),
        triton: of_model.triton.clone(),
        statistics: executor.statistics(),
        loaded_at: served.loaded_at,
    }
}

/// What a model with a manifest takes and gives.
fn judging_signature(judge: &JudgeSpec) -> Signature {
    let [height, width] = [judge.preprocessing.fields().height, judge.preprocessing.fields().width].map(i64::from);
    let labels = judge.head.labels().len() as i64;
    let spec = |name: &str, datatype, shape| TensorSpec {
        name: name.to_owned(),
        datatype,
        shape,
    };
    Signature {
        inputs: vec![
            spec(&judge.input, DataType::F32, vec![-1, 3, height, width]),
            spec(PICTURES, DataType::Bytes, vec![-1, 1]),
        ],
        outputs: vec![spec(PROBABILITIES, DataType::F32, vec![-1, labels])],
    }
}

fn run_plain(
    served: &Served,
    lane: &Lane,
    request: InferRequest,
    trail: &mut Trail,
) -> Result<Vec<NamedTensor>, Refusal> {
    let began = Instant::now();
    let outputs = served.executor.infer(lane, &request.inputs, &request.outputs);
    trail.note(Stage::Infer, began);
    outputs.map_err(refused_run)
}

fn run_judging(
    served: &Served,
    judge: &JudgeSpec,
    lane: &Lane,
    request: InferRequest,
    limits: &PictureLimits,
    trail: &mut Trail,
) -> Result<Vec<NamedTensor>, Refusal> {
    if let Some(unknown) = request.outputs.iter().find(|name| *name != PROBABILITIES) {
        return Err(Refusal::invalid(
            "outputs",
            format!("expected \"{PROBABILITIES}\", got {unknown:?}"),
        ));
    }
    let pixels = pixels_of(judge, lane, request.inputs, limits, trail)?;
    lane.check().map_err(abandoned)?;
    let began = Instant::now();
    let scores = served.executor.judge_batch(lane, &pixels).map_err(refused_run)?;
    trail.note(Stage::Infer, began);
    Ok(vec![probabilities(&scores, judge.head.labels().len())?])
}

/// The model's input, from whichever of the two inputs was sent.
fn pixels_of(
    judge: &JudgeSpec,
    lane: &Lane,
    inputs: Vec<NamedTensor>,
    limits: &PictureLimits,
    trail: &mut Trail,
) -> Result<Vec<f32>, Refusal> {
    let expected = || {
        let [height, width] = [judge.preprocessing.fields().height, judge.preprocessing.fields().width];
        format!(
            "exactly one input is expected: {:?} FP32 [-1,3,{height},{width}], or \"{PICTURES}\" BYTES [-1,1]",
            judge.input
        )
    };
    let [input] = <[NamedTensor; 1]>::try_from(inputs)
        .map_err(|inputs| Refusal::invalid("inputs", format!("{}; got {}", expected(), inputs.len())))?;
    let NamedTensor { name, tensor } = input;
    match tensor.data() {
        TensorData::Elements(pictures) if name == PICTURES => match *tensor.shape() {
            [_] | [_, 1] if !pictures.is_empty() => decode_all(judge, lane, pictures, limits, trail),
            _ => Err(Refusal::invalid(
                "inputs[0].shape",
                format!("expected [-1,1], got {:?}", tensor.shape()),
            )),
        },
        TensorData::Numbers(_) if name == judge.input && tensor.datatype() == DataType::F32 => floats(judge, &tensor),
        TensorData::Elements(_) | TensorData::Numbers(_) => {
            let got = format!("got {name:?} {} {:?}", tensor.datatype(), tensor.shape());
            Err(Refusal::invalid("inputs[0]", format!("{}; {got}", expected())))
        }
    }
}

fn decode_all(
    judge: &JudgeSpec,
    lane: &Lane,
    pictures: &[Bytes],
    limits: &PictureLimits,
    trail: &mut Trail,
) -> Result<Vec<f32>, Refusal> {
    let mut all = Vec::with_capacity(pictures.len() * judge.preprocessing.tensor_len());
    for (index, encoded) in pictures.iter().enumerate() {
        lane.check().map_err(abandoned)?;
        let (decoded, tensor) = pixels(encoded, judge, limits, lane, trail)
            .map_err(|error| Refusal::invalid(format!("inputs[0] element {index}"), error.to_string()))?;
        all.extend_from_slice(&tensor);
        lane.workspace().give_back(decoded, tensor);
    }
    Ok(all)
}

/// An FP32 tensor of pictures, as numbers.
fn floats(judge: &JudgeSpec, tensor: &Tensor) -> Result<Vec<f32>, Refusal> {
    let [height, width] = [judge.preprocessing.fields().height, judge.preprocessing.fields().width].map(i64::from);
    let shape = tensor.shape();
    match (shape, tensor.to_f32()) {
        (&[pictures, 3, h, w], Some(numbers)) if pictures > 0 && h == height && w == width => Ok(numbers),
        _ => Err(Refusal::invalid(
            "inputs[0].shape",
            format!("expected [-1,3,{height},{width}], got {shape:?}"),
        )),
    }
}

fn probabilities(scores: &[Vec<LabelScore>], labels: usize) -> Result<NamedTensor, Refusal> {
    let numbers: Vec<f32> = scores.iter().flatten().map(|score| score.probability.get()).collect();
    let tensor = Tensor::f32(vec![scores.len() as i64, labels as i64], &numbers)
        .map_err(|error| Refusal::internal(error.to_string()))?;
    Ok(NamedTensor {
        name: PROBABILITIES.to_owned(),
        tensor,
    })
}
