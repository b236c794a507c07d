//! What callers ask about: a product, and how it is to be judged.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::ids::{CountryCode, ModelName, RevisionId, Version};

/// An amount of money as `google.type.Money` has it: `units` and billionths (`nanos`) of one ISO 4217 currency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
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

/// What a catalogue calls a product: the partner whose catalogue it is, and the product's identity there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ProductKey {
    pub partner_id: String,
    pub product_id: String,
}

/// Tells whether a product's texts changed: the first half of the SHA-256 over title, description, category and brand, each after its
/// length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct TextsMark(pub [u8; 16]);

/// A catalogue product. Texts may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
    /// Not written with the rest: pictures are kept by their hash.
    #[serde(skip)]
    pub picture: Picture,
}

impl Product {
    /// What its catalogue calls it; none without a product's identity.
    pub fn key(&self) -> Option<ProductKey> {
        (!self.product_id.is_empty()).then(|| ProductKey {
            partner_id: self.partner_id.clone(),
            product_id: self.product_id.clone(),
        })
    }

    /// The mark of its texts as they are now.
    pub fn texts_mark(&self) -> TextsMark {
        let mut hasher = Sha256::new();
        for text in [&self.title, &self.description, &self.category, &self.brand] {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        let whole: [u8; 32] = hasher.finalize().into();
        let mut mark = [0; 16];
        mark.copy_from_slice(&whole[..16]);
        TextsMark(mark)
    }

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

/// How much an answer tells of its reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Telling {
    /// The one that made the verdict.
    Brief,
    /// Every rule that spoke, those that lost too.
    Full,
}

/// A question for verdicts on products that were judged before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictsAsk {
    pub products: Vec<ProductKey>,
    /// Empty: the rest of the world alone.
    pub countries: Vec<CountryCode>,
    pub ad_type: String,
    /// Over what is known of each product.
    pub facts: BTreeMap<String, String>,
    pub telling: Telling,
}
