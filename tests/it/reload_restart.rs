//! Killed at any point of a swap, the server serves, when it comes back, what is on record.

use crate::support::client::{catalogue, score_bits};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files};

/// The live revision that is on record.
fn recorded(place: &Place) -> String {
    let text = std::fs::read_to_string(place.data().join("serving.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["models"]["adsafety"]["live"]["revision"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn scores(server: &Server) -> (String, Vec<(String, u32)>) {
    let decision = server.classify(catalogue()[0].question()).await.unwrap();
    (decision.revision.clone(), score_bits(&decision))
}

/// Kills as soon as the swap has come as far as `state`; with none, as soon as it has been asked for.
async fn killed_in(state: Option<&str>) {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let old = scores(&server).await;
    files::publish(&shipped_version(2), &place.version(2));
    if let Some(state) = state {
        let order = ["INCOMPLETE", "WAITING", "LOADING", "CHECKING", "READY"];
        let place_of = |state: &str| order.iter().position(|known| *known == state);
        let reached = |told: &str| place_of(told) >= place_of(state);
        server
            .watch_until(|told| {
                told.models
                    .iter()
                    .any(|found| found.version == 2 && reached(&found.state))
            })
            .await;
    }
    server.kill();
    let on_record = recorded(&place);
    // What the repository holds is out of the way: only the record can tell what to serve.
    let away = place.root().join("away");
    std::fs::rename(place.version(2), &away).ok();
    let kept_present = place.version(2);
    if on_record != old.0 {
        std::fs::rename(&away, &kept_present).unwrap();
    }
    let server = Launch::new(&place).set("WATCH__RESCAN", "1h").start_ready();
    let after = scores(&server).await;
    assert_eq!(after.0, on_record, "killed in {state:?}");
    if on_record == old.0 {
        assert_eq!(after, old);
        std::fs::rename(&away, &kept_present).unwrap();
    }
    // The swap is made up for.
    server
        .watch_until(|told| told.models.iter().any(|found| found.version == 2 && found.live))
        .await;
}

#[tokio::test]
async fn killed_before_anything_was_noticed() {
    killed_in(None).await;
}

#[tokio::test]
async fn killed_while_loading() {
    killed_in(Some("LOADING")).await;
}

#[tokio::test]
async fn killed_while_checking() {
    killed_in(Some("CHECKING")).await;
}

#[tokio::test]
async fn killed_once_ready() {
    killed_in(Some("READY")).await;
}

#[tokio::test]
async fn what_serves_is_its_own_copy_even_where_the_repository_was_damaged_meanwhile() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let before = scores(&server).await;
    server.kill();
    files::write(&place.version(1).join("model.onnx"), b"damaged");
    let server = Launch::new(&place).start_ready();
    assert_eq!(scores(&server).await, before);
    server.version_in(1, "INCOMPLETE").await;
}

#[tokio::test]
async fn one_data_folder_is_used_by_one_server() {
    let place = Place::with_versions(&[1]);
    let server = Launch::new(&place).start_ready();
    let second = Launch::new(&place).command().output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("data"), "{said}");
    scores(&server).await;
}
