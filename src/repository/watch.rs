//! Hints that the repository may have changed.
//!
//! A hint says "scan now" and nothing more that is relied upon: the kernel may forget events, a network file system gives none, and a watch dies with the folder it
//! was put on. So events are gathered until it is quiet for a moment, an overflow or an error is a hint like any other, a replaced root is watched anew, and
//! where events are not to be had the folder is looked at from outside at intervals. What a change means is the scan's to find out.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::glance::Glance;
use super::heard::Heard;

/// Something may have changed: scan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hint {
    /// Paths that were renamed into place or closed after writing, so that they need not settle.
    pub arrived: Vec<PathBuf>,
    /// Events were lost, so that only a look at everything can tell what happened.
    pub is_overflow: bool,
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

/// How often it is checked that the watched folder is still the one at its path.
const ROOT_CHECK: Duration = Duration::from_millis(200);
/// The interval where events turned out not to be had.
const FALLBACK_POLL: Duration = Duration::from_secs(1);

/// Watches a repository and sends a hint for each burst of changes. A full channel loses nothing: the hint is kept and sent later.
///
/// # Errors
/// When the folder cannot be read. Where it gives no events it is polled, with a warning.
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
                Err(error) => Self::fall_back(path, &error),
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

    fn fall_back(path: &Path, error: &notify::Error) -> io::Result<Self> {
        tracing::warn!(
            repository = %path.display(),
            %error,
            "the system gives no file events, so the repository is polled; where a limit is the cause, raise fs.inotify.max_user_watches \
             and max_user_instances"
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
                    pending.is_overflow |= hint.is_overflow;
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
            is_overflow: std::mem::take(&mut pending.is_overflow),
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
                if let Ok(source) = Source::fall_back(&self.path, &notify::Error::new(notify::ErrorKind::MaxFilesWatch))
                {
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
