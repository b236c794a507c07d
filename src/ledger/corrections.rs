//! The corrections in force, where readers find them: by product in the product's shard, by picture and by partner in lists of their own.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::base::{Correction, Moment};

/// Corrections of one thing, in the order of their acts.
pub type List = Arc<[Arc<Correction>]>;

/// Every correction in force that bears on a product, in the order of precedence: those of the product, of its picture, of its partner; each group in the
/// order of the acts. None that was revoked; one that has expired may be among them until the next sweep: see `at`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Corrections<'a> {
    pub product: &'a [Arc<Correction>],
    pub picture: &'a [Arc<Correction>],
    pub partner: &'a [Arc<Correction>],
}

impl<'a> Corrections<'a> {
    /// True where none bears on it, as is usual.
    pub fn is_empty(&self) -> bool {
        self.product.is_empty() && self.picture.is_empty() && self.partner.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'a Correction> + use<'a> {
        let wide = self.picture.iter().chain(self.partner);
        self.product.iter().chain(wide).map(Arc::as_ref)
    }

    /// Those that hold at a moment.
    pub fn at(&self, now: Moment) -> impl Iterator<Item = &'a Correction> + use<'a> {
        self.iter().filter(move |correction| correction.holds_at(now))
    }
}

/// The corrections of pictures, or of partners. A reader takes a list with it and holds nobody up while it reads.
pub struct Lists<K> {
    by_key: RwLock<HashMap<K, List>>,
    /// How many there are: where there is none, as is usual, nobody looks.
    len: AtomicUsize,
}

impl<K> Default for Lists<K> {
    fn default() -> Self {
        Self {
            by_key: RwLock::default(),
            len: AtomicUsize::new(0),
        }
    }
}

impl<K: Hash + Eq + Clone> Lists<K> {
    /// The corrections of one.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<List>
    where
        K: Borrow<Q>,
    {
        if self.len.load(Ordering::Acquire) == 0 {
            return None;
        }
        let by_key = self.by_key.read().unwrap_or_else(PoisonError::into_inner);
        by_key.get(key).cloned()
    }

    /// Puts a correction in, in the place of the one with its identity; or takes it out.
    pub fn set(&self, key: &K, correction_id: &str, correction: Option<&Arc<Correction>>) {
        let mut by_key = self.by_key.write().unwrap_or_else(PoisonError::into_inner);
        let mut list = by_key.get(key).map_or_else(Vec::new, |list| list.to_vec());
        set_in(&mut list, correction_id, correction);
        if list.is_empty() {
            by_key.remove(key);
        } else {
            by_key.insert(key.clone(), list.into());
        }
        self.len.store(by_key.len(), Ordering::Release);
    }
}

/// Puts a correction into a list, in the place of the one with its identity; or takes it out.
pub fn set_in(list: &mut Vec<Arc<Correction>>, correction_id: &str, correction: Option<&Arc<Correction>>) {
    list.retain(|other| other.correction_id != correction_id);
    if let Some(correction) = correction {
        let place = (correction.seq, correction_id);
        let at = list.partition_point(|other| (other.seq, other.correction_id.as_str()) < place);
        list.insert(at, Arc::clone(correction));
    }
}
