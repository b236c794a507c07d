//! `vigie policy thresholds`: what every threshold of a label would do, drawn, as a table and as a page, and the one that does what is wanted.

mod page;
mod plot;
mod told;

use std::io::{self, IsTerminal};
use std::time::SystemTime;

use anyhow::Context;
use comfy_table::{Cell, CellAlignment};
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::arguments::{GoalArguments, MovedWord, ThresholdsArguments};
use super::{Outcome, show};
use crate::grpc::client::Answers;
use crate::wire::vigie::thresholds_request::Goal;
use crate::wire::vigie::thresholds_response::Found;
use crate::wire::vigie::{ThresholdBasis, ThresholdCurve, ThresholdsRequest, ThresholdsResponse, Verdict};
use crate::wire::{timestamp, to_json};

/// How long the lines of notes are at most, in letters.
const NOTE_WIDTH: usize = 110;

pub(super) async fn run(arguments: ThresholdsArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let answers = client.thresholds(request(&arguments)).await?;
    let (basis, curves) = heard(answers, &bar(arguments.server.json)?).await?;
    if let Some(file) = &arguments.html {
        let page = page::page(&basis, &curves);
        std::fs::write(file, page).with_context(|| format!("write {}", file.display()))?;
    }
    if arguments.server.json {
        show::line(&as_json(&basis, &curves)?)?;
    } else {
        show_all(&basis, &curves)?;
        if let Some(file) = &arguments.html {
            show::line(&format!("\nthe page is {}", file.display()))?;
        }
    }
    let mut named = curves.iter().filter_map(|curve| curve.named.as_ref());
    Ok(if named.all(|named| named.meets) {
        Outcome::Done
    } else {
        Outcome::Objection
    })
}

fn request(arguments: &ThresholdsArguments) -> ThresholdsRequest {
    let since = arguments
        .since
        .map(|span| SystemTime::now().checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH));
    let moved = match arguments.moved {
        MovedWord::Block => Verdict::Block,
        MovedWord::Review => Verdict::Review,
    };
    ThresholdsRequest {
        model: arguments.model.clone(),
        labels: arguments.labels.clone(),
        country: arguments.country.clone(),
        moved: moved.into(),
        since: since.map(timestamp),
        until: None,
        version: arguments.version,
        goal: goal(&arguments.goal),
    }
}

fn goal(goal: &GoalArguments) -> Option<Goal> {
    let blocked = goal.at_most_blocked.map(Goal::AtMostBlocked);
    let missed = goal.at_most_missed.map(Goal::AtMostMissed);
    let reviews = goal.at_most_reviews.map(|most| Goal::AtMostReviews(f64::from(most)));
    let cost = goal.least_cost.then_some(Goal::LeastCost(true));
    blocked.or(missed).or(reviews).or(cost)
}

/// What the server found, while the bar tells how far it is.
async fn heard(
    mut answers: Answers<ThresholdsResponse>,
    bar: &ProgressBar,
) -> anyhow::Result<(ThresholdBasis, Vec<ThresholdCurve>)> {
    let (mut basis, mut curves) = (None, Vec::new());
    while let Some(answer) = answers.next().await {
        let answer = answer?;
        bar.set_position(answer.read);
        match answer.found {
            Some(Found::Basis(found)) => basis = Some(found),
            Some(Found::Curve(curve)) => curves.push(curve),
            None => {}
        }
    }
    bar.finish_and_clear();
    let basis = basis.context("the server ended without an answer; is it stopping?")?;
    Ok((basis, curves))
}

/// How many decisions are read: how many there are is not known before.
fn bar(is_hidden: bool) -> anyhow::Result<ProgressBar> {
    if is_hidden || !io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} decisions read, {per_sec}, {elapsed}")?;
    Ok(ProgressBar::new_spinner().with_style(style))
}

fn as_json(basis: &ThresholdBasis, curves: &[ThresholdCurve]) -> anyhow::Result<String> {
    let basis = to_json(basis, "vigie.v1.ThresholdBasis").map_err(anyhow::Error::msg)?;
    let curves = curves.iter().map(|curve| to_json(curve, "vigie.v1.ThresholdCurve"));
    let curves = curves.collect::<Result<Vec<_>, _>>().map_err(anyhow::Error::msg)?;
    Ok(json!({ "basis": basis, "curves": curves }).to_string())
}

fn show_all(basis: &ThresholdBasis, curves: &[ThresholdCurve]) -> io::Result<()> {
    show::line(&told::basis(basis))?;
    for curve in curves {
        show_one(basis, curve)?;
    }
    show::line("")?;
    for note in told::notes(basis, curves) {
        for line in lines(&note) {
            show::line(&show::quiet(&line))?;
        }
    }
    Ok(())
}

/// A text in lines of words.
fn lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > NOTE_WIDTH {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn show_one(basis: &ThresholdBasis, curve: &ThresholdCurve) -> io::Result<()> {
    show::line(&format!("\n{}, {}", curve.label, told::known(curve)))?;
    if let Some(named) = &curve.named {
        let sentence = told::without_label(&named.sentence, &curve.label);
        show::line(&format!("{} {sentence}", if named.meets { plot::NAMED } else { '!' }))?;
    }
    show::line("")?;
    show::print(&plot::plot(basis, curve))?;
    show::line("")?;
    let (header, rows) = told::table(basis, curve);
    let mut table = show::table(&header);
    for row in rows {
        let last = row.len().saturating_sub(1);
        table.add_row(row.into_iter().enumerate().map(|(at, text)| {
            let alignment = if at == last {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            };
            Cell::new(text).set_alignment(alignment)
        }));
    }
    show::print_table(&table)
}
