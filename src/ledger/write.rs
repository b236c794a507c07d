//! How the ledger is written: judgements, corrections, and the forgetting of what is over.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::acts::Turn;
use super::changes::Changed;
use super::merge::{Judged, Matched};
use super::revisions::Revisions;
use super::shard::{Asked, Shard, Slot, Which};
use super::walk::AT_ONCE;
use super::{Ledger, SHARDS};
use crate::base::{
    Correction, CorrectionScope, KnownProduct, Label, Moment, ProductKey, RevisionId, Revocation, TextsMark,
};

impl Ledger {
    /// Registers a revision with its labels, in the order of its scores: until then its looks are not taken. Once is enough; the first labels stay.
    pub fn register(&self, revision: RevisionId, labels: &[Label]) {
        self.change_revisions(|table| table.with(revision, labels));
    }

    /// A revision's scores are not used from here on, as after a rollback. Its looks are gone for every read that begins afterwards; `sweep` frees their
    /// memory. It can be registered again, and begins anew.
    pub fn drop_revision(&self, revision: &RevisionId) {
        if self.change_revisions(|table| table.without(revision)) {
            let number = self.changes.name(Changed::Revision(*revision));
            self.changes.wake(number);
        }
    }

    /// A product was judged, here or elsewhere: what is known of it from now on. The later sight wins (`seen_at`), whichever is told first. Looks of the
    /// same picture are kept beside the new ones, one of each revision, the four newest; those of another picture go.
    pub fn judged(&self, known: &KnownProduct, matched: &Matched) -> Judged {
        let (shard, asked) = self.place_of(&known.key);
        let tell = |slot| self.changes.record(shard as u32, slot);
        let judged = self.shard_mut(shard).judge(asked, known, matched, tell);
        self.wake(judged.change);
        judged
    }

    /// The texts of a known product were matched against another version of the keyword rules. False where it is not known, or has other texts by now: then
    /// nothing is changed.
    pub fn rematch(&self, key: &ProductKey, texts: TextsMark, matched: &Matched) -> bool {
        let (shard, asked) = self.place_of(key);
        let tell = |slot| self.changes.record(shard as u32, slot);
        let rematched = self.shard_mut(shard).rematch(asked, texts, matched, tell);
        self.wake(rematched.flatten());
        rematched.is_some()
    }

    /// Forgets what is known of a product; its corrections stay in force. False where nothing is known of it.
    pub fn remove(&self, key: &ProductKey) -> bool {
        let (index, asked) = self.place_of(key);
        let change = {
            let mut shard = self.shard_mut(index);
            shard
                .find(asked)
                .and_then(|slot| self.remove_from(index, &mut shard, slot, asked))
        };
        self.wake(change);
        change.is_some()
    }

    /// Forgets what is known of the products of a partner that were last seen up to a moment, in bounded steps, and tells how many those were; corrections
    /// stay in force. A product that is judged meanwhile may stay.
    pub fn remove_partner(&self, partner_id: &str, until: Moment) -> usize {
        let mut removed = 0;
        self.step_through(|index, shard, slots| {
            let which = Which::OfPartner(partner_id);
            let found: Vec<(Slot, ProductKey)> = shard.walk(slots, which).collect();
            for (slot, key) in found {
                let is_later = shard.view(slot).is_some_and(|view| view.seen_at() > until);
                if !is_later {
                    let (_, asked) = self.place_of(&key);
                    removed += usize::from(self.remove_from(index, shard, slot, asked).is_some());
                }
            }
        });
        self.changes.wake(self.changes.latest());
        removed
    }

    /// A partner's corrections are out of force when this returns, and forgotten: those on record up to the act that erased the partner, and those of this
    /// replica alone that were given up to its moment.
    pub fn erase_corrections(&self, partner_id: &str, until: u64, at: Moment) {
        self.act(|acts| acts.erase(partner_id, until, at));
    }

    /// A correction is in force when this returns, unless it is revoked: for every read that begins afterwards. In any order with revocations, and as often
    /// as it comes.
    pub fn correct(&self, correction: Correction) {
        self.act(|acts| [acts.correct(correction)]);
    }

    /// A correction is revoked when this returns; one that has not come yet will be when it comes.
    pub fn revoke(&self, correction_id: &str, revocation: Revocation) {
        self.act(|acts| [acts.revoke(correction_id, revocation)]);
    }

    /// All corrections on record as of an act, but for those that are over: to begin with, and where acts may have been missed. Nothing that stays is ever
    /// out of force meanwhile; what is on this replica only, or came after that act, stays too.
    pub fn replace_all(&self, corrections: Vec<Correction>, until: u64) {
        self.act(|acts| acts.replace_all(corrections, until));
    }

    /// All acts up to this one are in, those that are no business of the ledger's included. Told after them.
    pub fn acts_until(&self, seq: u64) {
        self.act(|acts| {
            acts.acts_until(seq);
            []
        });
    }

    /// Lets go of corrections that are over at a moment, and of the looks of dropped revisions. That a correction has expired is told as a change here: call it
    /// every second or so. Cheap where nothing is to be done.
    pub fn sweep(&self, now: Moment) {
        while self.act(|acts| acts.sweep(now, AT_ONCE as usize)) > 0 {}
        // One at a time: a number that is freed twice may be another revision's by then.
        let _alone = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = self.revisions.lock().unwrap_or_else(PoisonError::into_inner).dropped();
        if !dropped.is_empty() {
            self.step_through(|_, shard, slots| shard.clean(slots));
            self.change_revisions(|table| Some(table.cleared(&dropped)));
        }
    }

    /// Does what follows from acts, before anybody else acts; gives how many turns there were.
    fn act<T: IntoIterator<Item = Turn>>(&self, act: impl FnOnce(&mut super::Acts) -> T) -> usize {
        let mut acts = self.acts();
        let (mut turns, mut latest) = (0, None);
        for turn in act(&mut acts) {
            turns += 1;
            latest = self.turn(&turn).or(latest);
        }
        self.applied.store(acts.applied(), Ordering::Release);
        drop(acts);
        self.wake(latest);
        turns
    }

    /// The new one is there before the old one goes.
    fn turn(&self, turn: &Turn) -> Option<u64> {
        let new = turn.new.as_ref();
        let came = new.map(|new| self.enforce(&new.scope, &new.correction_id, Some(new)));
        let left = turn
            .old
            .as_ref()
            .filter(|old| new.is_none_or(|new| new.scope != old.scope));
        let went = left.map(|old| self.enforce(&old.scope, &old.correction_id, None));
        went.or(came)
    }

    fn enforce(&self, scope: &CorrectionScope, correction_id: &str, correction: Option<&Arc<Correction>>) -> u64 {
        match scope {
            CorrectionScope::Product(key) => {
                let (index, asked) = self.place_of(key);
                let mut shard = self.shard_mut(index);
                match shard.correct(asked, correction_id, correction) {
                    Some(slot) => self.tell_record(index, &mut shard, slot),
                    None => self.changes.name(Changed::Product(key.clone())),
                }
            }
            CorrectionScope::Picture(picture) => {
                self.pictures.set(picture, correction_id, correction);
                self.changes.name(Changed::Picture(*picture))
            }
            CorrectionScope::Partner(partner_id) => {
                self.partners.set(partner_id, correction_id, correction);
                self.changes.name(Changed::Partner(partner_id.clone()))
            }
        }
    }

    fn remove_from(&self, index: usize, shard: &mut Shard, slot: Slot, asked: Asked<'_>) -> Option<u64> {
        Some(if shard.remove(slot, asked.hash)? {
            self.tell_record(index, shard, slot)
        } else {
            self.changes.name(Changed::Product(ProductKey {
                partner_id: asked.partner_id.to_owned(),
                product_id: asked.product_id.to_owned(),
            }))
        })
    }

    fn tell_record(&self, index: usize, shard: &mut Shard, slot: Slot) -> u64 {
        shard.tell(slot, |slot| self.changes.record(index as u32, slot))
    }

    /// Gives every shard a new table of revisions, where there is one; tells whether there was.
    fn change_revisions(&self, change: impl FnOnce(&Revisions) -> Option<Revisions>) -> bool {
        let mut revisions = self.revisions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(changed) = change(&revisions) else {
            return false;
        };
        *revisions = changed.clone();
        let shared = Arc::new(changed);
        for index in 0..SHARDS {
            self.shard_mut(index).revisions = Arc::clone(&shared);
        }
        true
    }

    /// All slots, some at a time under the lock of their shard.
    fn step_through(&self, mut step: impl FnMut(usize, &mut Shard, std::ops::Range<Slot>)) {
        for index in 0..SHARDS {
            let mut slot = 0;
            loop {
                let mut shard = self.shard_mut(index);
                let end = shard.len().min(slot + AT_ONCE);
                if slot == end {
                    break;
                }
                step(index, &mut shard, slot..end);
                slot = end;
            }
        }
    }

    fn wake(&self, change: Option<u64>) {
        if let Some(change) = change {
            self.changes.wake(change);
        }
    }

    fn place_of<'a>(&self, key: &'a ProductKey) -> (usize, Asked<'a>) {
        self.place(&key.partner_id, &key.product_id)
    }
}
