//! A server that is killed at any moment loses no correction that it acknowledged, and does none twice.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use vigie::grpc::generated::vigie::decisions_client::DecisionsClient;
use vigie::wire::vigie::correct_request::{Kind, Scope};
use vigie::wire::vigie::{
    CorrectRequest, Correction, GetVerdictsRequest, ListCorrectionsRequest, ProductKey, RevokeCorrectionRequest,
    Verdict,
};

use crate::support::postgres::shared;
use crate::support::{Launch, Place, Server};

/// Acts that are acknowledged in all.
const ACTS: usize = 1000;
const KILLS: usize = 8;
/// Who act at once.
const CALLERS: usize = 4;

#[tokio::test]
async fn a_killed_server_loses_no_correction_on_sqlite() {
    lose_nothing(|place| Launch::new(place)).await;
}

#[tokio::test]
async fn a_killed_server_loses_no_correction_on_postgresql() {
    let database = shared().database().await;
    lose_nothing(|place| Launch::new(place).set("RECORDS__POSTGRES", &database)).await;
}

/// What was acknowledged: the corrections, as they were told, and which of them were revoked.
#[derive(Default, Clone)]
struct Acknowledged {
    corrections: Vec<Correction>,
    revoked: BTreeSet<String>,
}

impl Acknowledged {
    fn count(&self) -> usize {
        self.corrections.len() + self.revoked.len()
    }
}

async fn lose_nothing(launch: impl Fn(&Place) -> Launch<'_>) {
    let place = Place::with_versions(&[1]);
    let (acknowledged, numbers) = (
        Arc::new(Mutex::new(Acknowledged::default())),
        Arc::new(AtomicUsize::new(0)),
    );
    for round in 1..=KILLS + 1 {
        let server = launch(&place).set("WATCH__RESCAN", "1h").start_ready();
        let so_far = acknowledged.lock().unwrap().clone();
        assert_all_there(&server, &so_far).await;
        if round > KILLS {
            return;
        }
        let goal = round * ACTS / KILLS - random(ACTS / KILLS / 2) * usize::from(round < KILLS);
        let (told, mut count) = watch::channel(0);
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let decisions = DecisionsClient::new(server.channel().await);
            let (acknowledged, numbers, told) = (Arc::clone(&acknowledged), Arc::clone(&numbers), told.clone());
            callers.spawn(async move {
                while let Ok(of) = act(decisions.clone(), &numbers, &acknowledged).await {
                    told.send_replace(of);
                }
            });
        }
        count.wait_for(|count| *count >= goal).await.unwrap();
        server.kill();
        while let Some(ended) = callers.join_next().await {
            ended.unwrap();
        }
    }
}

/// One act of a caller: every third time it revokes what it corrected. Gives how many are acknowledged by now; an error once the server is gone.
async fn act(
    mut decisions: DecisionsClient<Channel>,
    numbers: &AtomicUsize,
    acknowledged: &Mutex<Acknowledged>,
) -> Result<usize, tonic::Status> {
    let number = numbers.fetch_add(1, Ordering::Relaxed);
    let request = CorrectRequest {
        request_id: format!("request {number}"),
        scope: Some(Scope::Product(key(number))),
        kind: Some(Kind::Exception(Verdict::Block.into())),
        reason: format!("number {number}"),
        ..Default::default()
    };
    let correction = decisions.correct(request).await?.into_inner();
    assert!(!correction.replica_only, "the store is there");
    let correction_id = correction.correction_id.clone();
    acknowledged.lock().unwrap().corrections.push(correction);
    if number.is_multiple_of(3) {
        let request = RevokeCorrectionRequest {
            request_id: format!("revocation {number}"),
            correction_id: correction_id.clone(),
            reason: "It was not so".into(),
        };
        decisions.revoke_correction(request).await?;
        acknowledged.lock().unwrap().revoked.insert(correction_id);
    }
    Ok(acknowledged.lock().unwrap().count())
}

async fn assert_all_there(server: &Server, acknowledged: &Acknowledged) {
    let listed = corrections(server).await;
    let mut products = BTreeSet::new();
    for correction in &listed {
        assert!(products.insert(correction.reason.clone()), "twice: {correction:?}");
    }
    for told in &acknowledged.corrections {
        let found = listed.iter().find(|listed| listed.correction_id == told.correction_id);
        let found = found.unwrap_or_else(|| panic!("lost: {told:?}"));
        assert_eq!((found.seq, &found.reason), (told.seq, &told.reason));
        let is_revoked = acknowledged.revoked.contains(&told.correction_id);
        assert!(
            found.revoked_by.is_some() || !is_revoked,
            "its revocation is lost: {told:?}"
        );
    }
    // What is on record is what is in force.
    for some in listed.chunks(500) {
        let request = GetVerdictsRequest {
            products: some.iter().map(product_of).collect(),
            ..Default::default()
        };
        let verdicts = server
            .ad_safety()
            .await
            .get_verdicts(request)
            .await
            .unwrap()
            .into_inner();
        for (correction, result) in some.iter().zip(verdicts.results) {
            let expected = if correction.revoked_by.is_some() {
                Verdict::Review
            } else {
                Verdict::Block
            };
            assert_eq!(result.verdicts[0].verdict(), expected, "{correction:?}");
        }
    }
}

async fn corrections(server: &Server) -> Vec<Correction> {
    let mut decisions = DecisionsClient::new(server.channel().await);
    let mut request = ListCorrectionsRequest {
        include_ended: true,
        limit: 1000,
        ..Default::default()
    };
    let mut listed = Vec::new();
    loop {
        let page = decisions.list_corrections(request.clone()).await.unwrap().into_inner();
        listed.extend(page.corrections);
        if page.next_cursor.is_empty() {
            return listed;
        }
        request.cursor = page.next_cursor;
    }
}

fn key(number: usize) -> ProductKey {
    ProductKey {
        partner_id: "acme".into(),
        product_id: format!("product {number}"),
    }
}

fn product_of(correction: &Correction) -> ProductKey {
    let number = correction.reason.strip_prefix("number ").unwrap();
    key(number.parse().unwrap())
}

/// Below the bound.
fn random(bound: usize) -> usize {
    let random = RandomState::new().build_hasher().finish();
    usize::try_from(random % bound as u64).unwrap()
}
