//! What changed, in order: one counter for all changes, and the latest of them to be read after a cursor.
//!
//! A change of a product is kept as the place where the product's record is, and the record has the number of its latest change: where the two differ,
//! the product changed again, and stands at its later place. So a product is told once, though it changed ten times, and a change costs sixteen bytes.
//! What has no record (a picture, a partner, a product that is gone) is kept by name, with its latest number beside the ring.
//!
//! The ring is bounded. Whoever comes back to a place that it no longer has takes a new snapshot, which costs no more than reading that many changes
//! would: see `LATEST`.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::base::{Digest, ProductKey, RevisionId};

/// How many changes are kept: sixteen MiB. At ten thousand a second that is more than a minute and a half, where readers are woken at once and come back
/// in less than a second; and who missed as many in a ledger of ten million has a tenth of it to read anyway.
pub const LATEST: usize = 1 << 20;

/// Of what the knowledge, or a correction that bears on it, changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Changed {
    /// One product: it was judged, corrected, matched anew, or removed.
    Product(ProductKey),
    /// Corrections of every product with this picture.
    Picture(Digest),
    /// Corrections of every product of a partner.
    Partner(String),
    /// The scores of a revision are not used any more: any product may have had some.
    Revision(RevisionId),
}

/// What there is after a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Each at the place of its latest change; and the cursor to go on from. There may be none of them though the cursor moved.
    After { changed: Vec<Changed>, cursor: u64 },
    /// The cursor's place is no longer kept, or never was: take a new snapshot.
    Behind,
}

/// A change as it is kept.
#[derive(Clone)]
pub enum Entry {
    /// Of the product with its record there.
    Record {
        shard: u32,
        slot: u32,
    },
    Named(Arc<Changed>),
}

/// The latest changes.
pub struct Log {
    ring: Mutex<Ring>,
    moved: watch::Sender<u64>,
}

struct Ring {
    /// The number of the last one.
    latest: u64,
    entries: VecDeque<Entry>,
    capacity: usize,
    /// The latest number of what is kept by name.
    named: HashMap<Arc<Changed>, u64>,
}

impl Log {
    /// An empty log that keeps so many.
    pub fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(Ring {
                latest: 0,
                // All at once, so that it never moves under the lock; pages not yet written take no memory.
                entries: VecDeque::with_capacity(capacity.max(1)),
                capacity: capacity.max(1),
                named: HashMap::new(),
            }),
            moved: watch::Sender::new(0),
        }
    }

    /// The next number, for the product with its record there. Called under the shard's lock, so that the record has it when the log has.
    pub fn record(&self, shard: u32, slot: u32) -> u64 {
        self.ring().push(Entry::Record { shard, slot })
    }

    /// The next number, for what is told by name.
    pub fn name(&self, changed: Changed) -> u64 {
        let changed = Arc::new(changed);
        let mut ring = self.ring();
        let number = ring.push(Entry::Named(Arc::clone(&changed)));
        ring.named.insert(changed, number);
        number
    }

    /// Wakes whoever waits for this number. Called without locks.
    pub fn wake(&self, number: u64) {
        if self.moved.receiver_count() == 0 {
            return;
        }
        self.moved.send_if_modified(|seen| {
            let is_newer = number > *seen;
            *seen = number.max(*seen);
            is_newer
        });
    }

    /// Tells when the counter moved.
    pub fn notified(&self) -> watch::Receiver<u64> {
        let receiver = self.moved.subscribe();
        // What came while nobody listened.
        self.wake(self.latest());
        receiver
    }

    /// The number of the last change.
    pub fn latest(&self) -> u64 {
        self.ring().latest
    }

    /// The next changes after a cursor, at most so many, with their numbers; those by name only at their latest place. None where the cursor's place is not
    /// kept.
    pub fn after(&self, cursor: u64, limit: usize) -> Option<(Vec<(u64, Entry)>, u64)> {
        let ring = self.ring();
        let before_first = ring.latest - ring.entries.len() as u64;
        let skip = usize::try_from(cursor.checked_sub(before_first)?).ok()?;
        if cursor > ring.latest {
            return None;
        }
        let entries = ring.entries.range(skip..).take(limit);
        let read = entries.len() as u64;
        let numbered = (cursor + 1..).zip(entries);
        let is_latest = |(number, entry): &(u64, &Entry)| match entry {
            Entry::Record { .. } => true,
            Entry::Named(changed) => ring.named.get(changed) == Some(number),
        };
        let fresh = numbered
            .filter(is_latest)
            .map(|(number, entry)| (number, entry.clone()));
        Some((fresh.collect(), cursor + read))
    }

    /// The memory that it takes, in bytes.
    pub fn memory_bytes(&self) -> usize {
        let ring = self.ring();
        let name = size_of::<Changed>() + size_of::<(Arc<Changed>, u64)>() + 80;
        ring.entries.len() * size_of::<Entry>() + ring.named.len() * name
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, entry: Entry) -> u64 {
        if self.entries.len() == self.capacity
            && let Some(Entry::Named(oldest)) = self.entries.pop_front()
        {
            let number = self.latest + 1 - self.capacity as u64;
            if self.named.get(&oldest) == Some(&number) {
                self.named.remove(&oldest);
            }
        }
        self.entries.push_back(entry);
        self.latest += 1;
        self.latest
    }
}
