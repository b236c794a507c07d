//! What a product's record becomes when the product is judged again: a pure function of what was known and what is told.
//!
//! What is told may come late: the fill from the store runs while new judgements arrive. So the later sight of a product wins, whichever is told first;
//! an earlier one can only add its looks, and only where they are of the picture that is known. A word of another system without a picture is the
//! exception: it never takes the place of a look, and always gives way to one.

use super::alphabet::put_piece;
use super::intern::Texts;
use super::packed::{self, FoundPart, Knowledge, LOOKS, LookPart, Looks, PackedPrice, Parts, TextPart, pack};
use super::revisions::Revisions;
use crate::base::{CountryCode, KnownProduct, Look, Probability, RevisionLook, Verdict};

/// Which keyword rules a product's texts match: numbers that mean something to whoever wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Matched {
    /// The version of the rules. Whoever has another version does not see the numbers.
    pub by: u64,
    pub rules: Vec<u16>,
}

/// What a judgement changed of what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Judged {
    /// Nothing was known of the product.
    pub is_new: bool,
    pub picture_changed: bool,
    pub texts_changed: bool,
    /// The number of this change; none where nothing changed that a verdict can depend on.
    pub change: Option<u64>,
    /// Looks that were not taken: of a revision that is not registered, or with other than one probability for each of its labels.
    pub looks_left_out: usize,
}

/// The shared tables that a record is written by.
pub struct Tables<'a> {
    pub texts: &'a Texts,
    pub revisions: &'a Revisions,
}

/// Writes the new record; what `change` it is, is left to the caller. None where it is to stay as it is.
pub fn merge(
    out: &mut Vec<u8>,
    known: &KnownProduct,
    matched: &Matched,
    before: Option<&Knowledge<'_>>,
    tables: Tables<'_>,
) -> Option<Judged> {
    let Tables { texts, revisions } = tables;
    let is_same_picture = before.is_some_and(|before| before.parts.picture == known.image_sha256);
    let mut is_late = before.is_some_and(|before| known.seen_at < before.parts.seen_at);
    if let Some(before) = before {
        // Another system's word says nothing against a look, whichever is the later.
        let is_word_alone = known.looks.is_empty() && !known.imported.is_empty() && known.image_sha256.is_none();
        if is_word_alone && has_looks(before, revisions) {
            return None;
        }
        let is_taken = |look| look_part(look, texts, revisions).is_some();
        if is_late && was_word_alone(before, revisions) && known.looks.iter().any(is_taken) {
            is_late = false;
        }
    }
    if is_late && !is_same_picture {
        return None;
    }
    let mut looks: Looks<'_> = [None; LOOKS];
    if let Some(before) = before.filter(|_| is_same_picture) {
        looks = before
            .looks
            .map(|look| look.filter(|look| revisions.get(look.revision).is_some()));
    }
    let taken = known.looks.iter().filter_map(|look| look_part(look, texts, revisions));
    let looks_left_out = known.looks.len() - taken.map(|look| add_look(&mut looks, look)).count();
    looks.sort_unstable_by_key(|look| look.map(|look| look.revision));

    let partner = TextPart::new(known.key.partner_id.as_bytes(), &texts.names);
    let product_id = known.key.product_id.as_bytes();
    if let Some(before) = before.filter(|_| is_late) {
        pack(out, partner, product_id, &before.parts, &looks);
    } else {
        let mut own = Own::default();
        let parts = own.parts(known, matched, texts);
        pack(out, partner, product_id, &parts, &looks);
    }
    Some(Judged {
        is_new: before.is_none(),
        picture_changed: before.is_some() && !is_same_picture,
        texts_changed: !is_late && before.is_some_and(|before| before.parts.texts != known.texts),
        change: None,
        looks_left_out,
    })
}

fn has_looks(known: &Knowledge<'_>, revisions: &Revisions) -> bool {
    let mut looks = known.looks.iter().flatten();
    looks.any(|look| revisions.get(look.revision).is_some())
}

/// Only another system had spoken of it, and nobody knew of which picture.
fn was_word_alone(before: &Knowledge<'_>, revisions: &Revisions) -> bool {
    let Parts { picture, imported, .. } = &before.parts;
    picture.is_none() && !imported.is_empty() && !has_looks(before, revisions)
}

/// One look of each revision, the newer; and of all of them the newest.
fn add_look<'a>(looks: &mut Looks<'a>, look: LookPart<'a>) {
    let is_of_same = |other: &&mut Option<LookPart<'_>>| other.is_some_and(|other| other.revision == look.revision);
    let place = match looks.iter_mut().find(is_of_same) {
        Some(place) => Some(place),
        // The free place, or that of the oldest.
        None => looks.iter_mut().min_by_key(|other| other.map(|other| other.at)),
    };
    if let Some(place) = place.filter(|place| place.is_none_or(|other| look.at >= other.at)) {
        *place = Some(look);
    }
}

fn look_part<'a>(look: &'a RevisionLook, texts: &Texts, revisions: &Revisions) -> Option<LookPart<'a>> {
    let revision = revisions.number(&look.revision)?;
    let (_, labels) = revisions.get(revision)?;
    let found = match &look.look {
        Look::Scores(scores) => {
            let are_sound = scores.iter().all(|score| Probability::new(*score).is_some());
            FoundPart::Scores(Some(scores).filter(|scores| are_sound && scores.len() == labels.len())?)
        }
        Look::Unreadable(cause) => FoundPart::Unreadable(TextPart::new(cause.as_bytes(), &texts.phrases)),
    };
    Some(LookPart {
        revision,
        at: look.at,
        found,
    })
}

/// The bytes that a record's parts stand in until they are packed; without allocation where there are none, as is usual.
#[derive(Default)]
struct Own {
    facts: Vec<u8>,
    matched_by: [u8; 8],
    matched: Vec<u8>,
    imported: Vec<u8>,
}

impl Own {
    fn parts<'a>(&'a mut self, known: &'a KnownProduct, matched: &Matched, texts: &Texts) -> Parts<'a> {
        let name = |text: &'a str| TextPart::new(text.as_bytes(), &texts.names);
        self.matched_by = matched.by.to_le_bytes();
        self.matched
            .extend(matched.rules.iter().flat_map(|rule| rule.to_le_bytes()));
        // A set of facts is one text: name and value, one after the other.
        for text in known.facts.iter().flat_map(|(fact, value)| [fact, value]) {
            put_piece(&mut self.facts, text.as_bytes());
        }
        for verdict in &known.imported {
            let reason = TextPart::new(verdict.reason.as_bytes(), &texts.phrases);
            packed::put_imported(
                &mut self.imported,
                country(verdict.country),
                strictness(verdict.verdict),
                reason,
            );
        }
        Parts {
            picture: known.image_sha256,
            texts: known.texts,
            seen_at: known.seen_at,
            model: name(known.model.as_str()),
            category: name(&known.category),
            language: name(&known.language),
            facts: TextPart::new(&self.facts, &texts.phrases),
            price: known.price.as_ref().map(|price| PackedPrice {
                units: price.units,
                nanos: price.nanos,
                currency: name(&price.currency),
            }),
            displays: known.displays,
            matched_by: TextPart::new(&self.matched_by, &texts.names),
            matched: &self.matched,
            imported: &self.imported,
        }
    }
}

/// A country in two bytes; the rest of the world is two zeros.
fn country(country: CountryCode) -> [u8; 2] {
    country.as_str().as_bytes().try_into().unwrap_or_default()
}

/// Its place in `Verdict::ALL`.
fn strictness(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Review => 1,
        Verdict::Block => 2,
    }
}
