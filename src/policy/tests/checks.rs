//! What is found in a sound policy, and rules in words.

use super::*;

const HEAD: &str = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n";

fn rule(id: &str, keys: &str) -> String {
    let about = "text = \"T.\"\nowner = \"o\"\nsource = \"https://s.example\"\nreview_by = 2027-01-01\n";
    format!("[[rule]]\nid = \"{id}\"\n{about}{keys}\n")
}

/// Kind, rule and severity of what is found, without what the default lacks.
fn found(rules: &str) -> Vec<(&'static str, String)> {
    let policy = Policy::parse(&format!("{HEAD}{rules}")).unwrap_or_else(|error| panic!("{error}"));
    let labels = ["alcohol".parse().unwrap(), "tobacco".parse().unwrap()];
    let findings = policy.check(Some(&labels), day("2026-11-27T12:00Z"));
    findings
        .into_iter()
        .filter(|finding| finding.rule != "default")
        .map(|finding| (finding.kind.as_str(), finding.rule))
        .collect()
}

fn assert_found(rules: &str, expected: &[(&str, &str)]) {
    let expected: Vec<(&str, String)> = expected
        .iter()
        .map(|(kind, rule)| (*kind, (*rule).to_owned()))
        .collect();
    assert_eq!(found(rules), expected, "{rules}");
}

#[test]
fn a_rule_that_is_outranked_wherever_it_applies_is_found() {
    let group = "[group.g]\ncountries = [\"DE\", \"FR\"]\n";
    let own = |country| {
        rule(
            &format!("in-{country}").to_lowercase(),
            &format!("label = \"alcohol\"\ncountries = [\"{country}\"]\nverdict = \"ALLOW\""),
        )
    };
    let of_group = rule(
        "group",
        "label = \"alcohol\"\ngroups = [\"g\"]\nverdict = \"BLOCK\"\nfrom = 0.5",
    );
    assert_found(
        &format!("{group}{of_group}{}{}", own("DE"), own("FR")),
        &[("unreachable", "group")],
    );
    assert_found(&format!("{group}{of_group}{}", own("DE")), &[]);
    let mail = rule(
        "mail",
        "label = \"alcohol\"\ncountries = [\"FR\"]\nad_type = \"mail\"\nverdict = \"ALLOW\"",
    );
    assert_found(&format!("{group}{of_group}{}{mail}", own("DE")), &[]);
    let for_a_while = rule(
        "while",
        "label = \"alcohol\"\ncountries = [\"FR\"]\nverdict = \"ALLOW\"\nends = 2027-01-01",
    );
    assert_found(&format!("{group}{of_group}{}{for_a_while}", own("DE")), &[]);
}

#[test]
fn rules_that_contradict_or_repeat_each_other_are_found() {
    let stricter = rule(
        "a",
        "label = \"alcohol\"\nfacts = { x = \"1\" }\nverdict = \"BLOCK\"\nfrom = 0.5",
    );
    let milder = rule(
        "b",
        "label = \"alcohol\"\nfacts = { x = \"1\" }\nverdict = \"REVIEW\"\nfrom = 0.5",
    );
    let narrower = rule(
        "c",
        "label = \"alcohol\"\nfacts = { y = \"1\" }\nverdict = \"REVIEW\"\nfrom = 0.5",
    );
    let twin = rule(
        "d",
        "label = \"alcohol\"\nfacts = { x = \"1\" }\nverdict = \"BLOCK\"\nfrom = 0.5",
    );
    assert_found(&format!("{stricter}{milder}"), &[("contradictory", "b")]);
    assert_found(&format!("{stricter}{narrower}"), &[]);
    assert_found(&format!("{stricter}{twin}"), &[("unreachable", "d")]);
    let after = milder.replace("verdict", "starts = 2020-02-01\nverdict");
    assert_found(
        &format!(
            "{}{after}",
            stricter.replace("verdict", "starts = 2020-01-01\nends = 2027-01-31\nverdict")
        ),
        &[("contradictory", "b")],
    );
    let never_at_once = stricter.replace("verdict", "ends = 2028-01-31\nverdict")
        + &milder.replace("verdict", "starts = 2028-02-01\nverdict");
    assert_found(&never_at_once, &[("not-yet-begun", "b")]);
}

#[test]
fn what_the_model_does_not_give_and_what_nobody_uses_is_found() {
    let rules = rule("a", "label = \"firearm\"\nverdict = \"REVIEW\"\nfrom = 0.5");
    assert_found(&rules, &[("inert", "a")]);
    assert_found("[group.g]\ncountries = [\"FR\"]\n", &[("inert", "group.g")]);
    assert_found(
        "[costs]\nshow_unsafe = { default = 1, fire_arm = 2 }\nhide_safe = 1\n",
        &[("inert", "costs")],
    );
    let severe = Policy::parse(&format!("severe = [\"fire_arm\"]\n{HEAD}")).unwrap();
    let finding = severe
        .check(Some(&["firearm".parse().unwrap()]), day("2026-11-27T12:00Z"))
        .remove(0);
    assert_eq!(
        (finding.rule.as_str(), finding.line, finding.severity),
        ("severe", 1, Severity::Warning)
    );
}

#[test]
fn dates_that_passed_and_rules_that_nobody_answers_for_are_found() {
    let on = "label = \"alcohol\"\nverdict = \"REVIEW\"\nfrom = 0.5\n";
    assert_found(&rule("a", &format!("{on}ends = 2026-11-26")), &[("expired", "a")]);
    assert_found(&rule("a", &format!("{on}ends = 2026-11-27")), &[]);
    assert_found(
        &rule("a", &format!("{on}starts = 2026-11-29")),
        &[("not-yet-begun", "a")],
    );
    assert_found(&rule("a", on).replace("2027-01-01", "2026-11-26"), &[("overdue", "a")]);
    assert_found(
        "[label.alcohol]\nverdict = \"REVIEW\"\nfrom = 0.5\n",
        &[("unaccountable", "label.alcohol")],
    );
    let both =
        rule("a", "label = \"alcohol\"\nverdict = \"ALLOW\"") + &rule("b", "label = \"tobacco\"\nverdict = \"ALLOW\"");
    assert_found(&both, &[("allows-everything", "policy")]);
}

#[test]
fn a_rule_is_told_in_words() {
    let rules = format!(
        "[group.g]\ncountries = [\"DE\", \"FR\"]\n{}{}{}{}",
        rule(
            "a",
            "label = \"alcohol\"\ncountries = [\"US\"]\ngroups = [\"g\"]\nad_type = \"mail\"\nfacts = { size = { not = \"s\" }, rank = { at_least = 2, below = 4.5 } }\nreview = 0.25\nblock = 0.75\nstarts = 2026-01-05"
        ),
        rule(
            "b",
            "keywords = { any = [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"] }\nverdict = \"BLOCK\""
        ),
        rule(
            "c",
            "price = { currency = \"EUR\", min = 1.5, median = 4 }\ncategory = \"Toys\""
        ),
        rule("d", "product = [\"p/1\"]\nverdict = \"REVIEW\""),
    );
    let policy = Policy::parse(&format!("{HEAD}{rules}")).unwrap();
    let told: Vec<[String; 4]> = policy
        .rules()
        .map(|view| [view.subject, view.places, view.conditions, view.effect])
        .collect();
    let expected = [
        [
            "labels that no other rule names",
            "everywhere",
            "",
            "REVIEW from 0.50, BLOCK from 0.90",
        ],
        [
            "label alcohol",
            "US, group g (2 countries)",
            "ad type mail; rank is at least 2 and is below 4.5; size is not s",
            "REVIEW from 0.25, BLOCK from 0.75",
        ],
        [
            "keywords \"a\", \"b\", \"c\", \"d\", \"e\" and 1 more",
            "everywhere",
            "",
            "BLOCK",
        ],
        [
            "price in EUR, from 1.50, usually 4.00, not less than 0.1 of that",
            "everywhere",
            "category Toys",
            "REVIEW",
        ],
        ["product p/1", "everywhere", "", "REVIEW"],
    ];
    assert_eq!(told, expected.map(|row| row.map(str::to_owned)));
    let view = policy.rules().nth(1).unwrap();
    assert_eq!(
        (view.line, view.starts.as_deref(), view.ends),
        (7, Some("2026-01-05"), None)
    );
}

#[test]
fn thresholds_are_those_of_the_rule_that_speaks_without_any_condition() {
    let rules = rule("world", "label = \"alcohol\"\nverdict = \"BLOCK\"\nfrom = 0.4")
        + &rule(
            "france",
            "label = \"alcohol\"\ncountries = [\"FR\"]\nverdict = \"ALLOW\"\nstarts = 2026-01-05",
        )
        + &rule(
            "mail",
            "label = \"alcohol\"\ncountries = [\"FR\"]\nad_type = \"mail\"\nreview = 0.1\nblock = 0.2",
        )
        + &rule(
            "norway",
            "label = \"alcohol\"\ncountries = [\"NO\"]\nverdict = \"REVIEW\"\nfrom = 0.3",
        );
    let policy = Policy::parse(&format!("{HEAD}{rules}")).unwrap();
    let of = |label: &str, country: &str, at: &str| {
        let thresholds = policy.thresholds(&label.parse().unwrap(), country.parse().unwrap(), day(at));
        thresholds.map(|found| (found.review.get(), found.block.map(Probability::get)))
    };
    assert_eq!(of("alcohol", "DE", "2026-06-01T00:00Z"), Some((0.4, Some(0.4))));
    assert_eq!(of("alcohol", "FR", "2026-06-01T00:00Z"), None);
    assert_eq!(of("alcohol", "FR", "2026-01-01T00:00Z"), Some((0.4, Some(0.4))));
    assert_eq!(of("alcohol", "NO", "2026-06-01T00:00Z"), Some((0.3, None)));
    assert_eq!(of("tobacco", "FR", "2026-06-01T00:00Z"), Some((0.5, Some(0.9))));
}
