//! What differs between two policies, rule by rule, in words.

use std::collections::BTreeMap;

use crate::policy::{Policy, RuleView};

/// So many rules are told.
const MOST_TOLD: usize = 3;

/// One rule in either policy.
struct Pair<'a> {
    before: Option<RuleView<'a>>,
    after: Option<RuleView<'a>>,
}

/// A sentence on the rules that differ, those in `deciding` first: they made the verdicts.
pub(super) fn changed(before: &Policy, after: &Policy, deciding: &[String]) -> String {
    let mut pairs: BTreeMap<&str, Pair<'_>> = BTreeMap::new();
    for rule in before.rules() {
        let pair = pairs.entry(rule.id).or_insert(Pair {
            before: None,
            after: None,
        });
        pair.before = Some(rule);
    }
    for rule in after.rules() {
        let pair = pairs.entry(rule.id).or_insert(Pair {
            before: None,
            after: None,
        });
        pair.after = Some(rule);
    }
    let mut told: Vec<(usize, String)> = pairs
        .iter()
        .filter_map(|(id, pair)| {
            let place = deciding.iter().position(|deciding| deciding == id);
            Some((place.unwrap_or(usize::MAX), pair.told()?))
        })
        .collect();
    told.sort_by_key(|(place, _)| *place);
    let are_deciding = told.iter().filter(|(place, _)| *place < usize::MAX).count();
    // Where a rule that made a verdict changed, the others are beside the point.
    let shown = if are_deciding > 0 { are_deciding } else { told.len() };
    let (shown, others) = (shown.min(MOST_TOLD), told.len() - shown.min(MOST_TOLD));
    let sentences: Vec<&str> = told.iter().take(shown).map(|(_, sentence)| sentence.as_str()).collect();
    match (sentences.as_slice(), others) {
        ([], _) => {
            "every rule says the same; groups, severe labels, what becomes of unreadable pictures, or comments differ"
                .to_owned()
        }
        (sentences, 0) => sentences.join("; "),
        (sentences, others) => {
            let noun = if others == 1 { "rule differs" } else { "rules differ" };
            format!("{}; {others} more {noun}", sentences.join("; "))
        }
    }
}

impl Pair<'_> {
    /// How the rule changed; none where it says the same.
    fn told(&self) -> Option<String> {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => both(before, after),
            (None, Some(rule)) => Some(format!(
                "rule {} is new (line {}): {}{} {}",
                rule.id,
                rule.line,
                rule.effect,
                if_any(" where ", &rule.conditions),
                rule.places
            )),
            (Some(rule), None) => Some(format!(
                "rule {} is gone: it said {}{} {}",
                rule.id,
                rule.effect,
                if_any(" where ", &rule.conditions),
                rule.places
            )),
            (None, None) => None,
        }
    }
}

fn both(before: &RuleView<'_>, after: &RuleView<'_>) -> Option<String> {
    let dates = |rule: &RuleView<'_>| {
        let (starts, ends) = (rule.starts.as_deref(), rule.ends.as_deref());
        format!("{} to {}", starts.unwrap_or("ever"), ends.unwrap_or("ever"))
    };
    let aspects = [
        (("says", "said"), before.effect.clone(), after.effect.clone()),
        (("is about", "was about"), before.subject.clone(), after.subject.clone()),
        (("holds", "held"), before.places.clone(), after.places.clone()),
        (
            ("asks that", "asked that"),
            or_nothing(&before.conditions),
            or_nothing(&after.conditions),
        ),
        (("holds from", "held from"), dates(before), dates(after)),
    ];
    let changes: Vec<String> = aspects
        .iter()
        .filter(|(_, then, now)| then != now)
        .map(|((is, was), then, now)| format!("{is} {now}; before it {was} {then}"))
        .collect();
    (!changes.is_empty()).then(|| format!("rule {} (line {}) {}", after.id, after.line, changes.join("; it ")))
}

fn or_nothing(text: &str) -> String {
    if text.is_empty() { "nothing" } else { text }.to_owned()
}

fn if_any(lead: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{lead}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &str) -> Policy {
        let text = format!("format = 1\n[default]\nreview = 0.5\nblock = 0.9\n{rules}");
        Policy::parse(&text).unwrap()
    }

    #[test]
    fn a_changed_threshold_is_told_with_both_numbers_and_its_line() {
        let (before, after) = (
            policy("[label.alcohol]\nverdict = \"BLOCK\"\nfrom = 0.9\n"),
            policy("[label.alcohol]\nverdict = \"BLOCK\"\nfrom = 0.09\n"),
        );
        assert_eq!(
            changed(&before, &after, &["label.alcohol".into()]),
            "rule label.alcohol (line 5) says BLOCK from 0.09; before it said BLOCK from 0.90"
        );
    }

    #[test]
    fn a_rule_that_made_the_verdict_is_told_before_others() {
        let before = policy("");
        let after = policy("[label.a]\nverdict = \"ALLOW\"\n[country.FR.label.b]\nverdict = \"BLOCK\"\nfrom = 0.3\n");
        assert_eq!(
            changed(&before, &after, &["country.FR.label.b".into()]),
            "rule country.FR.label.b is new (line 7): BLOCK from 0.30 FR; 1 more rule differs"
        );
        assert_eq!(
            changed(&after, &before, &[]),
            "rule country.FR.label.b is gone: it said BLOCK from 0.30 FR; rule label.a is gone: it said ALLOW whatever the score everywhere"
        );
    }

    #[test]
    fn what_stands_beside_the_rules_is_not_passed_over() {
        let (before, after) = (policy(""), policy("# A comment.\n"));
        assert!(changed(&before, &after, &[]).starts_with("every rule says the same"));
    }
}
