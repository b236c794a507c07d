//! The policy: rules that turn scores into a verdict per country, each verdict with its reasons in words.
//!
//! The model never decides; the policy does. It is one text file, read whole or refused whole: an emptied or absurd file must
//! not become a policy that lets everything pass, so thresholds for labels that no rule names are required, a threshold that no
//! probability can reach is a mistake, and every mistake is told with its key and what to write instead.
//!
//! ```toml
//! format = 1
//! on_unreadable_picture = "REVIEW"    # or "BLOCK"; a picture that nobody could look at proves nothing, so never "ALLOW"
//!
//! [default]                           # labels that no rule names
//! review = 0.5                        # REVIEW from here …
//! block = 0.9                         # … and BLOCK from here
//!
//! [label.alcohol]                     # the rest of the world: every country without a rule of its own on this label
//! review = 0.4
//! block = 0.8
//! text = "Alcohol is restricted."     # optional: a sentence for people, repeated in every reason of the rule
//!
//! [country.FR.label.alcohol]          # outranks label.alcohol, in France and on alcohol only
//! verdict = "ALLOW"                   # whatever the score
//!
//! [country.SA.label.alcohol]
//! verdict = "BLOCK"                   # one step: from 0.3 it is blocked, without a REVIEW in between
//! from = 0.3
//! ```
//!
//! Precedence: specificity decides within one label (a country's rule before the rest of the world's, and either before the default);
//! a country's verdict is the strictest over all labels.
//!
//! Refuses to know: files, clocks, protocols, models. The same text and the same case always give the same verdicts.

mod judge;
mod parse;
mod rule;
mod section;
mod words;

#[cfg(test)]
mod properties;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{CountryCode, Label, LabelScore, PolicyVersion, Product, Verdict};

use rule::{Effect, Rule};

pub use section::{Mistake, PolicyError};

/// A policy that was read and found sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    version: PolicyVersion,
    on_unreadable_picture: Verdict,
    default: Rule,
    labels: BTreeMap<Label, Rule>,
    countries: BTreeMap<CountryCode, BTreeMap<Label, Rule>>,
}

/// What is judged: the scores of one picture, and everything else that rules may ask about.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// One per label of the revision; their order is of no consequence.
    pub scores: &'a [LabelScore],
    /// Empty: the rest of the world alone.
    pub countries: &'a [CountryCode],
    pub ad_type: &'a str,
    pub facts: &'a BTreeMap<String, String>,
    pub product: &'a Product,
}

impl Policy {
    /// Reads a policy from the text of its file.
    ///
    /// # Errors
    /// All mistakes at once, each with the path of its key and what to write instead.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::parse(text)
    }

    /// The SHA-256 of the file's bytes.
    pub fn version(&self) -> PolicyVersion {
        self.version
    }

    /// The names of the rules that can never speak on a revision with these labels: they are about labels that it does not give.
    pub fn inert(&self, labels: &[Label]) -> Vec<String> {
        let given: BTreeSet<&Label> = labels.iter().collect();
        self.label_rules()
            .filter(|(label, _)| !given.contains(label))
            .map(|(_, rule)| rule.name.clone())
            .collect()
    }

    /// Why this policy must not judge a revision with these labels, where there is such a reason: it allows every one of them,
    /// everywhere, whatever its score.
    pub fn allows_everything(&self, labels: &[Label]) -> Option<String> {
        let allows = |rule: Option<&Rule>| rule.is_some_and(|rule| rule.effect == Effect::Allow);
        let world = labels.iter().all(|label| allows(self.labels.get(label)));
        let given: BTreeSet<&Label> = labels.iter().collect();
        let countries = self
            .label_rules()
            .filter(|(label, _)| given.contains(label))
            .all(|(_, rule)| allows(Some(rule)));
        (!labels.is_empty() && world && countries).then(|| {
            "the policy allows every label of the model in every country: remove `verdict = \"ALLOW\"` from at least one label".to_owned()
        })
    }

    fn label_rules(&self) -> impl Iterator<Item = (&Label, &Rule)> {
        self.labels.iter().chain(self.countries.values().flatten())
    }
}
