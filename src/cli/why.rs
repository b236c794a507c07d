//! `vigie why`: what made a verdict change, what was tried to find it, whether the decision can be made again, and what happened when.

use std::io::{self, IsTerminal};
use std::time::Duration;

use comfy_table::{Cell, Color};
use indicatif::{ProgressBar, ProgressStyle};

use super::arguments::WhyArguments;
use super::{Outcome, show};
use crate::grpc::client::ClientError;
use crate::wire::vigie::why_request::About;
use crate::wire::vigie::{
    CountryVerdict, ProductKey, ReplayResponse, TimelineEvent, Trial, TriedPart, WhyRequest, WhyResponse,
};
use crate::wire::{timestamp, to_json};

/// Events shown; --json has more.
const EVENTS: usize = 20;
/// The longest sentence of a trial in the table, in characters.
const UNTRIED: usize = 60;

pub(super) async fn run(arguments: WhyArguments) -> anyhow::Result<Outcome> {
    let about = match (&arguments.partner, is_decision(&arguments.about)) {
        (None, true) => About::DecisionId(arguments.about.clone()),
        (partner, _) => About::Product(ProductKey {
            partner_id: partner.clone().unwrap_or_default(),
            product_id: arguments.about.clone(),
        }),
    };
    let request = WhyRequest {
        about: Some(about),
        at: arguments.at.map(timestamp),
        countries: arguments.countries.clone(),
    };
    let client = arguments.server.connect().await?;
    let bar = bar(arguments.server.json)?;
    let told = client.why(request).await;
    bar.finish_and_clear();
    let told = told.map_err(|error| explained(error, is_decision(&arguments.about) && arguments.partner.is_none()))?;
    if arguments.server.json {
        let json = to_json(&told, "vigie.v1.WhyResponse").map_err(anyhow::Error::msg)?;
        show::line(&json.to_string())?;
    } else {
        show_answer(&told)?;
    }
    let is_reproduced = told.replay.as_ref().is_some_and(|replay| replay.reproduced);
    Ok(if is_reproduced {
        Outcome::Done
    } else {
        Outcome::Objection
    })
}

/// Whether it has the form of a decision's identity: 32 hexadecimal digits in five groups.
fn is_decision(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Where what was taken for a decision is none, it may be a product.
fn explained(error: ClientError, as_decision: bool) -> anyhow::Error {
    match &error {
        ClientError::Refused { code, .. } if as_decision && *code == "NOT_FOUND" => {
            anyhow::anyhow!(
                "{error}\n(it has the form of a decision's identity; if it is a product's, name the partner with --partner)"
            )
        }
        _ => error.into(),
    }
}

/// That the server is at work: loading a revision again takes a while.
fn bar(is_hidden: bool) -> anyhow::Result<ProgressBar> {
    if is_hidden || !io::stderr().is_terminal() {
        return Ok(ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{spinner} the server is putting parts back, {elapsed}")?;
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(100));
    Ok(bar)
}

fn show_answer(told: &WhyResponse) -> io::Result<()> {
    for sentence in &told.answer {
        show::line(sentence)?;
    }
    show_tried(&told.tried)?;
    if let Some(replay) = &told.replay {
        show_replay(replay)?;
    }
    show_timeline(&told.timeline)
}

fn show_tried(tried: &[TriedPart]) -> io::Result<()> {
    if tried.is_empty() {
        return Ok(());
    }
    let mut table = show::table(&["PART", "BEFORE", "AFTER", "PUT BACK ALONE", "PUT IN ALONE"]);
    for part in tried {
        let [before, after] = [&part.before, &part.after].map(|text| show::cut(text, UNTRIED));
        table.add_row(vec![
            Cell::new(&part.part),
            Cell::new(if part.differs { before } else { "the same".to_owned() }),
            Cell::new(after),
            outcome(part.put_back.as_ref()),
            outcome(part.put_in.as_ref()),
        ]);
    }
    show::line("")?;
    show::print_table(&table)
}

/// What came of a trial, in few letters.
fn outcome(trial: Option<&Trial>) -> Cell {
    match trial {
        None => Cell::new(""),
        Some(trial) if !trial.untried.is_empty() => Cell::new(show::cut(&trial.untried, UNTRIED)).fg(Color::Yellow),
        Some(trial) => match trial.verdicts.as_slice() {
            [only] => show::verdict(only.verdict()),
            many => Cell::new(many.iter().map(in_place).collect::<Vec<_>>().join(", ")),
        },
    }
}

fn in_place(verdict: &CountryVerdict) -> String {
    format!(
        "{} {}",
        show::country(&verdict.country),
        show::verdict_name(verdict.verdict())
    )
}

fn show_replay(replay: &ReplayResponse) -> io::Result<()> {
    show::line("")?;
    show::line(&replay.sentence)?;
    if replay.parts.is_empty() {
        return Ok(());
    }
    let mut table = show::table(&["REPLAY", "OUTCOME", ""]);
    for part in &replay.parts {
        let colour = match part.outcome.as_str() {
            "reproduced" => Color::Green,
            "differs" => Color::Red,
            _ => Color::Yellow,
        };
        table.add_row(vec![
            Cell::new(&part.part),
            Cell::new(&part.outcome).fg(colour),
            Cell::new(&part.sentence),
        ]);
    }
    show::print_table(&table)
}

fn show_timeline(events: &[TimelineEvent]) -> io::Result<()> {
    let mut table = show::table(&["AT", "WHAT", ""]);
    for event in events.iter().take(EVENTS) {
        let at = event.at.as_ref().map(|at| show::moment(at.seconds));
        table.add_row(vec![
            Cell::new(at.unwrap_or_default()),
            Cell::new(&event.kind),
            Cell::new(&event.sentence),
        ]);
    }
    show::line("")?;
    show::print_table(&table)?;
    let left = events.len().saturating_sub(EVENTS);
    if left > 0 {
        show::line(&show::quiet(&format!("and {left} more before; --json has them")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_told_from_a_product_by_its_form() {
        assert!(is_decision(&crate::base::now_v7_id()));
        for product in [
            "BE-10074",
            "0190a5e2-7c41-7d11-9f3e",
            "0190a5e2-7c41-7d11-9f3e-2b8f5a7c9dxx",
            "",
        ] {
            assert!(!is_decision(product), "{product}");
        }
    }
}
