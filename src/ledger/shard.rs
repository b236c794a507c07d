//! One part of the products, under one lock: their packed records, the texts they share, and the corrections of single products.
//!
//! A product's record stays in its slot as long as the product is there, so that a walk over the slots misses nobody; a product of which only corrections
//! are known has a record of its key alone. The table finds slots by the hash of the key, and keeps half of the hash: growing it touches no record.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;

use super::corrections::set_in;
use super::intern::Texts;
use super::memory::allocated;
use super::merge::{Judged, Matched, Tables, merge};
use super::packed::{LookPart, Parts, TextPart, key, pack, pack_key, picture, set_change, unpack};
use super::revisions::Revisions;
use super::view::View;
use crate::base::{Correction, Digest, KnownProduct, ProductKey, TextsMark};

/// Where the record of a product is in its shard.
pub type Slot = u32;

/// Which products a walk is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All that are known or have corrections of their own.
    All,
    OfPartner(&'a str),
    WithPicture(&'a Digest),
}

/// A product asked for: the hash within its shard and its key.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub hash: u32,
    pub partner_id: &'a str,
    pub product_id: &'a str,
}

#[derive(Clone, Copy)]
struct Place {
    hash: u32,
    slot: Slot,
}

/// The products whose keys hash here.
pub struct Shard {
    table: HashTable<Place>,
    /// The records; free slots are empty.
    slots: Vec<Box<[u8]>>,
    free: Vec<Slot>,
    corrected: HashMap<Slot, Vec<Arc<Correction>>>,
    texts: Arc<Texts>,
    pub revisions: Arc<Revisions>,
    /// Where records are written before they are kept.
    buffer: Vec<u8>,
    known: usize,
    record_bytes: usize,
}

impl Shard {
    /// An empty one.
    pub fn new(texts: Arc<Texts>) -> Self {
        Self {
            table: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            corrected: HashMap::new(),
            texts,
            revisions: Arc::default(),
            buffer: Vec::new(),
            known: 0,
            record_bytes: 0,
        }
    }

    /// The slot of a product.
    pub fn find(&self, asked: Asked<'_>) -> Option<Slot> {
        let is_it = |place: &Place| {
            if place.hash != asked.hash {
                return false;
            }
            let (partner, product_id) = key(&self.slots[place.slot as usize]);
            product_id == asked.product_id.as_bytes() && partner.bytes(&self.texts.names) == asked.partner_id.as_bytes()
        };
        self.table.find(spread(asked.hash), is_it).map(|place| place.slot)
    }

    /// What is known of the product there.
    pub fn view(&self, slot: Slot) -> Option<View<'_>> {
        View::new(unpack(self.record(slot)), &self.texts, &self.revisions)
    }

    /// The corrections in force of the product there alone.
    pub fn corrections(&self, slot: Slot) -> &[Arc<Correction>] {
        if self.corrected.is_empty() {
            return &[];
        }
        self.corrected.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// The product whose latest change has this number, if its record is there.
    pub fn changed(&self, slot: Slot, change: u64) -> Option<ProductKey> {
        let record = self.slots.get(slot as usize).filter(|record| !record.is_empty())?;
        (unpack(record).change == change).then(|| self.key(slot))
    }

    /// How many slots there are.
    pub fn len(&self) -> Slot {
        self.slots.len() as Slot
    }

    /// The products of some slots.
    pub fn walk(&self, slots: Range<Slot>, which: Which<'_>) -> impl Iterator<Item = (Slot, ProductKey)> {
        let partner = match which {
            Which::OfPartner(partner_id) => self.texts.names.find(partner_id.as_bytes()),
            Which::All | Which::WithPicture(_) => None,
        };
        let is_meant = move |record: &[u8]| match which {
            Which::All => true,
            Which::OfPartner(partner_id) => match key(record).0 {
                TextPart::Shared(number) => Some(number) == partner,
                TextPart::Own(text) => text == partner_id.as_bytes(),
            },
            Which::WithPicture(digest) => picture(record).as_ref() == Some(digest),
        };
        let is_there = move |slot: &Slot| {
            let record = self.slots.get(*slot as usize).filter(|record| !record.is_empty());
            record.is_some_and(|record| is_meant(record))
        };
        slots.filter(is_there).map(|slot| (slot, self.key(slot)))
    }

    /// Products known, and the bytes of everything here.
    pub fn memory(&self) -> (usize, usize) {
        let slots = self.slots.len() * size_of::<Box<[u8]>>() + self.free.capacity() * size_of::<Slot>();
        let tables = self.table.allocation_size() + self.buffer.capacity() + size_of::<Self>();
        (self.known, self.record_bytes + slots + tables)
    }

    /// A product was judged: see `merge`. `tell` gives the change its number.
    pub fn judge(
        &mut self,
        asked: Asked<'_>,
        known: &KnownProduct,
        matched: &Matched,
        tell: impl FnOnce(Slot) -> u64,
    ) -> Judged {
        let slot = self.find(asked);
        let record = slot.map(|slot| unpack(&self.slots[slot as usize]));
        let before = record.and_then(|record| record.known);
        let tables = Tables {
            texts: &self.texts,
            revisions: &self.revisions,
        };
        let Some(mut judged) = merge(&mut self.buffer, known, matched, before.as_ref(), tables) else {
            return Judged::default();
        };
        let is_changed = before.map(|before| before.substance) != substance(&self.buffer);
        set_change(&mut self.buffer, record.map_or(0, |record| record.change));
        self.known += usize::from(judged.is_new);
        let slot = self.store(slot, asked.hash);
        judged.change = is_changed.then(|| self.tell(slot, tell));
        judged
    }

    /// The keyword rules that a product's texts match were matched anew: the number of the change, where it is one. None where the product is not known, or
    /// has other texts by now.
    pub fn rematch(
        &mut self,
        asked: Asked<'_>,
        texts: TextsMark,
        matched: &Matched,
        tell: impl FnOnce(Slot) -> u64,
    ) -> Option<Option<u64>> {
        let slot = self.find(asked)?;
        let record = unpack(&self.slots[slot as usize]);
        let known = record.known.filter(|known| known.parts.texts == texts)?;
        let by = matched.by.to_le_bytes();
        let rules: Vec<u8> = matched.rules.iter().flat_map(|rule| rule.to_le_bytes()).collect();
        let parts = Parts {
            matched_by: TextPart::new(&by, &self.texts.names),
            matched: &rules,
            ..known.parts
        };
        pack(
            &mut self.buffer,
            record.partner,
            record.product_id,
            &parts,
            &known.looks,
        );
        set_change(&mut self.buffer, record.change);
        let is_changed = Some(known.substance) != substance(&self.buffer);
        self.keep(slot);
        Some(is_changed.then(|| self.tell(slot, tell)))
    }

    /// Puts a product's correction in, in the place of the one with its identity, or takes it out. Gives the slot where the product is there afterwards.
    pub fn correct(
        &mut self,
        asked: Asked<'_>,
        correction_id: &str,
        correction: Option<&Arc<Correction>>,
    ) -> Option<Slot> {
        let slot = match (self.find(asked), correction) {
            (Some(slot), _) => slot,
            (None, Some(_)) => {
                let partner = TextPart::new(asked.partner_id.as_bytes(), &self.texts.names);
                pack_key(&mut self.buffer, partner, asked.product_id.as_bytes());
                self.store(None, asked.hash)
            }
            (None, None) => return None,
        };
        let list = self.corrected.entry(slot).or_default();
        set_in(list, correction_id, correction);
        if !list.is_empty() {
            return Some(slot);
        }
        self.corrected.remove(&slot);
        if self.view(slot).is_none() {
            self.clear(slot, asked.hash);
            return None;
        }
        Some(slot)
    }

    /// The knowledge of the product there is forgotten; its corrections stay. Tells whether it is still there for them; none where nothing was known of it.
    pub fn remove(&mut self, slot: Slot, hash: u32) -> Option<bool> {
        let record = unpack(&self.slots[slot as usize]);
        record.known?;
        pack_key(&mut self.buffer, record.partner, record.product_id);
        self.known -= 1;
        let is_corrected = !self.corrections(slot).is_empty();
        if is_corrected {
            self.keep(slot);
        } else {
            self.clear(slot, hash);
        }
        Some(is_corrected)
    }

    /// Gives the record there the number of its change.
    pub fn tell(&mut self, slot: Slot, number: impl FnOnce(Slot) -> u64) -> u64 {
        let change = number(slot);
        set_change(&mut self.slots[slot as usize], change);
        change
    }

    /// Takes the looks of dropped revisions out of the records of some slots.
    pub fn clean(&mut self, slots: Range<Slot>) {
        for slot in slots {
            let Some(record) = self.slots.get(slot as usize).filter(|record| !record.is_empty()) else {
                continue;
            };
            let record = unpack(record);
            let Some(known) = record.known else { continue };
            let is_used = |look: &LookPart<'_>| self.revisions.get(look.revision).is_some();
            let looks = known.looks.map(|look| look.filter(is_used));
            if looks == known.looks {
                continue;
            }
            pack(
                &mut self.buffer,
                record.partner,
                record.product_id,
                &known.parts,
                &looks,
            );
            set_change(&mut self.buffer, record.change);
            self.keep(slot);
        }
    }

    fn record(&self, slot: Slot) -> &[u8] {
        self.slots.get(slot as usize).map_or(&[], |record| record)
    }

    fn key(&self, slot: Slot) -> ProductKey {
        let (partner, product_id) = key(self.record(slot));
        ProductKey {
            partner_id: partner.text(&self.texts.names).to_owned(),
            product_id: std::str::from_utf8(product_id).unwrap_or_default().to_owned(),
        }
    }

    /// Keeps the record in the buffer: in its slot, or in one of its own.
    fn store(&mut self, slot: Option<Slot>, hash: u32) -> Slot {
        let slot = slot.unwrap_or_else(|| {
            let slot = self.free.pop().unwrap_or_else(|| {
                self.slots.push(Box::default());
                Slot::try_from(self.slots.len() - 1).expect("so many products do not fit into memory")
            });
            self.table
                .insert_unique(spread(hash), Place { hash, slot }, |place| spread(place.hash));
            slot
        });
        self.keep(slot);
        slot
    }

    /// Replaces the record there by the one in the buffer.
    fn keep(&mut self, slot: Slot) {
        let record = &mut self.slots[slot as usize];
        if record.len() == self.buffer.len() {
            record.copy_from_slice(&self.buffer);
        } else {
            self.record_bytes += allocated(self.buffer.len());
            self.record_bytes -= allocated(record.len());
            *record = self.buffer.as_slice().into();
        }
    }

    fn clear(&mut self, slot: Slot, hash: u32) {
        if let Ok(entry) = self.table.find_entry(spread(hash), |place| place.slot == slot) {
            entry.remove();
        }
        let record = std::mem::take(&mut self.slots[slot as usize]);
        self.record_bytes -= allocated(record.len());
        self.free.push(slot);
    }
}

fn substance(record: &[u8]) -> Option<&[u8]> {
    unpack(record).known.map(|known| known.substance)
}

/// The table takes its index from the lowest bits of a hash and its mark from the highest.
fn spread(hash: u32) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}
