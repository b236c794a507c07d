//! Everything at once, for a while: callers, reloads, overload, callers that leave, garbage, and restarts. Whatever is answered is right.
//!
//! `VIGIE_SOAK_SECONDS` says for how long. In the first half the server is ended and started again; in the second, one process lives through all the
//! rest, so that it can be told whether its memory grows.

mod callers;
mod happened;
mod operator;
mod trouble;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::support::Place;
use operator::{Operator, launch};
use world::World;

/// For how long where nobody says: enough to see each kind of event.
const SECONDS: u64 = 20;
/// How much longer a machine that is busy with other things may take to see each.
const GRACE: Duration = Duration::from_secs(180);
const LIVE_CALLERS: usize = 6;
const BULK_CALLERS: usize = 2;
/// What memory may grow by once the last process has warmed up: a burst more in flight, but no revision a reload.
const MAX_GROWTH_BYTES: u64 = 256 << 20;

fn duration() -> Duration {
    let told = std::env::var("VIGIE_SOAK_SECONDS").map(|text| text.parse().unwrap());
    Duration::from_secs(told.unwrap_or(SECONDS))
}

fn begin_calling(world: &Arc<World>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for caller in 0..LIVE_CALLERS {
        tasks.spawn(callers::live(Arc::clone(world), caller));
    }
    for caller in 0..BULK_CALLERS {
        tasks.spawn(callers::bulk(Arc::clone(world), caller));
    }
    tasks.spawn(trouble::overload(Arc::clone(world)));
    tasks.spawn(trouble::leaving(Arc::clone(world)));
    tasks.spawn(trouble::garbage(Arc::clone(world)));
    tasks
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_at_once_gives_no_wrong_answer_and_memory_stays() {
    let place = Place::with_versions(&[1, 2]);
    let server = launch(&place).start_ready();
    server.version_in(1, "READY").await;
    let world = Arc::new(World::begin(place, &server).await);
    let (began, duration) = (Instant::now(), duration());
    let mut operator = tokio::spawn(Operator::new(Arc::clone(&world), server).work(began + duration / 2));
    let mut tasks = begin_calling(&world);
    let mut pace = callers::pace(Duration::from_millis(100));
    while began.elapsed() < duration || (!world.happened.missing().is_empty() && began.elapsed() < duration + GRACE) {
        tokio::select! {
            _ = pace.tick() => {}
            Some(ended) = tasks.join_next() => ended.unwrap(),
            ended = &mut operator => panic!("the operator gave up: {:?}", ended.map(drop)),
        }
    }
    world.stop.cancel();
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    let (server, grown) = operator.await.unwrap();
    println!(
        "soaked for {} s: {}, memory grown by {} MiB",
        began.elapsed().as_secs(),
        world.happened,
        grown >> 20
    );
    assert_eq!(world.happened.missing(), Vec::<String>::new());
    assert!(grown < MAX_GROWTH_BYTES, "memory grew by {grown} bytes");
    // A line of level ERROR, and a panic is one, fails here.
    drop(server);
}
