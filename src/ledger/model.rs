//! The ledger as a plain map, and what is done to both: the steps of the properties.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::base::{
    Correction, CorrectionKind, CorrectionScope, ImportedVerdict, KnownProduct, Label, Look, Moment, Money, Principal,
    RevisionId, RevisionLook, Revocation, TextsMark, Verdict,
};

/// Who the products are of.
pub const PARTNERS: [&str; 3] = ["", "a partner with a rather long name", "acme"];
/// What they are called there.
pub const PRODUCTS: [&str; 3] = ["", "1", "sku-0001"];
const REVISIONS: u8 = 6;
/// How many corrections there are, and as many revocations.
pub const ACTS: u64 = 12;

/// What may be done to a ledger.
#[derive(Debug, Clone)]
pub enum Step {
    Register(u8),
    Drop(u8),
    Judge(Box<KnownProduct>, Matched),
    Rematch(ProductKey, u8, Matched),
    Remove(ProductKey),
    RemovePartner(usize, i64),
    Correct { id: u64, replica_only: bool },
    Revoke(u64),
    Resync(u64),
    Until(u64),
    Sweep(i64),
}

/// A picture, or whatever else has a digest.
pub fn digest(number: u8) -> Digest {
    Digest([number; 32])
}

fn revision(number: u8) -> RevisionId {
    RevisionId(digest(100 + number))
}

/// What every revision scores.
pub fn labels() -> Vec<Label> {
    ["firearm", "toy"].map(|label| label.parse().unwrap()).to_vec()
}

fn key() -> impl Strategy<Value = ProductKey> {
    (0..PARTNERS.len(), 0..PRODUCTS.len()).prop_map(|(partner, product)| ProductKey {
        partner_id: PARTNERS[partner].to_owned(),
        product_id: PRODUCTS[product].to_owned(),
    })
}

fn look() -> impl Strategy<Value = RevisionLook> {
    let scores = prop_oneof![
        4 => (0..=4_u8).prop_map(|quarters| Look::Scores(vec![f32::from(quarters) / 4.0, 1.0])),
        1 => Just(Look::Scores(vec![0.5])),
        1 => Just(Look::Scores(vec![f32::NAN, 0.5])),
        1 => prop::sample::select(vec!["", "too small", "truncated"]).prop_map(|cause| Look::Unreadable(cause.to_owned())),
    ];
    (0..REVISIONS, scores, 0..20_i64).prop_map(|(number, look, at)| RevisionLook {
        revision: revision(number),
        look,
        // No two revisions look at the same moment: which of them is the newer would not be said.
        at: Moment::from_micros(at * i64::from(REVISIONS) + i64::from(number)),
        decision_id: "unheard of".to_owned(),
    })
}

prop_compose! {
    fn known()(
        key in key(),
        picture in prop::option::of(0..2_u8),
        mark in 0..3_u8,
        texts in prop::array::uniform2(prop::sample::select(vec!["", "fr", "Toys > Cars"])),
        price in prop::option::of((any::<i64>(), any::<i32>())),
        displays in prop::option::of(any::<u64>()),
        facts in prop::collection::btree_map("[a-c]{0,2}", "[a-c]{0,2}", 0..3),
        looks in prop::collection::vec(look(), 0..6),
        imported in prop::collection::vec((0..3_usize, prop::sample::select(vec!["", "FR"])), 0..3),
        seen_at in 0..20_i64,
    ) -> KnownProduct {
        KnownProduct {
            key,
            model: "adsafety".parse().unwrap(),
            image_sha256: picture.map(digest),
            texts: TextsMark([mark; 16]),
            title: "not kept".to_owned(),
            description: "not kept".to_owned(),
            category: texts[0].to_owned(),
            brand: "not kept".to_owned(),
            language: texts[1].to_owned(),
            price: price.map(|(units, nanos)| Money { units, nanos, currency: "EUR".to_owned() }),
            displays,
            facts,
            looks,
            imported: imported.into_iter().map(|(verdict, country)| ImportedVerdict {
                country: country.parse().unwrap(),
                verdict: Verdict::ALL[verdict],
                reason: format!("because of {country}"),
            }).collect(),
            seen_at: Moment::from_micros(seen_at),
        }
    }
}

fn matched() -> impl Strategy<Value = Matched> {
    (1..3_u64, prop::collection::vec(any::<u16>(), 0..3)).prop_map(|(by, rules)| Matched { by, rules })
}

/// Any step.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..REVISIONS).prop_map(Step::Register),
        1 => (0..REVISIONS).prop_map(Step::Drop),
        12 => (known(), matched()).prop_map(|(known, matched)| Step::Judge(Box::new(known), matched)),
        2 => (key(), 0..3_u8, matched()).prop_map(|(key, mark, matched)| Step::Rematch(key, mark, matched)),
        2 => key().prop_map(Step::Remove),
        1 => (0..PARTNERS.len(), 0..20_i64).prop_map(|(partner, until)| Step::RemovePartner(partner, until)),
        8 => (0..ACTS, prop::bool::weighted(0.2)).prop_map(|(id, replica_only)| Step::Correct { id, replica_only }),
        4 => (0..ACTS).prop_map(Step::Revoke),
        1 => (0..=2 * ACTS).prop_map(Step::Resync),
        1 => (0..=2 * ACTS).prop_map(Step::Until),
        3 => (0..20_i64).prop_map(Step::Sweep),
    ]
}

/// What the correction with an identity says; odd numbers are corrections, even ones revocations.
pub fn correction(id: u64, replica_only: bool) -> Correction {
    let product = |number: u64| ProductKey {
        partner_id: PARTNERS[1].to_owned(),
        product_id: PRODUCTS[number as usize % 3].to_owned(),
    };
    Correction {
        seq: if replica_only { 0 } else { 2 * id + 1 },
        correction_id: format!("correction {id}"),
        scope: match id % 4 {
            0 => CorrectionScope::Picture(digest(id as u8 / 4 % 2)),
            1 => CorrectionScope::Partner(PARTNERS[id as usize / 4 % 3].to_owned()),
            _ => CorrectionScope::Product(product(id / 2)),
        },
        countries: Vec::new(),
        kind: CorrectionKind::Exception(Verdict::Block),
        reason: "seen by a person".to_owned(),
        expires_at: id.is_multiple_of(3).then(|| Moment::from_micros(id as i64)),
        author: Principal::local(),
        created_at: Moment::from_micros(0),
        seen: None,
        revoked: None,
        replica_only,
    }
}

/// The act that revokes the correction with an identity: the number after its own.
pub fn revocation(id: u64) -> Revocation {
    Revocation {
        seq: 2 * id + 2,
        by: Principal::local(),
        at: Moment::from_micros(0),
        reason: "a mistake".to_owned(),
    }
}

/// The ledger as a plain map.
#[derive(Default)]
pub struct Model {
    registered: BTreeSet<RevisionId>,
    pub products: BTreeMap<ProductKey, (KnownProduct, Matched)>,
    on_replica: BTreeSet<u64>,
    pub corrected: BTreeSet<u64>,
    revoked: BTreeSet<u64>,
    until: u64,
    pub now: i64,
}

impl Model {
    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Register(number) => drop(self.registered.insert(revision(*number))),
            Step::Drop(number) => {
                self.registered.remove(&revision(*number));
                for (known, _) in self.products.values_mut() {
                    known.looks.retain(|look| look.revision != revision(*number));
                }
            }
            Step::Judge(known, matched) => self.judge(known, matched),
            Step::Rematch(key, mark, matched) => {
                if let Some((known, before)) = self.products.get_mut(key)
                    && known.texts == TextsMark([*mark; 16])
                {
                    *before = matched.clone();
                }
            }
            Step::Remove(key) => drop(self.products.remove(key)),
            Step::RemovePartner(partner, until) => self.products.retain(|key, (known, _)| {
                key.partner_id != PARTNERS[*partner] || known.seen_at > Moment::from_micros(*until)
            }),
            Step::Correct { id, replica_only: true } => drop(self.on_replica.insert(*id)),
            Step::Correct {
                id,
                replica_only: false,
            } => drop(self.corrected.insert(*id)),
            Step::Revoke(id) => drop(self.revoked.insert(*id)),
            Step::Resync(until) => {
                self.corrected.extend((0..ACTS).filter(|id| 2 * id < *until));
                self.revoked.extend((0..ACTS).filter(|id| 2 * id + 1 < *until));
                self.until = self.until.max(*until);
            }
            Step::Until(until) => self.until = self.until.max(*until),
            Step::Sweep(now) => self.now = self.now.max(*now),
        }
    }

    fn judge(&mut self, told: &KnownProduct, matched: &Matched) {
        let mut looks: Vec<RevisionLook> = Vec::new();
        let before = self.products.get(&told.key).cloned();
        let mut is_late = before.as_ref().is_some_and(|(before, _)| told.seen_at < before.seen_at);
        let sound = |look: &&RevisionLook| match &look.look {
            Look::Scores(scores) => scores.len() == 2 && scores.iter().all(|score| (0.0..=1.0).contains(score)),
            Look::Unreadable(_) => true,
        };
        let word_alone =
            |known: &KnownProduct| known.looks.is_empty() && !known.imported.is_empty() && known.image_sha256.is_none();
        if let Some((before, _)) = &before {
            if word_alone(told) && !before.looks.is_empty() {
                return;
            }
            let mut taken = told.looks.iter().filter(sound);
            is_late &= !(word_alone(before) && taken.any(|look| self.registered.contains(&look.revision)));
        }
        let same = before.filter(|(before, _)| before.image_sha256 == told.image_sha256);
        if is_late && same.is_none() {
            return;
        }
        looks.extend(same.iter().flat_map(|(before, _)| before.looks.clone()));
        for look in told
            .looks
            .iter()
            .filter(sound)
            .filter(|look| self.registered.contains(&look.revision))
        {
            match looks.iter_mut().find(|other| other.revision == look.revision) {
                Some(other) if other.at > look.at => {}
                Some(other) => *other = look.clone(),
                None => looks.push(look.clone()),
            }
        }
        looks.sort_by_key(|look| std::cmp::Reverse(look.at));
        looks.truncate(4);
        let (mut known, matched) = same.filter(|_| is_late).unwrap_or((told.clone(), matched.clone()));
        known.looks = looks;
        self.products.insert(told.key.clone(), (known, matched));
    }

    pub fn in_force(&self) -> Vec<Correction> {
        let told = self
            .corrected
            .union(&self.on_replica)
            .filter(|id| !self.revoked.contains(id));
        let all = told.map(|id| correction(*id, !self.corrected.contains(id)));
        all.filter(|correction| correction.holds_at(Moment::from_micros(self.now)))
            .collect()
    }

    pub fn applied(&self) -> u64 {
        let mut acts: BTreeSet<u64> = self.corrected.iter().map(|id| 2 * id + 1).collect();
        acts.extend(self.revoked.iter().map(|id| 2 * id + 2));
        (self.until + 1..)
            .take_while(|act| acts.contains(act))
            .last()
            .unwrap_or(self.until)
    }
}

/// Does a step to a ledger.
pub fn take(ledger: &Ledger, step: &Step) {
    match step {
        Step::Register(number) => ledger.register(revision(*number), &labels()),
        Step::Drop(number) => ledger.drop_revision(&revision(*number)),
        Step::Judge(known, matched) => drop(ledger.judged(known, matched)),
        Step::Rematch(key, mark, matched) => drop(ledger.rematch(key, TextsMark([*mark; 16]), matched)),
        Step::Remove(key) => drop(ledger.remove(key)),
        Step::RemovePartner(partner, until) => {
            ledger.remove_partner(PARTNERS[*partner], Moment::from_micros(*until));
        }
        Step::Correct { id, replica_only } => ledger.correct(correction(*id, *replica_only)),
        Step::Revoke(id) => ledger.revoke(&format!("correction {id}"), revocation(*id)),
        Step::Resync(until) => {
            let on_record = (0..ACTS).filter(|id| 2 * id < *until && 2 * id + 1 >= *until);
            ledger.replace_all(on_record.map(|id| correction(id, false)).collect(), *until);
            // What was over by then is told once more: it stays over, and what was on this replica only hears of it.
            let over = (0..ACTS).filter(|id| 2 * id + 1 < *until);
            over.for_each(|id| ledger.correct(correction(id, false)));
        }
        Step::Until(until) => ledger.acts_until(*until),
        Step::Sweep(now) => ledger.sweep(Moment::from_micros(*now)),
    }
}
