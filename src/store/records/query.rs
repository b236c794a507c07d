//! What decisions and corrections can be asked for, and how what is found comes: by the page, newest first.

use crate::base::{
    CountryCode, Digest, Label, ModelName, Moment, PolicyVersion, Principal, ProductKey, Source, Verdict, Version,
};

use super::RecordsError;

/// The most that one page holds.
pub const PAGE: usize = 1_000;

/// Which decisions are wanted: those that meet everything that is stated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionQuery {
    pub product: Option<ProductKey>,
    pub partner: Option<String>,
    pub image_sha256: Option<Digest>,
    pub model: Option<ModelName>,
    pub version: Option<Version>,
    pub policy_version: Option<PolicyVersion>,
    /// What decided the strictest verdict.
    pub label: Option<Label>,
    /// Of the country where one is stated; else the strictest over the countries that were asked for.
    pub verdict: Option<Verdict>,
    /// It was asked for this country.
    pub country: Option<CountryCode>,
    /// Where the first reason of the strictest verdict comes from.
    pub source: Option<Source>,
    /// From this moment on.
    pub since: Option<Moment>,
    /// Before this moment.
    pub until: Option<Moment>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most so many, 1 to [`PAGE`].
    pub limit: usize,
}

/// Which corrections are wanted: those that meet everything that is stated.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CorrectionQuery {
    /// Given on this very product.
    pub product: Option<ProductKey>,
    /// Given on this very picture.
    pub picture: Option<Digest>,
    /// Given on the partner or on one of its products.
    pub partner: Option<String>,
    /// Given on the partner itself: on all of its products.
    pub whole_partner: Option<String>,
    pub author: Option<Principal>,
    /// In force at this moment, as far as is on record.
    pub active_at: Option<Moment>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// At most so many, 1 to [`PAGE`].
    pub limit: usize,
}

/// Some of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to ask on with; none where this is the last.
    pub next: Option<String>,
}

/// Where in the order of time and of arrival a page of decisions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Position {
    pub at: i64,
    pub entry: i64,
}

impl Position {
    fn to_cursor(self) -> String {
        format!("{}.{}", self.at, self.entry)
    }

    pub fn from_cursor(cursor: &str) -> Result<Self, RecordsError> {
        let position = cursor.split_once('.').and_then(|(at, entry)| {
            Some(Self {
                at: at.parse().ok()?,
                entry: entry.parse().ok()?,
            })
        });
        position.ok_or_else(not_a_cursor)
    }
}

pub(in crate::store) fn not_a_cursor() -> RecordsError {
    RecordsError::input(
        "cursor",
        "it is none of ours: pass on what the page before gave as its end",
    )
}

pub(in crate::store) fn check_limit(limit: usize) -> Result<(), RecordsError> {
    if (1..=PAGE).contains(&limit) {
        return Ok(());
    }
    Err(RecordsError::input(
        "limit",
        format!("{limit} is asked for: 1 to {PAGE} is expected"),
    ))
}

/// The page out of what was found, of which one more than the limit was asked for.
pub(in crate::store) fn page_of<T>(mut found: Vec<(Position, T)>, limit: usize) -> Page<T> {
    let is_more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| is_more);
    Page {
        next: last.map(|(position, _)| position.to_cursor()),
        items: found.into_iter().map(|(_, item)| item).collect(),
    }
}
