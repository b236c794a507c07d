//! `vigie correct`: what a person says of a judgement; and the list of what was said.

use std::time::SystemTime;

use anyhow::Context;
use comfy_table::Cell;

use super::arguments::{CorrectArguments, WhatArguments};
use super::{Outcome, show};
use crate::base::now_v7_id;
use crate::grpc::client::Client;
use crate::wire::vigie::correct_request::{Kind, Scope};
use crate::wire::vigie::{
    CorrectRequest, Correction, ListCorrectionsRequest, ProductKey, RevokeCorrectionRequest, Verdict, WrongLabel,
    correction,
};
use crate::wire::{timestamp, to_json};

pub(super) async fn run(arguments: CorrectArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    if arguments.what.list {
        return list(&client, arguments).await;
    }
    let as_json = arguments.server.json;
    let request_id = arguments.request_id.clone().unwrap_or_else(now_v7_id);
    let reason = arguments.reason.clone().unwrap_or_default();
    let said = match arguments.what.revoke.clone() {
        Some(correction_id) => {
            let request = RevokeCorrectionRequest {
                request_id,
                correction_id,
                reason,
            };
            client.revoke_correction(request).await?
        }
        None => client.correct(request(arguments, request_id, reason)?).await?,
    };
    show_corrections(&[said], as_json)?;
    Ok(Outcome::Done)
}

fn request(arguments: CorrectArguments, request_id: String, reason: String) -> anyhow::Result<CorrectRequest> {
    let ends = |span| {
        SystemTime::now()
            .checked_add(span)
            .context("--for reaches beyond the calendar")
    };
    let scope = match (arguments.product, arguments.picture, arguments.whole_partner) {
        (Some(product_id), _, _) => Scope::Product(ProductKey {
            partner_id: arguments.key.partner,
            product_id,
        }),
        (None, Some(picture), _) => Scope::ImageSha256(picture),
        (None, None, Some(partner)) => Scope::PartnerId(partner),
        (None, None, None) => {
            anyhow::bail!("name a PRODUCT (with --partner), a --picture or a --whole-partner: what is it about?")
        }
    };
    Ok(CorrectRequest {
        request_id,
        countries: arguments.countries,
        reason,
        expires_at: arguments.lasts.map(ends).transpose()?.map(timestamp),
        scope: Some(scope),
        kind: Some(kind(arguments.what)),
    })
}

fn kind(what: WhatArguments) -> Kind {
    let exception = |verdict: Verdict| Kind::Exception(verdict.into());
    match (what.is, what.not, what.allow, what.review) {
        (Some(label), _, _, _) => Kind::WrongLabel(WrongLabel { label, present: true }),
        (None, Some(label), _, _) => Kind::WrongLabel(WrongLabel { label, present: false }),
        (None, None, true, _) => exception(Verdict::Allow),
        (None, None, false, true) => exception(Verdict::Review),
        (None, None, false, false) => exception(Verdict::Block),
    }
}

async fn list(client: &Client, arguments: CorrectArguments) -> anyhow::Result<Outcome> {
    let partner_id = arguments.key.partner;
    let (product, partner_id) = match arguments.product {
        Some(product_id) => (Some(ProductKey { partner_id, product_id }), String::new()),
        None => (None, arguments.whole_partner.unwrap_or(partner_id)),
    };
    let mut request = ListCorrectionsRequest {
        product,
        partner_id,
        image_sha256: arguments.picture.unwrap_or_default(),
        include_ended: arguments.ended,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = client.list_corrections(request.clone()).await?;
        listed.extend(page.corrections);
        if page.next_cursor.is_empty() {
            break;
        }
        request.cursor = page.next_cursor;
    }
    if listed.is_empty() && !arguments.server.json {
        show::line("no correction is in force; --ended lists those that were")?;
    } else {
        show_corrections(&listed, arguments.server.json)?;
    }
    Ok(Outcome::Done)
}

fn show_corrections(corrections: &[Correction], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        for correction in corrections {
            let json = to_json(correction, "vigie.v1.Correction").map_err(anyhow::Error::msg)?;
            show::line(&json.to_string())?;
        }
        return Ok(());
    }
    let mut table = show::table(&[
        "SEQ",
        "CORRECTION",
        "ON",
        "COUNTRIES",
        "SAYS",
        "BY",
        "AT",
        "UNTIL",
        "REASON",
    ]);
    for correction in corrections {
        let countries: Vec<String> = correction.countries.iter().map(|code| show::country(code)).collect();
        let at = correction.created_at.as_ref().map(|at| show::moment(at.seconds));
        table.add_row(vec![
            show::number(correction.seq),
            Cell::new(&correction.correction_id),
            Cell::new(scope(correction)),
            Cell::new(if countries.is_empty() {
                "all".to_owned()
            } else {
                countries.join(",")
            }),
            Cell::new(says(correction)),
            Cell::new(&correction.author),
            Cell::new(at.unwrap_or_default()),
            Cell::new(until(correction)),
            Cell::new(show::cut(&correction.reason, 60)),
        ]);
    }
    show::print_table(&table)?;
    Ok(())
}

fn scope(correction: &Correction) -> String {
    match &correction.scope {
        Some(correction::Scope::Product(key)) => show::product(key),
        Some(correction::Scope::ImageSha256(digest)) => format!("picture {}", show::short(digest)),
        Some(correction::Scope::PartnerId(partner)) => format!("all of {partner}"),
        None => String::new(),
    }
}

fn says(correction: &Correction) -> String {
    match &correction.kind {
        Some(correction::Kind::WrongLabel(WrongLabel { label, present: true })) => format!("it is {label}"),
        Some(correction::Kind::WrongLabel(WrongLabel { label, present: false })) => format!("it is not {label}"),
        Some(correction::Kind::Exception(verdict)) => {
            let verdict = Verdict::try_from(*verdict).unwrap_or_default();
            show::verdict_name(verdict).to_owned()
        }
        None => String::new(),
    }
}

fn until(correction: &Correction) -> String {
    match (&correction.revoked_by, &correction.expires_at) {
        (Some(by), _) => format!("revoked by {by}: {}", correction.revoked_because),
        (None, Some(at)) => show::moment(at.seconds),
        (None, None) if correction.replica_only => "(this replica only so far)".to_owned(),
        (None, None) => String::new(),
    }
}
