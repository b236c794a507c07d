//! How a revision is run: chosen by what was measured, never at the price of an answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use vigie::base::{Aim, LabelScore, Wish};
use vigie::executor::{
    CostCurve, Executor, Lane, Lanes, Measuring, ProofLimits, ProofReport, Reaper, RevisionSpec, prove,
};
use vigie::preprocess::PictureLimits;

use crate::engine::{file, library, runtime};
use crate::executor::{hand_made, shipped};
use crate::support::client::{catalogue, score_bits};
use crate::support::{Launch, Place, Server, files, onnx};

const LIMITS: ProofLimits = ProofLimits {
    memory_bytes: 1 << 30,
    cpu: Duration::from_secs(60),
    wall: Duration::from_secs(240),
};
/// Enough for every size, on a machine as slow as any.
const EVERYTHING: Duration = Duration::from_secs(20);

async fn measured(spec: &RevisionSpec, wish: Wish) -> ProofReport {
    let measuring = Measuring {
        wish,
        cores: 2,
        budget: EVERYTHING,
    };
    let (program, pictures) = (env!("CARGO_BIN_EXE_vigie").as_ref(), PictureLimits::default());
    prove(program, &library(), spec, &pictures, &LIMITS, Some(measuring))
        .await
        .unwrap()
}

fn loaded(spec: RevisionSpec, curve: CostCurve, wish: Wish) -> Executor {
    let lanes = Lanes { live: 2, background: 1 };
    Executor::load_measured(&runtime(), spec, lanes, (curve, wish), &Reaper::start().unwrap()).unwrap()
}

fn bits(scores: &[LabelScore]) -> Vec<u32> {
    scores.iter().map(|score| score.probability.get().to_bits()).collect()
}

#[tokio::test]
async fn a_model_whose_answers_depend_on_what_is_beside_them_is_never_run_in_company() {
    let (_folder, path) = file(&onnx::judge_minding_its_neighbours(4, 2));
    let spec = hand_made(&path, &["toy", "tool"]);
    let pinned = Wish {
        batch: Some(4),
        ..Wish::default()
    };
    let curve = measured(&spec, pinned).await.curve;
    let larger: Vec<_> = curve.points.iter().filter(|point| point.batch > 1).collect();
    assert!(
        !larger.is_empty() && larger.iter().all(|point| !point.same),
        "{curve:?}"
    );
    let setting = curve.choose(&pinned, 2);
    assert_eq!(setting.batch, 1);
    let told = curve.objection(&pinned, &setting).unwrap();
    assert!(told.contains("depend on how it is run"), "{told}");
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_spread_over_more_threads_and_answers_the_same() {
    let wish = Wish {
        aim: Aim::Latency(Duration::from_nanos(1)),
        ..Wish::default()
    };
    let report = measured(&shipped(2), wish).await;
    let sizes: Vec<_> = report
        .curve
        .points
        .iter()
        .map(|point| (point.threads, point.batch))
        .collect();
    assert!(sizes.contains(&(1, 1)) && sizes.contains(&(2, 1)), "{sizes:?}");
    assert!(report.session_bytes > 1 << 20, "{report:?}");

    let pinned = Wish {
        threads: Some(2),
        ..wish
    };
    let (plain, wide) = (
        loaded(shipped(2), report.curve.clone(), Wish::default()),
        loaded(shipped(2), report.curve, pinned),
    );
    assert_eq!((wide.setting().threads, wide.setting().sessions), (2, 1));
    let judge = wide.spec().judge.as_ref().unwrap();
    let picture: Vec<f32> = (0..judge.preprocessing.tensor_len())
        .map(|at| (at % 251) as f32 / 125.0 - 1.0)
        .collect();
    for lane in [0, 1, 2] {
        let (lane, apart) = (Lane::apart(lane), Lane::apart(lane));
        let (one, other) = (
            plain.judge(&lane, &picture).unwrap(),
            wide.judge(&apart, &picture).unwrap(),
        );
        assert_eq!(bits(&one), bits(&other));
    }
}

/// A server on one core that may run so many pictures together, and remembers none.
fn judging_together(place: &Place, batch: usize) -> Server {
    let settings = format!("[release]\non_new = \"live\"\n[serving]\nbatch = {batch}\n");
    files::write(&place.model().join("model.toml"), settings.as_bytes());
    let launch = Launch::new(place).set("KNOWN__MEMORY", "0 B").set("CORES__LIVE", 1);
    launch.set("PROOF__MEASURE", "20s").start_ready()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_are_run_together_get_the_answers_that_they_get_alone() {
    let place = Place::with_versions(&[2]);
    let server = judging_together(&place, 8);
    let execution = server.live().await.execution.unwrap();
    assert_eq!(execution.batch, 8, "{execution:?}");

    let mut questions: Vec<_> = catalogue().iter().step_by(5).map(|entry| entry.question()).collect();
    // One that cannot be read, amid the others.
    let mut broken = questions[1].clone();
    let product = broken.product.as_mut().unwrap();
    product.picture = Some(vigie::wire::vigie::product::Picture::Image(
        vec![0xff, 0xd8, 0xff].into(),
    ));
    questions.insert(2, broken);
    let mut alone = BTreeMap::new();
    for (index, question) in questions.iter().enumerate() {
        alone.insert(index, score_bits(&server.classify(question.clone()).await.unwrap()));
    }
    let client = server.ad_safety().await;
    let questions = Arc::new(questions);
    for _ in 0..5 {
        let all = questions.iter().enumerate().map(|(index, question)| {
            let (mut client, question) = (client.clone(), question.clone());
            async move { (index, client.classify(question).await.unwrap().into_inner()) }
        });
        for (index, decision) in join_all(all).await {
            assert_eq!(score_bits(&decision), alone[&index], "picture {index}");
        }
    }
    let sum = server.metric("vigie_serving_run_together_sum", &[]);
    let mean = sum / server.metric("vigie_serving_run_together_count", &[]);
    assert!(mean > 1.2, "hardly anything was run together: {mean} pictures a run");
}

#[tokio::test]
async fn what_is_pinned_in_model_toml_is_followed_at_once() {
    let place = Place::with_versions(&[2]);
    let server = judging_together(&place, 4);
    files::write(&place.model().join("model.toml"), b"[serving]\nbatch = 1\n");
    let told = server
        .watch_until(|told| {
            let batches: Vec<u32> = told
                .models
                .iter()
                .flat_map(|model| &model.execution)
                .map(|it| it.batch)
                .collect();
            batches == [1]
        })
        .await;
    assert_eq!(told.models[0].execution.as_ref().unwrap().sessions, 1);
}

/// Publishes a revision that was never seen in place of version 1: another calibration, by so little that its golden scores hold.
fn change_version_1(place: &Place, step: u32) {
    let next = place.root().join(format!("next-{step}"));
    files::copy(&crate::support::place::shipped_version(1), &next);
    files::edit_manifest(&next, |manifest| {
        let offsets = manifest["calibration"]["offset"].as_array_mut().unwrap();
        let first = offsets.get(0).and_then(|offset| offset.as_float()).unwrap();
        offsets.replace(0, first + f64::from(step) * 1e-5);
    });
    files::change_in_place(&next, &place.version(1));
}

fn with_memory(place: &Place, bytes: u64) -> Server {
    let launch = Launch::new(place)
        .set("KNOWN__MEMORY", "0 B")
        .set("WATCH__RESCAN", "1h");
    launch.set("MODELS__MEMORY", format!("{bytes} B")).start_ready()
}

#[tokio::test]
async fn what_does_not_fit_into_memory_waits_and_the_previous_revision_goes_first() {
    let place = Place::with_versions(&[1]);
    let taken = {
        let server = with_memory(&place, 1 << 40);
        let name = "vigie_executor_revisions_memory_bytes";
        assert_eq!(server.metric(name, &["what=\"budget\""]), (1_u64 << 40) as f64);
        server.metric(name, &["what=\"taken\""]) as u64
    };
    assert!(taken > 1 << 20, "{taken}");

    // Room for the live one and the one before it.
    let server = with_memory(&place, taken * 5 / 2);
    for step in 1..=3 {
        let before = server.live().await.revision;
        change_version_1(&place, step);
        server
            .watch_until(|told| told.models.iter().any(|model| model.live && model.revision != before))
            .await;
    }
    server.wait_for_log("the previous revision is given up");
    drop(server);

    // Room for one: the next can be proved, and waits.
    let server = with_memory(&place, taken * 3 / 2);
    let live = server.live().await.revision;
    change_version_1(&place, 4);
    let waiting = server
        .watch_until(|told| told.models.iter().any(|model| model.state == "WAITING"))
        .await;
    let waiting = waiting.models.iter().find(|model| model.state == "WAITING").unwrap();
    assert!(
        waiting.reason.contains("MiB of memory (") && waiting.reason.contains("adsafety 1"),
        "{}",
        waiting.reason
    );
    assert_eq!(server.classify(catalogue()[0].question()).await.unwrap().revision, live);
}
