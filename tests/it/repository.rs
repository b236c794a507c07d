//! `vigie check` and `vigie add` on copies of the shipped repository, run as people run them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use vigie::repository::{Repository, RepositoryOptions, VersionFound};

use crate::support::Place;
use crate::support::files;

fn vigie(arguments: &[&str], paths: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.args(arguments).args(paths).output().expect("run vigie")
}

fn check(place: &Place) -> (bool, Value) {
    let output = vigie(&["check", "--json"], &[&place.repository()]);
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (output.status.success(), report)
}

/// What is said of a version of the shipped model, all of it.
fn said(report: &Value, version: i64) -> String {
    report["models"]["adsafety"]["versions"][version.to_string()]["findings"].to_string()
}

fn add(place: &Place, arguments: &[&str]) -> Result<Value, String> {
    let repository = place.repository();
    let mut all = vec!["add", "--json", "--repository", repository.to_str().unwrap()];
    all.extend(arguments);
    let output = vigie(&all, &[]);
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn the_shipped_repository_is_whole_and_reproduces_its_golden_scores() {
    let (is_good, report) = check(&Place::shipped());
    assert!(is_good, "{report:#}");
    for version in ["1", "2"] {
        let proved = &report["models"]["adsafety"]["versions"][version]["proved"];
        assert!(proved["golden_cases"].as_u64().unwrap() >= 8, "{report:#}");
    }
}

#[test]
fn a_flipped_bit_is_found_offline_and_in_a_scan_and_named() {
    let place = Place::with_versions(&[1, 2]);
    let onnx = place.version(2).join("model.onnx");
    let mut bytes = std::fs::read(&onnx).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&onnx, bytes).unwrap();

    let (is_good, report) = check(&place);
    assert!(!is_good);
    for part in ["model.onnx does not match", "vigie add --reseal", &files::digest(&onnx)] {
        assert!(said(&report, 2).contains(part), "{part}: {report:#}");
    }
    assert!(
        !report["models"]["adsafety"]["versions"]["1"]["proved"].is_null(),
        "{report:#}"
    );

    // Nobody writes here any more, so nothing need settle.
    let options = RepositoryOptions {
        settle: std::time::Duration::ZERO,
        ..RepositoryOptions::default()
    };
    let mut repository = Repository::open(&place.repository(), options).unwrap();
    let scan = repository.scan(std::time::Instant::now()).unwrap();
    let versions: Vec<_> = scan.models.values().next().unwrap().versions.values().collect();
    assert!(
        matches!(
            versions[..],
            [VersionFound::Complete(_), VersionFound::Incomplete { .. }]
        ),
        "{versions:?}"
    );
}

#[test]
fn an_edit_that_changes_answers_is_found_out_by_the_training_scores() {
    let place = Place::with_versions(&[1, 2]);
    // Whole again after resealing, but no longer what training measured.
    files::edit_manifest(&place.version(2), |manifest| {
        manifest["preprocessing"]["color"] = toml_edit::value("bgr")
    });
    assert!(add(&place, &["--reseal", place.version(2).to_str().unwrap()]).is_ok());
    let (is_good, report) = check(&place);
    assert!(!is_good && said(&report, 2).contains("golden"), "{report:#}");
}

#[test]
fn a_version_is_added_by_one_command_and_is_whole() {
    let place = Place::with_versions(&[1, 2]);
    let model = place.version(2).join("model.onnx");
    let added = add(&place, &[model.to_str().unwrap(), "--to", "adsafety", "--like", "2"]).unwrap();
    assert_eq!(added["version"], 3, "{added:#}");
    let (is_good, report) = check(&place);
    assert!(is_good, "{report:#}");
    let versions = &report["models"]["adsafety"]["versions"];
    assert_eq!(
        versions["2"]["revision"], versions["3"]["revision"],
        "the same weights and preprocessing"
    );
    assert!(said(&report, 3).contains("same revision"), "{report:#}");
}

#[test]
fn training_scores_are_taken_from_a_manifest() {
    let place = Place::with_versions(&[1, 2]);
    let model = place.version(2).join("model.onnx");
    let scores = place.version(2).join("version.toml");
    let arguments = [
        model.to_str().unwrap(),
        "--to",
        "adsafety",
        "--scores",
        scores.to_str().unwrap(),
    ];
    add(&place, &arguments).unwrap();
    let text = std::fs::read_to_string(place.version(3).join("version.toml")).unwrap();
    assert!(text.contains("source = \"training\""));
    assert!(check(&place).0);
}

#[test]
fn what_is_no_model_is_not_added_and_the_error_says_why() {
    let place = Place::with_versions(&[1]);
    let junk = place.root().join("junk.onnx");
    std::fs::write(&junk, "random bytes").unwrap();
    let error = add(&place, &[junk.to_str().unwrap(), "--to", "adsafety"]).unwrap_err();
    assert!(
        error.contains("junk.onnx") && error.contains("no ONNX model"),
        "{error}"
    );
    assert!(!place.version(2).exists());
}
