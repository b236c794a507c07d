//! Requests on their way in: each field is checked where it is read, and a refusal names its path.
//!
//! What a request may cost is bounded here as far as it can be seen without looking into the picture: the number of countries and
//! facts, the length of texts. The picture's own limits are checked where it is decoded.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::vigie;
use super::vigie::product::Picture as WirePicture;
use crate::base::{Classification, CountryCode, Money, Picture, Priority, Product, Refusal, Target, Version};

/// Every country there is, and the rest of the world.
pub const MAX_COUNTRIES: usize = 251;
/// Facts of one product.
pub const MAX_FACTS: usize = 256;
/// Bytes of an identity, of a category and the like.
pub const MAX_IDENTITY_BYTES: usize = 1024;
/// Bytes of a title or a description.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

impl vigie::ClassifyRequest {
    /// The request in the words of the house; `default` is its priority where it gives none.
    pub fn into_classification(self, default: Priority) -> Result<Classification, Refusal> {
        let priority = match vigie::Priority::try_from(self.priority) {
            Ok(vigie::Priority::Unspecified) => default,
            Ok(vigie::Priority::Live) => Priority::Live,
            Ok(vigie::Priority::Bulk) => Priority::Bulk,
            Err(_) => {
                return Err(Refusal::invalid(
                    "priority",
                    format!("{} is unknown: LIVE (1) or BULK (2) is expected", self.priority),
                ));
            }
        };
        let target = target(self.version, self.revision)?;
        let model = match self.model.as_str() {
            "" => None,
            name => Some(parsed("model", name)?),
        };
        let product = self
            .product
            .ok_or_else(|| Refusal::invalid("product", "is missing: give an id, a text or a picture"))?;
        checked_facts(&self.facts)?;
        Ok(Classification {
            product: product_from_wire(product)?,
            countries: countries(&self.countries)?,
            ad_type: within("ad_type", &self.ad_type, MAX_IDENTITY_BYTES).map(|()| self.ad_type.clone())?,
            facts: self.facts,
            model,
            target,
            priority,
        })
    }
}

fn target(version: Option<i64>, revision: Option<String>) -> Result<Target, Refusal> {
    match (version, revision) {
        (None, None) => Ok(Target::Plan),
        (Some(number), None) => self::version("version", number).map(Target::Version),
        (None, Some(revision)) => parsed("revision", &revision).map(Target::Revision),
        (Some(_), Some(_)) => Err(Refusal::invalid(
            "revision",
            "is given together with a version: name one of them",
        )),
    }
}

/// Facts within their bounds.
pub(super) fn checked_facts(facts: &BTreeMap<String, String>) -> Result<(), Refusal> {
    if facts.len() > MAX_FACTS {
        return Err(Refusal::invalid(
            "facts",
            format!("{} are given, at most {MAX_FACTS} are taken", facts.len()),
        ));
    }
    for (name, value) in facts {
        within("facts", name, MAX_IDENTITY_BYTES)?;
        within(&format!("facts[{name:?}]"), value, MAX_IDENTITY_BYTES)?;
    }
    Ok(())
}

/// Countries by their codes.
pub fn countries(codes: &[String]) -> Result<Vec<CountryCode>, Refusal> {
    if codes.len() > MAX_COUNTRIES {
        return Err(Refusal::invalid(
            "countries",
            format!("{} are given, at most {MAX_COUNTRIES} are taken", codes.len()),
        ));
    }
    codes
        .iter()
        .enumerate()
        .map(|(i, code)| parsed(&format!("countries[{i}]"), code))
        .collect()
}

fn product_from_wire(product: vigie::Product) -> Result<Product, Refusal> {
    for (field, text, limit) in [
        ("product.partner_id", &product.partner_id, MAX_IDENTITY_BYTES),
        ("product.product_id", &product.product_id, MAX_IDENTITY_BYTES),
        ("product.title", &product.title, MAX_TEXT_BYTES),
        ("product.description", &product.description, MAX_TEXT_BYTES),
        ("product.category", &product.category, MAX_IDENTITY_BYTES),
        ("product.brand", &product.brand, MAX_IDENTITY_BYTES),
        ("product.language", &product.language, MAX_IDENTITY_BYTES),
    ] {
        within(field, text, limit)?;
    }
    let picture = match product.picture {
        None => Picture::Missing,
        Some(WirePicture::Image(bytes)) if bytes.is_empty() => Picture::Missing,
        Some(WirePicture::Image(bytes)) => Picture::Encoded(bytes),
        Some(WirePicture::ImageUrl(_)) => {
            return Err(Refusal::invalid(
                "product.image_url",
                "no host is allowed: set fetch.allow_hosts",
            ));
        }
    };
    Ok(Product {
        partner_id: product.partner_id,
        product_id: product.product_id,
        title: product.title,
        description: product.description,
        category: product.category,
        brand: product.brand,
        language: product.language,
        price: product.price.map(money).transpose()?,
        displays: product.displays,
        picture,
    })
}

fn money(price: vigie::Money) -> Result<Money, Refusal> {
    let currency = &price.currency;
    if currency.len() != 3 || !currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
        let message = format!(
            "{:?} is not a currency: three capitals of ISO 4217 such as \"EUR\" are expected",
            shown(currency)
        );
        return Err(Refusal::invalid("product.price.currency", message));
    }
    let opposed = (price.units > 0 && price.nanos < 0) || (price.units < 0 && price.nanos > 0);
    if opposed || price.nanos.unsigned_abs() > 999_999_999 {
        let message = format!(
            "{} is given: -999999999 to 999999999 with the sign of units is expected",
            price.nanos
        );
        return Err(Refusal::invalid("product.price.nanos", message));
    }
    Ok(Money {
        units: price.units,
        nanos: price.nanos,
        currency: price.currency,
    })
}

/// A text as what it stands for, or the refusal with its field.
pub fn parsed<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T, Refusal> {
    within(field, text, MAX_IDENTITY_BYTES)?;
    text.parse()
        .map_err(|error: T::Err| Refusal::invalid(field, error.to_string()))
}

/// The same where an empty text asks for nothing.
pub fn optional<T: FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<Option<T>, Refusal> {
    match text {
        "" => Ok(None),
        text => parsed(field, text).map(Some),
    }
}

/// A version by its number.
pub fn version(field: &str, number: i64) -> Result<Version, Refusal> {
    Version::try_from(number).map_err(|error| Refusal::invalid(field, error.to_string()))
}

pub(super) fn within(field: &str, text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() > limit {
        return Err(Refusal::invalid(
            field,
            format!("{} bytes are given, at most {limit} are taken", text.len()),
        ));
    }
    Ok(())
}

/// The beginning of a text from outside, so that an error is never longer than what is read of it.
fn shown(text: &str) -> String {
    text.chars().take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RefusalKind;

    fn request() -> vigie::ClassifyRequest {
        vigie::ClassifyRequest {
            product: Some(vigie::Product {
                product_id: "p1".into(),
                price: Some(vigie::Money {
                    units: 12,
                    nanos: 500_000_000,
                    currency: "EUR".into(),
                }),
                picture: Some(WirePicture::Image(bytes::Bytes::from_static(b"jpeg"))),
                ..Default::default()
            }),
            countries: vec!["FR".into(), String::new()],
            ..Default::default()
        }
    }

    #[test]
    fn a_whole_request_is_read_whole() {
        let read = request().into_classification(Priority::Bulk).unwrap();
        assert_eq!(read.countries, ["FR".parse().unwrap(), CountryCode::REST_OF_WORLD]);
        assert_eq!(read.priority, Priority::Bulk);
        assert_eq!(read.target, Target::Plan);
        assert_eq!(
            read.product.picture,
            Picture::Encoded(bytes::Bytes::from_static(b"jpeg"))
        );
        assert_eq!(read.model, None);
    }

    /// Spoils one field of a good request.
    type Spoil = fn(&mut vigie::ClassifyRequest);

    #[test]
    fn a_wrong_field_is_refused_by_its_path() {
        let cases: [(&str, Spoil); 14] = [
            ("product", |r| r.product = None),
            ("countries[1]", |r| r.countries[1] = "fr".into()),
            ("countries", |r| r.countries = vec!["FR".into(); 252]),
            ("model", |r| r.model = "../etc".into()),
            ("version", |r| r.version = Some(0)),
            ("revision", |r| r.revision = Some("abc".into())),
            ("revision", |r| {
                (r.version, r.revision) = (Some(1), Some("0".repeat(64)))
            }),
            ("priority", |r| r.priority = 7),
            ("facts", |r| {
                r.facts = (0..257)
                    .map(|i| (i.to_string(), String::new()))
                    .collect::<BTreeMap<_, _>>()
            }),
            ("ad_type", |r| r.ad_type = "x".repeat(2000)),
            ("product.title", |r| {
                r.product.as_mut().unwrap().title = "x".repeat(70_000)
            }),
            ("product.image_url", |r| {
                r.product.as_mut().unwrap().picture = Some(WirePicture::ImageUrl("http://x".into()))
            }),
            ("product.price.currency", |r| {
                r.product.as_mut().unwrap().price.as_mut().unwrap().currency = "euro".into()
            }),
            ("product.price.nanos", |r| {
                r.product.as_mut().unwrap().price.as_mut().unwrap().nanos = -1
            }),
        ];
        for (path, spoil) in cases {
            let mut wrong = request();
            spoil(&mut wrong);
            let refusal = wrong.into_classification(Priority::Live).unwrap_err();
            assert_eq!(
                refusal.kind,
                RefusalKind::InvalidArgument { field: path.into() },
                "{refusal}"
            );
            assert!(refusal.message.len() < 400, "{refusal}");
        }
    }

    #[test]
    fn no_bytes_are_no_picture() {
        let mut empty = request();
        empty.product.as_mut().unwrap().picture = Some(WirePicture::Image(bytes::Bytes::new()));
        let read = empty.into_classification(Priority::Live).unwrap();
        assert_eq!(read.product.picture, Picture::Missing);
    }
}
