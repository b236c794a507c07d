//! The record of one judgement.

use serde::{Deserialize, Serialize};

use super::ids::{Digest, ModelName, PolicyVersion, RevisionId, Version};
use super::moment::Moment;
use super::score::LabelScore;
use super::verdict::CountryVerdict;

/// Which side of a release judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    Stable,
    Candidate,
    /// The caller named a version or a revision.
    Named,
}

impl Arm {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Candidate => "candidate",
            Self::Named => "named",
        }
    }
}

/// One product judged once: scores of one revision, verdicts of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub decision_id: String,
    pub verdicts: Vec<CountryVerdict>,
    /// In the order of the revision's labels; empty where the picture could not be judged.
    pub scores: Vec<LabelScore>,
    pub model: ModelName,
    pub version: Version,
    pub revision: RevisionId,
    pub policy_version: PolicyVersion,
    /// The last act on record when it was made: corrections up to this one were taken into account. 0: none yet.
    pub correction_seq: u64,
    pub arm: Arm,
    /// Of the encoded bytes; none where there was no picture.
    pub image_sha256: Option<Digest>,
    /// The scores were on record from an earlier look at the same bytes by the same revision.
    pub known_picture: bool,
    /// The trace that it was made under, 32 hexadecimal digits; empty where none was recorded.
    pub trace_id: String,
    pub decided_at: Moment,
}
