//! Hot reload: whatever happens to the files, the next answers come from what is whole and proved, and no answer is lost.

use std::os::unix::fs::symlink;

use crate::support::client::{catalogue, score_bits};
use crate::support::place::shipped_version;
use crate::support::{Launch, Place, Server, files};

/// With rescans an hour apart, only what is noticed at once counts.
fn watching(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

async fn answering_version(server: &Server) -> i64 {
    server.classify(catalogue()[0].question()).await.unwrap().version
}

#[tokio::test]
async fn a_new_version_serves_by_itself() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    assert_eq!(answering_version(&server).await, 1);
    files::publish(&shipped_version(2), &place.version(2));
    server
        .watch_until(|told| told.models.iter().any(|found| found.version == 2 && found.live))
        .await;
    assert_eq!(answering_version(&server).await, 2);
}

#[tokio::test]
async fn a_new_version_serves_where_the_file_system_tells_nothing_and_is_polled() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place)
        .set("WATCH__MODE", "poll")
        .set("WATCH__POLL", "50ms")
        .start_ready();
    files::publish(&shipped_version(2), &place.version(2));
    server
        .watch_until(|told| told.models.iter().any(|found| found.version == 2 && found.live))
        .await;
    assert_eq!(answering_version(&server).await, 2);
}

#[tokio::test]
async fn a_new_version_that_is_copied_in_place_serves_once_it_is_whole_and_not_before() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let (from, to) = (shipped_version(2), place.version(2));
    std::fs::create_dir(&to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap() {
        let name = entry.unwrap().file_name();
        if name != "model.onnx" {
            files::copy(&from.join(&name), &to.join(&name));
        }
    }
    let runtime = tokio::runtime::Handle::current();
    let (server, to) = tokio::task::spawn_blocking(move || {
        files::copy_in_pieces(&from.join("model.onnx"), &to.join("model.onnx"), 5, |piece| {
            if piece < 4 {
                let so_far = files::short_digest(&to.join("model.onnx"));
                runtime.block_on(incomplete_and_old_serves(&server, &so_far));
            }
        });
        (server, to)
    })
    .await
    .unwrap();
    server
        .watch_until(|told| told.models.iter().any(|found| found.version == 2 && found.live))
        .await;
    assert_eq!(answering_version(&server).await, 2);
    assert!(to.join("model.onnx").exists());
}

/// Waits until the server has taken notice of exactly the bytes so far.
async fn incomplete_and_old_serves(server: &Server, so_far: &str) {
    let told = server
        .watch_until(|told| {
            let found = told.models.iter().find(|found| found.version == 2);
            found.is_some_and(|found| found.state == "INCOMPLETE" && found.reason.contains(so_far))
        })
        .await;
    assert!(told.models.iter().all(|found| found.version == 1 || !found.live));
    assert_eq!(answering_version(server).await, 1);
}

#[tokio::test]
async fn a_changed_file_makes_the_version_incomplete_at_once_and_the_old_bytes_serve_on() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let before = server.classify(catalogue()[0].question()).await.unwrap();
    let other = std::fs::read(shipped_version(2).join("model.onnx")).unwrap();
    let (expected, found) = (
        files::digest(&place.version(1).join("model.onnx")),
        files::digest(&shipped_version(2).join("model.onnx")),
    );
    files::write(&place.version(1).join("model.onnx"), &other);
    let state = server.version_in(1, "INCOMPLETE").await;
    for part in [expected.as_str(), &found, "model.onnx", "vigie add --reseal"] {
        assert!(state.reason.contains(part), "{part} is not in {:?}", state.reason);
    }
    let after = server.classify(catalogue()[0].question()).await.unwrap();
    assert_eq!(
        (score_bits(&after), after.revision),
        (score_bits(&before), before.revision)
    );
}

#[tokio::test]
async fn bytes_changed_in_place_serve_once_the_manifest_follows() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let old = server.live().await.revision;
    files::change_in_place(&shipped_version(2), &place.version(1));
    let told = server
        .watch_until(|told| told.models.iter().any(|found| found.live && found.revision != old))
        .await;
    assert_eq!(told.models.len(), 1);
    let answer = server.classify(catalogue()[0].question()).await.unwrap();
    assert_eq!((answer.version, answer.revision), (1, told.models[0].revision.clone()));
}

#[tokio::test]
async fn a_changed_threshold_of_preprocessing_is_another_revision_and_a_changed_comment_is_none() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let old = server.live().await;
    let manifest = place.version(1).join("version.toml");
    files::edit(&manifest, |text| format!("# Read by people.\n{text}"));
    // A later change is noticed after an earlier one: when the new version is there, the comment has been looked at.
    files::publish(&shipped_version(2), &place.version(2));
    let told = server
        .watch_until(|told| told.models.iter().any(|found| found.version == 2 && found.live))
        .await;
    let first = told.models.iter().find(|found| found.version == 1).unwrap();
    assert_eq!((&first.revision, first.loaded_at), (&old.revision, old.loaded_at));
}

#[tokio::test]
async fn a_copy_under_a_new_number_is_the_same_revision_and_loads_nothing() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let live = server.live().await;
    files::publish(&place.version(1), &place.version(7));
    let copy = server.version_in(7, "READY").await;
    assert_eq!((&copy.revision, copy.loaded_at), (&live.revision, live.loaded_at));
    let answer = server.classify(catalogue()[0].question()).await.unwrap();
    assert_eq!(answer.revision, live.revision);
}

#[tokio::test]
async fn a_removed_version_gives_way_to_the_one_that_is_left() {
    let place = Place::with_versions(&[1, 2]);
    let server = watching(&place).start_ready();
    assert_eq!(answering_version(&server).await, 2);
    std::fs::remove_dir_all(place.version(2)).unwrap();
    server
        .watch_until(|told| told.models.iter().any(|found| found.version == 1 && found.live))
        .await;
    assert_eq!(answering_version(&server).await, 1);
}

#[tokio::test]
async fn a_directory_replaced_whole_serves_its_new_content() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let old = server.live().await.revision;
    files::replace(&shipped_version(2), &place.version(1));
    server
        .watch_until(|told| told.models.iter().any(|found| found.live && found.revision != old))
        .await;
    assert_eq!(answering_version(&server).await, 1);
}

/// As Kubernetes changes a mounted ConfigMap: `..data` is exchanged, and every name goes through it.
#[tokio::test]
async fn an_exchanged_symbolic_link_serves_what_it_now_points_to() {
    let place = Place::with_versions(&[]);
    for (generation, version) in [("..2026_01", 1), ("..2026_02", 2)] {
        files::copy(&shipped_version(version), &place.model().join(generation).join("1"));
    }
    symlink("..2026_01", place.model().join("..data")).unwrap();
    symlink("..data/1", place.model().join("1")).unwrap();
    let server = watching(&place).start_ready();
    let old = server.live().await.revision;
    symlink("..2026_02", place.model().join("..data_tmp")).unwrap();
    std::fs::rename(place.model().join("..data_tmp"), place.model().join("..data")).unwrap();
    server
        .watch_until(|told| told.models.iter().any(|found| found.live && found.revision != old))
        .await;
    assert_eq!(answering_version(&server).await, 1);
}

#[tokio::test]
async fn a_link_that_leaves_the_repository_is_refused() {
    let place = Place::with_versions(&[1]);
    symlink(shipped_version(2), place.version(2)).unwrap();
    let server = watching(&place).start_ready();
    assert_eq!(answering_version(&server).await, 1);
    let models = server.models().await;
    assert!(
        models
            .iter()
            .all(|found| found.version == 1 || found.state == "REJECTED"),
        "{models:?}"
    );
}

#[tokio::test]
async fn a_lower_version_serves_only_those_who_name_it() {
    let place = Place::with_versions(&[2]);
    let server = watching(&place).start_ready();
    files::publish(&shipped_version(1), &place.version(1));
    server.version_in(1, "READY").await;
    assert_eq!(answering_version(&server).await, 2);
    let named = crate::support::client::of_version(catalogue()[0].question(), 1);
    assert_eq!(server.classify(named).await.unwrap().version, 1);
}

/// The kernel drops events when too many wait; that it did so is noticed, and everything looked at again.
#[tokio::test]
async fn an_overflow_of_the_event_queue_loses_nothing() {
    let place = Place::with_versions(&[1]);
    let server = watching(&place).start_ready();
    let limit: usize = std::fs::read_to_string("/proc/sys/fs/inotify/max_queued_events")
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    server.signal("STOP");
    for number in 0..limit + 100 {
        let noise = place.model().join(format!(".noise-{}", number % 2));
        std::fs::write(&noise, b"").unwrap();
    }
    files::publish(&shipped_version(2), &place.version(2));
    server.signal("CONT");
    server
        .watch_until(|told| told.models.iter().any(|found| found.version == 2 && found.live))
        .await;
    assert!(server.metric("vigie_repository_watch_overflows_total", &[]) >= 1.0);
}
