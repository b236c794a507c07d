//! Drafts of a policy are held against what was decided, and what a simulation says is what then happens.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;

use tonic::Code;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use vigie::grpc::STUDIES;
use vigie::grpc::generated::vigie::policies_client::PoliciesClient;
use vigie::wire::vigie::{
    GetPolicyRequest, GetVerdictsRequest, PolicyDifference, SimulatePolicyRequest, ValidatePolicyRequest, Verdict,
};

use crate::corrections::asking::{Asking, key, shows};
use crate::support::client::{Entry, catalogue, for_countries};
use crate::support::postgres::{Held, shared};
use crate::support::{Launch, Place, Server, files};

const COUNTRIES: [&str; 3] = ["FR", "NO", "GB"];

fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

async fn policies(server: &Server) -> PoliciesClient<Channel> {
    PoliciesClient::new(server.channel().await)
}

/// The shipped policy, with other thresholds and rules.
fn draft() -> String {
    let shipped = std::fs::read_to_string(files::shipped().join("adsafety/policy.toml")).unwrap();
    let draft = shipped
        .replace("block = 0.7", "block = 0.97")
        .replace("review = 0.5", "review = 0.05");
    assert_ne!(draft, shipped);
    draft
}

async fn put_in_force(server: &Server, place: &Place, text: &str) {
    let policy = place.model().join("policy.toml");
    files::write(&policy, text.as_bytes());
    let hash = files::digest(&policy);
    server
        .watch_until(|told| told.summaries.iter().any(|model| model.policy_version == hash))
        .await;
}

/// Every verdict on these products, by product and country.
async fn verdicts(server: &Server, entries: &[&Entry]) -> BTreeMap<(String, String), Verdict> {
    let request = GetVerdictsRequest {
        products: entries.iter().map(|entry| key(entry)).collect(),
        countries: COUNTRIES.map(String::from).to_vec(),
        ..Default::default()
    };
    let answer = server
        .ad_safety()
        .await
        .get_verdicts(request)
        .await
        .unwrap()
        .into_inner();
    let of_product = |result: vigie::wire::vigie::ProductVerdicts| {
        assert!(result.known, "{result:?}");
        let product = result.product.unwrap().product_id;
        let verdicts = result.verdicts.into_iter();
        verdicts.map(move |verdict| ((product.clone(), verdict.country.clone()), verdict.verdict()))
    };
    answer.results.into_iter().flat_map(of_product).collect()
}

async fn simulated(server: &Server, text: String) -> PolicyDifference {
    let request = SimulatePolicyRequest {
        text,
        ..Default::default()
    };
    let mut told = policies(server)
        .await
        .simulate_policy(request)
        .await
        .unwrap()
        .into_inner();
    let mut last = None;
    while let Some(message) = told.message().await.unwrap() {
        last = message.difference;
    }
    last.expect("the last message has the difference")
}

#[tokio::test]
async fn a_simulation_says_what_then_happens() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let entries: Vec<&Entry> = catalogue().iter().step_by(3).collect();
    for entry in &entries {
        asking
            .decide_on(for_countries(asking.question(entry), &COUNTRIES))
            .await;
    }
    for entry in &entries {
        asking.on_record(entry).await;
    }
    let before = verdicts(&server, &entries).await;
    let difference = simulated(&server, draft()).await;
    put_in_force(&server, &place, &draft()).await;
    let after = verdicts(&server, &entries).await;

    let mut changes: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (at, now) in &before {
        let change = match (now, after[at]) {
            (now, then) if *now == then => continue,
            (_, Verdict::Allow) => "newly_allowed",
            (_, Verdict::Block) => "newly_blocked",
            (_, Verdict::Review | Verdict::Unspecified) => "to_review",
        };
        *changes.entry((&at.1, change)).or_default() += 1;
    }
    let told = difference.by_country.iter();
    let told: BTreeMap<(&str, &str), u64> = told
        .map(|change| ((change.key.as_str(), change.change.as_str()), change.verdicts))
        .collect();
    assert_eq!(told, changes);
    assert!(
        changes.len() > 2,
        "the draft changes too little to tell anything: {changes:?}"
    );
    assert_eq!(
        (difference.decisions, difference.verdicts),
        (entries.len() as u64, before.len() as u64)
    );
    assert_eq!(difference.same + changes.values().sum::<u64>(), difference.verdicts);
}

#[tokio::test]
async fn new_keywords_hold_for_what_was_judged_before() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    let entry = catalogue().iter().find(|entry| entry.truth.is_empty()).unwrap();
    asking.classify(entry).await;
    asking.known(entry).await;
    assert_eq!(asking.verdict(entry).await, Verdict::Allow);
    let word = entry.title.split_whitespace().max_by_key(|word| word.len()).unwrap();
    let text = format!(
        "format = 1\n[default]\nreview = 0.9\nblock = 0.99\n[[rule]]\nid = \"word\"\nverdict = \"BLOCK\"\n\
         text = \"This word is not for ads.\"\nkeywords = {{ any = [{word:?}] }}\n"
    );
    put_in_force(&server, &place, &text).await;
    asking.until(entry, Verdict::Block).await;
    assert_eq!(asking.classify(entry).await, Verdict::Block);
}

#[tokio::test]
async fn a_draft_is_told_whole_and_changes_nothing() {
    let place = Place::with_versions(&[1]);
    let server = launch(&place).start_ready();
    let mut client = policies(&server).await;
    let in_force = client
        .get_policy(GetPolicyRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        in_force.policy_version,
        files::digest(&place.model().join("policy.toml"))
    );
    assert!(
        in_force.rules.iter().any(|rule| rule.id == "label.firearm"),
        "{:?}",
        in_force.rules
    );
    let validate = |text: String| ValidatePolicyRequest {
        text,
        ..Default::default()
    };
    let sound = client
        .validate_policy(validate(in_force.text.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(sound.policy_version, in_force.policy_version);
    assert!(sound.examples.len() > 10 && sound.examples.iter().all(|example| example.passed));
    let spoiled = in_force.text.replace("block = 0.7", "block = 7");
    let told = client
        .validate_policy(validate(spoiled.clone()))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(told.policy_version, "");
    assert!(told.findings.len() > 1, "all mistakes at once: {told:?}");
    assert!(
        told.findings
            .iter()
            .all(|finding| finding.severity == "mistake" && finding.line > 0)
    );
    let refused = client
        .simulate_policy(SimulatePolicyRequest {
            text: spoiled,
            ..Default::default()
        })
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let unknown = client
        .get_policy(GetPolicyRequest { model: "other".into() })
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

/// The program with a token, against a server.
fn vigie(server: &Server, token: Option<&str>, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    command.args(arguments).env("VIGIE_SERVER", server.grpc.to_string());
    match token {
        Some(token) => command.env("VIGIE_TOKEN", token),
        None => command.env_remove("VIGIE_TOKEN"),
    };
    let output = command.output().expect("run the command");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread")]
async fn with_accounts_each_act_has_its_author_and_rights_are_kept() {
    let place = Place::with_versions(&[1]);
    let file = place.root().join("accounts.toml");
    let rights = |rights: &[vigie::accounts::Right]| rights.iter().copied().collect();
    let issue = |name: &str, list| {
        vigie::accounts::issue(&file, &name.parse().unwrap(), &rights(list))
            .unwrap()
            .token
    };
    let anna = issue("anna", &vigie::accounts::Right::ALL);
    let reader = issue("reader", &[vigie::accounts::Right::Read]);
    let server = launch(&place).set("AUTH__ACCOUNTS", file.display()).start_ready();
    let product = shows("firearm").product_id.as_str();
    let correct = [
        "correct",
        product,
        "--partner",
        "acme",
        "--block",
        "--reason",
        "Recalled",
    ];
    let (code, said) = vigie(&server, None, &correct);
    assert!(code == Some(2) && said.contains("UNAUTHENTICATED"), "{said}");
    let (code, said) = vigie(&server, Some(&reader), &correct);
    assert!(
        code == Some(2) && said.contains("PERMISSION_DENIED") && said.contains("correct"),
        "{said}"
    );
    let (code, said) = vigie(&server, Some(&anna), &correct);
    assert!(code == Some(0) && said.contains("anna"), "{said}");
    let (code, said) = vigie(&server, Some(&reader), &["correct", "--list"]);
    assert!(code == Some(0) && said.contains("BLOCK"), "{said}");
    let (code, said) = vigie(&server, Some(&reader), &["verdicts", product, "--partner", "acme"]);
    assert!(code == Some(2) && said.contains("serve"), "{said}");
    vigie::accounts::remove(&file, "reader").unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    writeln!(file, "# the reader has left").unwrap();
    server.wait_for_log("the accounts changed");
    let (code, said) = vigie(&server, Some(&reader), &["correct", "--list"]);
    assert!(code == Some(2) && said.contains("UNAUTHENTICATED"), "{said}");
}

#[tokio::test]
async fn more_studies_than_may_run_at_once_are_refused_with_the_moment_to_come_back() {
    let (place, database) = (Place::with_versions(&[1]), shared().database().await);
    let server = launch(&place).set("RECORDS__POSTGRES", &database).start_ready();
    let asking = Asking::begin(&server).await;
    asking.classify(shows("firearm")).await;
    asking.on_record(shows("firearm")).await;
    let request = || SimulatePolicyRequest {
        text: draft(),
        ..Default::default()
    };
    let lock = Held::begin(&database, "LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE").await;
    let mut under_way = Vec::new();
    for _ in 0..STUDIES {
        let begun = policies(&server).await.simulate_policy(request()).await;
        under_way.push(begun.unwrap().into_inner());
    }
    let refused = policies(&server).await.simulate_policy(request()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.get_details_retry_info().is_some(), "{refused:?}");
    lock.end().await;
    for mut study in under_way {
        let mut last = None;
        while let Some(told) = study.message().await.unwrap() {
            last = told.difference;
        }
        assert_eq!(last.unwrap().decisions, 1);
    }
    simulated(&server, draft()).await;
}
