//! What has happened so far, by kind, and how much of each must have before anything can be said.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    Live,
    Bulk,
    Refused,
    Late,
    Left,
    Lost,
    BrokenPicture,
    Noise,
    BrokenMessage,
    InPlace,
    NewNumber,
    Corrupt,
    BrokenSettings,
    Terminated,
    Killed,
    CalmRound,
}

/// Rounds of one process after which its memory is measured for the first time: until then it still takes what it then keeps.
pub const WARM_UP: u64 = 2;

/// Each kind, its name in the summary, and how often it must have happened.
const EVENTS: [(Event, &str, u64); 16] = [
    (Event::Live, "live answers", 200),
    (Event::Bulk, "bulk answers", 50),
    (Event::Refused, "refused for load or time", 20),
    (Event::Late, "given up by the caller's clock", 0),
    (Event::Left, "callers left", 20),
    (Event::Lost, "lost to restarts", 0),
    (Event::BrokenPicture, "broken pictures", 10),
    (Event::Noise, "noise on the port", 10),
    (Event::BrokenMessage, "broken messages", 10),
    (Event::InPlace, "reloads in place", 3),
    (Event::NewNumber, "reloads under new numbers", 3),
    (Event::Corrupt, "corrupt models", 2),
    (Event::BrokenSettings, "broken settings", 2),
    (Event::Terminated, "SIGTERM", 1),
    (Event::Killed, "SIGKILL", 1),
    (Event::CalmRound, "rounds without a restart", WARM_UP + 1),
];

/// How often each has happened.
#[derive(Default)]
pub struct Happened([AtomicU64; EVENTS.len()]);

impl Happened {
    pub fn note(&self, event: Event) {
        self.0[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub fn of(&self, event: Event) -> u64 {
        self.0[event as usize].load(Ordering::Relaxed)
    }

    /// What has not happened often enough, in words.
    pub fn missing(&self) -> Vec<String> {
        let short = |(event, name, least): &(Event, &str, u64)| {
            let count = self.of(*event);
            (count < *least).then(|| format!("{name}: {count} of {least}"))
        };
        EVENTS.iter().filter_map(short).collect()
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = EVENTS.map(|(event, name, _)| format!("{name} {}", self.of(event)));
        f.write_str(&counts.join(", "))
    }
}
