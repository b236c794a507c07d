//! A partner that is erased is gone: from the answers, from the records, from the files, and after a restart.

use std::path::Path;

use tonic::Code;
use vigie::grpc::generated::vigie::decisions_client::DecisionsClient;
use vigie::wire::vigie::{ErasePartnerRequest, ListFlipsRequest, Verdict, View};

use super::{file, launch, vigie, word};
use crate::corrections::asking::{Asking, allow, block, key, plain, shows};
use crate::support::{Place, Server, postgres};

/// Another partner's product, which stays.
const OTHER: &str =
    r#"{"partner_id": "stays", "product_id": "vase", "title": "Vase", "verdict": "BLOCK", "reason": "as before"}"#;

fn request(request_id: &str) -> ErasePartnerRequest {
    ErasePartnerRequest {
        request_id: request_id.into(),
        partner_id: "acme".into(),
        count_only: false,
    }
}

/// Two judged products of a partner, one of them corrected, and one of another.
async fn fill(server: &Server, place: &Place) -> Asking {
    let asking = Asking::begin(server).await;
    for entry in [plain(), shows("firearm")] {
        asking.classify(entry).await;
        asking.known(entry).await;
        asking.on_record(entry).await;
    }
    let mut corrected = allow(shows("firearm"));
    corrected.reason = "confidential words".into();
    asking.correct(corrected).await.unwrap();
    let other = file(place, "other.jsonl", OTHER);
    vigie(server, &["import", word(&other)]).expect(0);
    asking
}

async fn assert_gone(server: &Server) {
    let asking = Asking::begin(server).await;
    for entry in [plain(), shows("firearm")] {
        let answer = asking.verdicts(entry, View::Full).await;
        assert!(!answer.known, "{answer:?}");
        assert_eq!(answer.verdicts[0].verdict(), Verdict::Review);
    }
    assert!(
        asking
            .decisions(|query| query.partner_id = "acme".into())
            .await
            .is_empty()
    );
    assert!(asking.corrections().await.is_empty());
    let stays = asking.decisions(|query| query.partner_id = "stays".into()).await;
    assert_eq!(stays.len(), 1);
    let told = vigie(server, &["verdicts", "vase", "--partner", "stays", "--json"]).expect(1);
    assert!(told.out.contains("as before"), "{}", told.out);
}

/// Whether any file below a folder holds some bytes.
fn holds(folder: &Path, trace: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => holds(&path, trace),
            false => memchr::memmem::find(&std::fs::read(&path).unwrap_or_default(), trace.as_bytes()).is_some(),
        }
    })
}

#[tokio::test]
async fn an_erased_partner_is_gone_and_others_stay() {
    let place = Place::shipped();
    let server = launch(&place).start_ready();
    let asking = fill(&server, &place).await;
    let title = shows("firearm").title.clone();
    assert!(holds(&place.data(), &title), "the test would see it");

    let unasked = vigie(&server, &["erase", "--partner", "acme"]).expect(2);
    assert!(
        unasked.err.contains("--yes") && unasked.out.contains("CORRECTIONS"),
        "{}{}",
        unasked.out,
        unasked.err
    );
    assert!(asking.verdicts(plain(), View::Basic).await.known, "nothing was erased");

    let told = vigie(&server, &["erase", "--partner", "acme", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!((&told["decisions"], &told["products"]), (&2.into(), &2.into()));
    assert_eq!((&told["corrections"], &told["pictures"]), (&1.into(), &2.into()));
    assert_eq!(told["still_in_use"], "");
    assert_gone(&server).await;
    for trace in [title.as_str(), "confidential words", &shows("firearm").product_id] {
        assert!(!holds(&place.data(), trace), "{trace} is still in the files");
    }
    let flips = ListFlipsRequest {
        model: "adsafety".into(),
        limit: 0,
    };
    let flips = server
        .models_client()
        .await
        .list_flips(flips)
        .await
        .unwrap()
        .into_inner()
        .flips;
    assert!(flips.iter().all(|flip| flip.partner_id != "acme"), "{flips:?}");

    // The partner may come back, and what it brings is kept.
    assert_eq!(asking.classify(plain()).await, Verdict::Allow);
    asking.known(plain()).await;
    asking.on_record(plain()).await;
    drop(asking);
    server.kill();
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    assert_eq!(asking.verdict(plain()).await, Verdict::Allow);
    let armed = asking.verdicts(shows("firearm"), View::Basic).await;
    assert!(!armed.known, "{armed:?}");
}

#[tokio::test]
async fn an_erasure_is_asked_for_once_and_what_comes_meanwhile_is_not_kept() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = fill(&server, &place).await;
    let mut client = DecisionsClient::new(server.channel().await);
    for (wrong, field) in [
        (request(" "), "request_id"),
        (
            ErasePartnerRequest {
                partner_id: String::new(),
                ..request("1")
            },
            "partner_id",
        ),
    ] {
        let refused = client.erase_partner(wrong).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().starts_with(field), "{refused}");
    }
    // While it is asked about without an end, so that decisions are on their way when it is erased.
    let asked = asking.decide(plain());
    let mut eraser = client.clone();
    let (_, first) = tokio::join!(asked, eraser.erase_partner(request("erase acme")));
    let first = first.unwrap().into_inner();
    assert!(first.decisions >= 2 && first.corrections == 1, "{first:?}");
    let counted = client
        .erase_partner(ErasePartnerRequest {
            count_only: true,
            ..request("")
        })
        .await
        .unwrap()
        .into_inner();
    assert!(
        counted.decisions <= 1,
        "only what was decided after the end is kept: {counted:?}"
    );
    asking.classify(plain()).await;
    asking.known(plain()).await;
    let again = client.erase_partner(request("erase acme")).await.unwrap().into_inner();
    assert_eq!(again, first);
    assert!(
        asking.verdicts(plain(), View::Basic).await.known,
        "nothing is erased twice by one request"
    );
    let other = ErasePartnerRequest {
        partner_id: "stays".into(),
        ..request("erase acme")
    };
    assert_eq!(
        client.erase_partner(other).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn other_replicas_forget_an_erased_partner_too() {
    let database = postgres::shared().database().await;
    let places = [Place::with_versions(&[1]), Place::with_versions(&[1])];
    let launched = |place| launch(place).set("RECORDS__POSTGRES", &database).start_ready();
    let [one, two] = [launched(&places[0]), launched(&places[1])];
    fill(&one, &places[0]).await;
    let there = Asking::begin(&two).await;
    for entry in [plain(), shows("firearm")] {
        there.known(entry).await;
    }
    there.correct(block(plain())).await.unwrap();
    there.until(plain(), Verdict::Block).await;
    let told = vigie(&one, &["erase", "--partner", "acme", "--yes", "--json"])
        .expect(0)
        .json();
    assert_eq!(told["corrections"], 2);
    for entry in [plain(), shows("firearm")] {
        there
            .eventually(async || {
                let answer = there.verdicts(entry, View::Basic).await;
                !answer.known && answer.verdicts[0].verdict() == Verdict::Review
            })
            .await;
    }
    assert_gone(&one).await;
    assert_gone(&two).await;
    assert_eq!(key(plain()).partner_id, "acme");
}
