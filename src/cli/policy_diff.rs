//! `vigie policy diff`: what a draft would change of what was decided.

use std::fs;
use std::io::{self, IsTerminal};
use std::time::SystemTime;

use anyhow::Context;
use comfy_table::{Cell, Color};
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::DiffArguments;
use super::{Outcome, show};
use crate::wire::vigie::{PolicyChange, PolicyDifference, PolicyFlip, SimulatePolicyRequest};
use crate::wire::{timestamp, to_json};

/// Examples shown.
const EXAMPLES: usize = 10;

pub(super) async fn run(arguments: DiffArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let text = match &arguments.draft {
        Some(draft) => fs::read_to_string(draft).with_context(|| format!("read {}", draft.display()))?,
        None => {
            let waiting = client.get_policy(&arguments.model).await?.waiting;
            waiting.context("no policy waits: name a draft")?.text
        }
    };
    let since = arguments
        .since
        .map(|span| SystemTime::now().checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH));
    let request = SimulatePolicyRequest {
        model: arguments.model.clone(),
        text,
        since: since.map(timestamp),
        until: None,
    };
    let mut answers = client.simulate_policy(request).await?;
    let bar = bar(arguments.server.json)?;
    let mut difference = None;
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        bar.set_position(answer.judged);
        difference = difference.or(answer.difference);
    }
    bar.finish_and_clear();
    let difference = difference.context("the server ended without an answer; is it stopping?")?;
    if arguments.server.json {
        let json = to_json(&difference, "vigie.v1.PolicyDifference").map_err(anyhow::Error::msg)?;
        show::line(&json.to_string())?;
    } else {
        show_difference(&difference)?;
    }
    let is_same = difference.same == difference.verdicts;
    Ok(if is_same { Outcome::Done } else { Outcome::Objection })
}

/// How many decisions are judged: how many there are is not known before.
fn bar(is_hidden: bool) -> anyhow::Result<ProgressBar> {
    if is_hidden || !io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} decisions judged, {per_sec}, {elapsed}")?;
    Ok(ProgressBar::new_spinner().with_style(style))
}

fn show_difference(difference: &PolicyDifference) -> io::Result<()> {
    let (same, all) = (difference.same, difference.verdicts);
    show::line(&format!(
        "of {all} verdicts on {} decisions, {} stay as they are ({})",
        difference.decisions,
        same,
        show::share(same, all)
    ))?;
    if difference.severe_newly_allowed > 0 {
        show::line(&format!(
            "{} would be newly allowed though a severe label keeps them from being shown now",
            difference.severe_newly_allowed
        ))?;
    }
    for (title, changes) in [
        ("COUNTRY", &difference.by_country),
        ("LABEL", &difference.by_label),
        ("RULE", &difference.by_rule),
    ] {
        show_changes(title, changes)?;
    }
    show_examples(&difference.examples)
}

fn show_changes(title: &str, changes: &[PolicyChange]) -> io::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut table = show::table(&[title, "CHANGE", "VERDICTS", "DISPLAYS"]);
    for change in changes {
        let key = if title == "COUNTRY" {
            show::country(&change.key)
        } else {
            change.key.clone()
        };
        let colour = match change.change.as_str() {
            "newly_allowed" => Color::Green,
            "newly_blocked" => Color::Red,
            _ => Color::Yellow,
        };
        table.add_row(vec![
            Cell::new(key),
            Cell::new(change.change.replace('_', " ")).fg(colour),
            show::number(change.verdicts),
            show::number(change.displays),
        ]);
    }
    show::line("")?;
    show::print_table(&table)
}

fn show_examples(examples: &[PolicyFlip]) -> io::Result<()> {
    if examples.is_empty() {
        return Ok(());
    }
    let mut table = show::table(&["PRODUCT", "TITLE", "COUNTRY", "NOW", "BY", "THEN", "BY"]);
    for flip in examples.iter().take(EXAMPLES) {
        table.add_row(vec![
            Cell::new(flip.product.as_ref().map(show::product).unwrap_or_default()),
            Cell::new(show::cut(&flip.title, 32)),
            Cell::new(show::country(&flip.country)),
            show::verdict(flip.now()),
            Cell::new(&flip.now_rule),
            show::verdict(flip.then()),
            Cell::new(&flip.then_rule),
        ]);
    }
    show::line("")?;
    show::print_table(&table)?;
    let left = examples.len().saturating_sub(EXAMPLES);
    if left > 0 {
        show::line(&show::quiet(&format!("and {left} more; --json has them")))?;
    }
    Ok(())
}
