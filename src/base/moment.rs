//! Moments of the calendar: when rules begin, when corrections end, when things happened.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// A moment, in microseconds since the beginning of 1970 in UTC; earlier ones are negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The moment so many microseconds after the beginning of 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the beginning of 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// So much later; the last moment there is where it would be beyond.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span_micros(span)))
    }

    /// So much earlier; the first moment there is where it would be before.
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(span_micros(span)))
    }
}

fn span_micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

impl From<SystemTime> for Moment {
    fn from(at: SystemTime) -> Self {
        let since = at.duration_since(SystemTime::UNIX_EPOCH);
        Self(since.map_or_else(|before| -span_micros(before.duration()), span_micros))
    }
}

impl From<Moment> for SystemTime {
    fn from(moment: Moment) -> Self {
        let span = Duration::from_micros(moment.0.unsigned_abs());
        let shifted = if moment.0 < 0 {
            Self::UNIX_EPOCH.checked_sub(span)
        } else {
            Self::UNIX_EPOCH.checked_add(span)
        };
        shifted.unwrap_or(Self::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_the_same_as_a_system_time_and_back() {
        for micros in [0, 1, -1, 1_764_000_000_123_456, -62_135_596_800_000_000] {
            let moment = Moment::from_micros(micros);
            assert_eq!(Moment::from(SystemTime::from(moment)), moment);
        }
    }

    #[test]
    fn moments_beyond_the_calendar_are_its_ends() {
        assert_eq!(Moment::from_micros(5).after(Duration::MAX).micros(), i64::MAX);
        assert_eq!(Moment::from_micros(-5).before(Duration::MAX).micros(), i64::MIN);
    }
}
