//! Identities: what a model, a version, a revision, a policy and a country are called.
//!
//! Each is a type of its own and is checked where it is made, so that a name with a path separator or a
//! digest of the wrong length cannot travel.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a text is not the identity that it was taken for. The message names what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdError(pub String);

/// The name of a model: its directory in the repository.
///
/// 1 to 128 of `A–Z a–z 0–9 . _ -`, not beginning with a dot: never a path, never hidden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(Arc<str>);

impl ModelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > 128 || text.starts_with('.') || !text.chars().all(allowed) {
            return Err(IdError(format!(
                "{text:?} is not a model name: 1 to 128 letters, digits, '.', '_' or '-', not beginning with '.'"
            )));
        }
        Ok(Self(text.into()))
    }
}

/// The number of a version: its directory under the model. At least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Version(i64);

impl Version {
    /// No version at all: of a decision that no model made. Its number is 0.
    pub const NONE: Self = Self(0);

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for Version {
    type Error = IdError;

    fn try_from(number: i64) -> Result<Self, IdError> {
        if number < 1 {
            return Err(IdError(format!(
                "{number} is not a version: a positive integer is expected"
            )));
        }
        Ok(Self(number))
    }
}

impl From<Version> for i64 {
    fn from(version: Version) -> i64 {
        version.0
    }
}

impl FromStr for Version {
    type Err = IdError;

    /// Takes decimal digits only, without sign or leading zeros, so that a directory has one spelling.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let canonical = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        text.parse().ok().filter(|_| canonical).map(Self).ok_or_else(|| {
            IdError(format!(
                "{text:?} is not a version: a positive integer without leading zeros is expected"
            ))
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A SHA-256, shown and parsed as 64 lowercase hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The first twelve digits: enough for people to tell two apart.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let refuse = || {
            IdError(format!(
                "{text:?} is not a SHA-256: 64 lowercase hexadecimal digits are expected"
            ))
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(refuse());
        }
        let nibble = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(refuse()),
        };
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Ok(Self(bytes))
    }
}

/// What a model's answers depend on: SHA-256 over its weights and every field that can change an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevisionId(pub Digest);

/// What a policy's verdicts depend on: the SHA-256 of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyVersion(pub Digest);

/// A country by ISO 3166-1 alpha-2 (`FR`), or the rest of the world (the empty text).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// The rest of the world: every country without rules of its own.
    pub const REST_OF_WORLD: Self = Self([0, 0]);

    /// Every country there is, without the rest of the world.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.split(' ').filter_map(|code| code.parse().ok())
    }

    /// The code as text; empty for the rest of the world.
    pub fn as_str(&self) -> &str {
        if *self == Self::REST_OF_WORLD {
            return "";
        }
        std::str::from_utf8(&self.0).expect("made of ASCII letters alone")
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl FromStr for CountryCode {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.is_empty() {
            return Ok(Self::REST_OF_WORLD);
        }
        let known = text.len() == 2 && COUNTRIES.split(' ').any(|country| country == text);
        match text.as_bytes() {
            &[first, second] if known => Ok(Self([first, second])),
            _ => Err(IdError(format!(
                "{text:?} is not a country: an ISO 3166-1 alpha-2 code in capitals such as \"FR\" is expected, or \"\" for the rest of the world"
            ))),
        }
    }
}

/// The officially assigned codes of ISO 3166-1 alpha-2 (249), and XK, which is in common use for Kosovo.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI \
GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI \
LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF \
PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL \
TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

macro_rules! text_identity {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }
        impl From<$type> for String {
            fn from(identity: $type) -> String {
                identity.to_string()
            }
        }
    };
}
text_identity!(ModelName);
text_identity!(Digest);
text_identity!(CountryCode);

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

macro_rules! digest_identity {
    ($type:ident) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
        impl FromStr for $type {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse().map(Self)
            }
        }
    };
}
digest_identity!(RevisionId);
digest_identity!(PolicyVersion);

/// The identity that follows from a digest: a UUID of version 8, made of its first half.
pub fn id_of(digest: Digest) -> String {
    let mut half = [0; 16];
    half.copy_from_slice(&digest.0[..16]);
    uuid::Builder::from_custom_bytes(half).into_uuid().to_string()
}

/// A new identity that sorts by time (UUID version 7), for decisions and the like.
pub fn now_v7_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for bad in [
            "",
            ".",
            "..",
            ".hidden",
            "a/b",
            "a\\b",
            "../x",
            "a b",
            "é",
            &"x".repeat(129),
        ] {
            assert!(bad.parse::<ModelName>().is_err(), "{bad:?}");
        }
        for good in ["adsafety", "a.b", "resnet-50_v1"] {
            assert_eq!(good.parse::<ModelName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_version_has_one_spelling() {
        for bad in ["0", "01", "+1", "-1", "", "1.0", "99999999999999999999"] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
        assert_eq!("12".parse::<Version>().unwrap().get(), 12);
    }

    #[test]
    fn a_country_is_a_code_in_capitals_or_the_rest_of_the_world() {
        assert_eq!("FR".parse::<CountryCode>().unwrap().as_str(), "FR");
        assert_eq!("".parse::<CountryCode>(), Ok(CountryCode::REST_OF_WORLD));
        for bad in ["fr", "XX", "FRA", "F", "ZZ", "A B"] {
            assert!(bad.parse::<CountryCode>().is_err(), "{bad:?}");
        }
        assert_eq!(COUNTRIES.split(' ').count(), 250);
    }

    #[test]
    fn a_digest_reads_back_what_it_shows() {
        let digest = Digest(std::array::from_fn(|i| i as u8 * 7));
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("0".repeat(63).parse::<Digest>().is_err());
        assert!("G".repeat(64).parse::<Digest>().is_err());
    }
}
