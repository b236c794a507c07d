//! Nothing that changes goes unheard: by events, by polling, after an overflow, through a full channel.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::super::watch::{Hint, WatchMode, Watcher, watch};
use super::Place;

/// Far longer than any hint takes; reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

fn watching(path: &Path, mode: WatchMode) -> (Watcher, mpsc::Receiver<Hint>) {
    let (hints, heard) = mpsc::channel(1);
    (watch(path, mode, hints).unwrap(), heard)
}

fn next(heard: &mut mpsc::Receiver<Hint>) -> Hint {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let hint = runtime.block_on(async { tokio::time::timeout(PATIENCE, heard.recv()).await });
    hint.expect("a hint in time").expect("the watch goes on")
}

/// Waits for the hint that names an arrival.
fn arrival(heard: &mut mpsc::Receiver<Hint>, name: &str) {
    let begun = Instant::now();
    while !next(heard).arrived.iter().any(|path| path.ends_with(name)) {
        assert!(begun.elapsed() < PATIENCE, "{name} was not heard of");
    }
}

#[test]
fn a_rename_and_a_close_after_writing_are_arrivals() {
    let place = Place::new();
    place.write_version("m/1", 1);
    let (_watcher, mut heard) = watching(&place.path(""), WatchMode::Events);
    place.write("m/1/model.onnx", "new");
    arrival(&mut heard, "m/1/model.onnx");
    place.write(".aside", "x");
    std::fs::rename(place.path(".aside"), place.path("m/1/version.toml")).unwrap();
    arrival(&mut heard, "m/1/version.toml");
}

#[test]
fn a_new_folder_is_watched_too() {
    let place = Place::new();
    let (_watcher, mut heard) = watching(&place.path(""), WatchMode::Events);
    place.write_version("tmp/1", 1);
    std::fs::rename(place.path("tmp"), place.path("m")).unwrap();
    arrival(&mut heard, "m");
    // The new folder is watched a moment after it was heard of; until then scans find what is in it.
    let begun = Instant::now();
    let mut number = 0;
    loop {
        number += 1;
        place.write("m/1/model.onnx", number.to_string());
        if next(&mut heard)
            .arrived
            .iter()
            .any(|path| path.ends_with("m/1/model.onnx"))
        {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn reading_the_repository_wakes_nobody() {
    let mut place = Place::new();
    place.write_version("m/1", 1);
    let (_watcher, mut heard) = watching(&place.path(""), WatchMode::Events);
    for _ in 0..3 {
        place.scan();
    }
    // The first thing heard is what is written after all that reading.
    place.write("m/1/last", "x");
    assert!(next(&mut heard).arrived.iter().any(|path| path.ends_with("m/1/last")));
}

#[test]
fn a_replaced_root_is_watched_anew() {
    let place = Place::new();
    place.write_version("m/1", 1);
    let (_watcher, mut heard) = watching(&place.path(""), WatchMode::Events);
    std::fs::rename(place.path(""), place.outside().join("old")).unwrap();
    place.write_version("m/1", 2);
    let begun = Instant::now();
    let mut number = 0;
    loop {
        number += 1;
        place.write("m/1/model.onnx", number.to_string());
        if next(&mut heard)
            .arrived
            .iter()
            .any(|path| path.ends_with("models/m/1/model.onnx"))
        {
            break;
        }
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn polling_finds_what_changed() {
    let place = Place::new();
    place.write_version("m/1", 1);
    let (_watcher, mut heard) = watching(
        &place.path(""),
        WatchMode::Poll {
            every: Duration::from_millis(5),
        },
    );
    place.write("m/1/model.onnx", "other");
    assert!(next(&mut heard).arrived.is_empty());
    std::fs::remove_dir_all(place.path("m")).unwrap();
    next(&mut heard);
}

#[test]
fn a_full_channel_loses_no_arrival() {
    let place = Place::new();
    let (hints, mut heard) = mpsc::channel(1);
    hints.try_send(Hint::default()).unwrap();
    let _watcher = watch(&place.path(""), WatchMode::Events, hints).unwrap();
    for number in 0..5 {
        place.write(&format!("file-{number}"), "x");
    }
    assert_eq!(next(&mut heard), Hint::default(), "the one that filled the channel");
    let mut arrived = Vec::new();
    let begun = Instant::now();
    while arrived.len() < 5 {
        arrived.extend(next(&mut heard).arrived);
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn a_missing_repository_is_an_error_that_names_it() {
    let place = Place::new();
    let (hints, _heard) = mpsc::channel(1);
    let error = watch(&place.path("nothing"), WatchMode::Events, hints).unwrap_err();
    assert!(error.to_string().contains("nothing"));
}
