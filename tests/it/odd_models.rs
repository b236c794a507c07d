//! Tensor models out of the ordinary: whatever a model takes and gives, callers get it or are told what is in the way, and everybody else is served on.

use bytes::Bytes;
use tonic::{Code, Status};
use vigie::grpc::generated::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use vigie::wire::inference::model_infer_request::{InferInputTensor, InferRequestedOutputTensor};
use vigie::wire::inference::{InferTensorContents, ModelInferRequest, ModelInferResponse};

use super::support::client::catalogue;
use super::support::onnx::{self, Attribute, Element, Graph};
use super::support::{Launch, Place, Server};

/// A place where each of these models serves tensors beside the shipped one.
fn place_with(models: &[(&str, Vec<u8>)]) -> Place {
    let place = Place::with_versions(&[1]);
    for (name, model) in models {
        let version = place.repository().join(name).join("1");
        std::fs::create_dir_all(&version).unwrap();
        std::fs::write(version.join("model.onnx"), model).unwrap();
    }
    place
}

/// A request of a model with one input, raw.
fn raw(model: &str, input: &str, datatype: &str, shape: &[i64], bytes: impl Into<Bytes>) -> ModelInferRequest {
    ModelInferRequest {
        model_name: model.into(),
        inputs: vec![InferInputTensor {
            name: input.into(),
            datatype: datatype.into(),
            shape: shape.to_vec(),
            ..InferInputTensor::default()
        }],
        raw_input_contents: vec![bytes.into()],
        ..ModelInferRequest::default()
    }
}

/// The same of FP32, of this number everywhere.
fn floats(model: &str, input: &str, shape: &[i64], number: f32) -> ModelInferRequest {
    let count: i64 = shape.iter().product();
    raw(model, input, "FP32", shape, number.to_le_bytes().repeat(count as usize))
}

async fn infer(server: &Server, request: ModelInferRequest) -> Result<ModelInferResponse, Status> {
    let mut client = GrpcInferenceServiceClient::new(server.channel().await);
    client.model_infer(request).await.map(tonic::Response::into_inner)
}

async fn refused(server: &Server, request: ModelInferRequest, code: Code, words: &[&str]) {
    let status = infer(server, request).await.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    for word in words {
        assert!(status.message().contains(word), "{word:?} is not in {status:?}");
    }
}

fn numbers(raw: &[u8]) -> Vec<f32> {
    let (quads, _) = raw.as_chunks::<4>();
    quads.iter().map(|quad| f32::from_le_bytes(*quad)).collect()
}

#[tokio::test]
async fn a_fixed_batch_takes_its_own_size_and_tells_it_to_those_who_send_another() {
    let place = place_with(&[("fixed", onnx::identity(Element::F32, &[4, 2]))]);
    let server = Launch::new(&place).start_ready();
    let answer = infer(&server, floats("fixed", "x", &[4, 2], 0.5)).await.unwrap();
    assert_eq!(
        (
            answer.outputs[0].shape.as_slice(),
            numbers(&answer.raw_output_contents[0])
        ),
        (&[4, 2][..], vec![0.5; 8])
    );
    for shape in [&[1, 2][..], &[5, 2], &[0, 2], &[2], &[4, 2, 1]] {
        let sent = format!("got {shape:?}");
        let words = ["inputs[\"x\"]", "[4, 2]", sent.as_str()];
        refused(&server, floats("fixed", "x", shape, 0.5), Code::InvalidArgument, &words).await;
    }
}

#[tokio::test]
async fn free_sides_take_any_size_and_fixed_channels_do_not() {
    let mean = Graph::new()
        .input("image", Element::F32, &[-1, 3, -1, -1])
        .output("mean", Element::F32, &[-1, 3, 1, 1])
        .node("GlobalAveragePool", &["image"], &["mean"], &[])
        .model();
    let place = place_with(&[("mean", mean)]);
    let server = Launch::new(&place).start_ready();
    for shape in [[1, 3, 1, 1], [2, 3, 5, 7], [1, 3, 640, 480], [3, 3, 2, 900]] {
        let answer = infer(&server, floats("mean", "image", &shape, 2.0)).await.unwrap();
        let expected = (vec![shape[0], 3, 1, 1], vec![2.0; 3 * shape[0] as usize]);
        assert_eq!(
            (answer.outputs[0].shape.clone(), numbers(&answer.raw_output_contents[0])),
            expected,
            "{shape:?}"
        );
    }
    let words = ["inputs[\"image\"]", "[-1, 3, -1, -1]", "[1, 4, 5, 5]"];
    refused(
        &server,
        floats("mean", "image", &[1, 4, 5, 5], 2.0),
        Code::InvalidArgument,
        &words,
    )
    .await;
    // Of a picture without pixels there may be no mean; that is told, if anything.
    if let Err(status) = infer(&server, floats("mean", "image", &[1, 3, 0, 5], 2.0)).await {
        assert!(
            matches!(status.code(), Code::InvalidArgument | Code::Internal),
            "{status:?}"
        );
    }
    infer(&server, floats("mean", "image", &[1, 3, 4, 4], 2.0))
        .await
        .unwrap();
}

/// As many zeros as the caller says, and their sum: a few bytes that ask for any amount of memory.
fn zeros_as_asked() -> Vec<u8> {
    Graph::new()
        .input("count", Element::I64, &[1])
        .output("sum", Element::F32, &[])
        .node("ConstantOfShape", &["count"], &["zeros"], &[])
        .node("ReduceSum", &["zeros"], &["sum"], &[("keepdims", Attribute::Int(0))])
        .model()
}

#[tokio::test]
async fn a_request_that_needs_more_memory_than_there_is_fails_alone() {
    let place = place_with(&[("zeros", zeros_as_asked())]);
    let server = Launch::new(&place).start_ready();
    let zeros = |count: i64| raw("zeros", "count", "INT64", &[1], count.to_le_bytes().to_vec());
    let before = server.memory();
    // More than any machine has addresses for, so that it is refused whatever the system promises.
    let beyond = (0..8).map(|_| infer(&server, zeros(1 << 48)));
    let others = catalogue()[..8].iter().map(|entry| server.classify(entry.question()));
    let (refused, answered) = tokio::join!(
        futures_util::future::join_all(beyond),
        futures_util::future::join_all(others)
    );
    for status in refused {
        let status = status.unwrap_err();
        assert_eq!(
            (status.code(), status.message()),
            (Code::Internal, "the model failed on this input")
        );
    }
    assert!(answered.iter().all(Result::is_ok), "{answered:?}");
    // A negative size is the model's own trouble; the next request is none.
    assert_eq!(infer(&server, zeros(-5)).await.unwrap_err().code(), Code::Internal);
    let answer = infer(&server, zeros(1000)).await.unwrap();
    assert_eq!(numbers(&answer.raw_output_contents[0]), [0.0]);
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 128 << 20, "memory grew by {grown} bytes");
    assert!(
        server
            .log()
            .iter()
            .any(|line| line.contains("WARN") && line.contains("a model failed on a request"))
    );
}

#[tokio::test]
async fn a_tensor_model_that_always_needs_more_memory_than_it_may_take_is_rejected() {
    // One number, repeated a thousand million times.
    let wide = Graph::new()
        .input("x", Element::F32, &[1])
        .output("sum", Element::F32, &[])
        .integers("times", &[1_000_000_000])
        .node("Tile", &["x", "times"], &["many"], &[])
        .node("ReduceSum", &["many"], &["sum"], &[("keepdims", Attribute::Int(0))])
        .model();
    let place = place_with(&[("wide", wide)]);
    let server = Launch::new(&place).set("MODELS__REQUIRED", "adsafety").start_ready();
    let told = server
        .watch_until(|told| {
            let mut wide = told.models.iter().filter(|found| found.model == "wide");
            wide.any(|found| found.state == "REJECTED")
        })
        .await;
    let reason = &told.models.iter().find(|found| found.model == "wide").unwrap().reason;
    assert!(reason.contains("proof.memory"), "{reason}");
    let status = infer(&server, floats("wide", "x", &[1], 1.0)).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::Unavailable | Code::NotFound),
        "{status:?}"
    );
    server.classify(catalogue()[0].question()).await.unwrap();
}

#[tokio::test]
async fn hundreds_of_outputs_come_all_or_those_that_are_asked_for_in_that_order() {
    const OUTPUTS: usize = 300;
    let names: Vec<String> = (0..OUTPUTS).map(|number| format!("plus_{number}")).collect();
    let many = names
        .iter()
        .enumerate()
        .fold(Graph::new().input("x", Element::F32, &[-1]), |graph, (number, name)| {
            let constant = format!("constant_{number}");
            graph
                .constant(&constant, &[1], &[number as f32])
                .node("Add", &["x", constant.as_str()], &[name.as_str()], &[])
                .output(name, Element::F32, &[-1])
        });
    let place = place_with(&[("many", many.model())]);
    let server = Launch::new(&place).start_ready();
    let check = |answer: &ModelInferResponse, expected: &[usize]| {
        assert_eq!(
            (answer.outputs.len(), answer.raw_output_contents.len()),
            (expected.len(), expected.len())
        );
        for ((output, raw), number) in answer.outputs.iter().zip(&answer.raw_output_contents).zip(expected) {
            assert_eq!(
                (&output.name, numbers(raw)),
                (&names[*number], vec![0.5 + *number as f32; 2])
            );
        }
    };
    let all: Vec<usize> = (0..OUTPUTS).collect();
    check(&infer(&server, floats("many", "x", &[2], 0.5)).await.unwrap(), &all);
    let asked = |names: &[&str]| ModelInferRequest {
        outputs: names
            .iter()
            .map(|name| InferRequestedOutputTensor {
                name: (*name).into(),
                ..InferRequestedOutputTensor::default()
            })
            .collect(),
        ..floats("many", "x", &[2], 0.5)
    };
    let some = asked(&["plus_299", "plus_0", "plus_150"]);
    check(&infer(&server, some).await.unwrap(), &[299, 0, 150]);
    // Nobody reads a list of hundreds: the message names the wrong one and stays short enough for a header.
    let words = ["outputs[\"plus_300\"]", "no such output"];
    refused(&server, asked(&["plus_1", "plus_300"]), Code::InvalidArgument, &words).await;
}

#[tokio::test]
async fn half_precision_comes_back_as_it_went_and_has_no_typed_form() {
    let place = place_with(&[("half", onnx::identity(Element::F16, &[-1, 2]))]);
    let server = Launch::new(&place).start_ready();
    // 1.0, -2.0, the greatest number and infinity.
    let halves: Vec<u8> = [0x3c00_u16, 0xc000, 0x7bff, 0x7c00]
        .iter()
        .flat_map(|half| half.to_le_bytes())
        .collect();
    let good = raw("half", "x", "FP16", &[2, 2], halves.clone());
    let answer = infer(&server, good.clone()).await.unwrap();
    let output = &answer.outputs[0];
    assert_eq!(
        (output.datatype.as_str(), output.shape.as_slice()),
        ("FP16", &[2, 2][..])
    );
    assert_eq!(answer.raw_output_contents, [halves]);
    let mut typed = ModelInferRequest {
        raw_input_contents: Vec::new(),
        ..good.clone()
    };
    typed.inputs[0].contents = Some(InferTensorContents {
        fp32_contents: vec![1.0; 4],
        ..InferTensorContents::default()
    });
    let words = ["inputs[0].contents", "FP16", "raw_input_contents"];
    refused(&server, typed, Code::InvalidArgument, &words).await;
    let single = floats("half", "x", &[2, 2], 1.0);
    refused(
        &server,
        single,
        Code::InvalidArgument,
        &["inputs[\"x\"]", "expected FP16, got FP32"],
    )
    .await;
    let mut short = good;
    short.raw_input_contents = vec![Bytes::from_static(&[0; 7])];
    refused(
        &server,
        short,
        Code::InvalidArgument,
        &["raw_input_contents[0]", "\"x\""],
    )
    .await;
}

/// Numbers that no picture has, sent past the decoding: the scores would be none.
#[tokio::test]
async fn numbers_that_are_none_are_refused_by_a_judging_model_and_wake_nobody() {
    let place = place_with(&[]);
    let server = Launch::new(&place).start_ready();
    let mut client = GrpcInferenceServiceClient::new(server.channel().await);
    let asked = vigie::wire::inference::ModelMetadataRequest {
        name: "adsafety".into(),
        ..Default::default()
    };
    let described = client.model_metadata(asked).await.unwrap().into_inner();
    let pixels = described.inputs.iter().find(|input| input.datatype == "FP32").unwrap();
    let shape: Vec<i64> = pixels.shape.iter().map(|side| (*side).max(1)).collect();
    let status = infer(&server, floats("adsafety", &pixels.name, &shape, f32::NAN))
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::Internal, "{status:?}");
    infer(&server, floats("adsafety", &pixels.name, &shape, 0.0))
        .await
        .unwrap();
    server.classify(catalogue()[0].question()).await.unwrap();
}
