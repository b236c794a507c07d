//! Tensors in and out of messages of the Open Inference Protocol.
//!
//! Values come raw (one entry for each input, little-endian) or typed (one repeated field by data type), never both in one request. They
//! go out raw, always: clients read nothing else. A slice of the message is kept where that is possible, never a copy.

use bytes::{BufMut, Bytes, BytesMut};

use crate::base::Refusal;
use crate::engine::{DataType, NamedTensor, Tensor, TensorData, TensorError};
use crate::wire::inference::infer_parameter::ParameterChoice;
use crate::wire::inference::model_infer_request::InferInputTensor;
use crate::wire::inference::model_infer_response::InferOutputTensor;
use crate::wire::inference::{InferParameter, InferTensorContents};

/// The parameter that puts a tensor into shared memory.
pub const SHARED_MEMORY: &str = "shared_memory_region";

/// The inputs of a request, each checked to fill its shape.
///
/// # Errors
/// `InvalidArgument` with the field's path, what was expected and what was sent; `Unsupported` for shared memory.
pub fn inputs(inputs: Vec<InferInputTensor>, raw: Vec<Bytes>) -> Result<Vec<NamedTensor>, Refusal> {
    if let Some(input) = inputs.iter().find(|input| input.parameters.contains_key(SHARED_MEMORY)) {
        return Err(no_shared_memory(&input.name));
    }
    if raw.is_empty() {
        return inputs
            .into_iter()
            .enumerate()
            .map(|(i, input)| typed_input(i, input))
            .collect();
    }
    if let Some((i, _)) = inputs.iter().enumerate().find(|(_, input)| input.contents.is_some()) {
        let message = "is given beside raw_input_contents: send every input raw or every input typed";
        return Err(Refusal::invalid(format!("inputs[{i}].contents"), message));
    }
    if raw.len() != inputs.len() {
        let message = format!(
            "expected one entry for each of the {} inputs, got {}",
            inputs.len(),
            raw.len()
        );
        return Err(Refusal::invalid("raw_input_contents", message));
    }
    let pairs = inputs.into_iter().zip(raw).enumerate();
    pairs.map(|(i, (input, raw))| raw_input(i, input, raw)).collect()
}

/// What a request for shared memory is told.
pub fn no_shared_memory(name: &str) -> Refusal {
    Refusal::unsupported(format!(
        "{name:?} is in shared memory, which is not offered: send the values in the message"
    ))
}

/// The answer's tensors: what they are, and their values as raw entries in the same order.
pub fn outputs(outputs: Vec<NamedTensor>) -> (Vec<InferOutputTensor>, Vec<Bytes>) {
    let described = |NamedTensor { name, tensor }: NamedTensor| {
        let described = InferOutputTensor {
            name,
            datatype: tensor.datatype().as_str().to_owned(),
            shape: tensor.shape().to_vec(),
            ..InferOutputTensor::default()
        };
        (described, raw_bytes(tensor.into_data()))
    };
    outputs.into_iter().map(described).unzip()
}

/// A whole number of a request, by the spellings that clients use for one.
pub fn whole_number(field: &str, parameter: &InferParameter) -> Result<u64, Refusal> {
    let number = match &parameter.parameter_choice {
        Some(ParameterChoice::Int64Param(number)) => u64::try_from(*number).ok(),
        Some(ParameterChoice::Uint64Param(number)) => Some(*number),
        Some(ParameterChoice::BoolParam(_) | ParameterChoice::StringParam(_) | ParameterChoice::DoubleParam(_))
        | None => None,
    };
    number.ok_or_else(|| Refusal::invalid(field, "a whole number of 0 or more is expected"))
}

fn typed_input(i: usize, input: InferInputTensor) -> Result<NamedTensor, Refusal> {
    let datatype = datatype(i, &input.datatype)?;
    let field = format!("inputs[{i}].contents");
    let contents = input.contents.unwrap_or_default();
    let tensor = match typed_data(&field, datatype, contents)? {
        TensorData::Numbers(bytes) => Tensor::numbers(datatype, input.shape, bytes),
        TensorData::Elements(elements) => Tensor::elements(input.shape, elements),
    };
    named(input.name, tensor, field)
}

fn raw_input(i: usize, input: InferInputTensor, raw: Bytes) -> Result<NamedTensor, Refusal> {
    let datatype = datatype(i, &input.datatype)?;
    let field = format!("raw_input_contents[{i}]");
    let tensor = match datatype.element_bytes() {
        Some(_) => Tensor::numbers(datatype, input.shape, raw),
        None => Tensor::elements(input.shape, elements(&field, raw)?),
    };
    named(input.name, tensor, field)
}

fn named(name: String, tensor: Result<Tensor, TensorError>, field: String) -> Result<NamedTensor, Refusal> {
    match tensor {
        Ok(tensor) => Ok(NamedTensor { name, tensor }),
        Err(error) => Err(Refusal::invalid(field, format!("input {name:?}: {error}"))),
    }
}

fn datatype(i: usize, text: &str) -> Result<DataType, Refusal> {
    text.parse()
        .map_err(|error: TensorError| Refusal::invalid(format!("inputs[{i}].datatype"), error.to_string()))
}

/// The elements of a raw `BYTES` entry: each its length in four bytes, and then itself.
fn elements(field: &str, mut raw: Bytes) -> Result<Vec<Bytes>, Refusal> {
    let mut elements = Vec::new();
    while !raw.is_empty() {
        let cut = || {
            let message = format!(
                "element {} is cut off: four bytes of length and then so many are expected",
                elements.len()
            );
            Refusal::invalid(field, message)
        };
        let length: [u8; 4] = *raw.first_chunk().ok_or_else(cut)?;
        let end = usize::try_from(u32::from_le_bytes(length))
            .ok()
            .and_then(|length| length.checked_add(4));
        let end = end.filter(|end| *end <= raw.len()).ok_or_else(cut)?;
        elements.push(raw.split_to(end).slice(4..));
    }
    Ok(elements)
}

/// The one field of the contents that belongs to a data type.
fn typed_data(field: &str, datatype: DataType, contents: InferTensorContents) -> Result<TensorData, Refusal> {
    use DataType as T;
    let expected = match datatype {
        T::Bool => "bool_contents",
        T::I8 | T::I16 | T::I32 => "int_contents",
        T::I64 => "int64_contents",
        T::U8 | T::U16 | T::U32 => "uint_contents",
        T::U64 => "uint64_contents",
        T::F32 => "fp32_contents",
        T::F64 => "fp64_contents",
        T::Bytes => "bytes_contents",
        T::F16 | T::Bf16 => {
            return Err(Refusal::invalid(
                field,
                format!("{datatype} has no typed form: send it in raw_input_contents"),
            ));
        }
    };
    if let Some(other) = filled(&contents).into_iter().find(|name| *name != expected) {
        return Err(Refusal::invalid(
            field,
            format!("{datatype} travels in {expected}, got {other}"),
        ));
    }
    let numbers = match datatype {
        T::Bytes => return Ok(TensorData::Elements(contents.bytes_contents)),
        T::Bool => contents.bool_contents.into_iter().map(u8::from).collect(),
        T::I8 => narrowed(field, datatype, &contents.int_contents, |n: i8| n.to_le_bytes())?,
        T::I16 => narrowed(field, datatype, &contents.int_contents, |n: i16| n.to_le_bytes())?,
        T::I32 => little_endian(&contents.int_contents, i32::to_le_bytes),
        T::I64 => little_endian(&contents.int64_contents, i64::to_le_bytes),
        T::U8 => narrowed(field, datatype, &contents.uint_contents, |n: u8| n.to_le_bytes())?,
        T::U16 => narrowed(field, datatype, &contents.uint_contents, |n: u16| n.to_le_bytes())?,
        T::U32 => little_endian(&contents.uint_contents, u32::to_le_bytes),
        T::U64 => little_endian(&contents.uint64_contents, u64::to_le_bytes),
        T::F32 => little_endian(&contents.fp32_contents, f32::to_le_bytes),
        T::F64 => little_endian(&contents.fp64_contents, f64::to_le_bytes),
        T::F16 | T::Bf16 => Vec::new(),
    };
    Ok(TensorData::Numbers(numbers.into()))
}

/// The names of the fields that hold something.
fn filled(contents: &InferTensorContents) -> Vec<&'static str> {
    let fields = [
        ("bool_contents", contents.bool_contents.is_empty()),
        ("int_contents", contents.int_contents.is_empty()),
        ("int64_contents", contents.int64_contents.is_empty()),
        ("uint_contents", contents.uint_contents.is_empty()),
        ("uint64_contents", contents.uint64_contents.is_empty()),
        ("fp32_contents", contents.fp32_contents.is_empty()),
        ("fp64_contents", contents.fp64_contents.is_empty()),
        ("bytes_contents", contents.bytes_contents.is_empty()),
    ];
    fields
        .into_iter()
        .filter(|(_, empty)| !empty)
        .map(|(name, _)| name)
        .collect()
}

fn little_endian<T: Copy, const N: usize>(numbers: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    numbers.iter().flat_map(|number| bytes(*number)).collect()
}

/// Numbers of 32 bits as the narrower type that they stand for.
fn narrowed<T: Copy + std::fmt::Display, U: TryFrom<T>, const N: usize>(
    field: &str,
    datatype: DataType,
    numbers: &[T],
    bytes: impl Fn(U) -> [u8; N],
) -> Result<Vec<u8>, Refusal> {
    let mut narrow = Vec::with_capacity(numbers.len() * N);
    for number in numbers {
        let fitting = U::try_from(*number)
            .map_err(|_| Refusal::invalid(field, format!("{number} is outside the range of {datatype}")))?;
        narrow.extend_from_slice(&bytes(fitting));
    }
    Ok(narrow)
}

fn raw_bytes(data: TensorData) -> Bytes {
    match data {
        TensorData::Numbers(bytes) => bytes,
        TensorData::Elements(elements) => {
            let mut raw = BytesMut::with_capacity(elements.iter().map(|element| element.len() + 4).sum());
            for element in elements {
                // An element came in a message or from a model, and neither reaches 4 GiB; what did would be cut here, not mixed up.
                let length = u32::try_from(element.len()).unwrap_or(u32::MAX);
                raw.put_u32_le(length);
                raw.extend_from_slice(element.get(..length as usize).unwrap_or(&element));
            }
            raw.freeze()
        }
    }
}

#[cfg(test)]
#[path = "tensor_tests.rs"]
mod tests;
