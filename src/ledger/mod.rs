//! The ledger: what is known in memory of each product, and the corrections in force.
//!
//! The control and the observe planes write it, serving reads it on the request path. Ten million products fit into four GiB: a product is one packed
//! record of some two hundred bytes, found in one of many shards, each with its own lock, and read in place. A reader has one consistent view of a
//! product with every correction that bears on it; a correction is seen by every read that begins after `correct` returned. Every change has a number,
//! and what changed after a number can be asked for.
//!
//! It refuses to know verdicts (they follow from the policy, the date and the plan at the moment of the call), the texts of products (only their mark and
//! which rules matched them), the store and the clock.

mod acts;
mod alphabet;
mod changes;
mod corrections;
mod gone;
mod intern;
mod memory;
mod merge;
mod packed;
mod revisions;
mod shard;
mod view;
mod walk;
mod write;

#[cfg(test)]
mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::watch;

pub use changes::{Changed, Changes};
pub use corrections::Corrections;
pub use gone::{Gone, Pass, UnderWay};
pub use memory::Memory;
pub use merge::{Judged, Matched};
pub use shard::Which;
pub use view::{Found, Imported, LookView, Price, Scores, View};
pub use walk::{Position, Scanned};

use acts::Acts;
use changes::Log;
use corrections::Lists;
use intern::Texts;
use revisions::Revisions;
use shard::{Asked, Shard};

use crate::base::{Digest, ProductKey};

/// How many shards there are. At ten million products each has some forty thousand: growing its table takes less than a millisecond.
const SHARDS: usize = 256;

/// What is known of products, and the corrections in force. Shared by reference; every method takes `&self`.
///
/// Locks are taken in this order, and none is held between calls: sweeping, revisions, acts; a shard; lists, texts or the log.
pub struct Ledger {
    /// Keyed at random: whoever chooses product ids cannot make them collide.
    hasher: RandomState,
    shards: Box<[RwLock<Shard>]>,
    texts: Arc<Texts>,
    pictures: Lists<Digest>,
    partners: Lists<String>,
    acts: Mutex<Acts>,
    applied: AtomicU64,
    /// The table that every shard has a copy of.
    revisions: Mutex<Revisions>,
    sweeping: Mutex<()>,
    changes: Log,
    gone: Gone,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::keeping_changes(changes::LATEST)
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    fn keeping_changes(changes: usize) -> Self {
        let texts = Arc::<Texts>::default();
        Self {
            hasher: RandomState::new(),
            shards: (0..SHARDS)
                .map(|_| RwLock::new(Shard::new(Arc::clone(&texts))))
                .collect(),
            texts,
            pictures: Lists::default(),
            partners: Lists::default(),
            acts: Mutex::default(),
            applied: AtomicU64::new(0),
            revisions: Mutex::default(),
            sweeping: Mutex::default(),
            changes: Log::new(changes),
            gone: Gone::default(),
        }
    }

    /// Shows a product, as it is known at one moment, and every correction in force that bears on it; a product that is not known may have corrections too.
    ///
    /// The product's shard stays locked for reading meanwhile: judge and return, wait for nothing, and call nothing of the ledger.
    pub fn read<R>(
        &self,
        partner_id: &str,
        product_id: &str,
        reader: impl FnOnce(Option<View<'_>>, Corrections<'_>) -> R,
    ) -> R {
        let (shard, asked) = self.place(partner_id, product_id);
        let shard = self.shard(shard);
        let slot = shard.find(asked);
        let view = slot.and_then(|slot| shard.view(slot));
        let picture = view.as_ref().and_then(View::image_sha256);
        let picture = picture.and_then(|picture| self.pictures.get(&picture));
        let partner = self.partners.get(partner_id);
        let corrections = Corrections {
            product: slot.map_or(&[], |slot| shard.corrections(slot)),
            picture: picture.as_deref().unwrap_or_default(),
            partner: partner.as_deref().unwrap_or_default(),
        };
        reader(view, corrections)
    }

    /// Shows the corrections in force that bear on a product that is just being judged: by its key where it has one, by the picture that it comes with, and
    /// by its partner. What holds of `read` holds here.
    pub fn corrections_on<R>(
        &self,
        key: Option<&ProductKey>,
        picture: Option<&Digest>,
        partner_id: &str,
        reader: impl FnOnce(Corrections<'_>) -> R,
    ) -> R {
        let picture = picture.and_then(|picture| self.pictures.get(picture));
        let partner = self.partners.get(partner_id);
        let wide = Corrections {
            product: &[],
            picture: picture.as_deref().unwrap_or_default(),
            partner: partner.as_deref().unwrap_or_default(),
        };
        let Some(key) = key else { return reader(wide) };
        let (shard, asked) = self.place(&key.partner_id, &key.product_id);
        let shard = self.shard(shard);
        let product = shard.find(asked).map_or(&[][..], |slot| shard.corrections(slot));
        reader(Corrections { product, ..wide })
    }

    /// The highest number of an act (a correction, a revocation) such that all acts up to it are in. Asked before a read, the read sees them all.
    pub fn applied_seq(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Which partners are being erased or were.
    pub fn gone(&self) -> &Gone {
        &self.gone
    }

    /// A number that tells this ledger's cursors from those of another one, such as that of the process before a restart.
    pub fn identity(&self) -> u64 {
        self.hasher.hash_one("cursors")
    }

    /// The number of the latest change: the cursor to take before a snapshot.
    pub fn latest_change(&self) -> u64 {
        self.changes.latest()
    }

    /// Tells when a change has come, by its number or a later one. Numbers and cursors are this ledger's own, and mean nothing after a restart.
    pub fn notified(&self) -> watch::Receiver<u64> {
        self.changes.notified()
    }

    /// What it keeps, and the memory that it takes.
    pub fn memory(&self) -> Memory {
        let mut memory = Memory {
            product_bytes: self.changes.memory_bytes()
                + self.texts.names.memory_bytes()
                + self.texts.phrases.memory_bytes(),
            ..Memory::default()
        };
        for shard in 0..SHARDS {
            let (products, bytes) = self.shard(shard).memory();
            memory.products += products;
            memory.product_bytes += bytes;
        }
        (memory.corrections, memory.correction_bytes) = self.acts().memory();
        memory
    }

    /// Where a product is: its shard, and what it is asked for by there.
    fn place<'a>(&self, partner_id: &'a str, product_id: &'a str) -> (usize, Asked<'a>) {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(partner_id.as_bytes());
        // No text has this byte, so that no two keys are one row of bytes.
        hasher.write_u8(0xff);
        hasher.write(product_id.as_bytes());
        let hash = hasher.finish();
        let asked = Asked {
            hash: hash as u32,
            partner_id,
            product_id,
        };
        ((hash >> 32) as usize % SHARDS, asked)
    }

    fn shard(&self, shard: usize) -> RwLockReadGuard<'_, Shard> {
        self.shards[shard].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard_mut(&self, shard: usize) -> RwLockWriteGuard<'_, Shard> {
        self.shards[shard].write().unwrap_or_else(PoisonError::into_inner)
    }

    fn acts(&self) -> MutexGuard<'_, Acts> {
        self.acts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
