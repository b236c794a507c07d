//! Keywords: what is found in a product's texts, and how little is kept of it.

use proptest::prelude::*;

use super::*;

fn policy(keywords: &str) -> Policy {
    let head = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n";
    let rules = keywords.split('|').enumerate().map(|(number, list)| {
        format!("[[rule]]\nid = \"r{number}\"\ntext = \"R.\"\nkeywords = {{ {list} }}\nverdict = \"BLOCK\"\n")
    });
    Policy::parse(&format!("{head}{}", rules.collect::<String>())).unwrap_or_else(|error| panic!("{error}"))
}

fn is_found(keyword: &str, title: &str) -> bool {
    !policy(&format!("any = [\"{keyword}\"]"))
        .matches(&Texts {
            title,
            ..Texts::default()
        })
        .is_empty()
}

#[test]
fn a_word_is_found_as_a_word_in_any_spelling() {
    for (keyword, title) in [
        ("gun", "GUN"),
        ("gun", "a gun."),
        ("gun", "gun-shaped"),
        ("gun", "«Gun»"),
        ("Réplique", "replique"),
        ("replique", "LA RÉPLIQUE !"),
        ("straße", "STRASSE 5"),
        ("arme à feu", "arme \u{a0}A  feu"),
        ("ak-47", "ＡＫ-47 toy"),
        ("c++", "learn c++ now"),
        ("🔫", "toy🔫toy"),
        ("枪", "玩具枪支"),
        ("ピストル", "高級ピストルケース"),
        ("총", "장난감총을"),
        ("ak47", "玩具AK47模型"),
        ("ปืน", "ขายปืนของเล่น"),
    ] {
        assert!(is_found(keyword, title), "{keyword} in {title}");
    }
    for (keyword, title) in [
        ("gun", "begun"),
        ("gun", "gunpowder"),
        ("gun", "gun5"),
        ("gun", "g un"),
        ("pistol", "Pistole"),
        ("arme à feu", "arme feu"),
        ("강", "가격"),
        ("가", "강아지"),
        ("क", "क्या"),
        ("か", "が"),
    ] {
        assert!(!is_found(keyword, title), "{keyword} in {title}");
    }
}

#[test]
fn a_list_is_for_texts_of_its_language_or_of_none_that_is_known() {
    let policy = policy("fr = [\"arme\"]|de = [\"arme\"]|any = [\"arme\"]");
    let rules = |language| {
        let matched = policy.matches(&Texts {
            title: "arme",
            language,
            ..Texts::default()
        });
        (0..3_u16)
            .filter(|&rule| matched.of_rule(rule).is_some())
            .collect::<Vec<_>>()
    };
    for french in ["fr", "FR", "fr-CA", "fr_FR", " fr "] {
        assert_eq!(rules(french), [0, 2], "{french}");
    }
    for unreadable in ["", "french", "fra", "zz", "und", "-", "ƒr"] {
        assert_eq!(rules(unreadable), [0, 1, 2], "{unreadable}");
    }
    assert_eq!(rules("es"), [2]);
}

#[test]
fn the_first_word_of_the_most_prominent_text_is_told() {
    let policy = policy("any = [\"Replica\", \"copy\"]");
    let told = |title, description, brand| {
        let matched = policy.matches(&Texts {
            title,
            description,
            brand,
            language: "",
        });
        let scores = [score("a", 0.0)];
        let case = scored(&scores);
        policy.judge(&Case {
            subject: Subject {
                matched: &matched,
                ..case.subject
            },
            ..case
        })[0]
            .reasons[0]
            .text
            .clone()
    };
    assert!(told("a copy, a replica", "replica", "").starts_with("the title contains \"Replica\""));
    assert!(told("", "replica", "copy").starts_with("the description contains \"Replica\""));
    assert!(told("", "", "Copy Inc.").starts_with("the brand contains \"copy\""));
}

#[test]
fn what_was_found_is_small_and_can_be_kept() {
    assert_eq!(size_of::<Matched>(), 16);
    let policy = policy("any = [\"copy\"]|any = [\"bag\"]|any = [\"other\"]");
    let matched = policy.matches(&Texts {
        title: "a bag",
        brand: "copy",
        ..Texts::default()
    });
    let kept = serde_json::to_string(&matched).unwrap();
    assert_eq!(kept, "[[0,0,2],[1,0,0]]");
    assert_eq!(serde_json::from_str::<Matched>(&kept).unwrap(), matched);
    assert_eq!(serde_json::to_string(&Matched::default()).unwrap(), "null");
    assert_eq!(serde_json::from_str::<Matched>("null").unwrap(), Matched::default());
    assert!(serde_json::from_str::<Matched>("[[0,0,3]]").is_err());
}

#[test]
fn the_version_is_of_what_matching_depends_on_alone() {
    let version = |list: &str| policy(list).keywords_version();
    let plain = version("fr = [\"arme\"]|any = [\"copy\"]");
    assert_eq!(plain, version("fr = [\"ARMÉ\"]|any = [\"copy\"]"));
    for other in [
        "fr = [\"armes\"]|any = [\"copy\"]",
        "de = [\"arme\"]|any = [\"copy\"]",
        "any = [\"copy\"]|fr = [\"arme\"]",
        "fr = [\"arme\", \"copy\"]",
    ] {
        assert_ne!(plain, version(other), "{other}");
    }
    let blocked = Policy::parse("format = 1\n[default]\nreview = 0.5\nblock = 0.9\n[[rule]]\nid = \"a\"\ntext = \"A.\"\nkeywords = { fr = [\"arme\"] }\nverdict = \"BLOCK\"\n").unwrap();
    assert_eq!(blocked.keywords_version(), version("fr = [\"arme\"]"));
}

proptest! {
    /// Against looking at every word of the text.
    #[test]
    fn words_are_found_as_if_each_were_looked_at(
        words in prop::collection::vec("[a-c]{1,3}", 0..8),
        keyword in "[a-c]{1,3}( [a-c]{1,2})?",
        separators in prop::collection::vec(prop::sample::select(vec![" ", "-", ", ", "\u{301} ", "  "]), 8),
    ) {
        let title: String = words.iter().zip(&separators).map(|(word, separator)| format!("{word}{separator}")).collect();
        let spoken: Vec<&str> = title.split([' ', '\u{301}']).filter(|word| !word.is_empty()).collect();
        let text = format!(" {} ", spoken.join(" ")).replace(['-', ','], " # ");
        let expected = text.contains(&format!(" {keyword} "));
        prop_assert_eq!(is_found(&keyword, &title), expected, "{:?} in {:?}", keyword, title);
    }

    #[test]
    fn any_texts_can_be_searched(title in "\\PC{0,80}", description in "\\PC{0,80}", language in "\\PC{0,8}") {
        let policy = policy("any = [\"a\", \"b c\"], fr = [\"é\"]|de = [\"ß\"]");
        let matched = policy.matches(&Texts { title: &title, description: &description, brand: "", language: &language });
        prop_assert_eq!(matched.is_empty(), (0..2).all(|rule| matched.of_rule(rule).is_none()));
    }
}
