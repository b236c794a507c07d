//! The file work of `add`: copying while hashing, flushing, preparing aside, and reading what was given.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use crate::base::{Digest, Label, ModelName, Version};

use super::super::found::VersionFound;
use super::super::hashing::{HashCache, copy_hashing};
use super::super::inspect::{Inspector, Place};
use super::super::layout::Root;
use super::super::manifest::{GoldenSource, MANIFEST, Manifest};
use super::super::names::FileName;
use super::super::scan::RepositoryOptions;
use super::super::settling::{Moment, Settling};
use super::AddError;

const DEFAULT_TOLERANCE: f32 = 0.002;
const PICTURE_EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "bmp"];
/// More golden pictures than this make every load slow and prove little more.
const MOST_SAMPLES: usize = 64;

/// What is wrong with a file of golden scores.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: {reason}; expected is TOML or JSON with golden.cases, each a `file` and its `scores` in the order of the labels (a version.toml will do)",
    path.display()
)]
pub struct ScoresError {
    pub path: PathBuf,
    pub reason: String,
}

/// Golden pictures where they lie now, with their scores.
pub(super) struct GoldenPictures {
    pub(super) source: GoldenSource,
    pub(super) tolerance: f32,
    pub(super) cases: Vec<(PathBuf, Vec<f32>)>,
}

pub(super) fn at(path: &Path, source: io::Error) -> AddError {
    AddError::Io {
        path: path.to_owned(),
        source,
    }
}

/// Copies a file, creating its folder, and flushes it to the disk.
pub(super) fn copy(from: &Path, to: &Path) -> Result<Digest, AddError> {
    let mut source = File::open(from).map_err(|error| at(from, error))?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
    }
    let copied = File::create_new(to).and_then(|mut target| {
        let digest = copy_hashing(&mut source, |chunk| target.write_all(chunk))?;
        target.sync_all()?;
        Ok(digest)
    });
    copied.map_err(|error| at(to, error))
}

/// Writes a new file and flushes it to the disk.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Digest, AddError> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| at(path, error))?;
    Ok(super::super::hashing::digest_of(bytes))
}

/// Writes a file beside its place, flushes it and renames it there.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), AddError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let replaced = tempfile::Builder::new()
        .prefix(".incoming-")
        .tempfile_in(folder)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            if let Ok(before) = fs::metadata(path) {
                file.as_file().set_permissions(before.permissions())?;
            }
            file.persist(path)?;
            File::open(folder)?.sync_all()
        });
    replaced.map_err(|error| at(path, error))
}

/// A folder being prepared beside the versions; removed again unless it is published.
pub(super) struct Aside(tempfile::TempDir);

impl Aside {
    pub(super) fn new(model_folder: &Path) -> Result<Self, AddError> {
        let mut builder = tempfile::Builder::new();
        // Others than its maker read versions: temporary folders are private otherwise.
        builder.prefix(".incoming-").permissions(readable_by_all());
        Ok(Self(
            builder
                .tempdir_in(model_folder)
                .map_err(|error| at(model_folder, error))?,
        ))
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Renames the folder into place, where nothing may be yet.
    pub(super) fn publish(self, directory: &Path) -> Result<(), AddError> {
        let synced = File::open(self.path()).and_then(|folder| folder.sync_all());
        synced.map_err(|error| at(self.path(), error))?;
        fs::rename(self.path(), directory).map_err(|error| match error.kind() {
            io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
                AddError::Taken(directory.to_owned())
            }
            _ => at(directory, error),
        })?;
        // Its place is empty now: there is nothing to remove.
        let _ = self.0.keep();
        let folder = directory.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| at(folder, error))
    }
}

fn readable_by_all() -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt;

    fs::Permissions::from_mode(0o755)
}

/// The versions of a model that exist as folders.
pub(super) fn existing_versions(repository: &Path, model: &ModelName) -> Result<BTreeMap<Version, PathBuf>, AddError> {
    fs::read_dir(repository).map_err(|error| at(repository, error))?;
    let folder = repository.join(model.as_str());
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(at(&folder, error)),
    };
    let mut versions = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|error| at(&folder, error))?;
        if let Ok(version) = entry.file_name().to_string_lossy().parse()
            && entry.path().is_dir()
        {
            versions.insert(version, entry.path());
        }
    }
    Ok(versions)
}

/// One more than the highest number that anything in the model's folder has.
pub(super) fn next_version(folder: &Path) -> Result<Version, AddError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Version::try_from(1).map_err(|error| AddError::NotWhole(error.to_string()));
        }
        Err(error) => return Err(at(folder, error)),
    };
    let mut highest = 0;
    for entry in entries {
        let entry = entry.map_err(|error| at(folder, error))?;
        if let Ok(number) = entry.file_name().to_string_lossy().parse::<i64>() {
            highest = highest.max(number);
        }
    }
    Version::try_from(highest.saturating_add(1)).map_err(|error| AddError::NotWhole(error.to_string()))
}

pub(super) fn read_manifest(directory: &Path) -> Result<Manifest, AddError> {
    let path = directory.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|error| at(&path, error))?;
    Manifest::parse(&text).map_err(|source| AddError::Manifest { path, source })
}

/// The pictures in a folder, by name.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, AddError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| at(folder, error))? {
        let path = entry.map_err(|error| at(folder, error))?.path();
        let extension = path
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        if extension.is_some_and(|extension| PICTURE_EXTENSIONS.contains(&extension.as_str())) && path.is_file() {
            found.push(path);
        }
    }
    found.sort();
    found.truncate(MOST_SAMPLES);
    if found.is_empty() {
        Err(AddError::NoSamples(folder.to_owned()))
    } else {
        Ok(found)
    }
}

#[derive(Deserialize)]
struct ScoresFile {
    labels: Option<Vec<Label>>,
    golden: ScoresSection,
}

#[derive(Deserialize)]
struct ScoresSection {
    source: Option<GoldenSource>,
    tolerance: Option<f32>,
    cases: Vec<ScoresCase>,
}

#[derive(Deserialize)]
struct ScoresCase {
    file: FileName,
    scores: Vec<f32>,
}

/// Reads golden scores that a training pipeline wrote. Its files lie in `samples`, else beside it.
pub(super) fn golden_of_training(
    path: &Path,
    samples: Option<&Path>,
    labels: &[Label],
) -> Result<GoldenPictures, AddError> {
    let text = fs::read_to_string(path).map_err(|error| at(path, error))?;
    let wrong = |reason: String| ScoresError {
        path: path.to_owned(),
        reason,
    };
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    let read: ScoresFile = if is_json {
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?
    } else {
        toml::from_str(&text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?
    };
    if read.labels.as_ref().is_some_and(|given| given != labels) {
        return Err(wrong("its labels are not those of the version that the new one is like".into()).into());
    }
    let folder = samples.or(path.parent()).unwrap_or(Path::new("."));
    let cases = read
        .golden
        .cases
        .into_iter()
        .map(|case| (case.file.under(folder), case.scores))
        .collect();
    Ok(GoldenPictures {
        source: read.golden.source.unwrap_or(GoldenSource::Training),
        tolerance: read.golden.tolerance.unwrap_or(DEFAULT_TOLERANCE),
        cases,
    })
}

/// What a scan would make of a folder as a version, without patience.
pub(super) fn inspect(directory: &Path, model: &ModelName) -> Result<VersionFound, AddError> {
    let root = Root::resolve(directory).map_err(|error| at(directory, error))?;
    let place = Place {
        model: model.clone(),
        version: Version::try_from(1).map_err(|error| AddError::NotWhole(error.to_string()))?,
        directory: root.path().to_owned(),
        shown: directory.to_owned(),
        model_file: FileName::model(),
        must_judge: false,
    };
    let mut inspector = Inspector {
        options: RepositoryOptions {
            settle: Duration::ZERO,
            reject_after: Duration::ZERO,
        },
        root,
        moment: Moment {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        },
        hashes: HashCache::new(u64::MAX),
        settling: Settling::default(),
        outlines: HashMap::new(),
        look_again: None,
    };
    Ok(inspector.inspect(&place))
}
