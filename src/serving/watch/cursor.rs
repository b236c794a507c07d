//! Where a watcher stands, as a text that it keeps and hands back.

use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::base::{CountryCode, Moment, PolicyVersion, RevisionId};

/// The digits of one of its numbers.
const DIGITS: usize = 16;

/// By what products are judged, as far as the plan says it.
pub type Judges = (PolicyVersion, RevisionId);

/// Everything up to here was told: to begin after it again. It means something to the process that gave it, and to no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The ledger whose changes are numbered.
    pub(super) ledger: u64,
    /// The last change that was told.
    pub(super) change: u64,
    /// A digest over the countries and the judges.
    pub(super) of: u64,
    /// From this moment on something told may be another.
    pub(super) until: Option<Moment>,
}

/// A digest over what is asked and what answers.
pub(super) fn digest(countries: &[CountryCode], judges: &Judges) -> u64 {
    let mut hasher = DefaultHasher::new();
    (judges.0.0.0, judges.1.0.0).hash(&mut hasher);
    for country in countries {
        country.as_str().hash(&mut hasher);
    }
    hasher.finish()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.map_or(i64::MAX, Moment::micros);
        let Self { ledger, change, of, .. } = self;
        write!(f, "{ledger:016x}{change:016x}{of:016x}{until:016x}")
    }
}

/// A text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is no cursor: send the last one that WatchVerdicts told, or none for a new snapshot")]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        if text.len() != 4 * DIGITS || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(NoCursor);
        }
        let number = |place: usize| {
            let digits = text.get(place * DIGITS..(place + 1) * DIGITS).ok_or(NoCursor)?;
            u64::from_str_radix(digits, 16).map_err(|_| NoCursor)
        };
        let until = number(3)?.cast_signed();
        Ok(Self {
            ledger: number(0)?,
            change: number(1)?,
            of: number(2)?,
            until: (until != i64::MAX).then(|| Moment::from_micros(until)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_the_same_after_its_way_through_a_text() {
        for until in [None, Some(Moment::from_micros(-5)), Some(Moment::from_micros(1 << 50))] {
            let cursor = Cursor {
                ledger: u64::MAX,
                change: 7,
                of: 1 << 40,
                until,
            };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn what_is_no_cursor_is_told_so() {
        let whole = "0".repeat(64);
        assert!(whole.parse::<Cursor>().is_ok());
        for bad in ["", "7", "+", "é"] {
            for times in [1, 32, 63, 64, 65] {
                let bad = bad.repeat(times);
                let is_whole = bad.len() == 64 && bad.starts_with('7');
                assert_eq!(bad.parse::<Cursor>().is_ok(), is_whole, "{bad:?}");
            }
        }
    }
}
