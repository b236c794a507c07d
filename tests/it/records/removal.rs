//! What is forgotten and what is erased is gone; everything else is as it was.

use std::path::Path;

use bytes::Bytes;
use vigie::base::{CorrectionScope, Moment, Recorded};
use vigie::store::{AskedAct, AskedErasure, CorrectionQuery, DecisionQuery, Deed, Erased, PAGE, Records, RecordsError};

use super::place::{Opened, Place};
use super::samples::{asked, at, correct, country, digest, erasure, key, principal, product, recorded, revoke};
use crate::support::postgres;

async fn all(records: &Records) -> Vec<Recorded> {
    let mut all = Vec::new();
    let scan = records.scan_decisions(Moment::from_micros(i64::MIN), Moment::from_micros(i64::MAX));
    scan.each(|recorded| all.push(recorded)).await.unwrap();
    all
}

pub async fn what_is_old_is_forgotten(opened: Opened) {
    let records = &opened.records;
    records.append((0..2_500).map(recorded).collect()).await.unwrap();
    assert_eq!(records.forget_before(at(2_200)).await.unwrap(), 2_200);
    assert_eq!(records.forget_before(at(2_200)).await.unwrap(), 0);
    let expected: Vec<Recorded> = (2_200..2_500).map(recorded).collect();
    assert_eq!(all(records).await, expected);
    let query = DecisionQuery {
        country: Some(country("FR")),
        limit: PAGE,
        ..Default::default()
    };
    let in_france = |recorded: &&Recorded| {
        let mut verdicts = recorded.decision.verdicts.iter();
        verdicts.any(|verdict| verdict.country == country("FR"))
    };
    let found = records.decisions(&query).await.unwrap().items;
    assert_eq!(found.len(), expected.iter().filter(in_france).count());
    // What is known stays known.
    let mut known = 0;
    records.load_known().each(|_| known += 1).await.unwrap();
    assert_eq!(known, 2_500);
}

/// Decisions, products, corrections and pictures of `gone` and of others, two pictures of which both have.
async fn fill(records: &Records) -> Vec<Recorded> {
    let mut all: Vec<Recorded> = (0..1_200).map(recorded).collect();
    for (number, recorded) in all.iter_mut().enumerate() {
        if number % 2 == 0 {
            recorded.product = product("gone", &format!("secret-{number}"));
        }
    }
    all[1].decision.image_sha256 = all[0].decision.image_sha256;
    for group in all.chunks(400) {
        records.append(group.to_vec()).await.unwrap();
    }
    let picture = |number: u64| {
        let bytes = format!("PICTURE-{}-{number}", if number == 6 { "of-the-gone" } else { "kept" });
        (digest(3, number), Bytes::from(bytes.repeat(20)))
    };
    records
        .keep_pictures((0..8).map(picture).collect(), at(0))
        .await
        .unwrap();
    let scopes = [
        CorrectionScope::Product(key("gone", "secret-2")),
        CorrectionScope::Partner("gone".to_owned()),
        CorrectionScope::Product(key("stays", "sku")),
        CorrectionScope::Picture(digest(3, 4)),
    ];
    for (number, scope) in scopes.into_iter().enumerate() {
        let mut asked = asked(number as u64);
        asked.correction.reason = format!("{} reason {number}", if number < 2 { "confidential" } else { "open" });
        asked.correction.scope = scope;
        // The third, which stays, is bound to picture 2; the first, which goes, to picture 0.
        asked.correction.seen.as_mut().unwrap().image_sha256 = Some(digest(3, [0, 0, 2, 3][number]));
        let correction = records.act(AskedAct::Correct(asked)).await.unwrap();
        if number == 1 {
            let AskedAct::Revoke(mut asked) = revoke(&correction, 9) else {
                unreachable!()
            };
            asked.reason = "confidential revocation".to_owned();
            records.act(AskedAct::Revoke(asked)).await.unwrap();
        }
    }
    all
}

pub async fn a_partner_is_erased_and_nobody_else(opened: Opened) {
    let records = &opened.records;
    let before = fill(records).await;
    let acts = records.acts_since(0, 100).await.unwrap();
    let expected_counts = records.count_partner("gone").await.unwrap();
    let erased = records.erase_partner(&erasure("gone", 99)).await.unwrap();
    let expected = Erased {
        seq: 6,
        decisions: 600,
        products: 600,
        corrections: 2,
        // Of 0, 2, 4 and 6: another product has 0, and corrections that stay refer to 2 and 4.
        pictures: 1,
    };
    assert_eq!(erased, expected);
    assert_eq!(expected_counts, Erased { seq: 0, ..expected });
    let kept: Vec<Recorded> = before
        .into_iter()
        .filter(|one| one.product.partner_id != "gone")
        .collect();
    assert_eq!(all(records).await, kept);
    assert_eq!(records.known(&key("gone", "secret-2")).await.unwrap(), None);
    let mut known = 0;
    records.load_known().each(|_| known += 1).await.unwrap();
    assert_eq!(known, kept.len());
    for (number, stays) in [(0, true), (1, true), (2, true), (3, true), (4, true), (6, false)] {
        assert_eq!(
            records.picture(digest(3, number)).await.unwrap().is_some(),
            stays,
            "{number}"
        );
    }
    // The places stay, and the erasure has its own.
    let after = records.acts_since(0, 100).await.unwrap();
    assert_eq!(after.iter().map(|act| act.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    for place in [0, 1, 2] {
        assert_eq!(after[place].deed, Deed::Erased);
    }
    assert_eq!(after[3..5], acts[3..5]);
    let deed = Deed::ErasePartner {
        partner_id: "gone".to_owned(),
        erased: Erased {
            corrections: 2,
            ..Erased::default()
        },
    };
    assert_eq!((&after[5].deed, &after[5].principal), (&deed, &principal("dpo")));
    let query = CorrectionQuery {
        limit: 10,
        ..Default::default()
    };
    assert_eq!(records.corrections(&query).await.unwrap().items.len(), 2);
    // Once more finds nothing; and the partner may come back.
    let again = records.erase_partner(&erasure("gone", 100)).await.unwrap();
    assert_eq!(
        again,
        Erased {
            seq: 7,
            ..Erased::default()
        }
    );
    assert_eq!(records.act(correct(50)).await.unwrap().seq, 8);
}

pub async fn a_finished_erasure_is_answered_by_its_request(opened: Opened) {
    let records = &opened.records;
    fill(records).await;
    let asked = erasure("gone", 99);
    assert_eq!(records.erasure(&asked).await.unwrap(), None);
    let begun = records.erase_partner(&asked).await.unwrap();
    // What breaks off here is begun again.
    assert_eq!(records.erasure(&asked).await.unwrap(), None);
    let mut late = recorded(5_000);
    late.product = product("gone", "secret-late");
    records.append(vec![late]).await.unwrap();
    let finished = records.finish_erasure(&asked, begun).await.unwrap();
    assert_eq!((finished.seq, finished.decisions), (begun.seq + 1, begun.decisions + 1));
    assert_eq!(records.count_partner("gone").await.unwrap(), Erased::default());
    assert_eq!(records.erasure(&asked).await.unwrap(), Some(finished));
    let other = AskedErasure {
        partner_id: "stays".to_owned(),
        ..asked
    };
    let refused = records.erasure(&other).await.unwrap_err();
    assert!(
        matches!(&refused, RecordsError::Input { field, .. } if field == "request_id"),
        "{refused}"
    );
}

const TRACES: [&str; 4] = ["secret-", "confidential", "of-the-gone", "secret-1198"];

pub async fn an_erased_partner_is_gone_from_the_files(opened: Opened) {
    fill(&opened.records).await;
    let folder = match &opened.place {
        Place::Sqlite { folder, .. } => folder.path().to_owned(),
        Place::Postgres { connection } => {
            postgres::execute(connection, "CHECKPOINT").await;
            postgres::shared().folder().join("data/base")
        }
    };
    // The test would see it if it were there.
    for trace in TRACES {
        assert!(has(&folder, trace), "{trace}");
    }
    opened.records.erase_partner(&erasure("gone", 99)).await.unwrap();
    assert_eq!(opened.records.scrub().await.unwrap(), None);
    if let Place::Postgres { connection } = &opened.place {
        postgres::execute(connection, "CHECKPOINT").await;
    }
    for trace in TRACES {
        let found = match &opened.place {
            Place::Sqlite { .. } => has(&folder, trace),
            // Other tests' databases stand beside it.
            Place::Postgres { connection } => has(&own_folder(connection, &folder).await, trace),
        };
        assert!(!found, "{trace} is still in the files");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_view_of_postgresql_keeps_remains_and_that_is_told() {
    let opened = Place::postgres().await.open().await;
    let Place::Postgres { connection } = &opened.place else {
        panic!("it was asked for")
    };
    fill(&opened.records).await;
    let (older, driver) = tokio_postgres::connect(connection, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(driver);
    let look =
        "SET application_name = 'a long report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM decisions";
    older.batch_execute(look).await.unwrap();
    opened.records.erase_partner(&erasure("gone", 99)).await.unwrap();
    let told = opened
        .records
        .scrub()
        .await
        .unwrap()
        .expect("somebody can still see it");
    assert!(
        told.contains("\"a long report\"") && told.contains("erase once more"),
        "{told}"
    );
    older.batch_execute("COMMIT").await.unwrap();
    assert_eq!(opened.records.scrub().await.unwrap(), None);
    postgres::execute(connection, "CHECKPOINT").await;
    let folder = postgres::shared().folder().join("data/base");
    let folder = own_folder(connection, &folder).await;
    for trace in TRACES {
        assert!(!has(&folder, trace), "{trace} is still in the files");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_reading_of_sqlite_keeps_remains_and_that_is_told() {
    let opened = Place::sqlite().open().await;
    fill(&opened.records).await;
    let Place::Sqlite { folder, .. } = &opened.place else {
        panic!("it was asked for")
    };
    let older = rusqlite::Connection::open(folder.path().join("records.sqlite")).unwrap();
    older.execute_batch("BEGIN; SELECT count(*) FROM decisions").unwrap();
    opened.records.erase_partner(&erasure("gone", 99)).await.unwrap();
    let told = opened.records.scrub().await.unwrap().expect("somebody still reads");
    assert!(
        told.contains("records.sqlite") && told.contains("erase once more"),
        "{told}"
    );
    // Nobody waits for it with a correction.
    assert_eq!(opened.records.act(correct(60)).await.unwrap().seq, 7);
    older.execute_batch("COMMIT").unwrap();
    assert_eq!(opened.records.scrub().await.unwrap(), None);
    for trace in TRACES {
        assert!(!has(folder.path(), trace), "{trace} is still in the files");
    }
}

/// Where PostgreSQL has a database's files.
async fn own_folder(connection: &str, base: &Path) -> std::path::PathBuf {
    let (client, driver) = tokio_postgres::connect(connection, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(driver);
    let sql = "SELECT oid::text FROM pg_database WHERE datname = current_database()";
    let row = client.query_one(sql, &[]).await.unwrap();
    base.join(row.get::<_, &str>(0))
}

/// Whether any file in a folder holds some bytes.
fn has(folder: &Path, trace: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return has(&path, trace);
        }
        // A file may go away meanwhile.
        let bytes = std::fs::read(&path).unwrap_or_default();
        memchr::memmem::find(&bytes, trace.as_bytes()).is_some()
    })
}
