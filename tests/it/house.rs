//! The house keeps its floors: a room uses only the rooms below it, one room owns each heavy crate, and what must be absent is absent.
//!
//! The tables here are the building regulations; `src/ARCHITECTURE.md` explains them. A line that must break one is listed as an exception with its reason,
//! and an exception that nothing needs any more fails as surely as a breach.

mod files;
mod paths;

use std::collections::BTreeMap;
use std::path::Path;

use files::{SourceFile, source_files};

/// Rooms by floor, from the ground up. A room may use every room of the floors below its own, and itself.
const FLOORS: &[&[&str]] = &[
    &["base", "stats"],
    &[
        "accounts",
        "config",
        "telemetry",
        "wire",
        "preprocess",
        "engine",
        "policy",
        "store",
    ],
    &["repository", "executor", "plan", "ledger", "tap"],
    &["serving", "control", "observe"],
    &["grpc", "http", "scan"],
    &["app"],
    &["cli"],
    &["main"],
];

/// Doors to a room on the same floor, with the items they lead to (none: the whole room) and the reason.
const SIDE_DOORS: &[(&str, &str, &[&str], &str)] = &[
    ("plan", "executor", &[], "a plan holds what it routes to"),
    (
        "tap",
        "plan",
        &["Route"],
        "a decision is offered with the route that judged it",
    ),
    (
        "observe",
        "control",
        &["Control", "handle"],
        "it reports, control decides",
    ),
    ("config", "telemetry", &[], "anyone may emit telemetry"),
    ("wire", "telemetry", &[], "anyone may emit telemetry"),
    ("preprocess", "telemetry", &[], "anyone may emit telemetry"),
    ("engine", "telemetry", &[], "anyone may emit telemetry"),
    ("store", "telemetry", &[], "anyone may emit telemetry"),
];

/// Crates and the one room that may name them; everyone else uses that room's types.
const OWNERS: &[(&str, &str)] = &[
    ("tonic", "grpc"),
    ("tonic_health", "grpc"),
    ("tonic_prost", "grpc"),
    ("tonic_reflection", "grpc"),
    ("tonic_types", "grpc"),
    ("axum", "http"),
    ("notify", "repository"),
    ("arc_swap", "plan"),
    ("opentelemetry", "telemetry"),
    ("opentelemetry_otlp", "telemetry"),
    ("opentelemetry_sdk", "telemetry"),
    ("tracing_opentelemetry", "telemetry"),
    ("tracing_subscriber", "telemetry"),
    ("prometheus_client", "telemetry"),
    ("image", "preprocess"),
    ("turbojpeg", "preprocess"),
    ("ort", "engine"),
    ("prost", "wire"),
    ("prost_reflect", "wire"),
    ("prost_types", "wire"),
    ("rusqlite", "store"),
    ("jiff", "policy"),
    ("aho_corasick", "policy"),
    ("unicode_normalization", "policy"),
    ("hashbrown", "ledger"),
    ("tokio_postgres", "store"),
    ("clap", "cli"),
    ("comfy_table", "cli"),
    ("csv", "cli"),
    ("indicatif", "cli"),
];

/// What a room must do without: paths that begin so, and why.
const ABSENT: &[(&str, &[&str], &str)] = &[
    (
        "policy",
        &[
            "std::fs",
            "std::net",
            "tokio",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
        "a verdict follows from its arguments",
    ),
    (
        "stats",
        &[
            "std::fs",
            "std::net",
            "tokio",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
        "a test statistic follows from its counts",
    ),
    ("base", &["std::fs", "std::net", "std::process"], "words do no I/O"),
    (
        "engine",
        &["tokio"],
        "inference is synchronous; threads live outside it",
    ),
    ("serving", &["std::fs", "tokio::fs"], "the request path opens no file"),
];

/// Files that may name something that the tables forbid them: the file, what it names, the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

#[test]
fn rooms_use_only_the_floors_below_and_the_stated_doors() {
    assert_kept(&floors());
}

#[test]
fn each_heavy_crate_is_named_by_its_owner_alone() {
    assert_kept(&owners());
}

#[test]
fn what_a_room_must_do_without_is_absent() {
    assert_kept(&absences());
}

#[test]
fn every_exception_is_still_needed() {
    let breaches: Vec<Breach> = [floors(), owners(), absences()].into_iter().flatten().collect();
    for (file, named, reason) in EXCEPTIONS {
        let needed = breaches
            .iter()
            .any(|breach| breach.file == *file && breach.names(named));
        assert!(
            needed,
            "{file} names no {named} any more: take the exception ({reason}) off the list"
        );
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is_and_stays_short() {
    for file in source_files() {
        assert!(
            file.text.starts_with("//! "),
            "{}: open with `//!`: what it is, why so, what it refuses to know",
            file.name
        );
        let lines = file.text.lines().count();
        assert!(
            lines <= 500,
            "{}: {lines} lines: a file is one idea, at most 350 lines and never above 500",
            file.name
        );
    }
}

#[test]
fn every_public_item_is_documented() {
    // Nobody imports the command line, and what is written on its items is what `--help` prints.
    let files = source_files();
    let imported = files.iter().filter(|file| file.room != "cli");
    let undocumented: Vec<String> = imported.flat_map(SourceFile::undocumented_items).collect();
    assert!(
        undocumented.is_empty(),
        "say in a line what each is, its shape, units and errors:\n{}",
        undocumented.join("\n")
    );
}

#[test]
fn every_room_has_a_floor() {
    for file in source_files().iter().filter(|file| file.room != "lib") {
        assert!(
            floor_of(&file.room).is_some(),
            "{}: give the room {:?} a floor",
            file.name,
            file.room
        );
    }
    for (from, to, _, reason) in SIDE_DOORS {
        assert_eq!(
            floor_of(from),
            floor_of(to),
            "the door from {from} to {to} ({reason}) is a side door"
        );
    }
    for (owned, owner) in OWNERS {
        assert!(floor_of(owner).is_some(), "{owner}, the owner of {owned}, is no room");
    }
}

#[test]
fn the_architecture_names_every_room_and_only_files_that_exist() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(project.join("src/ARCHITECTURE.md")).expect("the page is there");
    // A path in the page stands between backticks and has a slash; `<hash>` and the like stand for many.
    let written = text.split('`').skip(1).step_by(2);
    let paths: Vec<&str> = written
        .filter(|span| span.contains('/') && !span.contains([' ', '<', '*', '{', '\n']))
        .collect();
    let missing: Vec<_> = paths.iter().filter(|path| !project.join(path).exists()).collect();
    assert!(
        missing.is_empty(),
        "src/ARCHITECTURE.md names what is not there: {missing:?}"
    );
    for file in source_files() {
        let folder = format!("src/{}/", file.room);
        let is_told = !file.name.starts_with(&folder) || paths.contains(&folder.as_str());
        assert!(is_told, "src/ARCHITECTURE.md does not tell what {folder} is for");
    }
}

/// A line that breaks a rule.
struct Breach {
    file: String,
    line: usize,
    /// The path it names: `control::Control`, `tonic::Status`.
    path: String,
    rule: String,
}

impl Breach {
    fn names(&self, path: &str) -> bool {
        self.path == path || self.path.starts_with(&format!("{path}::"))
    }

    fn is_excepted(&self) -> bool {
        EXCEPTIONS
            .iter()
            .any(|(file, named, _)| self.file == *file && self.names(named))
    }
}

fn assert_kept(breaches: &[Breach]) {
    let open: Vec<String> = breaches
        .iter()
        .filter(|breach| !breach.is_excepted())
        .map(|breach| format!("{}:{}: {}: {}", breach.file, breach.line, breach.path, breach.rule))
        .collect();
    assert!(
        open.is_empty(),
        "against the building regulations of src/ARCHITECTURE.md:\n{}",
        open.join("\n")
    );
}

fn floors() -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in source_files() {
        for (line, target) in file.rooms_used() {
            let allowed = match (floor_of(&file.room), floor_of(&target[0])) {
                (Some(own), Some(other)) => own > other || file.room == target[0] || has_side_door(&file.room, &target),
                (None, _) | (_, None) => false,
            };
            if !allowed {
                let rule = format!("{} uses only the floors below it and its doors", file.room);
                breaches.push(Breach {
                    file: file.name.clone(),
                    line,
                    path: target.join("::"),
                    rule,
                });
            }
        }
    }
    breaches
}

fn owners() -> Vec<Breach> {
    let owners: BTreeMap<&str, &str> = OWNERS.iter().copied().collect();
    let mut breaches = Vec::new();
    for file in source_files() {
        for path in file.paths() {
            if let Some(owner) = owners
                .get(path.segments[0].as_str())
                .filter(|owner| **owner != file.room)
            {
                let rule = format!("the crate belongs to {owner}");
                breaches.push(Breach {
                    file: file.name.clone(),
                    line: path.line,
                    path: path.segments.join("::"),
                    rule,
                });
            }
        }
    }
    breaches
}

fn absences() -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in source_files() {
        for (room, absent, reason) in ABSENT.iter().filter(|(room, ..)| *room == file.room) {
            for path in file.paths() {
                let rule = format!("absent from {room}: {reason}");
                let breach = Breach {
                    file: file.name.clone(),
                    line: path.line,
                    path: path.segments.join("::"),
                    rule,
                };
                if absent.iter().any(|absent| breach.names(absent)) {
                    breaches.push(breach);
                }
            }
        }
    }
    breaches
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn has_side_door(from: &str, target: &[String]) -> bool {
    SIDE_DOORS.iter().any(|(door_from, door_to, items, _)| {
        *door_from == from
            && *door_to == target[0]
            && (items.is_empty() || target.get(1).is_some_and(|item| items.contains(&item.as_str())))
    })
}
