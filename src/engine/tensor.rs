//! Tensors as values: a type of element, a shape, and the elements as they travel on the wire.
//!
//! Numbers are little-endian, row-major bytes, so that a tensor passes from a message to a session without being
//! rewritten element by element on the way. A tensor whose bytes do not fill its shape cannot be made. Nothing here
//! knows a model.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I8,
    I16,
    I32,
    I64,
    F16,
    Bf16,
    F32,
    F64,
    /// Texts or any bytes, of any length each.
    Bytes,
}

impl DataType {
    /// Every type.
    pub const ALL: [Self; 14] = [
        Self::Bool,
        Self::U8,
        Self::U16,
        Self::U32,
        Self::U64,
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::F16,
        Self::Bf16,
        Self::F32,
        Self::F64,
        Self::Bytes,
    ];

    /// The bytes of one element; none where each element has its own length.
    pub fn element_bytes(self) -> Option<usize> {
        match self {
            Self::Bool | Self::U8 | Self::I8 => Some(1),
            Self::U16 | Self::I16 | Self::F16 | Self::Bf16 => Some(2),
            Self::U32 | Self::I32 | Self::F32 => Some(4),
            Self::U64 | Self::I64 | Self::F64 => Some(8),
            Self::Bytes => None,
        }
    }

    /// The name in the Open Inference Protocol (`FP32`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "BOOL",
            Self::U8 => "UINT8",
            Self::U16 => "UINT16",
            Self::U32 => "UINT32",
            Self::U64 => "UINT64",
            Self::I8 => "INT8",
            Self::I16 => "INT16",
            Self::I32 => "INT32",
            Self::I64 => "INT64",
            Self::F16 => "FP16",
            Self::Bf16 => "BF16",
            Self::F32 => "FP32",
            Self::F64 => "FP64",
            Self::Bytes => "BYTES",
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DataType {
    type Err = TensorError;

    fn from_str(text: &str) -> Result<Self, TensorError> {
        let known = Self::ALL.into_iter().find(|datatype| datatype.as_str() == text);
        known.ok_or_else(|| TensorError::UnknownType(text.into()))
    }
}

/// Why a tensor cannot be made. Each says what was expected and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TensorError {
    #[error(
        "{0:?} is not a data type: BOOL, UINT8 to UINT64, INT8 to INT64, FP16, BF16, FP32, FP64 or BYTES is expected"
    )]
    UnknownType(String),
    #[error("shape {0:?} has a negative dimension: every dimension of a tensor is 0 or more")]
    NegativeDimension(Vec<i64>),
    #[error("shape {0:?} holds more elements than can be counted")]
    TooLarge(Vec<i64>),
    #[error("{datatype} of shape {shape:?} takes {expected} bytes, got {got}")]
    WrongByteCount {
        datatype: DataType,
        shape: Vec<i64>,
        expected: usize,
        got: usize,
    },
    #[error("BYTES of shape {shape:?} takes {expected} elements, got {got}")]
    WrongElementCount {
        shape: Vec<i64>,
        expected: usize,
        got: usize,
    },
    #[error("{0} elements are texts or bytes, not numbers of a fixed size")]
    NotNumbers(DataType),
}

/// The elements of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TensorData {
    /// Numbers and truth values, little-endian and row-major.
    Numbers(Bytes),
    /// The elements of a `BYTES` tensor, row-major.
    Elements(Vec<Bytes>),
}

/// A tensor whose data fills its shape exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    datatype: DataType,
    shape: Vec<i64>,
    data: TensorData,
}

impl Tensor {
    /// A tensor of numbers (or of truth values, a byte each).
    ///
    /// # Errors
    /// When `datatype` is `BYTES`, the shape is not one, or the bytes do not fill it.
    pub fn numbers(datatype: DataType, shape: Vec<i64>, data: Bytes) -> Result<Self, TensorError> {
        let size = datatype.element_bytes().ok_or(TensorError::NotNumbers(datatype))?;
        let expected = element_count(&shape)?
            .checked_mul(size)
            .filter(|bytes| isize::try_from(*bytes).is_ok())
            .ok_or_else(|| TensorError::TooLarge(shape.clone()))?;
        if data.len() != expected {
            let got = data.len();
            return Err(TensorError::WrongByteCount {
                datatype,
                shape,
                expected,
                got,
            });
        }
        Ok(Self {
            datatype,
            shape,
            data: TensorData::Numbers(data),
        })
    }

    /// A `BYTES` tensor.
    ///
    /// # Errors
    /// When the shape is not one, or the elements do not fill it.
    pub fn elements(shape: Vec<i64>, elements: Vec<Bytes>) -> Result<Self, TensorError> {
        let expected = element_count(&shape)?;
        if elements.len() != expected {
            let got = elements.len();
            return Err(TensorError::WrongElementCount { shape, expected, got });
        }
        Ok(Self {
            datatype: DataType::Bytes,
            shape,
            data: TensorData::Elements(elements),
        })
    }

    /// An `FP32` tensor of these numbers.
    ///
    /// # Errors
    /// When the shape is not one, or the numbers do not fill it.
    pub fn f32(shape: Vec<i64>, numbers: &[f32]) -> Result<Self, TensorError> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        Self::numbers(DataType::F32, shape, bytes.into())
    }

    /// What the elements are.
    pub fn datatype(&self) -> DataType {
        self.datatype
    }

    /// The dimensions, each 0 or more.
    pub fn shape(&self) -> &[i64] {
        &self.shape
    }

    /// The elements.
    pub fn data(&self) -> &TensorData {
        &self.data
    }

    /// The elements, taken out.
    pub fn into_data(self) -> TensorData {
        self.data
    }

    /// The numbers of an `FP32` tensor; none for any other type.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        match (&self.data, self.datatype) {
            (TensorData::Numbers(bytes), DataType::F32) => {
                let (numbers, _) = bytes.as_chunks::<4>();
                Some(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
            }
            (TensorData::Numbers(_) | TensorData::Elements(_), _) => None,
        }
    }

    /// The memory that the elements take, in bytes.
    pub fn byte_len(&self) -> usize {
        match &self.data {
            TensorData::Numbers(bytes) => bytes.len(),
            TensorData::Elements(elements) => elements.iter().map(Bytes::len).sum(),
        }
    }
}

/// A tensor under the name that the model gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTensor {
    pub name: String,
    pub tensor: Tensor,
}

/// The number of elements of a shape.
fn element_count(shape: &[i64]) -> Result<usize, TensorError> {
    if shape.iter().any(|dimension| *dimension < 0) {
        return Err(TensorError::NegativeDimension(shape.to_vec()));
    }
    // Folding over all dimensions would call [2^40, 2^40, 0] too large although it holds nothing; the runtime
    // multiplies without looking for a zero first, so such a shape is refused here.
    let count = shape.iter().try_fold(1_usize, |count, dimension| {
        count.checked_mul(usize::try_from(*dimension).ok()?)
    });
    count
        .filter(|count| isize::try_from(*count).is_ok())
        .ok_or_else(|| TensorError::TooLarge(shape.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_must_fill_the_shape() {
        let refused = Tensor::numbers(DataType::F32, vec![2, 3], Bytes::from_static(&[0; 23])).unwrap_err();
        assert_eq!(refused.to_string(), "FP32 of shape [2, 3] takes 24 bytes, got 23");
        let refused = Tensor::elements(vec![2], vec![Bytes::new()]).unwrap_err();
        assert_eq!(refused.to_string(), "BYTES of shape [2] takes 2 elements, got 1");
        assert_eq!(
            Tensor::elements(vec![], vec![Bytes::new()]).unwrap().shape(),
            &[] as &[i64]
        );
    }

    #[test]
    fn the_names_of_types_read_back() {
        for datatype in DataType::ALL {
            assert_eq!(datatype.as_str().parse(), Ok(datatype));
        }
        assert!("FP8".parse::<DataType>().is_err());
    }

    #[test]
    fn numbers_read_back() {
        let tensor = Tensor::f32(vec![1, 3], &[1.5, -0.0, f32::MAX]).unwrap();
        assert_eq!(tensor.to_f32().unwrap(), [1.5, -0.0, f32::MAX]);
    }

    proptest! {
        #[test]
        fn no_shape_panics(shape in prop::collection::vec(any::<i64>(), 0..6), bytes in 0_usize..64) {
            for datatype in DataType::ALL {
                let _ = Tensor::numbers(datatype, shape.clone(), vec![0; bytes].into());
            }
            let _ = Tensor::elements(shape, vec![Bytes::new(); bytes]);
        }
    }
}
