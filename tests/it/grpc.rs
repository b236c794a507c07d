//! What callers of AdSafety and Models get for good and for bad input, over a real socket.

use std::time::Duration;

use futures_util::StreamExt;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_types::StatusExt;
use vigie::wire::vigie::stream_result::Result as ItemResult;
use vigie::wire::vigie::{
    ClassifyRequest, GetModelRequest, ListFlipsRequest, Money, Product, Source, StreamRequest, StreamResult, Verdict,
    product,
};

use super::support::client::{catalogue, for_countries, of_version, question, within};
use super::support::{Launch, Place, Server};

/// A question that has an id and no picture: answered by the policy alone.
fn named(product_id: &str) -> ClassifyRequest {
    let product = Product {
        product_id: product_id.into(),
        ..Product::default()
    };
    ClassifyRequest {
        product: Some(product),
        ..ClassifyRequest::default()
    }
}

fn good() -> ClassifyRequest {
    catalogue()[0].question()
}

/// A good question with one thing wrong: what is wrong, the question, the field where one is at fault, and a word of the answer.
type Bad = (&'static str, ClassifyRequest, &'static str, &'static str);

/// A good question about a changed product.
fn changed(change: impl FnOnce(&mut Product)) -> ClassifyRequest {
    let mut request = good();
    change(request.product.as_mut().unwrap());
    request
}

fn wrong_products() -> Vec<Bad> {
    let empty = changed(|product| *product = Product::default());
    let link = changed(|product| product.picture = Some(product::Picture::ImageUrl("http://127.0.0.1/".into())));
    let euro = Money {
        currency: "euro".into(),
        ..Money::default()
    };
    let price = changed(|product| product.price = Some(euro));
    vec![
        ("no product", ClassifyRequest::default(), "product", "missing"),
        ("neither id nor text nor picture", empty, "product", "nothing to judge"),
        (
            "neither id nor text, and the bytes are no picture",
            question(&b"GIF, they said"[..]),
            "product",
            "nothing to judge",
        ),
        ("unknown currency", price, "product.price.currency", "EUR"),
        ("a link", link, "product.image_url", "no host is allowed"),
    ]
}

fn wrong_names() -> Vec<Bad> {
    let of_model = |name: &str| ClassifyRequest {
        model: name.into(),
        ..good()
    };
    let of_revision = ClassifyRequest {
        revision: Some("0".repeat(64)),
        ..good()
    };
    vec![
        (
            "unknown country",
            for_countries(good(), &["FR", "XX"]),
            "countries[1]",
            "\"XX\"",
        ),
        ("a path as model", of_model("../adsafety"), "model", "../adsafety"),
        ("unknown model", of_model("guess"), "", "guess"),
        ("unknown version", of_version(good(), 99), "", "99"),
        ("unknown revision", of_revision, "", "revision"),
    ]
}

fn field_of(status: &Status) -> String {
    let details = status.get_details_bad_request();
    details
        .and_then(|details| details.field_violations.into_iter().next())
        .map(|violation| violation.field)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_question_is_refused_with_its_field_and_the_server_serves_on() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    for (what, request, field, word) in wrong_products().into_iter().chain(wrong_names()) {
        let code = if field.is_empty() {
            Code::NotFound
        } else {
            Code::InvalidArgument
        };
        let status = server.classify(request).await.unwrap_err();
        assert_eq!(
            (status.code(), field_of(&status).as_str()),
            (code, field),
            "{what}: {status:?}"
        );
        assert!(status.message().contains(word), "{what}: {status:?}");
    }
    let decision = server.classify(for_countries(good(), &["FR", ""])).await.unwrap();
    assert_eq!(
        decision
            .verdicts
            .iter()
            .map(|verdict| verdict.country.as_str())
            .collect::<Vec<_>>(),
        ["FR", ""]
    );
    assert!(decision.verdicts.iter().all(|verdict| !verdict.reasons.is_empty()) && !decision.scores.is_empty());
    large_messages_are_refused(&server).await;
    models_are_shown(&server).await;
}

/// A hundred megabytes are refused by their head: memory does not follow what is claimed.
async fn large_messages_are_refused(server: &Server) {
    let before = server.memory();
    let status = server.classify(question(vec![0; 100 << 20])).await.unwrap_err();
    assert_eq!(
        (status.code(), field_of(&status).as_str()),
        (Code::InvalidArgument, "product.image"),
        "{status:?}"
    );
    assert!(status.message().contains("16777216"), "{status:?}");
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "grew by {grown} bytes");
}

async fn models_are_shown(server: &Server) {
    let mut models = server.models_client().await;
    let model = models
        .get_model(GetModelRequest {
            model: "adsafety".into(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(model.summary.unwrap().policy_version.len(), 64);
    assert!(
        model
            .versions
            .iter()
            .any(|version| version.live && version.state == "READY" && version.labels.len() == 7)
    );
    for name in ["guess", "a/b"] {
        assert!(models.get_model(GetModelRequest { model: name.into() }).await.is_err());
        assert!(
            models
                .list_flips(ListFlipsRequest {
                    model: name.into(),
                    limit: 1
                })
                .await
                .is_err()
        );
    }
    let flips = models
        .list_flips(ListFlipsRequest {
            model: "adsafety".into(),
            limit: 0,
        })
        .await
        .unwrap();
    assert_eq!(flips.into_inner().flips.len(), 0);
}

#[tokio::test]
async fn a_named_product_without_a_readable_picture_goes_to_review() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let picture = catalogue()[0].bytes();
    let with_picture = |bytes: &[u8]| {
        let mut request = named("p1");
        request.product.as_mut().unwrap().picture = Some(product::Picture::Image(bytes::Bytes::copy_from_slice(bytes)));
        request
    };
    let questions = [
        ("missing", named("p1")),
        ("truncated", with_picture(&picture[..picture.len() / 2])),
        ("not a picture", with_picture(b"<svg/>")),
    ];
    for (what, request) in questions {
        let decision = server.classify(request).await.unwrap();
        let verdict = &decision.verdicts[0];
        assert_eq!(verdict.verdict(), Verdict::Review, "{what}");
        assert_eq!(verdict.reasons[0].source(), Source::Quality, "{what}");
        assert!(
            verdict.reasons[0].text.len() > 10,
            "{what}: {:?}",
            verdict.reasons[0].text
        );
    }
}

fn item(correlation_id: &str, request: ClassifyRequest) -> StreamRequest {
    StreamRequest {
        correlation_id: correlation_id.into(),
        timeout_ms: None,
        request: Some(request),
    }
}

fn code_of(result: &StreamResult) -> Code {
    match result.result.as_ref().unwrap() {
        ItemResult::Decision(_) => Code::Ok,
        ItemResult::Error(error) => Code::from(error.code),
    }
}

#[tokio::test]
async fn a_stream_answers_every_item_and_an_error_never_ends_it() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let mut items = Vec::new();
    for number in 0..300 {
        // Identities repeat: they are the caller's affair.
        items.push(item(&(number / 2).to_string(), catalogue()[number % 20].question()));
    }
    items[7].request = None;
    items[8].request = Some(for_countries(good(), &["XX"]));
    items[9].request = Some(of_version(good(), 99));
    items[10].timeout_ms = Some(0);
    let sent = futures_util::stream::iter(items);
    let mut answers = server
        .ad_safety()
        .await
        .classify_stream(sent)
        .await
        .unwrap()
        .into_inner();
    let mut got = Vec::new();
    while let Some(answer) = within(Duration::from_secs(60), answers.message()).await.unwrap() {
        got.push(answer);
    }
    assert_eq!(got.len(), 300);
    let of = |id: &str| {
        got.iter()
            .filter(|answer| answer.correlation_id == id)
            .map(code_of)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("0"), [Code::Ok, Code::Ok]);
    let refused: Vec<Code> = got.iter().map(code_of).filter(|code| *code != Code::Ok).collect();
    assert_eq!(refused.len(), 4, "{refused:?}");
    assert!(of("4").contains(&Code::NotFound) && of("5").contains(&Code::InvalidArgument));
}

#[tokio::test]
async fn a_reader_that_stalls_is_cut_and_nobody_else_notices() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("GRPC__STALLED_READER", "1s").start_ready();
    // Answers of some ten kilobytes each, more of them than any buffer between the two holds.
    let everywhere = for_countries(named("p1"), &["FR"; 250]);
    let endless = futures_util::stream::repeat_with(move || item("1", everywhere.clone()));
    let mut stalled = server
        .ad_safety()
        .await
        .classify_stream(endless)
        .await
        .unwrap()
        .into_inner();
    let mut beside = server.ad_safety().await;
    let end = within(Duration::from_secs(60), async {
        // Reads nothing until others have been answered for longer than the limit.
        let began = std::time::Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            beside.classify(Request::new(good())).await.unwrap();
        }
        loop {
            match stalled.message().await {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(status) => break Some(status),
            }
        }
    });
    let status = end.await.expect("the stream ends with a status");
    assert_eq!(status.code(), Code::Aborted, "{status:?}");
}

#[tokio::test]
async fn a_caller_that_leaves_in_the_middle_leaves_nothing_behind() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    for _ in 0..5 {
        let endless =
            futures_util::stream::iter((0..64).map(|_| item("1", good()))).chain(futures_util::stream::pending());
        let mut answers = server
            .ad_safety()
            .await
            .classify_stream(endless)
            .await
            .unwrap()
            .into_inner();
        answers.message().await.unwrap().unwrap();
    }
    let decision = within(Duration::from_secs(10), server.classify(good())).await.unwrap();
    assert!(!decision.verdicts.is_empty());
}

#[tokio::test]
async fn the_server_says_that_it_is_not_ready_and_then_that_it_is() {
    let place = Place::empty();
    let server = Launch::new(&place).start();
    assert!(!server.is_serving().await);
    let mut health = HealthClient::new(server.channel().await);
    let mut states = health
        .watch(HealthCheckRequest {
            service: "vigie.v1.AdSafety".into(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status, 2);
    drop(server);

    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    assert!(server.is_serving().await);
    let mut health = HealthClient::new(server.channel().await);
    let unknown = health
        .check(HealthCheckRequest {
            service: "guess".into(),
        })
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test]
async fn reflection_lists_every_service() {
    let place = Place::empty();
    let server = Launch::new(&place).start();
    let mut reflection = ServerReflectionClient::new(server.channel().await);
    let ask = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..Default::default()
    };
    let mut answers = reflection
        .server_reflection_info(futures_util::stream::iter([ask]))
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(listed)) =
        answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("a list of services is expected");
    };
    let names: Vec<&str> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for expected in [
        "vigie.v1.AdSafety",
        "vigie.v1.Models",
        "inference.GRPCInferenceService",
        "grpc.health.v1.Health",
    ] {
        assert!(names.contains(&expected), "{names:?}");
    }
}
