//! Recorded decisions are made again: to the same bits and verdicts, or with what is in the way in plain words.

use tonic::Code;
use vigie::base::Origin;
use vigie::store::{DataDirectory, Records, SqliteSettings};
use vigie::wire::vigie::{ReplayResponse, Verdict};

use super::shop::{Eyes, POLICY, Shop, change_in_place, grey, launch, place, says, short, striped, verdict};
use crate::support::client::catalogue;
use crate::support::{Place, files};

fn outcome<'r>(replayed: &'r ReplayResponse, part: &str) -> (&'r str, &'r str) {
    let found = replayed
        .parts
        .iter()
        .find(|found| found.part == part)
        .expect("it is told");
    (&found.outcome, &found.sentence)
}

fn is_reproduced(replayed: &ReplayResponse) {
    assert!(replayed.reproduced && replayed.same_bits, "{replayed:#?}");
    for score in &replayed.scores {
        assert_eq!(
            score.recorded.map(f32::to_bits),
            score.again.map(f32::to_bits),
            "{score:?}"
        );
    }
    for verdict in &replayed.verdicts {
        assert_eq!(
            (verdict.recorded, &verdict.recorded_rule),
            (verdict.again, &verdict.again_rule)
        );
    }
}

#[tokio::test]
async fn decisions_of_the_shipped_model_are_reproduced_bit_for_bit_and_word_for_word() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    for entry in catalogue().iter().step_by(29) {
        let decision = shop.decide_on(entry.question()).await;
        let replayed = shop.replay(&decision.decision_id).await.unwrap();
        is_reproduced(&replayed);
        assert_eq!(replayed.scores.len(), decision.scores.len());
        says(outcome(&replayed, "verdicts").1, &["word for word"]);
        says(&replayed.sentence, &[&decision.decision_id, "bit for bit"]);
    }
}

#[tokio::test]
async fn what_was_decided_by_a_revision_and_a_policy_that_are_gone_is_reproduced_from_what_is_kept() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let decision = shop.decide(striped()).await;
    shop.govern(&place, &POLICY.replace("0.9\n", "0.8\n")).await;
    let old = server.live().await.revision;
    for weight in [3.0, 4.0, 5.0] {
        change_in_place(&place, 1, Eyes { weight, bias: -1.0 });
        let before = server.live().await.revision;
        server
            .watch_until(|told| told.models.iter().any(|found| found.live && found.revision != before))
            .await;
    }
    is_reproduced(&shop.replay(&decision.decision_id).await.unwrap());
    drop(shop);
    server.kill();

    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    assert_ne!(server.live().await.revision, old);
    is_reproduced(&shop.replay(&decision.decision_id).await.unwrap());
    drop(shop);
    server.kill();

    // What is to be kept no longer goes, and so does what was removed by hand; both are told.
    let policies = place.data().join("policies");
    std::fs::remove_file(policies.join(format!("{}.toml", decision.policy_version))).unwrap();
    let server = launch(&place).set("MODELS__KEEP_REVISIONS", 0).start_ready();
    let shop = Shop::open(&server).await;
    let sealed = place.data().join("revisions").join(&old);
    server.version_in(1, "READY").await;
    files::edit(&place.model().join("policy.toml"), |text| {
        format!("# Looked at again.\n{text}")
    });
    let hash = files::digest(&place.model().join("policy.toml"));
    server
        .watch_until(|told| told.summaries.iter().any(|model| model.policy_version == hash))
        .await;
    assert!(!sealed.exists());
    let replayed = shop.replay(&decision.decision_id).await.unwrap();
    assert!(!replayed.reproduced);
    let (outcome_of_scores, why) = outcome(&replayed, "scores");
    assert_eq!(outcome_of_scores, "cannot be");
    says(why, &["models.keep_revisions", "adsafety version 1", short(&old)]);
    let (outcome_of_policy, why) = outcome(&replayed, "policy");
    assert_eq!(outcome_of_policy, "cannot be");
    says(why, &[short(&decision.policy_version), "data directory"]);
}

#[tokio::test]
async fn a_picture_that_is_not_kept_is_told_and_the_rest_is_made_again() {
    let place = place();
    let server = launch(&place).set("RECORDS__PICTURES", "0 B").start_ready();
    let shop = Shop::open(&server).await;
    let decision = shop.decide(grey(240)).await;
    let replayed = shop.replay(&decision.decision_id).await.unwrap();
    assert!(!replayed.reproduced && !replayed.same_bits);
    for part in ["picture", "scores"] {
        let (outcome, why) = outcome(&replayed, part);
        assert_eq!(outcome, "cannot be");
        says(
            why,
            &[short(&decision.image_sha256), "records.pictures", "send it again"],
        );
    }
    let (of_verdicts, why) = outcome(&replayed, "verdicts");
    assert_eq!(of_verdicts, "reproduced");
    says(why, &["on the scores that are recorded"]);
    says(
        &replayed.sentence,
        &["cannot be reproduced as a whole", "records.pictures"],
    );
}

#[tokio::test]
async fn a_decision_under_a_correction_is_reproduced_after_that_was_revoked() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    shop.decide(grey(240)).await;
    let corrected = shop.correct(Verdict::Allow, None).await;
    let allowed = shop.decide(grey(240)).await;
    assert_eq!(verdict(&allowed), Verdict::Allow);
    shop.revoke(&corrected.correction_id).await;
    let blocked = shop.decide(grey(240)).await;
    assert_eq!(verdict(&blocked), Verdict::Block);
    for decision in [&allowed, &blocked] {
        let replayed = shop.replay(&decision.decision_id).await.unwrap();
        is_reproduced(&replayed);
        assert_eq!(replayed.verdicts[0].again(), verdict(decision));
    }
}

#[tokio::test]
async fn of_a_picture_that_could_not_be_read_the_verdict_is_made_again() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let decision = shop.decide(b"no picture at all".to_vec()).await;
    assert_eq!(verdict(&decision), Verdict::Review);
    let replayed = shop.replay(&decision.decision_id).await.unwrap();
    let (of_picture, why) = outcome(&replayed, "picture");
    assert_eq!(of_picture, "cannot be");
    says(why, &["could not be read then", short(&decision.image_sha256)]);
    assert_eq!(outcome(&replayed, "verdicts").0, "reproduced");

    let mut without = Shop::question(Vec::new());
    without.product.as_mut().unwrap().picture = None;
    let decision = shop.decide_on(without).await;
    is_reproduced(&shop.replay(&decision.decision_id).await.unwrap());
}

#[tokio::test]
async fn an_unknown_decision_is_not_found_and_one_taken_over_has_nothing_to_replay() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let decision = shop.decide(grey(240)).await;
    let missing = shop.replay("0190a5e2-7c41-7d11-9f3e-2b8f5a7c9d10").await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    says(
        missing.message(),
        &["0190a5e2", "not on record", "vigie decisions list"],
    );
    assert_eq!(shop.replay("").await.unwrap_err().code(), Code::InvalidArgument);
    drop(shop);
    server.kill();

    let imported = {
        let data = DataDirectory::open(&place.data()).unwrap();
        let records = Records::open_sqlite(&data, SqliteSettings::default()).unwrap();
        let mut recorded = records.decision(&decision.decision_id).await.unwrap().unwrap();
        recorded.origin = Origin::Imported;
        recorded.product.product_id = "from-elsewhere".into();
        recorded.decision.decision_id = vigie::base::now_v7_id();
        let id = recorded.decision.decision_id.clone();
        records.append(vec![recorded]).await.unwrap();
        id
    };
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let replayed = shop.replay(&imported).await.unwrap();
    assert!(!replayed.reproduced && replayed.parts.is_empty());
    says(
        &replayed.sentence,
        &["taken over from another system", "nothing to replay"],
    );
    let told = shop.why_decided(&imported).await;
    assert_eq!(told.answer, [replayed.sentence]);
    assert!(told.culprits.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_replays_are_refused_at_once_and_the_others_are_answered() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let decision = shop.decide(striped()).await;
    let asked = (0..200).map(|_| shop.replay(&decision.decision_id));
    let answers = futures_util::future::join_all(asked).await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert!(!done.is_empty() && !refused.is_empty(), "{} were answered", done.len());
    for answer in done {
        is_reproduced(&answer.unwrap());
    }
    for answer in refused {
        let status = answer.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    }
    assert_eq!(verdict(&shop.decide(grey(240)).await), Verdict::Block, "it serves on");
}
