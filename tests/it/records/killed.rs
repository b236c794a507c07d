//! A process that corrects and is killed at any moment loses nothing that it acknowledged.
//!
//! The child is this test binary again, told by its environment to write; what it prints was acknowledged.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use vigie::store::{DataDirectory, PostgresSettings, Records, SqliteSettings};

use super::samples::correct;
use crate::support::postgres;

/// Where the child writes: a folder, or a connection string.
const WHERE: &str = "VIGIE_RECORDS_CHILD";

/// From which number on.
const FROM: &str = "VIGIE_RECORDS_CHILD_FROM";

/// How often a child is killed; `VIGIE_RECORDS_KILLS=1000` for long.
fn kills() -> u64 {
    let asked = std::env::var("VIGIE_RECORDS_KILLS").ok();
    asked.map_or(12, |kills| kills.parse().expect("VIGIE_RECORDS_KILLS is a number"))
}

async fn open(place: &str) -> Records {
    if Path::new(place).is_dir() {
        let data = DataDirectory::open(Path::new(place)).unwrap();
        return Records::open_sqlite(&data, SqliteSettings::default()).unwrap();
    }
    Records::open_postgres(place, PostgresSettings::default())
        .await
        .unwrap()
}

/// The child's part; in a run of all tests there is nothing for it to do.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_corrects() {
    let Ok(place) = std::env::var(WHERE) else { return };
    let from: u64 = std::env::var(FROM).unwrap().parse().unwrap();
    let records = open(&place).await;
    for number in from.. {
        let correction = records.act(correct(number)).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {} {}", correction.seq, correction.correction_id).unwrap();
        out.flush().unwrap();
    }
}

/// Starts a child, takes some acknowledgements, kills it, and takes those that it had still said.
fn acknowledged_by_one(place: &str, from: u64, after: u64) -> Vec<(u64, String)> {
    let (_, name) = module_path!().split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("{name}::a_child_that_corrects"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(WHERE, place)
        .env(FROM, from.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut acknowledged = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some((seq, id)) = line.strip_prefix("acknowledged ").and_then(|said| said.split_once(' ')) else {
            continue;
        };
        acknowledged.push((seq.parse().unwrap(), id.to_owned()));
        if acknowledged.len() as u64 == after {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    acknowledged
}

async fn nothing_is_lost(place: String) {
    let mut acknowledged = Vec::new();
    for round in 0..kills() {
        let (place, after) = (place.clone(), 1 + round * 7 % 23);
        let from = round * 1_000_000;
        let child = tokio::task::spawn_blocking(move || acknowledged_by_one(&place, from, after));
        let said = child.await.unwrap();
        assert!(said.len() as u64 >= after);
        acknowledged.extend(said);
    }
    let records = open(&place).await;
    for (seq, id) in &acknowledged {
        let kept = records.correction(id).await.unwrap();
        assert_eq!(
            kept.map(|correction| correction.seq),
            Some(*seq),
            "{id} was acknowledged and is lost"
        );
    }
    // Each place once, none left out.
    let mut last = 0;
    loop {
        let acts = records.acts_since(last, 1_000).await.unwrap();
        let Some(end) = acts.last() else { break };
        assert!(acts.iter().map(|act| act.seq).eq(last + 1..=end.seq));
        last = end.seq;
    }
    assert!(last >= acknowledged.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_death_of_the_process_in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    nothing_is_lost(folder.path().to_str().unwrap().to_owned()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_the_death_of_the_process_in_postgres() {
    let connection = postgres::shared().database().await;
    nothing_is_lost(connection.clone()).await;
    // A transaction that the death left open holds no lock for ever.
    let records = open(&connection).await;
    let act = tokio::time::timeout(Duration::from_secs(10), records.act(correct(u64::MAX / 2)));
    act.await.expect("nothing holds it up").unwrap();
}
