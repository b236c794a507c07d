//! What is said of a case in a country, before anything is put into words: by rules, by people, by what came of the picture.
//!
//! The verdict is the strictest of what is not outranked. The order of what was said is the order of the reasons.

use std::cmp::Ordering;

use crate::base::{Correction, ImportedVerdict, Label, Probability, Verdict};

use super::keywords::Hit;
use super::price::PriceFinding;
use super::rule::{Outcome, Rule, Says};

/// One thing said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said<'a> {
    pub verdict: Verdict,
    /// It has no part in the verdict: something else was said over it.
    pub outranked: bool,
    pub what: What<'a>,
}

/// Who said it, of what.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    /// A person set the verdict.
    Exception(&'a Correction),
    /// What a person said does not hold any more, because what it was said of changed.
    Lapsed(&'a Correction),
    /// The picture could not be judged; the cause in words.
    Unreadable(&'a str),
    /// Nothing is known of the product.
    Unknown,
    /// The model gave no score.
    NoScores,
    Imported(&'a ImportedVerdict),
    /// Verdicts were taken over, and none for this country.
    NotImported,
    /// The rule that speaks on a label.
    Label(OnLabel<'a>),
    /// A rule on a label or another thing that applies or not by a fact that is not known.
    Doubt(Doubt<'a>),
    /// A rule on a label that another outranks, and would have led to another verdict.
    Outranked {
        by: By<'a>,
        rule: &'a Rule,
        shown: Shown<'a>,
        outcome: Outcome,
    },
    /// A rule on keywords, categories, products or prices.
    Other {
        rule: &'a Rule,
        found: Found,
    },
    /// Nothing was found: the label that came nearest to the threshold of its rule.
    Nearest {
        rule: &'a Rule,
        shown: Shown<'a>,
        step: (Verdict, Probability),
    },
}

/// A label of the picture, with its score.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub label: &'a Label,
    /// Its place among the policy's labels, where a rule names it.
    pub number: Option<usize>,
    pub is_severe: bool,
    /// What is judged.
    pub score: Probability,
    /// What the model gave, where it gave something.
    pub given: Option<Probability>,
    /// The correction that set the score.
    pub corrected: Option<&'a Correction>,
    /// A partner-wide correction that would allow it if it were not severe.
    pub uncovered: Option<&'a Correction>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct OnLabel<'a> {
    pub rule: &'a Rule,
    pub shown: Shown<'a>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt<'a> {
    pub rule: &'a Rule,
    pub shown: Option<Shown<'a>>,
    /// What the rule would say.
    pub would_be: Verdict,
    /// The rule that speaks if it does not apply, and what it says.
    pub otherwise: Option<(&'a Rule, Verdict)>,
}

/// What outranks a rule on a label.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'a> {
    MoreSpecific(&'a Rule),
    EquallySpecific(&'a Rule),
    /// A rule that may apply.
    Doubt(&'a Rule),
}

/// What a rule on other things than labels found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Found {
    Keyword(Hit),
    Category,
    Product,
    Price(PriceFinding),
}

impl<'a> Said<'a> {
    pub(super) fn new(verdict: Verdict, what: What<'a>) -> Self {
        Self {
            verdict,
            outranked: false,
            what,
        }
    }

    /// The same, without a part in the verdict where something was said over it.
    pub(super) fn outranked_if(self, outranked: bool) -> Self {
        Self { outranked, ..self }
    }

    /// True where it has no part in a verdict.
    pub(super) fn loses(&self, verdict: Verdict) -> bool {
        self.outranked || self.verdict != verdict
    }

    /// What made the verdict first; then the stricter; then by who said it, the label by name, the rule by its id.
    pub(super) fn in_order(&self, other: &Self, verdict: Verdict) -> Ordering {
        self.loses(verdict)
            .cmp(&other.loses(verdict))
            .then_with(|| other.verdict.cmp(&self.verdict))
            .then_with(|| self.kind().cmp(&other.kind()))
            .then_with(|| self.what.label().cmp(&other.what.label()))
            .then_with(|| self.outranked.cmp(&other.outranked))
            .then_with(|| {
                self.what
                    .rule()
                    .map(|rule| &rule.id)
                    .cmp(&other.what.rule().map(|rule| &rule.id))
            })
    }

    /// People before pictures, labels before other rules, and how near the nearest label came at the end.
    fn kind(&self) -> u8 {
        match &self.what {
            What::Exception(_) => 0,
            What::Lapsed(_) => 1,
            What::Unreadable(_) | What::Unknown | What::NoScores | What::Imported(_) | What::NotImported => 2,
            What::Label(_) | What::Outranked { .. } => 3,
            What::Doubt(doubt) if doubt.shown.is_some() => 4,
            What::Doubt(Doubt { rule, .. }) | What::Other { rule, .. } => match rule.says {
                Says::OfLabel { .. } | Says::ByDefault { .. } | Says::OfKeywords { .. } => 5,
                Says::OfCategory { .. } => 6,
                Says::OfProduct { .. } => 7,
                Says::OfPrice(_) => 8,
            },
            What::Nearest { .. } => 9,
        }
    }
}

impl<'a> What<'a> {
    /// The rule that it comes from.
    pub(super) fn rule(&self) -> Option<&'a Rule> {
        match *self {
            Self::Label(OnLabel { rule, .. })
            | Self::Doubt(Doubt { rule, .. })
            | Self::Outranked { rule, .. }
            | Self::Other { rule, .. }
            | Self::Nearest { rule, .. } => Some(rule),
            Self::Exception(_)
            | Self::Lapsed(_)
            | Self::Unreadable(_)
            | Self::Unknown
            | Self::NoScores
            | Self::Imported(_)
            | Self::NotImported => None,
        }
    }

    /// The label that it is about, with its score.
    pub(super) fn shown(&self) -> Option<Shown<'a>> {
        match *self {
            Self::Label(OnLabel { shown, .. }) | Self::Outranked { shown, .. } | Self::Nearest { shown, .. } => {
                Some(shown)
            }
            Self::Doubt(doubt) => doubt.shown,
            Self::Exception(_)
            | Self::Lapsed(_)
            | Self::Unreadable(_)
            | Self::Unknown
            | Self::NoScores
            | Self::Imported(_)
            | Self::NotImported
            | Self::Other { .. } => None,
        }
    }

    fn label(&self) -> Option<&'a Label> {
        self.shown().map(|shown| shown.label)
    }
}
