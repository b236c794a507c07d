//! What becomes known of products from the decisions on them.

use vigie::base::{KnownProduct, Look, Moment, Origin, Recorded, RevisionId};
use vigie::store::Records;

use super::place::Opened;
use super::samples::{at, digest, key, product, recorded, scores};

/// A sight of one product: its picture, its title, the revision that looked.
fn sight(number: u64, picture: u64, title: &str, revision: u64) -> Recorded {
    let mut sight = recorded(number);
    sight.product = product("shop", "lamp");
    sight.product.title = title.to_owned();
    sight.decision.image_sha256 = Some(digest(3, picture));
    sight.decision.revision = RevisionId(digest(1, revision));
    sight
}

async fn known(records: &Records) -> KnownProduct {
    records.known(&key("shop", "lamp")).await.unwrap().unwrap()
}

fn revisions(known: &KnownProduct) -> Vec<RevisionId> {
    known.looks.iter().map(|look| look.revision).collect()
}

pub async fn what_is_known_is_the_last_sight_and_its_looks(opened: Opened) {
    let records = &opened.records;
    let revision = |number| RevisionId(digest(1, number));
    assert_eq!(records.known(&key("shop", "lamp")).await.unwrap(), None);
    // Within one group and over several: the newest look first, one for each revision.
    records
        .append(vec![sight(1, 1, "a", 1), sight(2, 1, "a", 2), sight(3, 1, "b", 1)])
        .await
        .unwrap();
    let first = known(records).await;
    assert_eq!(revisions(&first), [revision(1), revision(2)]);
    assert_eq!((first.title.as_str(), first.seen_at), ("b", at(3)));
    let expected: Vec<f32> = scores(3).iter().map(|score| score.probability.get()).collect();
    assert_eq!(first.looks[0].look, Look::Scores(expected));
    assert_eq!(first.looks[0].decision_id, recorded(3).decision.decision_id);
    // At most four.
    let more = (4..8).map(|number| sight(number, 1, "b", number)).collect();
    records.append(more).await.unwrap();
    assert_eq!(revisions(&known(records).await), [7, 6, 5, 4].map(revision));
    // Another picture: the old looks say nothing of it.
    records.append(vec![sight(10, 2, "b", 1)]).await.unwrap();
    assert_eq!(revisions(&known(records).await), [revision(1)]);
    // A late sight of the same picture adds its look; one of another picture changes nothing.
    records.append(vec![sight(9, 2, "late", 9)]).await.unwrap();
    records.append(vec![sight(8, 1, "later", 8)]).await.unwrap();
    let last = known(records).await;
    assert_eq!(revisions(&last), [revision(1), revision(9)]);
    assert_eq!((last.title.as_str(), last.seen_at), ("b", at(10)));
    // Recorded again, it says nothing new.
    records.append(vec![sight(10, 2, "b", 1)]).await.unwrap();
    assert_eq!(known(records).await, last);
    // A picture that could not be judged is a look, too.
    let mut unreadable = sight(11, 3, "b", 1);
    unreadable.decision.scores.clear();
    unreadable.unreadable = Some("it is cut short".to_owned());
    records.append(vec![unreadable]).await.unwrap();
    assert_eq!(
        known(records).await.looks[0].look,
        Look::Unreadable("it is cut short".to_owned())
    );
}

pub async fn what_does_not_count_is_not_known(opened: Opened) {
    let records = &opened.records;
    let mut named = sight(1, 1, "a", 1);
    named.counts = false;
    let mut nameless = sight(2, 1, "a", 1);
    nameless.product.product_id.clear();
    records.append(vec![named, nameless]).await.unwrap();
    assert_eq!(records.known_since(0, 10).await.unwrap(), []);
    assert_eq!(records.load_known().next().await.unwrap(), None);
}

pub async fn known_products_are_followed_by_change(mut opened: Opened) {
    opened.records.append((0..600).map(recorded).collect()).await.unwrap();
    opened.records.append((600..900).map(recorded).collect()).await.unwrap();
    opened.reopen().await;
    let records = &opened.records;
    let mut loaded = Vec::new();
    records.load_known().each(|one| loaded.push(one)).await.unwrap();
    assert_eq!(loaded.len(), 900);
    loaded.sort_by_key(|(change, _)| *change);
    let mut followed = Vec::new();
    let mut change = 0;
    loop {
        let next = records.known_since(change, 250).await.unwrap();
        let Some((last, _)) = next.last() else { break };
        assert!(*last > change);
        change = *last;
        followed.extend(next);
    }
    assert_eq!(followed, loaded);
    // One product changes: it alone is told of, at its new place.
    let mut again = recorded(5);
    again.decision.decision_id = "again".to_owned();
    again.decision.decided_at = at(5_000);
    records.append(vec![again.clone()]).await.unwrap();
    let changed = records.known_since(change, 10).await.unwrap();
    let keys: Vec<_> = changed.iter().map(|(_, known)| known.key.clone()).collect();
    assert_eq!(keys, [again.product.key().unwrap()]);
    assert!(changed[0].0 > change);
    let mut count = 0;
    records.load_known().each(|_| count += 1).await.unwrap();
    assert_eq!(count, 900);
}

pub async fn an_imported_verdict_lasts_until_a_look(opened: Opened) {
    let records = &opened.records;
    let mut imported = sight(1, 1, "a", 1);
    imported.origin = Origin::Imported;
    imported.decision.scores.clear();
    imported.unreadable = Some("nothing was looked at".to_owned());
    records.append(vec![imported.clone()]).await.unwrap();
    let before = known(records).await;
    assert_eq!(before.looks, []);
    let verdicts = &imported.decision.verdicts;
    assert_eq!(before.imported.len(), verdicts.len());
    assert_eq!(before.imported[0].verdict, verdicts[0].verdict);
    assert_eq!(before.imported[0].reason, verdicts[0].reasons[0].text);
    records.append(vec![sight(2, 1, "a", 1)]).await.unwrap();
    let after = known(records).await;
    assert_eq!((after.looks.len(), after.imported.len()), (1, 0));
    // What is imported later tells less than the look.
    imported.decision.decision_id = "later".to_owned();
    imported.decision.decided_at = Moment::from_micros(at(9).micros());
    records.append(vec![imported]).await.unwrap();
    let last = known(records).await;
    assert_eq!((last.looks.len(), last.imported.len(), last.seen_at), (1, 0, at(9)));
}
