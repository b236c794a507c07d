//! What a line says: each field read for what it stands for, and told by its name where it cannot be.

use std::time::SystemTime;

use serde_json::Value;

use super::Wrong;
use super::rows::Row;
use crate::base::{CountryCode, IdError};
use crate::wire::vigie::{Money, Product, Verdict};
use crate::wire::{Timestamp, timestamp};

/// Every field that is read.
pub(super) const KNOWN: [&str; 16] = [
    "partner_id",
    "product_id",
    "title",
    "description",
    "category",
    "brand",
    "language",
    "price",
    "currency",
    "displays",
    "image_sha256",
    "country",
    "countries",
    "verdict",
    "reason",
    "decided_at",
];

/// What other systems call a verdict, in small letters and with `_` between words.
const WORDS: [(Verdict, &[&str]); 3] = [
    (
        Verdict::Allow,
        &[
            "allow", "allowed", "approve", "approved", "accept", "accepted", "pass", "passed", "ok", "eligible", "safe",
        ],
    ),
    (
        Verdict::Block,
        &[
            "block",
            "blocked",
            "reject",
            "rejected",
            "disapprove",
            "disapproved",
            "deny",
            "denied",
            "ban",
            "banned",
            "forbidden",
            "prohibited",
            "ineligible",
            "unsafe",
        ],
    ),
    (
        Verdict::Review,
        &[
            "review",
            "in_review",
            "under_review",
            "manual_review",
            "needs_review",
            "pending",
            "flagged",
            "escalated",
        ],
    ),
];

/// One line's word on one product.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    pub product: Product,
    pub image_sha256: String,
    /// In order, each once; the rest of the world alone where none is named.
    pub countries: Vec<String>,
    pub verdict: Verdict,
    pub reason: String,
    pub decided_at: Option<Timestamp>,
}

/// Reads a line. Whether its texts are short enough is for whoever takes them to say.
pub(super) fn said(row: &Row) -> Result<Said, Wrong> {
    let needed = |field: &str| match text(row, field)? {
        empty if empty.is_empty() => Err(Wrong::of(field, "is missing".to_owned())),
        text => Ok(text),
    };
    Ok(Said {
        product: Product {
            partner_id: needed("partner_id")?,
            product_id: needed("product_id")?,
            title: text(row, "title")?,
            description: text(row, "description")?,
            category: text(row, "category")?,
            brand: text(row, "brand")?,
            language: text(row, "language")?,
            price: price(row)?,
            displays: displays(row)?,
            picture: None,
        },
        image_sha256: text(row, "image_sha256")?.to_ascii_lowercase(),
        countries: countries(row)?,
        verdict: verdict(&needed("verdict")?)?,
        reason: text(row, "reason")?,
        decided_at: decided_at(row)?,
    })
}

/// A text without spaces at its ends; empty where there is none. Identities that are numbers are taken as written.
fn text(row: &Row, field: &str) -> Result<String, Wrong> {
    match row.get(field) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(other) => Err(Wrong::of(field, format!("is {}, and a text is expected", kind(other)))),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn verdict(word: &str) -> Result<Verdict, Wrong> {
    let plain = word.to_lowercase().replace([' ', '-'], "_");
    let found = WORDS.iter().find(|(_, words)| words.contains(&plain.as_str()));
    found.map(|(verdict, _)| *verdict).ok_or_else(|| {
        let why = format!(
            "{word:?} is no verdict: ALLOW, BLOCK or REVIEW is expected, or a word for it such as approved, rejected, pending"
        );
        Wrong::of("verdict", why)
    })
}

/// Of both fields; a list, or a text with commas, spaces, semicolons or bars between the codes.
fn countries(row: &Row) -> Result<Vec<String>, Wrong> {
    let mut codes = Vec::new();
    for field in ["country", "countries"] {
        let told: Vec<String> = match row.get(field) {
            Some(Value::Array(list)) => {
                let code = |value: &Value| match value {
                    Value::String(code) => Ok(code.clone()),
                    other => Err(Wrong::of(
                        field,
                        format!("holds {}, and codes are expected", kind(other)),
                    )),
                };
                list.iter().map(code).collect::<Result<_, _>>()?
            }
            _ => {
                let text = text(row, field)?;
                let parts = text.split([',', ';', '|', ' ']).filter(|part| !part.is_empty());
                parts.map(ToOwned::to_owned).collect()
            }
        };
        for code in told {
            let code = match code.trim() {
                "*" => "",
                code => code,
            };
            let in_capitals = code.to_ascii_uppercase().parse();
            // What is told of a wrong one is told of it as it was written.
            let parsed: Result<CountryCode, IdError> = in_capitals.or_else(|_| code.parse());
            let parsed = parsed.map_err(|error| Wrong::of(field, error.to_string()))?;
            let code = parsed.as_str().to_owned();
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    if codes.is_empty() {
        codes.push(String::new());
    }
    Ok(codes)
}

fn displays(row: &Row) -> Result<Option<u64>, Wrong> {
    let text = text(row, "displays")?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = |_| Wrong::of("displays", format!("{text:?} is no number of displays: 120000 is one"));
    text.parse().map(Some).map_err(wrong)
}

/// An object as in a catalogue, an amount with its currency before or after it, or an amount beside a `currency`.
fn price(row: &Row) -> Result<Option<Money>, Wrong> {
    let wrong = || {
        let why = "is no price: \"49.90 EUR\" is one, or an amount in price and its currency in currency";
        Wrong::of("price", why.to_owned())
    };
    if let Some(Value::Object(object)) = row.get("price") {
        let number = |field: &str| object.get(field).map_or(Some(0), Value::as_i64);
        let currency = object.get("currency").and_then(Value::as_str).ok_or_else(wrong)?;
        return Ok(Some(Money {
            units: number("units").ok_or_else(wrong)?,
            nanos: number("nanos")
                .and_then(|nanos| i32::try_from(nanos).ok())
                .ok_or_else(wrong)?,
            currency: currency.to_owned(),
        }));
    }
    let (price, column) = (text(row, "price")?, text(row, "currency")?);
    let parts: Vec<&str> = price.split_whitespace().collect();
    let (amount, currency) = match (parts.as_slice(), column.as_str()) {
        ([], _) => return Ok(None),
        ([amount], currency) if !currency.is_empty() => (*amount, currency),
        ([one, other], _) if one.starts_with(|letter: char| letter.is_ascii_alphabetic()) => (*other, *one),
        ([one, other], _) => (*one, *other),
        _ => return Err(wrong()),
    };
    let (units, nanos) = amount_of(amount).ok_or_else(wrong)?;
    Ok(Some(Money {
        units,
        nanos,
        currency: currency.to_uppercase(),
    }))
}

/// A decimal number as units and billionths, exactly; none where it is none, or has more places.
fn amount_of(text: &str) -> Option<(i64, i32)> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (units, places) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if units.is_empty() || !is_number(units) || !is_number(places) || places.len() > 9 {
        return None;
    }
    let nanos: i32 = format!("{places:0<9}").parse().ok()?;
    Some((sign * units.parse::<i64>().ok()?, sign as i32 * nanos))
}

/// A moment as RFC 3339 writes it, a day, or seconds since 1970.
fn decided_at(row: &Row) -> Result<Option<Timestamp>, Wrong> {
    let text = text(row, "decided_at")?;
    if text.is_empty() {
        return Ok(None);
    }
    let read = match text.parse::<i64>() {
        Ok(seconds) if text.len() > 4 => Some(Timestamp { seconds, nanos: 0 }),
        _ => text.parse().ok(),
    };
    let at: Timestamp = read.ok_or_else(|| {
        let why = format!("{text:?} is no moment: 2026-01-31T09:30:00Z, 2026-01-31 or seconds since 1970 are expected");
        Wrong::of("decided_at", why)
    })?;
    let now = timestamp(SystemTime::now());
    if (at.seconds, at.nanos) > (now.seconds, now.nanos) {
        return Err(Wrong::of("decided_at", format!("{text} lies in the future")));
    }
    Ok(Some(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        serde_json::from_str(json).unwrap()
    }

    fn with(fields: &str) -> Row {
        row(&format!(
            r#"{{"partner_id": "a", "product_id": 7, "verdict": "Rejected", {fields}}}"#
        ))
    }

    #[test]
    fn a_line_is_read_in_whatever_words_it_comes() {
        let read = said(&with(
            r#""title": " Lamp ", "price": "EUR 49.9", "displays": "12", "countries": ["fr", "DE"], "country": "FR",
               "reason": "a knife", "decided_at": "2025-11-27", "image_sha256": null"#,
        ))
        .unwrap();
        assert_eq!(
            (read.product.product_id.as_str(), read.product.title.as_str()),
            ("7", "Lamp")
        );
        let price = read.product.price.unwrap();
        assert_eq!(
            (price.units, price.nanos, price.currency.as_str()),
            (49, 900_000_000, "EUR")
        );
        assert_eq!(read.product.displays, Some(12));
        assert_eq!(read.countries, ["FR", "DE"]);
        assert_eq!(read.verdict, Verdict::Block);
        assert_eq!(read.decided_at.unwrap().seconds, 1_764_201_600);
        let plain = said(&with(r#""country": """#)).unwrap();
        assert_eq!(
            (plain.countries, plain.decided_at, plain.product.price),
            (vec![String::new()], None, None)
        );
        for (price, expected) in [
            (r#""price": "-3.05 usd""#, (-3, -50_000_000)),
            (r#""price": 12, "currency": "USD""#, (12, 0)),
            (r#""price": {"units": 1, "nanos": 5, "currency": "USD"}"#, (1, 5)),
        ] {
            let price = said(&with(price)).unwrap().product.price.unwrap();
            assert_eq!(((price.units, price.nanos), price.currency.as_str()), (expected, "USD"));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_field() {
        for (fields, field) in [
            (r#""verdict": "maybe""#, "verdict"),
            (r#""verdict": true"#, "verdict"),
            (r#""verdict": """#, "verdict"),
            (r#""partner_id": " ""#, "partner_id"),
            (r#""product_id": null"#, "product_id"),
            (r#""country": "France""#, "country"),
            (r#""countries": ["FR", 3]"#, "countries"),
            (r#""price": "49,90 EUR""#, "price"),
            (r#""price": "49.90""#, "price"),
            (r#""price": {"units": "x", "currency": "EUR"}"#, "price"),
            (r#""displays": "-1""#, "displays"),
            (r#""decided_at": "yesterday""#, "decided_at"),
            (r#""decided_at": "2999-01-01""#, "decided_at"),
            (r#""title": {}"#, "title"),
        ] {
            // The later of two fields of one name counts.
            let wrong = said(&with(fields)).unwrap_err();
            assert_eq!(wrong.field, field, "{fields}: {}", wrong.why);
        }
    }

    #[test]
    fn every_word_means_one_verdict() {
        let all: Vec<&str> = WORDS.iter().flat_map(|(_, words)| *words).copied().collect();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), distinct.len());
        assert_eq!(verdict("Under Review").unwrap(), Verdict::Review);
    }
}
