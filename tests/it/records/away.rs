//! A database that goes away fails every call soon, and serves again when it is back, without anybody's doing.

use std::time::{Duration, Instant};

use vigie::base::Moment;
use vigie::store::{DecisionQuery, PostgresSettings, Records, RecordsError};

use super::samples::{at, correct, recorded, revoke};
use crate::support::postgres::{Postgres, Stop};

const SOON: Duration = Duration::from_secs(5);

fn assert_away<T: std::fmt::Debug>(outcome: Result<T, RecordsError>, began: Instant) {
    assert!(matches!(&outcome, Err(RecordsError::Away { .. })), "{outcome:?}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// Waits until a call succeeds again.
async fn until_back(records: &Records) {
    let back = async {
        while let Err(error) = records.last_seq().await {
            assert!(!error.is_answer(), "{error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), back)
        .await
        .expect("it comes back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_is_used_again_by_itself() {
    let server = Postgres::start();
    let connection = server.database().await;
    let records = Records::open_postgres(&connection, PostgresSettings::default())
        .await
        .unwrap();
    let other = Records::open_postgres(&connection, PostgresSettings::default())
        .await
        .unwrap();
    let mut acknowledged = records.act(correct(1)).await.unwrap();
    for (round, how) in [Stop::Fast, Stop::Immediate].into_iter().enumerate() {
        let number = 10 * (round as u64 + 1);
        server.stop(how);
        let query = DecisionQuery {
            limit: 1,
            ..Default::default()
        };
        for _ in 0..3 {
            assert_away(records.act(correct(number)).await, Instant::now());
            assert_away(records.append(vec![recorded(number)]).await, Instant::now());
            assert_away(records.decisions(&query).await, Instant::now());
            assert_away(records.known_since(0, 1).await, Instant::now());
            assert_away(records.picture(vigie::base::Digest([0; 32])).await, Instant::now());
            assert_away(
                records
                    .keep_pictures(vec![(vigie::base::Digest([0; 32]), vec![1].into())], at(0))
                    .await,
                Instant::now(),
            );
            assert_away(records.scan_decisions(at(0), at(1)).next().await, Instant::now());
        }
        let refused = Records::open_postgres(&connection, PostgresSettings::default()).await;
        assert!(matches!(&refused, Err(RecordsError::Away { .. })), "{refused:?}");
        server.restart();
        until_back(&records).await;
        until_back(&other).await;
        // What was acknowledged is there; what is new takes the next place; and who watches hears again.
        let mut hints = other.watch();
        assert_eq!(
            records.correction(&acknowledged.correction_id).await.unwrap(),
            Some(acknowledged.clone())
        );
        let next = written(&records, number).await;
        let heard = tokio::time::timeout(SOON * 2, hints.wait_for(|appended| appended.act >= next)).await;
        heard.expect("a hint comes").unwrap();
        acknowledged = until_written(&records, number).await;
        let mut count = 0;
        let scan = records.scan_decisions(Moment::from_micros(0), Moment::from_micros(i64::MAX));
        scan.each(|_| count += 1).await.unwrap();
        assert_eq!(count, round + 1);
    }
}

/// Writes a decision and a revoked correction, by connections that may each be making themselves anew.
async fn written(records: &Records, number: u64) -> u64 {
    let correction = until_written(records, number).await;
    while let Err(error) = records.append(vec![recorded(number)]).await {
        assert!(!error.is_answer(), "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let ended = records.act(revoke(&correction, number)).await.unwrap();
    ended.revoked.unwrap().seq
}

async fn until_written(records: &Records, number: u64) -> vigie::base::Correction {
    loop {
        match records.act(correct(number + 1)).await {
            Ok(correction) => return records.correction(&correction.correction_id).await.unwrap().unwrap(),
            Err(error) => assert!(!error.is_answer(), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_given_up() {
    // A socket that takes connections and never answers.
    let folder = tempfile::tempdir().unwrap();
    let _socket = tokio::net::UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
    let settings = PostgresSettings {
        connect_limit: Duration::from_millis(200),
        ..PostgresSettings::default()
    };
    let began = Instant::now();
    let connection = format!("host={} user=vigie dbname=vigie", folder.path().display());
    assert_away(Records::open_postgres(&connection, settings).await.map(|_| ()), began);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_connection_string_says_what_is_wrong() {
    let server = crate::support::postgres::shared();
    for connection in [
        "host".to_owned(),
        "port=many".to_owned(),
        format!("{} sslmode=require", server.connection("postgres")),
        server.connection("no_such_database"),
    ] {
        let refused = Records::open_postgres(&connection, PostgresSettings::default()).await;
        assert!(
            matches!(&refused, Err(RecordsError::Input { field, .. }) if field == "connection"),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_given_up() {
    let server = crate::support::postgres::shared();
    let connection = server.database().await;
    let settings = PostgresSettings {
        statement_limit: Duration::from_millis(200),
        ..PostgresSettings::default()
    };
    let records = Records::open_postgres(&connection, settings).await.unwrap();
    // Somebody else holds the lock under which acts get their places.
    let (client, driver) = tokio_postgres::connect(&connection, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(driver);
    client.batch_execute("BEGIN; LOCK TABLE acts").await.unwrap();
    let began = Instant::now();
    let slow = records.act(correct(1)).await;
    assert!(matches!(&slow, Err(RecordsError::Slow { .. })), "{slow:?}");
    assert!(began.elapsed() < SOON);
    client.batch_execute("ROLLBACK").await.unwrap();
    assert_eq!(records.act(correct(1)).await.unwrap().seq, 1);
}
