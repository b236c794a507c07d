//! Loaded revisions on the real ONNX Runtime: the shipped models, and hand-made ones that misbehave.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use vigie::base::LabelScore;
use vigie::engine::{Activation, Head, NamedTensor, Tensor};
use vigie::executor::{Executor, GoldenCase, JudgeSpec, Lane, LoadError, Reaper, RevisionSpec, RunError};
use vigie::preprocess::{PictureLimits, Preprocessing};

use crate::engine::{file, runtime};
use crate::support::onnx::{self, Element};

const LONG: Duration = Duration::from_secs(60);
/// Reloads in the memory test, and of them those that settle the allocator first.
const RELOADS: usize = 50;
const SETTLING: usize = 10;

/// The preprocessing of the hand-made models: a stretched square, numbers from 0 to 1.
fn preprocessing(side: u32) -> Preprocessing {
    let text = format!(
        "width = {side}\nheight = {side}\nresize = \"bilinear\"\nfit = \"stretch\"\ncolor = \"rgb\"\nmean = [0.0, 0.0, 0.0]\n\
         std = [1.0, 1.0, 1.0]\norientation = \"apply\"\nbackground = [255, 255, 255]\njpeg_scaled_decode = false\n"
    );
    toml::from_str(&text).unwrap()
}

/// A specification for a hand-made judging model of 4 pixels' side at `onnx`.
pub fn hand_made(onnx: &Path, labels: &[&str]) -> RevisionSpec {
    let labels = labels.iter().map(|label| label.parse().unwrap()).collect();
    RevisionSpec {
        model: "hand_made".parse().unwrap(),
        revision: "ab".repeat(32).parse().map(vigie::base::RevisionId).unwrap(),
        onnx: onnx.into(),
        optimization: vigie::engine::Optimization::All,
        judge: Some(JudgeSpec {
            input: "image".into(),
            output: "logits".into(),
            head: Head::new(labels, Activation::Sigmoid, None).unwrap(),
            preprocessing: preprocessing(4),
            golden: Vec::new(),
            tolerance: 0.001,
        }),
    }
}

/// The specification of a shipped version, as its version.toml states it.
pub fn shipped(version: u32) -> RevisionSpec {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("models/adsafety/{version}"));
    let text = std::fs::read_to_string(folder.join("version.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    let text = |section: &str, key: &str| manifest[section][key].as_str().unwrap().to_owned();
    let head = toml::toml! { labels = [] activation = "" };
    let mut head = head;
    head["labels"] = manifest["labels"].clone();
    head["activation"] = manifest["output"]["activation"].clone();
    if let Some(calibration) = manifest.get("calibration") {
        head.insert("calibration".into(), calibration.clone());
    }
    let mut golden: Vec<GoldenCase> = manifest["golden"]["cases"].clone().try_into().unwrap();
    golden.iter_mut().for_each(|case| case.file = folder.join(&case.file));
    RevisionSpec {
        model: "adsafety".parse().unwrap(),
        revision: "cd".repeat(32).parse().map(vigie::base::RevisionId).unwrap(),
        onnx: folder.join("model.onnx"),
        optimization: manifest["runtime"]["optimization"].clone().try_into().unwrap(),
        judge: Some(JudgeSpec {
            input: text("input", "name"),
            output: text("output", "name"),
            head: head.try_into().unwrap(),
            preprocessing: manifest["preprocessing"].clone().try_into().unwrap(),
            golden,
            tolerance: manifest["golden"]["tolerance"].as_float().unwrap() as f32,
        }),
    }
}

fn load(spec: RevisionSpec, lanes: usize) -> Result<Executor, LoadError> {
    Executor::load(&runtime(), spec, lanes, &Reaper::start().unwrap())
}

fn numbers(scores: &[LabelScore]) -> Vec<f32> {
    scores.iter().map(|score| score.probability.get()).collect()
}

fn sigmoid(logit: f64) -> f32 {
    (1.0 / (1.0 + (-logit).exp())) as f32
}

#[test]
fn the_shipped_versions_reproduce_the_scores_of_their_training() {
    for version in [1, 2] {
        let executor = load(shipped(version), 1).unwrap();
        let report = executor.check_golden(&PictureLimits::default()).unwrap();
        assert!(report.cases >= 8, "{report:?}");
        println!(
            "version {version}: {} golden pictures, worst difference {:.6}",
            report.cases, report.worst
        );
    }
}

#[test]
fn every_lane_gives_the_same_scores_alone_and_beside_others() {
    let (_folder, path) = file(&onnx::judge(4, &[2.0, -1.0], &[0.0, 1.0]));
    let executor = load(hand_made(&path, &["toy", "tool"]), 3).unwrap();
    let picture = |value: f32| vec![value; 48];
    for lane in 0..3 {
        let scores = executor.judge(&Lane::apart(lane), &picture(0.5)).unwrap();
        assert_eq!(numbers(&scores), [sigmoid(1.0), sigmoid(0.5)]);
        assert_eq!(scores[0].label.as_str(), "toy");
    }
    let together = [picture(0.5), picture(0.25), picture(0.5)].concat();
    let scores = executor.judge_batch(&Lane::apart(0), &together).unwrap();
    assert_eq!(scores.len(), 3);
    assert_eq!(numbers(&scores[1]), [sigmoid(0.5), sigmoid(0.75)]);
    assert_eq!(scores[0], scores[2]);

    let refused = executor.judge(&Lane::apart(0), &[0.0; 47]).unwrap_err();
    assert!(matches!(refused, RunError::Engine(_)), "{refused}");
    let counted = executor.statistics();
    assert_eq!(
        (counted.inference_count, counted.success.count, counted.fail.count),
        (6, 6, 1)
    );
    assert_eq!(counted.batches[&1].compute_infer.count, 6);
}

#[test]
fn a_revision_that_cannot_judge_as_stated_is_refused_in_words() {
    let good = || onnx::judge(4, &[1.0, 1.0], &[0.0, 0.0]);
    let two = ["toy", "tool"];
    let renamed = |change: fn(&mut JudgeSpec)| {
        move |mut spec: RevisionSpec| {
            change(spec.judge.as_mut().unwrap());
            spec
        }
    };
    type Change = Box<dyn Fn(RevisionSpec) -> RevisionSpec>;
    let cases: Vec<(Vec<u8>, &[&str], Change, &str)> = vec![
        (
            good(),
            &two,
            Box::new(renamed(|judge| judge.input = "pixels".into())),
            "[input] name is \"pixels\"",
        ),
        (
            good(),
            &two,
            Box::new(renamed(|judge| judge.output = "scores".into())),
            "[output] name is \"scores\"",
        ),
        (
            good(),
            &two,
            Box::new(renamed(|judge| judge.preprocessing = preprocessing(8))),
            "[1, 3, 8, 8]",
        ),
        (good(), &["toy"], Box::new(|spec| spec), "1 labels need FP32 [1, 1]"),
        (
            onnx::identity(Element::F32, &[-1]),
            &two,
            Box::new(|spec| spec),
            "[input] name is \"image\"",
        ),
        (onnx::judge_giving_nan(4, 2), &two, Box::new(|spec| spec), "NaN for toy"),
        (
            onnx::custom_operator(),
            &two,
            Box::new(|spec| spec),
            "ONNX Runtime cannot load it",
        ),
        (Vec::new(), &two, Box::new(|spec| spec), "ONNX Runtime cannot load it"),
    ];
    for (bytes, labels, change, expected) in cases {
        let (_folder, path) = file(&bytes);
        let Err(refused) = load(change(hand_made(&path, labels)), 2) else {
            panic!("loaded despite {expected}")
        };
        assert!(
            matches!(&refused, LoadError::Content(reason) if reason.contains(expected)),
            "{expected}: {refused:?}"
        );
    }
    let absent = load(hand_made(Path::new("/nowhere/model.onnx"), &two), 1)
        .err()
        .unwrap();
    assert!(matches!(absent, LoadError::Passing(_)), "{absent:?}");
}

#[test]
fn golden_scores_that_are_not_reproduced_refuse_the_revision() {
    let (folder, path) = file(&onnx::judge(4, &[1.0], &[0.0]));
    let picture = folder.path().join("golden/white.bmp");
    std::fs::create_dir(folder.path().join("golden")).unwrap();
    // A white picture of one pixel: a header of 54 bytes, one row padded to 4.
    let mut bmp = b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\x18\0".to_vec();
    bmp.resize(54, 0);
    bmp.extend([255, 255, 255, 0]);
    std::fs::write(&picture, bmp).unwrap();
    let check = |expected: f32, file: &Path| {
        let mut spec = hand_made(&path, &["toy"]);
        let case = GoldenCase {
            file: file.into(),
            scores: vec![expected],
        };
        spec.judge.as_mut().unwrap().golden = vec![case];
        load(spec, 1).unwrap().check_golden(&PictureLimits::default())
    };
    // White is 1.0 everywhere, so the logit is 1.
    let report = check(sigmoid(1.0), &picture).unwrap();
    assert_eq!(report.cases, 1);
    assert!(report.worst < 1e-6, "{report:?}");
    let refused = check(0.5, &picture).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("golden picture golden/white.bmp: toy is 0.7311"),
        "{refused}"
    );
    assert!(matches!(
        check(0.5, &picture.with_extension("png")),
        Err(LoadError::Content(_))
    ));
}

#[test]
fn a_tensor_model_answers_tensors_and_judges_nothing() {
    let (_folder, path) = file(&onnx::identity(Element::F32, &[-1, 2]));
    let mut spec = hand_made(&path, &["toy"]);
    spec.judge = None;
    let executor = load(spec, 2).unwrap();
    let lane = Lane::apart(1);
    let tensor = Tensor::f32(vec![3, 2], &[0.0; 6]).unwrap();
    let given = [NamedTensor {
        name: "x".into(),
        tensor: tensor.clone(),
    }];
    assert_eq!(executor.infer(&lane, &given, &[]).unwrap()[0].tensor, tensor);
    assert!(executor.infer(&lane, &[], &[]).is_err());
    assert_eq!(executor.judge(&lane, &[]), Err(RunError::NotAJudge));
    let counted = executor.statistics();
    assert_eq!(
        (counted.inference_count, counted.execution_count, counted.fail.count),
        (3, 1, 1)
    );
    assert_eq!(counted.batches[&3].compute_infer.count, 1);
}

#[test]
fn the_last_reference_can_be_dropped_anywhere() {
    let reaper = Reaper::start().unwrap();
    let (_folder, path) = file(&onnx::judge(4, &[1.0], &[0.0]));
    let executor = Executor::load(&runtime(), hand_made(&path, &["toy"]), 2, &reaper)
        .map(Arc::new)
        .unwrap();
    let held = Arc::clone(&executor);
    drop(executor);
    assert!(held.judge(&Lane::apart(0), &[0.0; 48]).is_ok());
    std::thread::spawn(move || drop(held)).join().unwrap();
    assert!(reaper.wait_idle(LONG));
}

#[test]
fn memory_does_not_grow_over_fifty_reloads() {
    // Other tests beside it would blur what is measured, so it runs itself in a process of its own.
    if std::env::var_os("VIGIE_TEST_ALONE").is_none() {
        let name = "executor::memory_does_not_grow_over_fifty_reloads";
        let alone = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("VIGIE_TEST_ALONE", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&alone.stdout) + String::from_utf8_lossy(&alone.stderr);
        println!("{said}");
        assert!(alone.status.success() && said.contains("1 passed"), "{said}");
        return;
    }
    let (runtime, reaper) = (runtime(), Reaper::start().unwrap());
    let mut memory = Vec::new();
    for reload in 0..RELOADS {
        let executor = Executor::load(&runtime, shipped(1 + (reload % 2) as u32), 3, &reaper).unwrap();
        executor.check_golden(&PictureLimits::default()).unwrap();
        drop(executor);
        assert!(reaper.wait_idle(LONG));
        memory.push(resident_kib());
    }
    let settled = memory[SETTLING];
    let last = memory[RELOADS - 1];
    println!("resident after {SETTLING} reloads {settled} KiB, after {RELOADS} {last} KiB: {memory:?}");
    // 100 KiB a reload: a hundredth of what loading takes.
    let allowed = 100 * (RELOADS - SETTLING) as u64;
    assert!(
        last <= settled + allowed,
        "grew by {} KiB over {} reloads",
        last - settled,
        RELOADS - SETTLING
    );
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
