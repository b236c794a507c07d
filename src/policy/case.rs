//! What is judged: a product, what was seen of it, where and when it is to be shown, and what people said of it.

use crate::base::{Correction, CountryCode, Digest, ImportedVerdict, LabelScore, Moment, Money, Product, TextsMark};

use super::Facts;
use super::keywords::Matched;

/// Everything that a verdict depends on, besides the policy.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The moment to judge for.
    pub at: Moment,
    /// Empty: the rest of the world alone.
    pub countries: &'a [CountryCode],
    /// In any case of letters; empty where it is of no special type.
    pub ad_type: &'a str,
    pub facts: Facts<'a>,
    pub subject: Subject<'a>,
    pub look: Seen<'a>,
    /// Those whose scope fits the product, its picture or its partner. Whether they are in force is found out here.
    pub corrections: &'a [&'a Correction],
}

/// The product, without its texts: what was found in them is in `matched`.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub partner_id: &'a str,
    pub product_id: &'a str,
    pub category: &'a str,
    pub price: Option<&'a Money>,
    /// Of the encoded bytes; None where there is no picture.
    pub image_sha256: Option<Digest>,
    pub texts: TextsMark,
    /// By this policy or one of the same `keywords_version`.
    pub matched: &'a Matched,
}

impl<'a> Subject<'a> {
    /// A product as a caller gave it.
    pub fn of(product: &'a Product, image_sha256: Option<Digest>, matched: &'a Matched) -> Self {
        Self {
            partner_id: &product.partner_id,
            product_id: &product.product_id,
            category: &product.category,
            price: product.price.as_ref(),
            image_sha256,
            texts: product.texts_mark(),
            matched,
        }
    }

    /// A product of which nothing is known but what its catalogue calls it.
    pub fn unknown(partner_id: &'a str, product_id: &'a str) -> Self {
        Self {
            partner_id,
            product_id,
            category: "",
            price: None,
            image_sha256: None,
            texts: TextsMark::default(),
            matched: Matched::none(),
        }
    }
}

/// What came of looking at the picture.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// One score per label of the revision; their order is of no consequence. None at all is a REVIEW: nothing is known that could
    /// allow it.
    Scored(&'a [LabelScore]),
    /// The picture is missing or cannot be read; why, in words.
    Unreadable(&'a str),
    /// Nothing is known of the product.
    Unknown,
    /// No revision has looked yet; another system's verdicts were taken over.
    Imported(&'a [ImportedVerdict]),
}
