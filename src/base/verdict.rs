//! Verdicts and the reasons that every one of them carries.

use serde::{Deserialize, Serialize};

use super::ids::CountryCode;
use super::moment::Moment;
use super::product::ProductKey;
use super::score::{Label, Probability};

/// Whether a product may be shown. Ordered by strictness: the greater is the stricter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    /// It may be shown.
    Allow,
    /// It is not shown until a person decides.
    Review,
    /// It is not shown.
    Block,
}

impl Verdict {
    /// Every verdict, in order of strictness.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Review, Self::Block];

    /// The name as it stands in files, metrics and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "ALLOW",
            Self::Review => "REVIEW",
            Self::Block => "BLOCK",
        }
    }
}

/// Where a reason comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Source {
    Model,
    Rule,
    Correction,
    Keyword,
    Category,
    ProductId,
    Price,
    /// The picture could not be judged.
    Quality,
    /// Nothing is known of the product.
    Fallback,
    Imported,
}

/// One reason of a verdict: what was found, which rule spoke, and the sentence that people read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub source: Source,
    /// The label that it is about, where it is about one.
    pub label: Option<Label>,
    pub score: Option<Probability>,
    /// The threshold that the score was held against.
    pub threshold: Option<Probability>,
    /// The rule's identity in the policy: `default`, `label.firearm`, `country.FR.label.alcohol`, …
    pub rule: String,
    /// A plain sentence.
    pub text: String,
    /// True for a rule that applied but was outranked.
    pub losing: bool,
}

/// What one country's verdict is, and why. Never without a reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountryVerdict {
    pub country: CountryCode,
    pub verdict: Verdict,
    pub reasons: Vec<Reason>,
    /// From this moment on it may be another, though nothing else changes: a rule begins or ends, a correction expires.
    pub valid_until: Option<Moment>,
}

/// The verdicts on one product, in the order of the countries asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductVerdicts {
    pub product: ProductKey,
    pub verdicts: Vec<CountryVerdict>,
    /// False where nothing is known of it.
    pub known: bool,
}
