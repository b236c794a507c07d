//! The revisions whose scores are kept, each known by a number, with the labels that its scores are of.
//!
//! Every shard holds the same table, replaced as a whole: it is read under the shard's lock like everything else of a product.

use std::sync::Arc;

use crate::base::{Label, RevisionId};

/// All revisions, by number.
#[derive(Debug, Clone, Default)]
pub struct Revisions(Vec<Option<Registered>>);

#[derive(Debug, Clone)]
struct Registered {
    revision: RevisionId,
    labels: Arc<[Label]>,
    /// Its scores are not used any more; its number is kept until no record has it.
    is_dropped: bool,
}

impl Revisions {
    /// The table with one more revision; none where it is there already.
    pub fn with(&self, revision: RevisionId, labels: &[Label]) -> Option<Self> {
        if self.number(&revision).is_some() {
            return None;
        }
        let mut table = self.clone();
        let registered = Some(Registered {
            revision,
            labels: labels.into(),
            is_dropped: false,
        });
        match table.0.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = registered,
            None => table.0.push(registered),
        }
        Some(table)
    }

    /// The table in which a revision's scores are not used; none where it is not there.
    pub fn without(&self, revision: &RevisionId) -> Option<Self> {
        let number = self.number(revision)?;
        let mut table = self.clone();
        if let Some(registered) = &mut table.0[number as usize] {
            registered.is_dropped = true;
        }
        Some(table)
    }

    /// The numbers of the revisions that were dropped: records may hold scores of them.
    pub fn dropped(&self) -> Vec<usize> {
        let is_dropped = |number: &usize| self.0[*number].as_ref().is_some_and(|registered| registered.is_dropped);
        (0..self.0.len()).filter(is_dropped).collect()
    }

    /// The table in which these numbers are free again: no record holds scores of them.
    pub fn cleared(&self, numbers: &[usize]) -> Self {
        let mut table = self.clone();
        numbers.iter().for_each(|number| table.0[*number] = None);
        table
    }

    /// The number of a revision whose scores are used.
    pub fn number(&self, revision: &RevisionId) -> Option<u32> {
        let is_it =
            |place: &Option<Registered>| place.as_ref().is_some_and(|r| !r.is_dropped && r.revision == *revision);
        self.0
            .iter()
            .position(is_it)
            .and_then(|number| u32::try_from(number).ok())
    }

    /// The revision with a number, and its labels; none where its scores are not used.
    pub fn get(&self, number: u32) -> Option<(RevisionId, &[Label])> {
        let registered = self.0.get(number as usize)?.as_ref().filter(|r| !r.is_dropped)?;
        Some((registered.revision, &registered.labels))
    }
}
