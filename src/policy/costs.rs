//! What errors cost, as the policy states it: for whoever weighs showing what is unsafe against hiding what is safe.

use std::collections::BTreeMap;

use crate::base::Label;

/// Costs of single displays, in whatever unit the policy's author thinks in, and how much people can look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    pub(super) line: usize,
    pub(super) show_unsafe: f64,
    pub(super) by_label: BTreeMap<Label, f64>,
    pub(super) hide_safe: f64,
    pub(super) reviews_per_day: Option<u32>,
}

impl Costs {
    /// Of one display of a product that shows a label and should not have been shown.
    pub fn show_unsafe(&self, label: &Label) -> f64 {
        self.by_label.get(label).copied().unwrap_or(self.show_unsafe)
    }

    /// Of one display that did not happen, of a product that could have been shown.
    pub fn hide_safe(&self) -> f64 {
        self.hide_safe
    }

    /// Of so many displays of what shows a label and should not have been shown, and so many that did not happen of what could have been. Either may be
    /// expected instead of counted, so neither need be whole.
    pub fn of_errors(&self, label: &Label, unsafe_shown: f64, safe_hidden: f64) -> f64 {
        unsafe_shown * self.show_unsafe(label) + safe_hidden * self.hide_safe
    }

    /// How many products the team can look at in a day, where it is stated.
    pub fn reviews_per_day(&self) -> Option<u32> {
        self.reviews_per_day
    }
}
