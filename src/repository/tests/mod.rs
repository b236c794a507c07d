//! Tests of the repository's promises, and what they share: small repositories on the disk and a clock of their own.

mod adds;
mod checks;
mod manifests;
mod outlines;
mod scans;
mod seals;
mod swaps;
mod watches;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::found::{Candidate, Scan, VersionFound};
use super::hashing::digest_of;
use super::scan::{Repository, RepositoryOptions};
use super::settling::Moment;
use super::watch::Hint;
use crate::base::{ModelName, Version};

/// A field of a protocol buffer that holds bytes.
pub(super) fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = content.len();
    while length > 127 {
        bytes.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(content);
    bytes
}

/// The smallest file that is an ONNX model from outside; `seed` makes its bytes differ, `external` names a weight file with the bytes it must have.
pub(super) fn onnx(seed: u8, external: Option<(&str, usize)>) -> Vec<u8> {
    let mut graph = field(2, b"graph");
    // A tensor with its weights in `raw_data`.
    graph.extend(field(5, &field(9, &[seed; 300])));
    if let Some((location, bytes)) = external {
        let entry =
            |key: &str, value: &str| field(13, &[field(1, key.as_bytes()), field(2, value.as_bytes())].concat());
        let mut tensor = [entry("location", location), entry("length", &bytes.to_string())].concat();
        tensor.extend([14 << 3, 1]);
        graph.extend(field(5, &tensor));
    }
    let mut model = vec![1 << 3, 8];
    model.extend(field(7, &graph));
    model.extend(field(8, &[2 << 3, 17]));
    model
}

/// The text of a manifest of two labels over these files; those called `golden/…` become golden cases.
pub(super) fn manifest(files: &[(&str, &[u8])]) -> String {
    let digests: Vec<_> = files
        .iter()
        .map(|(name, bytes)| format!("{name:?} = \"{}\"", digest_of(bytes)))
        .collect();
    let golden = files.iter().filter(|(name, _)| name.starts_with("golden/"));
    let cases: Vec<_> = golden
        .map(|(name, _)| format!("{{ file = {name:?}, scores = [0.25, 0.75] }}"))
        .collect();
    format!(
        r#"format = 1
labels = ["firearm", "alcohol"]
[files]
{}
[input]
name = "image"
[output]
name = "logits"
activation = "sigmoid"
[preprocessing]
width = 32
height = 32
resize = "bilinear"
fit = "contain"
color = "rgb"
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
orientation = "apply"
background = [255, 255, 255]
[golden]
source = "training"
tolerance = 0.002
cases = [{}]
"#,
        digests.join("\n"),
        cases.join(", ")
    )
}

pub(super) const PICTURE: &[u8] = b"a picture";

/// A repository with a clock that only moves when told.
pub(super) struct Place {
    directory: tempfile::TempDir,
    pub(super) repository: Repository,
    now: Moment,
}

impl Place {
    pub(super) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("models")).unwrap();
        let repository = Repository::open(&directory.path().join("models"), RepositoryOptions::default()).unwrap();
        let now = Moment {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        };
        Self {
            directory,
            repository,
            now,
        }
    }

    pub(super) fn outside(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join("models").join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// A version with a manifest, all of it in order.
    pub(super) fn write_version(&self, name: &str, seed: u8) {
        let model = onnx(seed, None);
        let files: [(&str, &[u8]); 2] = [("model.onnx", &model), ("golden/0.jpg", PICTURE)];
        for (file, bytes) in files {
            self.write(&format!("{name}/{file}"), bytes);
        }
        self.write(&format!("{name}/version.toml"), manifest(&files));
    }

    /// Lets time pass between scans. Files are stamped by the system's clock, so that one is not moved.
    pub(super) fn pass(&mut self, span: Duration) {
        self.now.monotonic += span;
    }

    /// Looks, and lets the settling time pass: what is whole now has settled at the next look.
    pub(super) fn settle(&mut self) {
        self.scan();
        self.pass(Duration::from_secs(2));
    }

    /// Makes every file look older than it is.
    pub(super) fn grow_old(&mut self, span: Duration) {
        self.now.wall = SystemTime::now() + span;
    }

    /// As the watch does.
    pub(super) fn arrived(&mut self, name: &str) {
        self.repository.note(&Hint {
            arrived: vec![self.path(name)],
            is_overflow: false,
        });
    }

    pub(super) fn scan(&mut self) -> Scan {
        self.repository.scan_at(self.now).unwrap()
    }

    /// What one version is found to be now.
    pub(super) fn version(&mut self, model: &str, number: i64) -> VersionFound {
        let mut scan = self.scan();
        let model = scan
            .models
            .get_mut(&model.parse::<ModelName>().unwrap())
            .expect("the model is found");
        model
            .versions
            .remove(&Version::try_from(number).unwrap())
            .expect("the version is found")
    }

    pub(super) fn candidate(&mut self, model: &str, number: i64) -> Candidate {
        match self.version(model, number) {
            VersionFound::Complete(candidate) => candidate,
            other => panic!("not complete: {other:?}"),
        }
    }
}

pub(super) fn reason(found: &VersionFound) -> &str {
    match found {
        VersionFound::Complete(_) => "",
        VersionFound::Incomplete { reason }
        | VersionFound::Rejected { reason, .. }
        | VersionFound::Waiting { reason } => reason,
    }
}
