//! What the watch has heard, gathered until it is worth passing on.
//!
//! Pure but for the lock around it: moments are passed in. Whose events these are, and who is told, is not known here.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind};

/// A change is passed on once it was quiet for so long,
const QUIET: Duration = Duration::from_millis(20);
/// More arrivals than this between two hints are not named one by one: their files settle instead.
const MOST_ARRIVALS: usize = 4096;
/// or this long after the first event, however busy it is.
const LATEST: Duration = Duration::from_millis(100);
/// What was heard and not yet passed on.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) pending: Mutex<Pending>,
    pub(super) wake: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The first and the last event of the burst.
    pub(super) burst: Option<(Instant, Instant)>,
    pub(super) arrived: BTreeSet<PathBuf>,
    /// The system dropped events.
    pub(super) is_overflow: bool,
    /// The system gives no more watches.
    pub(super) is_exhausted: bool,
    pub(super) is_closing: bool,
}

impl Heard {
    pub(super) fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hear(&self, event: notify::Result<Event>, now: Instant) {
        if self.lock().hear(event, now) {
            self.wake.notify_all();
        }
    }
}

impl Pending {
    /// Takes an event in; false where it is none of ours: reading a file is an event too.
    pub(super) fn hear(&mut self, event: notify::Result<Event>, now: Instant) -> bool {
        match event {
            Err(error) => self.is_exhausted |= is_limit(&error),
            Ok(event) if event.need_rescan() => self.is_overflow = true,
            Ok(event) => match event.kind {
                EventKind::Access(AccessKind::Close(AccessMode::Write))
                | EventKind::Modify(ModifyKind::Name(RenameMode::To)) => self.arrive(event.paths),
                EventKind::Access(_) => return false,
                EventKind::Any
                | EventKind::Create(_)
                | EventKind::Modify(_)
                | EventKind::Remove(_)
                | EventKind::Other => {}
            },
        }
        self.change(now);
        true
    }

    pub(super) fn arrive(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        let room = MOST_ARRIVALS.saturating_sub(self.arrived.len());
        self.arrived.extend(paths.into_iter().take(room));
    }

    pub(super) fn change(&mut self, now: Instant) {
        let first = self.burst.map_or(now, |(first, _)| first);
        self.burst = Some((first, now));
    }

    /// How long the burst must still be waited for; none where there is none.
    pub(super) fn due_in(&self, now: Instant) -> Option<Duration> {
        let (first, last) = self.burst?;
        Some((last + QUIET).min(first + LATEST).saturating_duration_since(now))
    }
}

fn is_limit(error: &notify::Error) -> bool {
    match &error.kind {
        notify::ErrorKind::MaxFilesWatch => true,
        notify::ErrorKind::Io(error) => {
            matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOSPC))
        }
        notify::ErrorKind::Generic(_)
        | notify::ErrorKind::PathNotFound
        | notify::ErrorKind::WatchNotFound
        | notify::ErrorKind::InvalidConfig(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag};

    use super::*;

    #[test]
    fn an_overflow_of_the_event_queue_is_a_hint() {
        let mut pending = Pending::default();
        let now = Instant::now();
        assert!(pending.hear(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), now));
        assert_eq!(pending.due_in(now), Some(QUIET));
        assert!(pending.is_overflow);
    }

    #[test]
    fn an_error_of_the_watch_is_a_hint_and_a_limit_is_remembered() {
        let mut pending = Pending::default();
        assert!(pending.hear(Err(notify::Error::generic("lost")), Instant::now()));
        assert!(!pending.is_exhausted);
        assert!(pending.hear(
            Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)),
            Instant::now()
        ));
        assert!(pending.is_exhausted);
    }

    #[test]
    fn opening_and_reading_files_is_not_heard() {
        let mut pending = Pending::default();
        for kind in [
            AccessKind::Open(AccessMode::Any),
            AccessKind::Close(AccessMode::Read),
            AccessKind::Any,
        ] {
            assert!(!pending.hear(Ok(Event::new(EventKind::Access(kind))), Instant::now()));
        }
        assert_eq!(pending.due_in(Instant::now()), None);
    }

    #[test]
    fn a_burst_is_passed_on_when_it_is_quiet_or_late() {
        let mut pending = Pending::default();
        let begun = Instant::now();
        let event = || Ok(Event::new(EventKind::Create(CreateKind::File)));
        for step in 0..20 {
            pending.hear(event(), begun + Duration::from_millis(10 * step));
        }
        assert_eq!(
            pending.due_in(begun + Duration::from_millis(50)),
            Some(LATEST - Duration::from_millis(50))
        );
        assert_eq!(pending.due_in(begun + LATEST), Some(Duration::ZERO));
    }
}
