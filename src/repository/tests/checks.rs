//! `check` says of each version what is wrong and how to mend it.

use std::path::Path;

use super::super::check::check;
use super::super::report::{CheckReport, Proved, Severity};
use super::super::sealed::SealedRevision;
use super::{Place, onnx};
use crate::base::{ModelName, Version};

const POLICY: &str = "format = 1\n[default]\nblock = 0.9\nreview = 0.5\n";

fn checked(place: &Place, mut prove: impl FnMut(&Path) -> Result<Proved, String>) -> CheckReport {
    let mut prover = |_: &ModelName, sealed: &SealedRevision| prove(&sealed.onnx);
    check(&place.path(""), Some(&mut prover)).unwrap()
}

fn sound(_: &Path) -> Result<Proved, String> {
    Ok(Proved {
        golden_cases: 1,
        worst: 0.001,
    })
}

fn errors(report: &CheckReport) -> Vec<String> {
    let errors = report
        .findings()
        .filter(|(_, finding)| finding.severity == Severity::Error);
    errors
        .map(|(about, finding)| format!("{about}: {} | {}", finding.text, finding.mend))
        .collect()
}

#[test]
fn a_sound_repository_has_no_error() {
    let place = Place::new();
    place.write_version("m/1", 1);
    place.write("m/policy.toml", POLICY);
    place.write("tensors/1/model.onnx", onnx(2, None));
    let mut proved = Vec::new();
    let report = checked(&place, |onnx| {
        proved.push(std::fs::read(onnx).unwrap());
        sound(onnx)
    });
    assert_eq!(errors(&report), [""; 0]);
    assert!(!report.has_errors());
    assert_eq!(
        proved,
        [onnx(1, None), onnx(2, None)],
        "what is proved is a copy of what was found"
    );
    let version = &report.models[&"m".parse().unwrap()].versions[&Version::try_from(1).unwrap()];
    assert!(version.judges && version.proved.is_some() && version.files == 2);
}

#[test]
fn each_fault_is_told_with_its_place_and_its_remedy() {
    let place = Place::new();
    place.write("m/policy.toml", POLICY);
    place.write("m/model.toml", "[release]\nfirst = { live = 9 }\n");
    for number in 1..=4 {
        place.write_version(&format!("m/{number}"), number);
    }
    place.write("m/1/model.onnx", onnx(9, None));
    std::fs::remove_file(place.path("m/2/golden/0.jpg")).unwrap();
    place.write("m/3/version.toml", "format = 1\n");
    place.write("broken/policy.toml", "[default]\nblock = 9.0\n");
    let report = checked(&place, |_| Err("NaN in its outputs".into()));
    let errors = errors(&report);
    for part in [
        "m/1: model.onnx does not match",
        "vigie add --reseal",
        "m/2: golden/0.jpg is missing",
        "m/3: version.toml: labels is missing",
        "m/4: NaN in its outputs",
        "m: model.toml: release.first.live names version 9",
        "broken: policy.toml",
        "broken: it has no version",
    ] {
        assert!(errors.iter().any(|error| error.contains(part)), "{part}: {errors:#?}");
    }
}

#[test]
fn a_model_that_judges_without_a_policy_is_an_error() {
    let place = Place::new();
    place.write_version("m/1", 1);
    assert!(
        errors(&checked(&place, sound))
            .iter()
            .any(|error| error.contains("no policy.toml"))
    );
}

#[test]
fn an_empty_repository_says_what_to_put_there() {
    let place = Place::new();
    assert!(
        errors(&checked(&place, sound))
            .iter()
            .any(|error| error.contains("vigie add MODEL.onnx --to NAME"))
    );
}

#[test]
fn checking_changes_nothing() {
    let place = Place::new();
    place.write_version("m/1", 1);
    let before = std::fs::read_dir(place.path("m")).unwrap().count();
    checked(&place, sound);
    assert_eq!(std::fs::read_dir(place.path("m")).unwrap().count(), before);
}
