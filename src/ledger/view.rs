//! What a reader sees of one product: its record, read in place under the lock of its shard, in the words of the house.

use std::fmt;

use super::alphabet::Cursor;
use super::intern::Texts;
use super::packed::{self, FoundPart, Knowledge, LookPart, Record};
use super::revisions::Revisions;
use crate::base::{Digest, Label, Moment, Probability, RevisionId, TextsMark, Verdict};

/// One known product, as it is at one moment. It cannot leave the closure that it is given to.
#[derive(Clone, Copy)]
pub struct View<'a> {
    record: Record<'a>,
    known: Knowledge<'a>,
    texts: &'a Texts,
    revisions: &'a Revisions,
}

/// An amount of money, as `base::Money` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Price<'a> {
    pub units: i64,
    pub nanos: i32,
    /// ISO 4217.
    pub currency: &'a str,
}

/// What one revision made of the product's picture.
#[derive(Debug, Clone, Copy)]
pub struct LookView<'a> {
    pub revision: RevisionId,
    pub at: Moment,
    pub found: Found<'a>,
}

/// What came of a look.
#[derive(Debug, Clone, Copy)]
pub enum Found<'a> {
    Scores(Scores<'a>),
    /// Why the picture could not be judged, in words.
    Unreadable(&'a str),
}

/// The scores of one look.
#[derive(Clone, Copy)]
pub struct Scores<'a> {
    labels: &'a [Label],
    packed: &'a [u8],
}

/// A verdict that was taken over from another system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported<'a> {
    /// As `CountryCode::as_str` gives it; empty for the rest of the world.
    pub country: &'a str,
    pub verdict: Verdict,
    pub reason: &'a str,
}

impl<'a> View<'a> {
    /// The view of a record; none of a product of which only corrections are known.
    pub(super) fn new(record: Record<'a>, texts: &'a Texts, revisions: &'a Revisions) -> Option<Self> {
        record.known.map(|known| Self {
            record,
            known,
            texts,
            revisions,
        })
    }

    /// Whose catalogue it is in.
    pub fn partner_id(&self) -> &'a str {
        self.record.partner.text(&self.texts.names)
    }

    /// Its identity there.
    pub fn product_id(&self) -> &'a str {
        std::str::from_utf8(self.record.product_id).unwrap_or_default()
    }

    /// The number of the latest change of it, or of a correction of it alone.
    pub fn change(&self) -> u64 {
        self.record.change
    }

    /// The model that looked at it.
    pub fn model(&self) -> &'a str {
        self.known.parts.model.text(&self.texts.names)
    }

    /// The SHA-256 of its encoded picture; none where it came without one.
    pub fn image_sha256(&self) -> Option<Digest> {
        self.known.parts.picture
    }

    /// The mark of its texts.
    pub fn texts(&self) -> TextsMark {
        self.known.parts.texts
    }

    /// Its category; may be empty.
    pub fn category(&self) -> &'a str {
        self.known.parts.category.text(&self.texts.names)
    }

    /// Its language; may be empty.
    pub fn language(&self) -> &'a str {
        self.known.parts.language.text(&self.texts.names)
    }

    /// Its price, where it has one.
    pub fn price(&self) -> Option<Price<'a>> {
        self.known.parts.price.map(|price| Price {
            units: price.units,
            nanos: price.nanos,
            currency: price.currency.text(&self.texts.names),
        })
    }

    /// How often it is expected to be shown.
    pub fn displays(&self) -> Option<u64> {
        self.known.parts.displays
    }

    /// The facts given of it, by name in order.
    pub fn facts(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut cursor = Cursor(self.known.parts.facts.bytes(&self.texts.phrases));
        let text = |piece| std::str::from_utf8(piece).unwrap_or_default();
        std::iter::from_fn(move || (!cursor.0.is_empty()).then(|| (text(cursor.piece()), text(cursor.piece()))))
    }

    /// The numbers of the keyword rules that its texts match, where they were matched by this version of the rules; none where by another or by none:
    /// then they say nothing.
    pub fn matched(&self, by: u64) -> Option<impl ExactSizeIterator<Item = u16> + use<'a>> {
        let parts = &self.known.parts;
        let is_by = *parts.matched_by.bytes(&self.texts.names) == by.to_le_bytes();
        is_by.then(|| {
            parts
                .matched
                .chunks_exact(2)
                .map(|rule| Cursor(rule).array())
                .map(u16::from_le_bytes)
        })
    }

    /// What the revisions made of this very picture, the newest first; not those that were dropped.
    pub fn looks(&self) -> impl Iterator<Item = LookView<'a>> + use<'a> {
        let mut looks = self.known.looks.map(|look| self.look(look?));
        looks.sort_by_key(|look| std::cmp::Reverse(look.as_ref().map(|look: &LookView<'_>| look.at)));
        looks.into_iter().flatten()
    }

    /// What one revision made of this very picture.
    pub fn look_of(&self, revision: &RevisionId) -> Option<LookView<'a>> {
        let number = self.revisions.number(revision)?;
        self.known
            .looks
            .into_iter()
            .flatten()
            .find(|look| look.revision == number)
            .and_then(|look| self.look(look))
    }

    fn look(&self, look: LookPart<'a>) -> Option<LookView<'a>> {
        let (revision, labels) = self.revisions.get(look.revision)?;
        let found = match look.found {
            FoundPart::Packed(packed) => Found::Scores(Scores { labels, packed }),
            FoundPart::Unreadable(cause) => Found::Unreadable(cause.text(&self.texts.phrases)),
            FoundPart::Scores(_) => return None,
        };
        Some(LookView {
            revision,
            at: look.at,
            found,
        })
    }

    /// Verdicts of another system.
    pub fn imported(&self) -> impl Iterator<Item = Imported<'a>> + use<'a> {
        let texts = self.texts;
        let packed = self.known.parts.imported;
        packed::imported(packed).map(move |(country, verdict, reason)| Imported {
            // The rest of the world is two zeros.
            country: std::str::from_utf8(country).unwrap_or_default().trim_end_matches('\0'),
            verdict: Verdict::ALL
                .get(usize::from(verdict))
                .copied()
                .unwrap_or(Verdict::Block),
            reason: reason.text(&texts.phrases),
        })
    }

    /// When it was last seen.
    pub fn seen_at(&self) -> Moment {
        self.known.parts.seen_at
    }
}

impl<'a> Scores<'a> {
    /// Each label with its probability, in the order of the revision's labels.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Label, Probability)> + use<'a> {
        let probabilities = self
            .packed
            .chunks_exact(4)
            .map(|packed| f32::from_le_bytes(Cursor(packed).array()));
        let pairs = self.labels.iter().zip(probabilities);
        // Whatever is no probability was left out when it was written.
        pairs.filter_map(|(label, probability)| Some((label, Probability::new(probability)?)))
    }
}

impl fmt::Debug for Scores<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(label, p)| (label.as_str(), p.get())))
            .finish()
    }
}
