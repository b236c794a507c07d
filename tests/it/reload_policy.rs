//! The policy reloads like a model: a sound one comes into force at the next answer, any other changes nothing live.

use vigie::wire::vigie::{Decision, Verdict};

use crate::support::client::{catalogue, for_countries};
use crate::support::{Launch, Place, Server, files};

async fn decision(server: &Server) -> Decision {
    let shown = catalogue().iter().find(|entry| entry.truth.is_empty()).unwrap();
    server
        .classify(for_countries(shown.question(), &["FR", ""]))
        .await
        .unwrap()
}

/// Blocks everything that has any score at all.
const STRICT: &str = "format = 1\n[default]\nreview = 1e-30\nblock = 1e-30\n";

#[tokio::test]
async fn a_changed_policy_judges_the_next_answer_under_its_own_hash() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("WATCH__RESCAN", "1h").start_ready();
    let policy = place.model().join("policy.toml");
    assert_eq!(decision(&server).await.policy_version, files::digest(&policy));
    files::write(&policy, STRICT.as_bytes());
    let hash = files::digest(&policy);
    server
        .watch_until(|told| told.summaries.iter().any(|model| model.policy_version == hash))
        .await;
    let after = decision(&server).await;
    assert_eq!(after.policy_version, hash);
    assert!(
        after.verdicts.iter().all(|verdict| verdict.verdict() == Verdict::Block),
        "{after:?}"
    );
}

#[tokio::test]
async fn an_emptied_or_absurd_policy_changes_nothing_live_and_is_told() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).set("WATCH__RESCAN", "1h").start_ready();
    let policy = place.model().join("policy.toml");
    let before = decision(&server).await;
    for (bad, told) in [
        ("", "default"),
        ("format = 1\n[default]\nreview = 0.5\nblock = 9.0\n", "default.block"),
        ("format = 1\n[default]\nverdict = \"ALLOW\"\n", "default.verdict"),
        ("format = 1\n[default\n", "not TOML"),
        (
            "format = 1\n[default]\nreview = 0.5\nblock = 0.9\n[label.frearm]\nreview = 2\nblock = 3\n",
            "label.frearm.review",
        ),
    ] {
        files::write(&policy, bad.as_bytes());
        server
            .watch_until(|now| {
                now.summaries
                    .iter()
                    .flat_map(|model| &model.problems)
                    .any(|text| text.contains(told))
            })
            .await;
        let after = decision(&server).await;
        assert_eq!(
            (&after.policy_version, &after.verdicts),
            (&before.policy_version, &before.verdicts),
            "{bad:?}"
        );
    }
    assert_eq!(server.metric("vigie_control_policy_swaps_total", &["rejected"]), 5.0);
    assert_eq!(server.metric("vigie_control_policy_swaps_total", &["published"]), 1.0);
    std::fs::remove_file(&policy).unwrap();
    server
        .watch_until(|now| {
            now.summaries
                .iter()
                .flat_map(|model| &model.problems)
                .any(|text| text.contains("policy.toml"))
        })
        .await;
    assert_eq!(decision(&server).await.policy_version, before.policy_version);
}

#[tokio::test]
async fn a_policy_that_was_emptied_while_the_server_was_away_changes_nothing() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let before = decision(&server).await;
    server.kill();
    files::write(&place.model().join("policy.toml"), b"");
    let server = Launch::new(&place).start_ready();
    let after = decision(&server).await;
    assert_eq!(
        (after.policy_version, after.verdicts),
        (before.policy_version, before.verdicts)
    );
}

#[tokio::test]
async fn rules_on_labels_that_no_version_gives_are_told() {
    let place = Place::with_versions(&[1]);
    files::edit(&place.model().join("policy.toml"), |text| {
        format!("{text}\n[label.fireworks]\nreview = 0.5\nblock = 0.9\n")
    });
    let server = Launch::new(&place).start_ready();
    server
        .watch_until(|now| {
            now.summaries
                .iter()
                .flat_map(|model| &model.problems)
                .any(|text| text.contains("label.fireworks"))
        })
        .await;
}
