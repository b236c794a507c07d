//! What a person says of a judgement: that a label is wrong, or that this product is an exception.
//!
//! A correction is an event: never edited, only added to. What it does to a verdict follows from the policy's precedence.

use serde::{Deserialize, Serialize};

use super::ids::{CountryCode, Digest};
use super::moment::Moment;
use super::principal::Principal;
use super::product::{ProductKey, TextsMark};
use super::score::Label;
use super::verdict::Verdict;

/// What a correction holds for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionScope {
    Product(ProductKey),
    /// Every product with these encoded bytes as its picture.
    Picture(Digest),
    /// Every product of a partner.
    Partner(String),
}

impl CorrectionScope {
    /// The partner that it is about; none of a picture.
    pub fn partner_id(&self) -> Option<&str> {
        match self {
            Self::Product(key) => Some(&key.partner_id),
            Self::Partner(partner_id) => Some(partner_id),
            Self::Picture(_) => None,
        }
    }
}

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionKind {
    /// The model errs: the label is there (its score becomes 1), or it is not (0). Verdicts follow from the policy.
    WrongLabel { label: Label, present: bool },
    /// The model is right, and yet the verdict is this.
    Exception(Verdict),
}

impl CorrectionKind {
    /// True where it can make a verdict less strict: then it must be on record before it takes effect, and is bound to what was seen.
    pub fn is_away_from_safety(&self) -> bool {
        match self {
            Self::WrongLabel { present, .. } => !present,
            Self::Exception(verdict) => *verdict != Verdict::Block,
        }
    }
}

/// The picture and the texts that an ALLOW was given on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SeenThen {
    /// None where the product had no picture.
    pub image_sha256: Option<Digest>,
    pub texts: TextsMark,
}

/// The end of a correction by a person's hand.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Revocation {
    /// Its place in the order of all acts.
    pub seq: u64,
    pub by: Principal,
    pub at: Moment,
    pub reason: String,
}

/// A correction on record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Correction {
    /// Its place in the order of all acts: 1, 2, …
    pub seq: u64,
    pub correction_id: String,
    pub scope: CorrectionScope,
    /// Empty: everywhere.
    pub countries: Vec<CountryCode>,
    pub kind: CorrectionKind,
    pub reason: String,
    /// From this moment on it holds no more.
    pub expires_at: Option<Moment>,
    pub author: Principal,
    pub created_at: Moment,
    /// What it was given on, where it is bound to that: a product's correction away from safety.
    pub seen: Option<SeenThen>,
    pub revoked: Option<Revocation>,
    /// In force on this replica and not yet on record in the store.
    pub replica_only: bool,
}

impl Correction {
    /// True where it is in force at a moment: not revoked, not expired.
    pub fn holds_at(&self, at: Moment) -> bool {
        self.revoked.is_none() && self.expires_at.is_none_or(|end| at < end)
    }

    /// True where it speaks of a country.
    pub fn covers(&self, country: CountryCode) -> bool {
        self.countries.is_empty() || self.countries.contains(&country)
    }
}

/// A correction as a person asks for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewCorrection {
    pub scope: CorrectionScope,
    pub countries: Vec<CountryCode>,
    pub kind: CorrectionKind,
    pub reason: String,
    pub expires_at: Option<Moment>,
    /// What it is bound to, where it is bound.
    pub seen: Option<SeenThen>,
}
