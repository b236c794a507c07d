//! `vigie classify --catalogue`: every product of a file over one stream, with progress, and a summary at the end.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::arguments::ClassifyArguments;
use super::product::{self, Catalogue, Entry};
use super::summary::Summary;
use super::{Outcome, show};
use crate::wire::to_json;
use crate::wire::vigie::{Decision, StreamRequest, StreamResult, stream_result};

pub(super) async fn run(arguments: &ClassifyArguments, file: &Path) -> anyhow::Result<Outcome> {
    let catalogue = Arc::new(Catalogue::read(file)?);
    let client = arguments.server.connect().await?;
    let mut answers = client.classify_stream(requests(catalogue.clone(), arguments)).await?;
    let began = Instant::now();
    let progress = progress(catalogue.entries.len(), arguments.server.json);
    let mut summary = Summary::default();
    while let Some(answer) = answers.next().await {
        let answer = answer.context("the stream of answers broke off")?;
        let entry = entry_of(&catalogue, &answer)?;
        let judged = judged(answer);
        if arguments.server.json {
            show::line(&as_json(entry, &judged)?.to_string())?;
        }
        summary.add(entry, judged);
        progress.inc(1);
    }
    progress.finish_and_clear();
    let missing = catalogue.entries.len().saturating_sub(summary.seen());
    if missing > 0 {
        anyhow::bail!("{missing} of {} products were not answered", catalogue.entries.len());
    }
    if !arguments.server.json {
        summary.show(began.elapsed(), arguments.all)?;
    }
    Ok(summary.outcome())
}

/// The requests, each made when the server is ready to read it, so that no more pictures are in memory than are under way.
fn requests(
    catalogue: Arc<Catalogue>,
    arguments: &ClassifyArguments,
) -> impl futures_util::Stream<Item = StreamRequest> + Send + 'static {
    let common = product::common(arguments);
    let timeout_ms = Some(u32::try_from(arguments.timeout.as_millis()).unwrap_or(u32::MAX).max(1));
    stream::iter(0..catalogue.entries.len()).map(move |number| StreamRequest {
        correlation_id: number.to_string(),
        timeout_ms,
        request: Some(catalogue.request(&catalogue.entries[number], &common)),
    })
}

fn entry_of<'a>(catalogue: &'a Catalogue, answer: &StreamResult) -> anyhow::Result<&'a Entry> {
    let number = answer.correlation_id.parse::<usize>().ok();
    number
        .and_then(|number| catalogue.entries.get(number))
        .with_context(|| format!("the server answered {:?}, which was not asked", answer.correlation_id))
}

fn judged(answer: StreamResult) -> Result<Decision, String> {
    match answer.result {
        Some(stream_result::Result::Decision(decision)) => Ok(*decision),
        Some(stream_result::Result::Error(status)) => Err(status.message),
        None => Err("the server's answer is empty".to_owned()),
    }
}

fn as_json(entry: &Entry, judged: &Result<Decision, String>) -> anyhow::Result<serde_json::Value> {
    let mut json = match judged {
        Ok(decision) => to_json(decision, "vigie.v1.Decision").map_err(anyhow::Error::msg)?,
        Err(error) => json!({ "error": error }),
    };
    let (id, title) = entry.name();
    json["product"] = id.into();
    json["title"] = title.into();
    Ok(json)
}

/// On standard error, and on a terminal only.
fn progress(products: usize, is_hidden: bool) -> ProgressBar {
    if is_hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40.cyan/blue} {pos}/{len} products, {per_sec}, {eta} left")
        .expect("the template is tried by a test");
    let bar = ProgressBar::new(products as u64).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_progress_bar_can_be_drawn() {
        drop(super::progress(3, false));
    }
}
