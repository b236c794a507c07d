//! What a model takes and gives: names, types and shapes.
//!
//! Checking a caller's tensors against it is pure and happens before a session is touched, so that a mistake is told in
//! our words, with what was expected and what was sent, and never depends on how the runtime words it.

use super::session::RunError;
use super::tensor::{DataType, NamedTensor, Tensor};

/// One input or output of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    pub name: String,
    pub datatype: DataType,
    /// The dimensions; -1 where any size will do.
    pub shape: Vec<i64>,
}

impl TensorSpec {
    /// Whether a tensor's shape is one of this one's.
    pub fn takes_shape(&self, shape: &[i64]) -> bool {
        let agree = |(expected, got): (&i64, &i64)| *expected == -1 || expected == got;
        self.shape.len() == shape.len() && self.shape.iter().zip(shape).all(agree)
    }

    fn check(&self, tensor: &Tensor) -> Result<(), RunError> {
        if tensor.datatype() != self.datatype {
            let message = format!("expected {}, got {}", self.datatype, tensor.datatype());
            return Err(RunError::Input {
                name: self.name.clone(),
                message,
            });
        }
        if !self.takes_shape(tensor.shape()) {
            let message = format!(
                "expected shape {:?} (-1 is any size), got {:?}",
                self.shape,
                tensor.shape()
            );
            return Err(RunError::Input {
                name: self.name.clone(),
                message,
            });
        }
        Ok(())
    }
}

/// The inputs and outputs of a model, in its own order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub inputs: Vec<TensorSpec>,
    pub outputs: Vec<TensorSpec>,
}

impl Signature {
    /// The input of a name.
    pub fn input(&self, name: &str) -> Option<&TensorSpec> {
        self.inputs.iter().find(|spec| spec.name == name)
    }

    /// The output of a name.
    pub fn output(&self, name: &str) -> Option<&TensorSpec> {
        self.outputs.iter().find(|spec| spec.name == name)
    }

    /// Checks that a call gives every input once, of the right type and shape, and asks for outputs that exist.
    ///
    /// # Errors
    /// [`RunError::Input`] or [`RunError::Output`], with what was expected and what was sent.
    pub fn check(&self, inputs: &[NamedTensor], outputs: &[String]) -> Result<(), RunError> {
        for (position, named) in inputs.iter().enumerate() {
            let refuse = |message: String| {
                Err(RunError::Input {
                    name: named.name.clone(),
                    message,
                })
            };
            let Some(spec) = self.input(&named.name) else {
                return refuse(format!("the model has no such input: it takes {}", names(&self.inputs)));
            };
            if inputs[..position].iter().any(|earlier| earlier.name == named.name) {
                return refuse("sent twice: send each input once".into());
            }
            spec.check(&named.tensor)?;
        }
        if let Some(absent) = self
            .inputs
            .iter()
            .find(|spec| !inputs.iter().any(|named| named.name == spec.name))
        {
            let message = format!(
                "missing: send {} of shape {:?} (-1 is any size)",
                absent.datatype, absent.shape
            );
            return Err(RunError::Input {
                name: absent.name.clone(),
                message,
            });
        }
        if let Some(name) = outputs.iter().find(|name| self.output(name).is_none()) {
            let message = format!("the model has no such output: it gives {}", names(&self.outputs));
            return Err(RunError::Output {
                name: name.clone(),
                message,
            });
        }
        Ok(())
    }
}

fn names(specs: &[TensorSpec]) -> String {
    let quoted: Vec<String> = specs.iter().map(|spec| format!("{:?}", spec.name)).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature() -> Signature {
        let spec = |name: &str, shape: &[i64]| TensorSpec {
            name: name.into(),
            datatype: DataType::F32,
            shape: shape.to_vec(),
        };
        Signature {
            inputs: vec![spec("a", &[-1, 2]), spec("b", &[1])],
            outputs: vec![spec("out", &[-1])],
        }
    }

    fn input(name: &str, shape: &[i64]) -> NamedTensor {
        let count = usize::try_from(shape.iter().product::<i64>()).unwrap();
        NamedTensor {
            name: name.into(),
            tensor: Tensor::f32(shape.to_vec(), &vec![0.0; count]).unwrap(),
        }
    }

    #[test]
    fn a_mistake_is_told_with_what_was_expected_and_what_was_sent() {
        let cases: [(Vec<NamedTensor>, &[&str], &str); 6] = [
            (
                vec![input("a", &[1, 3]), input("b", &[1])],
                &[],
                "input \"a\": expected shape [-1, 2] (-1 is any size), got [1, 3]",
            ),
            (
                vec![input("a", &[2]), input("b", &[1])],
                &[],
                "input \"a\": expected shape [-1, 2] (-1 is any size), got [2]",
            ),
            (
                vec![input("a", &[1, 2])],
                &[],
                "input \"b\": missing: send FP32 of shape [1] (-1 is any size)",
            ),
            (
                vec![input("a", &[1, 2]), input("b", &[1]), input("c", &[1])],
                &[],
                "input \"c\": the model has no such input: it takes \"a\", \"b\"",
            ),
            (
                vec![input("a", &[1, 2]), input("b", &[1]), input("b", &[1])],
                &[],
                "input \"b\": sent twice: send each input once",
            ),
            (
                vec![input("a", &[1, 2]), input("b", &[1])],
                &["logits"],
                "output \"logits\": the model has no such output: it gives \"out\"",
            ),
        ];
        for (inputs, outputs, expected) in cases {
            let outputs: Vec<String> = outputs.iter().map(|name| (*name).into()).collect();
            assert_eq!(signature().check(&inputs, &outputs).unwrap_err().to_string(), expected);
        }
        assert_eq!(
            signature().check(&[input("b", &[1]), input("a", &[7, 2])], &["out".into()]),
            Ok(())
        );
    }
}
