//! Which revisions stay in the data directory though nobody serves from them any more: those that were loaded last, so that what they decided can be
//! replayed.

use std::collections::BTreeSet;

use crate::base::RevisionId;
use crate::repository::sealed_revisions;
use crate::store::DataDirectory;

const FILE: &str = "kept.json";

/// Revisions in the order in which they were last loaded, the latest last.
#[derive(Debug, Default)]
pub(super) struct Kept {
    order: Vec<RevisionId>,
    /// How many are kept of those that are not needed.
    most: usize,
}

impl Kept {
    /// As it was left. What is sealed without being in the list was proved by an earlier process, and counts as the oldest.
    pub fn load(data: &DataDirectory, most: usize) -> Self {
        let text = data.read(FILE).unwrap_or_else(|error| {
            tracing::warn!(%error, "the order of kept revisions is forgotten");
            None
        });
        let listed: Vec<RevisionId> = text
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let sealed = sealed_revisions(data.path()).unwrap_or_default();
        let mut order: Vec<RevisionId> = sealed.iter().filter(|found| !listed.contains(found)).copied().collect();
        order.extend(listed.into_iter().filter(|revision| sealed.contains(revision)));
        Self { order, most }
    }

    /// Takes notice of what is loaded now, and tells what is to be kept beside it.
    pub fn beside(&mut self, loaded: &BTreeSet<RevisionId>, data: &DataDirectory) -> BTreeSet<RevisionId> {
        let mut order: Vec<RevisionId> = self.order.iter().filter(|old| !loaded.contains(old)).copied().collect();
        let too_many = order.len().saturating_sub(self.most);
        order.drain(..too_many);
        let beside = order.iter().copied().collect();
        order.extend(loaded);
        if order != self.order {
            self.order = order;
            self.save(data);
        }
        beside
    }

    fn save(&self, data: &DataDirectory) {
        let text = serde_json::to_string(&self.order).expect("a list of texts is JSON");
        if let Err(error) = data.replace(FILE, text.as_bytes()) {
            tracing::warn!(%error, "the order of kept revisions is not on disk");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    fn revisions(numbers: &[u8]) -> BTreeSet<RevisionId> {
        numbers.iter().map(|number| RevisionId(Digest([*number; 32]))).collect()
    }

    #[test]
    fn the_revisions_that_were_loaded_last_are_kept_and_a_restart_forgets_none() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        let mut kept = Kept::load(&data, 2);
        assert_eq!(kept.beside(&revisions(&[1]), &data), revisions(&[]));
        assert_eq!(kept.beside(&revisions(&[2]), &data), revisions(&[1]));
        assert_eq!(kept.beside(&revisions(&[3]), &data), revisions(&[1, 2]));
        assert_eq!(kept.beside(&revisions(&[1]), &data), revisions(&[2, 3]), "back again");
        assert_eq!(
            kept.beside(&revisions(&[4]), &data),
            revisions(&[1, 3]),
            "2 was the last to serve"
        );
        for number in [1, 3, 4, 9] {
            let name = RevisionId(Digest([number; 32])).to_string();
            std::fs::create_dir_all(directory.path().join("revisions").join(name)).unwrap();
        }
        let mut again = Kept::load(&data, 2);
        assert_eq!(again.beside(&revisions(&[4]), &data), revisions(&[1, 3]));
    }
}
