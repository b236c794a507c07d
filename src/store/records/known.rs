//! What becomes known of a product when a decision on it is recorded. Pure, so that whoever keeps products in memory does the same.
//!
//! The later sight of a product says how it is, in whatever order sights arrive. What revisions made of its picture stays while the picture is
//! the same, whatever its texts: scores come from the picture alone.

use std::cmp::Reverse;

use crate::base::{ImportedVerdict, KnownProduct, Look, Origin, Recorded, RevisionLook};

/// At most so many looks are kept of a product: the live revision, the one before, and candidates.
const LOOKS: usize = 4;

/// What a decision alone says of its product; none where it does not count, or is about no product that has a name.
pub fn known_from(recorded: &Recorded) -> Option<KnownProduct> {
    let Recorded { decision, product, .. } = recorded;
    let key = product.key().filter(|_| recorded.counts)?;
    let looks: Vec<RevisionLook> = look(recorded).into_iter().collect();
    let imported = match recorded.origin {
        Origin::Imported if looks.is_empty() => imported(recorded),
        Origin::Imported | Origin::Judged => Vec::new(),
    };
    Some(KnownProduct {
        key,
        model: decision.model.clone(),
        image_sha256: decision.image_sha256,
        texts: product.texts_mark(),
        title: product.title.clone(),
        description: product.description.clone(),
        category: product.category.clone(),
        brand: product.brand.clone(),
        language: product.language.clone(),
        price: product.price.clone(),
        displays: product.displays,
        facts: recorded.facts.clone(),
        looks,
        imported,
        seen_at: decision.decided_at,
    })
}

fn look(recorded: &Recorded) -> Option<RevisionLook> {
    let decision = &recorded.decision;
    let look = match (&recorded.unreadable, recorded.origin) {
        _ if !decision.scores.is_empty() => {
            Look::Scores(decision.scores.iter().map(|score| score.probability.get()).collect())
        }
        (Some(cause), Origin::Judged) => Look::Unreadable(cause.clone()),
        (Some(_), Origin::Imported) | (None, _) => return None,
    };
    Some(RevisionLook {
        revision: decision.revision,
        look,
        at: decision.decided_at,
        decision_id: decision.decision_id.clone(),
    })
}

fn imported(recorded: &Recorded) -> Vec<ImportedVerdict> {
    let verdicts = recorded.decision.verdicts.iter();
    verdicts
        .map(|verdict| ImportedVerdict {
            country: verdict.country,
            verdict: verdict.verdict,
            reason: verdict
                .reasons
                .first()
                .map(|reason| reason.text.clone())
                .unwrap_or_default(),
        })
        .collect()
}

/// What is known after another sight of the same product, be it later or earlier than what was known.
pub fn merge_known(known: KnownProduct, seen: KnownProduct) -> KnownProduct {
    // Another system's word says nothing against a look, whichever is the later.
    match (is_word_alone(&known), is_word_alone(&seen)) {
        (false, true) if !known.looks.is_empty() => return known,
        (true, false) if !seen.looks.is_empty() => return seen,
        _ => {}
    }
    let (mut later, earlier) = if seen.seen_at >= known.seen_at {
        (seen, known)
    } else {
        (known, seen)
    };
    if later.looks.is_empty() && earlier.looks.is_empty() {
        add_countries(&mut later.imported, earlier.imported);
        return later;
    }
    if later.image_sha256 != earlier.image_sha256 {
        return later;
    }
    later.looks.extend(earlier.looks);
    later
        .looks
        .sort_by_cached_key(|look| Reverse((look.at, look.decision_id.clone())));
    let mut revisions = Vec::new();
    later.looks.retain(|look| {
        let is_newest = !revisions.contains(&look.revision);
        revisions.push(look.revision);
        is_newest
    });
    later.looks.truncate(LOOKS);
    later.imported.clear();
    later
}

/// Only another system has spoken of it, and nobody knows of which picture.
fn is_word_alone(known: &KnownProduct) -> bool {
    known.looks.is_empty() && !known.imported.is_empty() && known.image_sha256.is_none()
}

/// What was said earlier stays in force for countries of which nothing was said later.
fn add_countries(later: &mut Vec<ImportedVerdict>, earlier: Vec<ImportedVerdict>) {
    for verdict in earlier {
        if later.iter().all(|other| other.country != verdict.country) {
            later.push(verdict);
        }
    }
}
