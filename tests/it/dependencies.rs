//! What the program is made of: every dependency is free to use, comes from crates.io, and the heavy ones are there once.
//!
//! Cargo is asked for its resolved graph, offline and for this machine's platform, so the test sees exactly what is compiled. A licence expression is
//! evaluated, not compared: `OR` is satisfied by either side, `AND` by both, and an exception (`WITH`) only as the pair it is listed as.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// Licences that allow use, change and distribution on terms this project meets; permissive ones only.
const ALLOWED_LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Cargo's own name for crates.io.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Two copies of these would compile twice and refuse each other's types.
const ONCE: &[&str] = &[
    "tonic",
    "prost",
    "prost-types",
    "hyper",
    "h2",
    "axum",
    "tower",
    "tokio",
    "http",
    "bytes",
    "image",
    "opentelemetry",
];

#[test]
fn every_licence_is_allowed() {
    let refused: Vec<String> = packages()
        .iter()
        .filter_map(|package| {
            let licence = package["license"].as_str().unwrap_or("(none stated)");
            let reason = match allows(licence) {
                Ok(true) => return None,
                Ok(false) => "not allowed".to_owned(),
                Err(error) => error,
            };
            Some(format!(
                "{} {}: {licence}: {reason}",
                package["name"], package["version"]
            ))
        })
        .collect();
    assert!(
        refused.is_empty(),
        "licences to judge before they are added to the list:\n{}",
        refused.join("\n")
    );
}

#[test]
fn every_source_is_crates_io_or_this_project() {
    let own = |package: &Value| {
        let manifest = package["manifest_path"].as_str().unwrap_or_default();
        std::path::Path::new(manifest).starts_with(env!("CARGO_MANIFEST_DIR"))
    };
    let strange: Vec<String> = packages()
        .iter()
        .filter(|package| {
            package["source"]
                .as_str()
                .map_or(!own(package), |source| source != CRATES_IO)
        })
        .map(|package| format!("{} {} from {}", package["name"], package["version"], package["source"]))
        .collect();
    assert!(
        strange.is_empty(),
        "dependencies from elsewhere:\n{}",
        strange.join("\n")
    );
}

#[test]
fn heavy_crates_are_compiled_once() {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().unwrap_or_default().to_owned();
        versions.entry(name).or_default().push(package["version"].to_string());
    }
    let missing: Vec<_> = ONCE.iter().filter(|name| !versions.contains_key(**name)).collect();
    assert!(
        missing.is_empty(),
        "no longer dependencies, take them off the list: {missing:?}"
    );
    let twice: Vec<_> = ONCE
        .iter()
        .filter(|name| versions[**name].len() > 1)
        .map(|name| (name, &versions[*name]))
        .collect();
    assert!(twice.is_empty(), "in several versions: {twice:?}");
}

#[test]
fn licence_expressions_are_evaluated_as_written() {
    for (expression, expected) in [
        ("MIT", Ok(true)),
        ("GPL-3.0-only", Ok(false)),
        ("GPL-3.0-only OR MIT", Ok(true)),
        ("GPL-3.0-only AND MIT", Ok(false)),
        ("GPL-3.0-only/MIT", Ok(true)),
        ("Apache-2.0 / MIT", Ok(true)),
        // AND binds tighter than OR.
        ("MIT OR GPL-3.0-only AND ISC", Ok(true)),
        ("(MIT OR GPL-3.0-only) AND GPL-2.0-only", Ok(false)),
        ("Apache-2.0 WITH LLVM-exception", Ok(true)),
        ("GPL-2.0-only WITH Classpath-exception-2.0 OR ISC", Ok(true)),
        ("MIT WITH Some-exception", Ok(false)),
    ] {
        assert_eq!(allows(expression), expected, "{expression}");
    }
    for broken in ["", "MIT OR", "MIT ISC", "(MIT", "MIT)", "AND MIT", "MIT WITH"] {
        assert!(allows(broken).is_err(), "{broken:?} is no expression");
    }
}

/// Every package of the resolved graph, dependencies of tests and of the build included.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--locked",
            "--format-version",
            "1",
            "--filter-platform",
            &host(),
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test, so it can be run");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut graph: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let Value::Array(packages) = graph["packages"].take() else {
        panic!("cargo metadata lists no packages")
    };
    packages
}

fn host() -> String {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc stands beside cargo");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("rustc names its host")
        .to_owned()
}

/// Whether a licence expression can be satisfied from the list; an error for what is no expression.
fn allows(expression: &str) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = any_of(&mut rest)?;
    match rest {
        [] => Ok(allowed),
        [word, ..] => Err(format!("unexpected {word:?}")),
    }
}

fn any_of(rest: &mut &[&str]) -> Result<bool, String> {
    let mut allowed = all_of(rest)?;
    while take(rest, "OR") {
        allowed |= all_of(rest)?;
    }
    Ok(allowed)
}

fn all_of(rest: &mut &[&str]) -> Result<bool, String> {
    let mut allowed = one(rest)?;
    while take(rest, "AND") {
        allowed &= one(rest)?;
    }
    Ok(allowed)
}

fn one(rest: &mut &[&str]) -> Result<bool, String> {
    if take(rest, "(") {
        let allowed = any_of(rest)?;
        return if take(rest, ")") {
            Ok(allowed)
        } else {
            Err("a parenthesis is not closed".to_owned())
        };
    }
    let mut licence = name(rest)?.to_owned();
    if take(rest, "WITH") {
        licence = format!("{licence} WITH {}", name(rest)?);
    }
    Ok(ALLOWED_LICENCES.contains(&licence.as_str()))
}

fn name<'a>(rest: &mut &[&'a str]) -> Result<&'a str, String> {
    match *rest {
        [word, after @ ..] if !["AND", "OR", "WITH", "(", ")"].contains(word) => {
            *rest = after;
            Ok(word)
        }
        [word, ..] => Err(format!("a licence is expected, not {word:?}")),
        [] => Err("a licence is expected at the end".to_owned()),
    }
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match *rest {
        [first, after @ ..] if *first == word => {
            *rest = after;
            true
        }
        _ => false,
    }
}
