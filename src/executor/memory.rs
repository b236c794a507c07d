//! What loaded revisions may take of memory together.
//!
//! A revision takes its place before it is loaded and gives it back when it is gone for good, so that a candidate that does not fit waits instead of
//! having the system kill the process. What a session takes was measured in the child process that proved it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::control_group;

/// One part in so many of what the process may use is left for requests, buffers and the program itself.
const RESERVE: u64 = 4;

/// The memory for loaded revisions. Cheap to clone.
#[derive(Clone)]
pub struct MemoryBudget(Arc<Mutex<Book>>);

struct Book {
    total: u64,
    taken: BTreeMap<u64, (String, u64)>,
    next: u64,
}

impl Book {
    fn in_use(&self) -> u64 {
        self.taken.values().map(|(_, bytes)| bytes).sum()
    }
}

/// A place in the budget. Dropped, it is free again.
pub struct Reservation {
    budget: MemoryBudget,
    number: u64,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget.book().taken.remove(&self.number);
    }
}

/// What a revision needs: so many sessions, and room for the scores of known pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    pub sessions: u64,
    pub session_bytes: u64,
    pub known_bytes: u64,
}

impl Need {
    /// All of it.
    pub fn bytes(&self) -> u64 {
        self.sessions
            .saturating_mul(self.session_bytes)
            .saturating_add(self.known_bytes)
    }
}

/// There is not enough left, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Shortage {
    need: Need,
    total: u64,
    taken: Vec<(String, u64)>,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Need {
            sessions,
            session_bytes,
            known_bytes,
        } = self.need;
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        let in_use: u64 = self.taken.iter().map(|(_, bytes)| bytes).sum();
        write!(
            f,
            "needs {} MiB of memory ({sessions} sessions of {} MiB, {} MiB for known pictures), but of {} MiB (models.memory) {} are taken",
            mib(self.need.bytes()),
            mib(session_bytes),
            mib(known_bytes),
            self.total >> 20,
            mib(in_use),
        )?;
        for (at, (who, bytes)) in self.taken.iter().enumerate() {
            write!(f, "{} {who} {} MiB", if at == 0 { ":" } else { "," }, mib(*bytes))?;
        }
        Ok(())
    }
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(total: u64) -> Self {
        Self(Arc::new(Mutex::new(Book {
            total,
            taken: BTreeMap::new(),
            next: 0,
        })))
    }

    /// Takes a place for whoever is named.
    ///
    /// # Errors
    /// When less than it needs is left.
    pub fn reserve(&self, who: String, need: Need) -> Result<Reservation, Shortage> {
        let mut book = self.book();
        if need.bytes() > book.total.saturating_sub(book.in_use()) {
            return Err(Shortage {
                need,
                total: book.total,
                taken: book.taken.values().cloned().collect(),
            });
        }
        let number = book.next;
        book.next += 1;
        book.taken.insert(number, (who, need.bytes()));
        drop(book);
        Ok(Reservation {
            budget: self.clone(),
            number,
        })
    }

    /// The whole of it, and what of it is taken, in bytes.
    pub fn use_of(&self) -> (u64, u64) {
        let book = self.book();
        (book.total, book.in_use())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing can panic half-way through a change of the book.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What loaded revisions may take where nothing is configured: what the control group grants, or the machine has, less a quarter.
pub fn memory_for_revisions() -> u64 {
    let granted = control_group::texts("memory.max");
    let granted = granted.iter().filter_map(|text| text.trim().parse::<u64>().ok()).min();
    let whole = granted.into_iter().chain(machine()).min();
    whole.map_or(u64::MAX, |whole| whole - whole / RESERVE)
}

/// The machine's memory.
fn machine() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn need(bytes: u64) -> Need {
        Need {
            sessions: 1,
            session_bytes: bytes,
            known_bytes: 0,
        }
    }

    #[test]
    fn a_shortage_shows_the_arithmetic() {
        let budget = MemoryBudget::new(100 << 20);
        let _kept = budget.reserve("adsafety 1".into(), need(60 << 20)).unwrap();
        let wanted = Need {
            sessions: 3,
            session_bytes: 10 << 20,
            known_bytes: 32 << 20,
        };
        let shortage = budget.reserve("adsafety 2".into(), wanted).map(drop).unwrap_err();
        assert_eq!(
            shortage.to_string(),
            "needs 62 MiB of memory (3 sessions of 10 MiB, 32 MiB for known pictures), but of 100 MiB (models.memory) 60 are taken: \
             adsafety 1 60 MiB"
        );
        assert!(memory_for_revisions() > 0);
    }

    proptest! {
        #[test]
        fn the_budget_is_never_exceeded_and_comes_back(steps in prop::collection::vec((0_u64..50, any::<bool>()), 0..100)) {
            let budget = MemoryBudget::new(100);
            let mut held = Vec::new();
            let mut sum = 0;
            for (bytes, leaves) in steps {
                match budget.reserve("x".into(), need(bytes)) {
                    Ok(reservation) => {
                        sum += bytes;
                        held.push((reservation, bytes));
                    }
                    Err(_) => prop_assert!(sum + bytes > 100),
                }
                if leaves && !held.is_empty() {
                    sum -= held.remove(0).1;
                }
                prop_assert!(sum <= 100);
                prop_assert_eq!(budget.use_of(), (100, sum));
            }
        }
    }
}
