//! Whoever runs the server: publishes versions, good and bad, makes mistakes in the settings, ends the server and starts it again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tokio::task::block_in_place;

use super::happened::{Event, WARM_UP};
use super::world::World;
use crate::support::place::shipped_version;
use crate::support::server::PATIENCE;
use crate::support::{Launch, Place, Server, files};

/// The server as everybody here starts it: short lines, so that they are full.
pub fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place)
        .set("WATCH__RESCAN", "1s")
        .set("CORES__QUEUE", 64)
        .set("KNOWN__MEMORY", "8 KiB")
}

/// See the module.
pub struct Operator {
    world: Arc<World>,
    /// None only while one is ended and the next begun.
    server: Option<Server>,
    lives: u64,
    /// What is served: under which number, and which of the two contents.
    number: i64,
    content: usize,
    sources: [PathBuf; 2],
    /// What the process took after warming up.
    memory: Option<u64>,
}

impl Operator {
    /// Takes over a server whose version 2 is live.
    pub fn new(world: Arc<World>, server: Server) -> Self {
        let sources = [1, 2].map(|version| world.place.root().join(format!("source-{version}")));
        for (source, version) in sources.iter().zip([1, 2]) {
            files::copy(&shipped_version(version), source);
        }
        // From now on whatever does not serve is not loaded either, so that each change loads a revision.
        std::fs::remove_dir_all(world.place.version(1)).unwrap();
        Self {
            world,
            server: Some(server),
            lives: 1,
            number: 2,
            content: 1,
            sources,
            memory: None,
        }
    }

    /// Goes on until it is told to stop; ends the server now and then until `calm`, and afterwards not any more. Gives back the server and how much
    /// more memory it takes than after warming up.
    pub async fn work(mut self, calm: Instant) -> (Server, u64) {
        for round in 1.. {
            self.change_in_place().await;
            self.publish_under_a_new_number().await;
            self.publish_a_corrupt_model(round).await;
            let happened = &self.world.happened;
            let ends = [Event::Terminated, Event::Killed];
            if Instant::now() < calm || ends.iter().any(|end| happened.of(*end) == 0) {
                self.break_settings(Some(ends[round % 2])).await;
            } else {
                self.break_settings(None).await;
                self.world.happened.note(Event::CalmRound);
                if self.world.happened.of(Event::CalmRound) == WARM_UP {
                    self.memory = Some(self.server().memory());
                }
            }
            if self.world.stop.is_cancelled() {
                break;
            }
        }
        let server = self.server.take().unwrap();
        let grown = self.memory.map_or(0, |first| server.memory().saturating_sub(first));
        (server, grown)
    }

    async fn change_in_place(&mut self) {
        self.content = 1 - self.content;
        let version = self.world.place.version(self.number);
        block_in_place(|| files::change_in_place(&self.sources[self.content], &version));
        self.server().live_revision(&self.world.revisions[self.content]).await;
        self.world.happened.note(Event::InPlace);
    }

    async fn publish_under_a_new_number(&mut self) {
        let old = self.world.place.version(self.number);
        (self.number, self.content) = (self.number + 1, 1 - self.content);
        let (number, revision) = (self.number, &self.world.revisions[self.content]);
        block_in_place(|| files::publish(&self.sources[self.content], &self.world.place.version(number)));
        self.server()
            .watch_until(|told| {
                let is_it = |found: &vigie::wire::vigie::ModelVersion| found.version == number && found.live;
                told.models
                    .iter()
                    .any(|found| is_it(found) && found.revision == *revision)
            })
            .await;
        std::fs::remove_dir_all(old).unwrap();
        self.world.happened.note(Event::NewNumber);
    }

    /// Half of a model, or none, under a manifest that fits: only trying it can tell.
    async fn publish_a_corrupt_model(&mut self, round: usize) {
        const NUMBER: i64 = 1_000_000;
        let (bad, version) = (self.world.place.root().join("bad"), self.world.place.version(NUMBER));
        block_in_place(|| {
            files::copy(&self.sources[0], &bad);
            let model = bad.join("model.onnx");
            let bytes = std::fs::read(&model).unwrap();
            std::fs::write(&model, &bytes[..bytes.len() / (1 + round)]).unwrap();
            files::reseal(&bad, "model.onnx");
            std::fs::rename(&bad, &version).unwrap();
        });
        let found = self.server().version_in(NUMBER, "REJECTED").await;
        assert!(found.reason.contains("model.onnx"), "{}", found.reason);
        std::fs::remove_dir_all(version).unwrap();
        self.world.happened.note(Event::Corrupt);
    }

    /// Settings that nobody can read change nothing, over a restart neither.
    async fn break_settings(&mut self, end: Option<Event>) {
        let settings = self.world.place.model().join("model.toml");
        let good = std::fs::read(&settings).unwrap();
        files::write(&settings, b"[release\non_new = maybe");
        self.problem_is_told(true).await;
        if let Some(end) = end {
            self.restart(end).await;
            let live = self.server().live().await;
            assert_eq!(
                (live.version, &live.revision),
                (self.number, &self.world.revisions[self.content])
            );
            self.problem_is_told(true).await;
        }
        files::write(&settings, &good);
        self.problem_is_told(false).await;
        self.world.happened.note(Event::BrokenSettings);
    }

    async fn problem_is_told(&self, told: bool) {
        self.server()
            .watch_until(|now| {
                let mut problems = now.summaries.iter().flat_map(|model| &model.problems);
                problems.any(|problem| problem.contains("model.toml")) == told
            })
            .await;
    }

    async fn restart(&mut self, end: Event) {
        self.world.ends();
        block_in_place(|| {
            let old = self.server.take().unwrap();
            if end == Event::Killed {
                old.kill();
            } else {
                old.signal("TERM");
                let status = old.wait_for_exit(PATIENCE);
                assert!(status.success(), "{status}");
            }
            self.server = Some(launch(&self.world.place).start_ready());
        });
        self.world.begins(self.lives, self.server().grpc);
        self.lives += 1;
        self.world.happened.note(end);
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }
}
