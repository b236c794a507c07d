//! How another policy would judge the same cases: what it would newly allow and newly block, where, for which label and rule, and how often that would be shown.
//!
//! Counts are exact. A case is one product judged for its countries; each country counts by itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::brief::BriefVerdict;
use super::{Case, Policy};
use crate::base::{CountryCode, Label, ProductKey, Verdict};

/// Which way a verdict would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Not allowed now, allowed then.
    NewlyAllowed,
    /// Not blocked now, blocked then.
    NewlyBlocked,
    /// To REVIEW.
    ToReview,
}

impl Change {
    /// Every way, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::NewlyAllowed, Self::NewlyBlocked, Self::ToReview];

    /// The name in messages and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewlyAllowed => "newly_allowed",
            Self::NewlyBlocked => "newly_blocked",
            Self::ToReview => "to_review",
        }
    }

    /// Between two verdicts; none where they agree.
    pub fn between(now: Verdict, then: Verdict) -> Option<Self> {
        match (now, then) {
            (Verdict::Allow, Verdict::Allow)
            | (Verdict::Review, Verdict::Review)
            | (Verdict::Block, Verdict::Block) => None,
            (Verdict::Review | Verdict::Block, Verdict::Allow) => Some(Self::NewlyAllowed),
            (Verdict::Allow | Verdict::Review, Verdict::Block) => Some(Self::NewlyBlocked),
            (Verdict::Allow | Verdict::Block, Verdict::Review) => Some(Self::ToReview),
        }
    }
}

/// How many verdicts, and how often they would be shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub verdicts: u64,
    /// Expected displays of their products, where those are known.
    pub displays: u64,
}

impl Count {
    fn add(&mut self, displays: u64) {
        self.verdicts += 1;
        self.displays = self.displays.saturating_add(displays);
    }
}

/// By what changes are counted.
pub type Counts<K> = BTreeMap<(K, Change), Count>;

/// One verdict that would be another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Example {
    /// First, so that those that matter most sort last.
    pub displays: u64,
    pub decision_id: String,
    pub product: ProductKey,
    pub title: String,
    pub country: CountryCode,
    pub now: Verdict,
    pub then: Verdict,
    /// The rules that make the two verdicts.
    pub rules: (String, String),
}

/// What is told of a case beside its verdicts.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub decision_id: &'a str,
    pub title: &'a str,
    pub displays: Option<u64>,
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Products judged.
    pub judged: u64,
    /// Verdicts given, one a country, and those that would be the same.
    pub verdicts: u64,
    pub same: u64,
    pub by_country: Counts<CountryCode>,
    /// By the label that makes the stricter of the two verdicts; those that no label makes are not here.
    pub by_label: Counts<Label>,
    /// By the rule that makes the new verdict.
    pub by_rule: Counts<String>,
    /// Newly allowed, though a severe label of the policy in force keeps it from being shown now.
    pub severe_newly_allowed: u64,
    /// Those with the most displays.
    kept: BTreeMap<Change, Kept>,
}

/// Examples kept of each way.
const EXAMPLES: usize = 20;

/// Examples of one way, of which the least is at hand.
type Kept = BinaryHeap<Reverse<Example>>;

fn keep(kept: &mut Kept, example: Reverse<Example>) {
    kept.push(example);
    if kept.len() > EXAMPLES {
        kept.pop();
    }
}

fn add_up<K: Ord>(counts: &mut Counts<K>, others: Counts<K>) {
    for (key, other) in others {
        let count = counts.entry(key).or_default();
        count.verdicts += other.verdicts;
        count.displays = count.displays.saturating_add(other.displays);
    }
}

impl Difference {
    /// Judges one case by both policies, each with its own matches in the texts, and counts.
    pub fn add(
        &mut self,
        (now, now_case): (&Policy, &Case<'_>),
        (then, then_case): (&Policy, &Case<'_>),
        about: About<'_>,
    ) {
        self.judged += 1;
        let (now_verdicts, then_verdicts) = (now.brief(now_case), then.brief(then_case));
        for (old, new) in now_verdicts.iter().zip(&then_verdicts) {
            self.verdicts += 1;
            match Change::between(old.verdict, new.verdict) {
                None => self.same += 1,
                Some(change) => self.count(now, now_case, (old, new, change), about),
            }
        }
    }

    /// Takes in what another came to, over other cases.
    pub fn merge(&mut self, other: Self) {
        self.judged += other.judged;
        self.verdicts += other.verdicts;
        self.same += other.same;
        self.severe_newly_allowed += other.severe_newly_allowed;
        add_up(&mut self.by_country, other.by_country);
        add_up(&mut self.by_label, other.by_label);
        add_up(&mut self.by_rule, other.by_rule);
        for (change, examples) in other.kept {
            let kept = self.kept.entry(change).or_default();
            for example in examples {
                keep(kept, example);
            }
        }
    }

    fn count(
        &mut self,
        now: &Policy,
        case: &Case<'_>,
        (old, new, change): (&BriefVerdict<'_>, &BriefVerdict<'_>, Change),
        about: About<'_>,
    ) {
        let displays = about.displays.unwrap_or_default();
        self.by_country.entry((old.country, change)).or_default().add(displays);
        self.by_rule
            .entry((new.rule.to_owned(), change))
            .or_default()
            .add(displays);
        let stricter = if old.verdict > new.verdict { old } else { new };
        if let Some(label) = stricter.label {
            self.by_label.entry((label.clone(), change)).or_default().add(displays);
        }
        let is_severe = |label: &Label| now.severe().binary_search(label).is_ok();
        if change == Change::NewlyAllowed && old.label.is_some_and(is_severe) {
            self.severe_newly_allowed += 1;
        }
        let example = Example {
            displays,
            decision_id: about.decision_id.to_owned(),
            product: ProductKey {
                partner_id: case.subject.partner_id.to_owned(),
                product_id: case.subject.product_id.to_owned(),
            },
            title: about.title.to_owned(),
            country: old.country,
            now: old.verdict,
            then: new.verdict,
            rules: (old.rule.to_owned(), new.rule.to_owned()),
        };
        keep(self.kept.entry(change).or_default(), Reverse(example));
    }

    /// The examples of one way, those with the most displays first.
    pub fn examples(&self, change: Change) -> Vec<Example> {
        let mut kept: Vec<Example> = self
            .kept
            .get(&change)
            .into_iter()
            .flatten()
            .map(|Reverse(kept)| kept.clone())
            .collect();
        kept.sort_by(|a, b| b.cmp(a));
        kept
    }
}
