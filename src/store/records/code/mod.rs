//! Decisions and known products as bytes: small, quick to read back by the million, and of a stated form that older records keep.
//!
//! The first byte is the form. A field that is added to a word of the house is added here under the next form, and the older ones are still
//! read; what was written with a form that this program does not know is an error, never a guess.

mod bytes;
mod decision;
mod known;

pub(in crate::store) use bytes::{CodeError, Names};
pub(in crate::store) use decision::{DecisionColumns, DecisionRow, digest, pairs};
pub(in crate::store) use known::{KnownColumns, KnownRow, key_columns};

use std::borrow::Cow;

use bytes::{Reader, Writer};
use sha2::{Digest as _, Sha256};

use crate::base::{CountryCode, Digest, Money, Source, Verdict};

const FORM: u8 = 1;

/// The longest text that stands in a column as it is, in bytes: a database's index takes no longer ones.
const LONGEST: usize = 256;

/// Begins the stand-in of a text that cannot stand in a column.
const STAND_IN: char = '\u{1a}';

/// A text as an indexed column holds it: itself, or a stand-in made of its hash where it is too long or has a character that not every
/// database takes. Two texts never share one, so what is asked for by a column is asked for by the text.
pub(in crate::store) fn column(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && !text.contains('\0') && !text.starts_with(STAND_IN) {
        return Cow::Borrowed(text);
    }
    let digest = Digest(Sha256::digest(text).into());
    Cow::Owned(format!("{STAND_IN}{digest}"))
}

/// A text that its column may not hold as it is: written only where it differs.
fn write_original(writer: &mut Writer, text: &str) {
    let original = matches!(column(text), Cow::Owned(_)).then_some(text);
    writer.option(original, Writer::text);
}

fn read_original(reader: &mut Reader<'_>, column: &str) -> Result<String, CodeError> {
    Ok(reader.option(Reader::text)?.unwrap_or_else(|| column.to_owned()))
}

fn read_form(reader: &mut Reader<'_>) -> Result<(), CodeError> {
    match reader.byte()? {
        FORM => Ok(()),
        other => Err(CodeError(format!("it has form {other}, {FORM} is known"))),
    }
}

fn write_money(writer: &mut Writer, price: Option<&Money>) {
    writer.option(price, |writer, Money { units, nanos, currency }| {
        writer.signed(*units);
        writer.signed(i64::from(*nanos));
        writer.text(currency);
    });
}

fn read_money(reader: &mut Reader<'_>) -> Result<Option<Money>, CodeError> {
    reader.option(|reader| {
        Ok(Money {
            units: reader.signed()?,
            nanos: i32::try_from(reader.signed()?).map_err(|error| CodeError(error.to_string()))?,
            currency: reader.text()?,
        })
    })
}

fn write_country(writer: &mut Writer, country: CountryCode) {
    writer.text(country.as_str());
}

fn verdict_named(name: &str) -> Result<Verdict, CodeError> {
    let known = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == name);
    known.ok_or_else(|| CodeError(format!("{name:?} is no verdict")))
}

/// Every source, each with its name in a column; its place here is its number in the bytes, so new ones come at the end.
const SOURCES: [(Source, &str); 10] = [
    (Source::Model, "MODEL"),
    (Source::Rule, "RULE"),
    (Source::Correction, "CORRECTION"),
    (Source::Keyword, "KEYWORD"),
    (Source::Category, "CATEGORY"),
    (Source::ProductId, "PRODUCT_ID"),
    (Source::Price, "PRICE"),
    (Source::Quality, "QUALITY"),
    (Source::Fallback, "FALLBACK"),
    (Source::Imported, "IMPORTED"),
];

fn source_number(source: Source) -> u8 {
    // A match, so that a new source cannot be forgotten.
    match source {
        Source::Model => 0,
        Source::Rule => 1,
        Source::Correction => 2,
        Source::Keyword => 3,
        Source::Category => 4,
        Source::ProductId => 5,
        Source::Price => 6,
        Source::Quality => 7,
        Source::Fallback => 8,
        Source::Imported => 9,
    }
}

fn source_numbered(number: u8) -> Result<Source, CodeError> {
    let known = SOURCES.get(usize::from(number)).map(|(source, _)| *source);
    known.ok_or_else(|| CodeError(format!("{number} is no source")))
}

/// A source's name in a column.
pub(in crate::store) fn source_name(source: Source) -> &'static str {
    SOURCES[usize::from(source_number(source))].1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ImportedVerdict, KnownProduct, Look, Moment, ProductKey, RevisionId, RevisionLook, TextsMark};

    #[test]
    fn every_source_stands_at_its_number() {
        for (number, (source, name)) in SOURCES.into_iter().enumerate() {
            assert_eq!(usize::from(source_number(source)), number);
            assert_eq!(serde_json::to_value(source).unwrap(), name);
        }
    }

    #[test]
    fn a_column_takes_any_text_and_never_two_the_same() {
        let long = "x".repeat(100_000);
        let stand_in = column(&long).into_owned();
        let texts = ["", "a", "a\0", "\0", long.as_str(), &stand_in, "\u{1a}"];
        let columns: std::collections::BTreeSet<_> = texts.iter().map(|text| column(text)).collect();
        assert_eq!(columns.len(), texts.len());
        assert!(
            columns
                .iter()
                .all(|column| column.len() <= LONGEST && !column.contains('\0'))
        );
    }

    fn known() -> KnownProduct {
        KnownProduct {
            key: ProductKey {
                partner_id: "shop\0".to_owned(),
                product_id: "lamp".to_owned(),
            },
            model: "adsafety".parse().unwrap(),
            image_sha256: Some(Digest([3; 32])),
            texts: TextsMark([4; 16]),
            title: "Lampe".to_owned(),
            description: String::new(),
            category: "Home".to_owned(),
            brand: "Vigie".to_owned(),
            language: "fr".to_owned(),
            price: Some(Money {
                units: -1,
                nanos: -5,
                currency: "EUR".to_owned(),
            }),
            displays: Some(u64::MAX),
            facts: [("season".to_owned(), "winter".to_owned())].into(),
            looks: vec![
                RevisionLook {
                    revision: RevisionId(Digest([5; 32])),
                    look: Look::Scores(vec![0.25, f32::NAN]),
                    at: Moment::from_micros(7),
                    decision_id: "d".to_owned(),
                },
                RevisionLook {
                    revision: RevisionId(Digest([6; 32])),
                    look: Look::Unreadable("it is cut short".to_owned()),
                    at: Moment::from_micros(-7),
                    decision_id: String::new(),
                },
            ],
            imported: vec![ImportedVerdict {
                country: "FR".parse().unwrap(),
                verdict: Verdict::Review,
                reason: "as before".to_owned(),
            }],
            seen_at: Moment::from_micros(9),
        }
    }

    fn read(row: &KnownRow, body: &[u8]) -> Result<KnownProduct, CodeError> {
        let columns = KnownColumns {
            partner_id: &row.partner_id,
            product_id: &row.product_id,
            body,
        };
        columns.read(&mut Names::default())
    }

    #[test]
    fn bytes_that_were_changed_are_an_error_or_another_value_never_a_panic() {
        let row = KnownRow::new(&known());
        // Compared as texts, since a score that is no number equals nothing.
        assert_eq!(
            format!("{:?}", read(&row, &row.body).unwrap()),
            format!("{:?}", known())
        );
        for place in 0..row.body.len() {
            assert!(read(&row, &row.body[..place]).is_err(), "cut at {place}");
            for value in [0, 1, 2, 0x7f, 0x80, 0xff] {
                let mut body = row.body.clone();
                body[place] = value;
                let _ = read(&row, &body);
            }
        }
        let mut newer = row.body.clone();
        newer[0] = FORM + 1;
        assert_eq!(
            read(&row, &newer),
            Err(CodeError("it has form 2, 1 is known".to_owned()))
        );
    }
}
