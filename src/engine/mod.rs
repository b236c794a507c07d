//! ONNX models at work: the runtime library, sessions, tensors, and what turns logits into probabilities.
//!
//! The only room that names `ort`. It is synchronous and knows no thread but the caller's: who runs which session when
//! is the executor's affair. It knows neither pictures nor policies; a session takes named tensors and gives named
//! tensors.

mod head;
mod runtime;
mod session;
mod signature;
mod tensor;
mod values;

pub use head::{Activation, Calibration, Head, HeadError};
pub use runtime::{Runtime, RuntimeError};
pub use session::{Optimization, RunError, Session, SessionError};
pub use signature::{Signature, TensorSpec};
pub use tensor::{DataType, NamedTensor, Tensor, TensorData, TensorError};
