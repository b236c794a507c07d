//! The lines that a process writes, kept as they come, so that a test can wait for one instead of sleeping.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Written {
    lines: Vec<String>,
    ended: bool,
}

/// Everything written so far to one output of a process.
#[derive(Clone, Default)]
pub struct Lines(Arc<(Mutex<Written>, Condvar)>);

impl Lines {
    /// Begins to read; a thread of its own does so until the writer closes.
    pub fn of(output: impl Read + Send + 'static) -> Self {
        let lines = Self::default();
        let (shared, mut reader) = (lines.clone(), BufReader::new(output));
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                shared.change(|written| written.lines.push(text));
                line.clear();
            }
            shared.change(|written| written.ended = true);
        });
        lines
    }

    fn change(&self, change: impl FnOnce(&mut Written)) {
        let (written, changed) = &*self.0;
        change(&mut written.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }

    /// Every line so far.
    pub fn so_far(&self) -> Vec<String> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }

    /// The first line that `wanted` accepts, once it is there; what was written instead where it does not come.
    pub fn wait_for(&self, wanted: impl Fn(&str) -> bool, patience: Duration) -> Result<String, String> {
        let found = |written: &Written| written.lines.iter().find(|line| wanted(line)).cloned();
        let written = self.wait(patience, |written| found(written).is_some() || written.ended);
        found(&written).ok_or_else(|| written.lines.join("\n"))
    }

    /// Whether the writer closed within the time.
    pub fn wait_for_end(&self, patience: Duration) -> bool {
        self.wait(patience, |written| written.ended).ended
    }

    fn wait(&self, patience: Duration, enough: impl Fn(&Written) -> bool) -> std::sync::MutexGuard<'_, Written> {
        let (written, changed) = &*self.0;
        let until = Instant::now() + patience;
        let mut guard = written.lock().unwrap_or_else(PoisonError::into_inner);
        while !enough(&guard) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            guard = changed
                .wait_timeout(guard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        guard
    }
}
