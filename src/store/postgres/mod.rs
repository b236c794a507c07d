//! The records in PostgreSQL, shared by all replicas.
//!
//! Two connections write, so that an act never waits behind decisions; a few read; one hears of what others append; each reading of everything
//! has its own. A connection that broke is made anew by whoever needs it next, ever more seldom while that fails.
//!
//! What is followed by number, acts and known products, gets its numbers under a lock that ends with the transaction. So numbers become visible
//! in their order, and who follows them skips none.

mod acts;
mod connect;
mod copy;
mod decisions;
mod fault;
mod known;
mod link;
mod listen;
mod migrate;
mod pictures;
mod removal;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::records::{Hints, PostgresSettings, RecordsError};
use connect::Connector;
use link::{Lease, Link};
use listen::Listener;

/// Locks that end with a transaction, by their numbers in the database: arbitrary, and this program's own.
#[derive(Debug, Clone, Copy)]
#[repr(i64)]
enum Lock {
    Migrations = 0x7669_6769_6500,
    Acts = 0x7669_6769_6501,
    Products = 0x7669_6769_6502,
}

/// The database and the connections to it.
#[derive(Debug)]
pub(super) struct Postgres {
    connector: Connector,
    /// Writes decisions and what goes with them.
    recorder: Link,
    /// Writes acts.
    actor: Link,
    readers: Vec<Link>,
    next_reader: AtomicUsize,
    hints: Hints,
    _listener: Listener,
}

impl Postgres {
    pub async fn open(connection: &str, settings: PostgresSettings) -> Result<Self, RecordsError> {
        let connector = Connector::new(connection, settings)?;
        migrate::migrate(&connector).await?;
        let hints = Hints::new();
        let link = || Link::new(connector.clone());
        Ok(Self {
            recorder: link(),
            actor: link(),
            readers: (0..settings.readers.max(1)).map(|_| link()).collect(),
            next_reader: AtomicUsize::new(0),
            _listener: Listener::start(connector.clone(), hints.clone()),
            connector,
            hints,
        })
    }

    pub fn hints(&self) -> &Hints {
        &self.hints
    }

    /// A reading connection: a free one where there is one.
    async fn reader(&self) -> Result<Lease<'_>, RecordsError> {
        if let Some(free) = self.readers.iter().find_map(Link::try_session) {
            return free.connected().await;
        }
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        self.readers[turn].session().await
    }
}
