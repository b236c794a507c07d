//! A picture in, a verdict out: the shipped models over real sockets.

use tonic::Code;
use vigie::wire::vigie::{ClassifyRequest, Product, Verdict, product};

use crate::support::client::{self, catalogue, for_countries, of_version, score_bits};
use crate::support::{Launch, Place};

#[tokio::test]
async fn every_product_of_the_catalogue_gets_a_verdict_with_reasons_in_each_country() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let mut client = server.ad_safety().await;
    let countries = ["FR", "SA", ""];
    for entry in catalogue() {
        let decision = client
            .classify(for_countries(entry.question(), &countries))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(
            decision
                .verdicts
                .iter()
                .map(|verdict| verdict.country.as_str())
                .collect::<Vec<_>>(),
            countries
        );
        for verdict in &decision.verdicts {
            assert!(
                verdict
                    .reasons
                    .iter()
                    .any(|reason| !reason.losing && !reason.text.is_empty()),
                "{verdict:?}"
            );
        }
        assert_eq!(
            (decision.model.as_str(), decision.version, decision.scores.len()),
            ("adsafety", 1, 7)
        );
        assert_eq!(
            (
                decision.arm.as_str(),
                decision.image_sha256.len(),
                decision.revision.len()
            ),
            ("stable", 64, 64)
        );
        assert!(!decision.decision_id.is_empty() && !decision.trace_id.is_empty() && decision.decided_at.is_some());
    }
    let verdicts = catalogue().len() * countries.len();
    assert_eq!(server.metric("vigie_serving_verdicts_total", &[]), verdicts as f64);
    assert!(server.metric("vigie_repository_scan_duration_seconds_count", &[]) > 0.0);
    let (_, page) = server.admin_page("/metrics");
    let readme = include_str!("../../README.md");
    for name in page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
    {
        assert!(
            readme.contains(&format!("`{name}`")),
            "README.md does not tell of {name}"
        );
    }
}

/// Far above chance over the whole catalogue: the wiring of labels, preprocessing and thresholds is right from end to end.
#[tokio::test]
async fn the_better_version_finds_what_the_catalogue_truly_shows() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    server.version_in(2, "READY").await;
    let mut client = server.ad_safety().await;
    let (mut right, mut asked) = (0, 0);
    for entry in catalogue() {
        let decision = client
            .classify(of_version(entry.question(), 2))
            .await
            .unwrap()
            .into_inner();
        assert_eq!((decision.version, decision.arm.as_str()), (2, "named"));
        for score in &decision.scores {
            asked += 1;
            right += usize::from((score.probability >= 0.5) == entry.truth.contains(&score.label));
        }
    }
    assert!(right * 100 >= asked * 98, "{right} of {asked} labels are right");
}

#[tokio::test]
async fn the_same_picture_has_the_same_scores_bit_for_bit_whoever_asks_and_however_often() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let entry = &catalogue()[0];
    let first = server.classify(entry.question()).await.unwrap();
    let again = (0..16).map(|_| server.classify(entry.question()));
    for decision in futures_util::future::join_all(again).await {
        assert_eq!(score_bits(&decision.unwrap()), score_bits(&first));
    }
}

#[tokio::test]
async fn a_country_has_its_own_verdict_on_the_same_picture() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let mut differing = 0;
    for entry in catalogue().iter().filter(|entry| entry.truth == ["alcohol"]) {
        let decision = server
            .classify(for_countries(entry.question(), &["FR", "SA"]))
            .await
            .unwrap();
        let alcohol = decision
            .scores
            .iter()
            .find(|score| score.label == "alcohol")
            .unwrap()
            .probability;
        let others = decision.scores.iter().filter(|score| score.label != "alcohol");
        if alcohol >= 0.5 && others.clone().all(|score| score.probability < 0.3) {
            differing += 1;
            assert_eq!(decision.verdicts[0].verdict(), Verdict::Allow, "{decision:?}");
            assert_eq!(decision.verdicts[1].verdict(), Verdict::Block, "{decision:?}");
        }
    }
    assert!(differing > 0, "the catalogue holds alcohol that the model sees");
}

#[tokio::test]
async fn a_revision_is_reachable_by_its_digest_even_in_shadow() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    let shadow = server.version_in(2, "READY").await;
    let request = ClassifyRequest {
        revision: Some(shadow.revision.clone()),
        ..catalogue()[0].question()
    };
    let decision = server.classify(request).await.unwrap();
    assert_eq!((decision.revision, decision.arm.as_str()), (shadow.revision, "named"));
}

/// A question that is refused, the code, and what the message names.
fn refused() -> Vec<(ClassifyRequest, Code, &'static str)> {
    let asked = || catalogue()[0].question();
    let model = |model: &str| ClassifyRequest {
        model: model.into(),
        ..asked()
    };
    let revision = |revision: &str| ClassifyRequest {
        revision: Some(revision.into()),
        ..asked()
    };
    let picture = Some(product::Picture::ImageUrl("https://example.org/a.jpg".into()));
    let with_url = Some(Product {
        picture,
        ..Product::default()
    });
    vec![
        (model("resnet"), Code::NotFound, "resnet"),
        (of_version(asked(), 9), Code::NotFound, "9"),
        (revision(&"0".repeat(64)), Code::NotFound, "000000"),
        (revision("zz"), Code::InvalidArgument, "revision"),
        (of_version(asked(), -1), Code::InvalidArgument, "version"),
        (model("../etc"), Code::InvalidArgument, "model"),
        (
            for_countries(asked(), &["FR", "XX"]),
            Code::InvalidArgument,
            "countries[1]",
        ),
        (for_countries(asked(), &["fr"]), Code::InvalidArgument, "countries[0]"),
        (
            ClassifyRequest {
                product: with_url,
                ..asked()
            },
            Code::InvalidArgument,
            "fetch.allow_hosts",
        ),
        (ClassifyRequest::default(), Code::InvalidArgument, "product"),
    ]
}

#[tokio::test]
async fn what_does_not_exist_and_what_is_malformed_is_refused_by_name() {
    let place = Place::shipped();
    let server = Launch::new(&place).start_ready();
    for (request, code, text) in refused() {
        let status = server.classify(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), code, "{status:?} to {request:?}");
        assert!(
            status.message().contains(text),
            "{text:?} is not in {:?}",
            status.message()
        );
    }
}

#[tokio::test]
async fn before_a_model_serves_calls_are_answered_unavailable_and_health_says_so() {
    let place = Place::empty();
    let server = Launch::new(&place).start();
    let status = server.classify(client::question(vec![1])).await.unwrap_err();
    assert!(
        matches!(status.code(), Code::Unavailable | Code::NotFound),
        "{status:?}"
    );
    assert_eq!(server.admin_page("/live").0, 200);
    let (status, body) = server.admin_page("/ready");
    assert_eq!(status, 503, "{body}");
    assert!(!server.is_serving().await);
}
