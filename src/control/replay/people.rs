//! What people had said of a product by a moment.

use super::Desk;
use crate::base::{Correction, CorrectionScope, Digest, Moment, ProductKey, Recorded, Refusal};
use crate::store::{CorrectionQuery, PAGE};

/// Pages that are read of one question: more corrections of one thing are nobody's.
const PAGES: usize = 10;

/// Every correction that bears on a product or was ever to, with any of these pictures; each once, the oldest first. Also those that ended.
pub(super) fn bearing(desk: &Desk, of: &Recorded, pictures: &[Digest]) -> Result<Vec<Correction>, Refusal> {
    let partner = &of.product.partner_id;
    let mut queries = Vec::new();
    let key = of.product.key();
    if let Some(key) = &key {
        queries.push(CorrectionQuery {
            product: Some(key.clone()),
            ..CorrectionQuery::default()
        });
    }
    queries.extend(pictures.iter().map(|picture| CorrectionQuery {
        picture: Some(*picture),
        ..CorrectionQuery::default()
    }));
    if !partner.is_empty() {
        queries.push(CorrectionQuery {
            whole_partner: Some(partner.clone()),
            ..CorrectionQuery::default()
        });
    }
    let mut found = Vec::new();
    for query in queries {
        found.extend(all(desk, query)?);
    }
    found.extend(here_alone(desk, key.as_ref(), partner, pictures));
    found.sort_by(|a, b| (a.created_at, a.seq, &a.correction_id).cmp(&(b.created_at, b.seq, &b.correction_id)));
    found.dedup_by(|a, b| a.correction_id == b.correction_id);
    Ok(found)
}

fn all(desk: &Desk, mut query: CorrectionQuery) -> Result<Vec<Correction>, Refusal> {
    query.limit = PAGE;
    let mut found = Vec::new();
    for _ in 0..PAGES {
        desk.check()?;
        let page = desk.wait(desk.records().corrections(&query))?;
        found.extend(page.items);
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => break,
        }
    }
    Ok(found)
}

/// Those in force on this replica that are not on record yet.
fn here_alone(desk: &Desk, key: Option<&ProductKey>, partner: &str, pictures: &[Digest]) -> Vec<Correction> {
    let pictures = pictures.iter().map(Some).chain([None]);
    let of_picture = |picture| {
        desk.shared.ledger.corrections_on(key, picture, partner, |corrections| {
            let alone = corrections.iter().filter(|correction| correction.replica_only);
            alone.cloned().collect::<Vec<_>>()
        })
    };
    pictures.flat_map(of_picture).collect()
}

/// Those that a decision took into account: made up to this act, and not ended by then. None is revoked in what is given back: it was not yet.
pub(super) fn known_to(all: &[Correction], seq: u64, at: Moment) -> Vec<Correction> {
    let was_known = |correction: &&Correction| {
        let revoked = correction.revoked.as_ref().is_some_and(|revoked| revoked.seq <= seq);
        let ended = correction.expires_at.is_some_and(|end| end <= at);
        correction.seq <= seq && !correction.replica_only && !revoked && !ended
    };
    let then = all.iter().filter(was_known).cloned();
    then.map(|correction| Correction {
        revoked: None,
        ..correction
    })
    .collect()
}

/// Those in force at a moment, by the clock.
pub(super) fn in_force(all: &[Correction], at: Moment) -> Vec<Correction> {
    let holds = |correction: &&Correction| {
        let revoked = correction.revoked.as_ref().is_some_and(|revoked| revoked.at <= at);
        let ended = correction.expires_at.is_some_and(|end| end <= at);
        correction.created_at <= at && !revoked && !ended
    };
    let then = all.iter().filter(holds).cloned();
    then.map(|correction| Correction {
        revoked: None,
        ..correction
    })
    .collect()
}

/// The same without an end, so that they hold whatever moment is judged for.
pub(super) fn without_end(corrections: Vec<Correction>) -> Vec<Correction> {
    let endless = corrections.into_iter().map(|correction| Correction {
        expires_at: None,
        ..correction
    });
    endless.collect()
}

/// True where a correction's scope fits a product with this picture: which picture it is, is another part.
pub(super) fn fits(correction: &Correction, picture: Option<Digest>) -> bool {
    match &correction.scope {
        CorrectionScope::Picture(of) => picture == Some(*of),
        CorrectionScope::Product(_) | CorrectionScope::Partner(_) => true,
    }
}
