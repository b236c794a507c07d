//! The figures of the README: how soon a new version serves, how long an answer takes, how many there are in a second. Run by `make bench`, against
//! the real server in a process of its own, on this machine; nothing is asserted here.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark that cannot run fails by panicking"
)]
#![expect(dead_code, reason = "of what the tests share, only a part is used here")]

#[path = "../it/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::client::{Entry, catalogue};
use support::place::shipped_version;
use support::{Launch, Place, Server, files};
use vigie::wire::vigie::ClassifyRequest;

const RELOADS: usize = 20;
const MEASURED: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    machine();
    reloads().await;
    answers().await;
}

fn machine() {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "))
        .unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    println!("machine: {model}, {cores} cores\n");
}

/// From the rename that completes a version to its being live, on an idle server that would look by itself only once an hour.
async fn reloads() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("WATCH__RESCAN", "1h").start_ready();
    let mut spans = Vec::new();
    for number in 0..RELOADS {
        let next = 2 + i64::try_from(number).unwrap();
        let from = shipped_version(if number % 2 == 0 { 2 } else { 1 });
        let aside = place.model().join(".incoming");
        files::copy(&from, &aside);
        let mut models = server.models_client().await;
        let mut told = models
            .watch_models(vigie::wire::vigie::WatchModelsRequest::default())
            .await
            .unwrap()
            .into_inner();
        let renamed = Instant::now();
        std::fs::rename(&aside, place.version(next)).unwrap();
        while let Some(state) = told.message().await.unwrap() {
            if state.models.iter().any(|found| found.live && found.version == next) {
                break;
            }
        }
        spans.push(renamed.elapsed());
        std::fs::remove_dir_all(place.version(next - 1)).unwrap();
        server
            .watch_until(|told| told.models.iter().all(|found| found.version == next))
            .await;
    }
    show(
        "reload: from the last rename to live",
        "ms",
        spans.iter().map(Duration::as_secs_f64).map(|s| s * 1e3).collect(),
    );
}

/// Round trips of the sample catalogue, one at a time and then several at once.
async fn answers() {
    let place = Place::with_versions(&[2]);
    let server = Launch::new(&place).start_ready();
    for callers in [1, 8] {
        let began = Instant::now();
        let trips = (0..callers).map(|caller| call(&server, caller, began));
        let spans: Vec<f64> = futures_util::future::join_all(trips).await.concat();
        let rate = spans.len() as f64 / began.elapsed().as_secs_f64();
        println!("classify, {callers} at once: {rate:.0} answers a second");
        show("  round trip", "ms", spans);
    }
}

async fn call(server: &Server, first: usize, began: Instant) -> Vec<f64> {
    let mut client = server.ad_safety().await;
    let questions: Vec<ClassifyRequest> = catalogue().iter().map(Entry::question).collect();
    let mut spans = Vec::new();
    for question in questions.iter().cycle().skip(first * 17) {
        if began.elapsed() > MEASURED {
            break;
        }
        let asked = Instant::now();
        client.classify(question.clone()).await.unwrap();
        spans.push(asked.elapsed().as_secs_f64() * 1e3);
    }
    spans
}

fn show(what: &str, unit: &str, mut figures: Vec<f64>) {
    figures.sort_by(f64::total_cmp);
    let at = |share: f64| figures[((figures.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: median {:.1} {unit}, p99 {:.1}, lowest {:.1}, highest {:.1} (n = {})\n",
        at(0.5),
        at(0.99),
        at(0.0),
        at(1.0),
        figures.len()
    );
}
