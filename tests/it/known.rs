//! The ledger knows what the store has: whoever was there when it happened, and whoever reads it afterwards.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use vigie::base::{CorrectionScope, Moment, NewCorrection, RevisionId, TextsMark};
use vigie::ledger::{Found, Ledger, Matched, View};
use vigie::observe::{Filled, Follower, Observe};
use vigie::plan::{self, ServingPlan};
use vigie::store::{AskedAct, AskedCorrection, AskedErasure, Records, known_from};

use crate::records::place::Place;
use crate::records::samples::{at, digest, key, new_correction, principal, product, recorded, revoke};

const PARTNERS: u8 = 3;
const PRODUCTS: u8 = 3;

/// Something that happens, in small numbers so that it meets what happened before.
#[derive(Debug, Clone)]
enum Event {
    Judged {
        id: u8,
        of: (u8, u8),
        picture: u8,
        revision: u8,
    },
    Corrected {
        of: (u8, u8),
        scope: u8,
    },
    /// The correction that was given as the so manieth.
    Revoked(u8),
    Erased(u8),
}

fn event() -> impl Strategy<Value = Event> {
    let of = (0..PARTNERS, 0..PRODUCTS);
    let judged = (0..60_u8, of.clone(), 0..2_u8, 0..6_u8);
    prop_oneof![
        8 => judged.prop_map(|(id, of, picture, revision)| Event::Judged { id, of, picture, revision }),
        4 => (of, 0..3_u8).prop_map(|(of, scope)| Event::Corrected { of, scope }),
        2 => (0..8_u8).prop_map(Event::Revoked),
        1 => (0..PARTNERS).prop_map(Event::Erased),
    ]
}

#[test]
fn the_ledger_knows_what_the_store_has() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config::with_cases(40));
    let events = prop::collection::vec(event(), 1..40);
    runner
        .run(&events, |events| {
            runtime.block_on(check(&events));
            Ok(())
        })
        .unwrap();
}

async fn check(events: &[Event]) {
    let opened = Place::sqlite().open().await;
    let here = Ledger::new();
    // Follows from the beginning, as a replica does.
    let replica = Following::begin(&opened.records).await;
    let mut given = Vec::new();
    for (number, event) in (1..).zip(events) {
        happen(event, number, &opened.records, &here, &mut given).await;
        if matches!(event, Event::Erased(_)) {
            // Before more is judged: what is judged in the instant of an erasure may keep an older look beside it on a replica.
            replica.heard_of(opened.records.last_seq().await.unwrap()).await;
        }
    }
    // Reads all of it afterwards, as after a restart.
    let restarted = Following::begin(&opened.records).await;
    let last = opened.records.last_seq().await.unwrap();
    let expected = told(&here);
    for (who, following) in [("the replica", replica), ("after a restart", restarted)] {
        let ledger = following.until(last, &expected).await;
        assert_eq!(told(&ledger), expected, "{who}");
    }
}

/// On record, and in the ledger of the server where it happens.
async fn happen(
    event: &Event,
    number: u64,
    records: &Records,
    here: &Ledger,
    given: &mut Vec<vigie::base::Correction>,
) {
    let named = |(partner, own): (u8, u8)| (format!("partner-{partner}"), format!("sku-{own}"));
    match *event {
        Event::Judged {
            id,
            of,
            picture,
            revision,
        } => {
            let mut judged = recorded(u64::from(id));
            let (partner, own) = named(of);
            judged.product = product(&partner, &own);
            judged.decision.decision_id = format!("decision-{number}");
            judged.decision.image_sha256 = Some(digest(3, u64::from(picture)));
            judged.decision.revision = RevisionId(digest(1, u64::from(revision)));
            judged.decision.decided_at = moment(number);
            let scores = judged.decision.scores.iter();
            let labels: Vec<_> = scores.map(|score| score.label.clone()).collect();
            here.register(judged.decision.revision, &labels);
            here.judged(&known_from(&judged).unwrap(), &Matched::default());
            records.append(vec![judged]).await.unwrap();
        }
        Event::Corrected { of, scope } => {
            let (partner, own) = named(of);
            let scope = match scope {
                0 => CorrectionScope::Product(key(&partner, &own)),
                1 => CorrectionScope::Picture(digest(3, u64::from(of.1))),
                _ => CorrectionScope::Partner(partner),
            };
            let correction = records.act(corrected(number, scope)).await.unwrap();
            here.correct(correction.clone());
            given.push(correction);
        }
        Event::Revoked(place) => {
            let Some(correction) = given.get(usize::from(place)) else {
                return;
            };
            // It may be revoked already, or erased.
            if let Ok(revoked) = records.act(revoke(correction, number)).await {
                here.revoke(&revoked.correction_id, revoked.revoked.unwrap());
            }
        }
        Event::Erased(partner) => {
            let partner = format!("partner-{partner}");
            let asked = AskedErasure {
                request_id: format!("request-{number}"),
                partner_id: partner.clone(),
                author: principal("dpo"),
                at: moment(number),
            };
            records.erase_partner(&asked).await.unwrap();
            here.remove_partner(&partner, asked.at);
            here.erase_corrections(&partner, records.last_seq().await.unwrap(), asked.at);
        }
    }
}

fn corrected(number: u64, scope: CorrectionScope) -> AskedAct {
    AskedAct::Correct(AskedCorrection {
        request_id: format!("request-{number}"),
        correction_id: format!("correction-{number}"),
        correction: NewCorrection {
            scope,
            ..new_correction(number)
        },
        author: principal("ana"),
        at: moment(number),
    })
}

fn moment(number: u64) -> Moment {
    at(1000 * number as i64)
}

/// A ledger that a follower fills from the store.
struct Following {
    ledger: Arc<Ledger>,
    stop: CancellationToken,
    filled: watch::Receiver<Filled>,
    task: tokio::task::JoinHandle<()>,
}

impl Following {
    async fn begin(records: &Records) -> Self {
        let ledger = Arc::new(Ledger::new());
        let (mut publisher, plan) = plan::channel();
        publisher.publish(ServingPlan::default());
        let (filling, filled) = watch::channel(Filled::default());
        let follower = Follower {
            records: records.clone(),
            ledger: Arc::clone(&ledger),
            plan,
            observe: Observe::new(0),
            shared: true,
            filled: filling,
            registered: HashSet::new(),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(follower.run(stop.clone()));
        let mut following = Self {
            ledger,
            stop,
            filled,
            task,
        };
        following.filled.wait_for(|filled| filled.done).await.unwrap();
        following
    }

    /// Waits until it has heard of an act.
    async fn heard_of(&self, act: u64) {
        while self.ledger.applied_seq() < act {
            tokio::task::yield_now().await;
        }
    }

    /// Its ledger, once it is what is expected or has had the time to become it.
    async fn until(self, last: u64, expected: &[String]) -> Arc<Ledger> {
        let caught_up = async {
            while self.ledger.applied_seq() < last || told(&self.ledger) != expected {
                tokio::task::yield_now().await;
            }
        };
        let _in_vain = tokio::time::timeout(std::time::Duration::from_secs(10), caught_up).await;
        self.stop.cancel();
        self.task.await.unwrap();
        self.ledger
    }
}

/// Everything that a ledger says of every product.
fn told(ledger: &Ledger) -> Vec<String> {
    let products = (0..PARTNERS).flat_map(|partner| (0..PRODUCTS).map(move |own| (partner, own)));
    let told = products.map(|(partner, own)| {
        let (partner, own) = (format!("partner-{partner}"), format!("sku-{own}"));
        ledger.read(&partner, &own, |known, corrections| {
            let mut corrections: Vec<_> = corrections.iter().map(|correction| &correction.correction_id).collect();
            corrections.sort();
            format!("{partner} {own}: {:?}; {corrections:?}", known.as_ref().map(view))
        })
    });
    told.collect()
}

fn view(known: &View<'_>) -> (String, TextsMark, Vec<String>) {
    // The latest: a replica that never saw another picture in between knows older looks at this one, too.
    let looks = known.looks().take(1).map(|look| {
        let found = match look.found {
            Found::Scores(scores) => format!("{:?}", scores.iter().collect::<Vec<_>>()),
            Found::Unreadable(cause) => cause.to_owned(),
        };
        format!("{} {found}", look.revision)
    });
    let about = format!(
        "{:?} {} {:?} {:?} {:?}",
        known.image_sha256(),
        known.category(),
        known.displays(),
        known.facts().collect::<Vec<_>>(),
        known.seen_at()
    );
    (about, known.texts(), looks.collect())
}
