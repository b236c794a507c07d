//! The parts that a verdict follows from, and a state of all of them: at a decision, at a moment, or now.

use std::sync::Arc;

use crate::base::{Correction, Digest, ModelName, Moment, Recorded, RevisionId, Version};
use crate::policy::Policy;

/// What can be put back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Picture,
    /// Texts, category, price, facts, kind of ad.
    Product,
    /// How the picture becomes the model's input.
    Preprocessing,
    /// The model file, its labels and its calibration.
    Weights,
    /// Preprocessing and weights, where they cannot be told apart.
    Revision,
    Policy,
    Corrections,
    /// The moment that is judged for: rules begin and end.
    Date,
}

impl Part {
    /// The name in messages and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Product => "product",
            Self::Preprocessing => "preprocessing",
            Self::Weights => "weights",
            Self::Revision => "revision",
            Self::Policy => "policy",
            Self::Corrections => "corrections",
            Self::Date => "date",
        }
    }
}

/// A revision under the version that it served as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Side {
    pub model: ModelName,
    pub version: Version,
    pub revision: RevisionId,
}

/// What a state is the state of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// That very decision.
    Decision,
    Moment,
    Now,
}

/// Everything that a verdict follows from, at one moment.
#[derive(Clone)]
pub(super) struct End {
    pub at: Moment,
    /// Whose product it is, as it was seen.
    pub seen: Arc<Recorded>,
    pub of: Occasion,
    /// Of the encoded bytes; none where the product had no picture.
    pub picture: Option<Digest>,
    pub preprocessing: Side,
    pub weights: Side,
    pub policy: Arc<Policy>,
    /// Those in force, without an end: whether they had ended was found out for `at`.
    pub corrections: Arc<[Correction]>,
}

impl End {
    /// The same, with some parts of another.
    pub fn with(&self, parts: &[Part], other: &Self) -> Self {
        let mut end = self.clone();
        for part in parts {
            match part {
                Part::Picture => end.picture = other.picture,
                Part::Product => end.seen = Arc::clone(&other.seen),
                Part::Preprocessing => end.preprocessing = other.preprocessing.clone(),
                Part::Weights => end.weights = other.weights.clone(),
                Part::Revision => {
                    end.preprocessing = other.preprocessing.clone();
                    end.weights = other.weights.clone();
                }
                Part::Policy => end.policy = Arc::clone(&other.policy),
                Part::Corrections => end.corrections = Arc::clone(&other.corrections),
                Part::Date => end.at = other.at,
            }
        }
        end
    }
}
