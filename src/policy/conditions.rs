//! What a rule asks of a case before it applies: yes, no, or nobody knows.
//!
//! Only facts can be unknown. A product without a category is in no category, and a call without an ad type is of none.

use std::collections::BTreeMap;

use crate::base::ProductKey;

use super::category::Categories;

/// The conditions of a rule; all must hold. Lists are sorted; empty ones ask nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Conditions {
    /// In small letters.
    pub ad_types: Vec<String>,
    pub partners: Vec<String>,
    pub products: Vec<ProductKey>,
    pub categories: Option<Categories>,
    /// At most one on a fact, in the order of their names.
    pub facts: Vec<FactCondition>,
}

/// Whether a rule applies. Ordered by certainty that it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Applies {
    No,
    /// It depends on a fact that is not known.
    Maybe,
    Yes,
}

/// What is asked of one fact.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FactCondition {
    pub fact: String,
    pub test: FactTest,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum FactTest {
    OneOf(Vec<String>),
    NoneOf(Vec<String>),
    /// A number, at least the first and below the second.
    Within {
        at_least: Option<f64>,
        below: Option<f64>,
    },
}

/// Facts of a case by name: those given with the call, over those known of the product. A blank one is not known.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub given: &'a BTreeMap<String, String>,
    pub known: &'a BTreeMap<String, String>,
}

static NO_FACTS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Facts<'a> {
    /// Nothing is known.
    pub const NONE: Facts<'static> = Facts {
        given: &NO_FACTS,
        known: &NO_FACTS,
    };

    /// What came with the call, and nothing more.
    pub fn given(given: &'a BTreeMap<String, String>) -> Self {
        Self {
            given,
            known: &NO_FACTS,
        }
    }

    /// A fact, where it is known.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let value = self.given.get(name).or_else(|| self.known.get(name))?.trim();
        (!value.is_empty()).then_some(value)
    }
}

/// What conditions are held against.
#[derive(Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub ad_type: &'a str,
    pub partner_id: &'a str,
    pub product_id: &'a str,
    /// Folded; empty where there is none.
    pub category: &'a str,
    pub facts: Facts<'a>,
}

impl Conditions {
    /// True where nothing is asked.
    pub(super) fn are_none(&self) -> bool {
        self.ad_types.is_empty()
            && self.partners.is_empty()
            && self.products.is_empty()
            && self.categories.is_none()
            && self.facts.is_empty()
    }

    /// What counts as fact conditions in the precedence: those on facts, and the one on the category, which is a fact of the product.
    pub(super) fn on_facts(&self) -> usize {
        self.facts.len() + usize::from(self.categories.is_some())
    }

    /// Whether they hold. What certainly does not hold outweighs what is not known.
    pub(super) fn hold(&self, case: &Circumstances<'_>) -> Applies {
        let ad_type =
            self.ad_types.is_empty() || self.ad_types.iter().any(|one| one.eq_ignore_ascii_case(case.ad_type));
        let partner = self.partners.is_empty() || self.partners.iter().any(|one| one == case.partner_id);
        if !ad_type || !partner || !self.names_product(case) || !self.covers_category(case) {
            return Applies::No;
        }
        let facts = self.facts.iter().map(|condition| condition.holds(&case.facts));
        facts.min().unwrap_or(Applies::Yes)
    }

    /// The facts asked for that are not known.
    pub(super) fn unknown(&self, facts: &Facts<'_>) -> Vec<&str> {
        let unknown = |condition: &&FactCondition| condition.holds(facts) == Applies::Maybe;
        self.facts
            .iter()
            .filter(unknown)
            .map(|condition| condition.fact.as_str())
            .collect()
    }

    /// True where these hold whenever the others do.
    pub(super) fn cover(&self, narrower: &Self) -> bool {
        is_within(&narrower.ad_types, &self.ad_types)
            && is_within(&narrower.partners, &self.partners)
            && is_within(&narrower.products, &self.products)
            && match (&self.categories, &narrower.categories) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(wide), Some(narrow)) => wide.cover_all(narrow),
            }
            && self
                .facts
                .iter()
                .all(|wide| narrower.facts.iter().any(|narrow| wide.covers(narrow)))
    }

    fn names_product(&self, case: &Circumstances<'_>) -> bool {
        let asked = (case.partner_id, case.product_id);
        let compare = |key: &ProductKey| (key.partner_id.as_str(), key.product_id.as_str()).cmp(&asked);
        self.products.is_empty() || self.products.binary_search_by(compare).is_ok()
    }

    fn covers_category(&self, case: &Circumstances<'_>) -> bool {
        self.categories
            .as_ref()
            .is_none_or(|categories| categories.cover(case.category))
    }
}

/// Whether the values that a list asks for are among those of another. An empty list asks for nothing, so it is the widest.
fn is_within<T: Ord>(narrow: &[T], wide: &[T]) -> bool {
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|one| wide.binary_search(one).is_ok()))
}

impl FactCondition {
    fn covers(&self, narrower: &Self) -> bool {
        let test = match (&self.test, &narrower.test) {
            (FactTest::OneOf(wide), FactTest::OneOf(narrow)) => is_within(narrow, wide),
            (wide, narrow) => wide == narrow,
        };
        self.fact == narrower.fact && test
    }

    pub(super) fn holds(&self, facts: &Facts<'_>) -> Applies {
        let Some(value) = facts.get(&self.fact) else {
            return Applies::Maybe;
        };
        let holds = match &self.test {
            FactTest::OneOf(values) => values.iter().any(|one| one == value),
            FactTest::NoneOf(values) => values.iter().all(|one| one != value),
            FactTest::Within { at_least, below } => {
                // What is no number says nothing of the one that is asked for.
                let Some(number) = value.parse::<f64>().ok().filter(|number| number.is_finite()) else {
                    return Applies::Maybe;
                };
                at_least.is_none_or(|least| number >= least) && below.is_none_or(|bound| number < bound)
            }
        };
        if holds { Applies::Yes } else { Applies::No }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn condition(fact: &str, test: FactTest) -> FactCondition {
        FactCondition {
            fact: fact.to_owned(),
            test,
        }
    }

    #[test]
    fn a_fact_is_held_against_values_or_bounds_or_is_not_known() {
        let one_of = condition("size", FactTest::OneOf(vec!["large".into(), "huge".into()]));
        let none_of = condition("size", FactTest::NoneOf(vec!["sme".into()]));
        let within = condition(
            "score",
            FactTest::Within {
                at_least: Some(4.0),
                below: Some(10.0),
            },
        );
        for (condition, value, expected) in [
            (&one_of, "large", Applies::Yes),
            (&one_of, "small", Applies::No),
            (&one_of, " ", Applies::Maybe),
            (&none_of, "sme", Applies::No),
            (&none_of, "large", Applies::Yes),
            (&within, "4", Applies::Yes),
            (&within, " 9.99 ", Applies::Yes),
            (&within, "10", Applies::No),
            (&within, "3.9", Applies::No),
            (&within, "four", Applies::Maybe),
            (&within, "NaN", Applies::Maybe),
            (&within, "inf", Applies::Maybe),
        ] {
            let given = facts(&[(&condition.fact, value)]);
            assert_eq!(
                condition.holds(&Facts::given(&given)),
                expected,
                "{condition:?} {value}"
            );
            assert_eq!(condition.holds(&Facts::NONE), Applies::Maybe);
        }
    }

    #[test]
    fn a_fact_given_with_the_call_is_over_the_one_known() {
        let (given, known) = (facts(&[("a", "1")]), facts(&[("a", "2"), ("b", "3")]));
        let facts = Facts {
            given: &given,
            known: &known,
        };
        assert_eq!(
            (facts.get("a"), facts.get("b"), facts.get("c")),
            (Some("1"), Some("3"), None)
        );
    }

    #[test]
    fn what_certainly_does_not_hold_outweighs_what_is_not_known() {
        let given = facts(&[("a", "no")]);
        let yes = |fact| condition(fact, FactTest::OneOf(vec!["yes".into()]));
        let conditions = Conditions {
            facts: vec![yes("a"), yes("b")],
            ..Conditions::default()
        };
        let case = Circumstances {
            ad_type: "",
            partner_id: "",
            product_id: "",
            category: "",
            facts: Facts::given(&given),
        };
        assert_eq!(conditions.hold(&case), Applies::No);
        assert_eq!(
            conditions.hold(&Circumstances {
                facts: Facts::NONE,
                ..case
            }),
            Applies::Maybe
        );
        assert_eq!(conditions.unknown(&case.facts), ["b"]);
    }
}
