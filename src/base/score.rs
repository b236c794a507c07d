//! Labels and the probabilities that a model gives them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::IdError;

/// What a picture may show (`firearm`): 1 to 64 of `a–z 0–9 _`, beginning with a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(Arc<str>);

impl Label {
    /// The label as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Label {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        let begins_well = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
        if !begins_well || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(IdError(format!(
                "{text:?} is not a label: 1 to 64 of a-z, 0-9 and '_', beginning with a letter"
            )));
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Label {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<Label> for String {
    fn from(label: Label) -> String {
        label.as_str().to_owned()
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A probability: finite and within 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f32", into = "f32")]
pub struct Probability(f32);

impl Probability {
    /// Takes a number that is one, or nothing.
    pub fn new(value: f32) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The number.
    pub fn get(self) -> f32 {
        self.0
    }
}

impl TryFrom<f32> for Probability {
    type Error = IdError;
    fn try_from(value: f32) -> Result<Self, IdError> {
        Self::new(value).ok_or_else(|| IdError(format!("{value} is not a probability: 0 to 1 is expected")))
    }
}

impl From<Probability> for f32 {
    fn from(probability: Probability) -> f32 {
        probability.0
    }
}

/// One calibrated probability of one label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelScore {
    pub label: Label,
    pub probability: Probability,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_finite_and_within_bounds() {
        for bad in [f32::NAN, f32::INFINITY, -0.01, 1.01] {
            assert_eq!(Probability::new(bad), None, "{bad}");
        }
        assert_eq!(Probability::new(1.0).unwrap().get(), 1.0);
    }
}
