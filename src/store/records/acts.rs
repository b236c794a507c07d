//! What people do, in one order: each act has its place, 1, 2, …, and is never changed. What an act does is decided here, for every database
//! alike, from what is found on record under the lock that gives the place.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Erased, RecordsError};
use crate::base::{Correction, CorrectionScope, Moment, NewCorrection, Principal, Revocation};

/// For so long the same request gets its first answer again.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest identity that a caller may give, in characters.
const LONGEST_ID: usize = 200;

/// One act on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its place in the order of all acts: 1, 2, …
    pub seq: u64,
    pub at: Moment,
    pub principal: Principal,
    /// Empty where the act came with none.
    pub request_id: String,
    pub deed: Deed,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A correction as it was given.
    Correct(Box<Correction>),
    Revoke {
        correction_id: String,
        reason: String,
    },
    /// Everything of a partner was removed: what came before no longer counts.
    ErasePartner {
        partner_id: String,
        /// What was removed; of the act that begins it, what went with it.
        erased: Erased,
    },
    /// The place of an act whose content was removed with its partner.
    Erased,
    /// By a newer program; this one takes no notice.
    Unknown {
        kind: String,
    },
}

/// A correction that is to be put on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedCorrection {
    /// The same one gets the first answer for 24 hours.
    pub request_id: String,
    /// What it will be called, unless the request was answered before.
    pub correction_id: String,
    pub correction: NewCorrection,
    pub author: Principal,
    pub at: Moment,
}

/// A revocation that is to be put on record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedRevocation {
    /// The same one gets the first answer for 24 hours.
    pub request_id: String,
    pub correction_id: String,
    pub reason: String,
    pub author: Principal,
    pub at: Moment,
}

/// Either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedAct {
    Correct(AskedCorrection),
    Revoke(AskedRevocation),
}

/// What is on record when an act is to take its place; nobody else takes one meanwhile.
#[derive(Debug)]
pub(in crate::store) struct Found {
    /// The last act of the same principal with the same request, since [`remembered_since`].
    pub previous: Option<Act>,
    /// The correction that it is about, as it stands.
    pub correction: Option<Correction>,
    pub last_seq: u64,
}

/// What is to be done.
#[derive(Debug)]
pub(in crate::store) enum Step {
    /// Nothing: this is the answer.
    Answer(Box<Correction>),
    /// Both are written, and the correction is the answer.
    Write { act: Box<Act>, correction: Box<Correction> },
}

/// From when on requests are remembered.
pub(in crate::store) fn remembered_since(at: Moment) -> Moment {
    at.before(REMEMBERED)
}

/// Holds an identity that a caller gave to its length.
pub(super) fn check_id(field: &str, id: &str) -> Result<(), RecordsError> {
    if id.is_empty() || id.chars().count() > LONGEST_ID {
        let reason = format!("1 to {LONGEST_ID} characters are expected");
        return Err(RecordsError::input(field, reason));
    }
    Ok(())
}

impl AskedAct {
    pub(in crate::store) fn check(&self) -> Result<(), RecordsError> {
        let ids = [
            ("request_id", self.request_id()),
            ("correction_id", self.correction_id()),
        ];
        ids.into_iter().try_for_each(|(field, id)| check_id(field, id))
    }

    /// The request that it came with.
    pub fn request_id(&self) -> &str {
        match self {
            Self::Correct(asked) => &asked.request_id,
            Self::Revoke(asked) => &asked.request_id,
        }
    }

    /// The correction that it makes or ends.
    pub fn correction_id(&self) -> &str {
        match self {
            Self::Correct(asked) => &asked.correction_id,
            Self::Revoke(asked) => &asked.correction_id,
        }
    }

    /// The partner whose product, or whose all, it is about; none where that is not said.
    pub fn partner_id(&self) -> Option<&str> {
        match self {
            Self::Correct(asked) => asked.correction.scope.partner_id(),
            Self::Revoke(_) => None,
        }
    }

    /// Who acts.
    pub fn author(&self) -> &Principal {
        match self {
            Self::Correct(asked) => &asked.author,
            Self::Revoke(asked) => &asked.author,
        }
    }

    /// When it was asked for.
    pub fn at(&self) -> Moment {
        match self {
            Self::Correct(asked) => asked.at,
            Self::Revoke(asked) => asked.at,
        }
    }

    pub(in crate::store) fn decide(&self, found: Found) -> Result<Step, RecordsError> {
        match self {
            Self::Correct(asked) => asked.decide(found),
            Self::Revoke(asked) => asked.decide(found),
        }
    }

    fn act(&self, last_seq: u64, deed: Deed) -> Act {
        Act {
            seq: last_seq + 1,
            at: self.at(),
            principal: self.author().clone(),
            request_id: self.request_id().to_owned(),
            deed,
        }
    }
}

impl AskedCorrection {
    fn decide(&self, found: Found) -> Result<Step, RecordsError> {
        match found.previous.map(|act| act.deed) {
            Some(Deed::Correct(first)) if as_asked(&first) == self.correction => return Ok(Step::Answer(first)),
            Some(_) => return Err(request_taken()),
            None => {}
        }
        if let Some(first) = found.correction {
            // Who asks after more than a day, such as a replica whose store was away so long, still gets no second one.
            let is_same = as_asked(&first) == self.correction && first.author == self.author;
            return if is_same {
                let given = Correction { revoked: None, ..first };
                Ok(Step::Answer(Box::new(given)))
            } else {
                Err(RecordsError::input(
                    "correction_id",
                    "another correction has it: make a new one",
                ))
            };
        }
        let NewCorrection {
            scope,
            countries,
            kind,
            reason,
            expires_at,
            seen,
        } = self.correction.clone();
        let correction = Correction {
            seq: found.last_seq + 1,
            correction_id: self.correction_id.clone(),
            scope,
            countries,
            kind,
            reason,
            expires_at,
            author: self.author.clone(),
            created_at: self.at,
            seen,
            revoked: None,
            replica_only: false,
        };
        let correction = Box::new(correction);
        let act = AskedAct::Correct(self.clone()).act(found.last_seq, Deed::Correct(correction.clone()));
        Ok(Step::Write {
            act: Box::new(act),
            correction,
        })
    }
}

impl AskedRevocation {
    fn decide(&self, found: Found) -> Result<Step, RecordsError> {
        let missing = || RecordsError::NotFound {
            what: format!("correction {:?}", self.correction_id),
        };
        if let Some(previous) = found.previous {
            let is_same = matches!(&previous.deed, Deed::Revoke { correction_id, reason }
                if *correction_id == self.correction_id && *reason == self.reason);
            // It is answered as it was: the revocation on record is that of the first request.
            return match found.correction {
                Some(correction) if is_same => Ok(Step::Answer(Box::new(correction))),
                None if is_same => Err(missing()),
                Some(_) | None => Err(request_taken()),
            };
        }
        let mut correction = found.correction.ok_or_else(missing)?;
        if correction.revoked.is_some() {
            return Err(RecordsError::Conflict {
                current: Box::new(correction),
            });
        }
        let deed = Deed::Revoke {
            correction_id: self.correction_id.clone(),
            reason: self.reason.clone(),
        };
        let act = AskedAct::Revoke(self.clone()).act(found.last_seq, deed);
        correction.revoked = Some(Revocation {
            seq: act.seq,
            by: self.author.clone(),
            at: self.at,
            reason: self.reason.clone(),
        });
        Ok(Step::Write {
            act: Box::new(act),
            correction: Box::new(correction),
        })
    }
}

pub(super) fn request_taken() -> RecordsError {
    RecordsError::input(
        "request_id",
        "it was used for something else within the last 24 hours: make a new one",
    )
}

fn as_asked(correction: &Correction) -> NewCorrection {
    NewCorrection {
        scope: correction.scope.clone(),
        countries: correction.countries.clone(),
        kind: correction.kind.clone(),
        reason: correction.reason.clone(),
        expires_at: correction.expires_at,
        seen: correction.seen,
    }
}

/// An act as its row holds it.
#[derive(Debug)]
pub(in crate::store) struct ActRow {
    pub kind: &'static str,
    /// The correction or the partner that it is about.
    pub about: String,
    pub body: String,
}

#[derive(Serialize, Deserialize)]
struct RevokeBody {
    correction_id: String,
    reason: String,
}

#[derive(Serialize, Deserialize)]
struct EraseBody {
    partner_id: String,
    #[serde(default)]
    erased: Erased,
}

/// The kind of an act whose content is gone, and what its body is then.
pub(in crate::store) const ERASED: (&str, &str) = ("erased", "{}");

impl Deed {
    pub(in crate::store) fn row(&self) -> ActRow {
        let row = |kind, about: &str, body: serde_json::Result<String>| ActRow {
            kind,
            about: super::code::column(about).into_owned(),
            body: body.expect("texts, numbers and lists are JSON"),
        };
        match self {
            Self::Correct(correction) => row("correct", &correction.correction_id, serde_json::to_string(correction)),
            Self::Revoke { correction_id, reason } => {
                let body = RevokeBody {
                    correction_id: correction_id.clone(),
                    reason: reason.clone(),
                };
                row("revoke", correction_id, serde_json::to_string(&body))
            }
            Self::ErasePartner { partner_id, erased } => {
                let body = EraseBody {
                    partner_id: partner_id.clone(),
                    erased: *erased,
                };
                row("erase_partner", partner_id, serde_json::to_string(&body))
            }
            Self::Erased | Self::Unknown { .. } => row(ERASED.0, "", Ok(ERASED.1.to_owned())),
        }
    }

    pub(in crate::store) fn read(kind: &str, body: &str) -> Result<Self, serde_json::Error> {
        match kind {
            "correct" => serde_json::from_str(body).map(Self::Correct),
            "revoke" => serde_json::from_str(body)
                .map(|RevokeBody { correction_id, reason }| Self::Revoke { correction_id, reason }),
            "erase_partner" => serde_json::from_str(body)
                .map(|EraseBody { partner_id, erased }| Self::ErasePartner { partner_id, erased }),
            "erased" => Ok(Self::Erased),
            other => Ok(Self::Unknown { kind: other.to_owned() }),
        }
    }
}

/// The columns of a correction that it is found by, and the whole of it as JSON.
#[derive(Debug)]
pub(in crate::store) struct CorrectionRow {
    pub correction_id: String,
    pub partner_id: Option<String>,
    pub product_id: Option<String>,
    /// Of the picture that it was given on.
    pub image: Option<[u8; 32]>,
    /// Of the picture that it is bound to.
    pub seen_image: Option<[u8; 32]>,
    pub author: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub body: String,
}

impl CorrectionRow {
    pub fn new(correction: &Correction) -> Self {
        let text = |text: &str| Some(super::code::column(text).into_owned());
        let (partner_id, product_id, image) = match &correction.scope {
            CorrectionScope::Product(key) => (text(&key.partner_id), text(&key.product_id), None),
            CorrectionScope::Picture(digest) => (None, None, Some(digest.0)),
            CorrectionScope::Partner(partner_id) => (text(partner_id), None, None),
        };
        Self {
            correction_id: super::code::column(&correction.correction_id).into_owned(),
            partner_id,
            product_id,
            image,
            seen_image: correction
                .seen
                .and_then(|seen| seen.image_sha256)
                .map(|digest| digest.0),
            author: correction.author.as_str().to_owned(),
            created_at: correction.created_at.micros(),
            expires_at: correction.expires_at.map(Moment::micros),
            revoked_at: correction.revoked.as_ref().map(|revocation| revocation.at.micros()),
            body: serde_json::to_string(correction).expect("texts, numbers and lists are JSON"),
        }
    }
}

/// A correction out of the JSON of its row.
pub(in crate::store) fn read_correction(body: &str) -> Result<Correction, RecordsError> {
    serde_json::from_str(body).map_err(|error| RecordsError::corrupt("a correction on record", error))
}
