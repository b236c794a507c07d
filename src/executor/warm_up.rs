//! The first runs of a session, before anybody waits for one.
//!
//! A first run allocates what later runs reuse, and shows what loading does not: a small file may take gigabytes or a
//! minute once it runs. A judging model must give scores for a grey picture here. Of a tensor model nothing is known
//! but its declared shapes, so that an error on zeros proves nothing about it; want of memory does.

use super::loaded::{RunError, Trouble, judge_logits};
use super::spec::JudgeSpec;
use crate::engine::{self, DataType, NamedTensor, Session, Signature, Tensor, TensorSpec};

/// The second run takes the memory plan that the first one made.
const RUNS: usize = 2;
/// Declared inputs above this many bytes are not made up for warming up.
const LARGEST_INPUT_BYTES: usize = 64 << 20;

pub(super) fn warm_up(session: &mut Session, judge: Option<&JudgeSpec>) -> Result<(), Trouble> {
    match judge {
        Some(judge) => {
            let grey = vec![0.0; judge.preprocessing.tensor_len()];
            for _ in 0..RUNS {
                let logits = judge_logits(session, judge, 1, &grey).map_err(|error| named(error.into()))?;
                let scored = judge.head.probabilities(&logits);
                scored.map_err(|error| named(RunError::from(error).into()))?;
            }
            Ok(())
        }
        None => warm_up_tensors(session),
    }
}

fn warm_up_tensors(session: &mut Session) -> Result<(), Trouble> {
    let Some(inputs) = zeros(session.signature()) else {
        return Ok(());
    };
    for _ in 0..RUNS {
        if let Err(error @ engine::RunError::Memory(_)) = session.run(&inputs, &[]) {
            return Err(Trouble::Memory(error.to_string()));
        }
    }
    Ok(())
}

fn named(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Content(reason) => Trouble::Content(format!("on a plain grey picture, {reason}")),
        other @ (Trouble::Memory(_) | Trouble::Passing(_)) => other,
    }
}

/// Zeros for every input, 1 for every free dimension; none where that would be too large.
fn zeros(signature: &Signature) -> Option<Vec<NamedTensor>> {
    signature
        .inputs
        .iter()
        .map(|spec| {
            Some(NamedTensor {
                name: spec.name.clone(),
                tensor: zero(spec)?,
            })
        })
        .collect()
}

fn zero(spec: &TensorSpec) -> Option<Tensor> {
    let shape: Vec<i64> = spec
        .shape
        .iter()
        .map(|size| if *size == -1 { 1 } else { *size })
        .collect();
    let element = spec.datatype.element_bytes().unwrap_or(size_of::<String>());
    let bytes = shape
        .iter()
        .try_fold(element, |bytes, size| bytes.checked_mul(usize::try_from(*size).ok()?))?;
    if bytes > LARGEST_INPUT_BYTES {
        return None;
    }
    match spec.datatype {
        DataType::Bytes => Tensor::elements(shape, vec![bytes::Bytes::new(); bytes / element]).ok(),
        number => Tensor::numbers(number, shape, vec![0; bytes].into()).ok(),
    }
}
