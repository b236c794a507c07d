//! Messages from the network: whatever their bytes are, a request becomes tensors that fill their shapes, or is refused with a reason.
//!
//! The first byte of an input chooses the message; the rest is read as Protocol Buffers, as a server reads it.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use prost::Message;
use vigie::base::Priority;
use vigie::engine::{NamedTensor, TensorData};
use vigie::grpc::tensor;
use vigie::wire::inference::ModelInferRequest;
use vigie::wire::inference::model_infer_request::InferInputTensor;
use vigie::wire::vigie::ClassifyRequest;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((choice, message)) = input.split_first() else {
        return Corpus::Reject;
    };
    let is_message = if choice % 2 == 0 {
        infer(message)
    } else {
        classify(message)
    };
    if is_message { Corpus::Keep } else { Corpus::Reject }
});

fn infer(message: &[u8]) -> bool {
    let Ok(request) = ModelInferRequest::decode(message) else {
        return false;
    };
    if let Ok(inputs) = tensor::inputs(request.inputs, request.raw_input_contents) {
        inputs.iter().for_each(fills_its_shape);
        comes_back(inputs);
    }
    true
}

fn fills_its_shape(input: &NamedTensor) {
    let shape = input.tensor.shape();
    let elements = if shape.contains(&0) {
        0
    } else {
        shape.iter().product::<i64>()
    };
    match (input.tensor.data(), input.tensor.datatype().element_bytes()) {
        (TensorData::Numbers(bytes), Some(size)) => assert_eq!(bytes.len() as i64, elements * size as i64),
        (TensorData::Elements(parts), None) => assert_eq!(parts.len() as i64, elements),
        (TensorData::Numbers(_), None) | (TensorData::Elements(_), Some(_)) => panic!("data of another type"),
    }
}

/// What is sent back raw is read again as the same tensors.
fn comes_back(inputs: Vec<NamedTensor>) {
    let (described, raw) = tensor::outputs(inputs.clone());
    let asked = described.into_iter().map(|output| InferInputTensor {
        name: output.name,
        datatype: output.datatype,
        shape: output.shape,
        ..InferInputTensor::default()
    });
    let again = tensor::inputs(asked.collect(), raw).expect("what we write we read");
    assert!(again == inputs, "other tensors after writing and reading");
}

fn classify(message: &[u8]) -> bool {
    let Ok(request) = ClassifyRequest::decode(message) else {
        return false;
    };
    if let Err(refusal) = request.into_classification(Priority::Live) {
        assert!(!refusal.to_string().trim().is_empty(), "refused without a reason");
    }
    true
}
