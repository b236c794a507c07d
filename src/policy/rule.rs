//! One rule: what a score leads to.

use crate::base::{Probability, Verdict};

/// A rule of the policy, whatever it is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    /// Its key in the file: `default`, `label.firearm`, `country.FR.label.alcohol`.
    pub name: String,
    pub effect: Effect,
    /// The author's sentence for people.
    pub text: Option<String>,
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
}
