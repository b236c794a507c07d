//! What readers follow: the changes after a cursor, and all products in bounded steps. No lock is held between steps.

use super::changes::{Changed, Changes, Entry};
use super::shard::Which;
use super::{Ledger, SHARDS};
use crate::base::ProductKey;

/// How many slots are looked at under one lock: some tens of microseconds.
pub const AT_ONCE: u32 = 256;

/// How many are looked at in one step at most, where few are found: a millisecond or two.
const IN_A_STEP: u32 = 4096;

/// Where a walk over the products stands. It begins at the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    shard: usize,
    slot: u32,
}

/// What one step of a walk found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scanned {
    /// May be none, though the walk goes on.
    pub products: Vec<ProductKey>,
    /// Where to go on; none at the end.
    pub next: Option<Position>,
}

impl Ledger {
    /// What changed after a cursor: the next changes, of which at most so many are looked at. A product stands at its latest change alone.
    pub fn changes_after(&self, cursor: u64, limit: usize) -> Changes {
        let Some((entries, cursor)) = self.changes.after(cursor, limit) else {
            return Changes::Behind;
        };
        let resolved = entries.into_iter().filter_map(|(number, entry)| match entry {
            Entry::Record { shard, slot } => self.shard(shard as usize).changed(slot, number).map(Changed::Product),
            Entry::Named(changed) => match &*changed {
                // It was gone, and is back: then it stands at a later place.
                Changed::Product(key) if self.is_there(key) => None,
                Changed::Product(_) | Changed::Picture(_) | Changed::Partner(_) | Changed::Revision(_) => {
                    Some(Changed::clone(&changed))
                }
            },
        });
        let changed = resolved.collect();
        Changes::After { changed, cursor }
    }

    fn is_there(&self, key: &ProductKey) -> bool {
        let (shard, asked) = self.place(&key.partner_id, &key.product_id);
        self.shard(shard).find(asked).is_some()
    }

    /// One step of a walk over the known products and those that have corrections of their own, or over the known ones of a partner or with a picture. A
    /// product that is there from the beginning to the end of the walk is met, once; one that comes or goes meanwhile may be.
    ///
    /// A step finds at most `limit` products, and looks at some thousands at most; with a filter it may find none and yet not be the last. A walk
    /// over ten million products reads memory at random, and takes some seconds in all.
    pub fn scan(&self, which: Which<'_>, from: Position, limit: usize) -> Scanned {
        let mut scanned = Scanned::default();
        let (mut at, mut left) = (from, IN_A_STEP);
        while at.shard < SHARDS && left > 0 && scanned.products.len() < limit.max(1) {
            let shard = self.shard(at.shard);
            let end = shard.len().min(at.slot.saturating_add(AT_ONCE));
            let wanted = limit.max(1) - scanned.products.len();
            let mut next = end;
            for (slot, product) in shard.walk(at.slot..end, which).take(wanted) {
                scanned.products.push(product);
                if scanned.products.len() == limit.max(1) {
                    next = slot + 1;
                }
            }
            left = left.saturating_sub((next - at.slot).max(1));
            at = if next < shard.len() {
                Position { slot: next, ..at }
            } else {
                Position {
                    shard: at.shard + 1,
                    slot: 0,
                }
            };
        }
        scanned.next = (at.shard < SHARDS).then_some(at);
        scanned
    }
}
