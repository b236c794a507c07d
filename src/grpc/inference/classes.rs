//! The classification extension: instead of an output's numbers, its greatest few as texts `value:index:label`.

use std::cmp::Ordering;

use bytes::Bytes;

use crate::base::{Label, Refusal};
use crate::engine::{NamedTensor, Tensor};
use crate::grpc::tensor::whole_number;
use crate::wire::inference::model_infer_request::InferRequestedOutputTensor;

/// The parameter that asks for it.
const PARAMETER: &str = "classification";

/// An output that is wanted as its greatest values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classes {
    output: String,
    count: usize,
}

/// The outputs that are wanted so.
pub fn classes_asked(outputs: &[InferRequestedOutputTensor]) -> Result<Vec<Classes>, Refusal> {
    let mut asked = Vec::new();
    for (i, output) in outputs.iter().enumerate() {
        let Some(parameter) = output.parameters.get(PARAMETER) else {
            continue;
        };
        let count = whole_number(&format!("outputs[{i}].parameters[\"{PARAMETER}\"]"), parameter)?;
        // Nothing asked for is what clients send who do not want it.
        if count > 0 {
            asked.push(Classes {
                output: output.name.clone(),
                count: usize::try_from(count).unwrap_or(usize::MAX),
            });
        }
    }
    Ok(asked)
}

impl Classes {
    /// The outputs with this one replaced: `[rows, classes]` of FP32 become `[rows, count]` of BYTES.
    pub fn of(&self, mut outputs: Vec<NamedTensor>, labels: &[Label]) -> Result<Vec<NamedTensor>, Refusal> {
        for output in outputs.iter_mut().filter(|output| output.name == self.output) {
            output.tensor = self.greatest(&output.tensor, labels).ok_or_else(|| {
                let message = format!(
                    "output {:?} is no FP32 [rows, classes]: ask for it without {PARAMETER}",
                    self.output
                );
                Refusal::invalid("outputs", message)
            })?;
        }
        Ok(outputs)
    }

    fn greatest(&self, tensor: &Tensor, labels: &[Label]) -> Option<Tensor> {
        let numbers = tensor.to_f32()?;
        let (&classes, _) = tensor.shape().split_last()?;
        let classes = usize::try_from(classes).ok().filter(|classes| *classes > 0)?;
        let count = self.count.min(classes);
        let texts: Vec<Bytes> = numbers
            .chunks_exact(classes)
            .flat_map(|row| greatest_of(row, count, labels))
            .collect();
        let mut shape = tensor.shape().to_vec();
        *shape.last_mut()? = i64::try_from(count).ok()?;
        Tensor::elements(shape, texts).ok()
    }
}

fn greatest_of(row: &[f32], count: usize, labels: &[Label]) -> Vec<Bytes> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|a, b| row[*b].partial_cmp(&row[*a]).unwrap_or(Ordering::Equal).then(a.cmp(b)));
    let text = |index: usize| match labels.get(index) {
        Some(label) => format!("{:.6}:{index}:{label}", row[index]),
        None => format!("{:.6}:{index}", row[index]),
    };
    order
        .into_iter()
        .take(count)
        .map(|index| Bytes::from(text(index)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::TensorData;

    #[test]
    fn the_greatest_come_first_with_their_labels() {
        let labels: Vec<Label> = ["a", "b", "c"].iter().map(|label| label.parse().unwrap()).collect();
        let tensor = Tensor::f32(vec![2, 3], &[0.1, 0.7, 0.2, 0.5, 0.5, 0.0]).unwrap();
        let classes = Classes {
            output: "p".into(),
            count: 2,
        };
        let outputs = classes
            .of(
                vec![NamedTensor {
                    name: "p".into(),
                    tensor,
                }],
                &labels,
            )
            .unwrap();
        assert_eq!(outputs[0].tensor.shape(), [2, 2]);
        let TensorData::Elements(texts) = outputs[0].tensor.data() else {
            panic!("texts are expected")
        };
        let texts: Vec<&str> = texts.iter().map(|text| std::str::from_utf8(text).unwrap()).collect();
        assert_eq!(texts, ["0.700000:1:b", "0.200000:2:c", "0.500000:0:a", "0.500000:1:b"]);
    }

    #[test]
    fn what_has_no_classes_is_refused() {
        let classes = Classes {
            output: "p".into(),
            count: 1,
        };
        let scalar = NamedTensor {
            name: "p".into(),
            tensor: Tensor::f32(vec![], &[1.0]).unwrap(),
        };
        assert!(classes.of(vec![scalar], &[]).is_err());
    }
}
