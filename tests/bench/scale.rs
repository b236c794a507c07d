//! What costs what: the number of cores, of models and of versions; and what running pictures together is worth.

use std::path::Path;
use std::time::Duration;

use tonic::Request;
use tonic::transport::Channel;
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::wire::vigie::ClassifyRequest;

use super::Effort;
use super::house::{self, CONNECTIONS};
use super::load::{closed, median};
use super::pictures::jpegs;
use super::report::{Asked, Report};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files};

/// Questions in flight.
const IN_FLIGHT: usize = 16;

/// The shipped version 2, whose runs are short, with and without running pictures together. The sides in turn.
pub async fn together(effort: Effort, report: &mut Report) {
    report.heading("Pictures run together, the shipped version 2 (int8 or fp32 as shipped), JPEG of 480 x 480 pixels");
    let questions = questions(480, 40_000);
    let places = [1, 16].map(|most| {
        let place = Place::with_versions(&[2]);
        let settings = match most {
            1 => "[serving]\nbatch = 1\n",
            _ => "[serving]\naim = \"throughput\"\n",
        };
        std::fs::write(place.model().join("model.toml"), settings).unwrap();
        place
    });
    let servers = [&places[0], &places[1]].map(|place| house::served(place).start_ready());
    let chosen = servers[1].live().await.execution.map_or(1, |execution| execution.batch);
    let (alone, company) = (
        house::clients(servers[0].grpc).await,
        house::clients(servers[1].grpc).await,
    );
    let mut ratios = Vec::new();
    for _ in 0..effort.rounds {
        let before = rate(&alone, &questions, None, effort.span).await;
        ratios.push(rate(&company, &questions, None, effort.span).await / before);
    }
    let sum = servers[1].metric("vigie_serving_run_together_sum", &[]);
    let mean = sum / servers[1].metric("vigie_serving_run_together_count", &[]);
    report.note(
        "throughput as chosen, of each picture by itself",
        median(&ratios),
        "x",
        Asked::Nothing,
        format!("chosen: up to {chosen}; a picture was run with {mean:.1} on average"),
    );
}

/// The processor's time of an answer by the number of cores that serve; throughput and memory by the number of models and of versions.
pub async fn measure(effort: Effort, report: &mut Report) {
    report.heading("Cost against cores, models and versions; shipped version 1, pictures of 800 x 800 pixels");
    let questions = questions(800, 115_000);
    for cores in [1, 2] {
        let place = Place::with_versions(&[1]);
        let mut launch = Launch::new(&place)
            .set("KNOWN__MEMORY", "0 B")
            .set("CORES__LIVE", cores);
        if cores == 1 {
            launch = launch.on_core(super::machine::SERVER_CORE);
        }
        let server = launch.start_ready();
        house::settled(&server).await;
        let clients = house::clients(server.grpc).await;
        let busy = || server.metric("process_cpu_seconds_total", &[]);
        let (before, count) = (busy(), answers(&clients, &questions, None, effort.span * 2).await);
        report.note(
            format!(
                "processor time of an answer, {cores} live thread{}",
                if cores == 1 { "" } else { "s" }
            ),
            (busy() - before) / count as f64 * 1e3,
            "ms",
            Asked::Nothing,
            "with whoever asks on the machine's other core, or on both",
        );
    }
    let mut one = None;
    for (models, versions) in [(1, 1), (16, 1), (1, 16)] {
        let place = many(models, versions);
        let launch = house::served(&place).set("DEFAULT_MODEL", "m0");
        let server = launch.start_ready();
        every_version_ready(&server, models * versions).await;
        house::settled(&server).await;
        let memory = server.memory() as f64 / 1e6;
        let clients = house::clients(server.grpc).await;
        let rate = rate(&clients, &questions, Some(models), effort.span * 2).await;
        let (first, least) = *one.get_or_insert((rate, memory));
        let each = (memory - least) / (models * versions - 1).max(1) as f64;
        report.note(
            format!("throughput, {models} model(s) of {versions} version(s), of one of one"),
            100.0 * rate / first,
            "%",
            Asked::Nothing,
            format!("idle {memory:.0} MB, {each:.1} MB for each more"),
        );
    }
}

fn questions(side: usize, bytes: usize) -> Vec<ClassifyRequest> {
    jpegs(16, side, bytes)
        .iter()
        .map(|jpeg| house::question(jpeg))
        .collect()
}

/// Copies of the shipped version 1 under so many names and numbers, each a revision of its own.
fn many(models: usize, versions: usize) -> Place {
    let place = Place::empty();
    for model in 0..models {
        let folder = place.repository().join(format!("m{model}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(
            files::shipped().join("adsafety/policy.toml"),
            folder.join("policy.toml"),
        )
        .unwrap();
        for version in 1..=versions {
            another_revision(&folder.join(version.to_string()), model * versions + version);
        }
    }
    place
}

fn another_revision(folder: &Path, number: usize) {
    files::copy(&shipped_version(1), folder);
    files::edit_manifest(folder, |manifest| {
        let offsets = manifest["calibration"]["offset"].as_array_mut().unwrap();
        let first = offsets.get(0).and_then(|offset| offset.as_float()).unwrap();
        offsets.replace(0, first + number as f64 * 1e-6);
    });
}

async fn every_version_ready(server: &Server, count: usize) {
    server
        .watch_until(|told| told.models.iter().filter(|version| version.state == "READY").count() == count)
        .await;
}

async fn rate(
    clients: &[AdSafetyClient<Channel>],
    questions: &[ClassifyRequest],
    models: Option<usize>,
    span: Duration,
) -> f64 {
    answers(clients, questions, models, span).await as f64 / span.as_secs_f64()
}

/// How many questions are answered within the time, of models in turn where there are several.
async fn answers(
    clients: &[AdSafetyClient<Channel>],
    questions: &[ClassifyRequest],
    models: Option<usize>,
    span: Duration,
) -> usize {
    let ask = |caller: usize, question: usize| {
        let mut client = clients[caller % CONNECTIONS].clone();
        let number = caller + IN_FLIGHT * question;
        let mut asked = questions[number % questions.len()].clone();
        asked.model = models.map(|models| format!("m{}", number % models)).unwrap_or_default();
        async move { client.classify(Request::new(asked)).await.map(drop) }
    };
    let outcome = closed(IN_FLIGHT, span, ask).await;
    assert!(
        outcome.failed.is_empty() && outcome.refused.is_empty(),
        "{:?}",
        outcome.failed.first()
    );
    outcome.answered.len()
}
