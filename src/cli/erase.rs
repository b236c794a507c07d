//! `vigie erase`: everything of a partner, after a look at what that is.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::bail;

use super::arguments::EraseArguments;
use super::{Outcome, progress, show};
use crate::base::now_v7_id;
use crate::wire::to_json;
use crate::wire::vigie::{ErasePartnerRequest, ErasePartnerResponse};

pub(super) async fn run(arguments: EraseArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let mut request = ErasePartnerRequest {
        request_id: String::new(),
        partner_id: arguments.partner.clone(),
        count_only: true,
    };
    if !arguments.yes {
        let there = client.erase_partner(request.clone()).await?;
        if !arguments.server.json {
            show::line(&format!("of {} there are", arguments.partner))?;
            show_counts(&there)?;
        }
        confirm(&arguments.partner)?;
    }
    request.request_id = arguments.request_id.unwrap_or_else(now_v7_id);
    request.count_only = false;
    let waiting = progress::waiting("erasing, and writing the database's files anew", arguments.server.json)?;
    let erased = client.erase_partner(request).await;
    waiting.finish_and_clear();
    let erased = erased?;
    if arguments.server.json {
        let json = to_json(&erased, "vigie.v1.ErasePartnerResponse").map_err(anyhow::Error::msg)?;
        show::line(&json.to_string())?;
    } else {
        show::line(&format!("erased of {}", arguments.partner))?;
        show_counts(&erased)?;
        if !erased.still_in_use.is_empty() {
            show::line("")?;
            show::line(&format!(
                "The database's files may still hold remains of it. {}: the command is the same.",
                erased.still_in_use
            ))?;
        }
    }
    let is_whole = erased.still_in_use.is_empty();
    Ok(if is_whole { Outcome::Done } else { Outcome::Objection })
}

fn show_counts(counts: &ErasePartnerResponse) -> io::Result<()> {
    let mut table = show::table(&["DECISIONS", "PRODUCTS", "CORRECTIONS", "PICTURES"]);
    table.add_row(vec![
        show::number(counts.decisions),
        show::number(counts.products),
        show::number(counts.corrections),
        show::number(counts.pictures),
    ]);
    show::print_table(&table)
}

/// Whoever erases types the partner's name; where nobody can, `--yes` says it.
fn confirm(partner: &str) -> anyhow::Result<()> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        bail!("nothing was erased: there is nobody to ask here; --yes erases without asking");
    }
    let mut asking = io::stderr().lock();
    write!(asking, "\nThis cannot be undone. Type the partner's name to erase it: ")?;
    asking.flush()?;
    let mut typed = String::new();
    stdin.lock().read_line(&mut typed)?;
    if typed.trim() != partner.trim() {
        bail!("nothing was erased: that is not the partner's name");
    }
    Ok(())
}
