//! From logits to one calibrated probability per label.
//!
//! Pure, and computed in double precision: the same logits give the same probabilities on every machine. A number that
//! is none (NaN, infinite) is an error value here and so can never become a verdict.

use serde::{Deserialize, Serialize};

use crate::base::{Label, LabelScore, Probability};

/// How logits become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Each label by itself: labels are independent.
    Sigmoid,
    /// Over all labels: exactly one applies.
    Softmax,
    /// The model gives probabilities itself.
    None,
}

/// Platt scaling, per label: `activation(scale * logit + offset)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    pub scale: Vec<f64>,
    pub offset: Vec<f64>,
}

/// Why a head cannot be made, or cannot judge what a model gave.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum HeadError {
    #[error("labels: none are given: name at least one")]
    NoLabels,
    #[error("labels: {0} is named twice: name each label once")]
    LabelTwice(Label),
    #[error("calibration.{field}: expected {expected} finite numbers, one a label, got {got}")]
    WrongCalibration {
        field: &'static str,
        expected: usize,
        got: String,
    },
    #[error("the model gave {got} numbers for {expected} labels")]
    WrongCount { expected: usize, got: usize },
    #[error("the model gave {value} for {label}: not a finite number")]
    NotFinite { label: Label, value: f32 },
    #[error("the model gave {value} for {label}: not a probability, although its activation is \"none\"")]
    NotAProbability { label: Label, value: f64 },
}

/// What turns one picture's logits into scores: labels in output order, activation, calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HeadFields", into = "HeadFields")]
pub struct Head {
    labels: Vec<Label>,
    activation: Activation,
    calibration: Option<Calibration>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadFields {
    labels: Vec<Label>,
    activation: Activation,
    calibration: Option<Calibration>,
}

impl TryFrom<HeadFields> for Head {
    type Error = HeadError;

    fn try_from(fields: HeadFields) -> Result<Self, HeadError> {
        Self::new(fields.labels, fields.activation, fields.calibration)
    }
}

impl From<Head> for HeadFields {
    fn from(head: Head) -> Self {
        Self {
            labels: head.labels,
            activation: head.activation,
            calibration: head.calibration,
        }
    }
}

impl Head {
    /// A head for labels in output order.
    ///
    /// # Errors
    /// When there is no label, one is named twice, or the calibration does not give each label finite numbers.
    pub fn new(
        labels: Vec<Label>,
        activation: Activation,
        calibration: Option<Calibration>,
    ) -> Result<Self, HeadError> {
        if labels.is_empty() {
            return Err(HeadError::NoLabels);
        }
        if let Some(twice) = labels
            .iter()
            .enumerate()
            .find(|(at, label)| labels[..*at].contains(label))
        {
            return Err(HeadError::LabelTwice(twice.1.clone()));
        }
        if let Some(calibration) = &calibration {
            check_numbers("scale", &calibration.scale, labels.len())?;
            check_numbers("offset", &calibration.offset, labels.len())?;
        }
        Ok(Self {
            labels,
            activation,
            calibration,
        })
    }

    /// The labels in output order.
    pub fn labels(&self) -> &[Label] {
        &self.labels
    }

    /// How logits become probabilities.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The scaling before the activation, where there is one.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The probabilities of one picture's logits, one a label, in the order of the labels.
    ///
    /// # Errors
    /// When the count is wrong, a logit is not finite, or with [`Activation::None`] a number is no probability.
    pub fn probabilities(&self, logits: &[f32]) -> Result<Vec<LabelScore>, HeadError> {
        if logits.len() != self.labels.len() {
            return Err(HeadError::WrongCount {
                expected: self.labels.len(),
                got: logits.len(),
            });
        }
        if let Some((label, value)) = self.labels.iter().zip(logits).find(|(_, value)| !value.is_finite()) {
            return Err(HeadError::NotFinite {
                label: label.clone(),
                value: *value,
            });
        }
        let scaled = self.scale(logits);
        let activated = match self.activation {
            Activation::Sigmoid => scaled.into_iter().map(sigmoid).collect(),
            Activation::Softmax => softmax(&scaled),
            Activation::None => scaled,
        };
        let scores = self.labels.iter().zip(activated).map(|(label, value)| {
            let probability = Probability::new(value as f32).ok_or_else(|| HeadError::NotAProbability {
                label: label.clone(),
                value,
            })?;
            Ok(LabelScore {
                label: label.clone(),
                probability,
            })
        });
        scores.collect()
    }

    fn scale(&self, logits: &[f32]) -> Vec<f64> {
        let wide = logits.iter().map(|logit| f64::from(*logit));
        match &self.calibration {
            None => wide.collect(),
            Some(Calibration { scale, offset }) => wide
                .zip(scale.iter().zip(offset))
                .map(|(logit, (scale, offset))| scale * logit + offset)
                .collect(),
        }
    }
}

fn check_numbers(field: &'static str, numbers: &[f64], expected: usize) -> Result<(), HeadError> {
    if numbers.len() != expected {
        return Err(HeadError::WrongCalibration {
            field,
            expected,
            got: numbers.len().to_string(),
        });
    }
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(HeadError::WrongCalibration {
            field,
            expected,
            got: number.to_string(),
        }),
        None => Ok(()),
    }
}

/// Written so that neither side overflows: an extreme logit gives 0 or 1, never NaN.
fn sigmoid(value: f64) -> f64 {
    if value >= 0.0 {
        1.0 / (1.0 + (-value).exp())
    } else {
        let raised = value.exp();
        raised / (1.0 + raised)
    }
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = values.iter().map(|value| (value - greatest).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels(count: usize) -> Vec<Label> {
        (0..count)
            .map(|index| format!("label_{index}").parse().unwrap())
            .collect()
    }

    fn head(activation: Activation, calibration: Option<Calibration>) -> Head {
        Head::new(labels(2), activation, calibration).unwrap()
    }

    fn numbers(scores: &[LabelScore]) -> Vec<f32> {
        scores.iter().map(|score| score.probability.get()).collect()
    }

    #[test]
    fn calibration_comes_before_the_activation() {
        let calibration = Calibration {
            scale: vec![2.0, 1.0],
            offset: vec![-1.0, 0.0],
        };
        let scores = head(Activation::Sigmoid, Some(calibration))
            .probabilities(&[0.5, 0.0])
            .unwrap();
        assert_eq!(numbers(&scores), [0.5, 0.5]);
        let scores = head(Activation::Softmax, None).probabilities(&[3.0, 3.0]).unwrap();
        assert_eq!(numbers(&scores), [0.5, 0.5]);
    }

    #[test]
    fn a_number_that_is_none_is_an_error_value() {
        for activation in [Activation::Sigmoid, Activation::Softmax, Activation::None] {
            for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let refused = head(activation, None).probabilities(&[0.0, bad]).unwrap_err();
                assert!(matches!(refused, HeadError::NotFinite { .. }), "{refused}");
            }
        }
        let refused = head(Activation::None, None).probabilities(&[0.5, 1.5]).unwrap_err();
        assert!(matches!(refused, HeadError::NotAProbability { .. }), "{refused}");
        let refused = head(Activation::None, None).probabilities(&[0.5]).unwrap_err();
        assert_eq!(refused, HeadError::WrongCount { expected: 2, got: 1 });
    }

    #[test]
    fn a_head_that_cannot_judge_cannot_be_made() {
        assert_eq!(Head::new(vec![], Activation::None, None), Err(HeadError::NoLabels));
        let twice = [labels(1), labels(1)].concat();
        assert!(matches!(
            Head::new(twice, Activation::None, None),
            Err(HeadError::LabelTwice(_))
        ));
        for scale in [vec![1.0], vec![1.0, f64::NAN]] {
            let calibration = Calibration {
                scale,
                offset: vec![0.0; 2],
            };
            let refused = Head::new(labels(2), Activation::Sigmoid, Some(calibration));
            assert!(
                matches!(refused, Err(HeadError::WrongCalibration { field: "scale", .. })),
                "{refused:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn every_finite_logit_gives_a_probability(logits in prop::array::uniform2(prop::num::f32::NORMAL), scale in -1e6..1e6) {
            for activation in [Activation::Sigmoid, Activation::Softmax] {
                let calibration = Calibration { scale: vec![scale; 2], offset: vec![-scale; 2] };
                prop_assert_eq!(head(activation, Some(calibration)).probabilities(&logits).unwrap().len(), 2);
            }
        }
    }
}
