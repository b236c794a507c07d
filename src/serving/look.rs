//! Looking at a picture: on one core, from encoded bytes to scores.
//!
//! Decoding and inference stay on the core that took the job, and between them the caller is asked for: if it has left, or its
//! time is up, the rest is not computed. Pictures that wait for the same model may share the run of it, and nothing else.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tracing::info_span;

use super::trail::Trail;
use crate::base::{Digest, Refusal};
use crate::engine;
use crate::executor::{Abandoned, JudgeSpec, Lane, PictureWork, Run, RunError, Scores};
use crate::plan::{Route, Served};
use crate::preprocess::{self, Decoded, PictureError, PictureLimits};
use crate::tap::{Pixels, Seen};
use crate::telemetry::Stage;

/// What came of looking at a product's picture.
pub(super) struct Sight {
    /// SHA-256 of the encoded bytes; none without a picture.
    pub sha256: Option<Digest>,
    /// The scores were on record.
    pub known: bool,
    pub outcome: Outcome,
}

/// Scores, or the cause in words why there are none.
pub(super) enum Outcome {
    Scored { scores: Scores, seen: Option<Seen> },
    Unreadable { cause: String },
}

impl Sight {
    /// What is seen of a product that came without a picture.
    pub fn missing() -> Self {
        let cause = "the product has no picture".to_owned();
        Self {
            sha256: None,
            known: false,
            outcome: Outcome::Unreadable { cause },
        }
    }

    /// What is seen of a picture whose scores are on record.
    pub fn known(look: Look, scores: Scores) -> Self {
        let seen = (look.keep != Keep::Nothing).then_some(Seen {
            encoded: look.encoded,
            pixels: None,
        });
        Self {
            sha256: Some(look.sha256),
            known: true,
            outcome: Outcome::Scored { scores, seen },
        }
    }
}

/// What of a picture is kept for whoever observes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The file, and what was made of it: a shadow will look at it too.
    Pixels,
    /// The file: it goes on record.
    File,
    Nothing,
}

impl Keep {
    /// What is kept of a picture that takes this route; `on_record` where pictures go on record.
    pub fn for_route(route: &Route, on_record: bool) -> Self {
        match (&route.shadow, on_record) {
            (Some(_), _) => Self::Pixels,
            (None, true) => Self::File,
            (None, false) => Self::Nothing,
        }
    }
}

/// Everything that looking needs; it travels to the core that takes it.
pub(super) struct Look {
    pub encoded: Bytes,
    pub sha256: Digest,
    pub served: Arc<Served>,
    pub limits: PictureLimits,
    pub keep: Keep,
}

/// A look on its way through a core, with the trail that it leaves.
pub(super) struct Looking {
    pub look: Look,
    pub queued: Instant,
    pub trail: Trail,
    decoded: Option<Decoded>,
}

impl Looking {
    /// A look that is left in the queue now.
    pub fn new(look: Look) -> Self {
        Self {
            look,
            queued: Instant::now(),
            trail: Trail::default(),
            decoded: None,
        }
    }

    /// A picture beyond a limit is refused; any other that cannot be read is judged by the policy.
    fn unreadable(&mut self, error: &PictureError) -> Result<(Sight, Trail), Refusal> {
        if error.is_over_limit() {
            return Err(Refusal::invalid("product.image", error.to_string()));
        }
        let outcome = Outcome::Unreadable {
            cause: error.to_string(),
        };
        let sight = Sight {
            sha256: Some(self.look.sha256),
            known: false,
            outcome,
        };
        Ok((sight, std::mem::take(&mut self.trail)))
    }
}

impl PictureWork for Looking {
    type Outcome = Result<(Sight, Trail), Refusal>;

    /// Decodes, and makes the tensor.
    fn prepare(&mut self, lane: &Lane) -> Result<Vec<f32>, Self::Outcome> {
        self.trail.note(Stage::Queue, self.queued);
        let executor = &self.look.served.executor;
        let judge = executor.spec().judge.as_ref().ok_or_else(|| Err(judges_nothing()))?;
        let began = Instant::now();
        let (decoded, tensor) = match pixels(&self.look.encoded, judge, &self.look.limits, lane, &mut self.trail) {
            Ok(pixels) => pixels,
            Err(error) => return Err(self.unreadable(&error)),
        };
        executor.prepared(self.look.encoded.len(), began.elapsed());
        self.decoded = Some(decoded);
        lane.check().map_err(|why| Err(abandoned(why)))?;
        Ok(tensor)
    }

    fn finish(mut self, lane: &Lane, tensor: Vec<f32>, run: Run) -> Self::Outcome {
        self.trail.note(Stage::Infer, run.began);
        self.trail.run_together(run.together);
        let scores = run.scores.map_err(refused_run)?;
        let pixels = self.decoded.map(|decoded| Pixels { decoded, tensor });
        let pixels = match (self.look.keep, pixels) {
            (Keep::Pixels, pixels) => pixels,
            (Keep::File | Keep::Nothing, Some(Pixels { decoded, tensor })) => {
                lane.workspace().give_back(decoded, tensor);
                None
            }
            (Keep::File | Keep::Nothing, None) => None,
        };
        let encoded = self.look.encoded;
        let seen = (self.look.keep != Keep::Nothing).then_some(Seen { encoded, pixels });
        let sight = Sight {
            sha256: Some(self.look.sha256),
            known: false,
            outcome: Outcome::Scored {
                scores: scores.into(),
                seen,
            },
        };
        Ok((sight, self.trail))
    }
}

/// Bytes that are hashed before others on the same thread have their turn: a tenth of a millisecond's worth.
const HASHED_AT_ONCE: usize = 128 << 10;

/// The SHA-256 of an encoded picture. A large one is hashed in turns with what else the thread has to do.
pub(super) async fn digest(encoded: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    let mut pieces = encoded.chunks(HASHED_AT_ONCE);
    if let Some(first) = pieces.next() {
        hasher.update(first);
    }
    for piece in pieces {
        tokio::task::yield_now().await;
        hasher.update(piece);
    }
    Digest(hasher.finalize().into())
}

/// Decodes a picture as a revision's manifest says, and makes its input of it.
pub(super) fn pixels(
    encoded: &[u8],
    judge: &JudgeSpec,
    limits: &PictureLimits,
    lane: &Lane,
    trail: &mut Trail,
) -> Result<(Decoded, Vec<f32>), PictureError> {
    let workspace = &mut *lane.workspace();
    let began = Instant::now();
    let options = judge.preprocessing.decode_options();
    let decoded = info_span!("decode").in_scope(|| preprocess::decode(encoded, &options, limits, workspace));
    trail.note(Stage::Decode, began);
    let decoded = decoded?;
    let began = Instant::now();
    let tensor = info_span!("prepare").in_scope(|| preprocess::to_tensor(&decoded, &judge.preprocessing, workspace));
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
            // Callers can bring it about, with numbers that no picture has or sizes that take all memory; so it wakes nobody.
            tracing::warn!(%error, "a model failed on a request");
            Refusal::failed("the model failed on this input")
        }
    }
}

pub(super) fn abandoned(why: Abandoned) -> Refusal {
    match why {
        Abandoned::CallerLeft => Refusal::cancelled(),
        Abandoned::DeadlinePassed => Refusal::deadline(),
    }
}
