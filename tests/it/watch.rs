//! Whoever watches verdicts holds what whoever asks is told, whatever changes them.

mod watcher;

use std::time::{Duration, SystemTime};

use tonic::Code;
use vigie::base::{Digest, LabelScore, Probability, Recorded, RevisionId};
use vigie::store::{DataDirectory, Records, SqliteSettings};
use vigie::wire::timestamp;
use vigie::wire::vigie::{CorrectRequest, ProductKey, Verdict, WatchVerdictsRequest};

use crate::corrections::asking::{self, Asking, allow, block, key, plain, shows, wrong_label};
use crate::records::samples;
use crate::support::client::{Entry, within};
use crate::support::clock::Clock;
use crate::support::server::PATIENCE;
use crate::support::{Launch, Place, Server, files, place};
use watcher::Watcher;

const COUNTRIES: [&str; 3] = ["FR", "SA", ""];
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Blocks everything that has any score at all.
const STRICT: &str = "format = 1\n[default]\nreview = 1e-30\nblock = 1e-30\n";
/// Leaves the doubtful to people, and wants words looked for.
const WORDY: &str = "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n[[rule]]\nid = \"words\"\ntext = \"No.\"\n\
                     keywords = { any = [\"a\", \"the\", \"pro\"] }\nverdict = \"REVIEW\"\n";

fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

/// Puts a policy in force.
async fn apply(server: &Server, place: &Place, text: &str) {
    let policy = place.model().join("policy.toml");
    files::write(&policy, text.as_bytes());
    let hash = files::digest(&policy);
    server
        .watch_until(|told| told.summaries.iter().any(|model| model.policy_version == hash))
        .await;
}

/// What happens, chosen by a number.
struct Happenings {
    asking: Asking,
    entries: Vec<&'static Entry>,
    policies: [String; 3],
    number: u64,
}

impl Happenings {
    fn below(&mut self, many: usize) -> usize {
        self.number = self
            .number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.number >> 33) as usize % many
    }

    async fn happen(&mut self, server: &Server, place: &Place) {
        let many = self.entries.len();
        let (entry, other) = (self.below(many), self.below(many));
        let (entry, other) = (self.entries[entry], self.entries[other]);
        let verdict = [Verdict::Allow, Verdict::Review, Verdict::Block][self.below(3)];
        let correction = match self.below(10) {
            0..3 => {
                let mut question = self.asking.question(entry);
                question.product.as_mut().unwrap().picture = self.asking.question(other).product.unwrap().picture;
                self.asking.decide_on(question).await;
                return;
            }
            3 => block(entry),
            4 => allow(entry),
            5 => wrong_label(entry, "firearm", verdict == Verdict::Block),
            6 => asking::of_partner(verdict),
            7 => {
                let sha256 = self.asking.decide(entry).await.image_sha256;
                asking::of_picture(&sha256, verdict)
            }
            8 => {
                let policy = self.below(self.policies.len());
                apply(server, place, &self.policies[policy]).await;
                return;
            }
            _ => {
                let given = self.asking.corrections().await;
                if !given.is_empty() {
                    let place = self.below(given.len());
                    self.asking.revoke(&given[place].correction_id).await.unwrap();
                }
                return;
            }
        };
        self.asking.correct(correction).await.unwrap();
    }
}

#[tokio::test]
async fn a_watcher_ends_with_the_verdicts_that_whoever_asks_is_told() {
    let place = Place::with_versions(&[1]);
    let mut server = launch(&place).start_ready();
    let shipped = std::fs::read_to_string(place.model().join("policy.toml")).unwrap();
    let mut happenings = Happenings {
        asking: Asking::begin(&server).await,
        entries: vec![shows("firearm"), shows("alcohol"), shows("tobacco"), plain()],
        policies: [shipped, STRICT.to_owned(), WORDY.to_owned()],
        number: 7,
    };
    let keys: Vec<ProductKey> = happenings.entries.iter().map(|entry| key(entry)).collect();
    let mut steady = Watcher::begin(&server, &COUNTRIES).await;
    let mut fickle = Watcher::begin(&server, &COUNTRIES).await;
    for round in 0..24 {
        for _ in 0..3 {
            happenings.happen(&server, &place).await;
        }
        if round % 2 == 0 {
            fickle.again(&server).await;
        }
        for watcher in [&mut steady, &mut fickle] {
            watcher.until_it_agrees(&keys).await;
        }
    }
    let before = server.live().await.revision;
    files::change_in_place(&place::shipped_version(2), &place.version(1));
    server
        .watch_until(|told| told.models.iter().any(|model| model.live && model.revision != before))
        .await;
    for watcher in [&mut steady, &mut fickle] {
        watcher.until_it_agrees(&keys).await;
    }
    assert_eq!(steady.snapshots, 1, "changes come as changes");
    for entry in &happenings.entries {
        happenings.asking.on_record(entry).await;
    }
    server.kill();
    server = launch(&place).start_ready();
    steady.again(&server).await;
    steady.next().await;
    assert_eq!(steady.snapshots, 2, "a cursor is good for one process");
    steady.settled().await;
    assert!(steady.agrees(&keys).await);
}

#[tokio::test]
async fn a_correction_reaches_a_watcher_within_a_second() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let entry = plain();
    let sha256 = asking.decide(entry).await.image_sha256;
    asking.known(entry).await;
    let mut watcher = Watcher::begin(&server, &["FR"]).await;
    assert_eq!(watcher.held(), 0);
    for request in [
        block(entry),
        asking::of_picture(&sha256, Verdict::Block),
        asking::of_partner(Verdict::Block),
    ] {
        let given = asking.correct(request).await.unwrap();
        let told = within(SECOND, watcher.next()).await.result.unwrap();
        assert_eq!((told.product, told.known), (Some(key(entry)), true));
        assert_eq!(told.verdicts[0].verdict(), Verdict::Block);
        asking.revoke(&given.correction_id).await.unwrap();
        let told = within(SECOND, watcher.next()).await.result.unwrap();
        assert_eq!(told.verdicts[0].verdict(), Verdict::Allow);
    }
}

#[tokio::test]
async fn a_product_of_which_nothing_is_known_any_more_is_told_to_be_gone() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let mut watcher = Watcher::begin(&server, &COUNTRIES).await;
    let given = asking.correct(block(plain())).await.unwrap();
    let told = watcher.next().await.result.unwrap();
    assert_eq!((told.known, told.verdicts.len()), (false, COUNTRIES.len()));
    asking.revoke(&given.correction_id).await.unwrap();
    let told = watcher.next().await.result.unwrap();
    assert_eq!(
        (told.product, told.known, told.verdicts),
        (Some(key(plain())), false, Vec::new())
    );
}

#[tokio::test]
async fn a_watcher_goes_on_from_its_cursor_or_begins_anew_where_it_must() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let (armed, tame) = (shows("firearm"), plain());
    for entry in [armed, tame] {
        asking.classify(entry).await;
        asking.known(entry).await;
    }
    let mut watcher = Watcher::begin(&server, &["FR"]).await;
    assert_eq!(watcher.held(), 1);
    let cursor = watcher.cursor.clone();
    let given = asking.correct(block(tame)).await.unwrap();
    watcher.until_it_agrees(&[key(tame)]).await;
    asking.revoke(&given.correction_id).await.unwrap();
    // It never hears of it; gone on from before, it must.
    watcher.cursor = cursor;
    watcher.again(&server).await;
    let told = watcher.next().await;
    assert_eq!((told.snapshot, told.result.unwrap().product), (false, Some(key(tame))));
    assert!(watcher.agrees(&[key(armed), key(tame)]).await);
    asking.correct(block(tame)).await.unwrap();
    watcher.until_it_agrees(&[key(tame)]).await;
    assert_eq!(watcher.snapshots, 1);
    // Nobody knows what it was told before, so another policy is a new beginning.
    apply(&server, &place, STRICT).await;
    while watcher.snapshots == 1 {
        watcher.next().await;
    }
    watcher.settled().await;
    assert!(watcher.agrees(&[key(armed), key(tame)]).await);
    // And a cursor of one policy is none under another.
    let cursor = watcher.cursor.clone();
    apply(&server, &place, WORDY).await;
    watcher.cursor = cursor;
    watcher.again(&server).await;
    watcher.next().await;
    assert_eq!(watcher.snapshots, 3);
}

#[tokio::test]
async fn what_is_no_cursor_and_what_is_no_country_are_refused_by_their_fields() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    for (countries, cursor, field) in [
        (vec![], "yesterday", "cursor"),
        (vec!["France".to_owned()], "", "countries[0]"),
    ] {
        let cursor = cursor.to_owned();
        let request = WatchVerdictsRequest { countries, cursor };
        let refused = server.ad_safety().await.watch_verdicts(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(field), "{refused}");
    }
}

#[tokio::test]
async fn dates_reach_a_watcher_when_they_come() {
    let place = Place::with_versions(&[1]);
    let first = SystemTime::now() + DAY * 3;
    let day = humantime::format_rfc3339_seconds(first).to_string();
    let day = day.split('T').next().unwrap().to_owned();
    files::edit(&place.model().join("policy.toml"), |text| {
        format!(
            "{text}\n[[rule]]\nid = \"closed\"\nlabel = \"firearm\"\ncountries = [\"FR\"]\nstarts = {day}\n\
             verdict = \"BLOCK\"\nfrom = 1e-30\ntext = \"Closed.\"\n"
        )
    });
    let clock = Clock::of(&place);
    let server = clock.on(launch(&place)).start_ready();
    let asking = Asking::begin(&server).await;
    let entry = plain();
    asking.classify(entry).await;
    asking.known(entry).await;
    let mut watcher = Watcher::begin(&server, &["FR", "DE"]).await;
    assert_eq!(watcher.held(), 0);
    let ends = SystemTime::now() + DAY;
    let request = CorrectRequest {
        expires_at: Some(timestamp(ends)),
        ..block(entry)
    };
    asking.correct(request).await.unwrap();
    watcher.next().await;
    let before = watcher.cursor.clone();
    clock.turn_to(ends);
    let told = watcher.next().await.result.unwrap();
    assert_eq!(
        told.verdicts
            .iter()
            .map(|verdict| verdict.verdict())
            .collect::<Vec<_>>(),
        [Verdict::Allow; 2]
    );
    let begins = SystemTime::try_from(told.verdicts[0].valid_until.unwrap()).unwrap();
    assert!(watcher.agrees(&[key(entry)]).await);
    clock.turn_to(begins);
    let told = watcher.next().await.result.unwrap();
    assert_eq!(
        (told.verdicts[0].verdict(), told.verdicts[1].verdict()),
        (Verdict::Block, Verdict::Allow)
    );
    assert!(watcher.agrees(&[key(entry)]).await);
    assert_eq!(watcher.snapshots, 1);
    watcher.cursor = before;
    watcher.again(&server).await;
    watcher.next().await;
    assert_eq!(watcher.snapshots, 2, "dates have come since that cursor");
}

/// Products of one partner that are on record before the server starts, allowed by the shipped policy and blocked by the strict one.
const MANY: usize = 20_000;
/// So many that what is told of them fits into no buffer on the way.
const EVERYWHERE: [&str; 10] = ["FR", "DE", "GB", "US", "SA", "NO", "BE", "IT", "NL", ""];

async fn fill(place: &Place) -> Vec<ProductKey> {
    std::fs::create_dir_all(place.data()).unwrap();
    let data = DataDirectory::open(&place.data()).unwrap();
    let records = Records::open_sqlite(&data, SqliteSettings::default()).unwrap();
    let numbers: Vec<u64> = (0..MANY as u64).collect();
    for group in numbers.chunks(4096) {
        records
            .append(group.iter().map(|number| harmless(*number)).collect())
            .await
            .unwrap();
    }
    let key = |number: &u64| ProductKey {
        partner_id: "many".into(),
        product_id: number.to_string(),
    };
    numbers.iter().map(key).collect()
}

fn harmless(number: u64) -> Recorded {
    let mut recorded = samples::recorded(number);
    recorded.product = vigie::base::Product {
        partner_id: "many".to_owned(),
        product_id: number.to_string(),
        ..Default::default()
    };
    recorded.decision.revision = RevisionId(Digest([7; 32]));
    recorded.decision.scores = samples::LABELS
        .map(|name| LabelScore {
            label: samples::label(name),
            probability: Probability::new(0.001).unwrap(),
        })
        .to_vec();
    recorded
}

#[tokio::test]
async fn a_policy_that_turns_a_whole_catalogue_arrives_whole_at_a_slow_reader_in_bounded_memory() {
    let place = Place::with_versions(&[1]);
    let keys = fill(&place).await;
    let server = launch(&place).start_ready();
    let mut watcher = Watcher::begin(&server, &EVERYWHERE).await;
    assert_eq!(watcher.held(), 0);
    let before = server.memory();
    // It reads nothing meanwhile: what does not fit into the connection waits until it does, unjudged.
    apply(&server, &place, STRICT).await;
    let asking = Asking::begin(&server).await;
    assert_eq!(asking.classify(plain()).await, Verdict::Block, "others go on");
    assert!(
        server.memory().saturating_sub(before) < 100 << 20,
        "{before} {}",
        server.memory()
    );
    while watcher.held() < MANY {
        watcher.next().await;
    }
    for some in keys.chunks(4_000) {
        watcher.until_it_agrees(some).await;
    }
    assert_eq!(watcher.snapshots, 1);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_and_its_place_given_to_another() {
    let place = Place::with_versions(&[1]);
    fill(&place).await;
    files::write(&place.model().join("policy.toml"), STRICT.as_bytes());
    let server = launch(&place)
        .set("GRPC__STALLED_READER", "1s")
        .set("LIMITS__STREAMS", 1)
        .start_ready();
    let request = WatchVerdictsRequest {
        countries: EVERYWHERE.map(str::to_owned).to_vec(),
        ..Default::default()
    };
    let watch = async || server.ad_safety().await.watch_verdicts(request.clone()).await;
    let mut stalled = watch().await.unwrap().into_inner();
    let refused = watch().await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let another = async {
        while let Err(refused) = watch().await {
            assert_eq!(refused.code(), Code::ResourceExhausted);
        }
    };
    within(PATIENCE, another).await;
    let cut = loop {
        match within(PATIENCE, stalled.message()).await {
            Ok(told) => assert!(told.is_some()),
            Err(status) => break status,
        }
    };
    assert_eq!(cut.code(), Code::Aborted, "{cut}");
}
