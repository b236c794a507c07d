//! Random operations give the same answers in SQLite, in PostgreSQL and in a plain model in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vigie::base::{Correction, KnownProduct, Moment, ProductKey, Recorded, RevisionId, Revocation, Verdict};
use vigie::store::{
    AskedAct, AskedCorrection, AskedRevocation, CorrectionQuery, DecisionQuery, Records, RecordsError, known_from,
    merge_known,
};

use super::place::Place;
use super::samples::{at, country, digest, erasure, new_correction, principal, product, recorded};

/// Something done, in small numbers so that it meets what was done before.
#[derive(Debug, Clone)]
enum Operation {
    Append(Vec<Sight>),
    Correct {
        request: u8,
        content: u8,
        author: u8,
        hours: u8,
    },
    Revoke {
        request: u8,
        correction: u8,
        author: u8,
        hours: u8,
    },
    Forget {
        before: u8,
    },
    Erase {
        partner: u8,
    },
}

#[derive(Debug, Clone)]
struct Sight {
    id: u8,
    partner: u8,
    product: u8,
    picture: u8,
    revision: u8,
    moment: u8,
}

fn sight() -> impl Strategy<Value = Sight> {
    (0..60_u8, 0..3_u8, 0..3_u8, 0..2_u8, 0..6_u8, 0..40_u8).prop_map(
        |(id, partner, product, picture, revision, moment)| Sight {
            id,
            partner,
            product,
            picture,
            revision,
            moment,
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => prop::collection::vec(sight(), 1..6).prop_map(Operation::Append),
        4 => (0..6_u8, 0..6_u8, 0..2_u8, 0..60_u8)
            .prop_map(|(request, content, author, hours)| Operation::Correct { request, content, author, hours }),
        3 => (0..6_u8, 0..8_u8, 0..2_u8, 0..60_u8)
            .prop_map(|(request, correction, author, hours)| Operation::Revoke { request, correction, author, hours }),
        1 => (0..20_u8).prop_map(|before| Operation::Forget { before }),
        1 => (0..3_u8).prop_map(|partner| Operation::Erase { partner }),
    ]
}

fn decision(sight: &Sight) -> Recorded {
    let mut recorded = recorded(u64::from(sight.id) + 1_000 * u64::from(sight.picture));
    recorded.decision.decision_id = format!("decision-{}", sight.id);
    recorded.product = product(&format!("partner-{}", sight.partner), &format!("sku-{}", sight.product));
    recorded.decision.image_sha256 = Some(digest(3, u64::from(sight.picture)));
    recorded.decision.revision = RevisionId(digest(1, u64::from(sight.revision)));
    recorded.decision.decided_at = at(i64::from(sight.moment));
    recorded
}

fn hour(hours: u8) -> Moment {
    at(i64::from(hours) * 3_600_000_000)
}

/// The answer of an operation, without what may differ.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Count(u64),
    Correction(Box<Correction>),
    Conflict(Box<Correction>),
    NotFound,
    Input(String),
}

/// What is on record, in the plainest form.
#[derive(Default)]
struct Model {
    decisions: Vec<Recorded>,
    known: BTreeMap<ProductKey, KnownProduct>,
    corrections: Vec<Correction>,
    requests: Vec<Request>,
    acts: u64,
}

/// An act as it was asked for and answered; erased ones have no content.
struct Request {
    act: AskedAct,
    answer: Correction,
    is_erased: bool,
}

impl Model {
    fn append(&mut self, decisions: &[Recorded]) -> Answer {
        let before = self.decisions.len();
        for recorded in decisions {
            let id = &recorded.decision.decision_id;
            if !self.decisions.iter().any(|kept| kept.decision.decision_id == *id) {
                self.decisions.push(recorded.clone());
            }
            if let Some(seen) = known_from(recorded) {
                let merged = match self.known.remove(&seen.key) {
                    Some(known) => merge_known(known, seen),
                    None => seen,
                };
                self.known.insert(merged.key.clone(), merged);
            }
        }
        Answer::Count((self.decisions.len() - before) as u64)
    }

    fn act(&mut self, asked: &AskedAct) -> Answer {
        let day = std::time::Duration::from_secs(24 * 3_600);
        let previous = self.requests.iter().rev().find(|request| {
            request.act.request_id() == asked.request_id()
                && request.act.author() == asked.author()
                && request.act.at() > asked.at().before(day)
        });
        let standing = self
            .corrections
            .iter()
            .position(|one| one.correction_id == asked.correction_id());
        let taken = || Answer::Input("request_id".to_owned());
        let answer = match (asked, previous) {
            (AskedAct::Correct(asked), Some(request)) => match &request.act {
                AskedAct::Correct(first) if !request.is_erased && first.correction == asked.correction => {
                    return Answer::Correction(Box::new(request.answer.clone()));
                }
                AskedAct::Correct(_) | AskedAct::Revoke(_) => return taken(),
            },
            (AskedAct::Revoke(asked), Some(request)) => match &request.act {
                AskedAct::Revoke(first)
                    if !request.is_erased
                        && (&first.correction_id, &first.reason) == (&asked.correction_id, &asked.reason) =>
                {
                    return Answer::Correction(Box::new(request.answer.clone()));
                }
                AskedAct::Correct(_) | AskedAct::Revoke(_) => return taken(),
            },
            (AskedAct::Correct(asked), None) => {
                let correction = given(asked, self.acts + 1);
                self.corrections.push(correction.clone());
                correction
            }
            (AskedAct::Revoke(asked), None) => {
                let Some(place) = standing else { return Answer::NotFound };
                let correction = &mut self.corrections[place];
                if correction.revoked.is_some() {
                    return Answer::Conflict(Box::new(correction.clone()));
                }
                correction.revoked = Some(Revocation {
                    seq: self.acts + 1,
                    by: asked.author.clone(),
                    at: asked.at,
                    reason: asked.reason.clone(),
                });
                correction.clone()
            }
        };
        self.acts += 1;
        self.requests.push(Request {
            act: asked.clone(),
            answer: answer.clone(),
            is_erased: false,
        });
        Answer::Correction(Box::new(answer))
    }

    fn erase(&mut self, partner: &str) -> Answer {
        let is_own = |correction: &Correction| match &correction.scope {
            vigie::base::CorrectionScope::Product(key) => key.partner_id == partner,
            vigie::base::CorrectionScope::Partner(own) => own == partner,
            vigie::base::CorrectionScope::Picture(_) => false,
        };
        for request in &mut self.requests {
            let id = &request.answer.correction_id;
            request.is_erased |= self
                .corrections
                .iter()
                .any(|one| is_own(one) && one.correction_id == *id);
        }
        self.corrections.retain(|correction| !is_own(correction));
        self.known.retain(|key, _| key.partner_id != partner);
        let before = self.decisions.len();
        self.decisions.retain(|recorded| recorded.product.partner_id != partner);
        self.acts += 1;
        Answer::Count((before - self.decisions.len()) as u64)
    }

    fn newest_first(&self, meets: impl Fn(&Recorded) -> bool) -> Vec<Recorded> {
        let mut found: Vec<Recorded> = self
            .decisions
            .iter()
            .rev()
            .filter(|recorded| meets(recorded))
            .cloned()
            .collect();
        found.sort_by_key(|recorded| std::cmp::Reverse(recorded.decision.decided_at));
        found
    }
}

fn given(asked: &AskedCorrection, seq: u64) -> Correction {
    let wanted = asked.correction.clone();
    Correction {
        seq,
        correction_id: asked.correction_id.clone(),
        scope: wanted.scope,
        countries: wanted.countries,
        kind: wanted.kind,
        reason: wanted.reason,
        expires_at: wanted.expires_at,
        author: asked.author.clone(),
        created_at: asked.at,
        seen: wanted.seen,
        revoked: None,
        replica_only: false,
    }
}

/// An operation in the words of the store; identities count the operations.
fn asked(operation: &Operation, place: usize) -> Option<AskedAct> {
    match *operation {
        Operation::Correct {
            request,
            content,
            author,
            hours,
        } => Some(AskedAct::Correct(AskedCorrection {
            request_id: format!("request-{request}"),
            correction_id: format!("correction-{place}"),
            correction: new_correction(u64::from(content)),
            author: principal(&format!("author-{author}")),
            at: hour(hours),
        })),
        Operation::Revoke {
            request,
            correction,
            author,
            hours,
        } => Some(AskedAct::Revoke(AskedRevocation {
            request_id: format!("request-{request}"),
            correction_id: format!("correction-{correction}"),
            reason: "no longer".to_owned(),
            author: principal(&format!("author-{author}")),
            at: hour(hours),
        })),
        Operation::Append(_) | Operation::Forget { .. } | Operation::Erase { .. } => None,
    }
}

fn in_model(model: &mut Model, operation: &Operation, place: usize) -> Answer {
    match operation {
        Operation::Append(sights) => model.append(&sights.iter().map(decision).collect::<Vec<_>>()),
        Operation::Correct { .. } | Operation::Revoke { .. } => model.act(&asked(operation, place).unwrap()),
        Operation::Forget { before } => {
            let count = model.decisions.len();
            model
                .decisions
                .retain(|recorded| recorded.decision.decided_at >= at(i64::from(*before)));
            Answer::Count((count - model.decisions.len()) as u64)
        }
        Operation::Erase { partner } => model.erase(&format!("partner-{partner}")),
    }
}

async fn in_store(records: &Records, operation: &Operation, place: usize) -> Answer {
    match operation {
        Operation::Append(sights) => {
            let decisions = sights.iter().map(decision).collect();
            Answer::Count(records.append(decisions).await.unwrap() as u64)
        }
        Operation::Correct { .. } | Operation::Revoke { .. } => {
            match records.act(asked(operation, place).unwrap()).await {
                Ok(correction) => Answer::Correction(Box::new(correction)),
                Err(RecordsError::Conflict { current }) => Answer::Conflict(current),
                Err(RecordsError::NotFound { .. }) => Answer::NotFound,
                Err(RecordsError::Input { field, .. }) => Answer::Input(field),
                Err(error) => panic!("{error}"),
            }
        }
        Operation::Forget { before } => Answer::Count(records.forget_before(at(i64::from(*before))).await.unwrap()),
        Operation::Erase { partner } => {
            let erased = records.erase_partner(&erasure(&format!("partner-{partner}"), 0)).await;
            Answer::Count(erased.unwrap().decisions)
        }
    }
}

fn ids<'a>(decisions: impl IntoIterator<Item = &'a Recorded>) -> Vec<&'a str> {
    decisions
        .into_iter()
        .map(|recorded| recorded.decision.decision_id.as_str())
        .collect()
}

async fn same_decisions(records: &Records, model: &Model) {
    let everything = DecisionQuery {
        limit: 1_000,
        ..Default::default()
    };
    let one_country = DecisionQuery {
        country: Some(country("FR")),
        ..everything.clone()
    };
    let of_partner = DecisionQuery {
        partner: Some("partner-1".to_owned()),
        ..everything.clone()
    };
    let blocked = DecisionQuery {
        verdict: Some(Verdict::Block),
        ..everything.clone()
    };
    type Meets = fn(&Recorded) -> bool;
    let questions: [(DecisionQuery, Meets); 4] = [
        (everything, |_| true),
        (one_country, |one| {
            one.decision
                .verdicts
                .iter()
                .any(|verdict| verdict.country == country("FR"))
        }),
        (of_partner, |one| one.product.partner_id == "partner-1"),
        (blocked, |one| {
            one.decision
                .verdicts
                .iter()
                .any(|verdict| verdict.verdict == Verdict::Block)
        }),
    ];
    for (query, meets) in questions {
        let found = records.decisions(&query).await.unwrap().items;
        let expected = model.newest_first(meets);
        assert_eq!(ids(&found), ids(&expected), "{query:?}");
        assert!(found == expected, "decisions differ");
    }
}

async fn same_state(records: &Records, model: &Model) {
    same_decisions(records, model).await;
    let mut known = BTreeMap::new();
    let scan = records.load_known();
    scan.each(|(_, one)| drop(known.insert(one.key.clone(), one)))
        .await
        .unwrap();
    assert!(known.keys().eq(model.known.keys()), "other products are known");
    for (key, expected) in &model.known {
        assert_eq!(&known[key], expected);
        assert_eq!(records.known(key).await.unwrap().as_ref(), Some(expected));
    }
    let query = CorrectionQuery {
        limit: 1_000,
        ..Default::default()
    };
    let corrections: Vec<Correction> = model.corrections.iter().rev().cloned().collect();
    assert_eq!(records.corrections(&query).await.unwrap().items, corrections);
    assert_eq!(records.last_seq().await.unwrap(), model.acts);
    let acts = records.acts_since(0, 1_000).await.unwrap();
    let replayed: Vec<Correction> = super::acts::replayed(acts).into_values().rev().collect();
    assert_eq!(replayed, corrections);
}

#[test]
fn both_databases_and_a_plain_model_answer_alike() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let cases = std::env::var("VIGIE_RECORDS_CASES").map_or(24, |cases| cases.parse().expect("it is a number"));
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let operations = prop::collection::vec(operation(), 1..25);
    let outcome = TestRunner::new(config).run(&operations, |operations| {
        runtime.block_on(async {
            let sqlite = Place::sqlite().open().await;
            let postgres = Place::postgres().await.open().await;
            let mut model = Model::default();
            for (place, operation) in operations.iter().enumerate() {
                let expected = in_model(&mut model, operation, place);
                for opened in [&sqlite, &postgres] {
                    let answer = in_store(&opened.records, operation, place).await;
                    assert_eq!(answer, expected, "{operation:?}");
                }
            }
            for opened in [&sqlite, &postgres] {
                same_state(&opened.records, &model).await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}
