//! The project's source files, with the room that each belongs to. It knows where files lie, not what is forbidden in them.

use std::fs;
use std::path::{Path, PathBuf};

use super::paths::{NamedPath, named_paths};

pub struct SourceFile {
    /// From the project's folder: `src/engine/session.rs`.
    pub name: String,
    /// `engine`; `main` and `lib` for the two roots.
    pub room: String,
    pub text: String,
}

impl SourceFile {
    /// Every path that the file names, `super` and `self` resolved.
    pub fn paths(&self) -> Vec<NamedPath> {
        let inside = self.name.trim_start_matches("src/").trim_end_matches(".rs");
        let module: Vec<&str> = inside
            .split('/')
            .filter(|name| !["mod", "lib", "main"].contains(name))
            .collect();
        named_paths(&self.text, &module)
    }

    /// Public items at the top of the file without a line of documentation above them and their attributes.
    pub fn undocumented_items(&self) -> Vec<String> {
        let lines: Vec<&str> = self.text.lines().collect();
        let kinds = [
            "struct", "enum", "trait", "fn", "const", "type", "static", "async", "unsafe",
        ];
        let is_item = |line: &str| {
            line.strip_prefix("pub ")
                .is_some_and(|rest| kinds.iter().any(|kind| rest.starts_with(&format!("{kind} "))))
        };
        let is_documented = |at: usize| {
            let above = lines[..at].iter().rev();
            above
                .take_while(|line| !line.is_empty() && !line.starts_with('}'))
                .any(|line| line.starts_with("///"))
        };
        let items = lines.iter().enumerate().filter(|(_, line)| is_item(line));
        items
            .filter(|(at, _)| !is_documented(*at))
            .map(|(at, line)| format!("{}:{}: {line}", self.name, at + 1))
            .collect()
    }

    /// Line and path of every use of a room: `(12, ["control", "Control"])`.
    pub fn rooms_used(&self) -> Vec<(usize, Vec<String>)> {
        let root = if self.room == "main" { "vigie" } else { "crate" };
        self.paths()
            .into_iter()
            .filter(|path| path.segments[0] == root && path.segments.len() > 1)
            .filter(|_| self.room != "lib")
            .map(|path| (path.line, path.segments[1..].to_vec()))
            .collect()
    }
}

/// Every Rust file under `src/`.
pub fn source_files() -> Vec<SourceFile> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    rust_files(&project.join("src"), &mut paths);
    let read = |path: &PathBuf| {
        let name = path
            .strip_prefix(project)
            .expect("the walk starts there")
            .to_string_lossy()
            .into_owned();
        let room = name
            .trim_start_matches("src/")
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
            .to_owned();
        SourceFile {
            text: fs::read_to_string(path).expect("source is readable text"),
            name,
            room,
        }
    };
    paths.iter().map(read).collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the entry is readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}
