//! A few connections that read, used on threads that may block.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::fault::Fault;
use super::file::open_reader;
use crate::store::records::{RecordsError, Scan, Sender, start_scan};

/// So many questions are answered at a time.
const READERS: usize = 4;

/// The connections to one file.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Semaphore,
    limit: Duration,
}

impl Readers {
    pub fn new(path: &Path, limit: Duration) -> Self {
        Self {
            path: path.to_owned(),
            idle: Arc::default(),
            places: Semaphore::new(READERS),
            limit,
        }
    }

    /// Answers a question, within the limit.
    ///
    /// # Cancel safety
    /// Nothing is changed. A question that nobody waits for any more is answered to its end.
    pub async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, RecordsError> {
        let failed = |reason: String| RecordsError::Failed { reason };
        let _place = self.places.acquire().await.map_err(|error| failed(error.to_string()))?;
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = kept
            .map_or_else(|| open_reader(&self.path), Ok)
            .map_err(|fault| fault.of(&self.path))?;
        let stop = connection.get_interrupt_handle();
        let idle = Arc::clone(&self.idle);
        let mut answering = tokio::task::spawn_blocking(move || {
            let answer = ask(&connection);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            answer
        });
        let answer = match tokio::time::timeout(self.limit, &mut answering).await {
            Ok(answer) => answer,
            Err(_) => {
                stop.interrupt();
                answering.await
            }
        };
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        answer.map_err(|fault| fault.of(&self.path))
    }

    /// Reads everything of a kind, however long it takes, on a connection of its own.
    pub fn scan<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection, &mut Sender<T>) -> Result<(), Fault> + Send + 'static,
    ) -> Scan<T> {
        let path = self.path.clone();
        start_scan(move |sender| {
            let read = || read(&open_reader(&path)?, sender);
            read().map_err(|fault| fault.of(&path))
        })
    }
}
