//! The cases that people would name: who outranks whom, and how it is told.

use std::collections::BTreeMap;

use super::*;

const HEAD: &str = "format = 1\non_unreadable_picture = \"BLOCK\"\n[default]\nreview = 0.5\nblock = 0.9\n";
const EXAMPLE: &str = r#"
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

fn policy(rules: &str) -> Policy {
    Policy::parse(&format!("{HEAD}{rules}")).unwrap_or_else(|error| panic!("{error}"))
}

fn rule(id: &str, keys: &str) -> String {
    format!("[[rule]]\nid = \"{id}\"\ntext = \"{id}.\"\nlabel = \"alcohol\"\n{keys}\n")
}

fn judge(policy: &Policy, scores: &[LabelScore], codes: &[&str]) -> Vec<CountryVerdict> {
    policy.judge(&Case {
        countries: &countries(codes),
        ..scored(scores)
    })
}

fn told(verdict: &CountryVerdict) -> Vec<(&str, bool)> {
    verdict
        .reasons
        .iter()
        .map(|reason| (reason.rule.as_str(), reason.losing))
        .collect()
}

#[test]
fn a_country_outranks_the_rest_of_the_world_on_its_label() {
    let scores = [score("alcohol", 0.85), score("firearm", 0.1)];
    let verdicts = judge(&policy(EXAMPLE), &scores, &["FR", "NO", ""]);
    assert_eq!(
        verdicts.iter().map(|v| v.verdict).collect::<Vec<_>>(),
        [ALLOW, BLOCK, BLOCK]
    );
    assert_eq!(
        told(&verdicts[0]),
        [
            ("country.FR.label.alcohol", false),
            ("label.firearm", false),
            ("label.alcohol", true)
        ]
    );
    assert_eq!(
        verdicts[0].reasons[0].text,
        "alcohol is allowed in FR, whatever its score (0.85)"
    );
    assert!(
        verdicts[0].reasons[1]
            .text
            .starts_with("no label reaches its threshold in FR; the nearest is firearm 0.10")
    );
    assert_eq!(
        verdicts[0].reasons[2].text,
        "label.alcohol says BLOCK from 0.80 for alcohol; outranked by the more specific country.FR.label.alcohol"
    );
    assert_eq!(told(&verdicts[1]), [("country.NO.label.alcohol", false)]);
    assert_eq!(
        verdicts[1].reasons[0].text,
        "alcohol scores 0.85: from 0.20 it is blocked in NO"
    );
}

#[test]
fn the_stricter_label_wins_and_the_other_is_told_as_losing() {
    let scores = [score("alcohol", 0.5), score("firearm", 0.31), score("tobacco", 0.2)];
    let verdict = &judge(&policy(EXAMPLE), &scores, &[""])[0];
    assert_eq!(verdict.verdict, BLOCK);
    assert_eq!(told(verdict), [("label.firearm", false), ("label.alcohol", true)]);
    assert!(verdict.reasons[0].text.ends_with(". Weapons are never advertised."));
}

#[test]
fn an_allowed_product_is_told_how_near_it_came() {
    let verdict = &judge(
        &policy(EXAMPLE),
        &[score("alcohol", 0.12), score("tobacco", 0.14)],
        &["DE"],
    )[0];
    let texts: Vec<&str> = verdict.reasons.iter().map(|reason| reason.text.as_str()).collect();
    assert_eq!(
        texts,
        ["no label reaches its threshold in DE; the nearest is alcohol 0.12 (review from 0.40)"]
    );
    assert_eq!(verdict.reasons[0].threshold, Probability::new(0.4));
}

#[test]
fn a_case_without_scores_waits_for_a_person() {
    let verdict = &judge(&policy(EXAMPLE), &[], &[])[0];
    assert_eq!((verdict.country, verdict.verdict), (CountryCode::REST_OF_WORLD, REVIEW));
    assert_eq!(verdict.reasons[0].source, Source::Fallback);
}

#[test]
fn an_unreadable_picture_is_judged_as_the_policy_says_with_the_cause() {
    let policy = policy(EXAMPLE);
    let verdict = &policy.judge(&Case {
        look: Seen::Unreadable("it ends in the middle"),
        ..scored(&[])
    })[0];
    assert_eq!((verdict.verdict, verdict.reasons[0].source), (BLOCK, Source::Quality));
    assert_eq!(
        verdict.reasons[0].text,
        "the picture cannot be judged: it ends in the middle"
    );
}

/// Each of these outranks every one after it, whatever they say, in FR.
const LADDER: [&str; 9] = [
    "product = \"p/1\"",
    "partner = \"p\"\ncountries = [\"FR\"]",
    "partner = \"p\"",
    "countries = [\"FR\"]\nad_type = \"mail\"",
    "countries = [\"FR\"]\nfacts = { size = \"large\" }\ncategory = \"Food\"",
    "countries = [\"FR\"]",
    "groups = [\"small\"]",
    "groups = [\"large\"]\nad_type = \"mail\"",
    "ad_type = \"mail\"\nfacts = { size = \"large\" }",
];

#[test]
fn what_is_more_specific_speaks_whether_it_is_stricter_or_not() {
    let groups = "[group.small]\ncountries = [\"FR\", \"DE\"]\n[group.large]\ncountries = [\"US\", \"FR\", \"DE\"]\n";
    let facts = BTreeMap::from([("size".to_owned(), "large".to_owned())]);
    let scores = [score("alcohol", 0.7)];
    let case = Case {
        countries: &countries(&["FR"]),
        ad_type: "MAIL",
        facts: Facts::given(&facts),
        subject: Subject {
            category: "Food > Wine",
            ..Subject::unknown("p", "1")
        },
        ..scored(&scores)
    };
    for (stronger, conditions) in LADDER.iter().enumerate() {
        for weaker in &LADDER[stronger + 1..] {
            for (first, second) in [("ALLOW", "BLOCK"), ("BLOCK", "ALLOW")] {
                let effect = |verdict| {
                    if verdict == "ALLOW" {
                        "verdict = \"ALLOW\""
                    } else {
                        "verdict = \"BLOCK\"\nfrom = 0.1"
                    }
                };
                let one = rule("stronger", &format!("{conditions}\n{}", effect(first)));
                let other = rule("weaker", &format!("{weaker}\n{}", effect(second)));
                let verdict = &policy(&format!("{groups}{other}{one}")).judge(&case)[0];
                assert_eq!(
                    verdict.verdict.as_str(),
                    first,
                    "{conditions} against {weaker}: {:#?}",
                    verdict.reasons
                );
                assert!(
                    verdict
                        .reasons
                        .iter()
                        .any(|reason| reason.losing && reason.text.contains("more specific stronger"))
                );
            }
        }
    }
}

#[test]
fn of_equally_specific_rules_the_stricter_speaks_on_each_score() {
    let rules = rule("early", "verdict = \"REVIEW\"\nfrom = 0.2") + &rule("late", "verdict = \"BLOCK\"\nfrom = 0.6");
    for (shown, verdict, by) in [(0.1, ALLOW, "early"), (0.3, REVIEW, "early"), (0.7, BLOCK, "late")] {
        let verdicts = judge(&policy(&rules), &[score("alcohol", shown)], &[]);
        assert_eq!(
            (verdicts[0].verdict, verdicts[0].reasons[0].rule.as_str()),
            (verdict, by)
        );
    }
    let losing = &judge(&policy(&rules), &[score("alcohol", 0.7)], &[])[0].reasons[1];
    assert_eq!(
        losing.text,
        "early says REVIEW from 0.20 for alcohol; outranked by the equally specific and stricter late. early."
    );
}

#[test]
fn the_default_is_silent_where_any_rule_applies() {
    let rules = rule("here", "countries = [\"FR\"]\nverdict = \"ALLOW\"");
    let verdicts = judge(&policy(&rules), &[score("alcohol", 0.95)], &["FR", "DE"]);
    assert_eq!([verdicts[0].verdict, verdicts[1].verdict], [ALLOW, BLOCK]);
    assert_eq!(verdicts[1].reasons[0].rule, "default");
}

#[test]
fn an_unknown_fact_asks_for_a_person_only_where_the_answer_could_differ() {
    let rules = rule("banned", "countries = [\"IT\"]\nverdict = \"BLOCK\"\nfrom = 0.4")
        + &rule(
            "licensed",
            "countries = [\"IT\"]\nfacts = { gaming_licence = \"adm\" }\nverdict = \"ALLOW\"",
        );
    let policy = policy(&rules);
    let verdict = |shown: f32, licence: Option<&str>| {
        let facts: BTreeMap<String, String> = licence
            .into_iter()
            .map(|licence| ("gaming_licence".to_owned(), licence.to_owned()))
            .collect();
        let scores = [score("alcohol", shown)];
        policy
            .judge(&Case {
                countries: &countries(&["IT"]),
                facts: Facts::given(&facts),
                ..scored(&scores)
            })
            .remove(0)
    };
    assert_eq!(verdict(0.7, Some("adm")).verdict, ALLOW);
    assert_eq!(verdict(0.7, Some("none")).verdict, BLOCK);
    assert_eq!(verdict(0.3, None).verdict, ALLOW);
    let doubtful = verdict(0.7, None);
    assert_eq!(doubtful.verdict, REVIEW);
    assert_eq!(told(&doubtful), [("licensed", false), ("banned", true)]);
    assert_eq!(
        doubtful.reasons[0].text,
        "the gaming licence is not known: depending on it licensed says ALLOW for alcohol 0.70, or banned says BLOCK, so a person decides in IT. licensed."
    );
    assert_eq!(
        doubtful.reasons[1].text,
        "banned says BLOCK from 0.40 for alcohol; licensed is more specific or stricter and may apply. banned."
    );
}

#[test]
fn an_unknown_fact_changes_nothing_where_an_equally_specific_rule_says_the_same() {
    let rules = rule("large", "facts = { size = \"large\" }\nverdict = \"BLOCK\"\nfrom = 0.3")
        + &rule("old", "facts = { age = \"old\" }\nverdict = \"BLOCK\"\nfrom = 0.6");
    let facts = BTreeMap::from([("size".to_owned(), "large".to_owned())]);
    for (shown, expected) in [(0.2, ALLOW), (0.4, BLOCK), (0.7, BLOCK)] {
        let scores = [score("alcohol", shown)];
        let verdict = policy(&rules)
            .judge(&Case {
                facts: Facts::given(&facts),
                ..scored(&scores)
            })
            .remove(0);
        assert_eq!(verdict.verdict, expected, "{verdict:#?}");
    }
}

#[test]
fn of_labels_equally_near_the_first_by_name_is_told_whatever_their_order() {
    let policy = policy("");
    let mut scores = [score("tobacco", 0.25), score("alcohol", 0.25), score("firearm", 0.25)];
    for _ in 0..3 {
        scores.rotate_left(1);
        let case = scored(&scores);
        assert_eq!(
            policy.judge(&case)[0].reasons[0].label.as_ref().map(Label::as_str),
            Some("alcohol")
        );
        assert_eq!(policy.brief(&case)[0].label.map(Label::as_str), Some("alcohol"));
    }
}

/// A rule of each kind that is not about labels.
const OTHERS: &str = "
[[rule]]
id = \"words\"
text = \"No copies.\"
keywords = { en = [\"Replica\"], any = [\"1:1\"] }
verdict = \"BLOCK\"
[[rule]]
id = \"toys\"
text = \"Ask.\"
category = \"Toys\"
facts = { age = { below = 3 } }
verdict = \"BLOCK\"
[[rule]]
id = \"listed\"
text = \"Called back.\"
product = \"p/1\"
verdict = \"REVIEW\"
[[rule]]
id = \"price\"
text = \"No price.\"
price = { currency = \"EUR\", min = 2 }
";

#[test]
fn other_rules_speak_beside_the_labels_and_the_strictest_decides() {
    let policy = policy(OTHERS);
    let product = Product {
        partner_id: "p".into(),
        product_id: "1".into(),
        title: "A bag".into(),
        description: "true to the REPLICA".into(),
        category: "toys > Cars".into(),
        language: "en-GB".into(),
        price: Some(Money {
            units: 1,
            nanos: 500_000_000,
            currency: "EUR".into(),
        }),
        ..Product::default()
    };
    let matched = policy.matches(&Texts::of(&product));
    let scores = [score("tobacco", 0.6)];
    let case = Case {
        subject: Subject::of(&product, None, &matched),
        ..scored(&scores)
    };
    let verdict = policy.judge(&case).remove(0);
    let expected = [
        (
            Source::Keyword,
            "the description contains \"Replica\": it is blocked in the rest of the world. No copies.",
        ),
        (
            Source::Model,
            "tobacco scores 0.60: from 0.50 a person decides in the rest of the world",
        ),
        (
            Source::Category,
            "the age is not known: depending on it toys says BLOCK or nothing, so a person decides in the rest of the world. Ask.",
        ),
        (
            Source::ProductId,
            "p/1 is listed: a person decides in the rest of the world. Called back.",
        ),
        (
            Source::Price,
            "the price of 1.50 EUR is below 2.00: a person decides in the rest of the world. No price.",
        ),
    ];
    let reasons = verdict
        .reasons
        .iter()
        .map(|reason| (reason.source, reason.text.as_str()));
    assert_eq!(reasons.collect::<Vec<_>>(), expected);
    assert_eq!(verdict.reasons.iter().filter(|reason| !reason.losing).count(), 1);
}

#[test]
fn a_price_is_held_against_the_rules_of_its_currency() {
    let bounds = |currency: &str| {
        format!(
            "[[rule]]\nid = \"{}\"\ntext = \"P.\"\nprice = {{ currency = \"{currency}\", min = 10, max = 20 }}\n",
            currency.to_lowercase()
        )
    };
    let policy = policy(&(bounds("EUR") + &bounds("USD")));
    let scores = [score("alcohol", 0.0)];
    let by = |units: i64, currency: &str| {
        let price = Money {
            units,
            nanos: 0,
            currency: currency.into(),
        };
        let subject = Subject {
            price: Some(&price),
            ..Subject::unknown("", "")
        };
        let verdict = policy
            .judge(&Case {
                subject,
                ..scored(&scores)
            })
            .remove(0);
        verdict
            .reasons
            .into_iter()
            .filter(|reason| reason.source == Source::Price)
            .map(|reason| reason.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(by(15, "EUR"), Vec::<String>::new());
    assert_eq!(by(25, "EUR"), ["eur"]);
    assert_eq!(by(5, "USD"), ["usd"]);
    assert_eq!(by(15, "CHF"), ["eur", "usd"]);
    let nothing = policy.judge(&scored(&scores));
    assert_eq!(
        (nothing[0].verdict, nothing[0].reasons[0].text.as_str()),
        (
            REVIEW,
            "there is no price: a person decides in the rest of the world. P."
        )
    );
}

#[test]
fn of_an_unknown_product_only_its_identity_speaks() {
    let rules = "[[rule]]\nid = \"listed\"\ntext = \"L.\"\nproduct = \"p/1\"\nverdict = \"BLOCK\"\n[[rule]]\nid = \"price\"\ntext = \"P.\"\nprice = { currency = \"EUR\" }\n";
    let policy = policy(rules);
    let of = |product| {
        policy
            .judge(&Case {
                subject: Subject::unknown("p", product),
                look: Seen::Unknown,
                ..scored(&[])
            })
            .remove(0)
    };
    assert_eq!(told(&of("1")), [("listed", false), ("default", true)]);
    assert_eq!((of("2").verdict, told(&of("2"))), (REVIEW, vec![("default", false)]));
}

#[test]
fn what_was_taken_over_is_of_the_country_or_of_the_world() {
    let imported = |country: &str, verdict| ImportedVerdict {
        country: country.parse().unwrap(),
        verdict,
        reason: "seen there".into(),
    };
    let policy = policy(EXAMPLE);
    let of = |all: &[ImportedVerdict]| {
        let verdicts = policy.judge(&Case {
            countries: &countries(&["FR", "DE"]),
            look: Seen::Imported(all),
            ..scored(&[])
        });
        verdicts
            .into_iter()
            .map(|verdict| (verdict.verdict, verdict.reasons[0].source))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(&[imported("FR", BLOCK), imported("", ALLOW)]),
        [(BLOCK, Source::Imported), (ALLOW, Source::Imported)]
    );
    assert_eq!(
        of(&[imported("FR", ALLOW)]),
        [(ALLOW, Source::Imported), (REVIEW, Source::Fallback)]
    );
}

#[test]
fn rules_on_labels_that_the_model_lacks_are_listed() {
    let labels: Vec<Label> = vec!["firearm".parse().unwrap()];
    assert_eq!(
        policy(EXAMPLE).inert(&labels),
        ["label.alcohol", "country.FR.label.alcohol", "country.NO.label.alcohol"]
    );
}

#[test]
fn a_policy_that_allows_every_label_of_a_model_is_told() {
    let labels = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<Label>>();
    let all = policy("[label.firearm]\nverdict = \"ALLOW\"\n");
    assert!(all.allows_everything(&labels(&["firearm"])).is_some());
    assert_eq!(all.allows_everything(&labels(&["firearm", "alcohol"])), None);
    let sometimes = policy(&rule("mail", "ad_type = \"mail\"\nverdict = \"ALLOW\""));
    assert_eq!(sometimes.allows_everything(&labels(&["alcohol"])), None);
}
