//! What people said of labels, held against the scores of the very pictures that they said it of.
//!
//! A correction of a picture is about that picture. One of a product is about the picture that it is bound to; where it is not bound, about the picture that the product
//! had when it was given, as far as is on record. A picture counts once for a label, by the last that was said of it. One for all products of a partner says nothing
//! of any picture: nobody looked at each. Neither does an exception, which is about a verdict. An expired correction was true of its picture and still is.

use std::collections::{HashMap, HashSet};

use crate::base::{Correction, CorrectionScope, Digest, Moment, ProductKey};

/// What was said, and the scores and histories that it takes to understand it.
#[derive(Debug, Default)]
pub(super) struct Truth {
    sayings: Vec<Saying>,
    /// The pictures of products that unbound corrections are about: each from when on.
    histories: HashMap<ProductKey, Vec<(Moment, Digest)>>,
    /// Pictures that something may have been said of, with their latest scores: one for each label, where there is one.
    scores: HashMap<Digest, Vec<Option<f32>>>,
    wanted: HashSet<Digest>,
}

#[derive(Debug)]
struct Saying {
    seq: u64,
    label: usize,
    present: bool,
    about: About,
}

#[derive(Debug)]
enum About {
    Picture(Digest),
    /// The picture that it had at this moment.
    Product(ProductKey, Moment),
}

/// One label of one picture: what a person says, and the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    pub picture: Digest,
    pub present: bool,
    /// None where no decision on it is among those that were read.
    pub score: Option<f32>,
}

impl Truth {
    /// Hears that a label, by its number, is there or not.
    pub fn hear(&mut self, correction: &Correction, label: usize, present: bool) {
        let about = match (&correction.scope, &correction.seen) {
            (CorrectionScope::Picture(picture), _) => About::Picture(*picture),
            (CorrectionScope::Product(_), Some(seen)) => match seen.image_sha256 {
                Some(picture) => About::Picture(picture),
                None => return,
            },
            (CorrectionScope::Product(key), None) => About::Product(key.clone(), correction.created_at),
            (CorrectionScope::Partner(_), _) => return,
        };
        match &about {
            About::Picture(picture) => drop(self.wanted.insert(*picture)),
            About::Product(key, _) => drop(self.histories.entry(key.clone()).or_default()),
        }
        let seq = correction.seq;
        self.sayings.push(Saying {
            seq,
            label,
            present,
            about,
        });
    }

    /// Sees a decision on a picture, in the order of time.
    pub fn see(
        &mut self,
        key: Option<&ProductKey>,
        picture: Digest,
        at: Moment,
        scores: impl FnOnce() -> Vec<Option<f32>>,
    ) {
        if self.sayings.is_empty() {
            return;
        }
        if let Some(history) = key.and_then(|key| self.histories.get_mut(key)) {
            self.wanted.insert(picture);
            if history.last().is_none_or(|(_, last)| *last != picture) {
                history.push((at, picture));
            }
        }
        if self.wanted.contains(&picture) {
            self.scores.insert(picture, scores());
        }
    }

    /// What is known of a label.
    pub fn of_label(&self, label: usize) -> Vec<Known> {
        let mut last: HashMap<Digest, &Saying> = HashMap::new();
        for saying in self.sayings.iter().filter(|saying| saying.label == label) {
            let Some(picture) = self.picture(&saying.about) else {
                continue;
            };
            let heard = last.entry(picture).or_insert(saying);
            if saying.seq > heard.seq {
                *heard = saying;
            }
        }
        let known = last.into_iter().map(|(picture, saying)| Known {
            picture,
            present: saying.present,
            score: self.scores.get(&picture).and_then(|scores| *scores.get(label)?),
        });
        known.collect()
    }

    fn picture(&self, about: &About) -> Option<Digest> {
        match about {
            About::Picture(picture) => Some(*picture),
            About::Product(key, at) => {
                let history = self.histories.get(key)?;
                let then = history.iter().rfind(|(from, _)| from <= at).or(history.first())?;
                Some(then.1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CorrectionKind, Principal, SeenThen, TextsMark};

    fn picture(number: u8) -> Digest {
        Digest([number; 32])
    }

    fn product() -> ProductKey {
        ProductKey {
            partner_id: "acme".into(),
            product_id: "1".into(),
        }
    }

    fn correction(seq: u64, scope: CorrectionScope, at: i64, seen: Option<u8>) -> Correction {
        Correction {
            seq,
            correction_id: seq.to_string(),
            scope,
            countries: Vec::new(),
            kind: CorrectionKind::WrongLabel {
                label: "firearm".parse().unwrap(),
                present: true,
            },
            reason: String::new(),
            expires_at: None,
            author: Principal::local(),
            created_at: Moment::from_micros(at),
            seen: seen.map(|number| SeenThen {
                image_sha256: Some(picture(number)),
                texts: TextsMark::default(),
            }),
            revoked: None,
            replica_only: false,
        }
    }

    fn see(truth: &mut Truth, at: i64, number: u8, score: f32) {
        truth.see(Some(&product()), picture(number), Moment::from_micros(at), || {
            vec![Some(score)]
        });
    }

    fn known(truth: &Truth) -> Vec<(u8, bool, Option<f32>)> {
        let mut known: Vec<_> = truth
            .of_label(0)
            .into_iter()
            .map(|known| (known.picture.0[0], known.present, known.score))
            .collect();
        known.sort_by_key(|known| known.0);
        known
    }

    #[test]
    fn what_was_said_holds_for_the_picture_that_it_was_said_of() {
        let mut truth = Truth::default();
        truth.hear(&correction(1, CorrectionScope::Product(product()), 15, None), 0, true);
        for (at, number, score) in [(10, 1, 0.1), (20, 2, 0.2), (30, 1, 0.3)] {
            see(&mut truth, at, number, score);
        }
        // Picture 1 it had then, and it counts with its latest score.
        assert_eq!(known(&truth), [(1, true, Some(0.3))]);
    }

    #[test]
    fn the_last_that_was_said_of_a_picture_holds_by_whichever_way() {
        let mut truth = Truth::default();
        truth.hear(&correction(7, CorrectionScope::Picture(picture(1)), 5, None), 0, true);
        truth.hear(
            &correction(8, CorrectionScope::Product(product()), 15, Some(1)),
            0,
            false,
        );
        truth.hear(&correction(3, CorrectionScope::Picture(picture(9)), 5, None), 0, true);
        truth.hear(
            &correction(9, CorrectionScope::Partner("acme".into()), 15, None),
            0,
            true,
        );
        see(&mut truth, 10, 1, 0.4);
        assert_eq!(known(&truth), [(1, false, Some(0.4)), (9, true, None)]);
    }

    #[test]
    fn a_product_that_was_corrected_before_it_was_seen_counts_by_its_first_picture() {
        let mut truth = Truth::default();
        truth.hear(&correction(1, CorrectionScope::Product(product()), 5, None), 0, true);
        assert_eq!(known(&truth), []);
        see(&mut truth, 10, 4, 0.5);
        see(&mut truth, 11, 5, 0.6);
        assert_eq!(known(&truth), [(4, true, Some(0.5))]);
    }
}
