//! A place for one connection: made when first needed, made anew when it broke, and used by one at a time.
//!
//! While no connection can be made, whoever asks is told so at once, but for a try now and then. A connection on which something was left half
//! done, because it failed or because whoever asked went away, is thrown away, so that the server undoes it.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use super::Lock;
use super::connect::Connector;
use super::fault::fault;
use crate::store::records::RecordsError;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Statements that a connection keeps ready.
const STATEMENTS: usize = 256;

/// A value for a statement.
pub(super) type Value<'a> = &'a (dyn ToSql + Sync);

/// One connection, or the place for it.
#[derive(Debug)]
pub(super) struct Link {
    connector: Connector,
    slot: Mutex<Slot>,
}

#[derive(Debug)]
struct Slot {
    session: Option<Session>,
    /// Until then no connection is tried for, and why.
    refusal: Option<(Instant, String)>,
    pause: Duration,
}

impl Link {
    pub fn new(connector: Connector) -> Self {
        let slot = Slot {
            session: None,
            refusal: None,
            pause: FIRST_PAUSE,
        };
        Self {
            connector,
            slot: Mutex::new(slot),
        }
    }

    /// The connection, once nobody else uses it.
    pub async fn session(&self) -> Result<Lease<'_>, RecordsError> {
        let slot = self.slot.lock().await;
        Waiting { link: self, slot }.connected().await
    }

    /// The place, if nobody uses it.
    pub fn try_session(&self) -> Option<Waiting<'_>> {
        let slot = self.slot.try_lock().ok()?;
        Some(Waiting { link: self, slot })
    }
}

/// The place for a connection, held.
#[derive(Debug)]
pub(super) struct Waiting<'a> {
    link: &'a Link,
    slot: MutexGuard<'a, Slot>,
}

impl<'a> Waiting<'a> {
    /// With a connection in it.
    pub async fn connected(mut self) -> Result<Lease<'a>, RecordsError> {
        let slot = &mut *self.slot;
        if slot.session.as_ref().is_some_and(|session| session.is_usable()) {
            return Ok(Lease(self.slot));
        }
        slot.session = None;
        if let Some((until, reason)) = &slot.refusal
            && Instant::now() < *until
        {
            return Err(RecordsError::Away { reason: reason.clone() });
        }
        match self.link.connector.limited().await {
            Ok(session) => {
                slot.session = Some(session);
                slot.refusal = None;
                slot.pause = FIRST_PAUSE;
                Ok(Lease(self.slot))
            }
            Err(error) => {
                slot.refusal = Some((Instant::now() + slot.pause, error.to_string()));
                slot.pause = (slot.pause * 2).min(LONGEST_PAUSE);
                Err(error)
            }
        }
    }
}

/// A connection in use. What is left half done on it goes with it.
#[derive(Debug)]
pub(super) struct Lease<'a>(MutexGuard<'a, Slot>);

impl Deref for Lease<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        self.0.session.as_ref().expect("a lease is made with a session")
    }
}

impl DerefMut for Lease<'_> {
    fn deref_mut(&mut self) -> &mut Session {
        self.0.session.as_mut().expect("a lease is made with a session")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if !self.is_usable() {
            self.0.session = None;
        }
    }
}

/// One connection at work.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    statements: HashMap<String, Statement>,
    limit: Option<Duration>,
    /// A transaction is open: nobody else can go on with it.
    is_midway: bool,
    /// An answer was given up: what comes back later is nobody's.
    is_lost: AtomicBool,
}

impl Session {
    pub fn new(client: Client, limit: Option<Duration>) -> Self {
        Self {
            client,
            statements: HashMap::new(),
            limit,
            is_midway: false,
            is_lost: AtomicBool::new(false),
        }
    }

    fn is_usable(&self) -> bool {
        !self.is_midway && !self.is_lost.load(Ordering::Relaxed) && !self.client.is_closed()
    }

    /// For what this type has no words for.
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub async fn begin(&mut self) -> Result<(), RecordsError> {
        self.is_midway = true;
        self.batch("BEGIN").await
    }

    pub async fn commit(&mut self) -> Result<(), RecordsError> {
        self.batch("COMMIT").await?;
        self.is_midway = false;
        Ok(())
    }

    /// Undoes what was begun.
    pub async fn roll_back(&mut self) -> Result<(), RecordsError> {
        self.batch("ROLLBACK").await?;
        self.is_midway = false;
        Ok(())
    }

    /// Waits for a lock that ends with the transaction.
    pub async fn lock(&mut self, lock: Lock) -> Result<(), RecordsError> {
        self.query("SELECT pg_advisory_xact_lock($1)", &[&(lock as i64)])
            .await?;
        Ok(())
    }

    /// Statements without values.
    pub async fn batch(&self, sql: &str) -> Result<(), RecordsError> {
        self.within(self.client.batch_execute(sql)).await
    }

    pub async fn query(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, RecordsError> {
        let statement = self.statement(sql).await?;
        self.within(self.client.query(&statement, values)).await
    }

    pub async fn maybe(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>, RecordsError> {
        let statement = self.statement(sql).await?;
        self.within(self.client.query_opt(&statement, values)).await
    }

    pub async fn one(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Row, RecordsError> {
        let statement = self.statement(sql).await?;
        self.within(self.client.query_one(&statement, values)).await
    }

    /// How many rows it changed.
    pub async fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, RecordsError> {
        let statement = self.statement(sql).await?;
        self.within(self.client.execute(&statement, values)).await
    }

    async fn statement(&mut self, sql: &str) -> Result<Statement, RecordsError> {
        if let Some(ready) = self.statements.get(sql) {
            return Ok(ready.clone());
        }
        let statement = self.within(self.client.prepare(sql)).await?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    async fn within<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, RecordsError> {
        let answered = match self.limit {
            Some(limit) => timeout(limit, answer).await,
            None => Ok(answer.await),
        };
        match answered {
            Ok(answer) => answer.map_err(|error| fault(&error)),
            Err(_) => {
                self.is_lost.store(true, Ordering::Relaxed);
                Err(RecordsError::Away {
                    reason: "the server does not answer".to_owned(),
                })
            }
        }
    }
}
