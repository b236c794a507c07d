//! What corrections say of pictures: of each label of each picture the last word, and what says nothing of any picture.

use std::collections::{BTreeMap, BTreeSet};

use crate::wire::Timestamp;
use crate::wire::vigie::{Correction, ProductKey, WrongLabel, correction};

/// What a correction is worth to training.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Worth {
    /// An exception: the model is right, and yet.
    Exception,
    Revoked,
    /// About all products of a partner, whatever their pictures show.
    WholePartner,
    /// Not about the label that is asked for.
    OtherLabel,
    Label(Word),
}

/// One person's word on one label.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub seq: u64,
    pub correction_id: String,
    pub label: String,
    pub present: bool,
    pub author: String,
    pub at: Timestamp,
    /// When it ended by itself, where it has.
    pub expired_at: Option<Timestamp>,
    pub reason: String,
    pub about: About,
}

/// What a word is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum About {
    /// The SHA-256 of a picture.
    Picture(String),
    /// A product, whatever its picture was then.
    Product(ProductKey),
}

/// Weighs a correction as of a moment; `only` is the label that is asked for, if one is.
pub(super) fn worth(correction: Correction, only: &str, now: Timestamp) -> Worth {
    let Some(correction::Kind::WrongLabel(WrongLabel { label, present })) = correction.kind else {
        return Worth::Exception;
    };
    if !only.is_empty() && label != only {
        return Worth::OtherLabel;
    }
    if correction.revoked_at.is_some() {
        return Worth::Revoked;
    }
    let about = match correction.scope {
        Some(correction::Scope::ImageSha256(picture)) => About::Picture(picture),
        Some(correction::Scope::Product(_)) if !correction.seen_image_sha256.is_empty() => {
            About::Picture(correction.seen_image_sha256)
        }
        Some(correction::Scope::Product(key)) => About::Product(key),
        Some(correction::Scope::PartnerId(_)) | None => return Worth::WholePartner,
    };
    let is_over = |end: &Timestamp| (end.seconds, end.nanos) <= (now.seconds, now.nanos);
    Worth::Label(Word {
        seq: correction.seq,
        correction_id: correction.correction_id,
        label,
        present,
        author: correction.author,
        at: correction.created_at.unwrap_or_default(),
        expired_at: correction.expires_at.filter(is_over),
        reason: correction.reason,
        about,
    })
}

/// Of each picture and each label the last word.
#[derive(Debug, Default)]
pub(super) struct Labels {
    by_picture: BTreeMap<String, BTreeMap<String, Kept>>,
}

/// The last word on a label of a picture, and those that it outranks.
#[derive(Debug)]
pub(super) struct Kept {
    pub word: Word,
    /// Earlier ones that say the same, and that say otherwise.
    pub same: u64,
    pub otherwise: u64,
}

impl Labels {
    /// Takes in a word on a picture, in any order.
    pub fn add(&mut self, picture: String, word: Word) {
        let labels = self.by_picture.entry(picture).or_default();
        let Some(kept) = labels.get_mut(&word.label) else {
            let label = word.label.clone();
            let kept = Kept {
                word,
                same: 0,
                otherwise: 0,
            };
            labels.insert(label, kept);
            return;
        };
        let changes = kept.word.present != word.present;
        if word.seq > kept.word.seq {
            kept.word = word;
            if changes {
                (kept.same, kept.otherwise) = (kept.otherwise, kept.same + 1);
                return;
            }
        }
        if changes {
            kept.otherwise += 1;
        } else {
            kept.same += 1;
        }
    }

    /// The SHA-256 of every picture.
    pub fn pictures(&self) -> impl ExactSizeIterator<Item = &String> {
        self.by_picture.keys()
    }

    /// What is said of a picture, by label.
    pub fn of(&self, picture: &str) -> impl Iterator<Item = &Kept> {
        self.by_picture.get(picture).into_iter().flat_map(BTreeMap::values)
    }

    /// Forgets a picture that is not to be had.
    pub fn forget(&mut self, picture: &str) {
        self.by_picture.remove(picture);
    }

    /// Every label that somebody spoke of, in order.
    pub fn names(&self) -> BTreeSet<&str> {
        self.by_picture
            .values()
            .flat_map(BTreeMap::keys)
            .map(String::as_str)
            .collect()
    }

    /// How many labels have words against the last.
    pub fn contested(&self) -> u64 {
        let kept = self.by_picture.values().flat_map(BTreeMap::values);
        kept.filter(|kept| kept.otherwise > 0).count() as u64
    }
}

impl Kept {
    /// What whoever trains should know of it.
    pub fn note(&self) -> String {
        let mut notes = Vec::new();
        if let Some(end) = self.word.expired_at {
            notes.push(format!("expired {}", crate::cli::show::moment(end.seconds)));
        }
        if self.otherwise > 0 {
            notes.push(format!("outranks {} earlier that said otherwise", self.otherwise));
        }
        if self.same > 0 {
            notes.push(format!("said {} times before", self.same));
        }
        notes.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vigie::Verdict;

    const NOW: Timestamp = Timestamp { seconds: 100, nanos: 0 };

    fn correction(scope: correction::Scope, kind: correction::Kind) -> Correction {
        Correction {
            seq: 1,
            scope: Some(scope),
            kind: Some(kind),
            ..Correction::default()
        }
    }

    fn wrong(label: &str, present: bool) -> correction::Kind {
        let label = label.to_owned();
        correction::Kind::WrongLabel(WrongLabel { label, present })
    }

    fn picture() -> correction::Scope {
        correction::Scope::ImageSha256("aa".into())
    }

    #[test]
    fn only_a_persons_word_on_a_picture_is_a_label() {
        let exception = correction(picture(), correction::Kind::Exception(Verdict::Block.into()));
        assert_eq!(worth(exception, "", NOW), Worth::Exception);
        let mut revoked = correction(picture(), wrong("firearm", true));
        revoked.revoked_at = Some(NOW);
        assert_eq!(worth(revoked, "", NOW), Worth::Revoked);
        let partner = correction(correction::Scope::PartnerId("acme".into()), wrong("firearm", true));
        assert_eq!(worth(partner.clone(), "", NOW), Worth::WholePartner);
        assert_eq!(worth(partner, "alcohol", NOW), Worth::OtherLabel);
        let key = ProductKey::default();
        let mut product = correction(correction::Scope::Product(key.clone()), wrong("firearm", false));
        let Worth::Label(word) = worth(product.clone(), "firearm", NOW) else {
            panic!("it is a label")
        };
        assert_eq!((word.about, word.expired_at), (About::Product(key), None));
        product.seen_image_sha256 = "bb".into();
        product.expires_at = Some(NOW);
        let Worth::Label(word) = worth(product, "", NOW) else {
            panic!("it is a label")
        };
        assert_eq!((word.about, word.expired_at), (About::Picture("bb".into()), Some(NOW)));
    }

    #[test]
    fn the_last_word_holds_in_whatever_order_words_come() {
        let word = |seq: u64, present: bool| {
            let Worth::Label(word) = worth(correction(picture(), wrong("firearm", present)), "", NOW) else {
                panic!("it is a label")
            };
            Word { seq, ..word }
        };
        let all = [word(1, true), word(2, false), word(3, true), word(4, true)];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut labels = Labels::default();
            for at in order {
                labels.add("aa".into(), all[at].clone());
            }
            let kept = labels.of("aa").next().unwrap();
            assert_eq!((kept.word.seq, kept.word.present), (4, true), "{order:?}");
            assert_eq!((kept.same, kept.otherwise), (2, 1), "{order:?}");
            assert_eq!(labels.contested(), 1);
            assert!(kept.note().contains("1 earlier that said otherwise"), "{}", kept.note());
        }
    }
}
