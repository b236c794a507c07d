//! What holds of every sound policy and every case, and the cases that people would name.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::{CountryVerdict, Probability, Source};

const LABELS: [&str; 5] = ["alcohol", "firearm", "gambling", "placeholder", "tobacco"];
const COUNTRIES: [&str; 4] = ["", "FR", "SA", "NO"];

fn score(label: &str, probability: f32) -> LabelScore {
    LabelScore {
        label: label.parse().unwrap(),
        probability: Probability::new(probability).unwrap(),
    }
}

fn countries(codes: &[&str]) -> Vec<CountryCode> {
    codes.iter().map(|code| code.parse().unwrap()).collect()
}

fn judge(policy: &Policy, scores: &[LabelScore], codes: &[&str]) -> Vec<CountryVerdict> {
    let (facts, product) = (BTreeMap::new(), Product::default());
    policy.judge(&Case {
        scores,
        countries: &countries(codes),
        ad_type: "",
        facts: &facts,
        product: &product,
    })
}

fn rule() -> impl Strategy<Value = String> {
    let threshold = || 1..=99_u32;
    prop_oneof![
        Just("verdict = \"ALLOW\"\n".to_owned()),
        threshold().prop_map(|from| format!("verdict = \"BLOCK\"\nfrom = 0.{from:02}\n")),
        threshold().prop_map(|from| format!("verdict = \"REVIEW\"\nfrom = 0.{from:02}\ntext = \"Ask.\"\n")),
        (threshold(), threshold()).prop_map(|(a, b)| format!(
            "review = 0.{:02}\nblock = 0.{:02}\n",
            a.min(b),
            a.max(b)
        )),
    ]
}

/// The text of a policy: a default, and rules on some labels, here and there.
fn policy_text() -> impl Strategy<Value = String> {
    let places = prop::collection::btree_map((0..COUNTRIES.len(), 0..LABELS.len()), rule(), 0..12);
    places.prop_map(|rules| {
        let mut text = "format = 1\n[default]\nreview = 0.4\nblock = 0.8\n".to_owned();
        for ((country, label), rule) in rules {
            let table = match COUNTRIES[country] {
                "" => format!("[label.{}]\n", LABELS[label]),
                country => format!("[country.{country}.label.{}]\n", LABELS[label]),
            };
            text += &(table + &rule);
        }
        text
    })
}

fn scores() -> impl Strategy<Value = Vec<LabelScore>> {
    prop::collection::vec(0.0..=1.0_f32, LABELS.len()).prop_map(|values| {
        LABELS
            .iter()
            .zip(values)
            .map(|(label, value)| score(label, value))
            .collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_a_reason(text in "\\PC{0,200}|([a-z\\[\\]=.\"0-9\\n ]{0,200})") {
        if let Err(error) = Policy::parse(&text) {
            prop_assert!(!error.mistakes.is_empty());
        }
    }

    #[test]
    fn every_country_has_a_verdict_with_a_reason_that_made_it(text in policy_text(), scores in scores()) {
        let verdicts = judge(&Policy::parse(&text).unwrap(), &scores, &COUNTRIES);
        prop_assert_eq!(verdicts.iter().map(|verdict| verdict.country).collect::<Vec<_>>(), countries(&COUNTRIES));
        for verdict in verdicts {
            prop_assert!(!verdict.reasons[0].losing);
            prop_assert!(verdict.reasons.iter().all(|reason| !reason.text.is_empty() && !reason.rule.is_empty()));
        }
    }

    #[test]
    fn a_higher_score_is_never_less_strict(text in policy_text(), scores in scores(), which in 0..LABELS.len(), raised in 0.0..=1.0_f32) {
        let policy = Policy::parse(&text).unwrap();
        let mut higher = scores.clone();
        let raised = raised.max(scores[which].probability.get());
        higher[which] = score(LABELS[which], raised);
        for (before, after) in judge(&policy, &scores, &COUNTRIES).iter().zip(judge(&policy, &higher, &COUNTRIES)) {
            prop_assert!(after.verdict >= before.verdict);
        }
    }

    #[test]
    fn the_order_of_labels_is_of_no_consequence(text in policy_text(), scores in scores().prop_shuffle()) {
        let policy = Policy::parse(&text).unwrap();
        let mut sorted = scores.clone();
        sorted.sort_by(|a, b| a.label.cmp(&b.label));
        prop_assert_eq!(judge(&policy, &scores, &COUNTRIES), judge(&policy, &sorted, &COUNTRIES));
    }

    #[test]
    fn a_rule_of_a_country_changes_that_country_alone(text in policy_text(), rule in rule(), scores in scores()) {
        let more = format!("{text}[country.DE.label.firearm]\n{rule}");
        let (before, after) = (Policy::parse(&text).unwrap(), Policy::parse(&more).unwrap());
        prop_assert_eq!(judge(&before, &scores, &COUNTRIES), judge(&after, &scores, &COUNTRIES));
        let other = [score("tobacco", 0.0)];
        prop_assert_eq!(judge(&before, &other, &["DE"]), judge(&after, &other, &["DE"]));
    }

    #[test]
    fn a_country_is_as_strict_as_its_strictest_label(text in policy_text(), scores in scores()) {
        let policy = Policy::parse(&text).unwrap();
        let each: Vec<_> = scores.chunks(1).map(|one| judge(&policy, one, &COUNTRIES)).collect();
        for (index, verdict) in judge(&policy, &scores, &COUNTRIES).iter().enumerate() {
            prop_assert_eq!(Some(verdict.verdict), each.iter().map(|verdicts| verdicts[index].verdict).max());
        }
    }
}

const EXAMPLE: &str = r#"
format = 1
on_unreadable_picture = "BLOCK"
[default]
review = 0.5
block = 0.9
[label.alcohol]
review = 0.4
block = 0.8
[label.firearm]
verdict = "BLOCK"
from = 0.3
text = "Weapons are never advertised."
[country.FR.label.alcohol]
verdict = "ALLOW"
[country.NO.label.alcohol]
verdict = "BLOCK"
from = 0.2
"#;

fn texts(verdict: &CountryVerdict) -> Vec<&str> {
    verdict.reasons.iter().map(|reason| reason.text.as_str()).collect()
}

#[test]
fn a_country_outranks_the_rest_of_the_world_on_its_label() {
    let policy = Policy::parse(EXAMPLE).unwrap();
    let verdicts = judge(
        &policy,
        &[score("alcohol", 0.85), score("firearm", 0.1)],
        &["FR", "NO", ""],
    );
    assert_eq!(
        verdicts.iter().map(|v| v.verdict).collect::<Vec<_>>(),
        [Verdict::Allow, Verdict::Block, Verdict::Block]
    );
    let [allowed, nearest, outranked] = verdicts[0].reasons.as_slice() else {
        panic!("{:?}", verdicts[0])
    };
    assert_eq!((allowed.source, allowed.losing), (Source::Rule, false));
    assert_eq!(allowed.text, "alcohol is allowed in FR, whatever its score (0.85)");
    assert!(
        !nearest.losing
            && nearest
                .text
                .starts_with("no label reaches its threshold in FR; the nearest is firearm 0.10")
    );
    assert_eq!((outranked.rule.as_str(), outranked.losing), ("label.alcohol", true));
    assert!(
        texts(&verdicts[1]) == ["alcohol scores 0.85: from 0.20 it is blocked in NO"],
        "{verdicts:?}"
    );
}

#[test]
fn the_stricter_label_wins_and_the_other_is_told_as_losing() {
    let policy = Policy::parse(EXAMPLE).unwrap();
    let verdict = &judge(
        &policy,
        &[score("alcohol", 0.5), score("firearm", 0.31), score("tobacco", 0.2)],
        &[""],
    )[0];
    assert_eq!(verdict.verdict, Verdict::Block);
    assert_eq!(
        verdict
            .reasons
            .iter()
            .map(|r| (r.rule.as_str(), r.losing))
            .collect::<Vec<_>>(),
        [("label.firearm", false), ("label.alcohol", true)]
    );
    assert!(verdict.reasons[0].text.ends_with(". Weapons are never advertised."));
}

#[test]
fn an_allowed_product_is_told_how_near_it_came() {
    let policy = Policy::parse(EXAMPLE).unwrap();
    let verdict = &judge(&policy, &[score("alcohol", 0.12), score("tobacco", 0.14)], &["DE"])[0];
    assert_eq!(
        texts(verdict),
        ["no label reaches its threshold in DE; the nearest is alcohol 0.12 (review from 0.40)"]
    );
    assert_eq!(verdict.reasons[0].threshold, Probability::new(0.4));
}

#[test]
fn a_case_without_scores_waits_for_a_person() {
    let verdict = &judge(&Policy::parse(EXAMPLE).unwrap(), &[], &[])[0];
    assert_eq!(
        (verdict.country, verdict.verdict),
        (CountryCode::REST_OF_WORLD, Verdict::Review)
    );
    assert_eq!(verdict.reasons[0].source, Source::Fallback);
}

#[test]
fn an_unreadable_picture_is_judged_as_the_policy_says_with_the_cause() {
    let verdicts = Policy::parse(EXAMPLE)
        .unwrap()
        .unreadable("it ends in the middle", &countries(&["FR", "DE"]));
    assert_eq!(verdicts.len(), 2);
    assert_eq!(
        (verdicts[1].verdict, verdicts[1].reasons[0].source),
        (Verdict::Block, Source::Quality)
    );
    assert_eq!(
        verdicts[1].reasons[0].text,
        "the picture cannot be judged: it ends in the middle"
    );
}

#[test]
fn rules_on_labels_that_the_model_lacks_are_listed() {
    let labels: Vec<Label> = vec!["firearm".parse().unwrap()];
    assert_eq!(
        Policy::parse(EXAMPLE).unwrap().inert(&labels),
        ["label.alcohol", "country.FR.label.alcohol", "country.NO.label.alcohol"]
    );
}

#[test]
fn a_policy_that_allows_every_label_of_a_model_is_told() {
    let text = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n[label.firearm]\nverdict = \"ALLOW\"\n";
    let labels = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Label>>();
    let policy = Policy::parse(text).unwrap();
    assert!(policy.allows_everything(&labels(&["firearm"])).is_some());
    assert_eq!(policy.allows_everything(&labels(&["firearm", "alcohol"])), None);
}

#[test]
fn the_shipped_policy_speaks_of_the_shipped_labels_alone() {
    let policy = Policy::parse(include_str!("../../models/adsafety/policy.toml")).unwrap();
    let labels: Vec<Label> = [
        "firearm",
        "combat_knife",
        "alcohol",
        "tobacco",
        "gambling",
        "placeholder",
        "promotional_text_overlay",
    ]
    .iter()
    .map(|label| label.parse().unwrap())
    .collect();
    assert_eq!(policy.inert(&labels), Vec::<String>::new());
    let beer = judge(
        &policy,
        &[score("alcohol", 0.95), score("firearm", 0.02)],
        &["FR", "SA", "NO", ""],
    );
    assert_eq!(
        beer.iter().map(|v| v.verdict).collect::<Vec<_>>(),
        [Verdict::Allow, Verdict::Block, Verdict::Block, Verdict::Review]
    );
}
