//! What is known of one product, packed into one piece of bytes: written once, read in place.
//!
//! ```text
//! change u64 · kind u8 · partner · product id                            of every product
//! picture 32? · texts 16 · model · category · language · facts · price? · displays? ·
//! rules' version · rules · imported · number of looks · looks              of a known one: its substance
//! seen at u64 · when each look was                                         and its moments
//! ```
//! Shared texts stand as their numbers, scores as they came. A product of which only corrections are known is its key alone. The moments stand last:
//! two records are the same to a verdict where what stands before is the same.

use super::alphabet::{Cursor, put_number, put_piece, put_signed};
use super::intern::{Interner, Number};
use crate::base::{Digest, Moment, TextsMark};

/// How many looks are kept of a product: the live revision's, a candidate's, and those of the two before.
pub const LOOKS: usize = 4;

const KNOWN: u8 = 1;
const HAS_PICTURE: u8 = 2;
const HAS_PRICE: u8 = 4;
const HAS_DISPLAYS: u8 = 8;

/// Where the number of the latest change stands.
const CHANGE_BYTES: usize = 8;

/// A text in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextPart<'a> {
    /// One that many share, by its number.
    Shared(Number),
    /// Its own, where it is short or the table of shared ones is full.
    Own(&'a [u8]),
}

impl<'a> TextPart<'a> {
    /// A text as it is to be written. A very short one is no longer than a number would be.
    pub fn new(text: &'a [u8], shared: &Interner) -> Self {
        let number = (text.len() > SHORT).then(|| shared.number(text)).flatten();
        number.map_or(Self::Own(text), Self::Shared)
    }

    /// Its bytes.
    pub fn bytes(self, shared: &'a Interner) -> &'a [u8] {
        match self {
            Self::Shared(number) => shared.bytes(number),
            Self::Own(text) => text,
        }
    }

    /// The text itself; empty where it is none.
    pub fn text(self, shared: &'a Interner) -> &'a str {
        std::str::from_utf8(self.bytes(shared)).unwrap_or_default()
    }
}

/// The longest text that is written out rather than shared: a currency.
const SHORT: usize = 3;

/// A text is a number: of an own short one its length, of an own longer one `LONG`, of a shared one its number and `LONG`. An own one follows.
fn put_text(out: &mut Vec<u8>, text: TextPart<'_>) {
    match text {
        TextPart::Shared(number) => put_number(out, u64::from(number.get()) + LONG),
        TextPart::Own(text) if text.len() <= SHORT => {
            out.push(text.len() as u8);
            out.extend_from_slice(text);
        }
        TextPart::Own(text) => {
            put_number(out, LONG);
            put_piece(out, text);
        }
    }
}

const LONG: u64 = SHORT as u64 + 1;

fn text<'a>(cursor: &mut Cursor<'a>) -> TextPart<'a> {
    let number = cursor.number();
    let shared = number.checked_sub(LONG).map(|number| Number::new(number as u32));
    match shared {
        None => TextPart::Own(cursor.take(number as usize)),
        Some(None) => TextPart::Own(cursor.piece()),
        Some(Some(number)) => TextPart::Shared(number),
    }
}

/// An amount of money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedPrice<'a> {
    pub units: i64,
    pub nanos: i32,
    pub currency: TextPart<'a>,
}

/// What is known of a product beside its looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts<'a> {
    pub picture: Option<Digest>,
    pub texts: TextsMark,
    pub seen_at: Moment,
    pub model: TextPart<'a>,
    pub category: TextPart<'a>,
    pub language: TextPart<'a>,
    pub facts: TextPart<'a>,
    pub price: Option<PackedPrice<'a>>,
    pub displays: Option<u64>,
    /// The version of the keyword rules that were matched, as a shared text.
    pub matched_by: TextPart<'a>,
    /// The numbers of those that matched, two bytes each.
    pub matched: &'a [u8],
    /// Verdicts of another system: see `put_imported`.
    pub imported: &'a [u8],
}

/// One revision's look, by the revision's number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LookPart<'a> {
    pub revision: u32,
    pub at: Moment,
    pub found: FoundPart<'a>,
}

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FoundPart<'a> {
    /// As they are given.
    Scores(&'a [f32]),
    /// As they are kept: four bytes each.
    Packed(&'a [u8]),
    /// The cause.
    Unreadable(TextPart<'a>),
}

/// The looks of a product, in the order of their revisions' numbers.
pub type Looks<'a> = [Option<LookPart<'a>>; LOOKS];

/// Writes the record of a product of which nothing is known but its key.
pub fn pack_key(out: &mut Vec<u8>, partner: TextPart<'_>, product_id: &[u8]) {
    out.clear();
    out.extend_from_slice(&[0; CHANGE_BYTES]);
    out.push(0);
    put_text(out, partner);
    put_piece(out, product_id);
}

/// Writes the record of a known product.
pub fn pack(out: &mut Vec<u8>, partner: TextPart<'_>, product_id: &[u8], parts: &Parts<'_>, looks: &Looks<'_>) {
    pack_key(out, partner, product_id);
    let has = |is_there: bool, bit: u8| if is_there { bit } else { 0 };
    out[CHANGE_BYTES] = KNOWN
        | has(parts.picture.is_some(), HAS_PICTURE)
        | has(parts.price.is_some(), HAS_PRICE)
        | has(parts.displays.is_some(), HAS_DISPLAYS);
    if let Some(Digest(picture)) = parts.picture {
        out.extend_from_slice(&picture);
    }
    out.extend_from_slice(&parts.texts.0);
    for text in [parts.model, parts.category, parts.language, parts.facts] {
        put_text(out, text);
    }
    if let Some(price) = parts.price {
        put_signed(out, price.units);
        put_signed(out, i64::from(price.nanos));
        put_text(out, price.currency);
    }
    if let Some(displays) = parts.displays {
        put_number(out, displays);
    }
    put_text(out, parts.matched_by);
    put_piece(out, parts.matched);
    put_piece(out, parts.imported);
    out.push(looks.iter().flatten().count() as u8);
    for look in looks.iter().flatten() {
        put_look(out, look);
    }
    let seen_at = parts.seen_at.micros();
    out.extend_from_slice(&seen_at.to_le_bytes());
    for look in looks.iter().flatten() {
        put_signed(out, seen_at.wrapping_sub(look.at.micros()));
    }
}

/// A look is its revision, then the number of its scores and one, and the scores; or a zero and the cause.
fn put_look(out: &mut Vec<u8>, look: &LookPart<'_>) {
    put_number(out, u64::from(look.revision));
    match look.found {
        FoundPart::Scores(scores) => {
            put_number(out, scores.len() as u64 + 1);
            scores
                .iter()
                .for_each(|score| out.extend_from_slice(&score.to_le_bytes()));
        }
        FoundPart::Packed(scores) => {
            put_number(out, scores.len() as u64 / 4 + 1);
            out.extend_from_slice(scores);
        }
        FoundPart::Unreadable(cause) => {
            out.push(0);
            put_text(out, cause);
        }
    }
}

/// Writes the number of the latest change into a record.
pub fn set_change(record: &mut [u8], change: u64) {
    if let Some(place) = record.first_chunk_mut() {
        *place = change.to_le_bytes();
    }
}

/// A record being read.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    pub change: u64,
    pub partner: TextPart<'a>,
    pub product_id: &'a [u8],
    /// None where only corrections are known.
    pub known: Option<Knowledge<'a>>,
}

/// What is known, read in place.
#[derive(Debug, Clone, Copy)]
pub struct Knowledge<'a> {
    pub parts: Parts<'a>,
    /// All but the number of the change and the moments: what a verdict can depend on.
    pub substance: &'a [u8],
    pub looks: Looks<'a>,
}

/// The key of a record alone: the partner and the product's identity.
pub fn key(record: &[u8]) -> (TextPart<'_>, &[u8]) {
    let mut cursor = Cursor(record);
    cursor.take(CHANGE_BYTES + 1);
    (text(&mut cursor), cursor.piece())
}

/// The picture of a record alone.
pub fn picture(record: &[u8]) -> Option<Digest> {
    let mut cursor = Cursor(record);
    cursor.take(CHANGE_BYTES);
    let kind = cursor.byte();
    let _key = (text(&mut cursor), cursor.piece());
    (kind & HAS_PICTURE != 0).then(|| Digest(cursor.array()))
}

/// Reads a record.
pub fn unpack(record: &[u8]) -> Record<'_> {
    let mut cursor = Cursor(record);
    let change = u64::from_le_bytes(cursor.array());
    let kind = cursor.byte();
    let (partner, product_id) = (text(&mut cursor), cursor.piece());
    Record {
        change,
        partner,
        product_id,
        known: (kind & KNOWN != 0).then(|| knowledge(record, kind, cursor)),
    }
}

fn knowledge<'a>(record: &'a [u8], kind: u8, mut cursor: Cursor<'a>) -> Knowledge<'a> {
    let mut parts = Parts {
        picture: (kind & HAS_PICTURE != 0).then(|| Digest(cursor.array())),
        texts: TextsMark(cursor.array()),
        seen_at: Moment::from_micros(0),
        model: text(&mut cursor),
        category: text(&mut cursor),
        language: text(&mut cursor),
        facts: text(&mut cursor),
        price: (kind & HAS_PRICE != 0).then(|| PackedPrice {
            units: cursor.signed(),
            nanos: cursor.signed() as i32,
            currency: text(&mut cursor),
        }),
        displays: (kind & HAS_DISPLAYS != 0).then(|| cursor.number()),
        matched_by: text(&mut cursor),
        matched: cursor.piece(),
        imported: cursor.piece(),
    };
    let mut looks = [None; LOOKS];
    let count = usize::from(cursor.byte());
    for place in looks.iter_mut().take(count) {
        *place = Some(LookPart {
            revision: cursor.short(),
            at: Moment::from_micros(0),
            found: match cursor.number() {
                0 => FoundPart::Unreadable(text(&mut cursor)),
                length => FoundPart::Packed(cursor.take((length as usize - 1).saturating_mul(4))),
            },
        });
    }
    let moments = cursor.0.len();
    let seen_at = i64::from_le_bytes(cursor.array());
    parts.seen_at = Moment::from_micros(seen_at);
    for look in looks.iter_mut().flatten() {
        look.at = Moment::from_micros(seen_at.wrapping_sub(cursor.signed()));
    }
    let substance = record.get(CHANGE_BYTES..record.len() - moments).unwrap_or_default();
    Knowledge {
        parts,
        substance,
        looks,
    }
}

/// Writes an imported verdict: its country in two bytes, the verdict in one, the reason.
pub fn put_imported(out: &mut Vec<u8>, country: [u8; 2], verdict: u8, reason: TextPart<'_>) {
    out.extend_from_slice(&country);
    out.push(verdict);
    put_text(out, reason);
}

/// What `put_imported` wrote, one after the other.
pub fn imported(packed: &[u8]) -> impl Iterator<Item = (&[u8], u8, TextPart<'_>)> {
    let mut cursor = Cursor(packed);
    std::iter::from_fn(move || (!cursor.0.is_empty()).then(|| (cursor.take(2), cursor.byte(), text(&mut cursor))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Found<'a> = Result<Vec<f32>, TextPart<'a>>;

    fn text_part() -> impl Strategy<Value = TextPart<'static>> {
        prop_oneof![
            any::<Number>().prop_map(TextPart::Shared),
            prop::sample::select(vec![&b""[..], b"EUR", b"toys", b"a text that found the table full"])
                .prop_map(TextPart::Own),
        ]
    }

    fn found() -> impl Strategy<Value = Found<'static>> {
        let scores = prop::collection::vec(
            prop::num::f32::ANY.prop_filter("equal to itself", |s| !s.is_nan()),
            0..=64,
        );
        prop_oneof![scores.prop_map(Ok), text_part().prop_map(Err)]
    }

    prop_compose! {
        fn parts()(
            picture in prop::option::of(any::<[u8; 32]>().prop_map(Digest)),
            texts in any::<[u8; 16]>().prop_map(TextsMark),
            seen_at in any::<i64>().prop_map(Moment::from_micros),
            texts_of in prop::array::uniform5(text_part()),
            price in prop::option::of((any::<i64>(), any::<i32>(), text_part())),
            displays in prop::option::of(any::<u64>()),
        ) -> Parts<'static> {
            let [model, category, language, facts, matched_by] = texts_of;
            let price = price.map(|(units, nanos, currency)| PackedPrice { units, nanos, currency });
            Parts {
                picture, texts, seen_at, model, category, language, facts, price, displays, matched_by,
                matched: &[], imported: &[],
            }
        }
    }

    proptest! {
        #[test]
        fn a_record_reads_back_as_it_was_packed(
            change in any::<u64>(),
            partner in text_part(),
            product_id in prop_oneof![prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 1024)],
            parts in parts(),
            matched in prop::collection::vec(any::<u8>(), 0..200),
            imported_reasons in prop::collection::vec((any::<[u8; 2]>(), 0..3_u8, text_part()), 0..5),
            looks in prop::collection::vec((any::<u32>(), any::<i64>(), found()), 0..=LOOKS),
        ) {
            let mut imported_bytes = Vec::new();
            for (country, verdict, reason) in &imported_reasons {
                put_imported(&mut imported_bytes, *country, *verdict, *reason);
            }
            let parts = Parts { matched: &matched, imported: &imported_bytes, ..parts };
            let mut given = looks.iter().map(|(revision, at, found)| LookPart {
                revision: *revision,
                at: Moment::from_micros(*at),
                found: match found {
                    Ok(scores) => FoundPart::Scores(scores),
                    Err(cause) => FoundPart::Unreadable(*cause),
                },
            });
            let given: Looks<'_> = std::array::from_fn(|_| given.next());
            let mut packed = Vec::new();
            pack(&mut packed, partner, &product_id, &parts, &given);
            set_change(&mut packed, change);

            let record = unpack(&packed);
            let known = record.known.unwrap();
            prop_assert_eq!((record.change, record.partner, record.product_id), (change, partner, &product_id[..]));
            prop_assert_eq!(key(&packed), (partner, &product_id[..]));
            prop_assert_eq!(picture(&packed), parts.picture);
            prop_assert_eq!(known.parts, parts);
            prop_assert_eq!(
                imported(known.parts.imported).map(|(country, v, r)| (country.try_into().unwrap(), v, r)).collect::<Vec<_>>(),
                imported_reasons
            );
            let read: Vec<(u32, i64, Found<'_>)> = known.looks.iter().flatten().map(|look| (look.revision, look.at.micros(), match look.found {
                FoundPart::Packed(bytes) => Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()),
                FoundPart::Unreadable(cause) => Err(cause),
                FoundPart::Scores(_) => unreachable!("records hold packed scores"),
            })).collect();
            prop_assert_eq!(read, looks);

            let mut again = Vec::new();
            pack(&mut again, partner, &product_id, &known.parts, &known.looks);
            set_change(&mut again, change);
            prop_assert_eq!(&again, &packed, "what was read packs as it was");
        }

        #[test]
        fn no_bytes_are_too_odd_to_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let known = unpack(&bytes).known.map(|known| (known.looks.iter().flatten().count(), imported(known.parts.imported).count()));
            prop_assert!(known.is_none() || key(&bytes).1.len() < bytes.len());
        }
    }
}
