//! Acts: in one order, each once, and never changed.

use std::collections::BTreeMap;

use vigie::base::{Correction, CorrectionScope, Revocation};
use vigie::store::{Act, AskedAct, CorrectionQuery, Deed, Records, RecordsError};

use super::place::Opened;
use super::samples::{asked, at, correct, digest, erasure, key, principal, revoke};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

async fn corrections(records: &Records) -> Vec<Correction> {
    let query = CorrectionQuery {
        limit: 1_000,
        ..Default::default()
    };
    records.corrections(&query).await.unwrap().items
}

pub async fn acts_have_their_places_in_order(mut opened: Opened) {
    assert_eq!(opened.records.last_seq().await.unwrap(), 0);
    assert_eq!(opened.records.acts_since(0, 10).await.unwrap(), []);
    let first = opened.records.act(correct(1)).await.unwrap();
    let asked_for = asked(1);
    assert_eq!(first.seq, 1);
    assert_eq!(
        (&first.scope, &first.reason),
        (&asked_for.correction.scope, &asked_for.correction.reason)
    );
    assert_eq!((&first.author, first.created_at), (&asked_for.author, asked_for.at));
    assert!(!first.replica_only);
    let second = opened.records.act(correct(2)).await.unwrap();
    let revoked = opened.records.act(revoke(&first, 3)).await.unwrap();
    let revocation = Revocation {
        seq: 3,
        by: principal("bea"),
        at: at(3),
        reason: "seen again".to_owned(),
    };
    assert_eq!(revoked.revoked, Some(revocation));
    opened.reopen().await;
    let records = &opened.records;
    assert_eq!(records.last_seq().await.unwrap(), 3);
    assert_eq!(records.correction(&first.correction_id).await.unwrap(), Some(revoked));
    assert_eq!(
        records.correction(&second.correction_id).await.unwrap(),
        Some(second.clone())
    );
    let acts = records.acts_since(0, 10).await.unwrap();
    assert_eq!(acts.iter().map(|act| act.seq).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(acts[0].deed, Deed::Correct(Box::new(first.clone())));
    let expected = Act {
        seq: 3,
        at: at(3),
        principal: principal("bea"),
        request_id: "revocation-3".to_owned(),
        deed: Deed::Revoke {
            correction_id: first.correction_id,
            reason: "seen again".to_owned(),
        },
    };
    assert_eq!(acts[2], expected);
    assert_eq!(records.acts_since(1, 1).await.unwrap(), acts[1..2]);
    assert_eq!(records.acts_since(3, 1).await.unwrap(), []);
}

pub async fn the_same_request_gets_its_first_answer(opened: Opened) {
    let records = &opened.records;
    let first = records.act(correct(1)).await.unwrap();
    // Another identity was made for it: the first one counts.
    assert_eq!(records.act(correct(1)).await.unwrap(), first);
    let ended = records.act(revoke(&first, 2)).await.unwrap();
    assert_eq!(records.act(revoke(&first, 2)).await.unwrap(), ended);
    assert_eq!(
        records.act(correct(1)).await.unwrap(),
        first,
        "as it was answered first"
    );
    assert_eq!(records.last_seq().await.unwrap(), 2);
    // The same request for something else, in content or in kind.
    let mut other = asked(1);
    other.correction.reason = "another".to_owned();
    let taken = records.act(AskedAct::Correct(other)).await;
    assert!(
        matches!(&taken, Err(RecordsError::Input { field, .. }) if field == "request_id"),
        "{taken:?}"
    );
    let mut other = revoke(&first, 2);
    let AskedAct::Revoke(asked_for) = &mut other else {
        unreachable!()
    };
    asked_for.request_id = "request-1".to_owned();
    asked_for.author = principal("ana");
    let taken = records.act(other).await;
    assert!(
        matches!(&taken, Err(RecordsError::Input { field, .. }) if field == "request_id"),
        "{taken:?}"
    );
    // Another person's requests are their own.
    let mut theirs = asked(1);
    theirs.author = principal("bea");
    assert_eq!(records.act(AskedAct::Correct(theirs)).await.unwrap().seq, 3);
}

pub async fn a_request_is_forgotten_after_a_day(opened: Opened) {
    let records = &opened.records;
    let mut later = asked(1);
    let first = records.act(AskedAct::Correct(later.clone())).await.unwrap();
    later.correction_id = "later".to_owned();
    later.at = at(1 + DAY - 1);
    assert_eq!(records.act(AskedAct::Correct(later.clone())).await.unwrap(), first);
    later.at = at(1 + DAY);
    let second = records.act(AskedAct::Correct(later)).await.unwrap();
    assert_eq!((second.seq, second.correction_id.as_str()), (2, "later"));
}

pub async fn a_given_identity_is_used_once(opened: Opened) {
    let records = &opened.records;
    let given = asked(1);
    let first = records.act(AskedAct::Correct(given.clone())).await.unwrap();
    assert_eq!(first.correction_id, given.correction_id);
    // The store was away for days, and what was journalled is given to it again.
    let mut again = given.clone();
    again.at = at(9 * DAY);
    assert_eq!(records.act(AskedAct::Correct(again)).await.unwrap(), first);
    let mut other = asked(2);
    other.correction_id = given.correction_id;
    let taken = records.act(AskedAct::Correct(other)).await;
    assert!(
        matches!(&taken, Err(RecordsError::Input { field, .. }) if field == "correction_id"),
        "{taken:?}"
    );
    assert_eq!(records.last_seq().await.unwrap(), 1);
}

pub async fn a_revocation_needs_a_correction_in_force(opened: Opened) {
    let records = &opened.records;
    let correction = records.act(correct(1)).await.unwrap();
    let mut unknown = correction.clone();
    unknown.correction_id = "unknown".to_owned();
    let missing = records.act(revoke(&unknown, 2)).await;
    assert!(matches!(missing, Err(RecordsError::NotFound { .. })), "{missing:?}");
    let ended = records.act(revoke(&correction, 3)).await.unwrap();
    let again = records.act(revoke(&correction, 4)).await;
    let Err(RecordsError::Conflict { current }) = again else {
        panic!("{again:?}")
    };
    assert_eq!(*current, ended);
    // A refusal takes no place.
    assert_eq!(records.act(correct(5)).await.unwrap().seq, 3);
}

type Meets = Box<dyn Fn(&Correction) -> bool>;

/// Questions, and what meets each.
fn questions() -> Vec<(CorrectionQuery, Meets)> {
    let on = |state: fn(&mut CorrectionQuery), meets: fn(&Correction) -> bool| -> (CorrectionQuery, Meets) {
        let mut query = CorrectionQuery {
            limit: 4,
            ..Default::default()
        };
        state(&mut query);
        (query, Box::new(meets))
    };
    vec![
        on(|_| (), |_| true),
        on(
            |query| query.product = Some(key("partner-1", "sku-9")),
            |correction| correction.scope == CorrectionScope::Product(key("partner-1", "sku-9")),
        ),
        on(
            |query| query.picture = Some(digest(3, 4)),
            |correction| correction.scope == CorrectionScope::Picture(digest(3, 4)),
        ),
        on(
            |query| query.partner = Some("partner-1".to_owned()),
            |correction| matches!(&correction.scope, CorrectionScope::Product(_)),
        ),
        on(
            |query| query.partner = Some("partner-2".to_owned()),
            |correction| correction.scope == CorrectionScope::Partner("partner-2".to_owned()),
        ),
        on(
            |query| query.author = Some(principal("zoe")),
            |correction| correction.author == principal("zoe"),
        ),
        on(
            |query| query.active_at = Some(at(52)),
            |correction| correction.holds_at(at(52)) || correction.revoked.as_ref().is_some_and(|end| at(52) < end.at),
        ),
        on(
            |query| query.active_at = Some(at(10)),
            |correction| correction.created_at <= at(10),
        ),
    ]
}

pub async fn corrections_are_found_by_what_they_are_about(opened: Opened) {
    let records = &opened.records;
    let mut all = Vec::new();
    for number in 0..30 {
        let mut asked_for = asked(number);
        asked_for.author = principal(if number % 4 == 0 { "zoe" } else { "ana" });
        asked_for.correction.expires_at = (number % 5 == 0).then(|| at(40 + number as i64));
        all.push(records.act(AskedAct::Correct(asked_for)).await.unwrap());
    }
    for place in [3, 8] {
        all[place] = records.act(revoke(&all[place], 50 + place as u64)).await.unwrap();
    }
    for (mut query, meets) in questions() {
        let mut found = Vec::new();
        loop {
            let page = records.corrections(&query).await.unwrap();
            assert!(page.items.len() == 4 || page.next.is_none());
            found.extend(page.items);
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }
        let expected: Vec<Correction> = all
            .iter()
            .rev()
            .filter(|correction| meets(correction))
            .cloned()
            .collect();
        assert_eq!(found, expected, "{query:?}");
    }
}

/// The corrections as whoever follows the acts has them.
pub fn replayed(acts: Vec<Act>) -> BTreeMap<u64, Correction> {
    let mut corrections = BTreeMap::<u64, Correction>::new();
    for act in acts {
        match act.deed {
            Deed::Correct(correction) => {
                corrections.insert(act.seq, *correction);
            }
            Deed::Revoke { correction_id, reason } => {
                let correction = corrections.values_mut().find(|one| one.correction_id == correction_id);
                correction.unwrap().revoked = Some(Revocation {
                    seq: act.seq,
                    by: act.principal,
                    at: act.at,
                    reason,
                });
            }
            Deed::ErasePartner { partner_id, .. } => corrections.retain(|_, correction| match &correction.scope {
                CorrectionScope::Product(key) => key.partner_id != partner_id,
                CorrectionScope::Partner(partner) => *partner != partner_id,
                CorrectionScope::Picture(_) => true,
            }),
            Deed::Erased | Deed::Unknown { .. } => {}
        }
    }
    corrections
}

pub async fn a_replay_of_the_acts_gives_the_corrections(opened: Opened) {
    let records = &opened.records;
    for number in 0..40 {
        let correction = records.act(correct(number)).await.unwrap();
        if number % 3 == 1 {
            records.act(revoke(&correction, 100 + number)).await.unwrap();
        }
    }
    records.erase_partner(&erasure("partner-5", 500)).await.unwrap();
    let acts = records.acts_since(0, 1_000).await.unwrap();
    let replayed: Vec<Correction> = replayed(acts).into_values().rev().collect();
    assert_eq!(corrections(records).await, replayed);
    assert_eq!(replayed.len(), 39);
}

pub async fn identities_are_held_to_a_length(opened: Opened) {
    let long = "x".repeat(201);
    for (field, request_id, correction_id) in [
        ("request_id", "", "c"),
        ("request_id", long.as_str(), "c"),
        ("correction_id", "r", ""),
        ("correction_id", "r", long.as_str()),
    ] {
        let mut asked_for = asked(1);
        asked_for.request_id = request_id.to_owned();
        asked_for.correction_id = correction_id.to_owned();
        let refused = opened.records.act(AskedAct::Correct(asked_for)).await;
        assert!(
            matches!(&refused, Err(RecordsError::Input { field: at, .. }) if at == field),
            "{refused:?}"
        );
    }
    let mut odd = asked(1);
    odd.request_id = "\0 é '".to_owned();
    odd.correction_id = "\0".to_owned();
    odd.correction.reason = "\0".to_owned();
    let given = opened.records.act(AskedAct::Correct(odd)).await.unwrap();
    assert_eq!(opened.records.correction("\0").await.unwrap(), Some(given));
}
