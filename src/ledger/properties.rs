//! Whatever is done in whatever order, the ledger is what a plain map would be; what changed is told, once; and acts may come in any order and twice.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::model::{ACTS, Model, PARTNERS, PRODUCTS, Step, correction, digest, labels, revocation, step, take};
use super::*;
use crate::base::{
    Correction, CorrectionScope, CountryCode, ImportedVerdict, KnownProduct, Look, Moment, Money, RevisionLook,
};

fn every_key() -> impl Iterator<Item = ProductKey> {
    PARTNERS.iter().flat_map(|partner| {
        PRODUCTS.iter().map(|product| ProductKey {
            partner_id: (*partner).to_owned(),
            product_id: (*product).to_owned(),
        })
    })
}

/// A product read back as it was told, but for what is not kept.
fn told(view: &View<'_>, by: u64) -> (KnownProduct, Option<Vec<u16>>) {
    let looks = view.looks().map(|look| RevisionLook {
        revision: look.revision,
        look: match look.found {
            Found::Scores(scores) => {
                assert!(scores.iter().map(|(label, _)| label).eq(&labels()));
                Look::Scores(scores.iter().map(|(_, probability)| probability.get()).collect())
            }
            Found::Unreadable(cause) => Look::Unreadable(cause.to_owned()),
        },
        at: look.at,
        decision_id: String::new(),
    });
    let looks: Vec<RevisionLook> = looks.collect();
    for look in &looks {
        let of_it = view.look_of(&look.revision).map(|found| (found.revision, found.at));
        assert_eq!(of_it, Some((look.revision, look.at)));
    }
    let known = KnownProduct {
        key: ProductKey {
            partner_id: view.partner_id().to_owned(),
            product_id: view.product_id().to_owned(),
        },
        model: view.model().parse().unwrap(),
        image_sha256: view.image_sha256(),
        texts: view.texts(),
        title: String::new(),
        description: String::new(),
        category: view.category().to_owned(),
        brand: String::new(),
        language: view.language().to_owned(),
        price: view.price().map(|price| Money {
            units: price.units,
            nanos: price.nanos,
            currency: price.currency.to_owned(),
        }),
        displays: view.displays(),
        facts: view
            .facts()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        looks,
        imported: view.imported().map(imported).collect(),
        seen_at: view.seen_at(),
    };
    (known, view.matched(by).map(Iterator::collect))
}

fn imported(imported: Imported<'_>) -> ImportedVerdict {
    ImportedVerdict {
        country: imported.country.parse::<CountryCode>().unwrap(),
        verdict: imported.verdict,
        reason: imported.reason.to_owned(),
    }
}

/// What the model says should be read.
fn expected(known: &KnownProduct, matched: &Matched, by: u64) -> (KnownProduct, Option<Vec<u16>>) {
    let mut known = known.clone();
    for text in [&mut known.title, &mut known.description, &mut known.brand] {
        text.clear();
    }
    known.looks.iter_mut().for_each(|look| look.decision_id.clear());
    (known, (matched.by == by).then(|| matched.rules.clone()))
}

fn bears_on(correction: &Correction, key: Option<&ProductKey>, picture: Option<Digest>, partner_id: &str) -> bool {
    match &correction.scope {
        CorrectionScope::Product(product) => Some(product) == key,
        CorrectionScope::Picture(digest) => Some(*digest) == picture,
        CorrectionScope::Partner(partner) => partner == partner_id,
    }
}

fn sorted(mut corrections: Vec<Correction>) -> Vec<Correction> {
    corrections.sort_by(|one, other| one.correction_id.cmp(&other.correction_id));
    corrections
}

/// Everything that can be read, as it stands.
fn all_there_is(ledger: &Ledger) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for key in every_key() {
        let seen = ledger.read(&key.partner_id, &key.product_id, |view, corrections| {
            // Moments are not what a verdict can depend on.
            let known = view.map(|view| [1, 2].map(|by| told(&view, by)));
            let known = known.map(|both| both.map(|(known, rules)| (without_moments(known), rules)));
            format!("{known:?} {:?}", corrections.product)
        });
        all.insert(format!("{:?}", Changed::Product(key)), seen);
    }
    for partner in PARTNERS {
        let seen = ledger.corrections_on(None, None, partner, |corrections| format!("{:?}", corrections.partner));
        all.insert(format!("{:?}", Changed::Partner(partner.to_owned())), seen);
    }
    for picture in [0, 1].map(digest) {
        let seen = ledger.corrections_on(None, Some(&picture), "nobody", |corrections| {
            format!("{:?}", corrections.picture)
        });
        all.insert(format!("{:?}", Changed::Picture(picture)), seen);
    }
    all
}

fn without_moments(mut known: KnownProduct) -> KnownProduct {
    known.seen_at = Moment::from_micros(0);
    known.looks.iter_mut().for_each(|look| look.at = Moment::from_micros(0));
    known.looks.sort_by_key(|look| look.revision);
    known
}

fn read_on(ledger: &Ledger, cursor: &mut u64) -> Vec<Changed> {
    let mut all = Vec::new();
    loop {
        let Changes::After { changed, cursor: next } = ledger.changes_after(*cursor, 3) else {
            panic!("so few changes are all kept")
        };
        all.extend(changed);
        if next == *cursor {
            return all;
        }
        *cursor = next;
    }
}

fn assert_as_modelled(ledger: &Ledger, model: &Model) -> Result<(), TestCaseError> {
    let now = Moment::from_micros(model.now);
    let in_force = model.in_force();
    for key in every_key() {
        let product = model.products.get(&key);
        let picture = product.and_then(|(known, _)| known.image_sha256);
        let bearing = |picture| {
            let bearing = in_force
                .iter()
                .filter(|one| bears_on(one, Some(&key), picture, &key.partner_id));
            sorted(bearing.cloned().collect())
        };
        for by in [1, 2] {
            let (seen, corrections) = ledger.read(&key.partner_id, &key.product_id, |view, corrections| {
                (
                    view.map(|view| told(&view, by)),
                    sorted(corrections.at(now).cloned().collect()),
                )
            });
            prop_assert_eq!(seen, product.map(|(known, matched)| expected(known, matched, by)));
            prop_assert_eq!(corrections, bearing(picture));
        }
        let other = Some(digest(1));
        let just_judged = ledger.corrections_on(Some(&key), other.as_ref(), &key.partner_id, |corrections| {
            sorted(corrections.at(now).cloned().collect())
        });
        prop_assert_eq!(just_judged, bearing(other));
    }
    prop_assert_eq!(ledger.applied_seq(), model.applied());
    prop_assert_eq!(ledger.memory().products, model.products.len());
    Ok(())
}

fn walk(ledger: &Ledger, which: Which<'_>, limit: usize) -> Vec<ProductKey> {
    let (mut all, mut from) = (Vec::new(), Some(Position::default()));
    while let Some(at) = from {
        let scanned = ledger.scan(which, at, limit);
        assert!(scanned.products.len() <= limit);
        all.extend(scanned.products);
        from = scanned.next;
    }
    all.sort();
    all
}

proptest! {
    #[test]
    fn the_ledger_is_what_a_plain_map_would_be(steps in prop::collection::vec(step(), 1..60), limit in 1..4_usize) {
        let (ledger, mut model) = (Ledger::new(), Model::default());
        let (mut cursor, mut history, mut is_clean) = (0, Vec::new(), true);
        for step in steps {
            if let Step::Correct { id, replica_only: true } = step && model.corrected.contains(&id) {
                continue;
            }
            let before = all_there_is(&ledger);
            take(&ledger, &step);
            model.step(&step);
            assert_as_modelled(&ledger, &model)?;

            let changed = read_on(&ledger, &mut cursor);
            let told: BTreeSet<String> = changed.iter().map(|one| format!("{one:?}")).collect();
            prop_assert_eq!(told.len(), changed.len(), "each is told once");
            let after = all_there_is(&ledger);
            let is_other = |(what, seen): &(&String, &String)| before.get(*what) != Some(*seen);
            let other: BTreeSet<String> = after.iter().filter(is_other).map(|(what, _)| what.clone()).collect();
            is_clean &= !matches!(step, Step::Drop(_));
            // Where dropped looks are still in memory, their going may be told too.
            let is_exact = if is_clean { told == other } else { told.is_superset(&other) || matches!(step, Step::Drop(_)) };
            prop_assert!(is_exact, "{:?} changed, {:?} were told, after {:?}", other, told, step);
            is_clean |= matches!(step, Step::Sweep(_));
            history.extend(changed);
        }
        let is_latest = |(at, one): &(usize, &Changed)| !history[at + 1..].contains(one);
        let latest: Vec<Changed> = history.iter().enumerate().filter(is_latest).map(|(_, one)| one.clone()).collect();
        prop_assert_eq!(read_on(&ledger, &mut 0), latest, "who comes late hears of each once, at its latest place");

        let known: Vec<ProductKey> = model.products.keys().cloned().collect();
        let with_picture = |picture| model.products.values().filter(move |(known, _)| known.image_sha256 == Some(picture));
        for picture in [0, 1].map(digest) {
            let keys: Vec<ProductKey> = with_picture(picture).map(|(known, _)| known.key.clone()).collect();
            prop_assert_eq!(walk(&ledger, Which::WithPicture(&picture), limit), keys);
        }
        let all = walk(&ledger, Which::All, limit);
        let has_own = |key: &ProductKey| ledger.read(&key.partner_id, &key.product_id, |view, own| view.is_some() || !own.product.is_empty());
        prop_assert_eq!(&all, &every_key().filter(has_own).collect::<Vec<_>>());
        prop_assert!(known.iter().all(|key| all.contains(key)));
    }

    #[test]
    fn acts_in_any_order_and_repeated_come_to_the_same(
        told in prop::collection::btree_set((0..ACTS, any::<bool>()), 0..20),
        seeds in prop::collection::vec(any::<u32>(), 60),
        sweeps in any::<bool>(),
    ) {
        let acts: Vec<(u64, bool)> = told.into_iter().collect();
        let (in_order, shuffled) = (Ledger::new(), Ledger::new());
        let tell = |ledger: &Ledger, (id, is_correction): (u64, bool)| match is_correction {
            true => ledger.correct(correction(id, false)),
            false => ledger.revoke(&format!("correction {id}"), revocation(id)),
        };
        acts.iter().for_each(|act| tell(&in_order, *act));
        let mut order: Vec<(u32, (u64, bool))> = seeds.iter().copied().zip(acts.iter().copied().cycle()).collect();
        order.sort_unstable();
        for (number, (_, act)) in order.into_iter().enumerate() {
            tell(&shuffled, act);
            if sweeps && number % 7 == 0 {
                shuffled.sweep(Moment::from_micros(-1));
            }
        }
        prop_assert_eq!(all_there_is(&in_order), all_there_is(&shuffled));
        prop_assert_eq!(in_order.applied_seq(), shuffled.applied_seq());
        for ledger in [&in_order, &shuffled] {
            ledger.sweep(Moment::from_micros(100));
        }
        prop_assert_eq!(all_there_is(&in_order), all_there_is(&shuffled));
        prop_assert_eq!(in_order.memory().corrections, shuffled.memory().corrections);
    }
}
