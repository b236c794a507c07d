//! Hears of what others append. What may have been missed while the connection was away is asked for when it is back.

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Notification};

use super::connect::Connector;
use super::fault::fault;
use crate::store::records::{Hints, RecordsError};

/// The channel's name in the database.
pub(super) const CHANNEL: &str = "vigie_records";

/// How far everything is: asked once the channel is open, so that what came before it is not missed.
const WHERE: &str = "SELECT (SELECT coalesce(max(seq), 0) FROM acts), (SELECT coalesce(max(change), 0) FROM products)";

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The task that listens; it ends with this.
#[derive(Debug)]
pub(super) struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listener {
    pub fn start(connector: Connector, hints: Hints) -> Self {
        Self(tokio::spawn(async move {
            let mut pause = FIRST_PAUSE;
            loop {
                let mut listened = false;
                if let Err(error) = listen(&connector, &hints, &mut listened).await {
                    tracing::warn!(%error, "no word of what other replicas append; their acts are found by looking");
                }
                pause = if listened {
                    FIRST_PAUSE
                } else {
                    (pause * 2).min(LONGEST_PAUSE)
                };
                tokio::time::sleep(pause).await;
            }
        }))
    }
}

/// Listens until the connection ends; tells whether it ever began.
async fn listen(connector: &Connector, hints: &Hints, listened: &mut bool) -> Result<(), RecordsError> {
    let (client, mut connection) = connector.raw().await?;
    let mut subscribing = pin!(async {
        client.batch_execute(&format!("LISTEN {CHANNEL}")).await?;
        client.query_one(WHERE, &[]).await
    });
    loop {
        tokio::select! {
            subscribed = &mut subscribing, if !*listened => {
                let place = subscribed.map_err(|error| fault(&error))?;
                *listened = true;
                hints.act(place.get::<_, i64>(0) as u64);
                hints.change(place.get::<_, i64>(1) as u64);
            }
            message = poll_fn(|context| connection.poll_message(context)) => match message {
                Some(Ok(AsyncMessage::Notification(notification))) => hear(&notification, hints),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(fault(&error)),
                None => return Ok(()),
            },
        }
    }
}

/// `act 17` or `change 99`; what is neither is still a reason to look.
fn hear(notification: &Notification, hints: &Hints) {
    let word = notification.payload().split_once(' ');
    match word.and_then(|(what, number)| Some((what, number.parse().ok()?))) {
        Some(("act", seq)) => hints.act(seq),
        Some(("change", change)) => hints.change(change),
        Some(_) | None => hints.anything(),
    }
}
