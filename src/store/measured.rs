//! What was measured of revisions, so that it need not be measured again after a restart.
//!
//! A convenience, not a truth: where it cannot be read or written, things are measured anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::data_directory::DataDirectory;
use crate::base::RevisionId;

const FILE: &str = "measured.json";

/// Values by revision, each with what it was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured<T> {
    revisions: BTreeMap<RevisionId, Kept<T>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept<T> {
    on: String,
    value: T,
}

impl<T: Clone + PartialEq + Serialize + DeserializeOwned> Measured<T> {
    /// What is on disk; nothing where there is none.
    pub fn load(data: &DataDirectory) -> Self {
        let text = data
            .read(FILE)
            .inspect_err(|error| tracing::warn!(%error, "revisions are measured anew"));
        text.ok()
            .flatten()
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Self {
                revisions: BTreeMap::new(),
            })
    }

    /// What was measured of a revision on the same machine.
    pub fn of(&self, revision: &RevisionId, on: &str) -> Option<&T> {
        let kept = self.revisions.get(revision)?;
        (kept.on == on).then_some(&kept.value)
    }

    /// Keeps what was measured, and of other revisions what is known of these.
    pub fn keep(&mut self, data: &DataDirectory, revision: RevisionId, on: &str, value: T, of: &BTreeSet<RevisionId>) {
        let before = self.clone();
        self.revisions.retain(|revision, _| of.contains(revision));
        let on = on.to_owned();
        self.revisions.insert(revision, Kept { on, value });
        if *self == before {
            return;
        }
        let text = serde_json::to_string(self).expect("numbers and texts are JSON");
        if let Err(error) = data.replace(FILE, text.as_bytes()) {
            tracing::warn!(%error, "what was measured is not kept");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    #[test]
    fn what_was_measured_comes_back_on_the_same_machine_alone() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        let [one, two] = [1, 2].map(|byte| RevisionId(Digest([byte; 32])));
        let mut measured = Measured::load(&data);
        measured.keep(&data, one, "here", 7, &BTreeSet::new());
        assert_eq!(Measured::<i32>::load(&data).of(&one, "here"), Some(&7));
        assert_eq!(Measured::<i32>::load(&data).of(&one, "there"), None);
        measured.keep(&data, two, "here", 8, &BTreeSet::from([two]));
        let again = Measured::<i32>::load(&data);
        assert_eq!((again.of(&one, "here"), again.of(&two, "here")), (None, Some(&8)));
        data.replace(FILE, b"{").unwrap();
        assert_eq!(Measured::<i32>::load(&data).of(&two, "here"), None);
    }
}
