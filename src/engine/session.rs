//! One loaded model that one caller at a time runs.
//!
//! A session computes on its caller's thread, and on as many more as it is told: no pool but that, no spinning, so that the
//! threads that may be busy together are counted in one place, the executor. Outputs are copied out before a run returns: nothing outside holds the
//! native session. Whatever the runtime or its binding does with a hostile file, an error value comes out; what would
//! take the process down is stopped in the child process that proves a candidate first.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ort::session::builder::{AutoDevicePolicy, GraphOptimizationLevel, SessionBuilder};
use ort::session::{RunOptions, SessionInputValue};
use ort::value::TensorRef;
use serde::{Deserialize, Serialize};

use super::runtime::Runtime;
use super::signature::Signature;
use super::tensor::NamedTensor;
use super::values;

/// Inputs above this many bytes give their working memory back after the run, so that one large request is not paid for
/// ever.
const LARGE_INPUT_BYTES: usize = 4 << 20;

/// How far ONNX Runtime rewrites the graph before running it. It changes answers in the last bits, so it is part of a
/// revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimization {
    None,
    Basic,
    Extended,
    #[default]
    All,
}

/// Why a model cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The bytes are at fault: they will not load however often it is tried.
    #[error("{0}")]
    Content(String),
    /// Memory could not be had.
    #[error("not enough memory to load it: {0}")]
    Memory(String),
    /// Anything that may pass.
    #[error("{0}")]
    Passing(String),
}

/// Why a run gave no outputs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The caller's input is not what the model takes.
    #[error("input {name:?}: {message}")]
    Input { name: String, message: String },
    /// The caller asks for an output that the model does not give.
    #[error("output {name:?}: {message}")]
    Output { name: String, message: String },
    /// Memory could not be had.
    #[error("not enough memory to run the model: {0}")]
    Memory(String),
    /// The model failed on these inputs.
    #[error("the model failed: {0}")]
    Failed(String),
}

/// A loaded model.
pub struct Session {
    native: ort::session::Session,
    signature: Signature,
    /// Where FP32 inputs are put that do not lie as the runtime wants them; kept from run to run.
    aligned: Vec<Vec<f32>>,
}

impl Session {
    /// Loads the model at `onnx`. External data is looked for beside it; operators of unknown domains are refused.
    ///
    /// `fixed_shapes` says that every run has inputs of the same shapes, which lets the runtime plan its memory once. A run is spread over so many
    /// `threads`, the caller's among them.
    ///
    /// # Errors
    /// See [`SessionError`]. Never panics, whatever the file holds.
    pub fn load(
        runtime: &Runtime,
        onnx: &Path,
        optimization: Optimization,
        fixed_shapes: bool,
        threads: usize,
    ) -> Result<Self, SessionError> {
        // An unreadable file is told apart from a bad one before the runtime words it.
        std::fs::File::open(onnx)
            .map_err(|error| SessionError::Passing(format!("open {}: {error}", onnx.display())))?;
        let load = || {
            let mut builder = builder(runtime, optimization, fixed_shapes, threads)?;
            builder.commit_from_file(onnx)
        };
        let native = catch_unwind(AssertUnwindSafe(load))
            .map_err(|_| SessionError::Content("the model declares inputs or outputs that cannot be read".into()))?
            .map_err(|error| {
                let message = plain(&error.to_string(), onnx);
                if values::is_out_of_memory(&message) {
                    SessionError::Memory(message)
                } else {
                    SessionError::Content(format!("ONNX Runtime cannot load it: {message}"))
                }
            })?;
        let signature = values::signature_of(&native).map_err(SessionError::Content)?;
        Ok(Self {
            native,
            signature,
            aligned: Vec::new(),
        })
    }

    /// What the model takes and gives.
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Runs the model. Gives the outputs of these names in this order; all of them, in the model's order, when none is
    /// named.
    ///
    /// # Errors
    /// See [`RunError`].
    pub fn run(&mut self, inputs: &[NamedTensor], outputs: &[String]) -> Result<Vec<NamedTensor>, RunError> {
        self.signature.check(inputs, outputs)?;
        let bytes: usize = inputs.iter().map(|input| input.tensor.byte_len()).sum();
        self.aligned.resize_with(inputs.len(), Vec::new);
        let mut given: Vec<(&str, SessionInputValue)> = Vec::with_capacity(inputs.len());
        for (input, aligned) in inputs.iter().zip(&mut self.aligned) {
            let value = match values::lent(input, aligned)? {
                Some(lent) => SessionInputValue::from(lent),
                None => SessionInputValue::from(values::to_native(input)?),
            };
            given.push((input.name.as_str(), value));
        }
        let names: Vec<&str> = match outputs {
            [] => self.signature.outputs.iter().map(|spec| spec.name.as_str()).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        let native = &mut self.native;
        let outputs = guarded(|| {
            let mut options = RunOptions::new().map_err(failed)?;
            if bytes > LARGE_INPUT_BYTES {
                options
                    .set("memory.enable_memory_arena_shrinkage", "cpu:0")
                    .map_err(failed)?;
            }
            let found = native.run_with_options(given, &options).map_err(failed)?;
            let copy = |name: &str| {
                let value = found
                    .get(name)
                    .ok_or_else(|| RunError::Failed(format!("output {name:?} is absent")))?;
                Ok(NamedTensor {
                    name: name.into(),
                    tensor: values::from_native(name, value)?,
                })
            };
            names.into_iter().map(copy).collect()
        });
        if bytes > LARGE_INPUT_BYTES {
            self.aligned.clear();
        }
        outputs
    }

    /// Runs a model of one `FP32` input on borrowed numbers; gives one `FP32` output: its shape and its numbers.
    ///
    /// # Errors
    /// When the numbers do not fill the shape, the model fails, or the output is no `FP32` tensor.
    pub fn run_f32(
        &mut self,
        input: (&str, &[i64]),
        numbers: &[f32],
        output: &str,
    ) -> Result<(Vec<i64>, Vec<f32>), RunError> {
        let (name, shape) = input;
        let native = &mut self.native;
        guarded(|| {
            let tensor = TensorRef::from_array_view((shape, numbers)).map_err(|error| RunError::Input {
                name: name.into(),
                message: error.to_string(),
            })?;
            let given = vec![(name, SessionInputValue::from(tensor))];
            let found = native.run(given).map_err(failed)?;
            let value = found
                .get(output)
                .ok_or_else(|| RunError::Failed(format!("output {output:?} is absent")))?;
            let (shape, numbers) = value
                .try_extract_tensor::<f32>()
                .map_err(|error| RunError::Failed(format!("output {output:?}: {error}")))?;
            Ok((shape.to_vec(), numbers.to_vec()))
        })
    }
}

fn builder(
    runtime: &Runtime,
    optimization: Optimization,
    fixed_shapes: bool,
    threads: usize,
) -> ort::Result<SessionBuilder> {
    let level = match optimization {
        Optimization::None => GraphOptimizationLevel::Disable,
        Optimization::Basic => GraphOptimizationLevel::Level1,
        Optimization::Extended => GraphOptimizationLevel::Level2,
        Optimization::All => GraphOptimizationLevel::All,
    };
    let builder = ort::session::Session::builder(runtime.environment())?
        .with_optimization_level(level)?
        .with_intra_threads(threads.max(1))?
        .with_inter_threads(1)?
        .with_parallel_execution(false)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .with_memory_pattern(fixed_shapes)?
        .with_auto_device(AutoDevicePolicy::PreferCPU)?;
    Ok(builder)
}

/// A panic in the binding becomes a failed run.
fn guarded<T>(run: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(RunError::Failed("its outputs cannot be read".into())))
}

fn failed(error: ort::Error) -> RunError {
    let message = values::one_line(&error.to_string());
    if values::is_out_of_memory(&message) {
        RunError::Memory(message)
    } else {
        RunError::Failed(message)
    }
}

/// The runtime's message without this machine's paths.
fn plain(message: &str, onnx: &Path) -> String {
    let file = onnx.file_name().unwrap_or_default().to_string_lossy();
    let message = message.replace(&*onnx.to_string_lossy(), &file);
    let folder = onnx.parent().unwrap_or(Path::new("")).to_string_lossy();
    values::one_line(&if folder.is_empty() {
        message
    } else {
        message.replace(&*folder, ".")
    })
}
