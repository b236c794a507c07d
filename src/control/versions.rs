//! What is known of the versions of one model between two looks at the repository: what is loaded, what was rejected, what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;

use super::bring_up::Failure;
use super::view::VersionState;
use crate::base::{Digest, RevisionId};
use crate::executor::Executor;
use crate::repository::Manifest;

const FIRST_BACK_OFF: Duration = Duration::from_secs(1);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(60);

/// A loaded revision.
#[derive(Clone)]
pub(super) struct Loaded {
    pub executor: Arc<Executor>,
    pub manifest: Option<Arc<Manifest>>,
    pub loaded_at: SystemTime,
    /// The contents that were proved with it: the same weights may come with other golden scores.
    pub proven: BTreeSet<Digest>,
}

/// A passing trouble, and when to try again.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub reason: String,
    pub until: Instant,
    delay: Duration,
}

/// The work that is known of one model, by revision; rejections by content, so that changed golden scores are tried again.
#[derive(Default)]
pub(super) struct Versions {
    pub loaded: BTreeMap<RevisionId, Loaded>,
    pub loading: BTreeMap<RevisionId, watch::Receiver<VersionState>>,
    pub rejected: BTreeMap<Digest, String>,
    pub waiting: BTreeMap<RevisionId, Waiting>,
}

impl Versions {
    /// Notes that bringing a revision up has failed.
    pub fn note_failure(&mut self, revision: RevisionId, content: Option<Digest>, failure: Failure, now: Instant) {
        match (failure, content) {
            (Failure::Content(reason), Some(content)) => {
                self.waiting.remove(&revision);
                self.rejected.insert(content, reason);
            }
            (Failure::Content(reason) | Failure::Passing(reason) | Failure::Memory(reason), _) => {
                let delay = match self.waiting.get(&revision) {
                    None => FIRST_BACK_OFF,
                    Some(before) => (before.delay * 2).min(LONGEST_BACK_OFF),
                };
                self.waiting.insert(
                    revision,
                    Waiting {
                        reason,
                        until: now + delay,
                        delay,
                    },
                );
            }
        }
    }

    /// Notes that a revision came up.
    pub fn note_loaded(&mut self, revision: RevisionId, loaded: Loaded) {
        self.waiting.remove(&revision);
        self.loaded.insert(revision, loaded);
    }

    /// Notes that a revision that is loaded was proved once more, with other golden scores.
    pub fn note_proven(&mut self, revision: RevisionId, content: Digest) {
        self.waiting.remove(&revision);
        if let Some(loaded) = self.loaded.get_mut(&revision) {
            loaded.proven.insert(content);
        }
    }

    /// Whether a revision is loaded and was proved with this content.
    pub fn is_proven(&self, revision: RevisionId, content: Digest) -> bool {
        self.loaded
            .get(&revision)
            .is_some_and(|loaded| loaded.proven.contains(&content))
    }

    /// Whether a revision may be tried now: it is not on its way, and its back-off is over.
    pub fn may_try(&self, revision: &RevisionId, now: Instant) -> bool {
        !self.loading.contains_key(revision) && self.waiting.get(revision).is_none_or(|waiting| now >= waiting.until)
    }

    /// When the next back-off ends, of what is not being tried already.
    pub fn next_try(&self) -> Option<Instant> {
        let idle = self
            .waiting
            .iter()
            .filter(|(revision, _)| !self.loading.contains_key(revision));
        idle.map(|(_, waiting)| waiting.until).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passing_trouble_is_tried_again_later_and_later() {
        let mut versions = Versions::default();
        let revision = RevisionId(Digest([1; 32]));
        let mut now = Instant::now();
        let mut delays = Vec::new();
        for _ in 0..9 {
            versions.note_failure(revision, None, Failure::Passing("disk full".into()), now);
            assert!(!versions.may_try(&revision, now));
            let until = versions.next_try().unwrap();
            delays.push((until - now).as_secs());
            assert!(versions.may_try(&revision, until));
            now = until;
        }
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn bad_content_is_noted_by_its_bytes_and_not_tried_on_a_timer() {
        let mut versions = Versions::default();
        let (revision, content) = (RevisionId(Digest([1; 32])), Digest([2; 32]));
        versions.note_failure(revision, Some(content), Failure::Content("NaN".into()), Instant::now());
        assert_eq!(versions.rejected.get(&content).map(String::as_str), Some("NaN"));
        assert_eq!(versions.next_try(), None);
    }
}
