//! Hints that the repository may have changed.
//!
//! A hint says "scan now" and nothing more that is relied upon: the kernel may forget events, a network file system gives none, and a watch dies with the folder it
//! was put on. So events are gathered until it is quiet for a moment, an overflow or an error is a hint like any other, a replaced root is watched anew, and
//! where events are not to be had the folder is looked at from outside at intervals. What a change means is the scan's to find out.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::glance::Glance;

/// Something may have changed: scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    /// Paths that were renamed into place or closed after writing, so that they need not settle.
    pub arrived: Vec<PathBuf>,
}

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WatchMode {
    /// By the events of the operating system.
    Events,
    /// By looking from outside (names, sizes, times) at intervals, where there are no events.
    Poll { every: Duration },
}

/// Why the repository cannot be watched.
#[derive(Debug, thiserror::Error)]
#[error("the model repository {} cannot be watched: {source}; set watch.mode = \"poll\" if its file system gives no events", path.display())]
pub struct WatchError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

/// Watches until it is dropped.
#[derive(Debug)]
pub struct Watcher {
    heard: Arc<Heard>,
    thread: Option<JoinHandle<()>>,
}

/// A change is passed on once it was quiet for so long,
const QUIET: Duration = Duration::from_millis(20);
/// or this long after the first event, however busy it is.
const LATEST: Duration = Duration::from_millis(100);
/// How often it is checked that the watched folder is still the one at its path.
const ROOT_CHECK: Duration = Duration::from_millis(200);
/// The interval where events turned out not to be had.
const FALLBACK_POLL: Duration = Duration::from_secs(1);
/// More arrivals than this between two hints are not named one by one: their files settle instead.
const MOST_ARRIVALS: usize = 4096;

/// Watches a repository and sends a hint for each burst of changes. A full channel loses nothing: the hint is kept and sent later.
///
/// # Errors
/// When the folder does not exist or events are refused for another reason than a limit; at a limit it is polled instead.
pub fn watch(path: &Path, mode: WatchMode, hints: mpsc::Sender<Hint>) -> Result<Watcher, WatchError> {
    let heard = Arc::new(Heard::default());
    let failed = |source| WatchError {
        path: path.to_owned(),
        source,
    };
    let source = Source::open(path, mode, &heard).map_err(failed)?;
    let gatherer = Gatherer {
        path: path.to_owned(),
        source,
        heard: Arc::clone(&heard),
        hints,
    };
    let thread = std::thread::Builder::new()
        .name("watch".into())
        .spawn(move || gatherer.run())
        .map_err(failed)?;
    Ok(Watcher {
        heard,
        thread: Some(thread),
    })
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.heard.lock().is_closing = true;
        self.heard.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // It ends by itself; a panic of its own has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// What was heard and not yet passed on.
#[derive(Debug, Default)]
struct Heard {
    pending: Mutex<Pending>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    /// The first and the last event of the burst.
    burst: Option<(Instant, Instant)>,
    arrived: BTreeSet<PathBuf>,
    /// The system gives no more watches.
    is_exhausted: bool,
    is_closing: bool,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, event: notify::Result<Event>, now: Instant) {
        if self.lock().hear(event, now) {
            self.wake.notify_all();
        }
    }
}

impl Pending {
    /// Takes an event in; false where it is none of ours: reading a file is an event too.
    fn hear(&mut self, event: notify::Result<Event>, now: Instant) -> bool {
        match event {
            Err(error) => self.is_exhausted |= is_limit(&error),
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

    fn arrive(&mut self, paths: impl IntoIterator<Item = PathBuf>) {
        let room = MOST_ARRIVALS.saturating_sub(self.arrived.len());
        self.arrived.extend(paths.into_iter().take(room));
    }

    fn change(&mut self, now: Instant) {
        let first = self.burst.map_or(now, |(first, _)| first);
        self.burst = Some((first, now));
    }

    /// How long the burst must still be waited for; none where there is none.
    fn due_in(&self, now: Instant) -> Option<Duration> {
        let (first, last) = self.burst?;
        Some((last + QUIET).min(first + LATEST).saturating_duration_since(now))
    }
}

/// What tells of changes.
enum Source {
    Events { _watcher: RecommendedWatcher, root: Glance },
    Poll { every: Duration, last: Glance },
}

impl Source {
    fn open(path: &Path, mode: WatchMode, heard: &Arc<Heard>) -> io::Result<Self> {
        match mode {
            WatchMode::Poll { every } => Ok(Self::Poll {
                every,
                last: Glance::of_tree(path)?,
            }),
            WatchMode::Events => match Self::events(path, heard) {
                Ok(source) => Ok(source),
                Err(error) if is_limit(&error) => Self::fall_back(path),
                Err(error) => Err(into_io(error)),
            },
        }
    }

    fn events(path: &Path, heard: &Arc<Heard>) -> notify::Result<Self> {
        let resolved = path.canonicalize()?;
        let root = Glance::of_root(path)?;
        let heard = Arc::clone(heard);
        let handler = move |event| heard.hear(event, Instant::now());
        let config = notify::Config::default().with_follow_symlinks(false);
        let mut watcher = RecommendedWatcher::new(handler, config)?;
        watcher.watch(&resolved, RecursiveMode::Recursive)?;
        Ok(Self::Events {
            _watcher: watcher,
            root,
        })
    }

    fn fall_back(path: &Path) -> io::Result<Self> {
        tracing::warn!(
            repository = %path.display(),
            "the system gives no more file watches, so the repository is polled; raise fs.inotify.max_user_watches and max_user_instances"
        );
        Self::open(path, WatchMode::Poll { every: FALLBACK_POLL }, &Arc::default())
    }
}

/// The watching thread.
struct Gatherer {
    path: PathBuf,
    source: Source,
    heard: Arc<Heard>,
    hints: mpsc::Sender<Hint>,
}

impl Gatherer {
    fn run(mut self) {
        while self.wait() {
            let is_changed = self.refresh_source();
            let Some(hint) = self.take_hint(is_changed, Instant::now()) else {
                continue;
            };
            match self.hints.try_send(hint) {
                Ok(()) => {}
                Err(TrySendError::Full(hint)) => {
                    let mut pending = self.heard.lock();
                    pending.arrive(hint.arrived);
                    pending.change(Instant::now());
                }
                Err(TrySendError::Closed(_)) => return,
            }
        }
    }

    /// What is to be passed on now.
    fn take_hint(&self, is_changed: bool, now: Instant) -> Option<Hint> {
        let mut pending = self.heard.lock();
        if !is_changed && pending.due_in(now)? > Duration::ZERO {
            return None;
        }
        pending.burst = None;
        Some(Hint {
            arrived: std::mem::take(&mut pending.arrived).into_iter().collect(),
        })
    }

    /// Waits until a burst is over or the source wants a look; false when the watcher was dropped.
    fn wait(&self) -> bool {
        let pause = match self.source {
            Source::Events { .. } => ROOT_CHECK,
            Source::Poll { every, .. } => every,
        };
        let until = Instant::now() + pause;
        let mut pending = self.heard.lock();
        loop {
            if pending.is_closing {
                return false;
            }
            let now = Instant::now();
            let left = until.saturating_duration_since(now);
            let left = pending.due_in(now).map_or(left, |due| due.min(left));
            if left.is_zero() {
                return true;
            }
            let woken = self.heard.wake.wait_timeout(pending, left);
            pending = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sees to it that the source watches what is there now; true where something may have changed unheard.
    fn refresh_source(&mut self) -> bool {
        let is_exhausted = std::mem::take(&mut self.heard.lock().is_exhausted);
        match &mut self.source {
            Source::Poll { last, .. } => {
                // A root that cannot be looked at now is looked at again; the scan reports it.
                let glance = Glance::of_tree(&self.path).unwrap_or_default();
                std::mem::replace(last, glance) != *last
            }
            Source::Events { .. } if is_exhausted => {
                if let Ok(source) = Source::fall_back(&self.path) {
                    self.source = source;
                }
                true
            }
            Source::Events { root, .. } => {
                let found = Glance::of_root(&self.path).unwrap_or_default();
                if found == *root {
                    return false;
                }
                // Not forgotten: where the new one cannot be watched yet, the next check finds the difference again.
                *root = Glance::default();
                if let Ok(source) = Source::open(&self.path, WatchMode::Events, &self.heard) {
                    self.source = source;
                }
                true
            }
        }
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

fn into_io(error: notify::Error) -> io::Error {
    match error.kind {
        notify::ErrorKind::Io(error) => error,
        notify::ErrorKind::PathNotFound => io::ErrorKind::NotFound.into(),
        notify::ErrorKind::Generic(_)
        | notify::ErrorKind::WatchNotFound
        | notify::ErrorKind::InvalidConfig(_)
        | notify::ErrorKind::MaxFilesWatch => io::Error::other(error.to_string()),
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
