//! Word that something was appended, so that nobody need ask in a loop. Hints may be lost or come twice: the tables are the truth.

use tokio::sync::watch;

use super::{Database, Records};

/// The highest places that were heard of; what is on record may be further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Of an act.
    pub act: u64,
    /// Of a change to a known product.
    pub change: u64,
}

/// Where hints come from.
#[derive(Debug, Clone)]
pub(in crate::store) struct Hints(watch::Sender<Appended>);

impl Hints {
    pub fn new() -> Self {
        Self(watch::Sender::new(Appended::default()))
    }

    pub fn act(&self, seq: u64) {
        self.0.send_modify(|appended| appended.act = appended.act.max(seq));
    }

    pub fn change(&self, change: u64) {
        self.0
            .send_modify(|appended| appended.change = appended.change.max(change));
    }

    /// Whoever waits looks, since hints may have been lost.
    pub fn anything(&self) {
        self.0.send_modify(|_| ());
    }
}

impl Records {
    /// Changes whenever something was appended, here or, on PostgreSQL, by anyone else; also when that could have been missed.
    pub fn watch(&self) -> watch::Receiver<Appended> {
        let hints = match &self.0 {
            Database::Sqlite(sqlite) => sqlite.hints(),
            Database::Postgres(postgres) => postgres.hints(),
        };
        hints.0.subscribe()
    }
}
