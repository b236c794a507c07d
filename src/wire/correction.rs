//! Corrections on their way in and out.

use std::time::SystemTime;

use prost_types::Timestamp;

use super::decision::{timestamp, verdict_to_wire};
use super::record::code;
use super::request::{MAX_IDENTITY_BYTES, countries, parsed, within};
use super::vigie;
use super::vigie::correct_request::{Kind as AskedKind, Scope as AskedScope};
use super::vigie::correction::{Kind, Scope};
use crate::base::{Correction, CorrectionKind, CorrectionScope, Moment, NewCorrection, ProductKey, Refusal, Verdict};

/// Bytes of a reason that people write.
pub const MAX_REASON_BYTES: usize = 2048;
/// Characters of a request's identity.
const MAX_REQUEST_ID: usize = 128;

impl vigie::CorrectRequest {
    /// The correction in the words of the house, and the request's identity. It is bound to nothing yet.
    pub fn into_correction(self) -> Result<(String, NewCorrection), Refusal> {
        let request_id = request_id(self.request_id)?;
        let scope = match self.scope {
            Some(AskedScope::Product(key)) => CorrectionScope::Product(product_key("product", key)?),
            Some(AskedScope::ImageSha256(digest)) => CorrectionScope::Picture(parsed("image_sha256", &digest)?),
            Some(AskedScope::PartnerId(partner)) => CorrectionScope::Partner(named("partner_id", partner)?),
            None => {
                let message = "nothing is named: give a product, an image_sha256 or a partner_id";
                return Err(Refusal::invalid("scope", message));
            }
        };
        let kind = match self.kind {
            Some(AskedKind::WrongLabel(wrong)) => CorrectionKind::WrongLabel {
                label: parsed("wrong_label.label", &wrong.label)?,
                present: wrong.present,
            },
            Some(AskedKind::Exception(number)) => CorrectionKind::Exception(
                verdict("exception", number)?
                    .ok_or_else(|| Refusal::invalid("exception", "ALLOW, BLOCK or REVIEW is expected"))?,
            ),
            None => {
                let message = "nothing is said: give a wrong_label or an exception";
                return Err(Refusal::invalid("kind", message));
            }
        };
        let new = NewCorrection {
            scope,
            countries: countries(&self.countries)?,
            kind,
            reason: reason(self.reason)?,
            expires_at: self.expires_at.map(|at| moment("expires_at", at)).transpose()?,
            seen: None,
        };
        Ok((request_id, new))
    }
}

/// The identity that a caller gives a writing request.
pub fn request_id(text: String) -> Result<String, Refusal> {
    let is_sound =
        !text.trim().is_empty() && text.chars().count() <= MAX_REQUEST_ID && !text.chars().any(char::is_control);
    if is_sound {
        return Ok(text);
    }
    let message = format!("1 to {MAX_REQUEST_ID} characters of your choice are expected, another for each act");
    Err(Refusal::invalid("request_id", message))
}

/// What a person writes for others to read.
pub fn reason(text: String) -> Result<String, Refusal> {
    within("reason", &text, MAX_REASON_BYTES)?;
    if text.trim().is_empty() {
        return Err(Refusal::invalid(
            "reason",
            "is missing: say in a sentence why, for those who come after you",
        ));
    }
    Ok(text.trim().to_owned())
}

/// A product's key; a product needs an identity of its own.
pub fn product_key(field: &str, key: vigie::ProductKey) -> Result<ProductKey, Refusal> {
    within(&format!("{field}.partner_id"), &key.partner_id, MAX_IDENTITY_BYTES)?;
    Ok(ProductKey {
        partner_id: key.partner_id,
        product_id: named(&format!("{field}.product_id"), key.product_id)?,
    })
}

/// An identity that must be given.
pub fn named(field: &str, text: String) -> Result<String, Refusal> {
    within(field, &text, MAX_IDENTITY_BYTES)?;
    if text.is_empty() {
        return Err(Refusal::invalid(field, "is empty: an identity is expected"));
    }
    Ok(text)
}

/// A verdict by its number; none for 0.
pub fn verdict(field: &str, number: i32) -> Result<Option<Verdict>, Refusal> {
    match vigie::Verdict::try_from(number) {
        Ok(vigie::Verdict::Unspecified) => Ok(None),
        Ok(vigie::Verdict::Allow) => Ok(Some(Verdict::Allow)),
        Ok(vigie::Verdict::Block) => Ok(Some(Verdict::Block)),
        Ok(vigie::Verdict::Review) => Ok(Some(Verdict::Review)),
        Err(_) => Err(Refusal::invalid(
            field,
            format!("{number} is unknown: ALLOW (1), BLOCK (2) or REVIEW (3) is expected"),
        )),
    }
}

/// A moment of the wire's calendar.
pub fn moment(field: &str, at: Timestamp) -> Result<Moment, Refusal> {
    SystemTime::try_from(at)
        .map(Moment::from)
        .map_err(|_| Refusal::invalid(field, format!("{at:?} is no moment of the calendar")))
}

impl From<ProductKey> for vigie::ProductKey {
    fn from(key: ProductKey) -> Self {
        Self {
            partner_id: key.partner_id,
            product_id: key.product_id,
        }
    }
}

impl From<Correction> for vigie::Correction {
    fn from(correction: Correction) -> Self {
        let scope = match correction.scope {
            CorrectionScope::Product(key) => Scope::Product(key.into()),
            CorrectionScope::Picture(digest) => Scope::ImageSha256(digest.to_string()),
            CorrectionScope::Partner(partner) => Scope::PartnerId(partner),
        };
        let kind = match correction.kind {
            CorrectionKind::WrongLabel { label, present } => Kind::WrongLabel(vigie::WrongLabel {
                label: label.into(),
                present,
            }),
            CorrectionKind::Exception(verdict) => Kind::Exception(verdict_to_wire(verdict).into()),
        };
        let (revoked_by, revoked_at, revoked_because) = match correction.revoked {
            Some(revoked) => (
                Some(revoked.by.into()),
                Some(timestamp(revoked.at.into())),
                revoked.reason,
            ),
            None => (None, None, String::new()),
        };
        Self {
            seq: correction.seq,
            correction_id: correction.correction_id,
            scope: Some(scope),
            countries: correction.countries.into_iter().map(code).collect(),
            kind: Some(kind),
            reason: correction.reason,
            expires_at: correction.expires_at.map(|at| timestamp(at.into())),
            author: correction.author.into(),
            created_at: Some(timestamp(correction.created_at.into())),
            revoked_by,
            revoked_at,
            replica_only: correction.replica_only,
            revoked_because,
            seen_image_sha256: correction
                .seen
                .and_then(|seen| seen.image_sha256)
                .map(|digest| digest.to_string())
                .unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RefusalKind;

    fn request() -> vigie::CorrectRequest {
        vigie::CorrectRequest {
            request_id: "r1".into(),
            countries: vec!["FR".into()],
            reason: " It is a toy. ".into(),
            expires_at: Some(Timestamp {
                seconds: 2_000_000_000,
                nanos: 0,
            }),
            scope: Some(AskedScope::Product(vigie::ProductKey {
                partner_id: "acme".into(),
                product_id: "p1".into(),
            })),
            kind: Some(AskedKind::WrongLabel(vigie::WrongLabel {
                label: "firearm".into(),
                present: false,
            })),
        }
    }

    #[test]
    fn a_whole_correction_is_read_whole() {
        let (request_id, new) = request().into_correction().unwrap();
        assert_eq!(request_id, "r1");
        assert_eq!(new.reason, "It is a toy.");
        assert_eq!(new.expires_at, Some(Moment::from_micros(2_000_000_000_000_000)));
        assert!(new.kind.is_away_from_safety());
        assert_eq!(new.seen, None);
    }

    /// Spoils one field of a good request.
    type Spoil = fn(&mut vigie::CorrectRequest);

    #[test]
    fn a_wrong_field_is_refused_by_its_path() {
        let cases: [(&str, Spoil); 11] = [
            ("request_id", |r| r.request_id = "  ".into()),
            ("request_id", |r| r.request_id = "x".repeat(129)),
            ("scope", |r| r.scope = None),
            ("product.product_id", |r| {
                r.scope = Some(AskedScope::Product(vigie::ProductKey::default()));
            }),
            ("image_sha256", |r| {
                r.scope = Some(AskedScope::ImageSha256("abc".into()))
            }),
            ("partner_id", |r| r.scope = Some(AskedScope::PartnerId(String::new()))),
            ("kind", |r| r.kind = None),
            ("exception", |r| r.kind = Some(AskedKind::Exception(0))),
            ("wrong_label.label", |r| {
                r.kind = Some(AskedKind::WrongLabel(vigie::WrongLabel::default()))
            }),
            ("reason", |r| r.reason = "x".repeat(3000)),
            ("countries[0]", |r| r.countries = vec!["France".into()]),
        ];
        for (path, spoil) in cases {
            let mut wrong = request();
            spoil(&mut wrong);
            let refusal = wrong.into_correction().unwrap_err();
            assert_eq!(
                refusal.kind,
                RefusalKind::InvalidArgument { field: path.into() },
                "{refusal}"
            );
        }
    }
}
