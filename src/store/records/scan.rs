//! Everything of a kind, in groups, as fast as it can be read and in bounded memory: reading waits for whoever takes.

use tokio::sync::mpsc;

use super::RecordsError;

/// So many come together.
pub(in crate::store) const GROUP: usize = 256;

/// So many groups are read ahead.
const AHEAD: usize = 8;

/// A reading under way. Dropping it ends it.
#[derive(Debug)]
pub struct Scan<T> {
    groups: mpsc::Receiver<Message<T>>,
    is_over: bool,
}

#[derive(Debug)]
enum Message<T> {
    Group(Vec<T>),
    /// All has come: without this word a reading that broke off would look whole.
    End,
    Failed(RecordsError),
}

impl<T> Scan<T> {
    /// The next group, never empty; none at the end.
    ///
    /// # Cancel safety
    /// A group is lost with a call only after it was handed out.
    pub async fn next(&mut self) -> Result<Option<Vec<T>>, RecordsError> {
        if self.is_over {
            return Ok(None);
        }
        let message = self.groups.recv().await;
        match message {
            Some(Message::Group(group)) => Ok(Some(group)),
            Some(Message::End) => {
                self.is_over = true;
                Ok(None)
            }
            Some(Message::Failed(error)) => {
                self.is_over = true;
                Err(error)
            }
            None => {
                self.is_over = true;
                Err(RecordsError::Failed {
                    reason: "reading broke off".to_owned(),
                })
            }
        }
    }

    /// Gives each to a function, in order, until the end.
    pub async fn each(mut self, mut take: impl FnMut(T)) -> Result<(), RecordsError> {
        while let Some(group) = self.next().await? {
            group.into_iter().for_each(&mut take);
        }
        Ok(())
    }
}

/// The end that reads, on a thread that may block.
#[derive(Debug)]
pub(in crate::store) struct Sender<T> {
    groups: mpsc::Sender<Message<T>>,
    group: Vec<T>,
}

/// Nobody takes any more.
#[derive(Debug)]
pub(in crate::store) struct Gone;

impl<T> Sender<T> {
    /// Hands one on; an error when nobody takes any more.
    pub fn send(&mut self, item: T) -> Result<(), Gone> {
        self.group.push(item);
        if self.group.len() < GROUP {
            return Ok(());
        }
        let group = std::mem::replace(&mut self.group, Vec::with_capacity(GROUP));
        self.groups.blocking_send(Message::Group(group)).map_err(|_| Gone)
    }

    /// Says how it ended. What was not handed on yet goes first.
    pub fn finish(self, outcome: Result<(), RecordsError>) {
        let last = match outcome {
            Ok(()) => Message::End,
            Err(error) => Message::Failed(error),
        };
        let rest = (!self.group.is_empty()).then_some(Message::Group(self.group));
        // Who takes no more need not hear the end.
        for message in rest.into_iter().chain([last]) {
            let _ = self.groups.blocking_send(message);
        }
    }
}

/// Starts a reading on a thread that may block.
pub(in crate::store) fn start<T: Send + 'static>(
    read: impl FnOnce(&mut Sender<T>) -> Result<(), RecordsError> + Send + 'static,
) -> Scan<T> {
    let (sender, groups) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut sender = Sender {
            groups: sender,
            group: Vec::with_capacity(GROUP),
        };
        let outcome = read(&mut sender);
        sender.finish(outcome);
    });
    Scan { groups, is_over: false }
}
