//! What is full, damaged or newer is told as such, and with its place.

use std::fs;
use std::path::Path;

use vigie::store::{DataDirectory, PostgresSettings, Records, RecordsError, SqliteSettings};

use super::samples::{asked, at, correct, recorded};
use crate::support::postgres;

fn open(folder: &Path) -> Result<Records, RecordsError> {
    let data = DataDirectory::open(folder).unwrap();
    Records::open_sqlite(&data, SqliteSettings::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_says_so_and_takes_more_once_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let data = DataDirectory::open(folder.path()).unwrap();
    let settings = SqliteSettings {
        records_bytes: Some(4_000_000),
        ..SqliteSettings::default()
    };
    let records = Records::open_sqlite(&data, settings).unwrap();
    let mut number = 0;
    let refused = loop {
        match records.append((number..number + 200).map(recorded).collect()).await {
            Ok(_) => number += 200,
            Err(error) => break error,
        }
        assert!(number < 100_000, "the limit holds");
    };
    assert!(matches!(&refused, RecordsError::Full { .. }), "{refused}");
    assert!(number > 1_000, "{number}");
    // All of a group or none of it; and what was there is still there.
    let count = async || {
        let mut count = 0;
        records
            .scan_decisions(at(0), at(1 << 40))
            .each(|_| count += 1)
            .await
            .unwrap();
        count
    };
    assert_eq!(count().await, number);
    records.forget_before(at(number as i64 / 2)).await.unwrap();
    records
        .append((number..number + 200).map(recorded).collect())
        .await
        .unwrap();
    assert_eq!(count().await, number / 2 + 200);
    records.act(correct(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_named() {
    for name in ["records.sqlite", "pictures.sqlite"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "this is no database ".repeat(1_000)).unwrap();
        let refused = open(folder.path()).unwrap_err();
        assert!(
            matches!(&refused, RecordsError::Corrupt { place, .. } if place.ends_with(name)),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_is_an_error_of_what_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let records = open(folder.path()).unwrap();
    for group in 0..5 {
        records
            .append((group * 200..group * 200 + 200).map(recorded).collect())
            .await
            .unwrap();
    }
    records.act(correct(1)).await.unwrap();
    // Closed, so that the log is folded into the file.
    drop(records);
    let path = folder.path().join("records.sqlite");
    wait_for_closing(&path);
    let mut bytes = fs::read(&path).unwrap();
    // Every page but the first, which says what is where.
    bytes[4096 * 30..].fill(0x5a);
    fs::write(&path, bytes).unwrap();
    let mut failures = 0;
    match open(folder.path()) {
        Err(error) => {
            assert!(matches!(&error, RecordsError::Corrupt { .. }), "{error}");
            failures += 1;
        }
        Ok(records) => {
            let scan = records.scan_decisions(at(0), at(1 << 40)).each(|_| ()).await;
            for outcome in [scan, records.append(vec![recorded(5_000)]).await.map(|_| ())] {
                if let Err(error) = outcome {
                    assert!(matches!(&error, RecordsError::Corrupt { .. }), "{error}");
                    failures += 1;
                }
            }
        }
    }
    assert!(failures > 0);
}

/// The last connection to close removes the log.
fn wait_for_closing(path: &Path) {
    let log = path.with_extension("sqlite-wal");
    let began = std::time::Instant::now();
    while log.exists() {
        assert!(began.elapsed().as_secs() < 10, "the file is closed");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path()).unwrap());
    let path = folder.path().join("records.sqlite");
    wait_for_closing(&path);
    let newer = "INSERT INTO migrations (number, name, applied_at) VALUES (99, 'later', now())";
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute(&newer.replace("now()", "'2030-01-01'"), ()).unwrap();
    drop(file);
    let refused = open(folder.path()).unwrap_err();
    assert!(
        matches!(
            &refused,
            RecordsError::Newer {
                found: 99,
                known: 1,
                ..
            }
        ),
        "{refused}"
    );
    assert!(refused.to_string().contains("records.sqlite"), "{refused}");

    let connection = postgres::shared().database().await;
    drop(
        Records::open_postgres(&connection, PostgresSettings::default())
            .await
            .unwrap(),
    );
    postgres::execute(&connection, newer).await;
    let refused = Records::open_postgres(&connection, PostgresSettings::default())
        .await
        .unwrap_err();
    assert!(
        matches!(
            &refused,
            RecordsError::Newer {
                found: 99,
                known: 1,
                ..
            }
        ),
        "{refused}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_replicas_may_start_on_an_empty_database_together() {
    let connection = postgres::shared().database().await;
    let open = || {
        let connection = connection.clone();
        tokio::spawn(async move { Records::open_postgres(&connection, PostgresSettings::default()).await })
    };
    let opening: Vec<_> = (0..6).map(|_| open()).collect();
    for (number, opened) in opening.into_iter().enumerate() {
        let records = opened.await.unwrap().unwrap();
        let seq = records
            .act(vigie::store::AskedAct::Correct(asked(number as u64)))
            .await
            .unwrap()
            .seq;
        assert_eq!(seq, number as u64 + 1);
    }
}
