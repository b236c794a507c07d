//! The documents tell of this project as it is: the files, targets, settings and metrics that they name are those that exist.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vigie::config::Settings;
use vigie::telemetry::Metrics;

const DOCUMENTS: [&str; 2] = ["README.md", "src/ARCHITECTURE.md"];
/// What a path in a document begins with; anything else in backticks is no path of the project.
const TOPS: [&str; 6] = [".ci/", "deploy/", "models/", "proto/", "src/", "tests/"];
/// What appears only while somebody follows the document.
const MADE_BY_THE_READER: [&str; 1] = ["models/adsafety/3"];

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(project().join(path)).unwrap()
}

/// What stands between single backticks, block by block.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split("```")
        .step_by(2)
        .flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

#[test]
fn every_file_that_a_document_names_exists() {
    for document in DOCUMENTS {
        let text = read(document);
        let paths: Vec<&str> = quoted(&text)
            .filter(|quote| TOPS.iter().any(|top| quote.starts_with(top)))
            .collect();
        assert!(!paths.is_empty(), "{document} names no file");
        for path in paths {
            let made = MADE_BY_THE_READER.iter().any(|made| path.starts_with(made));
            assert!(
                made || project().join(path).exists(),
                "{document} names {path}, which does not exist"
            );
        }
    }
}

#[test]
fn every_target_that_a_document_names_exists() {
    let makefile = read("Makefile");
    for document in DOCUMENTS {
        let text = read(document);
        for target in quoted(&text).filter_map(|quote| quote.strip_prefix("make ")) {
            let target = target.split(' ').next().unwrap_or_default();
            assert!(
                makefile.lines().any(|line| line.starts_with(&format!("{target}:"))),
                "{document} names `make {target}`"
            );
        }
    }
}

/// The rows of a table whose first cell is in backticks and begins so: name and second cell.
fn rows(text: &str, begins: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
    let rows = text.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let cell = rest.split(" |").next()?.trim();
        begins(name).then(|| (name.to_owned(), cell.trim_matches('`').to_owned()))
    });
    rows.collect()
}

#[test]
fn the_table_of_settings_is_the_configuration() {
    let defaults: toml::Table = Settings::default().to_toml().parse().unwrap();
    let mut expected = BTreeMap::new();
    for (name, value) in &defaults {
        match value {
            toml::Value::Table(section) => {
                expected.extend(
                    section
                        .iter()
                        .map(|(key, value)| (format!("{name}.{key}"), value.to_string())),
                );
            }
            value => drop(expected.insert(name.clone(), value.to_string())),
        }
    }
    let text = read("README.md");
    let (_, configuration) = text.split_once("## Configuration").unwrap();
    let section = configuration.split("\n## ").next().unwrap();
    assert_eq!(rows(section, |_| true), expected);
}

#[test]
fn the_table_of_metrics_is_what_is_measured() {
    let page = Metrics::new().encode_plain();
    let measured: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .collect();
    let told = rows(&read("README.md"), |name| {
        name.starts_with("vigie_") || name.starts_with("process_")
    });
    for name in &measured {
        assert!(told.contains_key(*name), "README.md does not tell of {name}");
    }
}
