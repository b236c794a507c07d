//! What a policy file may say, and how each mistake is told.

use super::*;

pub(super) const SOUND: &str = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n";
/// A rule that lacks what it is about.
pub(super) const RULE: &str = "[[rule]]\nid = \"x\"\ntext = \"X.\"\n";

fn mistakes(text: &str) -> Vec<Mistake> {
    Policy::parse(text).unwrap_err().mistakes
}

pub(super) fn assert_told(text: &str, expected: &str) {
    let told: Vec<String> = mistakes(text)
        .iter()
        .map(|mistake| format!("{}: {}", mistake.key, mistake.problem))
        .collect();
    assert_eq!(told.len(), 1, "{text}: {told:#?}");
    assert!(told[0].starts_with(expected), "{text}: {told:#?}");
}

#[test]
fn the_version_is_the_digest_of_the_bytes() {
    let plain = Policy::parse(SOUND).unwrap().version();
    assert_eq!(plain.to_string().len(), 64);
    assert_ne!(
        plain,
        Policy::parse(&format!("{SOUND}# a comment\n")).unwrap().version()
    );
}

#[test]
fn the_language_as_it_is_documented_is_read_and_its_example_comes_true() {
    let documented = include_str!("../mod.rs")
        .lines()
        .skip_while(|line| *line != "//! ```toml")
        .skip(1);
    let lines = documented
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!").trim_start());
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(policy.rules().count(), 7);
    for outcome in policy.run_examples() {
        assert!(outcome.passed, "{}", outcome.sentence);
    }
}

#[test]
fn an_emptied_policy_is_refused() {
    assert_eq!(mistakes("").len(), 2);
    let keys = |text| {
        mistakes(text)
            .into_iter()
            .map(|mistake| (mistake.key, mistake.line))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys("\n \n# nothing\n"),
        [("format".to_owned(), 1), ("default".to_owned(), 1)]
    );
    assert!(mistakes("")[1].problem.contains("[default]"));
}

#[test]
fn a_rule_has_an_id_of_its_own_and_a_sentence() {
    let effect = "label = \"a\"\nverdict = \"ALLOW\"\n";
    for (head, expected) in [
        ("[[rule]]\ntext = \"X.\"\n", "rule[1].id: missing"),
        (
            "[[rule]]\nid = \"X\"\ntext = \"X.\"\n",
            "rule[1].id: \"X\" is not an id",
        ),
        ("[[rule]]\nid = \"x\"\n", "rule[x].text: missing"),
        (
            "[[rule]]\nid = \"default\"\ntext = \"X.\"\n",
            "rule[1].id: \"default\" stands in reasons for something else",
        ),
    ] {
        assert_told(&format!("{SOUND}{head}{effect}"), expected);
    }
    let short = format!("{SOUND}[label.a]\nverdict = \"ALLOW\"\n[[rule]]\nid = \"label.a\"\ntext = \"X.\"\n{effect}");
    assert_told(&short, "rule[1].id: the rule in line 5 has the id \"label.a\" too");
    assert_told(
        &format!("{SOUND}{RULE}{effect}{RULE}{effect}"),
        "rule[2].id: the rule in line 5 has the id \"x\" too",
    );
}

#[test]
fn a_mistake_is_told_with_its_line_and_column() {
    let text = format!("{SOUND}# é\n[label.firearm]\n  review = 0.5\n  block = 9.0\n[[rule]]\nid = \"é\"\n");
    let places: Vec<_> = mistakes(&text)
        .into_iter()
        .map(|mistake| (mistake.key, mistake.line, mistake.column))
        .collect();
    let expected = [
        ("label.firearm.block", 8, 3),
        ("rule[1].text", 9, 1),
        ("rule[1]", 9, 1),
        ("rule[1].id", 10, 1),
    ];
    assert_eq!(
        places,
        expected.map(|(key, line, column)| (key.to_owned(), line, column))
    );
    let error = Policy::parse(&text).unwrap_err().to_string();
    assert!(
        error.starts_with("the policy has 4 mistakes: line 8, column 3: label.firearm.block: 9 is not a probability"),
        "{error}"
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let text = "format = 2\nspeed = 3\n[default]\nreview = 0\nblock = 9\n[label.alcohol]\nreview = 0.9\nblock = 0.1\n[country.QQ.label.x]\nverdict = \"ALLOW\"\n";
    let lines: Vec<usize> = mistakes(text).iter().map(|mistake| mistake.line).collect();
    assert_eq!(lines, [1, 2, 4, 5, 7, 9]);
}

#[test]
fn broken_toml_is_told_with_its_place_and_nothing_that_follows_from_it() {
    let told = mistakes("format = 1\n[default\nreview = 0.5\n");
    assert!(told[0].to_string().starts_with("line 2, column "), "{told:?}");
    assert!(
        told.iter().all(|mistake| mistake.problem.starts_with("not TOML: ")),
        "{told:?}"
    );
    assert!(
        mistakes(&format!("{SOUND}[label.a]\nverdict = \"ALLOW\"\nstarts = 2026-02-30\n"))[0]
            .problem
            .starts_with("not TOML: ")
    );
    assert!(
        mistakes(&format!("{SOUND}[default]\nreview = 0.5\n"))[0]
            .problem
            .starts_with("not TOML: ")
    );
}

#[test]
fn a_policy_that_allows_by_default_or_what_nobody_saw_is_refused() {
    assert_told(
        "format = 1\n[default]\nverdict = \"ALLOW\"\n",
        "default.verdict: every label without a rule would be allowed",
    );
    assert_told(
        &format!("on_unreadable_picture = \"ALLOW\"\n{SOUND}"),
        "on_unreadable_picture: a picture that cannot be looked at",
    );
    assert_told(
        &format!("{SOUND}starts = 2026-01-05\n"),
        "default.starts: the default is always in force",
    );
}

#[test]
fn another_format_is_refused() {
    for format in ["2", "\"1\"", "1.0"] {
        assert!(mistakes(&SOUND.replacen('1', format, 1))[0].key == "format", "{format}");
    }
}

#[test]
fn what_is_endless_is_not_read() {
    assert!(
        mistakes(&" ".repeat((4 << 20) + 1))[0]
            .problem
            .contains("at most 4194304")
    );
    let rule =
        |number: usize| format!("[[rule]]\nid = \"r{number}\"\ntext = \"X.\"\ncategory = \"A\"\nverdict = \"BLOCK\"\n");
    let many: String = (0..10_000).map(rule).collect();
    assert_told(&format!("{SOUND}{many}"), ": 10001 rules; at most 10000 are read");
    let words: String = (0..100_001).map(|word| format!("\"w{word}\",")).collect();
    assert_told(
        &format!("{SOUND}{RULE}keywords = {{ any = [{words}] }}\nverdict = \"BLOCK\"\n"),
        "rule[x].keywords.any: 100001 in one list",
    );
    let absurd: String = (0..1_000).map(|number| format!("k{number} = 1\n")).collect();
    let told = mistakes(&format!("{absurd}{SOUND}"));
    assert_eq!(told.len(), 200);
    assert!(told[199].problem.contains("at least 800 more mistakes"));
}

#[test]
fn groups_inherit_and_a_ring_of_them_is_refused() {
    let text = format!(
        "{SOUND}[group.a]\ncountries = [\"FR\"]\ngroups = [\"b\"]\n[group.b]\ncountries = [\"DE\", \"FR\"]\n[group.a.label.x]\nverdict = \"ALLOW\"\n"
    );
    let policy = Policy::parse(&text).unwrap();
    let view = policy.rules().find(|rule| rule.id == "group.a.label.x").unwrap();
    assert_eq!(view.places, "group a (2 countries)");
    let ring = text.replace("countries = [\"DE\", \"FR\"]", "countries = [\"DE\"]\ngroups = [\"a\"]");
    let told = mistakes(&ring);
    assert!(
        told.iter().all(|mistake| mistake.problem.contains("within itself")),
        "{told:?}"
    );
}

#[test]
fn an_example_refers_to_what_is_there() {
    for (example, expected) in [
        ("expect = \"ALLOW\"\n", "example[1].name: missing"),
        ("name = \"a\"\n", "example[1].expect: missing"),
        (
            "name = \"a\"\nexpect = \"allow\"\n",
            "example[1].expect: \"allow\" is not a verdict",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\nscores = { a = 2 }\n",
            "example[1].scores.a: 2 is not a score",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\nrule = \"y\"\n",
            "example[1].rule: there is no rule \"y\"",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\nproduct = { price = \"9,90\" }\n",
            "example[1].product.price: \"9,90\" is not a price",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\nproduct = { colour = \"red\" }\n",
            "example[1].product.colour: not known here",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\ncountry = \"FR\"\ncountries = [\"DE\"]\n",
            "example[1].country: write country or countries",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\nunreadable = \"x\"\nscores = { a = 1 }\n",
            "example[1].unreadable: a picture that cannot be judged has no scores",
        ),
        (
            "name = \"a\"\nexpect = \"ALLOW\"\non = \"today\"\n",
            "example[1].on: \"today\" is not a day",
        ),
    ] {
        assert_told(&format!("{SOUND}[[example]]\n{example}"), expected);
    }
    let dated = "[label.a]\nverdict = \"ALLOW\"\nstarts = 2026-01-05\n[[example]]\nname = \"a\"\nexpect = \"ALLOW\"\n";
    assert_told(
        &format!("{SOUND}{dated}"),
        "example[1].on: missing, and rules here have dates",
    );
    let twice = "[[example]]\nname = \"a\"\nexpect = \"ALLOW\"\n".repeat(2);
    assert_told(
        &format!("{SOUND}{twice}"),
        "example[2]: another example is called \"a\"",
    );
}

#[test]
fn what_is_stated_once_holds_for_every_rule_that_states_nothing() {
    let text =
        format!("owner = \"all\"\nsource = \"https://a.example\"\nreview_by = 2027-01-01\n{SOUND}owner = \"me\"\n");
    let policy = Policy::parse(&text).unwrap();
    let view = policy.rules().next().unwrap();
    assert_eq!(
        (view.owner, view.source, view.review_by.as_deref()),
        (Some("me"), Some("https://a.example"), Some("2027-01-01"))
    );
}

#[test]
fn costs_are_of_a_label_or_of_all() {
    let costs = |table: &str| {
        Policy::parse(&format!("{SOUND}[costs]\nhide_safe = 0.5\n{table}"))
            .unwrap()
            .costs()
            .cloned()
            .unwrap()
    };
    let (firearm, other): (Label, Label) = ("firearm".parse().unwrap(), "other".parse().unwrap());
    let table = costs("show_unsafe = { default = 2, firearm = 20.5 }\nreviews_per_day = 400\n");
    assert_eq!((table.show_unsafe(&firearm), table.show_unsafe(&other)), (20.5, 2.0));
    assert_eq!((table.hide_safe(), table.reviews_per_day()), (0.5, Some(400)));
    assert_eq!(costs("show_unsafe = 3\n").show_unsafe(&firearm), 3.0);
    assert_eq!(Policy::parse(SOUND).unwrap().costs(), None);
}
