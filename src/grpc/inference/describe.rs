//! What a server and a model say of themselves.
//!
//! A model whose tensors all begin with a free dimension takes batches, and its configuration leaves that dimension out, as Triton has
//! it. A `config.pbtxt` is given as it stands, completed from the model where it is silent.

use crate::engine::{DataType, TensorSpec};
use crate::serving::ModelDescription;
use crate::wire::inference::model_config::SchedulingChoice;
use crate::wire::inference::model_metadata_response::TensorMetadata;
use crate::wire::inference::model_version_policy::{Latest, PolicyChoice};
use crate::wire::inference::{
    DataType as WireType, ModelConfig, ModelInput, ModelInstanceGroup, ModelMetadataResponse, ModelOutput,
    ModelResponseCache, ModelTransactionPolicy, ModelVersionPolicy, model_input, model_instance_group,
};

/// What `ServerMetadata` tells.
pub struct Server {
    pub name: &'static str,
    pub version: &'static str,
    /// Only what is offered.
    pub extensions: &'static [&'static str],
}

/// This server.
pub const SERVER: Server = Server {
    name: "vigie",
    version: env!("CARGO_PKG_VERSION"),
    extensions: &[
        "classification",
        "model_configuration",
        "model_repository",
        "parameters",
        "statistics",
    ],
};

const PLATFORM: &str = "onnxruntime_onnx";
const BACKEND: &str = "onnxruntime";

/// The batch that the configuration of a model without one tells. More is taken, as far as a message reaches.
const MAX_BATCH: i32 = 64;

/// The tensors that callers send and receive.
pub fn metadata(described: ModelDescription) -> ModelMetadataResponse {
    let tensor = |spec: TensorSpec| TensorMetadata {
        name: spec.name,
        datatype: spec.datatype.as_str().to_owned(),
        shape: spec.shape,
    };
    ModelMetadataResponse {
        name: described.model.to_string(),
        versions: described.versions.iter().map(ToString::to_string).collect(),
        platform: PLATFORM.to_owned(),
        inputs: described.signature.inputs.into_iter().map(tensor).collect(),
        outputs: described.signature.outputs.into_iter().map(tensor).collect(),
    }
}

/// The configuration: the operator's where there is one, completed by what the model itself says.
pub fn config(described: &ModelDescription) -> ModelConfig {
    let mut config = described
        .triton
        .as_deref()
        .cloned()
        .unwrap_or_else(|| of_its_own(described));
    let batched = config.max_batch_size > 0;
    // A judging model is called by its own two inputs and its probabilities, whatever a configuration says of its tensors.
    let judging = !described.labels.is_empty();
    if config.input.is_empty() || judging {
        config.input = described
            .signature
            .inputs
            .iter()
            .map(|spec| input(spec, batched, judging))
            .collect();
    }
    if config.output.is_empty() || judging {
        config.output = described
            .signature
            .outputs
            .iter()
            .map(|spec| output(spec, batched))
            .collect();
    }
    config.name = described.model.to_string();
    completed(config)
}

/// What stands in no `config.pbtxt`.
fn of_its_own(described: &ModelDescription) -> ModelConfig {
    let signature = &described.signature;
    let tensors = || signature.inputs.iter().chain(&signature.outputs);
    let batched = tensors().next().is_some() && tensors().all(|spec| spec.shape.first() == Some(&-1));
    ModelConfig {
        max_batch_size: if batched { MAX_BATCH } else { 0 },
        ..ModelConfig::default()
    }
}

/// The defaults that clients look for.
fn completed(mut config: ModelConfig) -> ModelConfig {
    if config.platform.is_empty() && config.backend.is_empty() {
        config.platform = PLATFORM.to_owned();
    }
    if config.backend.is_empty() {
        config.backend = BACKEND.to_owned();
    }
    if config.default_model_filename.is_empty() {
        config.default_model_filename = "model.onnx".to_owned();
    }
    config.version_policy.get_or_insert(ModelVersionPolicy {
        policy_choice: Some(PolicyChoice::Latest(Latest { num_versions: 1 })),
    });
    if config.instance_group.is_empty() {
        config.instance_group.push(ModelInstanceGroup {
            name: config.name.clone(),
            kind: model_instance_group::Kind::Cpu.into(),
            count: 1,
            ..ModelInstanceGroup::default()
        });
    }
    config
        .model_transaction_policy
        .get_or_insert(ModelTransactionPolicy { decoupled: false });
    config
        .response_cache
        .get_or_insert(ModelResponseCache { enable: false });
    if config.scheduling_choice.is_none() && config.max_batch_size > 0 {
        config.scheduling_choice = Some(SchedulingChoice::DynamicBatching(Default::default()));
    }
    config
}

fn input(spec: &TensorSpec, batched: bool, optional: bool) -> ModelInput {
    let pictures = spec.datatype == DataType::F32 && matches!(spec.shape[..], [_, 3, _, _]);
    let format = if pictures {
        model_input::Format::Nchw
    } else {
        model_input::Format::None
    };
    ModelInput {
        name: spec.name.clone(),
        data_type: wire_type(spec.datatype).into(),
        format: format.into(),
        dims: dims(spec, batched),
        optional,
        ..ModelInput::default()
    }
}

fn output(spec: &TensorSpec, batched: bool) -> ModelOutput {
    ModelOutput {
        name: spec.name.clone(),
        data_type: wire_type(spec.datatype).into(),
        dims: dims(spec, batched),
        ..ModelOutput::default()
    }
}

fn dims(spec: &TensorSpec, batched: bool) -> Vec<i64> {
    spec.shape.iter().skip(usize::from(batched)).copied().collect()
}

fn wire_type(datatype: DataType) -> WireType {
    match datatype {
        DataType::Bool => WireType::TypeBool,
        DataType::U8 => WireType::TypeUint8,
        DataType::U16 => WireType::TypeUint16,
        DataType::U32 => WireType::TypeUint32,
        DataType::U64 => WireType::TypeUint64,
        DataType::I8 => WireType::TypeInt8,
        DataType::I16 => WireType::TypeInt16,
        DataType::I32 => WireType::TypeInt32,
        DataType::I64 => WireType::TypeInt64,
        DataType::F16 => WireType::TypeFp16,
        DataType::Bf16 => WireType::TypeBf16,
        DataType::F32 => WireType::TypeFp32,
        DataType::F64 => WireType::TypeFp64,
        DataType::Bytes => WireType::TypeString,
    }
}
