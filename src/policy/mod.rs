//! The policy: rules that turn scores, texts and facts into a verdict per country, each verdict with its reasons in words.
//!
//! The model never decides; the policy does. It is one text file, read whole or refused whole: an emptied or absurd file must
//! not become a policy that lets everything pass, so thresholds for labels that no rule names are required, a threshold that no
//! probability can reach is a mistake, and every mistake is told with its place, its key and what to write instead.
//!
//! ```toml
//! format = 1
//! on_unreadable_picture = "REVIEW"    # or "BLOCK"; a picture that nobody could look at proves nothing, so never "ALLOW"
//! severe = ["firearm"]                # labels that stand whatever somebody allowed for all products of a partner
//! owner = "ads@example.com"           # of every rule that states none; likewise source (an address) and review_by (a day)
//!
//! [costs]                             # of one display: a number, or a table of labels with a default
//! show_unsafe = { default = 1.0, firearm = 20.0 }
//! hide_safe = 0.05
//! reviews_per_day = 400
//!
//! [default]                           # labels that no rule names
//! review = 0.5                        # REVIEW from here …
//! block = 0.9                         # … and BLOCK from here
//!
//! [label.alcohol]                     # everywhere; the id of the rule is its key
//! review = 0.4
//! block = 0.8
//! text = "Alcohol is restricted."     # a sentence for people, repeated in every reason of the rule
//!
//! [country.FR.label.alcohol]          # outranks label.alcohol, in France and on alcohol only
//! verdict = "ALLOW"                   # whatever the score
//!
//! [group.baltic]
//! countries = ["EE", "LT", "LV"]
//!
//! [group.nordic]                      # countries, and the groups within it
//! countries = ["FI", "NO", "SE"]
//! groups = ["baltic"]
//!
//! [group.nordic.label.alcohol]
//! verdict = "BLOCK"                   # one step: from 0.3 it is blocked, without a REVIEW in between
//! from = 0.3
//!
//! [[rule]]                            # anything else: an id, a sentence, one subject, conditions, an effect
//! id = "food-gb"
//! text = "Less healthy food is not advertised."
//! category = ["Food > Snacks"]        # subject: label, keywords, category, product or price
//! countries = ["GB"]                  # and groups; none: everywhere
//! ad_type = ["retargeting"]           # and partner, product (beside a label), category (beside other subjects)
//! facts = { advertiser_size = { not = "sme" }, nutrient_score = { at_least = 4 }, licence = ["a", "b"] }
//! starts = 2026-01-05                 # first and last day in force, in the country's own time
//! ends = 2026-12-31
//! verdict = "BLOCK"                   # for a label also review and block, or a verdict with from, or "ALLOW"
//!
//! [[rule]]
//! id = "words"
//! text = "No copies."
//! keywords = { en = ["replica"], fr = ["réplique"], any = ["1:1"] }
//! verdict = "REVIEW"
//!
//! [[rule]]
//! id = "price"
//! text = "This is no price of a console."
//! category = ["Electronics > Consoles"]
//! price = { currency = "EUR", min = 20, max = 2000, median = 400, far_below = 0.2 }
//!
//! [[example]]                         # what must come of a case; labels without a score score 0
//! name = "sweets"
//! product = { category = "Food > Snacks", title = "Chips", price = "2.50 EUR" }
//! country = "GB"
//! ad_type = "retargeting"
//! facts = { nutrient_score = "9" }
//! on = 2026-01-05
//! expect = "REVIEW"
//! rule = "food-gb"                    # optional: the rule that must have made the verdict
//! ```
//!
//! **Precedence.** Within one label the most specific rule speaks: one that names the product, then the partner, the country, the smaller
//! group, the larger group, the rest of the world; then one that names the ad type; then the number of facts asked for, the category among
//! them. Equally specific: the stricter on this score. The default speaks where no rule applies. A country's verdict is the strictest over
//! all labels and over all keyword, category, product and price rules that apply. Corrections by people go before the rules.
//!
//! **Unknown facts.** A rule that asks for a fact nobody knows may apply. Where the answer would differ, it is a REVIEW that names the fact.
//! A product without a category is in none, and a call without an ad type is of none: those are not unknown.
//!
//! Read from the top: `rule` and `conditions` (what a rule is), `place` (the rules of a country in their order), `hearing` and `weigh`
//! (what is said of a case, and the verdict), `corrections` (what people said), `judge` and `brief` (with all reasons, or with one).
//! `tradeoff` and `goal` tell what other thresholds would do. `read` makes a policy of a text; `check` and `examples` tell its author what is wrong with it.
//!
//! Refuses to know: files, clocks, protocols, models. The same text and the same case always give the same verdicts.

mod brief;
mod case;
mod category;
mod check;
mod conditions;
mod corrections;
mod costs;
mod difference;
mod examples;
mod fold;
mod goal;
mod hearing;
mod judge;
mod keywords;
mod marks;
mod place;
mod price;
mod read;
mod rule;
mod said;
mod tradeoff;
mod view;
mod weigh;
mod words;
mod zones;

#[cfg(test)]
mod tests;

use crate::base::{Digest, Label, PolicyVersion};

use conditions::Applies;
use examples::Example;
use keywords::Keywords;
use place::{Group, Places};
use rule::{Effect, Rule, Strict};

pub use brief::BriefVerdict;
pub use case::{Case, Seen, Subject};
pub use check::{Finding, FindingKind, Severity};
pub use conditions::Facts;
pub use costs::Costs;
pub use difference::{About, Change, Count, Counts, Difference, Example as DifferenceExample};
pub use examples::ExampleOutcome;
pub use goal::{Goal, Named};
pub use keywords::{Matched, Texts};
pub use read::{Mistake, PolicyError};
pub use tradeoff::{Evidence, Moved, Pair, Point, Tradeoff};
pub use view::{RuleView, Thresholds};

/// A policy that was read and found sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    version: PolicyVersion,
    text: Box<str>,
    on_unreadable_picture: Strict,
    severe: Severe,
    costs: Option<Costs>,
    /// Those that rules name or that are severe, sorted. Rules know them by their places here.
    labels: Vec<Label>,
    /// In the order of the file.
    rules: Vec<Rule>,
    /// The rule for labels that no other names, by its place among the rules.
    default: usize,
    /// What is known of each rule's conditions before anybody asks: those without any hold.
    without_asking: Vec<Option<Applies>>,
    groups: Vec<Group>,
    places: Places,
    keywords: Keywords,
    /// Whether any rule asks for a category: without one, nobody need fold it.
    asks_for_categories: bool,
    examples: Vec<Example>,
}

/// The labels that no partner-wide ALLOW covers.
#[derive(Debug, Clone, Default, PartialEq)]
struct Severe {
    /// Sorted.
    labels: Vec<Label>,
    /// Where they are stated, from 1.
    line: usize,
}

impl Policy {
    /// Reads a policy from the text of its file.
    ///
    /// # Errors
    /// All mistakes at once, each with its place, the path of its key and what to write instead.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        read::parse(text)
    }

    /// The file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The SHA-256 of the file's bytes.
    pub fn version(&self) -> PolicyVersion {
        self.version
    }

    /// Which keyword rules find a word in a product's texts.
    pub fn matches(&self, texts: &Texts<'_>) -> Matched {
        self.keywords.find(texts)
    }

    /// A digest over everything that `matches` depends on: what was found by one policy holds for every other of the same.
    pub fn keywords_version(&self) -> Digest {
        self.keywords.version()
    }

    /// The same in eight bytes, to keep beside each of ten million products.
    pub fn keywords_mark(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.keywords.version().0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }

    /// Whether any rule asks for words.
    pub fn has_keywords(&self) -> bool {
        self.keywords.are_asked_for()
    }

    /// The labels that no partner-wide ALLOW covers, sorted.
    pub fn severe(&self) -> &[Label] {
        &self.severe.labels
    }

    /// What errors cost, where the policy states it.
    pub fn costs(&self) -> Option<&Costs> {
        self.costs.as_ref()
    }

    fn is_severe(&self, label: &Label) -> bool {
        self.severe.labels.binary_search(label).is_ok()
    }

    fn default_rule(&self) -> &Rule {
        &self.rules[self.default]
    }

    /// The names of the rules that can never speak on a revision with these labels: they are about labels that it does not give.
    pub fn inert(&self, labels: &[Label]) -> Vec<String> {
        let is_given = |rule: &&Rule| rule.label().is_none_or(|number| labels.contains(&self.labels[number]));
        self.rules
            .iter()
            .filter(|rule| !is_given(rule))
            .map(|rule| rule.id.clone())
            .collect()
    }

    /// Why this policy must not judge a revision with these labels, where there is such a reason: it allows every one of them,
    /// everywhere, whatever its score.
    pub fn allows_everything(&self, labels: &[Label]) -> Option<String> {
        let on = |label: &Label| {
            let number = self.labels.binary_search(label).ok();
            self.rules
                .iter()
                .filter(move |rule| number.is_some() && rule.label() == number)
        };
        let allows = |rule: &Rule| rule.effect() == Some(Effect::Allow);
        let always =
            |rule: &Rule| rule.when.are_none() && !rule.dates.are_stated() && rule.scope == rule::Scope::default();
        let is_allowed = |label: &Label| on(label).all(allows) && on(label).any(always);
        (!labels.is_empty() && labels.iter().all(is_allowed)).then(|| {
            "the policy allows every label of the model in every country: remove `verdict = \"ALLOW\"` from at least one label".to_owned()
        })
    }
}
