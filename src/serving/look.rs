//! Looking at a picture: on one core, from encoded bytes to scores.
//!
//! Decoding and inference stay on the core that took the job, and between them the caller is asked for: if it has left, or its
//! time is up, the rest is not computed.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tracing::info_span;

use super::trail::Trail;
use crate::base::{Digest, LabelScore, Picture, Refusal};
use crate::engine;
use crate::executor::{Abandoned, JudgeSpec, Lane, RunError};
use crate::plan::Served;
use crate::preprocess::{self, Decoded, PictureError, PictureLimits};
use crate::tap::Seen;
use crate::telemetry::Stage;

/// What came of looking at a product's picture.
pub(super) struct Sight {
    /// SHA-256 of the encoded bytes; none without a picture.
    pub sha256: Option<Digest>,
    pub outcome: Outcome,
}

/// Scores, or the cause in words why there are none.
pub(super) enum Outcome {
    Scored {
        scores: Vec<LabelScore>,
        seen: Option<Seen>,
    },
    Unreadable {
        cause: String,
    },
}

impl Sight {
    /// What is seen of a product that came without a picture.
    pub fn missing() -> Self {
        let cause = "the product has no picture".to_owned();
        Self {
            sha256: None,
            outcome: Outcome::Unreadable { cause },
        }
    }
}

/// Whether what was seen is kept for a shadow.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Seen,
    Nothing,
}

/// Everything that looking needs; it travels to the core that takes it.
pub(super) struct Look {
    pub encoded: Bytes,
    pub served: Arc<Served>,
    pub limits: PictureLimits,
    pub keep: Keep,
}

impl Look {
    /// Looks at the picture, if there is one to look at.
    pub fn at(picture: &Picture, served: &Arc<Served>, limits: PictureLimits, keep: Keep) -> Option<Self> {
        match picture {
            Picture::Missing => None,
            Picture::Encoded(encoded) => Some(Self {
                encoded: encoded.clone(),
                served: Arc::clone(served),
                limits,
                keep,
            }),
        }
    }

    /// Hashes, decodes, makes the tensor and runs the model. Called on a core.
    pub fn run(self, lane: &Lane, trail: &mut Trail) -> Result<Sight, Refusal> {
        let sha256 = Digest(Sha256::digest(&self.encoded).into());
        let judge = self.served.executor.spec().judge.as_ref().ok_or_else(judges_nothing)?;
        let (decoded, tensor) = match pixels(&self.encoded, judge, &self.limits, trail) {
            Ok(pixels) => pixels,
            Err(error) => return unreadable(sha256, &error),
        };
        lane.check().map_err(abandoned)?;
        let began = Instant::now();
        let scores = info_span!("infer").in_scope(|| self.served.executor.judge(lane, &tensor));
        trail.note(Stage::Infer, began);
        let scores = scores.map_err(refused_run)?;
        let seen = (self.keep == Keep::Seen).then(|| Seen {
            encoded: self.encoded,
            decoded,
            tensor,
        });
        Ok(Sight {
            sha256: Some(sha256),
            outcome: Outcome::Scored { scores, seen },
        })
    }
}

/// Decodes a picture as a revision's manifest says, and makes its input of it.
pub(super) fn pixels(
    encoded: &[u8],
    judge: &JudgeSpec,
    limits: &PictureLimits,
    trail: &mut Trail,
) -> Result<(Decoded, Vec<f32>), PictureError> {
    let began = Instant::now();
    let options = judge.preprocessing.decode_options();
    let decoded = info_span!("decode").in_scope(|| preprocess::decode(encoded, &options, limits));
    trail.note(Stage::Decode, began);
    let decoded = decoded?;
    let began = Instant::now();
    let tensor = info_span!("prepare").in_scope(|| preprocess::to_tensor(&decoded, &judge.preprocessing));
    trail.note(Stage::Prepare, began);
    Ok((decoded, tensor))
}

pub(super) fn judges_nothing() -> Refusal {
    Refusal::invalid("model", "it has no version.toml, so it judges no pictures")
}

pub(super) fn refused_run(error: RunError) -> Refusal {
    match error {
        RunError::Engine(engine::RunError::Input { name, message }) => {
            Refusal::invalid(format!("inputs[{name:?}]"), message)
        }
        RunError::Engine(engine::RunError::Output { name, message }) => {
            Refusal::invalid(format!("outputs[{name:?}]"), message)
        }
        RunError::Abandoned(why) => abandoned(why),
        RunError::NotAJudge => judges_nothing(),
        RunError::Engine(engine::RunError::Memory(_) | engine::RunError::Failed(_))
        | RunError::Head(_)
        | RunError::Shape { .. } => {
            tracing::error!(%error, "a model failed on a request");
            Refusal::internal("the model failed on this input")
        }
    }
}

pub(super) fn abandoned(why: Abandoned) -> Refusal {
    match why {
        Abandoned::CallerLeft => Refusal::cancelled(),
        Abandoned::DeadlinePassed => Refusal::deadline(),
    }
}

/// A picture beyond a limit is refused; any other that cannot be read is judged by the policy.
fn unreadable(sha256: Digest, error: &PictureError) -> Result<Sight, Refusal> {
    if error.is_over_limit() {
        return Err(Refusal::invalid("product.image", error.to_string()));
    }
    let outcome = Outcome::Unreadable {
        cause: error.to_string(),
    };
    Ok(Sight {
        sha256: Some(sha256),
        outcome,
    })
}
