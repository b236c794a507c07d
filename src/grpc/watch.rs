//! Verdicts as they change, to one watcher.

use super::streams::Source;
use crate::base::Refusal;
use crate::serving::{Told, Watch};
use crate::wire::vigie::WatchVerdictsResponse;

impl Source<WatchVerdictsResponse> for Watch {
    async fn next(&mut self) -> Result<Vec<WatchVerdictsResponse>, Refusal> {
        Ok(Watch::next(self).await?.into_iter().map(message).collect())
    }
}

fn message(told: Told) -> WatchVerdictsResponse {
    WatchVerdictsResponse {
        cursor: told.cursor.map(|cursor| cursor.to_string()).unwrap_or_default(),
        snapshot: told.snapshot,
        result: told.result.map(Into::into),
    }
}
