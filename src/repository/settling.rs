//! What files looked like at earlier scans, and so for how long they have not changed.
//!
//! Without a manifest nothing proves that a file is whole. Three things stand in for the proof: it arrived by a rename or was closed after writing,
//! as the watch heard; or it has not changed for a settling time; or its bytes were accepted before. Time is passed in, so that nothing here waits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::base::Digest;

use super::layout::Identity;

/// Now, by both clocks: one to measure spans, one to compare with the times of files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) monotonic: Instant,
    pub(super) wall: SystemTime,
}

/// What some files look like from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Appearance(BTreeMap<String, Option<Identity>>);

impl Appearance {
    /// Adds a file; none where it is missing.
    pub(super) fn add(&mut self, name: impl Into<String>, identity: Option<Identity>) {
        self.0.insert(name.into(), identity);
    }

    /// What a file looked like; none where it is missing.
    pub(super) fn get(&self, name: &str) -> Option<Identity> {
        self.0.get(name).copied().flatten()
    }

    /// How long ago the youngest of them was touched.
    fn age(&self, wall: SystemTime) -> Duration {
        self.0
            .values()
            .flatten()
            .map(|identity| identity.age(wall))
            .min()
            .unwrap_or_default()
    }
}

/// The memory of earlier scans, by path.
#[derive(Debug, Default)]
pub(super) struct Settling {
    seen: BTreeMap<PathBuf, Seen>,
    /// With every link resolved.
    arrived: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Seen {
    appearance: Appearance,
    since: Instant,
    /// How old it was already when it was first seen so.
    head_start: Duration,
    accepted: Option<Digest>,
    waits: u32,
    is_current: bool,
}

/// More arrivals than this at once are not worth remembering: the files settle instead.
const MOST_ARRIVALS: usize = 4096;
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl Settling {
    /// Remembers what the watch heard: these paths, and all below them, were renamed into place or closed after writing.
    pub(super) fn arrive(&mut self, paths: &[PathBuf]) {
        for path in paths {
            if self.arrived.len() < MOST_ARRIVALS
                && let Ok(resolved) = path.canonicalize()
            {
                self.arrived.insert(resolved);
            }
        }
    }

    /// Whether a path, with every link resolved, or a folder above it has arrived since the last scan.
    pub(super) fn has_arrived(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.arrived.contains(above))
    }

    /// Notes how something looks now; returns for how long it has looked so.
    pub(super) fn unchanged_for(&mut self, path: &Path, appearance: Appearance, moment: Moment) -> Duration {
        let age = appearance.age(moment.wall);
        let seen = self.seen.entry(path.to_owned()).or_insert_with(|| Seen {
            appearance: appearance.clone(),
            since: moment.monotonic,
            head_start: age,
            accepted: None,
            waits: 0,
            is_current: true,
        });
        seen.is_current = true;
        if seen.appearance != appearance {
            seen.appearance = appearance;
            seen.since = moment.monotonic;
            seen.head_start = age;
        }
        seen.head_start
            .saturating_add(moment.monotonic.saturating_duration_since(seen.since))
    }

    /// Remembers bytes as whole: they need not settle again after a mere touch.
    pub(super) fn accept(&mut self, path: &Path, content: Digest) {
        if let Some(seen) = self.seen.get_mut(path) {
            seen.accepted = Some(content);
            seen.waits = 0;
        }
    }

    pub(super) fn is_accepted(&self, path: &Path, content: Digest) -> bool {
        self.seen.get(path).is_some_and(|seen| seen.accepted == Some(content))
    }

    /// How long to wait after a passing trouble: 1 s, 2 s, 4 s … 60 s.
    pub(super) fn back_off(&mut self, path: &Path, moment: Moment) -> Duration {
        self.seen.entry(path.to_owned()).or_insert_with(|| Seen {
            appearance: Appearance::default(),
            since: moment.monotonic,
            head_start: Duration::ZERO,
            accepted: None,
            waits: 0,
            is_current: true,
        });
        let Some(seen) = self.seen.get_mut(path) else {
            return LONGEST_WAIT;
        };
        seen.is_current = true;
        let wait = Duration::from_secs(1 << seen.waits.min(6)).min(LONGEST_WAIT);
        seen.waits += 1;
        wait
    }

    /// Ends a scan: what it did not meet is forgotten, and what arrived has been looked at.
    pub(super) fn end_scan(&mut self) {
        self.seen.retain(|_, seen| std::mem::take(&mut seen.is_current));
        self.arrived.clear();
    }
}
