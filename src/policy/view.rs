//! Rules as people read them, for lists and for the differences between two policies.

use crate::base::{CountryCode, Label, Moment, Probability, Verdict};

use super::Policy;
use super::conditions::{Conditions, FactTest};
use super::price::Bounds;
use super::rule::{Effect, Rule, Says, Scope, Strict};
use super::words::number;

/// So many of a list are told.
const MOST_TOLD: usize = 5;

/// One rule in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleView<'a> {
    pub id: &'a str,
    /// `label alcohol`, `keywords "replica", "réplique"`, …
    pub subject: String,
    /// `everywhere`, `FR, DE`, `group alcohol-banned (56 countries)`, …
    pub places: String,
    /// `ad type retargeting; licence is one of a, b`. Empty where there are none.
    pub conditions: String,
    /// `REVIEW from 0.30, BLOCK from 0.70`, …
    pub effect: String,
    pub text: Option<&'a str>,
    pub owner: Option<&'a str>,
    pub source: Option<&'a str>,
    /// Days are written as 2026-01-05.
    pub review_by: Option<String>,
    /// The first day in force, in each country's own time.
    pub starts: Option<String>,
    /// The last day in force.
    pub ends: Option<String>,
    /// Where it begins in the file, from 1.
    pub line: usize,
}

/// The scores from which a label leads to a stricter verdict. Equal where there is no REVIEW before BLOCK.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// From here it is at least a REVIEW.
    pub review: Probability,
    /// From here it is a BLOCK. None where no score leads to one.
    pub block: Option<Probability>,
}

impl Policy {
    /// Every rule, in the order of the file.
    pub fn rules(&self) -> impl Iterator<Item = RuleView<'_>> {
        self.rules.iter().map(|rule| self.view(rule))
    }

    /// The thresholds of a label in a country at a moment, by the rule that speaks where nothing is known of a product but its picture.
    /// None where it is allowed whatever its score.
    pub fn thresholds(&self, label: &Label, country: CountryCode, at: Moment) -> Option<Thresholds> {
        let number = self.labels.binary_search(label).ok();
        let standings = number.and_then(|number| self.places.of(country).labels.get(number));
        let in_force = standings.into_iter().flatten().filter(|standing| standing.holds_at(at));
        let mut unconditional = in_force
            .map(|standing| (standing.class, &self.rules[usize::from(standing.rule)]))
            .filter(|(_, rule)| rule.when.are_none())
            .peekable();
        let class = unconditional.peek().map(|(class, _)| *class);
        let speaking: Vec<&Rule> = unconditional
            .filter(|(other, _)| Some(*other) == class)
            .map(|(_, rule)| rule)
            .collect();
        let speaking = if speaking.is_empty() {
            vec![self.default_rule()]
        } else {
            speaking
        };
        // Of equally specific rules the stricter speaks on each score: each step is reached where the first of them reaches it.
        let from = |verdict: Verdict| {
            let steps = speaking.iter().filter_map(|rule| rule.effect()?.from(verdict));
            steps.min_by(|a, b| a.get().total_cmp(&b.get()))
        };
        Some(Thresholds {
            review: from(Verdict::Review)?,
            block: from(Verdict::Block),
        })
    }

    pub(super) fn view<'a>(&'a self, rule: &'a Rule) -> RuleView<'a> {
        RuleView {
            id: &rule.id,
            subject: self.subject(rule),
            places: self.where_it_applies(&rule.scope),
            conditions: conditions(
                &rule.when,
                !matches!(rule.says, Says::OfProduct { .. }),
                !matches!(rule.says, Says::OfCategory { .. }),
            ),
            effect: effect(&rule.says),
            text: rule.about.text.as_deref(),
            owner: rule.about.owner.as_deref(),
            source: rule.about.source.as_deref(),
            review_by: rule.about.review_by.map(|day| day.to_string()),
            starts: rule.dates.starts.map(|day| day.to_string()),
            ends: rule.dates.ends.map(|day| day.to_string()),
            line: rule.line,
        }
    }

    fn subject(&self, rule: &Rule) -> String {
        match &rule.says {
            Says::OfLabel { label, .. } => format!("label {}", self.labels[*label]),
            Says::ByDefault { .. } => "labels that no other rule names".to_owned(),
            Says::OfKeywords { number, .. } => {
                let words = self
                    .keywords
                    .list(*number)
                    .iter()
                    .map(|keyword| format!("{:?}", keyword.written));
                format!("keywords {}", some(words))
            }
            Says::OfCategory { .. } => {
                let written = rule.categories().map_or(&[][..], |categories| &categories.written);
                format!("category {}", some(written.iter().cloned()))
            }
            Says::OfProduct { .. } => format!("product {}", products(&rule.when)),
            Says::OfPrice(bounds) => price(bounds),
        }
    }

    fn where_it_applies(&self, scope: &Scope) -> String {
        let countries = scope.countries.iter().map(|country| country.as_str().to_owned());
        let groups = scope
            .groups
            .iter()
            .filter_map(|&group| self.groups.get(group))
            .map(|group| {
                let size = group.countries.len();
                format!(
                    "group {} ({size} {})",
                    group.name,
                    if size == 1 { "country" } else { "countries" }
                )
            });
        let places: Vec<String> = countries.chain(groups).collect();
        if places.is_empty() {
            "everywhere".to_owned()
        } else {
            places.join(", ")
        }
    }
}

impl Effect {
    /// The lowest score that leads to a verdict at least so strict. None where none does.
    fn from(self, verdict: Verdict) -> Option<Probability> {
        match self {
            Self::Graded { review, block } => Some(if verdict == Verdict::Block { block } else { review }),
            Self::Step { verdict: reached, from } => (Verdict::from(reached) >= verdict).then_some(from),
            Self::Allow => None,
        }
    }
}

fn effect(says: &Says) -> String {
    let name = |strict: Strict| Verdict::from(strict).as_str();
    match says {
        Says::OfLabel { effect, .. } | Says::ByDefault { effect } => match *effect {
            Effect::Graded { review, block } if review == block => format!("BLOCK from {}", number(block)),
            Effect::Graded { review, block } => format!("REVIEW from {}, BLOCK from {}", number(review), number(block)),
            Effect::Step { verdict, from } => format!("{} from {}", name(verdict), number(from)),
            Effect::Allow => "ALLOW whatever the score".to_owned(),
        },
        Says::OfKeywords { verdict, .. } | Says::OfCategory { verdict } | Says::OfProduct { verdict } => {
            name(*verdict).to_owned()
        }
        Says::OfPrice(Bounds {
            verdict: Strict::Review,
            ..
        }) => "REVIEW".to_owned(),
        Says::OfPrice(_) => "BLOCK out of the bounds, REVIEW where the price cannot be held against them".to_owned(),
    }
}

fn conditions(when: &Conditions, with_products: bool, with_categories: bool) -> String {
    let mut told = Vec::new();
    if !when.ad_types.is_empty() {
        told.push(format!("ad type {}", some(when.ad_types.iter().cloned())));
    }
    if !when.partners.is_empty() {
        told.push(format!("partner {}", some(when.partners.iter().cloned())));
    }
    if with_products && !when.products.is_empty() {
        told.push(format!("product {}", products(when)));
    }
    if let Some(categories) = when.categories.as_ref().filter(|_| with_categories) {
        told.push(format!("category {}", some(categories.written.iter().cloned())));
    }
    told.extend(
        when.facts
            .iter()
            .map(|condition| format!("{} {}", condition.fact, test(&condition.test))),
    );
    told.join("; ")
}

fn test(test: &FactTest) -> String {
    match test {
        FactTest::OneOf(values) if values.len() == 1 => format!("is {}", some(values.iter().cloned())),
        FactTest::OneOf(values) => format!("is one of {}", some(values.iter().cloned())),
        FactTest::NoneOf(values) => format!("is not {}", some(values.iter().cloned())),
        FactTest::Within { at_least, below } => {
            let bounds = [
                at_least.map(|least| format!("is at least {least}")),
                below.map(|bound| format!("is below {bound}")),
            ];
            bounds.into_iter().flatten().collect::<Vec<_>>().join(" and ")
        }
    }
}

fn products(when: &Conditions) -> String {
    some(
        when.products
            .iter()
            .map(|key| format!("{}/{}", key.partner_id, key.product_id)),
    )
}

fn price(bounds: &Bounds) -> String {
    let mut told = vec![format!("price in {}", bounds.currency)];
    told.extend(bounds.min.map(|min| format!("from {min}")));
    told.extend(bounds.max.map(|max| format!("up to {max}")));
    told.extend(
        bounds
            .median
            .map(|(median, share)| format!("usually {median}, not less than {share} of that")),
    );
    told.join(", ")
}

/// The first of some, and how many more there are.
fn some(all: impl ExactSizeIterator<Item = String>) -> String {
    let more = all.len().saturating_sub(MOST_TOLD);
    let told: Vec<String> = all.take(MOST_TOLD).collect();
    if more > 0 {
        format!("{} and {more} more", told.join(", "))
    } else {
        told.join(", ")
    }
}
