//! Reloads: how soon a new version serves on an idle server, and what a storm of them does to whoever is asking meanwhile.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tonic::Request;
use tonic::transport::Channel;
use vigie::grpc::generated::vigie::ad_safety_client::AdSafetyClient;
use vigie::wire::vigie::{ClassifyRequest, WatchModelsRequest};

use super::Effort;
use super::house::{self, CONNECTIONS};
use super::load::{Outcome, median, open, quantile};
use super::pictures::jpegs;
use super::report::{Asked, Report};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files};

/// Questions a second during the storm: a third of what one core does.
const RATE: f64 = 50.0;

/// What reloads are measured on.
struct Stage {
    place: Place,
    sources: [PathBuf; 2],
    server: Server,
    clients: Vec<AdSafetyClient<Channel>>,
    questions: Vec<ClassifyRequest>,
    next: i64,
}

pub async fn measure(effort: Effort, report: &mut Report) {
    report.heading("Reloads, each proved in a child process, loaded, warmed up and golden-checked");
    Stage::shipped().await.idle("shipped model, every core", report).await;
    let mut measured = Stage::measured().await;
    measured.idle("6 MB model, one core", report).await;
    measured.storm(effort, report).await;
}

/// Starts a server that learns of a change by an event, or not for an hour.
fn by_event(launch: Launch<'_>) -> Server {
    launch.set("WATCH__RESCAN", "1h").start_ready()
}

impl Stage {
    /// The shipped versions in turn, on a server with the whole machine.
    async fn shipped() -> Self {
        let (place, sources) = (Place::with_versions(&[2]), [1, 2].map(shipped_version));
        let server = by_event(Launch::new(&place));
        Self::set(place, sources, server).await
    }

    /// The measured model with two seeds in turn, on a server with one core.
    async fn measured() -> Self {
        let (place, _) = house::judging_place(false);
        let sources = ["first/2", "other/2"].map(|name| place.root().join(name));
        sources.iter().for_each(|source| files::copy(&place.version(2), source));
        house::write_version(&sources[1], 2, false);
        let server = by_event(house::served(&place));
        Self::set(place, sources, server).await
    }

    async fn set(place: Place, sources: [PathBuf; 2], server: Server) -> Self {
        let clients = house::clients(server.grpc).await;
        let questions = jpegs(16, 800, 115_000)
            .iter()
            .map(|jpeg| house::question(jpeg))
            .collect();
        Self {
            place,
            sources,
            server,
            clients,
            questions,
            next: 3,
        }
    }

    async fn idle(&mut self, what: &str, report: &mut Report) {
        let mut spans = Vec::new();
        for _ in 0..10 {
            house::settled(&self.server).await;
            let mut models = self.server.models_client().await;
            let told = models.watch_models(WatchModelsRequest::default()).await.unwrap();
            let mut told = told.into_inner();
            let (version, came) = self.publish();
            while let Some(state) = told.message().await.unwrap() {
                if state.models.iter().any(|found| found.live && found.version == version) {
                    break;
                }
            }
            let answer = self.clients[0].classify(self.questions[0].clone()).await.unwrap();
            assert_eq!(answer.into_inner().version, version);
            spans.push(came.elapsed().as_secs_f64() * 1e3);
        }
        report.note(
            format!("idle, {what}: from the rename to the first answer"),
            median(&spans),
            "ms",
            Asked::AtMost(300.0),
            format!("highest {:.0} ms, n = {}", quantile(&spans, 1.0), spans.len()),
        );
    }

    async fn storm(&mut self, effort: Effort, report: &mut Report) {
        let calm = self.asked(effort.span * 4).await;
        let mut memory = Vec::new();
        let mut storm = Outcome::default();
        let began = Instant::now();
        for _ in 0..effort.reloads {
            let (version, _) = self.publish();
            storm = storm.merge(self.asked_until(version).await);
            memory.push(self.server.memory() as f64);
        }
        let each = began.elapsed().as_secs_f64() / effort.reloads as f64;
        let answers = storm.answered.len();
        report.note(
            "under load: failed answers",
            (storm.failed.len() + storm.refused.len()) as f64,
            "",
            Asked::AtMost(0.0),
            format!("{} reloads, {answers} answers, {each:.1} s a reload", effort.reloads),
        );
        let at = |outcome: &Outcome, share| quantile(&outcome.answered, share);
        report.note(
            "under load: p99 against calm",
            at(&storm, 0.99) / at(&calm, 0.99),
            "x",
            Asked::AtMost(1.5),
            format!(
                "median {:.1} to {:.1} ms, p99 {:.1} to {:.1} ms",
                at(&calm, 0.5),
                at(&storm, 0.5),
                at(&calm, 0.99),
                at(&storm, 0.99)
            ),
        );
        let settled = &memory[memory.len().min(10) - 1..];
        let last = settled.last().copied().unwrap_or(settled[0]);
        report.note(
            "memory a reload, after the tenth",
            (last - settled[0]) / settled.len().max(2) as f64 / 1e3,
            "KB",
            Asked::AtMost(50.0),
            format!("{:.1} MB at the end", last / 1e6),
        );
    }

    /// Publishes the next version, and takes the one before the last away.
    fn publish(&mut self) -> (i64, Instant) {
        let number = self.next;
        self.next += 1;
        let aside = self.place.model().join(".incoming");
        files::copy(&self.sources[usize::try_from(number).unwrap() % 2], &aside);
        // A revision that has never been seen: another calibration, by so little that the golden scores hold.
        files::edit_manifest(&aside, |manifest| {
            let offsets = manifest["calibration"]["offset"].as_array_mut().unwrap();
            let first = offsets.get(0).and_then(|offset| offset.as_float()).unwrap();
            offsets.replace(0, first + number as f64 * 1e-6);
        });
        if number > 4 {
            std::fs::remove_dir_all(self.place.version(number - 2)).unwrap();
        }
        let now = Instant::now();
        std::fs::rename(&aside, self.place.version(number)).unwrap();
        (number, now)
    }

    async fn asked(&self, span: Duration) -> Outcome {
        let ask = |number: usize| {
            let mut client = self.clients[number % CONNECTIONS].clone();
            let request = Request::new(self.questions[number % self.questions.len()].clone());
            async move { client.classify(request).await.map(drop) }
        };
        open(RATE, span, ask).await
    }

    /// Keeps asking until the version is live.
    async fn asked_until(&self, version: i64) -> Outcome {
        let mut whole = Outcome::default();
        let is_live = async || {
            let models = self.server.models().await;
            let found = models.iter().find(|found| found.version == version);
            assert!(found.is_none_or(|found| found.state != "REJECTED"), "{found:?}");
            found.is_some_and(|found| found.live)
        };
        while !is_live().await {
            whole = whole.merge(self.asked(Duration::from_millis(400)).await);
        }
        whole
    }
}
