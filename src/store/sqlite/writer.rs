//! The one thread that writes to a file. Whatever is to be written waits in a bounded line; who finds it full waits before it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::fault::Fault;
use super::file::{BUSY, LOG_BYTES, log_path};
use crate::store::records::RecordsError;

/// So many writes may wait.
const LINE: usize = 32;

/// Once nothing came for so long, the log is looked at.
const IDLE: Duration = Duration::from_secs(1);

/// How long cutting the log may wait for readers.
const CUT_WAITS: Duration = Duration::from_millis(100);

/// What a transaction waits for before it counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durability {
    /// The disk: it survives the loss of power.
    Disk,
    /// The system: it survives the end of the process, and of the last ones some may be lost with the power.
    System,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Self::Disk => "FULL",
            Self::System => "NORMAL",
        }
    }
}

type Job = Box<dyn FnOnce(&mut Held) + Send>;

/// Gives work to the thread; the thread ends with it, after what is in the line.
#[derive(Debug)]
pub(super) struct Writer {
    line: SyncSender<(Job, OwnedSemaphorePermit)>,
    places: Arc<Semaphore>,
    /// How much there is to be done that no transaction can hold.
    maintenance: AtomicUsize,
    path: PathBuf,
}

/// The writing connection.
struct Held {
    connection: Connection,
    durability: Durability,
    path: PathBuf,
}

impl Writer {
    pub fn start(connection: Connection, path: &Path, on_thread: fn()) -> Result<Self, RecordsError> {
        let (line, jobs) = sync_channel(LINE);
        let held = Held {
            connection,
            durability: Durability::Disk,
            path: path.to_owned(),
        };
        std::thread::Builder::new()
            .name("vigie-records".to_owned())
            .spawn(move || {
                on_thread();
                held.work(&jobs);
            })
            .map_err(|error| RecordsError::Failed {
                reason: format!("start a thread: {error}"),
            })?;
        Ok(Self {
            line,
            places: Arc::new(Semaphore::new(LINE)),
            maintenance: AtomicUsize::new(0),
            path: path.to_owned(),
        })
    }

    /// Does something in one transaction of its own.
    ///
    /// # Cancel safety
    /// Once begun, it is done to the end whether or not anyone waits for the answer.
    pub async fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RecordsError> {
        self.run(move |held| held.transact(durability, work)).await
    }

    /// Does something that no transaction can hold, such as writing the file anew. Whoever cannot wait for it sees `is_maintained`.
    pub async fn maintain<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RecordsError> {
        let _under_way = UnderWay::begin(&self.maintenance);
        self.run(move |held| work(&held.connection)).await
    }

    /// Whether what is written now waits for something that may take long.
    pub fn is_maintained(&self) -> bool {
        self.maintenance.load(Ordering::Acquire) > 0
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Held) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RecordsError> {
        let stopped = || RecordsError::Failed {
            reason: format!("{}: its thread has ended", self.path.display()),
        };
        let places = Arc::clone(&self.places);
        let place = places.acquire_owned().await.map_err(|_| stopped())?;
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |held| {
            let outcome = work(held).map_err(|fault| fault.of(&held.path));
            // Nobody may wait any more.
            let _ = answer.send(outcome);
        });
        // There is room for everyone with a place.
        self.line.try_send((job, place)).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Counts something as long as it is under way.
struct UnderWay<'a>(&'a AtomicUsize);

impl<'a> UnderWay<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Held {
    fn work(mut self, jobs: &Receiver<(Job, OwnedSemaphorePermit)>) {
        let mut since_cut = 0;
        loop {
            match jobs.recv_timeout(IDLE) {
                Ok((job, place)) => {
                    job(&mut self);
                    drop(place);
                    since_cut += 1;
                    if since_cut < LINE * 16 {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) if since_cut == 0 => continue,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            since_cut = 0;
            self.cut_log();
        }
    }

    fn transact<T>(
        &mut self,
        durability: Durability,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.durability != durability {
            self.connection
                .pragma_update(None, "synchronous", durability.pragma())?;
            self.durability = durability;
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Long readings keep the log from being folded into the file; it is caught up with here.
    fn cut_log(&self) {
        let length = std::fs::metadata(log_path(&self.path)).map_or(0, |log| log.len());
        if length <= LOG_BYTES {
            return;
        }
        let cut = || -> rusqlite::Result<()> {
            self.connection.busy_timeout(CUT_WAITS)?;
            self.connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
        };
        if let Err(error) = cut() {
            tracing::warn!(path = %self.path.display(), %error, "the log of the records stays long for now");
        }
        if let Err(error) = self.connection.busy_timeout(BUSY) {
            tracing::warn!(path = %self.path.display(), %error, "the records wait less for locks");
        }
    }
}
