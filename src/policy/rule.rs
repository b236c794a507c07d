//! One rule: whom it answers to, where and when it applies, and what it says.

use jiff::civil::Date;

use crate::base::{CountryCode, Probability, Verdict};

use super::category::Categories;
use super::conditions::Conditions;
use super::price::Bounds;

/// A rule of the policy, whatever it is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    /// Its key in the file (`default`, `label.firearm`, `country.FR.label.alcohol`), or the id that it states.
    pub id: String,
    /// Where it begins in the file, from 1.
    pub line: usize,
    pub about: About,
    pub scope: Scope,
    pub when: Conditions,
    pub dates: Dates,
    pub says: Says,
}

/// What people want to know of a rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct About {
    /// The author's sentence for people.
    pub text: Option<String>,
    pub owner: Option<String>,
    /// Where it comes from: an address.
    pub source: Option<String>,
    /// The day on which somebody should have looked at it again.
    pub review_by: Option<Date>,
}

/// Where a rule applies: everywhere, if it names neither countries nor groups.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Scope {
    pub countries: Vec<CountryCode>,
    /// By their place among the policy's groups.
    pub groups: Vec<usize>,
}

/// The first and the last day on which a rule is in force, in each country's own time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Dates {
    pub starts: Option<Date>,
    pub ends: Option<Date>,
}

impl Dates {
    /// True where a day is named.
    pub(super) fn are_stated(&self) -> bool {
        self.starts.is_some() || self.ends.is_some()
    }
}

/// What a rule says, by what it is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Says {
    /// Of a label, by its place among the policy's labels.
    OfLabel {
        label: usize,
        effect: Effect,
    },
    /// Of labels that no other rule names.
    ByDefault {
        effect: Effect,
    },
    /// Of texts with one of its keywords, by its place among the keyword rules.
    OfKeywords {
        number: u16,
        verdict: Strict,
    },
    /// Of the categories that its conditions name.
    OfCategory {
        verdict: Strict,
    },
    /// Of the products that its conditions name.
    OfProduct {
        verdict: Strict,
    },
    OfPrice(Bounds),
}

impl Rule {
    /// What it does with a score; None where it is not about a label.
    pub(super) fn effect(&self) -> Option<Effect> {
        match self.says {
            Says::OfLabel { effect, .. } | Says::ByDefault { effect } => Some(effect),
            Says::OfKeywords { .. } | Says::OfCategory { .. } | Says::OfProduct { .. } | Says::OfPrice(_) => None,
        }
    }

    /// The label that it is about, by its place among the policy's labels.
    pub(super) fn label(&self) -> Option<usize> {
        match self.says {
            Says::OfLabel { label, .. } => Some(label),
            Says::ByDefault { .. }
            | Says::OfKeywords { .. }
            | Says::OfCategory { .. }
            | Says::OfProduct { .. }
            | Says::OfPrice(_) => None,
        }
    }

    /// The categories that it asks for.
    pub(super) fn categories(&self) -> Option<&Categories> {
        self.when.categories.as_ref()
    }
}

/// What a rule does with a score. `0 < review < 1`, `review <= block <= 1` and `0 < from <= 1` were checked where it was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Effect {
    /// ALLOW below `review`, REVIEW from there, BLOCK from `block`.
    Graded { review: Probability, block: Probability },
    /// ALLOW below `from`, then this verdict and no other.
    Step { verdict: Strict, from: Probability },
    /// ALLOW whatever the score.
    Allow,
}

/// The verdicts that keep a product from being shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strict {
    Review,
    Block,
}

impl From<Strict> for Verdict {
    fn from(strict: Strict) -> Self {
        match strict {
            Strict::Review => Self::Review,
            Strict::Block => Self::Block,
        }
    }
}

/// What a rule says of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outcome {
    pub verdict: Verdict,
    /// What the score was held against: the threshold reached, else the lowest one. None where the score is of no consequence.
    pub threshold: Option<Probability>,
}

impl Effect {
    /// The verdict on a score. Never less strict for a higher score.
    pub(super) fn on(self, score: Probability) -> Outcome {
        let (verdict, threshold) = match self {
            Self::Graded { block, .. } if score >= block => (Verdict::Block, Some(block)),
            Self::Graded { review, .. } if score >= review => (Verdict::Review, Some(review)),
            Self::Graded { review, .. } => (Verdict::Allow, Some(review)),
            Self::Step { verdict, from } if score >= from => (verdict.into(), Some(from)),
            Self::Step { from, .. } => (Verdict::Allow, Some(from)),
            Self::Allow => (Verdict::Allow, None),
        };
        Outcome { verdict, threshold }
    }

    /// The verdict that its lowest threshold leads to. None where there is no threshold.
    pub(super) fn first_step(self) -> Option<(Verdict, Probability)> {
        match self {
            Self::Graded { review, block } if review == block => Some((Verdict::Block, block)),
            Self::Graded { review, .. } => Some((Verdict::Review, review)),
            Self::Step { verdict, from } => Some((verdict.into(), from)),
            Self::Allow => None,
        }
    }

    /// True where no score is judged less strictly than by another effect.
    pub(super) fn is_as_strict_as(self, other: Self) -> bool {
        let steps = [self, other].into_iter().flat_map(|effect| match effect {
            Self::Graded { review, block } => [Some(review), Some(block)],
            Self::Step { from, .. } => [Some(from), None],
            Self::Allow => [None, None],
        });
        // Verdicts change at thresholds alone, so it is enough to look there, and at 1 for what has none.
        let everything = Probability::new(1.0);
        let mut scores = steps.chain([everything]).flatten();
        scores.all(|score| self.on(score).verdict >= other.on(score).verdict)
    }
}
