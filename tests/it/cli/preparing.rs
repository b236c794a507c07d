//! `check` and `add` on repositories of their own.

use serde_json::Value;

use super::{Ended, end, vigie};
use crate::support::Place;

/// Runs the command in the place's folder, where `models` is the repository.
fn prepare(place: &Place, words: &[&str]) -> Ended {
    let mut command = vigie(words);
    command.current_dir(place.root());
    end(command)
}

#[test]
fn check_proves_a_good_repository_and_says_how_to_mend_a_bad_one() {
    let place = Place::shipped();
    let good = prepare(&place, &["check"]);
    assert_eq!(good.code, 0, "{}{}", good.out, good.err);
    assert!(
        good.out.contains("adsafety/1") && good.out.contains("reproduced within"),
        "{}",
        good.out
    );

    let model = place.version(2).join("model.onnx");
    let mut bytes = std::fs::read(&model).unwrap();
    bytes.push(0);
    std::fs::write(&model, bytes).unwrap();
    let bad = prepare(&place, &["check", "models", "--skip-proof"]);
    assert_eq!(bad.code, 1, "{}{}", bad.out, bad.err);
    assert!(
        bad.out.contains("adsafety/2: model.onnx") && bad.out.contains("vigie add --reseal"),
        "{}",
        bad.out
    );
    let json: Value = serde_json::from_str(&prepare(&place, &["check", "--skip-proof", "--json"]).out).unwrap();
    assert!(
        json["models"]["adsafety"]["versions"]["1"]["findings"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        json["models"]["adsafety"]["versions"]["2"]["findings"][0]["severity"],
        "error"
    );

    let missing = prepare(&place, &["check", "no/such/folder"]);
    assert!(
        missing.code == 2 && missing.err.contains("no/such/folder"),
        "{}",
        missing.err
    );
}

#[test]
fn add_makes_a_version_that_check_finds_good() {
    let place = Place::shipped();
    let onnx = place.root().join("mine.onnx");
    std::fs::copy(place.version(1).join("model.onnx"), &onnx).unwrap();
    let added = prepare(
        &place,
        &["add", "mine.onnx", "--to", "adsafety", "--like", "1", "--json"],
    );
    assert_eq!(added.code, 0, "{}", added.err);
    let added: Value = serde_json::from_str(&added.out).unwrap();
    assert_eq!(
        (&added["version"], &added["golden"]),
        (&Value::from(3), &Value::from("self"))
    );
    let checked = prepare(&place, &["check", "--json"]);
    assert_eq!(checked.code, 0, "{}", checked.out);
    let checked: Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(
        checked["models"]["adsafety"]["versions"]["3"]["revision"],
        added["revision"]
    );

    let refused = prepare(&place, &["add", "mine.onnx", "--to", "adsafety", "--like", "9"]);
    assert!(
        refused.code == 2 && refused.err.contains("version 9"),
        "{}",
        refused.err
    );
    let unfit = prepare(&place, &["add", "mine.onnx", "--to", "adsafety", "--like", "2"]);
    assert!(
        unfit.code == 2 && unfit.err.contains("[preprocessing]"),
        "{}",
        unfit.err
    );
    assert!(!place.version(4).exists(), "nothing is left of a refused version");
}

#[test]
fn reseal_makes_an_edited_version_whole_again() {
    let place = Place::shipped();
    let manifest = place.version(2).join("version.toml");
    let labels = place.version(2).join("golden/00.jpg");
    let picture = std::fs::read(place.version(2).join("golden/01.jpg")).ok();
    let (Some(picture), true) = (picture, labels.exists()) else {
        panic!("the shipped version has two golden JPEG pictures");
    };
    std::fs::write(&labels, picture).unwrap();
    assert_eq!(prepare(&place, &["check", "--skip-proof"]).code, 1);
    let before = std::fs::read_to_string(&manifest).unwrap();
    let resealed = prepare(&place, &["add", "--reseal", "models/adsafety/2"]);
    assert_eq!(resealed.code, 0, "{}", resealed.err);
    assert_ne!(std::fs::read_to_string(&manifest).unwrap(), before);
    assert_eq!(prepare(&place, &["check", "--skip-proof"]).code, 0);
    let proved = prepare(&place, &["check"]);
    assert_eq!(
        proved.code, 1,
        "another picture does not earn the golden scores: {}",
        proved.out
    );
}
