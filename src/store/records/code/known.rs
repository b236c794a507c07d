//! One known product as a row.

use std::borrow::Cow;

use super::bytes::{CodeError, Names, Reader, Writer};
use super::{
    FORM, column, read_form, read_money, read_original, verdict_named, write_country, write_money, write_original,
};
use crate::base::{ImportedVerdict, KnownProduct, Look, Moment, ProductKey, RevisionId, RevisionLook, TextsMark};

/// A known product on its way into the database.
#[derive(Debug)]
pub(in crate::store) struct KnownRow {
    pub partner_id: String,
    pub product_id: String,
    pub image: Option<[u8; 32]>,
    pub body: Vec<u8>,
}

/// A known product on its way out of the database.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct KnownColumns<'a> {
    pub partner_id: &'a str,
    pub product_id: &'a str,
    pub body: &'a [u8],
}

impl KnownRow {
    pub fn new(known: &KnownProduct) -> Self {
        Self {
            partner_id: column(&known.key.partner_id).into_owned(),
            product_id: column(&known.key.product_id).into_owned(),
            image: known.image_sha256.map(|digest| digest.0),
            body: body(known),
        }
    }
}

/// The columns that a product is found by.
pub(in crate::store) fn key_columns(key: &ProductKey) -> (Cow<'_, str>, Cow<'_, str>) {
    (column(&key.partner_id), column(&key.product_id))
}

fn body(known: &KnownProduct) -> Vec<u8> {
    let KnownProduct {
        key,
        model,
        image_sha256,
        texts,
        title,
        description,
        category,
        brand,
        language,
        price,
        displays,
        facts,
        looks,
        imported,
        seen_at,
    } = known;
    let mut writer = Writer::default();
    writer.byte(FORM);
    write_original(&mut writer, &key.partner_id);
    write_original(&mut writer, &key.product_id);
    writer.text(model.as_str());
    writer.option(*image_sha256, |writer, digest| writer.raw(&digest.0));
    writer.raw(&texts.0);
    for text in [title, description, category, brand, language] {
        writer.text(text);
    }
    write_money(&mut writer, price.as_ref());
    writer.option(*displays, Writer::number);
    writer.list(facts.iter(), |writer, (name, value)| {
        writer.text(name);
        writer.text(value);
    });
    writer.list(looks.iter(), write_look);
    writer.list(imported.iter(), |writer, imported| {
        write_country(writer, imported.country);
        writer.text(imported.verdict.as_str());
        writer.text(&imported.reason);
    });
    writer.signed(seen_at.micros());
    writer.finish()
}

fn write_look(writer: &mut Writer, revision_look: &RevisionLook) {
    let RevisionLook {
        revision,
        look,
        at,
        decision_id,
    } = revision_look;
    writer.raw(&revision.0.0);
    match look {
        Look::Scores(scores) => {
            writer.byte(0);
            writer.list(scores.iter(), |writer, score| writer.float(*score));
        }
        Look::Unreadable(cause) => {
            writer.byte(1);
            writer.text(cause);
        }
    }
    writer.signed(at.micros());
    writer.text(decision_id);
}

impl KnownColumns<'_> {
    /// The product that the row holds.
    pub fn read(&self, names: &mut Names) -> Result<KnownProduct, CodeError> {
        let mut reader = Reader::new(self.body);
        read_form(&mut reader)?;
        let known = KnownProduct {
            key: ProductKey {
                partner_id: read_original(&mut reader, self.partner_id)?,
                product_id: read_original(&mut reader, self.product_id)?,
            },
            model: names.model(reader.str()?)?,
            image_sha256: reader.option(Reader::digest)?,
            texts: TextsMark(reader.mark()?),
            title: reader.text()?,
            description: reader.text()?,
            category: reader.text()?,
            brand: reader.text()?,
            language: reader.text()?,
            price: read_money(&mut reader)?,
            displays: reader.option(Reader::number)?,
            facts: reader.list(|reader| Ok((reader.text()?, reader.text()?)))?,
            looks: reader.list(read_look)?,
            imported: reader.list(|reader| read_imported(reader, names))?,
            seen_at: Moment::from_micros(reader.signed()?),
        };
        reader.end().map(|()| known)
    }
}

fn read_look(reader: &mut Reader<'_>) -> Result<RevisionLook, CodeError> {
    Ok(RevisionLook {
        revision: RevisionId(reader.digest()?),
        look: match reader.byte()? {
            0 => Look::Scores(reader.list(Reader::float)?),
            1 => Look::Unreadable(reader.text()?),
            other => return Err(CodeError(format!("{other} is no look"))),
        },
        at: Moment::from_micros(reader.signed()?),
        decision_id: reader.text()?,
    })
}

fn read_imported(reader: &mut Reader<'_>, names: &mut Names) -> Result<ImportedVerdict, CodeError> {
    Ok(ImportedVerdict {
        country: names.country(reader.str()?)?,
        verdict: verdict_named(reader.str()?)?,
        reason: reader.text()?,
    })
}
