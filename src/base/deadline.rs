//! The moment until which an answer is of use.

use std::time::{Duration, Instant};

/// When the caller stops waiting; `NONE` waits for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No deadline.
    pub const NONE: Self = Self(None);

    /// A deadline at a moment.
    pub fn at(moment: Instant) -> Self {
        Self(Some(moment))
    }

    /// A deadline after a span of time; none where the clock cannot count so far.
    pub fn after(now: Instant, span: Duration) -> Self {
        Self(now.checked_add(span))
    }

    /// The moment, where there is one.
    pub fn moment(self) -> Option<Instant> {
        self.0
    }

    /// Whether it has passed.
    pub fn has_passed(self, now: Instant) -> bool {
        self.0.is_some_and(|moment| now >= moment)
    }

    /// The time left; none without a deadline, zero when it has passed.
    pub fn remaining(self, now: Instant) -> Option<Duration> {
        self.0.map(|moment| moment.saturating_duration_since(now))
    }

    /// The earlier of two.
    pub fn earliest(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Self(Some(a.min(b))),
            (a, b) => Self(a.or(b)),
        }
    }
}
