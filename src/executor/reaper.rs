//! Where sessions go to be dropped.
//!
//! Releasing a session frees tens of megabytes, and then the allocator keeps most of it: over many swaps the process
//! would grow to several times its models. So sessions are dropped on one thread of their own, never on a request's,
//! and the freed memory is given back to the operating system after each.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::memory::Reservation;
use crate::engine::Session;

/// Retired revisions that may wait to be dropped. Beyond it, whoever retires one drops it itself.
const WAITING: usize = 64;

/// A retired revision's sessions, and its place in the memory, which is free once they are gone.
struct Retired {
    sessions: Vec<Mutex<Session>>,
    place: Option<Reservation>,
}

/// A handle on the thread that drops sessions. The thread ends when the last handle is gone.
#[derive(Clone)]
pub struct Reaper {
    graves: SyncSender<Retired>,
    unburied: Arc<Unburied>,
}

#[derive(Default)]
struct Unburied {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Unburied {
    fn add(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    fn remove(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.changed.notify_all();
    }
}

impl Reaper {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system gives no more threads.
    pub fn start() -> io::Result<Self> {
        let (graves, dead) = sync_channel(WAITING);
        let unburied = Arc::<Unburied>::default();
        let count = Arc::clone(&unburied);
        std::thread::Builder::new()
            .name("reaper".into())
            .spawn(move || bury(&dead, &count))?;
        Ok(Self { graves, unburied })
    }

    /// Waits until all that was retired is dropped and its memory given back. Gives whether that was so `within` the
    /// time.
    pub fn wait_idle(&self, within: Duration) -> bool {
        let count = self.unburied.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .unburied
            .changed
            .wait_timeout_while(count, within, |count| *count > 0);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count == 0
    }

    pub(super) fn take(&self, sessions: Vec<Mutex<Session>>, place: Option<Reservation>) {
        self.unburied.add();
        let retired = Retired { sessions, place };
        if let Err(TrySendError::Full(retired) | TrySendError::Disconnected(retired)) = self.graves.try_send(retired) {
            drop(retired);
            self.unburied.remove();
        }
    }
}

fn bury(dead: &Receiver<Retired>, unburied: &Unburied) {
    for Retired { sessions, place } in dead {
        drop(sessions);
        give_memory_back();
        drop(place);
        unburied.remove();
    }
}

/// Hands freed memory back to the operating system, where the allocator would keep it.
fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes a number and works on the allocator's own state, under the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}
