//! What holds while threads write and read at once, and of the memory.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::model::{correction, digest, labels, revocation};
use super::*;
use crate::base::{
    Correction, CorrectionScope, Digest, KnownProduct, Look, Moment, Money, RevisionId, RevisionLook, TextsMark,
};

const LIVE: RevisionId = RevisionId(Digest([200; 32]));

fn key(number: u64) -> ProductKey {
    ProductKey {
        partner_id: format!("partner {}", number % 100),
        product_id: format!("sku-{number:016}"),
    }
}

/// A product all of whose parts say the same number.
fn product(key: ProductKey, number: u8) -> KnownProduct {
    let score = f32::from(number) / 256.0;
    KnownProduct {
        key,
        model: "adsafety".parse().unwrap(),
        image_sha256: Some(digest(number)),
        texts: TextsMark([number; 16]),
        title: String::new(),
        description: String::new(),
        category: format!("category {number}"),
        brand: String::new(),
        language: "fr".to_owned(),
        price: Some(Money {
            units: i64::from(number),
            nanos: 990_000_000,
            currency: "EUR".to_owned(),
        }),
        displays: Some(u64::from(number)),
        facts: [("number".to_owned(), number.to_string())].into(),
        looks: vec![RevisionLook {
            revision: LIVE,
            look: Look::Scores(vec![score, score]),
            at: Moment::from_micros(0),
            decision_id: String::new(),
        }],
        imported: Vec::new(),
        seen_at: Moment::from_micros(0),
    }
}

fn rules(number: u8) -> Matched {
    Matched {
        by: 1,
        rules: vec![u16::from(number); usize::from(number % 5)],
    }
}

fn ledger() -> Ledger {
    let ledger = Ledger::new();
    ledger.register(LIVE, &labels());
    ledger
}

/// The one number that all parts of a product say.
fn number_of(view: View<'_>) -> u8 {
    let number = view.displays().unwrap() as u8;
    let look = view.looks().next().unwrap();
    let Found::Scores(scores) = look.found else {
        panic!("it was readable")
    };
    assert!(
        scores
            .iter()
            .all(|(_, probability)| probability.get() == f32::from(number) / 256.0)
    );
    assert_eq!(
        (view.image_sha256(), view.texts()),
        (Some(digest(number)), TextsMark([number; 16]))
    );
    assert_eq!(view.category(), format!("category {number}"));
    assert_eq!(view.price().unwrap().units, i64::from(number));
    assert!(view.facts().eq([("number", number.to_string().as_str())]));
    assert!(view.matched(1).unwrap().eq(rules(number).rules));
    number
}

#[test]
fn a_reader_never_sees_a_mixture_of_two_writes() {
    let (ledger, is_done) = (ledger(), AtomicBool::new(false));
    let keys: Vec<ProductKey> = (0..4).map(key).collect();
    for key in &keys {
        ledger.judged(&product(key.clone(), 0), &rules(0));
    }
    std::thread::scope(|scope| {
        let readers = [0, 1].map(|_| {
            scope.spawn(|| {
                let mut numbers = 0_u64;
                while !is_done.load(Ordering::Relaxed) {
                    for key in &keys {
                        numbers += ledger.read(&key.partner_id, &key.product_id, |view, _| {
                            u64::from(number_of(view.unwrap()))
                        });
                    }
                }
                numbers
            })
        });
        for round in 0..3000_u32 {
            for key in &keys {
                let number = (round % 256) as u8;
                ledger.judged(&product(key.clone(), number), &rules(number));
            }
        }
        is_done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn a_correction_is_seen_by_every_read_that_begins_after_it_was_acknowledged() {
    let (ledger, acknowledged) = (ledger(), AtomicU64::new(0));
    let key = key(1);
    ledger.judged(&product(key.clone(), 7), &rules(7));
    let told = |seq: u64| Correction {
        seq,
        correction_id: seq.to_string(),
        scope: match seq % 3 {
            0 => CorrectionScope::Product(key.clone()),
            1 => CorrectionScope::Picture(digest(7)),
            _ => CorrectionScope::Partner(key.partner_id.clone()),
        },
        expires_at: None,
        ..correction(0, false)
    };
    std::thread::scope(|scope| {
        let readers = [0, 1].map(|_| {
            scope.spawn(|| {
                while acknowledged.load(Ordering::SeqCst) < 2000 {
                    let before = acknowledged.load(Ordering::SeqCst);
                    let applied = ledger.applied_seq();
                    let seen = ledger.read(&key.partner_id, &key.product_id, |_, seen| {
                        seen.iter().map(|one| one.seq).max()
                    });
                    assert!(
                        applied >= before && seen.unwrap_or(0) >= before,
                        "{seen:?} after {before}"
                    );
                }
            })
        });
        for seq in 1..=2000 {
            ledger.correct(told(seq));
            acknowledged.store(seq, Ordering::SeqCst);
            if seq > 30 {
                ledger.revoke(&(seq - 30).to_string(), revocation(5000 + seq));
            }
        }
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

#[test]
fn a_walk_meets_once_who_stays_while_others_come_and_go() {
    let (ledger, is_done) = (ledger(), AtomicBool::new(false));
    let stay: Vec<ProductKey> = (0..5000).map(key).collect();
    for key in &stay {
        ledger.judged(&product(key.clone(), 1), &rules(1));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in (10_000..).take_while(|_| !is_done.load(Ordering::Relaxed)) {
                ledger.judged(&product(key(number), (number % 256) as u8), &rules(2));
                ledger.judged(
                    &product(stay[number as usize % 5000].clone(), (number % 256) as u8),
                    &rules(2),
                );
                ledger.remove(&key(number - 500));
            }
        });
        for _ in 0..5 {
            let (mut met, mut from) = (Vec::new(), Some(Position::default()));
            while let Some(at) = from {
                let scanned = ledger.scan(Which::All, at, 100);
                met.extend(
                    scanned
                        .products
                        .into_iter()
                        .filter(|met| stay.binary_search_by(|one| one.product_id.cmp(&met.product_id)).is_ok()),
                );
                from = scanned.next;
            }
            met.sort_by(|one, other| one.product_id.cmp(&other.product_id));
            assert!(met == stay, "{} of {} were met", met.len(), stay.len());
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn who_falls_behind_is_told_so() {
    let ledger = Ledger::keeping_changes(8);
    for number in 0..8 {
        ledger.judged(&product(key(number), 1), &rules(1));
    }
    let all = Changes::After {
        changed: (0..8).map(key).map(Changed::Product).collect(),
        cursor: 8,
    };
    assert_eq!(ledger.changes_after(0, 100), all);
    ledger.judged(&product(key(0), 2), &rules(1));
    assert_eq!(ledger.changes_after(0, 100), Changes::Behind);
    let later = Changes::After {
        changed: (1..8).chain([0]).map(key).map(Changed::Product).collect(),
        cursor: 9,
    };
    assert_eq!(ledger.changes_after(1, 100), later);
    assert_eq!(
        ledger.changes_after(10, 100),
        Changes::Behind,
        "a cursor of another ledger"
    );
    let none = Changes::After {
        changed: vec![],
        cursor: 9,
    };
    assert_eq!(ledger.changes_after(ledger.latest_change(), 100), none);
}

#[test]
fn names_of_what_is_gone_leave_the_log_with_their_changes() {
    let ledger = Ledger::keeping_changes(16);
    for number in 0..1000 {
        ledger.judged(&product(key(number), 1), &rules(1));
        ledger.remove(&key(number));
    }
    let names = 8 * (size_of::<Changed>() + 200);
    assert!(
        ledger.changes.memory_bytes() < 16 * 16 + names,
        "{}",
        ledger.changes.memory_bytes()
    );
}

#[tokio::test]
async fn whoever_waits_is_woken_by_a_change() {
    let ledger = std::sync::Arc::new(ledger());
    ledger.judged(&product(key(1), 1), &rules(1));
    let mut notified = ledger.notified();
    assert_eq!(*notified.borrow_and_update(), ledger.latest_change());
    let waiting = tokio::spawn(async move {
        notified.changed().await.unwrap();
        *notified.borrow()
    });
    ledger.judged(&product(key(1), 2), &rules(1));
    assert_eq!(waiting.await.unwrap(), ledger.latest_change());
}

#[test]
fn what_a_judgement_changed_is_told() {
    let ledger = ledger();
    let told = |known: &KnownProduct| ledger.judged(known, &rules(1));
    let first = product(key(1), 1);
    let is_new = Judged {
        is_new: true,
        change: Some(1),
        ..Judged::default()
    };
    assert_eq!(told(&first), is_new);
    assert_eq!(told(&first), Judged::default(), "nothing");
    let mut strange = first.clone();
    strange.looks[0].revision = RevisionId(digest(9));
    let left_out = Judged {
        looks_left_out: 1,
        ..Judged::default()
    };
    assert_eq!(told(&strange), left_out);
    let texts = KnownProduct {
        texts: TextsMark([9; 16]),
        ..first.clone()
    };
    assert_eq!(
        told(&texts),
        Judged {
            texts_changed: true,
            change: Some(2),
            ..Judged::default()
        }
    );
    let picture = KnownProduct {
        image_sha256: None,
        looks: Vec::new(),
        ..texts.clone()
    };
    assert_eq!(
        told(&picture),
        Judged {
            picture_changed: true,
            change: Some(3),
            ..Judged::default()
        }
    );
    ledger.read(&key(1).partner_id, &key(1).product_id, |view, _| {
        assert_eq!(view.unwrap().looks().count(), 0)
    });
}

#[test]
fn memory_follows_the_products_and_does_not_creep() {
    let ledger = ledger();
    let mut settled = 0;
    for round in 0..10_u64 {
        for number in 0..3000 {
            ledger.judged(&product(key(number), (number % 250) as u8), &rules(3));
            let corrected = Correction {
                scope: CorrectionScope::Product(key(number)),
                ..correction(round * 3000 + number + 100, false)
            };
            ledger.correct(corrected);
        }
        for number in 0..3000 {
            ledger.revoke(
                &format!("correction {}", round * 3000 + number + 100),
                revocation(round * 3000 + number + 100),
            );
            ledger.remove(&key(number));
        }
        let again = RevisionId(digest(50 + round as u8));
        ledger.register(again, &labels());
        ledger.drop_revision(&again);
        ledger.sweep(Moment::from_micros(0));
        let memory = ledger.memory();
        assert_eq!((memory.products, memory.corrections), (0, 0));
        // The log of changes is bounded, and grows until it is full.
        let bytes = memory.product_bytes + memory.correction_bytes - ledger.changes.memory_bytes();
        // Tables grow once more while they reuse the places of what is gone.
        if round <= 4 {
            settled = bytes;
        }
        assert!(
            bytes <= settled + settled / 20,
            "round {round}: {bytes} after {settled}"
        );
    }
    let table = ledger.revisions.lock().unwrap();
    assert_eq!(table.number(&LIVE), Some(0));
    assert_eq!(
        table
            .with(RevisionId(digest(1)), &labels())
            .unwrap()
            .number(&RevisionId(digest(1))),
        Some(1),
        "numbers are used again"
    );
}

#[test]
fn an_erased_partners_corrections_are_out_of_force_and_stay_out() {
    let ledger = ledger();
    let of = |seq: u64, scope: CorrectionScope, replica_only: bool| Correction {
        seq: if replica_only { 0 } else { seq },
        correction_id: format!("of {seq}"),
        scope,
        replica_only,
        created_at: Moment::from_micros(seq as i64),
        ..correction(0, replica_only)
    };
    let partner = |name: &str| CorrectionScope::Partner(name.to_owned());
    let product = |partner: &str| {
        CorrectionScope::Product(ProductKey {
            partner_id: partner.to_owned(),
            product_id: "1".to_owned(),
        })
    };
    for told in [
        of(1, partner("acme"), false),
        of(2, product("acme"), false),
        of(3, partner("other"), false),
        of(4, product("acme"), true),
        of(9, partner("acme"), true),
        of(5, partner("acme"), false),
    ] {
        ledger.correct(told);
    }
    ledger.erase_corrections("acme", 4, Moment::from_micros(8));
    let in_force = |partner: &str| {
        let key = ProductKey {
            partner_id: partner.to_owned(),
            product_id: "1".to_owned(),
        };
        ledger.corrections_on(Some(&key), None, partner, |all| {
            all.iter().map(|one| one.correction_id.clone()).collect::<Vec<_>>()
        })
    };
    // What came after the erasure stays.
    assert_eq!(in_force("acme"), ["of 9", "of 5"]);
    assert_eq!(in_force("other"), ["of 3"]);
    ledger.correct(of(2, product("acme"), false));
    assert_eq!(in_force("acme"), ["of 9", "of 5"], "told again, it is known to be over");
}

#[test]
fn another_systems_word_never_takes_the_place_of_a_look() {
    let ledger = ledger();
    let word = |at: i64| KnownProduct {
        image_sha256: None,
        looks: Vec::new(),
        imported: vec![crate::base::ImportedVerdict {
            country: crate::base::CountryCode::REST_OF_WORLD,
            verdict: crate::base::Verdict::Block,
            reason: String::new(),
        }],
        seen_at: Moment::from_micros(at),
        ..product(key(1), 7)
    };
    let is_looked_at = || {
        let key = key(1);
        ledger.read(&key.partner_id, &key.product_id, |view, _| {
            let view = view.unwrap();
            (view.looks().count(), view.imported().count())
        })
    };
    // The look is told late, and wins all the same.
    ledger.judged(&word(5), &rules(0));
    assert_eq!(is_looked_at(), (0, 1));
    ledger.judged(&product(key(1), 7), &rules(7));
    assert_eq!(is_looked_at(), (1, 0));
    ledger.judged(&word(9), &rules(0));
    assert_eq!(is_looked_at(), (1, 0));
    // Of a revision that was rolled back nothing counts.
    ledger.drop_revision(&LIVE);
    ledger.judged(&word(9), &rules(0));
    assert_eq!(is_looked_at(), (0, 1));
}
