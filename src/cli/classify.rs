//! `vigie classify`: one picture or several, each judged for every country asked for.

use std::path::PathBuf;

use comfy_table::Cell;
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::arguments::ClassifyArguments;
use super::{Outcome, catalogue, product, show};
use crate::wire::to_json;
use crate::wire::vigie::{CountryVerdict, Decision, Verdict};

/// Pictures asked about at once; answers are shown in the order of the arguments.
const AT_ONCE: usize = 4;

pub(super) async fn run(arguments: ClassifyArguments) -> anyhow::Result<Outcome> {
    if let Some(file) = arguments.catalogue.clone() {
        return catalogue::run(&arguments, &file).await;
    }
    if arguments.images.len() > 1 && !arguments.product.product_id.is_empty() {
        anyhow::bail!(
            "--product-id names one product, but there are {} pictures: ask for each by itself",
            arguments.images.len()
        );
    }
    let common = product::common(&arguments);
    let client = arguments.server.connect().await?;
    let judge = async |image: PathBuf| {
        let answer = match product::with_picture(common.clone(), &image) {
            Ok(request) => client
                .classify(request, Some(arguments.timeout))
                .await
                .map_err(Into::into),
            Err(error) => Err(error),
        };
        (image.display().to_string(), answer)
    };
    let mut answers = stream::iter(arguments.images.clone()).map(judge).buffered(AT_ONCE);
    let mut outcome = Outcome::Done;
    let mut judged = Vec::new();
    while let Some((image, answer)) = answers.next().await {
        outcome = outcome.max(outcome_of(&answer));
        if arguments.server.json {
            show::line(&as_json(&image, &answer)?.to_string())?;
            continue;
        }
        match answer {
            Ok(decision) => judged.push((image, decision)),
            Err(error) => show::complain(&format!("{image}: {error:#}")),
        }
    }
    if !judged.is_empty() {
        show_decisions(&judged)?;
    }
    Ok(outcome)
}

fn outcome_of(answer: &anyhow::Result<Decision>) -> Outcome {
    match answer {
        Err(_) => Outcome::Trouble,
        Ok(decision) if is_allowed(decision) => Outcome::Done,
        Ok(_) => Outcome::Objection,
    }
}

/// Whether the ad may be shown in every country asked for.
pub(super) fn is_allowed(decision: &Decision) -> bool {
    decision
        .verdicts
        .iter()
        .all(|verdict| verdict.verdict() == Verdict::Allow)
}

fn as_json(image: &str, answer: &anyhow::Result<Decision>) -> anyhow::Result<serde_json::Value> {
    let mut json = match answer {
        Ok(decision) => to_json(decision, "vigie.v1.Decision").map_err(anyhow::Error::msg)?,
        Err(error) => json!({ "error": format!("{error:#}") }),
    };
    json["picture"] = image.into();
    Ok(json)
}

/// Decisions in a table, each beside what it is on.
pub(super) fn show_decisions(judged: &[(String, Decision)]) -> std::io::Result<()> {
    let mut table = show::table(&["PICTURE", "COUNTRY", "VERDICT", "WHY"]);
    for (image, decision) in judged {
        for (at, verdict) in decision.verdicts.iter().enumerate() {
            let image = if at == 0 { image.as_str() } else { "" };
            let why = Cell::new(why(verdict));
            table.add_row(vec![
                Cell::new(image),
                Cell::new(show::country(&verdict.country)),
                show::verdict(verdict.verdict()),
                why,
            ]);
        }
    }
    show::print_table(&table)?;
    if let [(_, decision)] = judged {
        show_scores(decision)?;
    }
    let mut origins: Vec<String> = judged.iter().map(|(_, decision)| origin(decision)).collect();
    origins.dedup();
    for origin in origins {
        show::line(&show::quiet(&format!("\n{origin}")))?;
    }
    Ok(())
}

/// The reasons that count, a line each.
pub(super) fn why(verdict: &CountryVerdict) -> String {
    let reasons = verdict.reasons.iter().filter(|reason| !reason.losing);
    reasons
        .map(|reason| reason.text.as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

fn show_scores(decision: &Decision) -> std::io::Result<()> {
    if decision.scores.is_empty() {
        return Ok(());
    }
    let mut table = show::table(&["LABEL", "PROBABILITY", ""]);
    let mut scores: Vec<_> = decision.scores.iter().collect();
    scores.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    for score in scores {
        // Twenty places for the whole.
        let bar = "█".repeat((score.probability * 20.0).round().clamp(0.0, 20.0) as usize);
        table.add_row(vec![
            Cell::new(&score.label),
            show::number(format!("{:.3}", score.probability)),
            Cell::new(bar),
        ]);
    }
    show::line("")?;
    show::print_table(&table)
}

/// What judged.
fn origin(decision: &Decision) -> String {
    format!(
        "{} version {}, revision {}, policy {}{}",
        decision.model,
        decision.version,
        show::short(&decision.revision),
        show::short(&decision.policy_version),
        if decision.arm == "stable" {
            String::new()
        } else {
            format!(", as {}", decision.arm)
        },
    )
}
