//! `add` makes whole versions, and reseals edited ones, without touching anything else.

use std::path::PathBuf;

use super::super::add::{AddError, AddRequest, Added, ScoreRequest, add, reseal};
use super::super::found::VersionFound;
use super::super::manifest::{GoldenSource, Manifest};
use super::{PICTURE, Place, onnx};
use crate::base::Version;

fn version(number: i64) -> Version {
    Version::try_from(number).unwrap()
}

fn request(place: &Place, model: &[u8]) -> AddRequest {
    let onnx = place.outside().join("new.onnx");
    std::fs::write(&onnx, model).unwrap();
    AddRequest {
        repository: place.path(""),
        model: "m".parse().unwrap(),
        onnx,
        like: None,
        samples: None,
        scores: None,
    }
}

fn scored(request: &ScoreRequest) -> Result<Vec<Vec<f32>>, String> {
    assert!(request.pictures.iter().all(|picture| picture.is_file()) && request.onnx.is_file());
    Ok(request.pictures.iter().map(|_| vec![0.125, 0.1]).collect())
}

fn unscored(_: &ScoreRequest) -> Result<Vec<Vec<f32>>, String> {
    Err("nothing is to be scored here".into())
}

fn manifest_of(added: &Added) -> Manifest {
    Manifest::parse(&std::fs::read_to_string(added.directory.join("version.toml")).unwrap()).unwrap()
}

#[test]
fn a_version_is_made_like_the_highest_with_scores_of_its_own() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let added = add(&request(&place, &onnx(5, None)), &mut scored).unwrap();
    assert_eq!(
        (added.version, added.like, added.golden),
        (version(2), Some(version(1)), Some(GoldenSource::Itself))
    );
    let manifest = manifest_of(&added);
    assert_eq!(manifest.golden.cases[0].scores, [0.125, 0.1]);
    assert_eq!(manifest.files.len(), 3, "model, labels and one picture");
    assert_eq!(place.candidate("m", 2).revision, added.revision);
    assert_eq!(
        std::fs::read_dir(place.path("m")).unwrap().count(),
        2,
        "nothing is left beside the versions"
    );
}

#[test]
fn golden_scores_of_the_training_pipeline_are_marked_as_such() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let samples = place.outside().join("samples");
    std::fs::create_dir(&samples).unwrap();
    std::fs::write(samples.join("a.png"), PICTURE).unwrap();
    for (name, text) in [
        (
            "scores.toml",
            "[golden]\ntolerance = 0.01\ncases = [{ file = \"a.png\", scores = [0.5, 1.0] }]\n",
        ),
        (
            "scores.json",
            r#"{"labels": ["firearm", "alcohol"], "golden": {"cases": [{"file": "a.png", "scores": [0.5, 1.0]}]}}"#,
        ),
    ] {
        let scores = place.outside().join(name);
        std::fs::write(&scores, text).unwrap();
        let request = AddRequest {
            samples: Some(samples.clone()),
            scores: Some(scores),
            ..request(&place, &onnx(5, None))
        };
        let added = add(&request, &mut unscored).unwrap();
        let manifest = manifest_of(&added);
        assert_eq!(manifest.golden.source, GoldenSource::Training);
        assert_eq!(manifest.golden.cases[0].scores, [0.5, 1.0]);
        assert_eq!(manifest.golden.cases[0].file.as_str(), "golden/00.png");
        assert!(matches!(
            place.version("m", added.version.get()),
            VersionFound::Complete(_)
        ));
    }
}

#[test]
fn a_model_without_a_manifest_to_follow_is_a_tensor_model() {
    let mut place = Place::new();
    std::fs::write(place.outside().join("weights.bin"), "abcd").unwrap();
    let added = add(&request(&place, &onnx(5, Some(("weights.bin", 4)))), &mut unscored).unwrap();
    assert_eq!((added.version, added.golden), (version(1), None));
    place.settle();
    assert_eq!(place.candidate("m", 1).revision, added.revision);
    let with_samples = AddRequest {
        samples: Some(PathBuf::from("anywhere")),
        ..request(&place, &onnx(6, None))
    };
    assert!(matches!(
        add(&with_samples, &mut unscored),
        Err(AddError::NothingToBeLike(_))
    ));
}

#[test]
fn what_cannot_be_whole_is_not_made() {
    let place = Place::new();
    place.write_version("m/1", 1);
    let good = onnx(5, None);
    let cases = [
        (
            AddRequest {
                onnx: place.outside().join("nothing.onnx"),
                ..request(&place, &good)
            },
            &good[..],
            "nothing.onnx",
        ),
        (
            AddRequest {
                like: Some(version(7)),
                ..request(&place, &good)
            },
            &good,
            "no version 7",
        ),
        (
            AddRequest {
                samples: Some(place.path("m")),
                ..request(&place, &good)
            },
            &good,
            "no picture",
        ),
        (
            AddRequest {
                repository: place.path("nowhere"),
                ..request(&place, &good)
            },
            &good,
            "nowhere",
        ),
        (request(&place, &good), b"not a model", "new.onnx: it is no ONNX model"),
        (
            request(&place, &good),
            &onnx(5, Some(("../weights.bin", 4))),
            "../weights.bin",
        ),
    ];
    for (request, model, words) in cases {
        std::fs::write(place.outside().join("new.onnx"), model).unwrap();
        let error = add(&request, &mut scored).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(std::fs::read_dir(place.path("m")).unwrap().count(), 1, "{error}");
    }
    let wrong = |_: &ScoreRequest| Ok(vec![vec![0.5]]);
    assert!(
        add(&request(&place, &good), &mut { wrong })
            .unwrap_err()
            .to_string()
            .contains("2 are expected")
    );
}

#[test]
fn resealing_makes_hashes_true_and_keeps_every_comment() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let path = place.path("m/1/version.toml");
    let before = std::fs::read_to_string(&path)
        .unwrap()
        .replace("width = 32", "width = 32 # as in training");
    std::fs::write(&path, &before).unwrap();
    place.write("m/1/model.onnx", onnx(2, None));
    assert!(matches!(place.version("m", 1), VersionFound::Incomplete { .. }));

    let added = reseal(&place.path("m/1"), &mut unscored).unwrap();
    assert_eq!(place.candidate("m", 1).revision, added.revision);
    let after = std::fs::read_to_string(&path).unwrap();
    let changed: Vec<_> = before
        .lines()
        .zip(after.lines())
        .filter(|(before, after)| before != after)
        .collect();
    assert!(changed.len() == 1 && changed[0].1.contains("model.onnx"), "{changed:?}");
}

#[test]
fn resealing_scores_anew_what_the_model_scored_itself() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let path = place.path("m/1/version.toml");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("\"training\"", "\"self\"");
    std::fs::write(&path, text).unwrap();
    place.write("m/1/model.onnx", onnx(2, None));
    let added = reseal(&place.path("m/1"), &mut scored).unwrap();
    assert_eq!(manifest_of(&added).golden.cases[0].scores, [0.125, 0.1]);
    place.candidate("m", 1);
}

#[test]
fn resealing_a_mistaken_manifest_tells_the_mistake_and_changes_nothing() {
    let place = Place::new();
    place.write_version("m/1", 1);
    let path = place.path("m/1/version.toml");
    let text = std::fs::read_to_string(&path)
        .unwrap()
        .replace("width = 32", "width = 0");
    std::fs::write(&path, &text).unwrap();
    let error = reseal(&place.path("m/1"), &mut unscored).unwrap_err();
    assert!(error.to_string().contains("preprocessing"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert!(matches!(
        reseal(&place.path("m"), &mut unscored),
        Err(AddError::NoManifest(_))
    ));
}
