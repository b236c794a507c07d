//! Candidates that misbehave, tried in the real child process of the real program.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use vigie::executor::{GoldenCase, ProofError, ProofLimits, ProofReport, RevisionSpec, prove};
use vigie::preprocess::PictureLimits;

use crate::engine::{file, library};
use crate::executor::{hand_made, shipped};
use crate::support::onnx;

const LIMITS: ProofLimits = ProofLimits {
    memory_bytes: 512 << 20,
    cpu: Duration::from_secs(30),
    wall: Duration::from_secs(120),
};

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_vigie").into()
}

async fn try_spec(spec: &RevisionSpec, limits: ProofLimits) -> Result<ProofReport, ProofError> {
    prove(&program(), &library(), spec, &PictureLimits::default(), &limits, None).await
}

async fn try_model(bytes: &[u8], limits: ProofLimits) -> Result<ProofReport, ProofError> {
    let (_folder, path) = file(bytes);
    try_spec(&hand_made(&path, &["toy", "tool"]), limits).await
}

fn rejection(outcome: Result<ProofReport, ProofError>) -> String {
    match outcome {
        Err(ProofError::Content(reason)) => reason,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

#[tokio::test]
async fn a_good_candidate_ends_well() {
    let report = try_spec(&shipped(1), LIMITS).await.unwrap();
    assert!(report.golden.cases >= 8, "{report:?}");
    println!("proved in {:?}", report.took);
}

#[tokio::test]
async fn a_small_file_that_takes_gigabytes_is_stopped_and_the_limit_named() {
    let model = onnx::judge_taking_memory(4, 2, 4 << 30);
    assert!(model.len() < 1000);
    let reason = rejection(try_model(&model, LIMITS).await);
    assert_eq!(
        reason,
        "needs more than 512 MiB of memory to load and run once (limit: proof.memory)"
    );
}

#[tokio::test]
async fn a_small_file_that_takes_a_minute_is_stopped_and_the_limit_named() {
    let limits = ProofLimits {
        memory_bytes: 4 << 30,
        cpu: Duration::from_secs(2),
        ..LIMITS
    };
    let model = onnx::judge_taking_time(4, 2, 12_000);
    assert!(model.len() < 1000);
    let reason = rejection(try_model(&model, limits).await);
    assert_eq!(
        reason,
        "needs more than 2 s of processor time to load and run once (limit: proof.cpu)"
    );
}

#[tokio::test]
async fn the_clock_stops_a_candidate_too() {
    let limits = ProofLimits {
        memory_bytes: 4 << 30,
        wall: Duration::from_secs(1),
        ..LIMITS
    };
    let began = Instant::now();
    let Err(stopped) = try_model(&onnx::judge_taking_time(4, 2, 12_000), limits).await else {
        panic!("it ended in time");
    };
    // Whether it had the processor for half of the time is the machine's affair.
    let text = stopped.to_string();
    assert!(
        text.contains("needs more than 1 s") || text.contains("not proved within 1 s"),
        "{text}"
    );
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn whatever_is_wrong_with_the_content_is_told() {
    let noise: Vec<u8> = (0..5000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for (bytes, expected) in [
        (onnx::judge_giving_nan(4, 2), "the model gave NaN for toy"),
        (onnx::judge(4, &[1.0; 3], &[0.0; 3]), "2 labels need"),
        (onnx::custom_operator(), "cannot load it"),
        (noise, "cannot load it"),
        (Vec::new(), "cannot load it"),
    ] {
        let reason = rejection(try_model(&bytes, LIMITS).await);
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
    let mut spec = shipped(1);
    spec.judge.as_mut().unwrap().golden[0].scores[0] += 0.1;
    let reason = rejection(try_spec(&spec, LIMITS).await);
    assert!(
        reason.starts_with("golden picture golden/00.jpg: firearm is"),
        "{reason}"
    );
    let absent = GoldenCase {
        file: "/nowhere/golden/x.jpg".into(),
        scores: vec![0.5; 7],
    };
    spec.judge.as_mut().unwrap().golden = vec![absent];
    assert_eq!(
        rejection(try_spec(&spec, LIMITS).await),
        "golden picture golden/x.jpg is missing"
    );
}

#[tokio::test]
async fn what_is_not_the_contents_fault_is_not_held_against_it() {
    let spec = shipped(1);
    let limits = PictureLimits::default();
    let (_folder, text) = file(b"not a library");
    let other = loaded_libraries()
        .find(|path| path.contains("/libc.so"))
        .expect("the test itself uses it");
    for (library, expected) in [
        (Path::new("/nowhere/libonnxruntime.so"), "is not at /nowhere"),
        (&text, "is not a library that can be loaded"),
        (Path::new(&other), "is a library, but not ONNX Runtime"),
    ] {
        let outcome = prove(&program(), library, &spec, &limits, &LIMITS, None).await;
        let Err(ProofError::Passing(reason)) = outcome else {
            panic!("{expected}: {outcome:?}")
        };
        assert!(
            reason.contains(expected) && reason.contains("make setup"),
            "{expected}: {reason}"
        );
    }
    let outcome = prove(Path::new("/nowhere/vigie"), &library(), &spec, &limits, &LIMITS, None).await;
    assert!(matches!(outcome, Err(ProofError::Passing(_))), "{outcome:?}");
    // A program that is another one: it ends without an answer.
    let outcome = prove(Path::new("/bin/true"), &library(), &spec, &limits, &LIMITS, None).await;
    assert!(
        matches!(&outcome, Err(ProofError::Passing(reason)) if reason.contains("no answer")),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn dropping_a_proof_ends_its_process() {
    let (folder, path) = file(&onnx::judge_taking_time(4, 2, 12_000));
    // A name of its own, to tell this child from those of other tests.
    let named = folder.path().join("vigie-of-this-test");
    symlink(program(), &named).unwrap();
    let limits = ProofLimits {
        memory_bytes: 4 << 30,
        cpu: Duration::from_secs(60),
        ..LIMITS
    };
    let proof = tokio::spawn({
        let named = named.clone();
        let spec = hand_made(&path, &["toy", "tool"]);
        async move { prove(&named, &library(), &spec, &PictureLimits::default(), &limits, None).await }
    });
    wait_until(|| running(&named) == 1).await;
    proof.abort();
    wait_until(|| running(&named) == 0).await;
}

#[test]
fn a_child_whose_parent_is_gone_ends() {
    let mut child = Command::new(program())
        .arg("prove")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let said = child.wait_with_output().unwrap();
    assert!(
        String::from_utf8_lossy(&said.stdout).contains("read the task"),
        "{said:?}"
    );
}

async fn wait_until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited for a minute");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The files that are mapped into this process.
fn loaded_libraries() -> impl Iterator<Item = String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let paths: Vec<String> = maps
        .lines()
        .filter_map(|line| Some(line.get(line.find('/')?..)?.to_owned()))
        .collect();
    paths.into_iter()
}

/// The processes started under a name.
fn running(program: &Path) -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let is_ours = |process: std::fs::DirEntry| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        line.starts_with(program.as_os_str().as_encoded_bytes())
    };
    processes.filter_map(|process| is_ours(process).then_some(())).count()
}
