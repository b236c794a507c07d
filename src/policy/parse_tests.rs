//! What a policy file may say, and how each mistake is told.

use super::*;

const SOUND: &str = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n";

fn mistakes(text: &str) -> Vec<String> {
    parse(text)
        .unwrap_err()
        .mistakes
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_version_is_the_digest_of_the_bytes() {
    let plain = parse(SOUND).unwrap().version();
    assert_eq!(plain.to_string().len(), 64);
    assert_ne!(plain, parse(&format!("{SOUND}# a comment\n")).unwrap().version());
}

#[test]
fn an_emptied_policy_is_refused() {
    assert_eq!(mistakes("").len(), 2);
    assert_eq!(mistakes("\n \n# nothing\n"), mistakes(""));
    assert!(mistakes("")[1].contains("[default]"));
}

/// What is added to a sound policy, and how the mistake begins.
const ABSURD: &[(&str, &str)] = &[
    (
        "[label.firearm]\nreview = 0.5\nblock = 9.0\n",
        "label.firearm.block: 9 is not a probability",
    ),
    (
        "[label.firearm]\nreview = 0\nblock = 0.5\n",
        "label.firearm.review: 0 would catch every picture",
    ),
    (
        "[label.firearm]\nreview = 1e-60\nblock = 0.5\n",
        "label.firearm.review: ",
    ),
    (
        "[label.firearm]\nreview = 1.0\nblock = 1.0\n",
        "label.firearm.review: 1 would let everything pass",
    ),
    (
        "[label.firearm]\nreview = 0.9\nblock = 0.5\n",
        "label.firearm.review: 0.9 is above block (0.5)",
    ),
    (
        "[label.firearm]\nreview = nan\nblock = 0.5\n",
        "label.firearm.review: NaN is not a probability",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = inf\n",
        "label.firearm.block: inf is not a probability",
    ),
    ("[label.firearm]\nreview = 0.5\n", "label.firearm.block: missing"),
    (
        "[label.firearm]\nreview = \"0.5\"\nblock = 0.9\n",
        "label.firearm.review: \"0.5\" is not a number",
    ),
    ("[label.firearm]\nverdict = \"BLOCK\"\n", "label.firearm.from: missing"),
    (
        "[label.firearm]\nverdict = \"ALLOW\"\nfrom = 0.4\n",
        "label.firearm.from: not known here",
    ),
    (
        "[label.firearm]\nverdict = \"allow\"\nfrom = 0.4\n",
        "label.firearm.verdict: \"allow\" is not a verdict",
    ),
    (
        "[label.firearm]\nreveiw = 0.5\nreview = 0.5\nblock = 0.9\n",
        "label.firearm.reveiw: not known here",
    ),
    (
        "[label.firearm]\nreview = 0.5\nblock = 0.9\ntext = \" \"\n",
        "label.firearm.text: not a sentence",
    ),
    (
        "[label.Firearm]\nreview = 0.5\nblock = 0.9\n",
        "label.Firearm: \"Firearm\" is not a label",
    ),
    ("[label]\nfirearm = 0.5\n", "label.firearm: a table is expected"),
    (
        "[country.fr.label.alcohol]\nverdict = \"ALLOW\"\n",
        "country.fr: \"fr\" is not a country",
    ),
    (
        "[country.XX.label.alcohol]\nverdict = \"ALLOW\"\n",
        "country.XX: \"XX\" is not a country",
    ),
    (
        "[country.\"\".label.alcohol]\nverdict = \"ALLOW\"\n",
        "country.\"\": the rest of the world has no country table",
    ),
    ("[country.FR]\n", "country.FR: empty"),
    (
        "[country.FR.labels.alcohol]\nverdict = \"ALLOW\"\n",
        "country.FR.labels: not known here",
    ),
    ("[thresholds]\nfirearm = 0.5\n", "thresholds: not known here"),
];

#[test]
fn an_absurd_policy_is_refused_with_the_key_and_the_way_out() {
    for (absurd, key) in ABSURD {
        let told = mistakes(&format!("{SOUND}{absurd}"));
        assert_eq!(told.len(), 1, "{absurd}: {told:?}");
        assert!(told[0].starts_with(key), "{absurd}: {told:?}");
    }
}

#[test]
fn a_policy_that_allows_by_default_is_refused() {
    assert!(mistakes("format = 1\n[default]\nverdict = \"ALLOW\"\n")[0].starts_with("default.verdict: "));
    assert!(mistakes(&format!("on_unreadable_picture = \"ALLOW\"\n{SOUND}"))[0].starts_with("on_unreadable_picture: "));
}

#[test]
fn another_format_is_refused() {
    for format in ["2", "\"1\"", "1.0"] {
        assert!(
            mistakes(&SOUND.replacen('1', format, 1))[0].starts_with("format: "),
            "{format}"
        );
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let error = parse(
        "format = 1\nspeed = 3\n[default]\nreview = 0\nblock = 9\n[label.alcohol]\nreview = 0.9\nblock = 0.1\n[country.QQ.label.x]\nverdict = \"ALLOW\"\n",
    )
    .unwrap_err();
    assert_eq!(error.mistakes.len(), 5, "{error}");
    assert!(
        error
            .to_string()
            .starts_with("the policy has 5 mistakes: default.review: "),
        "{error}"
    );
}

#[test]
fn broken_toml_is_told_with_its_line() {
    let told = mistakes("format = 1\n[default\nreview = 0.5\n");
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("line 2: not TOML: "), "{told:?}");
}

#[test]
fn an_endless_policy_is_not_read() {
    assert!(mistakes(&" ".repeat(MAX_BYTES + 1))[0].contains("at most 1048576"));
}
