//! What people did, told in any order and as often as it comes: which corrections are in force follows from the acts alone.
//!
//! A revocation that comes before its correction is remembered until the correction comes. An act that was told before changes nothing; that holds also of a
//! correction that is over and was let go of, which is known by the number of its act. Pure but for the memory: what follows from an act is given back, and
//! the ledger does it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::memory::allocated;
use crate::base::{Correction, CorrectionScope, Moment, Revocation};

/// The acts that are in.
#[derive(Default)]
pub struct Acts {
    by_id: HashMap<String, Act>,
    /// When corrections are over, with their identities; of revoked ones the first moment there is.
    due: BTreeSet<(Moment, String)>,
    given: Numbers,
    /// Up to here all acts are in because somebody said so.
    until: u64,
    seen: usize,
    bytes: usize,
}

enum Act {
    Correction(Arc<Correction>),
    /// Of a correction that has not come yet.
    Revocation(Revocation),
}

/// What an act makes of the corrections in force: one of them becomes another, comes or goes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Turn {
    pub old: Option<Arc<Correction>>,
    pub new: Option<Arc<Correction>>,
}

impl Acts {
    /// A correction is told.
    pub fn correct(&mut self, correction: Correction) -> Turn {
        let was_given = !correction.replica_only && self.given.add(correction.seq);
        if let Some(revocation) = &correction.revoked {
            self.given.add(revocation.seq);
        }
        let told = match self.by_id.get(&correction.correction_id) {
            // It was over, and let go.
            None if was_given => return Turn::default(),
            None => correction,
            Some(Act::Revocation(revocation)) => Correction {
                revoked: earlier(correction.revoked.clone(), Some(revocation.clone())),
                ..correction
            },
            // It was on record and over before; this replica had not heard that its own was meant.
            Some(Act::Correction(before)) if was_given && before.replica_only => {
                return self.let_go(&correction.correction_id);
            }
            Some(Act::Correction(before)) => joined(before, correction),
        };
        self.put(told)
    }

    /// A revocation is told.
    pub fn revoke(&mut self, correction_id: &str, revocation: Revocation) -> Turn {
        let was_given = self.given.add(revocation.seq);
        let revocation = match self.by_id.get(correction_id) {
            None if was_given => return Turn::default(),
            None => revocation,
            Some(Act::Revocation(before)) => sooner(before.clone(), revocation),
            Some(Act::Correction(before)) => {
                let revoked = earlier(before.revoked.clone(), Some(revocation));
                let told = Correction {
                    revoked,
                    ..Correction::clone(before)
                };
                return self.put(told);
            }
        };
        self.by_id.insert(correction_id.to_owned(), Act::Revocation(revocation));
        Turn::default()
    }

    /// The corrections on record as of an act: all of them but such as are over. What came after that act stays, and what is on this replica only, until it
    /// is told on record.
    pub fn replace_all(&mut self, corrections: Vec<Correction>, until: u64) -> Vec<Turn> {
        let listed: HashSet<String> = corrections
            .iter()
            .map(|correction| correction.correction_id.clone())
            .collect();
        let mut turns: Vec<Turn> = corrections
            .into_iter()
            .map(|correction| self.correct(correction))
            .collect();
        let is_stale = |(id, act): (&String, &Act)| {
            let is_later = match act {
                Act::Correction(correction) => correction.replica_only || correction.seq > until,
                Act::Revocation(revocation) => revocation.seq == 0 || revocation.seq > until,
            };
            (!is_later && !listed.contains(id)).then(|| id.clone())
        };
        let stale: Vec<String> = self.by_id.iter().filter_map(is_stale).collect();
        turns.extend(stale.iter().map(|id| self.let_go(id)));
        self.given.add_all_until(until);
        self.until = self.until.max(until);
        turns
    }

    /// All acts up to this one are in, whatever they were about.
    pub fn acts_until(&mut self, seq: u64) {
        self.until = self.until.max(seq);
    }

    /// The highest number of an act such that all acts up to it are in.
    pub fn applied(&self) -> u64 {
        self.given.contiguous_from(self.until)
    }

    /// Lets go of what is over at a moment, at most so many; empty when there is no more.
    pub fn sweep(&mut self, now: Moment, limit: usize) -> Vec<Turn> {
        let mut turns = Vec::new();
        while turns.len() < limit && self.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, id)) = self.due.pop_first() else { break };
            let is_over = match self.by_id.get(&id) {
                Some(Act::Correction(correction)) => is_over(correction, now),
                Some(Act::Revocation(_)) | None => false,
            };
            if is_over {
                turns.push(self.let_go(&id));
            }
        }
        turns
    }

    /// Lets go of a partner's corrections, as its erasure asks for: of those on record up to an act, and of this replica's own up to a moment.
    pub fn erase(&mut self, partner_id: &str, until: u64, at: Moment) -> Vec<Turn> {
        let is_erased = |correction: &Correction| {
            let is_before = match correction.replica_only {
                true => correction.created_at <= at,
                false => correction.seq <= until,
            };
            is_before && correction.scope.partner_id() == Some(partner_id)
        };
        let erased = self.by_id.iter().filter_map(|(id, act)| match act {
            Act::Correction(correction) if is_erased(correction) => Some(id.clone()),
            Act::Correction(_) | Act::Revocation(_) => None,
        });
        let erased: Vec<String> = erased.collect();
        erased.iter().map(|id| self.let_go(id)).collect()
    }

    /// How many corrections are kept, and the bytes they take.
    pub fn memory(&self) -> (usize, usize) {
        let acts = self.by_id.capacity() * (size_of::<(String, Act)>() + 1);
        let rest = (self.due.len() + self.given.0.len()) * 64;
        (self.seen, self.bytes + acts + rest)
    }

    fn put(&mut self, correction: Correction) -> Turn {
        let id = correction.correction_id.clone();
        let new = Arc::new(correction);
        let before = match self.by_id.get(&id) {
            Some(Act::Correction(before)) if *before == new => return Turn::default(),
            Some(Act::Correction(before)) => Some(Arc::clone(before)),
            Some(Act::Revocation(_)) | None => None,
        };
        if let Some(before) = &before {
            self.forget_bytes(before);
        }
        self.seen += 1;
        self.bytes += bytes_of(&new);
        self.due.extend(due(&new).map(|at| (at, id.clone())));
        self.by_id.insert(id, Act::Correction(Arc::clone(&new)));
        Turn {
            old: before.filter(in_force),
            new: Some(new).filter(in_force),
        }
    }

    fn let_go(&mut self, id: &str) -> Turn {
        match self.by_id.remove(id) {
            Some(Act::Correction(correction)) => {
                self.forget_bytes(&correction);
                for at in due(&correction) {
                    self.due.remove(&(at, id.to_owned()));
                }
                Turn {
                    old: Some(correction).filter(in_force),
                    new: None,
                }
            }
            Some(Act::Revocation(_)) | None => Turn::default(),
        }
    }

    fn forget_bytes(&mut self, correction: &Correction) {
        self.seen -= 1;
        self.bytes -= bytes_of(correction);
    }
}

fn in_force(correction: &Arc<Correction>) -> bool {
    correction.revoked.is_none()
}

/// True where nothing that is still to be told of it can bring it back into force. What is not on record yet will be told again when it is.
fn is_over(correction: &Correction, now: Moment) -> bool {
    let is_revoked = correction.revoked.as_ref().is_some_and(|revocation| revocation.seq > 0);
    let is_expired = correction.expires_at.is_some_and(|end| end <= now);
    is_expired || (is_revoked && !correction.replica_only)
}

/// When it is over.
fn due(correction: &Correction) -> impl Iterator<Item = Moment> {
    let revoked = correction.revoked.as_ref().map(|_| Moment::from_micros(i64::MIN));
    revoked.into_iter().chain(correction.expires_at)
}

/// Two tellings of one correction: what is on record outranks what is on this replica only, and a revocation stays.
fn joined(before: &Correction, told: Correction) -> Correction {
    let revoked = earlier(before.revoked.clone(), told.revoked.clone());
    let rank = |one: &Correction| (!one.replica_only, one.seq);
    let winner = if rank(&told) > rank(before) {
        told
    } else {
        before.clone()
    };
    Correction { revoked, ..winner }
}

fn earlier(one: Option<Revocation>, other: Option<Revocation>) -> Option<Revocation> {
    match (one, other) {
        (Some(one), Some(other)) => Some(sooner(one, other)),
        (one, other) => one.or(other),
    }
}

/// The first on record of two; one that is not on record has the number zero.
fn sooner(one: Revocation, other: Revocation) -> Revocation {
    let place = |revocation: &Revocation| (revocation.seq == 0, revocation.seq);
    if place(&other) < place(&one) { other } else { one }
}

/// What a correction takes: itself, its texts, its identity again and its places in lists.
fn bytes_of(correction: &Correction) -> usize {
    let scope = match &correction.scope {
        CorrectionScope::Product(key) => allocated(key.partner_id.len()) + allocated(key.product_id.len()),
        CorrectionScope::Picture(_) => 0,
        CorrectionScope::Partner(partner) => allocated(partner.len()),
    };
    let revocation = correction
        .revoked
        .as_ref()
        .map_or(0, |revocation| allocated(revocation.reason.len()));
    let texts = 2 * allocated(correction.correction_id.len()) + allocated(correction.reason.len());
    let countries = allocated(size_of_val(&correction.countries[..]));
    allocated(size_of::<Correction>() + 16) + texts + scope + revocation + countries + PLACE
}

/// Its places in the tables that readers look into: its own key, its list, and the pointer there.
const PLACE: usize = 128;

/// Numbers of acts, as ranges: the first and the last of each.
#[derive(Default)]
struct Numbers(BTreeMap<u64, u64>);

impl Numbers {
    /// Adds a number; true where it was there. Zero is no number of an act, and never there.
    fn add(&mut self, number: u64) -> bool {
        if number == 0 {
            return false;
        }
        let before = self.0.range(..=number).next_back().map(|(first, last)| (*first, *last));
        if before.is_some_and(|(_, last)| last >= number) {
            return true;
        }
        let first = before
            .filter(|(_, last)| last + 1 == number)
            .map_or(number, |(first, _)| first);
        let next = number.checked_add(1).and_then(|next| self.0.remove(&next));
        self.0.insert(first, next.unwrap_or(number));
        false
    }

    /// Adds all numbers up to one.
    fn add_all_until(&mut self, last: u64) {
        let later = self.0.split_off(&last.saturating_add(2));
        let end = self.0.values().fold(last, |end, within| end.max(*within));
        self.0 = later;
        if end > 0 {
            self.0.insert(1, end);
        }
    }

    /// The last number of the unbroken row that begins after this one; this one where there is none.
    fn contiguous_from(&self, number: u64) -> u64 {
        let next = number.saturating_add(1);
        let row = self.0.range(..=next).next_back();
        row.map_or(number, |(_, last)| number.max(*last))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_a_set(steps in prop::collection::vec((0..4_u8, 0..24_u64), 0..60), from in 0..26_u64) {
            let (mut numbers, mut model) = (Numbers::default(), BTreeSet::new());
            for (kind, number) in steps {
                if kind == 0 && number % 8 == 0 {
                    numbers.add_all_until(number);
                    model.extend(1..=number);
                } else {
                    prop_assert_eq!(numbers.add(number), number > 0 && !model.insert(number));
                }
                model.remove(&0);
                let listed: BTreeSet<u64> = numbers.0.iter().flat_map(|(first, last)| *first..=*last).collect();
                prop_assert_eq!(&listed, &model);
                prop_assert!(numbers.0.iter().zip(numbers.0.iter().skip(1)).all(|(a, b)| a.1 + 1 < *b.0));
            }
            let row = (from + 1..).take_while(|next| model.contains(next)).last();
            prop_assert_eq!(numbers.contiguous_from(from), row.unwrap_or(from));
        }
    }
}
