//! Two hundred swaps under load: no failure, and every answer is one of the three revisions', bit for bit.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use std::time::Duration;

use vigie::wire::vigie::ClassifyRequest;

use crate::support::client::{catalogue, of_version, score_bits};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files};

const SWAPS: usize = 200;
const CALLERS: usize = 8;
/// How often each caller asks: together they keep the server busy, and leave it the time to prove two hundred candidates.
const EACH: Duration = Duration::from_millis(100);
const PICTURES: usize = 12;
/// What memory may grow by from the tenth swap to the last: far below one leaked revision per swap.
const MAX_GROWTH_BYTES: u64 = 96 * 1024 * 1024;

type Scores = Vec<(String, u32)>;
/// By revision and picture.
type References = BTreeMap<(String, usize), Scores>;

fn asked(picture: usize) -> ClassifyRequest {
    catalogue()[picture * (catalogue().len() / PICTURES)].question()
}

/// What is swapped in, one after another: three revisions, so that none is still loaded from the time before.
fn sources(place: &Place) -> [PathBuf; 3] {
    let sources = [1, 2, 3].map(|number| place.root().join(format!("source-{number}")));
    for (source, version) in sources.iter().zip([1, 2, 2]) {
        files::copy(&shipped_version(version), source);
    }
    for (source, by) in sources.iter().zip([1e-5, 0.0, 1e-5]) {
        files::edit_manifest(source, |manifest| {
            let offsets = manifest["calibration"]["offset"].as_array_mut().unwrap();
            let first = offsets.get(0).and_then(|offset| offset.as_float()).unwrap();
            offsets.replace(0, first + by);
        });
    }
    sources
}

/// Their revisions and their answers, as another server gives them that has them as versions of their own.
async fn references(sources: &[PathBuf; 3]) -> ([String; 3], References) {
    let place = Place::with_versions(&[]);
    for (number, source) in (1..).zip(sources) {
        files::copy(source, &place.version(number));
    }
    let server = Launch::new(&place).start_ready();
    let mut references = References::new();
    let mut revisions = [const { String::new() }; 3];
    for (index, version) in [1, 2, 3].into_iter().enumerate() {
        server.version_in(version, "READY").await;
        for picture in 0..PICTURES {
            let decision = server.classify(of_version(asked(picture), version)).await.unwrap();
            revisions[index].clone_from(&decision.revision);
            references.insert((decision.revision.clone(), picture), score_bits(&decision));
        }
    }
    (revisions, references)
}

struct Callers {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

async fn begin_calling(server: &Server, references: Arc<References>) -> Callers {
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut tasks = Vec::new();
    for caller in 0..CALLERS {
        let (mut client, stop, answers) = (server.ad_safety().await, Arc::clone(&stop), Arc::clone(&answers));
        let references = Arc::clone(&references);
        tasks.push(tokio::spawn(async move {
            let (mut picture, mut pace) = (caller, tokio::time::interval(EACH));
            while !stop.load(Ordering::Relaxed) {
                pace.tick().await;
                picture = (picture + 1) % PICTURES;
                let decision = client.classify(asked(picture)).await.unwrap().into_inner();
                let reference = references.get(&(decision.revision.clone(), picture));
                assert_eq!(
                    Some(&score_bits(&decision)),
                    reference,
                    "of revision {}",
                    decision.revision
                );
                answers.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    Callers { stop, answers, tasks }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_swaps_under_eight_callers_lose_nothing_and_answer_bit_for_bit() {
    let place = Place::with_versions(&[1, 2]);
    let sources = sources(&place);
    let (revisions, references) = references(&sources).await;
    let server = Launch::new(&place).set("WATCH__RESCAN", "1h").start_ready();
    let callers = begin_calling(&server, Arc::new(references)).await;
    let callers_answers = Arc::clone(&callers.answers);
    let mut memory_after_ten = 0;
    for swap in 0..SWAPS {
        // Version 2 is live: it becomes something else, and at last its own again.
        let target = swap % 3;
        files::change_in_place(&sources[target], &place.version(2));
        server.live_revision(&revisions[target]).await;
        let answered = callers.answers.load(Ordering::Relaxed);
        let mut pace = tokio::time::interval(EACH);
        while callers.answers.load(Ordering::Relaxed) < answered + CALLERS as u64 {
            assert!(
                callers.tasks.iter().all(|task| !task.is_finished()),
                "a caller failed at swap {swap}"
            );
            pace.tick().await;
        }
        if swap % 20 == 0 {
            println!("{swap} swaps, {answered} answers, {} MiB", server.memory() >> 20);
        }
        if swap == 10 {
            memory_after_ten = server.memory();
        }
    }
    callers.stop.store(true, Ordering::Relaxed);
    for caller in callers.tasks {
        caller.await.unwrap();
    }
    println!("{} answers over {SWAPS} swaps", callers_answers.load(Ordering::Relaxed));
    let grown = server.memory().saturating_sub(memory_after_ten);
    assert!(
        grown < MAX_GROWTH_BYTES,
        "memory grew by {grown} bytes over {SWAPS} swaps"
    );
}
