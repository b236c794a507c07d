//! Pictures: each once, within budget and retention, and never away from under a correction.

use std::time::Duration;

use bytes::Bytes;
use vigie::base::{CorrectionScope, Digest};
use vigie::store::{AskedAct, Enforced};

use super::place::Opened;
use super::samples::{asked, at, digest};

const HOUR: i64 = 3_600_000_000;

fn picture(number: u64, size: usize) -> (Digest, Bytes) {
    (digest(3, number), Bytes::from(vec![number as u8; size]))
}

pub async fn a_picture_is_kept_once_and_reads_back(mut opened: Opened) {
    let records = &opened.records;
    let large = picture(3, 9_000_000);
    let all = vec![
        picture(1, 10),
        picture(1, 10),
        picture(2, 0),
        large.clone(),
        picture(4, 70_000),
    ];
    records.keep_pictures(all.clone(), at(0)).await.unwrap();
    records.keep_pictures(vec![picture(1, 10)], at(HOUR)).await.unwrap();
    records.keep_pictures(Vec::new(), at(0)).await.unwrap();
    opened.reopen().await;
    for (sha, bytes) in all {
        assert_eq!(opened.records.picture(sha).await.unwrap(), Some(bytes));
    }
    assert_eq!(opened.records.picture(digest(3, 99)).await.unwrap(), None);
    let kept = opened
        .records
        .enforce_pictures(u64::MAX, at(0), Duration::MAX)
        .await
        .unwrap();
    assert_eq!(kept.kept_bytes, 10 + 9_000_000 + 70_000);
}

pub async fn pictures_are_held_to_budget_and_retention(opened: Opened) {
    let records = &opened.records;
    for number in 0..10 {
        records
            .keep_pictures(vec![picture(number, 100)], at(number as i64 * HOUR))
            .await
            .unwrap();
    }
    // Needed again, it is the most recently needed; within the hour it is not worth a mark.
    records
        .keep_pictures(vec![picture(0, 100)], at(20 * HOUR))
        .await
        .unwrap();
    records
        .keep_pictures(vec![picture(1, 100)], at(HOUR + 1))
        .await
        .unwrap();
    let done = records
        .enforce_pictures(800, at(20 * HOUR), Duration::MAX)
        .await
        .unwrap();
    let expected = Enforced {
        removed: 2,
        removed_bytes: 200,
        kept_bytes: 800,
    };
    assert_eq!(done, expected);
    let kept = async |number| records.picture(digest(3, number)).await.unwrap().is_some();
    assert!(kept(0).await && !kept(1).await && !kept(2).await && kept(3).await);
    // Needed at hour 5 and before is too long ago.
    let retention = Duration::from_secs(14 * 3_600);
    let done = records
        .enforce_pictures(u64::MAX, at(20 * HOUR), retention)
        .await
        .unwrap();
    assert_eq!((done.removed, done.kept_bytes), (3, 500));
    assert!(!kept(5).await && kept(6).await && kept(0).await);
    let done = records
        .enforce_pictures(u64::MAX, at(20 * HOUR), retention)
        .await
        .unwrap();
    assert_eq!((done.removed, done.kept_bytes), (0, 500));
}

pub async fn a_picture_that_a_correction_refers_to_stays(opened: Opened) {
    let records = &opened.records;
    let all: Vec<_> = (0..2_500).map(|number| picture(number, 10)).collect();
    records.keep_pictures(all, at(0)).await.unwrap();
    let mut on_picture = asked(1);
    on_picture.correction.scope = CorrectionScope::Picture(digest(3, 7));
    on_picture.correction.seen = None;
    records.act(AskedAct::Correct(on_picture)).await.unwrap();
    // Number 3 is on a product, bound to the picture with its number.
    records.act(AskedAct::Correct(asked(3))).await.unwrap();
    let done = records.enforce_pictures(0, at(0), Duration::MAX).await.unwrap();
    assert_eq!((done.removed, done.kept_bytes), (2_498, 20));
    for number in [3, 7] {
        assert!(records.picture(digest(3, number)).await.unwrap().is_some(), "{number}");
    }
}
