//! What another system decided, on its way in.

use std::collections::BTreeSet;

use super::correction::{MAX_REASON_BYTES, moment, verdict};
use super::request::{MAX_COUNTRIES, optional, parsed, product_from_wire, within};
use super::vigie;
use crate::base::{ImportedProduct, ImportedVerdict, Refusal};

/// Products of one message.
pub const MAX_IMPORTED: usize = 1000;
/// Bytes of a source's name.
const MAX_SOURCE_BYTES: usize = 64;

impl vigie::ImportRequest {
    /// What it takes of memory, about.
    pub fn bytes(&self) -> usize {
        prost::Message::encoded_len(self)
    }

    /// The name of the source, where one is given, and what it said.
    pub fn into_imported(self) -> Result<(Option<String>, Vec<ImportedProduct>), Refusal> {
        let source = Some(self.source).filter(|source| !source.is_empty());
        if let Some(source) = &source {
            within("source", source, MAX_SOURCE_BYTES)?;
            if source.trim() != source || source.chars().any(char::is_control) {
                let message = "visible characters are expected, without spaces at the ends";
                return Err(Refusal::invalid("source", message));
            }
        }
        if self.products.len() > MAX_IMPORTED {
            let message = format!("{} are given, at most {MAX_IMPORTED} are taken", self.products.len());
            return Err(Refusal::invalid("products", message));
        }
        let products = self.products.into_iter().enumerate();
        let products = products.map(|(place, product)| product.into_product(&format!("products[{place}]")));
        Ok((source, products.collect::<Result<_, _>>()?))
    }
}

impl vigie::ImportedProduct {
    /// The product and what was said of it; `path` is its own in the request. Also for whoever wants to know beforehand whether it will be taken.
    pub fn into_product(self, path: &str) -> Result<ImportedProduct, Refusal> {
        let of = |field: &str| {
            if path.is_empty() {
                field.to_owned()
            } else {
                format!("{path}.{field}")
            }
        };
        let product = self
            .product
            .ok_or_else(|| Refusal::invalid(of("product"), "is missing: give its partner and its product_id"))?;
        for (field, text) in [("partner_id", &product.partner_id), ("product_id", &product.product_id)] {
            if text.is_empty() {
                return Err(Refusal::invalid(
                    of(&format!("product.{field}")),
                    "is empty: an identity is expected",
                ));
            }
        }
        if product.picture.is_some() {
            let message = "pictures are not taken over: give its image_sha256";
            return Err(Refusal::invalid(of("product.image"), message));
        }
        Ok(ImportedProduct {
            product: product_from_wire(&of("product"), product)?,
            image_sha256: optional(&of("image_sha256"), &self.image_sha256)?,
            verdicts: verdicts(&of("verdicts"), self.verdicts)?,
            decided_at: self.decided_at.map(|at| moment(&of("decided_at"), at)).transpose()?,
        })
    }
}

fn verdicts(path: &str, told: Vec<vigie::ImportedVerdict>) -> Result<Vec<ImportedVerdict>, Refusal> {
    if told.is_empty() || told.len() > MAX_COUNTRIES {
        let message = format!("{} are given, 1 to {MAX_COUNTRIES} are taken", told.len());
        return Err(Refusal::invalid(path, message));
    }
    let mut countries = BTreeSet::new();
    let read = |(place, told): (usize, vigie::ImportedVerdict)| {
        let of = |field: &str| format!("{path}[{place}].{field}");
        let country = parsed(&of("country"), &told.country)?;
        if !countries.insert(country) {
            return Err(Refusal::invalid(
                of("country"),
                format!("{country:?} is there twice: one verdict a country"),
            ));
        }
        within(&of("reason"), &told.reason, MAX_REASON_BYTES)?;
        Ok(ImportedVerdict {
            country,
            verdict: verdict(&of("verdict"), told.verdict)?
                .ok_or_else(|| Refusal::invalid(of("verdict"), "ALLOW, BLOCK or REVIEW is expected"))?,
            reason: told.reason.trim().to_owned(),
        })
    };
    told.into_iter().enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{RefusalKind, Verdict};

    fn request() -> vigie::ImportRequest {
        let verdict = |country: &str, verdict: vigie::Verdict| vigie::ImportedVerdict {
            country: country.into(),
            verdict: verdict.into(),
            reason: " a knife ".into(),
        };
        vigie::ImportRequest {
            source: "old".into(),
            products: vec![vigie::ImportedProduct {
                product: Some(vigie::Product {
                    partner_id: "shop".into(),
                    product_id: "lamp".into(),
                    ..Default::default()
                }),
                verdicts: vec![verdict("FR", vigie::Verdict::Block), verdict("", vigie::Verdict::Allow)],
                ..Default::default()
            }],
        }
    }

    #[test]
    fn what_another_system_said_is_read_whole() {
        let (source, products) = request().into_imported().unwrap();
        assert_eq!(source.as_deref(), Some("old"));
        let said = &products[0].verdicts;
        assert_eq!((said[0].verdict, said[0].reason.as_str()), (Verdict::Block, "a knife"));
        assert_eq!(products[0].decided_at, None);
    }

    /// Spoils one field of a good request.
    type Spoil = fn(&mut vigie::ImportRequest);

    #[test]
    fn a_wrong_field_is_refused_by_its_path() {
        let cases: [(&str, Spoil); 12] = [
            ("source", |r| r.source = " old".into()),
            ("source", |r| r.source = "x".repeat(65)),
            ("products", |r| r.products = vec![r.products[0].clone(); 1001]),
            ("products[0].product", |r| r.products[0].product = None),
            ("products[0].product.partner_id", |r| {
                r.products[0].product.as_mut().unwrap().partner_id.clear();
            }),
            ("products[0].product.title", |r| {
                r.products[0].product.as_mut().unwrap().title = "x".repeat(70_000);
            }),
            ("products[0].product.image", |r| {
                let image = vigie::product::Picture::Image(bytes::Bytes::from_static(b"jpeg"));
                r.products[0].product.as_mut().unwrap().picture = Some(image);
            }),
            ("products[0].image_sha256", |r| {
                r.products[0].image_sha256 = "abc".into()
            }),
            ("products[0].verdicts", |r| r.products[0].verdicts.clear()),
            ("products[0].verdicts[1].country", |r| {
                r.products[0].verdicts[1].country = "FR".into();
            }),
            ("products[0].verdicts[0].verdict", |r| {
                r.products[0].verdicts[0].verdict = 0
            }),
            ("products[0].verdicts[1].reason", |r| {
                r.products[0].verdicts[1].reason = "x".repeat(3000);
            }),
        ];
        for (path, spoil) in cases {
            let mut wrong = request();
            spoil(&mut wrong);
            let refusal = wrong.into_imported().unwrap_err();
            assert_eq!(
                refusal.kind,
                RefusalKind::InvalidArgument { field: path.into() },
                "{refusal}"
            );
        }
    }
}
