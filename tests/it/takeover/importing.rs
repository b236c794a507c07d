//! What another system decided answers until a revision has looked, and not a moment longer.

use tonic::Code;
use vigie::grpc::generated::vigie::decisions_client::DecisionsClient;
use vigie::wire::vigie::{
    ImportRequest, ImportResponse, ImportedProduct, ImportedVerdict, Product, Source, Verdict, View,
};

use super::{file, launch, vigie, word};
use crate::corrections::asking::{Asking, key, plain, shows};
use crate::support::client::Entry;
use crate::support::{Place, Server, files};

/// A line of a file: what another system says of a catalogue's product.
fn line(entry: &Entry, country: &str, verdict: &str, reason: &str) -> String {
    serde_json::json!({
        "partner_id": key(entry).partner_id, "product_id": entry.product_id, "title": entry.title,
        "country": country, "verdict": verdict, "reason": reason,
    })
    .to_string()
}

#[tokio::test]
async fn an_imported_block_holds_until_the_model_has_looked() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = plain();
    let lines = [
        line(entry, "FR", "Disapproved", "looks like a knife"),
        line(entry, "", "approved", ""),
    ];
    let path = file(&place, "verdicts.jsonl", &lines.join("\n"));
    let told = vigie(&server, &["import", word(&path), "--source", "adcheck"]).expect(0);
    assert!(told.out.contains("(rest of the world)"), "{}", told.out);

    let asking = Asking::begin(&server).await;
    let answer = asking.verdicts(entry, View::Full).await;
    assert!(answer.known);
    assert_eq!(answer.verdicts[0].verdict(), Verdict::Block);
    let reason = &answer.verdicts[0].reasons[0];
    assert_eq!(reason.source(), Source::Imported);
    assert!(
        reason.text.contains("according to adcheck: looks like a knife"),
        "{}",
        reason.text
    );
    assert_eq!(asking.verdict(entry).await, Verdict::Block);
    let elsewhere = asking.in_countries(entry, &["DE"]).await;
    assert_eq!(elsewhere[0].verdict(), Verdict::Allow);

    // It is a decision of its own, by none of our revisions.
    let listed = asking.decisions(|query| query.product = Some(key(entry))).await;
    assert_eq!(listed.len(), 1);
    let decision = listed[0].decision.as_ref().unwrap();
    assert!(listed[0].imported);
    assert_eq!(
        (
            decision.version,
            decision.revision.as_str(),
            decision.policy_version.as_str()
        ),
        (0, "", "")
    );

    // It outlives a restart.
    drop(asking);
    server.kill();
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    assert_eq!(asking.verdict(entry).await, Verdict::Block);

    // Then the model looks, and its word holds, also over what is imported later.
    assert_eq!(asking.classify(entry).await, Verdict::Allow);
    asking.until(entry, Verdict::Allow).await;
    asking
        .eventually(async || asking.decisions(|query| query.product = Some(key(entry))).await.len() == 2)
        .await;
    let later = file(&place, "later.jsonl", &line(entry, "FR", "BLOCK", "once more"));
    vigie(&server, &["import", word(&later), "--source", "adcheck"]).expect(0);
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
    server.kill();
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
}

#[tokio::test]
async fn the_same_file_twice_adds_nothing_twice_in_either_form() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let csv = "partner_id;product_id;Verdict;country;price;reason\n\
               acme;lamp;rejected;FR,DE;49.90 EUR;\"a knife;\nor so\"\n\
               acme;lamp;approved;;;\n\
               acme;vase;pending;*;;\n";
    let path = file(&place, "list.csv", csv);
    let words = ["import", word(&path), "--source", "adcheck", "--json"];
    let first = vigie(&server, &words).expect(0).json();
    assert_eq!(
        (&first["lines"], &first["products"], &first["added"]),
        (&3.into(), &2.into(), &2.into())
    );
    let again = vigie(&server, &words).expect(0).json();
    assert_eq!((&again["added"], &again["already_there"]), (&0.into(), &2.into()));
    let other = vigie(&server, &["import", word(&path), "--source", "another", "--json"])
        .expect(0)
        .json();
    assert_eq!(other["added"], 2);
    let shown = vigie(
        &server,
        &["decisions", "list", "--product", "lamp", "--partner", "acme", "--json"],
    )
    .expect(0);
    let recorded: serde_json::Value = serde_json::from_str(shown.out.lines().last().unwrap()).unwrap();
    assert_eq!(recorded["product"]["price"]["nanos"], 900_000_000);
    assert_eq!(recorded["decision"]["verdicts"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn every_bad_line_is_told_and_with_strict_nothing_is_imported() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let lines = [
        r#"{"partner_id": "acme", "product_id": "good", "verdict": "BLOCK"}"#,
        r#"{"partner_id": "acme", "product_id": "1", "verdict": "maybe"}"#,
        r#"{"partner_id": "acme", "verdict": "BLOCK"}"#,
        "",
        r#"{"partner_id": "acme", "product_id": "2", "verdict": "BLOCK", "country": "France"}"#,
        "no json",
        r#"{"partner_id": "acme", "product_id": "3", "verdict": "BLOCK", "image_sha256": "abc", "colour": "red"}"#,
    ];
    let path = file(&place, "verdicts.jsonl", &lines.join("\n"));
    let bad = |json: &serde_json::Value| -> Vec<(u64, String)> {
        let list = json["bad"].as_array().unwrap().iter();
        list.map(|one| (one["line"].as_u64().unwrap(), one["field"].as_str().unwrap().to_owned()))
            .collect()
    };
    let expected = [
        (2, "verdict"),
        (3, "product_id"),
        (5, "country"),
        (6, ""),
        (7, "image_sha256"),
    ]
    .map(|(line, field)| (line, field.to_owned()));
    for held_back in [["--dry-run", "--json"], ["--strict", "--json"]] {
        let words = [&["import", word(&path)][..], &held_back].concat();
        let told = vigie(&server, &words).expect(1).json();
        assert_eq!(bad(&told), expected);
        assert_eq!((&told["imported"], &told["added"]), (&false.into(), &0.into()));
        assert_eq!(told["not_read"][0], "colour");
    }
    let asking = Asking::begin(&server).await;
    assert!(asking.decisions(|_| {}).await.is_empty());

    let table = vigie(&server, &["import", word(&path)]).expect(1);
    for said in ["LINE", "maybe", "\"France\"", "colour", "5 lines are bad"] {
        assert!(table.out.contains(said), "{said} is not in\n{}", table.out);
    }
    let listed = asking.decisions(|_| {}).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].product.as_ref().unwrap().product_id, "good");
    let missing = vigie(&server, &["import", "no-such-file.csv"]).expect(2);
    assert!(missing.err.contains("no-such-file.csv"), "{}", missing.err);
}

/// Calls the method itself.
async fn import(server: &Server, messages: Vec<ImportRequest>) -> Result<ImportResponse, tonic::Status> {
    let mut client = DecisionsClient::new(server.channel().await);
    let answer = client.import(futures_util::stream::iter(messages)).await;
    answer.map(tonic::Response::into_inner)
}

fn message(source: &str, product_id: &str, verdict: Verdict) -> ImportRequest {
    ImportRequest {
        source: source.into(),
        products: vec![ImportedProduct {
            product: Some(Product {
                partner_id: "acme".into(),
                product_id: product_id.into(),
                ..Product::default()
            }),
            verdicts: vec![ImportedVerdict {
                verdict: verdict.into(),
                ..ImportedVerdict::default()
            }],
            ..ImportedProduct::default()
        }],
    }
}

#[tokio::test]
async fn a_stream_is_refused_by_its_field_and_keeps_what_came_before() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let good = || message("old", "lamp", Verdict::Block);
    let mut silent = good();
    silent.source.clear();
    let refused = import(&server, vec![silent.clone()]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().starts_with("source: is missing"), "{refused}");
    let refused = import(&server, vec![good(), message("new", "vase", Verdict::Allow)])
        .await
        .unwrap_err();
    assert!(
        refused.message().contains("one source") && refused.message().contains("message 2"),
        "{refused}"
    );
    // The source of the first holds for the others; what came before the refusal is on record.
    silent.products[0].product.as_mut().unwrap().product_id = "vase".into();
    let taken = import(&server, vec![good(), silent]).await.unwrap();
    assert_eq!((taken.products, taken.added), (2, 1));
    let mut wrong = good();
    wrong.products[0].verdicts[0].country = "France".into();
    let refused = import(&server, vec![wrong]).await.unwrap_err();
    assert!(
        refused.message().starts_with("products[0].verdicts[0].country"),
        "{refused}"
    );
}

#[tokio::test]
async fn an_imported_block_outlasts_a_policy_with_other_keywords() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let entry = shows("firearm");
    let path = file(&place, "verdicts.jsonl", &line(entry, "", "BLOCK", "a gun"));
    vigie(&server, &["import", word(&path), "--source", "adcheck"]).expect(0);
    let asking = Asking::begin(&server).await;
    assert_eq!(asking.verdict(entry).await, Verdict::Block);
    let policy = place.model().join("policy.toml");
    let rule = r#"
[[rule]]
id = "new-words"
keywords = { any = ["quite another word"] }
verdict = "REVIEW"
text = "New words."
"#;
    files::edit(&policy, |text| text + rule);
    let hash = files::digest(&policy);
    // At no moment, whether its texts have been searched anew or not, is it anything but blocked.
    let watched = server.watch_until(|told| told.summaries.iter().any(|model| model.policy_version == hash));
    tokio::pin!(watched);
    let mut is_in_force = false;
    while !is_in_force {
        assert_eq!(asking.verdict(entry).await, Verdict::Block);
        tokio::select! {
            biased;
            _ = &mut watched => is_in_force = true,
            () = tokio::task::yield_now() => {}
        }
    }
    for _ in 0..300 {
        assert_eq!(asking.verdict(entry).await, Verdict::Block);
    }
}
