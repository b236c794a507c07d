//! `vigie decisions`: what was decided, and what it was made of.

use std::time::SystemTime;

use comfy_table::Cell;

use super::arguments::{DecisionFilters, ListDecisionsArguments, ShowDecisionArguments, VerdictWord};
use super::classify::{show_decisions, why};
use super::{Outcome, show};
use crate::wire::vigie::{ListDecisionsRequest, ProductKey, RecordedDecision, Verdict};
use crate::wire::{timestamp, to_json};

/// Decisions of one answer of the server.
const PAGE: u32 = 1000;

/// Lists decisions, as many as were asked for, page by page.
pub(super) async fn list(arguments: ListDecisionsArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let mut request = request(&arguments.filters);
    let mut left = arguments.limit;
    let mut listed = Vec::new();
    while left > 0 {
        request.limit = left.min(PAGE);
        let page = client.list_decisions(request.clone()).await?;
        left = left.saturating_sub(u32::try_from(page.decisions.len()).unwrap_or(left));
        if arguments.server.json {
            for decision in &page.decisions {
                show::line(&as_json(decision)?.to_string())?;
            }
        } else {
            listed.extend(page.decisions);
        }
        if page.next_cursor.is_empty() {
            break;
        }
        request.cursor = page.next_cursor;
    }
    if arguments.server.json {
        return Ok(Outcome::Done);
    }
    if listed.is_empty() {
        show::line("no decision on record is so; fewer filters find more")?;
    } else {
        show_list(&listed)?;
    }
    Ok(Outcome::Done)
}

/// The question for the decisions that are meant.
pub(super) fn request(arguments: &DecisionFilters) -> ListDecisionsRequest {
    let since = arguments
        .since
        .map(|span| SystemTime::now().checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH));
    let partner_id = arguments.key.partner.clone();
    let (product, partner_id) = match &arguments.product {
        Some(product_id) => {
            let product_id = product_id.clone();
            (Some(ProductKey { partner_id, product_id }), String::new())
        }
        None => (None, partner_id),
    };
    let mut request = ListDecisionsRequest {
        product,
        partner_id,
        image_sha256: arguments.picture.clone(),
        model: arguments.model.clone(),
        version: arguments.version,
        label: arguments.label.clone(),
        country: arguments.country.clone(),
        since: since.map(timestamp),
        ..Default::default()
    };
    if let Some(verdict) = arguments.verdict {
        request.set_verdict(to_wire(verdict));
    }
    request
}

fn to_wire(verdict: VerdictWord) -> Verdict {
    match verdict {
        VerdictWord::Allow => Verdict::Allow,
        VerdictWord::Review => Verdict::Review,
        VerdictWord::Block => Verdict::Block,
    }
}

fn show_list(decisions: &[RecordedDecision]) -> std::io::Result<()> {
    let mut table = show::table(&["AT", "DECISION", "PRODUCT", "COUNTRY", "VERDICT", "WHY"]);
    for recorded in decisions {
        let Some(decision) = &recorded.decision else { continue };
        let at = decision.decided_at.as_ref().map(|at| show::moment(at.seconds));
        let head = [at.unwrap_or_default(), decision.decision_id.clone(), product(recorded)];
        for (row, verdict) in decision.verdicts.iter().enumerate() {
            let head = head.iter().map(|text| Cell::new(if row == 0 { text } else { "" }));
            let said = why(verdict);
            let body = [
                Cell::new(show::country(&verdict.country)),
                show::verdict(verdict.verdict()),
                Cell::new(show::cut(said.lines().next().unwrap_or_default(), 80)),
            ];
            table.add_row(head.chain(body).collect::<Vec<_>>());
        }
    }
    show::print_table(&table)
}

fn product(recorded: &RecordedDecision) -> String {
    let product = recorded.product.as_ref();
    let key = product.map(|product| ProductKey {
        partner_id: product.partner_id.clone(),
        product_id: product.product_id.clone(),
    });
    key.as_ref().map(show::product).unwrap_or_default()
}

/// Shows one decision.
pub(super) async fn show(arguments: ShowDecisionArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let recorded = client.get_decision(&arguments.decision).await?;
    if arguments.server.json {
        show::line(&as_json(&recorded)?.to_string())?;
        return Ok(Outcome::Done);
    }
    let Some(decision) = recorded.decision.clone() else {
        anyhow::bail!("the server sent no decision");
    };
    let facts: Vec<String> = recorded
        .facts
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let texts = recorded.product.clone().unwrap_or_default();
    for (name, value) in [
        (
            "decided",
            decision
                .decided_at
                .as_ref()
                .map(|at| show::moment(at.seconds))
                .unwrap_or_default(),
        ),
        ("product", product(&recorded)),
        ("title", texts.title),
        ("category", texts.category),
        ("picture", decision.image_sha256.clone()),
        ("unreadable", recorded.unreadable.clone()),
        ("ad type", recorded.ad_type.clone()),
        ("facts", facts.join(", ")),
        ("corrections", format!("up to {}", decision.correction_seq)),
        ("trace", decision.trace_id.clone()),
    ] {
        if !value.is_empty() {
            show::line(&format!("{name:<12} {value}"))?;
        }
    }
    show::line("")?;
    show_decisions(&[(product(&recorded), decision)])?;
    Ok(Outcome::Done)
}

/// A decision as its protocol file writes it.
pub(super) fn as_json(recorded: &RecordedDecision) -> anyhow::Result<serde_json::Value> {
    to_json(recorded, "vigie.v1.RecordedDecision").map_err(anyhow::Error::msg)
}
