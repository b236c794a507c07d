//! What is known of a product: enough to judge it again at any moment, without its picture and without inference. Never verdicts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{CountryCode, Digest, ModelName, RevisionId};
use super::moment::Moment;
use super::product::{Money, ProductKey, TextsMark};
use super::verdict::Verdict;

/// What came of looking at a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// One probability per label, in the order of the revision's labels.
    Scores(Vec<f32>),
    /// Why it could not be judged, in words.
    Unreadable(String),
}

/// What one revision made of a product's picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RevisionLook {
    pub revision: RevisionId,
    pub look: Look,
    pub at: Moment,
    pub decision_id: String,
}

/// A verdict that was taken over from another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedVerdict {
    pub country: CountryCode,
    pub verdict: Verdict,
    pub reason: String,
}

/// A product as it was last seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownProduct {
    pub key: ProductKey,
    pub model: ModelName,
    /// None where it came without a picture.
    pub image_sha256: Option<Digest>,
    pub texts: TextsMark,
    pub title: String,
    pub description: String,
    pub category: String,
    pub brand: String,
    pub language: String,
    pub price: Option<Money>,
    pub displays: Option<u64>,
    pub facts: BTreeMap<String, String>,
    /// What the revisions made of this very picture, the newest first; at most one of each.
    pub looks: Vec<RevisionLook>,
    /// From another system, until a revision has looked.
    pub imported: Vec<ImportedVerdict>,
    pub seen_at: Moment,
}
