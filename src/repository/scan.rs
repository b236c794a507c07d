//! One look at the whole repository.
//!
//! A scan is complete in itself: it reads the disk as it is and needs no event to have been heard. What the watch hears only makes it happen earlier and spares
//! whole files their settling time. It never answers that something is gone because it could not be read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::base::{ModelName, Version};

use super::found::{ModelFound, PolicyFile, Problem, Refused, Scan, VersionFound};
use super::hashing::{self, HashCache};
use super::inspect::{Inspector, Place};
use super::layout::{Entry, EntryKind, Root, Unusable};
use super::names::FileName;
use super::settings::ModelSettings;
use super::settling::{Moment, Settling};
use super::texts::Texts;
use super::triton::TritonConfig;
use super::watch::Hint;

/// The files that a model's directory may hold beside its versions.
pub(super) const SETTINGS: &str = "model.toml";
pub(super) const POLICY: &str = "policy.toml";
pub(super) const TRITON: &str = "config.pbtxt";

/// How patiently the repository is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepositoryOptions {
    /// For how long a file that nothing proves whole must not have changed.
    pub settle: Duration,
    /// For how long a version that does not match its manifest must not have changed before it is rejected.
    pub reject_after: Duration,
}

impl Default for RepositoryOptions {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(1),
            reject_after: Duration::from_secs(60),
        }
    }
}

/// Why there is no scan. What was found before stays true.
#[derive(Debug, thiserror::Error)]
#[error("the model repository {} cannot be read: {source}; check that the folder exists and may be read", path.display())]
pub struct ScanError {
    pub path: PathBuf,
    #[source]
    pub source: io::Error,
}

/// A model repository, and what is remembered of it between scans.
#[derive(Debug)]
pub struct Repository {
    path: PathBuf,
    inspector: Inspector,
    texts: Texts,
    known: BTreeMap<ModelName, BTreeSet<Version>>,
    /// Models whose settings and policy were whole once.
    begun: BTreeSet<ModelName>,
}

impl Repository {
    /// Opens the repository at a path.
    ///
    /// # Errors
    /// When there is no such folder or it cannot be read.
    pub fn open(path: &Path, options: RepositoryOptions) -> Result<Self, ScanError> {
        let root = Root::resolve(path).map_err(|source| ScanError {
            path: path.to_owned(),
            source,
        })?;
        let inspector = Inspector {
            options,
            root,
            moment: Moment {
                monotonic: Instant::now(),
                wall: SystemTime::now(),
            },
            hashes: HashCache::new(hashing::STEP_BYTES),
            settling: Settling::default(),
            outlines: HashMap::new(),
            look_again: None,
        };
        Ok(Self {
            path: path.to_owned(),
            inspector,
            texts: Texts::default(),
            known: BTreeMap::new(),
            begun: BTreeSet::new(),
        })
    }

    /// Takes note of what the watch heard, before the scan that it asks for.
    pub fn note(&mut self, hint: &Hint) {
        self.inspector.settling.arrive(&hint.arrived);
    }

    /// Looks at everything. Reads files, but those that did not change only once: to be called off the request path.
    ///
    /// # Errors
    /// When the repository itself cannot be read; then nothing is known to have changed.
    pub fn scan(&mut self, now: Instant) -> Result<Scan, ScanError> {
        self.scan_at(Moment {
            monotonic: now,
            wall: SystemTime::now(),
        })
    }

    pub(super) fn scan_at(&mut self, moment: Moment) -> Result<Scan, ScanError> {
        let unreadable = |source| ScanError {
            path: self.path.clone(),
            source,
        };
        let root = Root::resolve(&self.path).map_err(unreadable)?;
        let entries = root.list(root.path()).map_err(|error| unreadable(into_io(error)))?;
        let inspector = &mut self.inspector;
        (inspector.root, inspector.moment, inspector.look_again) = (root, moment, None);
        inspector.hashes.begin_scan();
        let bytes_before = inspector.hashes.bytes_read();

        let mut scan = Scan::default();
        for entry in entries {
            self.scan_entry(entry, &mut scan);
        }
        self.known = scan
            .models
            .iter()
            .map(|(name, model)| (name.clone(), model.versions.keys().copied().collect()))
            .collect();
        self.begun.retain(|model| scan.models.contains_key(model));
        self.inspector.settling.end_scan();
        self.texts.end_scan();
        if self.inspector.outlines.len() > MOST_OUTLINES {
            self.inspector.outlines.clear();
        }
        scan.look_again = self.inspector.look_again;
        scan.bytes_hashed = self.inspector.hashes.bytes_read() - bytes_before;
        Ok(scan)
    }

    fn scan_entry(&mut self, entry: Entry, scan: &mut Scan) {
        let Entry { name, path, kind } = entry;
        let shown = self.path.join(&name);
        let refused = |reason: String| Refused {
            path: shown.clone(),
            reason,
        };
        if is_passed_over(&name) {
            return scan.ignored.push(refused("hidden or temporary".into()));
        }
        let model = match kind {
            EntryKind::Refused(reason) => return scan.refused.push(refused(reason)),
            EntryKind::File => return scan.ignored.push(refused("a file beside the models".into())),
            EntryKind::Directory | EntryKind::Unreadable(_) => match name.parse::<ModelName>() {
                Ok(model) => model,
                Err(error) => return scan.refused.push(refused(error.to_string())),
            },
        };
        let found = match kind {
            EntryKind::Unreadable(reason) => Err(reason),
            EntryKind::Directory | EntryKind::File | EntryKind::Refused(_) => {
                self.scan_model(&model, &path, scan).map_err(|error| error.to_string())
            }
        };
        let found = found.unwrap_or_else(|reason| self.unreadable(&model, &path, reason));
        let found = self.begun(&model, found);
        if found.is_empty() {
            scan.ignored
                .push(refused("holds neither a version nor a model's configuration".into()));
        } else {
            scan.models.insert(model, found);
        }
    }

    /// A model as it was found; its versions wait while it is new and its settings or its policy are still being written. Without them it would begin
    /// as something else, and what went live first stays so.
    fn begun(&mut self, model: &ModelName, mut found: ModelFound) -> ModelFound {
        if !self.texts.take_awaited() || self.begun.contains(model) {
            self.begun.insert(model.clone());
            return found;
        }
        for version in found.versions.values_mut() {
            let reason = "its model's configuration may still be written: it changed a moment ago".into();
            *version = VersionFound::Waiting { reason };
        }
        found
    }

    fn scan_model(&mut self, model: &ModelName, directory: &Path, scan: &mut Scan) -> Result<ModelFound, Unusable> {
        let shown = self.path.join(model.as_str());
        let mut found = ModelFound {
            settings: Ok(ModelSettings::default()),
            policy: None,
            triton: None,
            versions: BTreeMap::new(),
        };
        let mut places = Vec::new();
        for Entry { name, path, kind } in self.inspector.root.list(directory)? {
            let refused = |reason: String| Refused {
                path: shown.join(&name),
                reason,
            };
            if let SETTINGS | POLICY | TRITON = name.as_str() {
                let path = shown.join(&name);
                found.take_text(model, &name, &path, self.read_text(kind, &path));
                continue;
            }
            let looks_like_a_version = name.bytes().all(|byte| byte.is_ascii_digit());
            match (kind, name.parse::<Version>()) {
                (EntryKind::Refused(reason), _) => scan.refused.push(refused(reason)),
                (EntryKind::Directory, Ok(version)) => places.push((version, path)),
                (EntryKind::Unreadable(reason), Ok(version)) => {
                    found.versions.insert(version, self.waiting(&path, reason));
                }
                (EntryKind::File, Ok(_)) => {
                    scan.refused
                        .push(refused("a file; a version is a folder with model.onnx in it".into()));
                }
                (_, Err(error)) if looks_like_a_version => scan.refused.push(refused(error.to_string())),
                (EntryKind::Directory | EntryKind::File | EntryKind::Unreadable(_), Err(_)) => {
                    scan.ignored.push(refused("no version".into()));
                }
            }
        }
        let model_file = match &found.triton {
            Some(Ok(triton)) => triton.model_file.clone(),
            Some(Err(_)) | None => FileName::model(),
        };
        for (version, directory) in places {
            let must_judge = found.policy.is_some();
            let place = Place {
                model: model.clone(),
                version,
                directory,
                shown: shown.join(version.to_string()),
                model_file: model_file.clone(),
                must_judge,
            };
            found.versions.insert(version, self.inspector.inspect(&place));
        }
        Ok(found)
    }

    /// The text of one of the files beside the versions.
    fn read_text(&mut self, kind: EntryKind, path: &Path) -> Result<PolicyFile, Problem> {
        let text = match kind {
            EntryKind::File => self.texts.read(&mut self.inspector, path),
            EntryKind::Directory => Err("is a folder where a file is expected".into()),
            EntryKind::Refused(reason) | EntryKind::Unreadable(reason) => Err(reason),
        };
        text.map_err(|reason| problem(path, reason))
    }

    fn waiting(&mut self, directory: &Path, reason: String) -> VersionFound {
        let wait = self.inspector.settling.back_off(directory, self.inspector.moment);
        self.inspector.wake_after(wait);
        VersionFound::Waiting { reason }
    }

    /// A model whose folder cannot be read keeps the versions that it had.
    fn unreadable(&mut self, model: &ModelName, directory: &Path, reason: String) -> ModelFound {
        let problem = Problem {
            path: self.path.join(model.as_str()),
            reason,
        };
        let waiting = self.waiting(directory, problem.to_string());
        let known = self.known.get(model).cloned().unwrap_or_default();
        ModelFound {
            settings: Err(problem.clone()),
            policy: Some(Err(problem)),
            triton: None,
            versions: known.into_iter().map(|version| (version, waiting.clone())).collect(),
        }
    }
}

/// The outlines of more model files than this are not kept.
const MOST_OUTLINES: usize = 1000;

fn problem(path: &Path, reason: String) -> Problem {
    Problem {
        path: path.to_owned(),
        reason,
    }
}

impl ModelFound {
    fn take_text(&mut self, model: &ModelName, name: &str, path: &Path, read: Result<PolicyFile, Problem>) {
        let problem = |reason| problem(path, reason);
        match name {
            SETTINGS => {
                self.settings = read.and_then(|text| ModelSettings::parse(&text.text).map_err(problem));
            }
            POLICY => self.policy = Some(read),
            _ => {
                let parsed = read.and_then(|text| TritonConfig::parse(&text.text, model.as_str()).map_err(problem));
                self.triton = Some(parsed.map(Arc::new));
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.versions.is_empty()
            && self.policy.is_none()
            && self.triton.is_none()
            && self.settings == Ok(ModelSettings::default())
    }
}

/// The names under which writers prepare what they will rename into place.
fn is_passed_over(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("tmp")
}

fn into_io(error: Unusable) -> io::Error {
    match error {
        Unusable::Missing => io::ErrorKind::NotFound.into(),
        Unusable::Refused(reason) => io::Error::new(io::ErrorKind::PermissionDenied, reason),
        Unusable::Passing(error) => error,
    }
}
