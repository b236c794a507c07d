//! Products with the scores of their latest decision, in bounded memory.
//!
//! A product counts once, however often it was judged. Where there are more products than are kept, every second one is let go of, by a hash of its identity,
//! and again when there are too many once more: what stays is drawn by chance, each product with the same and known chance, whatever its scores. One without an
//! identity counts by its picture.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use super::truth::Truth;
use crate::base::{Decision, Digest, Label, Moment, Probability, ProductKey, Recorded, RevisionId, Version};
use crate::policy::{Evidence, Pair};

/// The most products that are kept, at about 100 bytes each.
const MOST_PRODUCTS: usize = 1 << 19;
const DAY_MICROS: f64 = 86_400e6;

/// A hash of what a product is called, evenly spread.
type Key = u128;

#[derive(Debug)]
struct Kept {
    /// The first half of a half of its picture's digest; what was said is looked up by it.
    picture: u64,
    displays: Option<u64>,
    revision: u16,
    /// One for each label, not a number where there is none; empty where the picture could not be judged.
    scores: Box<[f32]>,
}

/// See the module.
pub(super) struct Gathered {
    labels: Vec<Label>,
    truth: Truth,
    products: HashMap<Key, Kept>,
    /// Products whose hash begins with so many zeros are kept.
    zeros: u32,
    most: usize,
    revisions: Vec<(RevisionId, Version)>,
    first: Option<Moment>,
    last: Option<Moment>,
}

/// What a study goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis {
    /// Decisions read.
    pub decisions: u64,
    /// Products with scores, and those whose picture could not be judged.
    pub products: u64,
    pub unscored: u64,
    /// Of those with scores, how many have no displays on record: each counts as shown once.
    pub without_displays: u64,
    /// The chance that a product had to be counted; 1 where all are. The numbers of products are made up for it.
    pub chance: f64,
    /// The first and the last decision that counts.
    pub first: Moment,
    pub last: Moment,
    /// What lies between them in days, and never less than one.
    pub days: f64,
    /// Whose scores they are, the most products first.
    pub revisions: Vec<RevisionShare>,
}

/// How many products count with the scores of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisionShare {
    pub revision: RevisionId,
    pub version: Version,
    pub products: u64,
}

impl Gathered {
    pub fn new(labels: Vec<Label>, truth: Truth) -> Self {
        Self::of_at_most(MOST_PRODUCTS, labels, truth)
    }

    fn of_at_most(most: usize, labels: Vec<Label>, truth: Truth) -> Self {
        Self {
            labels,
            truth,
            products: HashMap::new(),
            zeros: 0,
            most,
            revisions: Vec::new(),
            first: None,
            last: None,
        }
    }

    /// Adds decisions, in the order of time.
    pub fn add_all(&mut self, group: &[Recorded]) {
        for recorded in group {
            self.add(recorded);
        }
    }

    fn add(&mut self, recorded: &Recorded) {
        let decision = &recorded.decision;
        let named = recorded.product.key();
        let Some(key) = hash(named.as_ref(), &recorded.product.partner_id, decision) else {
            return;
        };
        self.first = self.first.or(Some(decision.decided_at));
        self.last = Some(decision.decided_at);
        if let Some(picture) = decision.image_sha256.filter(|_| !decision.scores.is_empty()) {
            let labels = &self.labels;
            self.truth.see(named.as_ref(), picture, decision.decided_at, || {
                scores_of(labels, decision)
                    .map(|score| score.map(Probability::get))
                    .collect()
            });
        }
        if !self.is_drawn(key) {
            return;
        }
        let scores = if decision.scores.is_empty() {
            Box::default()
        } else {
            let scores = scores_of(&self.labels, decision);
            scores.map(|score| score.map_or(f32::NAN, Probability::get)).collect()
        };
        let kept = Kept {
            picture: decision.image_sha256.as_ref().map_or(0, short),
            displays: recorded.product.displays,
            revision: self.revision(decision),
            scores,
        };
        self.products.insert(key, kept);
        while self.products.len() > self.most {
            self.zeros += 1;
            let zeros = self.zeros;
            self.products.retain(|key, _| key.leading_zeros() >= zeros);
        }
    }

    fn is_drawn(&self, key: Key) -> bool {
        key.leading_zeros() >= self.zeros
    }

    fn chance(&self) -> f64 {
        0.5_f64.powi(self.zeros.cast_signed())
    }

    /// The number of a revision; beyond the 65,535th all are the last.
    fn revision(&mut self, decision: &Decision) -> u16 {
        let made = (decision.revision, decision.version);
        let known = self.revisions.iter().rposition(|known| *known == made);
        let number = known.unwrap_or_else(|| {
            if self.revisions.len() < usize::from(u16::MAX) {
                self.revisions.push(made);
            }
            self.revisions.len() - 1
        });
        u16::try_from(number).unwrap_or(u16::MAX)
    }

    fn scaled(&self, count: usize) -> u64 {
        (count as f64 / self.chance()).round() as u64
    }

    fn days(&self) -> f64 {
        let micros = |at: Option<Moment>| at.map_or(0.0, |at| at.micros() as f64);
        ((micros(self.last) - micros(self.first)) / DAY_MICROS).max(1.0)
    }

    /// What was gathered, of so many decisions; none where no product has scores.
    pub fn basis(&self, decisions: u64) -> Option<Basis> {
        let scored = || self.products.values().filter(|kept| !kept.scores.is_empty());
        let products = scored().count();
        if products == 0 {
            return None;
        }
        let mut by_revision: BTreeMap<u16, usize> = BTreeMap::new();
        for kept in scored() {
            *by_revision.entry(kept.revision).or_default() += 1;
        }
        let mut revisions: Vec<RevisionShare> = by_revision
            .into_iter()
            .filter_map(|(number, products)| {
                let (revision, version) = *self.revisions.get(usize::from(number))?;
                let products = self.scaled(products);
                Some(RevisionShare {
                    revision,
                    version,
                    products,
                })
            })
            .collect();
        revisions.sort_by_key(|share| (std::cmp::Reverse(share.products), share.revision));
        Some(Basis {
            decisions,
            products: self.scaled(products),
            unscored: self.scaled(self.products.len() - products),
            without_displays: self.scaled(scored().filter(|kept| kept.displays.is_none()).count()),
            chance: self.chance(),
            first: self.first?,
            last: self.last?,
            days: self.days(),
            revisions,
        })
    }

    /// What is known of a label, by its number.
    pub fn evidence(&self, label: usize) -> Evidence {
        let known = self.truth.of_label(label);
        let said: HashMap<u64, bool> = known
            .iter()
            .map(|known| (short(&known.picture), known.present))
            .collect();
        let mut evidence = Evidence {
            chance: self.chance(),
            days: self.days(),
            ..Evidence::default()
        };
        let score_of = |score: &f32| Probability::new(*score);
        evidence.pairs = known
            .iter()
            .filter_map(|known| {
                Some(Pair {
                    score: score_of(known.score.as_ref()?)?,
                    present: known.present,
                    chance: 1.0,
                })
            })
            .collect();
        for kept in self.products.values() {
            let Some(score) = kept.scores.get(label).and_then(score_of) else {
                continue;
            };
            let score = score.get();
            let probability = match said.get(&kept.picture) {
                Some(present) => f64::from(u8::from(*present)),
                None => f64::from(score),
            };
            let displays = kept.displays.map_or(1.0, |displays| displays as f64);
            evidence.products.add(score, displays, probability);
        }
        evidence
    }
}

fn scores_of<'a>(labels: &'a [Label], decision: &'a Decision) -> impl Iterator<Item = Option<Probability>> + 'a {
    let score_of = |label: &Label| decision.scores.iter().find(|score| score.label == *label);
    labels
        .iter()
        .map(move |label| score_of(label).map(|score| score.probability))
}

fn short(picture: &Digest) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = picture.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// None where nothing tells it from others.
fn hash(named: Option<&ProductKey>, partner: &str, decision: &Decision) -> Option<Key> {
    let mut hasher = Sha256::new();
    hasher.update((partner.len() as u64).to_le_bytes());
    hasher.update(partner);
    match (named, &decision.image_sha256) {
        (Some(named), _) => hasher.update(&named.product_id),
        (None, Some(picture)) => {
            hasher.update([0]);
            hasher.update(picture.0);
        }
        (None, None) => return None,
    }
    let whole: [u8; 32] = hasher.finalize().into();
    whole.first_chunk::<16>().map(|first| Key::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Arm, LabelScore, Origin, PolicyVersion, Product};
    use crate::stats::threshold_at;

    fn label() -> Label {
        "firearm".parse().unwrap()
    }

    fn recorded(product_id: &str, at: i64, score: Option<f32>, displays: Option<u64>) -> Recorded {
        let score = score.and_then(Probability::new);
        let scores = score.map(|probability| LabelScore {
            label: label(),
            probability,
        });
        Recorded {
            decision: Decision {
                decision_id: format!("{product_id}@{at}"),
                verdicts: Vec::new(),
                scores: scores.into_iter().collect(),
                model: "adsafety".parse().unwrap(),
                version: Version::try_from(1).unwrap(),
                revision: RevisionId(Digest([1; 32])),
                policy_version: PolicyVersion(Digest([2; 32])),
                correction_seq: 0,
                arm: Arm::Stable,
                image_sha256: Some(Digest([at.to_le_bytes()[0]; 32])),
                known_picture: false,
                trace_id: String::new(),
                decided_at: Moment::from_micros(at),
            },
            origin: Origin::Judged,
            product: Product {
                partner_id: "acme".into(),
                product_id: product_id.into(),
                displays,
                ..Product::default()
            },
            countries: Vec::new(),
            ad_type: String::new(),
            facts: BTreeMap::new(),
            unreadable: None,
            counts: true,
        }
    }

    #[test]
    fn a_product_counts_once_with_its_latest_decision() {
        let mut gathered = Gathered::new(vec![label()], Truth::default());
        let day = 86_400_000_000;
        gathered.add_all(&[
            recorded("a", 0, Some(0.9), Some(7)),
            recorded("b", 1, Some(0.2), None),
            recorded("a", 2, Some(0.4), Some(5)),
            recorded("c", 3 * day, None, Some(1)),
            // Without an identity, by its picture.
            recorded("", 3 * day + 1, Some(0.5), Some(1)),
            recorded("", 3 * day + 1, Some(0.5), Some(2)),
        ]);
        let basis = gathered.basis(6).unwrap();
        assert_eq!((basis.products, basis.unscored, basis.without_displays), (3, 1, 1));
        assert_eq!((basis.days, basis.revisions[0].products), (3.0 + 1e-6 / 86_400.0, 3));
        let above = gathered.evidence(0).products.above();
        let at = |threshold: f32| {
            let above = above[crate::stats::step_of(threshold)];
            (above.count, above.weight)
        };
        assert_eq!(
            (at(0.0), at(0.3), at(0.45), at(0.9)),
            ((3, 8.0), (2, 7.0), (1, 2.0), (0, 0.0))
        );
        assert!(Gathered::new(vec![label()], Truth::default()).basis(0).is_none());
    }

    #[test]
    fn of_more_products_than_are_kept_some_are_drawn_by_chance_and_stand_for_all() {
        let mut gathered = Gathered::of_at_most(1000, vec![label()], Truth::default());
        let number = 20_000_u32;
        for product in 0..number {
            // Again and again, so that a product that was let go of comes back.
            for at in [0, 1] {
                let score = f64::from(product) / f64::from(number);
                gathered.add_all(&[recorded(&product.to_string(), at, Some(score as f32), Some(1))]);
            }
        }
        assert!(
            (500..=1000).contains(&gathered.products.len()),
            "{}",
            gathered.products.len()
        );
        let basis = gathered.basis(40_000).unwrap();
        assert_eq!(basis.chance, 1.0 / 32.0);
        assert!(basis.products.abs_diff(u64::from(number)) < 2500, "{basis:?}");
        let evidence = gathered.evidence(0);
        assert_eq!(evidence.chance, basis.chance);
        let above = evidence.products.above();
        let share = above[700].count as f64 / above[0].count as f64;
        assert!((share - 0.3).abs() < 0.06, "{share} from {}", threshold_at(700));
    }
}
