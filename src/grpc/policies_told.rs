//! What the policy room says, in messages.

use crate::base::PolicyVersion;
use crate::control::PolicyWaits;
use crate::policy::{Change, Counts, Difference, DifferenceExample, ExampleOutcome, Finding, Mistake, RuleView};
use crate::wire::{verdict_to_wire, vigie};

/// A place in a file fits into the wire's number, or is its end.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl From<PolicyWaits> for vigie::WaitingPolicy {
    fn from(waits: PolicyWaits) -> Self {
        Self {
            policy_version: waits.version.to_string(),
            text: waits.text.to_string(),
            reason: waits.why,
        }
    }
}

impl From<RuleView<'_>> for vigie::PolicyRule {
    fn from(rule: RuleView<'_>) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        Self {
            id: rule.id.to_owned(),
            subject: rule.subject,
            places: rule.places,
            conditions: rule.conditions,
            effect: rule.effect,
            text: text(rule.text),
            owner: text(rule.owner),
            source: text(rule.source),
            review_by: rule.review_by.unwrap_or_default(),
            starts: rule.starts.unwrap_or_default(),
            ends: rule.ends.unwrap_or_default(),
            line: small(rule.line),
        }
    }
}

impl From<Mistake> for vigie::PolicyFinding {
    fn from(mistake: Mistake) -> Self {
        Self {
            severity: "mistake".to_owned(),
            kind: "mistake".to_owned(),
            about: mistake.key,
            line: small(mistake.line),
            column: small(mistake.column),
            sentence: mistake.problem,
        }
    }
}

impl From<Finding> for vigie::PolicyFinding {
    fn from(finding: Finding) -> Self {
        Self {
            severity: finding.severity.as_str().to_owned(),
            kind: finding.kind.as_str().to_owned(),
            about: finding.rule,
            line: small(finding.line),
            column: 0,
            sentence: finding.sentence,
        }
    }
}

impl From<ExampleOutcome> for vigie::PolicyExample {
    fn from(outcome: ExampleOutcome) -> Self {
        Self {
            name: outcome.name,
            line: small(outcome.line),
            passed: outcome.passed,
            sentence: outcome.sentence,
        }
    }
}

/// What would be otherwise, between two versions.
pub(super) fn difference(of: &Difference, now: PolicyVersion, then: PolicyVersion) -> vigie::PolicyDifference {
    let examples = Change::ALL.into_iter().flat_map(|change| of.examples(change));
    vigie::PolicyDifference {
        now_policy_version: now.to_string(),
        then_policy_version: then.to_string(),
        decisions: of.judged,
        verdicts: of.verdicts,
        same: of.same,
        severe_newly_allowed: of.severe_newly_allowed,
        by_country: changes(&of.by_country, |country| country.as_str().to_owned()),
        by_label: changes(&of.by_label, ToString::to_string),
        by_rule: changes(&of.by_rule, Clone::clone),
        examples: examples.map(flip).collect(),
    }
}

fn changes<K>(counts: &Counts<K>, name: impl Fn(&K) -> String) -> Vec<vigie::PolicyChange> {
    let told = counts.iter().map(|((key, change), count)| vigie::PolicyChange {
        key: name(key),
        change: change.as_str().to_owned(),
        verdicts: count.verdicts,
        displays: count.displays,
    });
    told.collect()
}

fn flip(example: DifferenceExample) -> vigie::PolicyFlip {
    let (now_rule, then_rule) = example.rules;
    vigie::PolicyFlip {
        decision_id: example.decision_id,
        product: Some(example.product.into()),
        title: example.title,
        country: example.country.as_str().to_owned(),
        now: verdict_to_wire(example.now).into(),
        then: verdict_to_wire(example.then).into(),
        now_rule,
        then_rule,
        displays: example.displays,
    }
}
