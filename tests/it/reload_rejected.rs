//! Versions that are bad: each is rejected with a reason that people can read, the old revision serves on, the process lives.

use std::path::Path;

use toml_edit::value;

use crate::support::client::{catalogue, of_version, score_bits};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files, onnx};

/// Publishes version 2 with this damage beside version 1, and gives back what becomes of it, once it is seen that version 1 serves on.
async fn rejected(damage: impl FnOnce(&Path)) -> String {
    rejected_under(&[], damage).await
}

/// The same under these settings.
async fn rejected_under(settings: &[(&str, &str)], damage: impl FnOnce(&Path)) -> String {
    let place = Place::with_versions(&[1]);
    let launch = Launch::new(&place)
        .set("WATCH__REJECT_AFTER", "2s")
        .set("WATCH__RESCAN", "500ms");
    let launch = settings
        .iter()
        .fold(launch, |launch, (key, value)| launch.set(key, value));
    let server = launch.start_ready();
    let before = server.classify(catalogue()[0].question()).await.unwrap();
    let bad = place.root().join("bad");
    files::copy(&shipped_version(2), &bad);
    damage(&bad);
    std::fs::rename(&bad, place.version(2)).unwrap();
    let found = server.version_in(2, "REJECTED").await;
    assert!(!found.live);
    old_serves(&server, &score_bits(&before)).await;
    found.reason
}

async fn old_serves(server: &Server, scores: &[(String, u32)]) {
    let after = server.classify(catalogue()[0].question()).await.unwrap();
    assert_eq!((after.version, score_bits(&after).as_slice()), (1, scores));
    let named = server
        .classify(of_version(catalogue()[0].question(), 2))
        .await
        .unwrap_err();
    assert_eq!(named.code(), tonic::Code::Unavailable, "{named:?}");
    assert!(server.is_serving().await);
}

fn has_words(reason: &str, words: &[&str]) {
    for word in words {
        assert!(reason.to_lowercase().contains(word), "{word:?} is not in {reason:?}");
    }
}

/// Writes other bytes and seals them, so that only loading can tell.
fn with_model(bytes: impl FnOnce(Vec<u8>) -> Vec<u8>) -> impl FnOnce(&Path) {
    move |version| {
        let model = version.join("model.onnx");
        let changed = bytes(std::fs::read(&model).unwrap());
        std::fs::write(&model, changed).unwrap();
        files::reseal(version, "model.onnx");
    }
}

#[tokio::test]
async fn a_truncated_model() {
    let reason = rejected(with_model(|bytes| bytes[..bytes.len() / 2].to_vec())).await;
    has_words(&reason, &["model.onnx"]);
}

#[tokio::test]
async fn an_empty_model() {
    let reason = rejected(with_model(|_| Vec::new())).await;
    has_words(&reason, &["model.onnx"]);
}

#[tokio::test]
async fn random_bytes() {
    let noise = |bytes: Vec<u8>| {
        (0..bytes.len() as u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    };
    let reason = rejected(with_model(noise)).await;
    has_words(&reason, &["model.onnx"]);
}

#[tokio::test]
async fn a_flipped_bit_against_the_manifest() {
    let reason = rejected(|version| {
        let model = version.join("model.onnx");
        let mut bytes = std::fs::read(&model).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&model, bytes).unwrap();
    })
    .await;
    has_words(&reason, &["model.onnx", "expected", "found"]);
}

#[tokio::test]
async fn an_output_that_the_model_lacks() {
    let reason =
        rejected(|version| files::edit_manifest(version, |manifest| manifest["output"]["name"] = value("scores")))
            .await;
    has_words(&reason, &["scores", "logits"]);
}

#[tokio::test]
async fn an_input_of_another_shape() {
    let reason = rejected(|version| {
        files::edit_manifest(version, |manifest| manifest["preprocessing"]["width"] = value(77));
    })
    .await;
    has_words(&reason, &["77"]);
}

#[tokio::test]
async fn fewer_labels_than_the_model_gives() {
    let reason = rejected(|version| {
        files::edit(&version.join("labels"), |text| {
            text.lines().skip(1).map(|line| format!("{line}\n")).collect()
        });
        files::reseal(version, "labels");
        files::edit_manifest(version, |manifest| {
            manifest["labels"].as_array_mut().unwrap().remove(0);
        });
    })
    .await;
    assert!(!reason.is_empty());
}

#[tokio::test]
async fn golden_scores_that_the_model_does_not_give() {
    let reason = rejected(|version| {
        files::edit_manifest(version, |manifest| {
            let scores = manifest["golden"]["cases"][0]["scores"].as_array_mut().unwrap();
            let told = scores.get(0).unwrap().as_float().unwrap();
            scores.replace(0, if told > 0.5 { told - 0.25 } else { told + 0.25 });
        });
    })
    .await;
    has_words(&reason, &["golden", "firearm"]);
}

#[tokio::test]
async fn a_golden_picture_that_is_none() {
    let reason = rejected(|version| {
        let first = std::fs::read_dir(version.join("golden"))
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .file_name();
        let name = format!("golden/{}", first.to_string_lossy());
        std::fs::write(version.join(&name), b"not a picture").unwrap();
        files::reseal(version, &name);
    })
    .await;
    has_words(&reason, &["golden"]);
}

#[tokio::test]
async fn a_manifest_with_an_unknown_key() {
    let reason =
        rejected(|version| files::edit_manifest(version, |manifest| manifest["preprocessing"]["witdh"] = value(5)))
            .await;
    has_words(&reason, &["witdh"]);
}

#[tokio::test]
async fn a_file_of_the_manifest_outside_the_version() {
    let reason = rejected(|version| {
        files::edit_manifest(version, |manifest| {
            manifest["files"]["../../policy.toml"] = value("0".repeat(64))
        });
    })
    .await;
    has_words(&reason, &["../../policy.toml"]);
}

/// Puts a model made by hand in the place of the trained one: its input is called `image`.
fn made_by_hand(bytes: Vec<u8>) -> impl FnOnce(&Path) {
    move |version| {
        with_model(|_| bytes)(version);
        files::edit_manifest(version, |manifest| manifest["input"]["name"] = value("image"));
    }
}

#[tokio::test]
async fn outputs_that_are_no_numbers() {
    let reason = rejected(made_by_hand(onnx::judge_giving_nan(128, 7))).await;
    has_words(&reason, &["nan"]);
}

#[tokio::test]
async fn an_operator_that_only_a_library_of_its_own_would_know() {
    let reason = rejected(made_by_hand(onnx::custom_operator())).await;
    has_words(&reason, &["com.example"]);
}

#[tokio::test]
async fn numbers_that_lie_outside_the_version() {
    let reason = rejected(made_by_hand(onnx::external_data("../../policy.toml"))).await;
    has_words(&reason, &["../../policy.toml"]);
}

#[tokio::test]
async fn a_small_file_that_takes_four_gigabytes_to_run() {
    let reason = rejected(made_by_hand(onnx::judge_taking_memory(128, 7, 4 << 30))).await;
    has_words(&reason, &["2 gib", "proof.memory"]);
}

#[tokio::test]
async fn a_small_file_that_takes_a_minute_to_load() {
    let settings = [("PROOF__CPU", "2s"), ("PROOF__MEMORY", "4 GiB")];
    let reason = rejected_under(&settings, made_by_hand(onnx::judge_taking_time(128, 7, 12_000))).await;
    has_words(&reason, &["2 s", "proof.cpu"]);
}

#[tokio::test]
async fn what_was_rejected_is_not_tried_again_until_its_bytes_change_and_then_serves() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("WATCH__RESCAN", "100ms").start_ready();
    let model = std::fs::read(shipped_version(2).join("model.onnx")).unwrap();
    let bad = place.root().join("bad");
    files::copy(&shipped_version(2), &bad);
    std::fs::write(bad.join("model.onnx"), &model[..1000]).unwrap();
    files::reseal(&bad, "model.onnx");
    std::fs::rename(&bad, place.version(2)).unwrap();
    server.version_in(2, "REJECTED").await;
    let before = server.log().iter().filter(|line| line.contains("reject")).count();
    // Rescans go on meanwhile: another version comes and is seen.
    files::publish(&shipped_version(1), &place.version(3));
    server.version_in(3, "READY").await;
    let after = server.log().iter().filter(|line| line.contains("reject")).count();
    assert_eq!(before, after, "{:#?}", server.log());
    files::write(&place.version(2).join("model.onnx"), &model);
    files::reseal(&place.version(2), "model.onnx");
    server.version_in(2, "READY").await;
}
