//! `vigie models flips`: the products on which the live version and its shadow last gave different verdicts.

use comfy_table::Cell;

use super::arguments::FlipsArguments;
use super::{Outcome, show};
use crate::wire::to_json;
use crate::wire::vigie::{Flip, FlipSide};

pub(super) async fn run(arguments: FlipsArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let models = if arguments.model.is_empty() {
        let summaries = client.list_models().await?.summaries;
        summaries.into_iter().map(|summary| summary.model).collect()
    } else {
        vec![arguments.model.clone()]
    };
    let mut flips = Vec::new();
    for model in models {
        flips.extend(client.list_flips(&model, arguments.limit).await?.flips);
    }
    if arguments.server.json {
        for flip in &flips {
            let json = to_json(flip, "vigie.v1.Flip").map_err(anyhow::Error::msg)?;
            show::line(&json.to_string())?;
        }
        return Ok(Outcome::Done);
    }
    if flips.is_empty() {
        show::line(
            "no flips: live and shadow have agreed on every product so far, or nothing is in shadow (see vigie models)",
        )?;
        return Ok(Outcome::Done);
    }
    show_flips(&flips)?;
    Ok(Outcome::Done)
}

fn show_flips(flips: &[Flip]) -> std::io::Result<()> {
    let mut table = show::table(&["AT", "PRODUCT", "TITLE", "COUNTRY", "LABEL", "LIVE", "SHADOW", "TRACE"]);
    for flip in flips {
        let ids = [flip.partner_id.as_str(), flip.product_id.as_str()];
        let product = ids
            .into_iter()
            .filter(|id| !id.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        table.add_row(vec![
            Cell::new(flip.at.as_ref().map(|at| show::moment(at.seconds)).unwrap_or_default()),
            Cell::new(product),
            Cell::new(show::cut(&flip.title, 32)),
            Cell::new(show::country(&flip.country)),
            Cell::new(&flip.label),
            side(flip.stable.as_ref()),
            side(flip.candidate.as_ref()),
            Cell::new(show::short(&flip.trace_id)),
        ]);
    }
    show::print_table(&table)
}

/// Verdict, score and version of one side: `BLOCK 0.912 (2)`.
fn side(side: Option<&FlipSide>) -> Cell {
    let Some(side) = side else { return Cell::new("") };
    let score = side.score.map(|score| format!(" {score:.3}")).unwrap_or_default();
    Cell::new(format!(
        "{}{score} ({})",
        show::verdict_name(side.verdict()),
        side.version
    ))
}
