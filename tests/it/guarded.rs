//! An edit of the policy is a change of production: it is tried on what was decided of late, and what would newly allow too much waits for a person.

use tonic::Code;
use vigie::base::now_v7_id;
use vigie::grpc::generated::vigie::policies_client::PoliciesClient;
use vigie::wire::vigie::{ApplyPolicyRequest, GetPolicyRequest, GetPolicyResponse, Verdict};

use crate::corrections::asking::{Asking, plain, shows};
use crate::support::postgres::{Postgres, Stop};
use crate::support::{Launch, Place, Server, files};

/// A place whose policy is guarded, as it is where nobody says otherwise.
fn guarded() -> Place {
    let place = Place::with_versions(&[1]);
    files::write(&place.model().join("model.toml"), b"[release]\non_new = \"live\"\n");
    place
}

fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

/// Judges two products and waits until that is on record: one that is blocked for a severe label, and one that is allowed.
async fn judged(server: &Server) -> Asking {
    let asking = Asking::begin(server).await;
    for entry in [shows("firearm"), shows("alcohol"), plain()] {
        asking.classify(entry).await;
        asking.known(entry).await;
        asking.on_record(entry).await;
    }
    asking
}

async fn policy(server: &Server) -> GetPolicyResponse {
    let mut policies = PoliciesClient::new(server.channel().await);
    let asked = policies.get_policy(GetPolicyRequest::default()).await;
    asked.unwrap().into_inner()
}

async fn apply(server: &Server, version: &str) -> Result<String, tonic::Status> {
    let mut policies = PoliciesClient::new(server.channel().await);
    let request = ApplyPolicyRequest {
        request_id: now_v7_id(),
        model: String::new(),
        policy_version: version.into(),
        reason: "Legal has agreed".into(),
    };
    let applied = policies.apply_policy(request).await?;
    Ok(applied.into_inner().policy_version)
}

/// Waits until the model has a problem that says this.
async fn until_told(server: &Server, text: &str) {
    server
        .watch_until(|told| {
            let mut problems = told.summaries.iter().flat_map(|model| &model.problems);
            problems.any(|problem| problem.contains(text))
        })
        .await;
}

async fn until_in_force(server: &Server, version: &str) {
    server
        .watch_until(|told| told.summaries.iter().any(|model| model.policy_version == version))
        .await;
}

/// Lets a firearm pass until its score is nearly certain: for a person it looks like a slip of the finger.
fn loosened(place: &Place) -> String {
    let file = place.model().join("policy.toml");
    files::edit(&file, |text| {
        text.replacen(
            "[label.firearm]\nreview = 0.3\nblock = 0.7\n",
            "[label.firearm]\nreview = 0.9999\nblock = 0.99999\n",
            1,
        )
    });
    files::digest(&file)
}

#[tokio::test]
async fn what_would_newly_allow_a_severe_label_waits_for_a_person_through_a_restart() {
    let place = guarded();
    let server = launch(&place).start_ready();
    let asking = judged(&server).await;
    let before = policy(&server).await;
    let loose = loosened(&place);
    until_told(&server, "vigie policy apply").await;
    let now = policy(&server).await;
    assert_eq!(now.policy_version, before.policy_version);
    let waiting = now.waiting.unwrap();
    assert_eq!(waiting.policy_version, loose);
    assert!(waiting.reason.contains("severe label"), "{}", waiting.reason);
    assert_eq!(asking.verdict(shows("firearm")).await, Verdict::Block);

    server.kill();
    let server = launch(&place).start_ready();
    let asking = Asking::begin(&server).await;
    until_told(&server, "vigie policy apply").await;
    assert_eq!(asking.verdict(shows("firearm")).await, Verdict::Block);
    let other = apply(&server, &before.policy_version.replace(|_: char| true, "0"))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Code::Aborted);
    assert!(other.message().contains(&loose), "it says what waits: {other}");
    let unread = apply(&server, "abc").await.unwrap_err();
    assert_eq!(unread.code(), Code::InvalidArgument);

    assert_eq!(apply(&server, &loose).await.unwrap(), loose);
    assert_eq!(
        asking.verdict(shows("firearm")).await,
        Verdict::Allow,
        "at the next question"
    );
    assert_eq!(apply(&server, &loose).await.unwrap(), loose, "twice is once");
    assert_eq!(policy(&server).await.waiting, None);
    server.wait_for_log("a person brought a policy into force");
    server.kill();
    let server = launch(&place).start_ready();
    assert_eq!(policy(&server).await.policy_version, loose, "it stays in force");
}

#[tokio::test]
async fn what_is_stricter_or_allows_little_comes_by_itself() {
    let place = guarded();
    let server = launch(&place).start_ready();
    let asking = judged(&server).await;
    let file = place.model().join("policy.toml");
    files::write(&file, b"format = 1\n[default]\nreview = 1e-30\nblock = 1e-30\n");
    until_in_force(&server, &files::digest(&file)).await;
    assert_eq!(asking.verdict(plain()).await, Verdict::Block);
    // Back again is a loosening of everything.
    files::copy(&files::shipped().join("adsafety/policy.toml"), &file);
    until_told(&server, "vigie policy apply").await;
    // Unless that is allowed to come by itself.
    files::write(
        &place.model().join("model.toml"),
        b"[release]\nnewly_allow_at_most = 1.0\n",
    );
    until_in_force(&server, &files::digest(&file)).await;
    assert_eq!(asking.verdict(plain()).await, Verdict::Allow);
}

#[tokio::test]
async fn putting_the_file_back_ends_the_waiting() {
    let place = guarded();
    let server = launch(&place).start_ready();
    judged(&server).await;
    let before = policy(&server).await.policy_version;
    let loose = loosened(&place);
    until_told(&server, "vigie policy apply").await;
    files::copy(
        &files::shipped().join("adsafety/policy.toml"),
        &place.model().join("policy.toml"),
    );
    server
        .watch_until(|told| told.summaries.iter().all(|model| model.problems.is_empty()))
        .await;
    let gone = apply(&server, &loose).await.unwrap_err();
    assert_eq!(gone.code(), Code::Aborted);
    let now = policy(&server).await;
    assert_eq!((now.policy_version, now.waiting), (before, None));
}

#[tokio::test]
async fn what_cannot_be_tried_waits_until_it_can() {
    let postgres = Postgres::start();
    let place = guarded();
    let database = postgres.database().await;
    let server = launch(&place).set("RECORDS__POSTGRES", &database).start_ready();
    judged(&server).await;
    postgres.stop(Stop::Immediate);
    let loose = loosened(&place);
    until_told(&server, "cannot be tried").await;
    let waiting = policy(&server).await.waiting.unwrap();
    assert_eq!(waiting.policy_version, loose);
    postgres.restart();
    until_told(&server, "vigie policy apply").await;
}
