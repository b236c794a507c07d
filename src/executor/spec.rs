//! What a revision is to whoever loads it: the model file, and for a judging model how pictures go in and scores come
//! out.
//!
//! It is plain data, so that it can be sent to the child process that proves a candidate. Whether a model's own
//! signature agrees with it is decided here, purely, in words that say what to change.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::base::{ModelName, RevisionId};
use crate::engine::{DataType, Head, Optimization, Signature};
use crate::preprocess::Preprocessing;

/// A revision to load.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevisionSpec {
    pub model: ModelName,
    pub revision: RevisionId,
    /// The model file; external data lies beside it.
    pub onnx: PathBuf,
    pub optimization: Optimization,
    /// None for a plain tensor model.
    pub judge: Option<JudgeSpec>,
}

/// How a model judges pictures.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JudgeSpec {
    /// The input's name: FP32 `[-1, 3, height, width]`.
    pub input: String,
    /// The output's name: FP32 `[-1, labels]`.
    pub output: String,
    pub head: Head,
    pub preprocessing: Preprocessing,
    pub golden: Vec<GoldenCase>,
    /// The largest absolute difference of a probability from its golden score.
    pub tolerance: f32,
}

/// A picture and the scores that the model must give it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoldenCase {
    /// The picture's file.
    pub file: PathBuf,
    /// One score a label, in output order.
    pub scores: Vec<f32>,
}

impl JudgeSpec {
    /// The shape of one picture's tensor: `[1, 3, height, width]`.
    pub fn input_shape(&self) -> [i64; 4] {
        let fields = self.preprocessing.fields();
        [1, 3, i64::from(fields.height), i64::from(fields.width)]
    }

    /// The shape of one picture's logits: `[1, labels]`.
    pub fn output_shape(&self) -> [i64; 2] {
        let labels = i64::try_from(self.head.labels().len()).expect("labels are held in memory");
        [1, labels]
    }

    /// Whether a model of this signature can judge as specified.
    ///
    /// # Errors
    /// A sentence that says what the model has and what was expected.
    pub fn check(&self, signature: &Signature) -> Result<(), String> {
        let input = signature.input(&self.input).ok_or_else(|| {
            let found: Vec<&str> = signature.inputs.iter().map(|spec| spec.name.as_str()).collect();
            format!("[input] name is {:?}, but the model's inputs are {found:?}", self.input)
        })?;
        let expected = self.input_shape();
        if input.datatype != DataType::F32 || !input.takes_shape(&expected) {
            return Err(format!(
                "input {:?} is {} {:?}, but [preprocessing] gives FP32 {expected:?}",
                self.input, input.datatype, input.shape
            ));
        }
        if let Some(other) = signature.inputs.iter().find(|spec| spec.name != self.input) {
            return Err(format!(
                "the model also needs input {:?}: a judging model takes one picture",
                other.name
            ));
        }
        let output = signature.output(&self.output).ok_or_else(|| {
            let found: Vec<&str> = signature.outputs.iter().map(|spec| spec.name.as_str()).collect();
            format!(
                "[output] name is {:?}, but the model's outputs are {found:?}",
                self.output
            )
        })?;
        let expected = self.output_shape();
        if output.datatype != DataType::F32 || !output.takes_shape(&expected) {
            return Err(format!(
                "output {:?} is {} {:?}, but {} labels need FP32 {expected:?}",
                self.output,
                output.datatype,
                output.shape,
                self.head.labels().len()
            ));
        }
        Ok(())
    }
}
