//! A decision as it is kept: with everything that it was made of, so that it can be made again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::decision::Decision;
use super::ids::CountryCode;
use super::product::Product;

/// Where a decision comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// It was asked for, and judged here.
    Judged,
    /// It was taken over from another system.
    Imported,
}

/// One decision on record.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub decision: Decision,
    pub origin: Origin,
    /// The product as it was, without the bytes of its picture: those are kept under `decision.image_sha256`.
    pub product: Product,
    /// As they were asked for. Empty: the rest of the world alone.
    pub countries: Vec<CountryCode>,
    pub ad_type: String,
    pub facts: BTreeMap<String, String>,
    /// Why the picture could not be judged, in words; none where it was.
    pub unreadable: Option<String>,
    /// It is what is known of its product from now on: no version or revision was named.
    pub counts: bool,
}
