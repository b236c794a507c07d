//! Who follows by number, replica or ledger, misses nothing, however many write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vigie::base::now_v7_id;
use vigie::store::{Records, RecordsError};

use super::place::Opened;
use super::samples::{asked, correct, product, recorded, revoke};
use vigie::store::AskedAct;

const WRITERS: u64 = 4;

/// How many events are written; `VIGIE_RECORDS_EVENTS=100000` for long.
fn events() -> u64 {
    let asked = std::env::var("VIGIE_RECORDS_EVENTS").ok();
    asked.map_or(2_000, |events| {
        events.parse().expect("VIGIE_RECORDS_EVENTS is a number")
    })
}

async fn write_acts(records: Records, writer: u64, count: u64) -> Result<(), RecordsError> {
    for number in 0..count {
        let mut asked = asked(number);
        asked.request_id = format!("{writer}-{number}");
        records.act(AskedAct::Correct(asked)).await?;
    }
    Ok(())
}

async fn write_decisions(records: Records, writer: u64, count: u64) -> Result<(), RecordsError> {
    for group in 0..count {
        let made = |number| {
            let mut recorded = recorded(writer * 1_000_000 + group * 10 + number);
            recorded.decision.decision_id = now_v7_id();
            // Writers share some products, and see them in different orders; others are seen once, so that a skipped one stays unseen.
            let place = (number * (writer + 3) + group) % 50;
            recorded.product = match number % 2 {
                0 => product("shared", &format!("sku-{place}")),
                _ => product("once", &format!("sku-{writer}-{group}-{number}")),
            };
            recorded
        };
        records.append((0..10).map(made).collect()).await?;
    }
    Ok(())
}

pub async fn a_follower_skips_none_of_four_writers_events(opened: Opened) {
    let count = events() / WRITERS;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let records = opened.other().await;
        writers.push(tokio::spawn(write_acts(records.clone(), writer, count)));
        writers.push(tokio::spawn(write_decisions(records, writer, count / 10)));
    }
    let follower = opened.other().await;
    let mut hints = follower.watch();
    let (mut seq, mut change) = (0, 0);
    let mut seen = BTreeSet::new();
    let mut products = BTreeMap::new();
    let mut last_round = false;
    loop {
        let acts = follower.acts_since(seq, 1_000).await.unwrap();
        for act in &acts {
            assert_eq!(act.seq, seq + 1, "a place was skipped");
            seq = act.seq;
            assert!(seen.insert(act.request_id.clone()));
        }
        let known = follower.known_since(change, 1_000).await.unwrap();
        let is_news = !acts.is_empty() || !known.is_empty();
        for (next, product) in known {
            assert!(next > change);
            change = next;
            products.insert(product.key.clone(), product);
        }
        if is_news {
            continue;
        }
        if last_round {
            break;
        }
        last_round = writers.iter().all(|writer| writer.is_finished());
        // A hint may be lost; what is there is asked for all the same.
        let _ = tokio::time::timeout(Duration::from_millis(20), hints.changed()).await;
    }
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!((seq, seen.len() as u64), (count * WRITERS, count * WRITERS));
    // Whoever followed knows what a fresh reading gives.
    let mut loaded = BTreeMap::new();
    let scan = follower.load_known();
    scan.each(|(_, product)| drop(loaded.insert(product.key.clone(), product)))
        .await
        .unwrap();
    assert!(products.keys().eq(loaded.keys()), "a product was skipped");
    assert!(products == loaded, "a change was skipped");
}

pub async fn whoever_watches_hears_of_acts_and_changes(opened: Opened) {
    let other = opened.other().await;
    let mut hints = other.watch();
    let heard = async |hints: &mut tokio::sync::watch::Receiver<vigie::store::Appended>, act: u64, change: bool| {
        let wanted = |appended: &vigie::store::Appended| appended.act >= act && (!change || appended.change > 0);
        let waited = tokio::time::timeout(Duration::from_secs(10), hints.wait_for(wanted)).await;
        waited.expect("a hint comes").unwrap();
    };
    let first = opened.records.act(correct(1)).await.unwrap();
    heard(&mut hints, 1, false).await;
    opened.records.act(revoke(&first, 2)).await.unwrap();
    heard(&mut hints, 2, false).await;
    opened.records.append(vec![recorded(1)]).await.unwrap();
    heard(&mut hints, 2, true).await;
    let local = opened.records.watch().borrow().act;
    assert_eq!(local, 2, "who wrote knows at once");
}

pub async fn two_replicas_see_each_others_acts(opened: Opened) {
    let (one, other) = (&opened.records, opened.other().await);
    let first = one.act(correct(1)).await.unwrap();
    assert_eq!(other.act(correct(1)).await.unwrap(), first);
    let ended = other.act(revoke(&first, 2)).await.unwrap();
    assert_eq!(ended.seq, first.seq);
    assert_eq!(one.correction(&first.correction_id).await.unwrap(), Some(ended));
    assert_eq!(
        one.acts_since(0, 9).await.unwrap(),
        other.acts_since(0, 9).await.unwrap()
    );
    one.append(vec![recorded(1)]).await.unwrap();
    assert_eq!(other.append(vec![recorded(1), recorded(2)]).await.unwrap(), 1);
    let known = other.known_since(0, 9).await.unwrap();
    assert_eq!(one.known_since(0, 9).await.unwrap(), known);
    assert_eq!(known.len(), 2);
}
