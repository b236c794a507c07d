//! What made a verdict change is named: five mistakes are planted in a server at work, and each is found by putting back one part at a time.

mod replay;
mod shop;

use std::time::{Duration, SystemTime};

use tonic::Code;
use vigie::wire::timestamp;
use vigie::wire::vigie::why_request::About;
use vigie::wire::vigie::{Verdict, WhyRequest};

use crate::support::files;
use crate::support::server::PATIENCE;
use shop::{
    Eyes, GOOD, PARTNER, POLICY, PRODUCT, Shop, culprit, grey, launch, of_product, outcomes, place, publish, says,
    short, striped, tried, verdict,
};

/// Nothing but these parts is told to differ; the date always does.
fn differing(told: &vigie::wire::vigie::WhyResponse) -> Vec<&str> {
    let differing = told.tried.iter().filter(|tried| tried.differs);
    differing.map(|tried| tried.part.as_str()).collect()
}

#[tokio::test]
async fn a_resize_mode_that_was_changed_is_named() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let decision = shop.decide(striped()).await;
    assert_eq!(verdict(&decision), Verdict::Allow);
    publish(&place, 2, GOOD, |manifest| {
        manifest["preprocessing"]["fit"] = toml_edit::value("cover");
    });
    shop.live(2).await;

    let told = shop.why().await;
    let (parts, sentence) = culprit(&told);
    assert_eq!(parts, ["preprocessing"]);
    says(
        sentence,
        &[
            "BLOCK in SA now",
            "ALLOW on 2",
            "fit changed from stretch to cover",
            "version 1",
            "version 2",
            "the weights are the same",
        ],
    );
    assert_eq!(differing(&told), ["preprocessing", "date"]);
    let preprocessing = outcomes(tried(&told, "preprocessing"));
    assert_eq!(preprocessing, [Some(Verdict::Allow), Some(Verdict::Block)]);
    // The same, asked of the decision and on the command line.
    let of_decision = shop.why_decided(&decision.decision_id).await;
    assert_eq!(culprit(&of_decision).0, ["preprocessing"]);
    let printed = shop.printed(&[PRODUCT, "--partner", PARTNER]);
    says(
        &printed,
        &[
            "fit changed from stretch to cover",
            "PUT BACK ALONE",
            "REPLAY",
            "went live in place of",
        ],
    );
    assert!(
        printed.starts_with("BLOCK in SA now"),
        "the answer comes first:\n{printed}"
    );
    let json = shop.printed_json(&[&decision.decision_id]);
    assert_eq!(json["culprits"][0]["sets"][0]["parts"][0], "preprocessing");
}

#[tokio::test]
async fn a_threshold_that_was_mistyped_is_named_with_both_numbers_and_its_line() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    // About 0.3.
    let decision = shop.decide(grey(117)).await;
    assert_eq!(verdict(&decision), Verdict::Allow);
    let mistyped = POLICY.replace("from = 0.9\n", "from = 0.09\n");
    shop.govern(&place, &mistyped).await;

    let told = shop.why().await;
    let (parts, sentence) = culprit(&told);
    assert_eq!(parts, ["policy"]);
    let version = files::short_digest(&place.model().join("policy.toml"));
    says(
        sentence,
        &[
            "BLOCK in SA now",
            "rule country.SA.label.alcohol (line 7) says BLOCK from 0.09; before it said BLOCK from 0.90",
            &version,
        ],
    );
    assert_eq!(differing(&told), ["policy", "date"]);
    assert_eq!(
        outcomes(tried(&told, "policy")),
        [Some(Verdict::Allow), Some(Verdict::Block)]
    );
    let printed = shop.printed(&[&decision.decision_id]);
    says(&printed, &["BLOCK from 0.09", "came into force in place of"]);
}

#[tokio::test]
async fn bad_weights_are_named_also_where_the_preprocessing_changed_with_them() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let bright = grey(240);
    let decision = shop.decide(bright.clone()).await;
    assert_eq!(verdict(&decision), Verdict::Block);
    let blind = Eyes {
        weight: -20.0,
        bias: 0.0,
    };
    publish(&place, 2, blind, |manifest| {
        manifest["preprocessing"]["resize"] = toml_edit::value("nearest");
    });
    shop.live(2).await;
    let bad = shop.decide(bright).await;
    assert_eq!(verdict(&bad), Verdict::Allow);

    // Asked of the bad decision, which is judged so still: what was before it is compared.
    for told in [shop.why().await, shop.why_decided(&bad.decision_id).await] {
        let (parts, sentence) = culprit(&told);
        assert_eq!(parts, ["weights"]);
        let old = files::short_digest(&place.version(1).join("model.onnx"));
        let new = files::short_digest(&place.version(2).join("model.onnx"));
        says(
            sentence,
            &[
                "ALLOW in SA",
                "BLOCK on 2",
                &format!("model.onnx changed from {old} to {new}"),
            ],
        );
        assert_eq!(differing(&told), ["preprocessing", "weights", "date"]);
        assert_eq!(
            outcomes(tried(&told, "weights")),
            [Some(Verdict::Block), Some(Verdict::Allow)]
        );
        assert_eq!(
            outcomes(tried(&told, "preprocessing")),
            [Some(Verdict::Allow), Some(Verdict::Block)]
        );
    }
}

#[tokio::test]
async fn a_picture_that_was_exchanged_is_named_with_the_decision_that_first_saw_it() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let before = shop.decide(grey(10)).await;
    let after = shop.decide(grey(240)).await;
    assert_eq!((verdict(&before), verdict(&after)), (Verdict::Allow, Verdict::Block));
    // What was merely asked for again is no change.
    shop.decide(grey(240)).await;

    for told in [shop.why().await, shop.why_decided(&before.decision_id).await] {
        let (parts, sentence) = culprit(&told);
        assert_eq!(parts, ["picture"]);
        let (old, new) = (short(&before.image_sha256), short(&after.image_sha256));
        says(
            sentence,
            &[
                "BLOCK in SA now",
                &format!("it changed from {old} to {new}"),
                &format!("by decision {}", after.decision_id),
            ],
        );
        assert_eq!(differing(&told), ["picture", "date"]);
    }
}

#[tokio::test]
async fn a_correction_that_expired_is_named_with_its_author_and_its_end() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let bright = grey(240);
    assert_eq!(verdict(&shop.decide(bright.clone()).await), Verdict::Block);
    let ends = SystemTime::now() + Duration::from_secs(2);
    shop.correct(Verdict::Allow, Some(ends)).await;
    let allowed = shop.decide(bright).await;
    assert_eq!((verdict(&allowed), allowed.correction_seq), (Verdict::Allow, 1));
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let told = loop {
        let told = shop.why_decided(&allowed.decision_id).await;
        if told.after.as_ref().unwrap().decision_id.is_empty() {
            break told;
        }
        assert!(tokio::time::Instant::now() < deadline, "it never ended: {told:#?}");
    };
    for told in [told, shop.why().await] {
        let (parts, sentence) = culprit(&told);
        assert_eq!(parts, ["corrections"]);
        let end = humantime::format_rfc3339_seconds(ends).to_string();
        says(
            sentence,
            &[
                "BLOCK in SA now",
                "local said",
                "ALLOW",
                "A licence was seen",
                &format!("expired on {end}"),
            ],
        );
        assert_eq!(differing(&told), ["corrections", "date"]);
        assert!(
            told.timeline.iter().any(|event| event.kind == "expiry"),
            "{:#?}",
            told.timeline
        );
    }
}

#[tokio::test]
async fn a_revoked_correction_is_told_with_who_revoked_it_and_why() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    shop.decide(grey(240)).await;
    let corrected = shop.correct(Verdict::Allow, None).await;
    shop.revoke(&corrected.correction_id).await;
    let told = shop.why().await;
    let (parts, sentence) = culprit(&told);
    assert_eq!(parts, ["corrections"]);
    says(sentence, &["was revoked by local", "The licence was forged"]);
    // Before the correction it was as it is now.
    let given = corrected.created_at.unwrap();
    let first = told
        .timeline
        .iter()
        .find(|event| event.kind == "decision")
        .unwrap()
        .at
        .unwrap();
    let request = WhyRequest {
        at: Some(first),
        ..of_product()
    };
    let told = shop.ask(request).await.unwrap();
    assert!(told.culprits.is_empty() && given.seconds >= first.seconds, "{told:#?}");
    says(&told.answer.concat(), &["The verdict is the same", "BLOCK in SA"]);
}

#[tokio::test]
async fn changes_that_count_only_together_are_named_together() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let before = shop.decide(grey(10)).await;
    assert_eq!(verdict(&before), Verdict::Allow);
    // By the old threshold the new picture is allowed; by the new one the old picture is.
    shop.govern(&place, &POLICY.replace("from = 0.9\n", "from = 0.09\n"))
        .await;
    assert_eq!(verdict(&shop.decide(grey(117)).await), Verdict::Block);
    let told = shop.why_decided(&before.decision_id).await;
    let [culprit] = told.culprits.as_slice() else {
        panic!("{told:#?}");
    };
    let sets: Vec<&[String]> = culprit.sets.iter().map(|set| set.parts.as_slice()).collect();
    assert_eq!(sets, [["picture"], ["policy"]], "each of them, put back, undoes it");
    says(
        &culprit.sentence,
        &["more than one change", "the picture", "BLOCK from 0.09"],
    );
    assert_eq!(
        outcomes(tried(&told, "policy")),
        [Some(Verdict::Allow), Some(Verdict::Allow)]
    );
}

#[tokio::test]
async fn a_price_that_changed_is_named() {
    let place = place();
    let priced = format!(
        "{POLICY}\n[[rule]]\nid = \"price\"\ntext = \"No such price.\"\nprice = {{ currency = \"EUR\", min = 5 }}\n"
    );
    files::write(&place.model().join("policy.toml"), priced.as_bytes());
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    for units in [20, 2] {
        let mut question = Shop::question(grey(10));
        question.product.as_mut().unwrap().price = Some(vigie::wire::vigie::Money {
            units,
            nanos: 0,
            currency: "EUR".into(),
        });
        shop.decide_on(question).await;
    }
    let told = shop.why().await;
    let (parts, sentence) = culprit(&told);
    assert_eq!(parts, ["product"]);
    says(sentence, &["price changed from", "\"units\":20", "\"units\":2}"]);
}

#[tokio::test]
async fn a_product_with_one_story_is_told_as_it_is_and_an_unknown_one_is_not_found() {
    let place = place();
    let server = launch(&place).start_ready();
    let shop = Shop::open(&server).await;
    let missing = shop.ask(of_product()).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    says(missing.message(), &[PRODUCT, PARTNER, "vigie decisions list"]);
    shop.decide(grey(240)).await;
    let told = shop.why().await;
    assert!(told.culprits.is_empty() && told.before.is_none(), "{told:#?}");
    says(
        &told.answer.concat(),
        &["No other verdict is known", "BLOCK in SA now: alcohol scores"],
    );
    assert!(told.replay.unwrap().reproduced);
    let request = WhyRequest {
        at: Some(timestamp(SystemTime::UNIX_EPOCH)),
        ..of_product()
    };
    let early = shop.ask(request).await.unwrap_err();
    assert_eq!(early.code(), Code::NotFound);
    says(early.message(), &["1970-01-01", "first judged on"]);
    let nothing = shop.ask(WhyRequest::default()).await.unwrap_err();
    assert_eq!(nothing.code(), Code::InvalidArgument);
    let countries = WhyRequest {
        about: Some(About::Product(shop::key())),
        countries: vec!["XX".into()],
        ..Default::default()
    };
    let wrong = shop.ask(countries).await.unwrap_err();
    assert_eq!(wrong.code(), Code::InvalidArgument);
    says(wrong.message(), &["countries[0]", "XX"]);
}
