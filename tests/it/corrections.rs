//! Corrections hold: in every answer from the moment they are acknowledged, through restarts, and until they end.

pub mod asking;

use std::time::{Duration, SystemTime};

use tonic::Code;
use vigie::wire::timestamp;
use vigie::wire::vigie::{CorrectRequest, Source, Verdict, View};

use crate::support::server::PATIENCE;
use crate::support::{Launch, Place, Server, files};
use asking::{Asking, allow, block, key, plain, shows, wrong_label};

fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

#[tokio::test]
async fn a_wrong_label_is_put_right_in_every_answer_until_it_is_revoked() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = shows("firearm");
    let asking = Asking::begin(&server).await;
    assert_eq!(asking.classify(entry).await, Verdict::Block);
    asking.known(entry).await;
    assert_eq!(asking.verdict(entry).await, Verdict::Block);

    let corrected = asking.correct(wrong_label(entry, "firearm", false)).await.unwrap();
    assert_eq!((corrected.author.as_str(), corrected.seq), ("local", 1));
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
    let decision = asking.decide(entry).await;
    assert_eq!(decision.correction_seq, 1);
    assert_eq!(decision.verdicts[0].verdict(), Verdict::Allow);
    let full = asking.verdicts(entry, View::Full).await;
    let reasons = &full.verdicts[0].reasons;
    assert!(
        reasons
            .iter()
            .any(|reason| reason.source() == Source::Correction && reason.text.contains("local")),
        "{reasons:?}"
    );

    let revoked = asking.revoke(&corrected.correction_id).await.unwrap();
    assert_eq!(revoked.revoked_by.as_deref(), Some("local"));
    assert_eq!(asking.verdict(entry).await, Verdict::Block);
    let again = asking.revoke(&corrected.correction_id).await.unwrap_err();
    assert_eq!(again.code(), Code::Aborted);
    assert!(again.message().contains("local"), "{again}");
}

#[tokio::test]
async fn an_exception_is_for_its_countries_and_ends_by_itself() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = plain();
    let asking = Asking::begin(&server).await;
    asking.classify(entry).await;
    asking.known(entry).await;
    let ends = SystemTime::now() + Duration::from_millis(1500);
    let request = CorrectRequest {
        countries: vec!["FR".into()],
        expires_at: Some(timestamp(ends)),
        ..block(entry)
    };
    asking.correct(request).await.unwrap();
    let verdicts = asking.in_countries(entry, &["FR", "DE"]).await;
    assert_eq!(verdicts[0].verdict(), Verdict::Block);
    assert_eq!(verdicts[1].verdict(), Verdict::Allow);
    let until = verdicts[0].valid_until.expect("it will change by itself");
    assert_eq!(until.seconds, timestamp(ends).seconds);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while asking.in_countries(entry, &["FR"]).await[0].verdict() != Verdict::Allow {
        assert!(tokio::time::Instant::now() < deadline, "it never ended");
    }
    assert!(SystemTime::now() >= ends, "it ended early");
}

#[tokio::test]
async fn an_allow_lapses_when_the_picture_changes() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let (entry, other) = (shows("firearm"), plain());
    let asking = Asking::begin(&server).await;
    asking.classify(entry).await;
    asking.known(entry).await;
    asking.correct(allow(entry)).await.unwrap();
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
    let mut changed = asking.question(entry);
    changed.product.as_mut().unwrap().picture = asking.question(other).product.unwrap().picture;
    let decision = asking.decide_on(changed).await;
    assert_eq!(decision.verdicts[0].verdict(), Verdict::Review, "{decision:?}");
    asking.until(entry, Verdict::Review).await;
    // Back to what it was allowed on.
    assert_eq!(asking.classify(entry).await, Verdict::Allow);
    asking.until(entry, Verdict::Allow).await;
}

#[tokio::test]
async fn a_correction_of_an_unknown_product_waits_and_a_block_speaks_at_once() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = plain();
    let asking = Asking::begin(&server).await;
    let unknown = asking.verdicts(entry, View::Basic).await;
    assert!(!unknown.known);
    assert_eq!(unknown.verdicts[0].verdict(), Verdict::Review);
    assert_eq!(unknown.verdicts[0].reasons[0].source(), Source::Fallback);
    asking.correct(block(entry)).await.unwrap();
    let blocked = asking.verdicts(entry, View::Basic).await;
    assert!(!blocked.known);
    assert_eq!(blocked.verdicts[0].verdict(), Verdict::Block);
    assert_eq!(asking.classify(entry).await, Verdict::Block);
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_and_a_reused_one_is_refused() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = plain();
    let asking = Asking::begin(&server).await;
    let request = block(entry);
    let first = asking.correct(request.clone()).await.unwrap();
    assert_eq!(asking.correct(request.clone()).await.unwrap(), first);
    let other = CorrectRequest {
        reason: "Something else".into(),
        ..request
    };
    let refused = asking.correct(other).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("request_id"), "{refused}");
    assert_eq!(asking.corrections().await.len(), 1);
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_kill() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = plain();
    let asking = Asking::begin(&server).await;
    asking.classify(entry).await;
    asking.known(entry).await;
    asking.on_record(entry).await;
    asking.correct(block(entry)).await.unwrap();
    server.kill();
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let verdicts = asking.verdicts(entry, View::Full).await;
    assert!(verdicts.known, "what is known is on record");
    assert_eq!(verdicts.verdicts[0].verdict(), Verdict::Block);
    let last = asking.corrections().await;
    asking.revoke(&last[0].correction_id).await.unwrap();
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
}

/// Blocks everything that has any score at all.
const STRICT: &str = "format = 1\n[default]\nreview = 1e-30\nblock = 1e-30\n";

#[tokio::test]
async fn a_policy_holds_for_known_products_from_the_next_question_on() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = plain();
    let asking = Asking::begin(&server).await;
    asking.classify(entry).await;
    asking.known(entry).await;
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
    let policy = place.model().join("policy.toml");
    files::write(&policy, STRICT.as_bytes());
    let hash = files::digest(&policy);
    server
        .watch_until(|told| told.summaries.iter().any(|model| model.policy_version == hash))
        .await;
    assert_eq!(asking.verdict(entry).await, Verdict::Block);
}

#[tokio::test]
async fn wide_corrections_hold_for_a_picture_and_for_a_partner() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let (armed, tame) = (shows("firearm"), plain());
    let asking = Asking::begin(&server).await;
    for entry in [armed, tame] {
        asking.classify(entry).await;
        asking.known(entry).await;
    }
    asking.correct(asking::of_partner(Verdict::Allow)).await.unwrap();
    assert_eq!(
        asking.verdict(armed).await,
        Verdict::Block,
        "a severe label is not for a whole partner to allow"
    );
    let decision = asking.decide(tame).await;
    asking
        .correct(asking::of_picture(&decision.image_sha256, Verdict::Review))
        .await
        .unwrap();
    assert_eq!(
        asking.verdict(tame).await,
        Verdict::Review,
        "the picture before the partner"
    );
    let refused = asking
        .correct(asking::of_picture("abc", Verdict::Allow))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn decisions_are_found_again_with_the_product_as_it_was() {
    let place = Place::with_versions(&[1]);
    let server: Server = launch(&place).start_ready();
    let (armed, tame) = (shows("firearm"), plain());
    let asking = Asking::begin(&server).await;
    let decision = asking.decide(armed).await;
    asking.decide(tame).await;
    asking.on_record(armed).await;
    asking.on_record(tame).await;
    let blocked = asking.decisions(|query| query.set_verdict(Verdict::Block)).await;
    assert_eq!(blocked.len(), 1);
    let found = &blocked[0];
    assert_eq!(found.decision.as_ref(), Some(&decision));
    assert_eq!(found.product.as_ref().unwrap().title, armed.title);
    let of_product = asking.decisions(|query| query.product = Some(key(tame))).await;
    assert_eq!(of_product.len(), 1);
    let shown = asking.decision(&decision.decision_id).await.unwrap();
    assert_eq!(&shown, found);
    let missing = asking.decision("0190a5e2").await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
}
