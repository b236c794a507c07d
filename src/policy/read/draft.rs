//! Rules as they are read, before labels and keyword lists have their numbers.

use crate::base::Label;

use super::super::conditions::Conditions;
use super::super::keywords::Keyword;
use super::super::price::Bounds;
use super::super::rule::{About, Dates, Effect, Scope, Strict};
use super::mistakes::Spot;

/// A rule as its table states it.
pub(super) struct Draft {
    pub id: String,
    /// Where its id is stated.
    pub spot: Spot,
    /// The byte at which its table begins.
    pub at: usize,
    pub about: About,
    pub scope: Scope,
    pub when: Conditions,
    pub dates: Dates,
    pub says: DraftSays,
}

/// What it is about, and what it says of that.
pub(super) enum DraftSays {
    OfLabel(Label, Effect),
    ByDefault(Effect),
    OfKeywords(Vec<Keyword>, Strict),
    OfCategory(Strict),
    OfProduct(Strict),
    OfPrice(Bounds),
}
