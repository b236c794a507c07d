//! What callers ask about: a product, and how it is to be judged.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::ids::{CountryCode, ModelName, RevisionId, Version};

/// An amount of money as `google.type.Money` has it: `units` and billionths (`nanos`) of one ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    pub units: i64,
    pub nanos: i32,
    pub currency: String,
}

/// The picture of a product as the caller gave it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Picture {
    #[default]
    Missing,
    /// The encoded file: JPEG, PNG, WebP, GIF or BMP.
    Encoded(Bytes),
}

/// A catalogue product. Texts may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    pub partner_id: String,
    pub product_id: String,
    pub title: String,
    pub description: String,
    pub category: String,
    pub brand: String,
    pub language: String,
    pub price: Option<Money>,
    /// How often it is expected to be shown.
    pub displays: Option<u64>,
    pub picture: Picture,
}

impl Product {
    /// True where there is an id or a text, so that a decision without a picture has something to be about.
    pub fn is_identified(&self) -> bool {
        [
            &self.product_id,
            &self.title,
            &self.description,
            &self.category,
            &self.brand,
        ]
        .iter()
        .any(|text| !text.trim().is_empty())
    }
}

/// How urgent a judgement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Priority {
    Live,
    Bulk,
}

/// Which revision shall judge.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Target {
    /// What the plan says: the live revision.
    #[default]
    Plan,
    /// The revision that a version has now, outside any release.
    Version(Version),
    /// Exactly this revision, even in shadow.
    Revision(RevisionId),
}

/// One request for a judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    pub product: Product,
    /// Empty: the rest of the world alone.
    pub countries: Vec<CountryCode>,
    pub ad_type: String,
    pub facts: BTreeMap<String, String>,
    /// None: the only model that judges pictures, or the configured default.
    pub model: Option<ModelName>,
    pub target: Target,
    pub priority: Priority,
}
