//! The shipped example: its examples come true, nothing is wrong with it, and plain cases end as its readers expect.

use super::*;

const TEXT: &str = include_str!("../../../models/adsafety/policy.toml");
const SHIPPED: [&str; 7] = [
    "alcohol",
    "combat_knife",
    "firearm",
    "gambling",
    "placeholder",
    "promotional_text_overlay",
    "tobacco",
];

fn shipped() -> Policy {
    Policy::parse(TEXT).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_example_comes_true() {
    let outcomes = shipped().run_examples();
    assert!(outcomes.len() > 20);
    for outcome in outcomes {
        assert!(
            outcome.passed,
            "line {}: {}: {}",
            outcome.line, outcome.name, outcome.sentence
        );
    }
}

#[test]
fn nothing_is_wrong_with_it() {
    let labels: Vec<Label> = SHIPPED.iter().map(|label| label.parse().unwrap()).collect();
    let findings = shipped().check(Some(&labels), day("2026-11-27T12:00Z"));
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn every_rule_is_accounted_for() {
    for rule in shipped().rules() {
        assert!(
            rule.text.is_some() && rule.owner.is_some() && rule.review_by.is_some(),
            "{rule:?}"
        );
        assert!(
            rule.source.is_some_and(|source| source.starts_with("https://")),
            "{rule:?}"
        );
    }
}

/// A label, its score, and the countries in which it leads to ALLOW, REVIEW and BLOCK; `-` is the rest of the world.
const PLAIN: &[(&str, f32, [&str; 3])] = &[
    ("alcohol", 0.29, ["- SA LT KW NO FR", "", ""]),
    ("alcohol", 0.49, ["- FR DE GB US", "", "SA NO LT KW"]),
    ("alcohol", 0.95, ["FR DE GB US BE IT NL", "-", "SA NO LT KW"]),
    ("gambling", 0.29, ["- FR BE IT NL", "", ""]),
    ("gambling", 0.45, ["- FR", "BE IT NL", ""]),
    ("gambling", 0.65, ["", "- FR BE NL", "IT"]),
    ("gambling", 0.95, ["", "- FR", "BE IT NL"]),
    ("firearm", 0.3, ["", "- FR US", ""]),
    ("firearm", 0.7, ["", "", "- FR US"]),
    ("combat_knife", 0.69, ["", "- DE", ""]),
    ("tobacco", 0.7, ["", "", "- FR GB"]),
    ("placeholder", 0.8, ["", "", "- DE"]),
    ("promotional_text_overlay", 0.89, ["", "- DE", ""]),
];

#[test]
fn plain_cases_end_as_expected() {
    let policy = shipped();
    for (label, shown, places) in PLAIN {
        let scores: Vec<LabelScore> = SHIPPED
            .iter()
            .map(|other| score(other, if other == label { *shown } else { 0.01 }))
            .collect();
        for (expected, places) in [ALLOW, REVIEW, BLOCK].into_iter().zip(places) {
            let codes: Vec<&str> = places
                .split_whitespace()
                .map(|code| if code == "-" { "" } else { code })
                .collect();
            let case = Case {
                at: day("2026-11-27T12:00Z"),
                ..scored(&scores)
            };
            for country in countries(&codes) {
                let verdict = policy
                    .judge(&Case {
                        countries: &[country],
                        ..case
                    })
                    .remove(0);
                assert_eq!(
                    verdict.verdict, expected,
                    "{label} {shown} {country:?}: {:#?}",
                    verdict.reasons
                );
            }
        }
    }
}

#[test]
fn wine_in_france_is_told_as_in_the_tour() {
    let scores: Vec<LabelScore> = SHIPPED
        .iter()
        .map(|label| score(label, if *label == "alcohol" { 0.99 } else { 0.001 }))
        .collect();
    let asked = countries(&["FR", "SA"]);
    let verdicts = shipped().judge(&Case {
        countries: &asked,
        at: day("2026-11-27T12:00Z"),
        ..scored(&scores)
    });
    let winning = |verdict: &CountryVerdict| {
        verdict
            .reasons
            .iter()
            .filter(|reason| !reason.losing)
            .map(|reason| reason.text.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        winning(&verdicts[0]),
        [
            "alcohol is allowed in FR, whatever its score (0.99). To adults only, and nothing but the product itself.",
            "no label reaches its threshold in FR; the nearest is combat_knife 0.00 (review from 0.30)",
        ]
    );
    assert_eq!(
        winning(&verdicts[1]),
        ["alcohol scores 0.99: from 0.30 it is blocked in SA. Alcohol is not advertised in Saudi Arabia."]
    );
}
