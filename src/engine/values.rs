//! Between our tensors and the runtime's values.
//!
//! The only place with raw memory of the runtime in hand. Both sides hold numbers little-endian and row-major on the
//! machines that are built for, so that numbers of every type are copied as bytes.

use bytes::Bytes;
use ort::memory::Allocator;
use ort::value::{DynTensor, DynTensorValueType, DynValue, Shape, TensorElementType, TensorRef, ValueType};

use super::session::RunError;
use super::signature::{Signature, TensorSpec};
use super::tensor::{DataType, NamedTensor, Tensor, TensorData, TensorError};

#[cfg(target_endian = "big")]
compile_error!("tensors are copied as little-endian bytes");

/// The longest message of the runtime that is passed on.
const LONGEST_MESSAGE_CHARS: usize = 600;

/// A tensor as the runtime takes it, copied.
pub(super) fn to_native(input: &NamedTensor) -> Result<DynValue, RunError> {
    let refuse = |message: String| RunError::Input {
        name: input.name.clone(),
        message,
    };
    let shape = input.tensor.shape().to_vec();
    match input.tensor.data() {
        TensorData::Numbers(bytes) if input.tensor.datatype() == DataType::Bool => {
            // The runtime may take any byte but 0 and 1 for either: truth is settled here.
            let truths: Vec<bool> = bytes.iter().map(|byte| *byte != 0).collect();
            let value = ort::value::Tensor::from_array((shape, truths)).map_err(|error| refuse(error.to_string()))?;
            Ok(value.into_dyn())
        }
        TensorData::Numbers(bytes) => {
            let element = native_type(input.tensor.datatype());
            let mut value = DynTensor::new(&Allocator::default(), element, Shape::new(shape))
                .map_err(|error| allocation_failed(&error.to_string()))?;
            if !bytes.is_empty() {
                // SAFETY: the runtime has just allocated the elements of this shape and type, on the processor's
                // memory, for us alone; a tensor's bytes fill its shape exactly, which its constructor checked, so that
                // both have this length.
                unsafe {
                    value
                        .data_ptr_mut()
                        .cast::<u8>()
                        .copy_from_nonoverlapping(bytes.as_ptr(), bytes.len())
                };
            }
            Ok(value.into_dyn())
        }
        TensorData::Elements(elements) => {
            let text = |bytes: &Bytes| std::str::from_utf8(bytes).map(str::to_owned);
            let texts: Result<Vec<String>, _> = elements.iter().map(text).collect();
            let texts =
                texts.map_err(|error| refuse(format!("the model takes texts, and one is not UTF-8: {error}")))?;
            let value = ort::value::Tensor::from_string_array((shape, texts.as_slice()))
                .map_err(|error| refuse(format!("the model takes texts: {error}")))?;
            Ok(value.into_dyn())
        }
    }
}

/// An FP32 tensor as the runtime takes it without a copy where its bytes lie on a boundary of four, else copied once into `aligned`. None for other
/// types.
pub(super) fn lent<'a>(
    input: &'a NamedTensor,
    aligned: &'a mut Vec<f32>,
) -> Result<Option<TensorRef<'a, f32>>, RunError> {
    let (TensorData::Numbers(bytes), DataType::F32) = (input.tensor.data(), input.tensor.datatype()) else {
        return Ok(None);
    };
    // SAFETY: any four bytes are a number of 32 bits.
    let numbers = match unsafe { bytes.align_to::<f32>() } {
        ([], numbers, []) => numbers,
        _ => {
            let (quads, _) = bytes.as_chunks::<4>();
            aligned.clear();
            aligned.extend(quads.iter().map(|quad| f32::from_le_bytes(*quad)));
            aligned.as_slice()
        }
    };
    let shape = input.tensor.shape().to_vec();
    let lent = TensorRef::from_array_view((shape, numbers)).map_err(|error| RunError::Input {
        name: input.name.clone(),
        message: error.to_string(),
    })?;
    Ok(Some(lent))
}

/// A value of the runtime as a tensor, copied.
pub(super) fn from_native(name: &str, value: &DynValue) -> Result<Tensor, RunError> {
    let unreadable = |message: String| RunError::Failed(format!("output {name:?}: {message}"));
    let tensor = value
        .view()
        .downcast::<DynTensorValueType>()
        .map_err(|error| unreadable(error.to_string()))?;
    let datatype = our_type(*tensor.data_type()).map_err(unreadable)?;
    let shape = tensor.shape().to_vec();
    let made = if datatype == DataType::Bytes {
        let (_, texts) = tensor
            .try_extract_strings()
            .map_err(|error| unreadable(error.to_string()))?;
        Tensor::elements(shape, texts.into_iter().map(Bytes::from).collect())
    } else {
        let bytes = bytes_of(&tensor, datatype).map_err(|error| unreadable(error.to_string()))?;
        Tensor::numbers(datatype, shape, bytes)
    };
    made.map_err(|error| unreadable(error.to_string()))
}

fn bytes_of(tensor: &DynTensor, datatype: DataType) -> Result<Bytes, TensorError> {
    let too_large = || TensorError::TooLarge(tensor.shape().to_vec());
    let size = datatype.element_bytes().ok_or(TensorError::NotNumbers(datatype))?;
    let length = tensor.shape().iter().try_fold(size, |bytes, dimension| {
        bytes.checked_mul(usize::try_from(*dimension).ok()?)
    });
    let length = length
        .filter(|bytes| isize::try_from(*bytes).is_ok())
        .ok_or_else(too_large)?;
    let start = tensor.data_ptr().cast::<u8>();
    if length == 0 || start.is_null() {
        return Ok(Bytes::new());
    }
    // SAFETY: sessions run on the processor alone, so that the data lies in this process's memory; the runtime holds
    // this many elements of this size there, and nothing writes to them while the value is borrowed.
    Ok(Bytes::copy_from_slice(unsafe {
        std::slice::from_raw_parts(start, length)
    }))
}

/// What a loaded model takes and gives; an error in words where it is no tensor of a type that can be sent.
pub(super) fn signature_of(session: &ort::session::Session) -> Result<Signature, String> {
    let specs = |outlets: &[ort::value::Outlet], kind: &str| -> Result<Vec<TensorSpec>, String> {
        let spec = |outlet: &ort::value::Outlet| {
            let name = outlet.name().to_owned();
            match outlet.dtype() {
                ValueType::Tensor { ty, shape, .. } => {
                    let datatype = our_type(*ty).map_err(|message| format!("{kind} {name:?}: {message}"))?;
                    Ok(TensorSpec {
                        name,
                        datatype,
                        shape: shape.iter().map(|size| (*size).max(-1)).collect(),
                    })
                }
                other @ (ValueType::Sequence(_) | ValueType::Map { .. } | ValueType::Optional(_)) => {
                    Err(format!("{kind} {name:?} is {other}: only tensors can be served"))
                }
            }
        };
        outlets.iter().map(spec).collect()
    };
    Ok(Signature {
        inputs: specs(session.inputs(), "input")?,
        outputs: specs(session.outputs(), "output")?,
    })
}

fn native_type(datatype: DataType) -> TensorElementType {
    match datatype {
        DataType::Bool => TensorElementType::Bool,
        DataType::U8 => TensorElementType::Uint8,
        DataType::U16 => TensorElementType::Uint16,
        DataType::U32 => TensorElementType::Uint32,
        DataType::U64 => TensorElementType::Uint64,
        DataType::I8 => TensorElementType::Int8,
        DataType::I16 => TensorElementType::Int16,
        DataType::I32 => TensorElementType::Int32,
        DataType::I64 => TensorElementType::Int64,
        DataType::F16 => TensorElementType::Float16,
        DataType::Bf16 => TensorElementType::Bfloat16,
        DataType::F32 => TensorElementType::Float32,
        DataType::F64 => TensorElementType::Float64,
        DataType::Bytes => TensorElementType::String,
    }
}

fn our_type(element: TensorElementType) -> Result<DataType, String> {
    let known = DataType::ALL
        .into_iter()
        .find(|datatype| native_type(*datatype) == element);
    known.ok_or_else(|| format!("elements of type {element} cannot be served"))
}

fn allocation_failed(message: &str) -> RunError {
    RunError::Memory(one_line(message))
}

/// Whether the runtime's message says that memory could not be had; it has no code for it.
pub(super) fn is_out_of_memory(message: &str) -> bool {
    let signs = [
        "bad_alloc",
        "bad allocation",
        "Failed to allocate memory",
        "Cannot allocate memory",
        "out of memory",
    ];
    signs.iter().any(|sign| message.contains(sign))
}

/// A message on one line, not longer than people read.
pub(super) fn one_line(message: &str) -> String {
    let mut line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(LONGEST_MESSAGE_CHARS) {
        line.truncate(end);
        line.push('…');
    }
    line
}
