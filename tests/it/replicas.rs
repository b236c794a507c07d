//! Several servers on one PostgreSQL: what one learns the others know, also after the database was away.

use tonic::Code;
use vigie::wire::vigie::{Verdict, View};

use crate::corrections::asking::{Asking, allow, block, plain, shows, wrong_label};
use crate::support::postgres::{Held, Postgres, Stop, shared};
use crate::support::{Launch, Place, Server};

/// Three servers, each with a place of its own, on one database.
struct Replicas {
    servers: Vec<Server>,
    asking: Vec<Asking>,
    _places: Vec<Place>,
}

impl Replicas {
    async fn begin(database: &str) -> Self {
        let places: Vec<Place> = (0..3).map(|_| Place::with_versions(&[1])).collect();
        let servers: Vec<Server> = places
            .iter()
            .map(|place| launch(place, database).start_ready())
            .collect();
        let mut asking = Vec::new();
        for server in &servers {
            asking.push(Asking::begin(server).await);
        }
        Self {
            servers,
            asking,
            _places: places,
        }
    }
}

fn launch<'a>(place: &'a Place, database: &str) -> Launch<'a> {
    Launch::new(place)
        .set("WATCH__RESCAN", "1h")
        .set("RECORDS__POSTGRES", database)
}

#[tokio::test]
async fn what_one_replica_learns_the_others_know() {
    let replicas = Replicas::begin(&shared().database().await).await;
    let [one, two, three] = &replicas.asking[..] else {
        panic!("three replicas")
    };
    let entry = shows("firearm");
    assert_eq!(one.classify(entry).await, Verdict::Block);
    for asking in [one, two, three] {
        asking.known(entry).await;
        assert_eq!(asking.verdict(entry).await, Verdict::Block);
    }
    let corrected = two.correct(wrong_label(entry, "firearm", false)).await.unwrap();
    assert_eq!(
        two.verdict(entry).await,
        Verdict::Allow,
        "in force where it was acknowledged"
    );
    for asking in [one, three] {
        asking.until(entry, Verdict::Allow).await;
    }
    three.revoke(&corrected.correction_id).await.unwrap();
    for asking in [one, two] {
        asking.until(entry, Verdict::Block).await;
    }
    let listed = one.corrections().await;
    assert_eq!(listed, [], "it is in force nowhere");
}

#[tokio::test]
async fn while_the_database_is_away_a_block_acts_here_and_an_allow_is_refused_and_all_agree_afterwards() {
    let postgres = Postgres::start();
    let replicas = Replicas::begin(&postgres.database().await).await;
    let [one, two, three] = &replicas.asking[..] else {
        panic!("three replicas")
    };
    let (armed, tame) = (shows("firearm"), plain());
    for entry in [armed, tame] {
        one.classify(entry).await;
        for asking in [one, two, three] {
            asking.known(entry).await;
        }
    }
    postgres.stop(Stop::Immediate);
    // Serving goes on, and what is decided meanwhile is not lost.
    assert_eq!(one.classify(tame).await, Verdict::Allow);
    let refused = one.correct(allow(armed)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("Nothing was changed"), "{refused}");
    assert_eq!(one.verdict(armed).await, Verdict::Block);
    let here = one.correct(block(tame)).await.unwrap();
    assert!(here.replica_only);
    assert_eq!(one.verdict(tame).await, Verdict::Block);
    assert_eq!(two.verdict(tame).await, Verdict::Allow, "the others cannot know yet");
    postgres.restart();
    for asking in [one, two, three] {
        asking.until(tame, Verdict::Block).await;
    }
    let recorded = three.corrections().await;
    assert_eq!((recorded.len(), recorded[0].replica_only), (1, false));
    assert_eq!(recorded[0].correction_id, here.correction_id);
    assert!(two.verdicts(tame, View::Full).await.known);
    for server in &replicas.servers {
        assert_eq!(server.metric("vigie_records_lost_total", &[]), 0.0);
    }
}

#[tokio::test]
async fn a_block_does_not_wait_for_a_store_that_is_slow_and_is_done_once() {
    let database = shared().database().await;
    let replicas = Replicas::begin(&database).await;
    let [one, two, _] = &replicas.asking[..] else {
        panic!("three replicas")
    };
    let tame = plain();
    one.classify(tame).await;
    two.known(tame).await;
    one.on_record(tame).await;
    let lock = Held::begin(&database, "LOCK TABLE acts IN ACCESS EXCLUSIVE MODE").await;
    let request = block(tame);
    let here = one.correct(request.clone()).await.unwrap();
    assert!(here.replica_only, "it took effect without the store");
    assert_eq!(one.verdict(tame).await, Verdict::Block);
    lock.end().await;
    two.until(tame, Verdict::Block).await;
    let recorded = two.corrections().await;
    let ids: Vec<&str> = recorded
        .iter()
        .map(|correction| correction.correction_id.as_str())
        .collect();
    assert_eq!(
        ids,
        [here.correction_id.as_str()],
        "once, though it was written late and brought again"
    );
    assert_eq!(one.correct(request).await.unwrap().correction_id, here.correction_id);
}
