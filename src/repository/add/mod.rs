//! New versions and resealed ones: what people do by hand otherwise, and get wrong.
//!
//! A version is prepared aside, held against the very rules that a scan applies, and only then renamed into place, the manifest having been written last. How a
//! picture is scored is passed in, because this room does not run models. A given file is never changed.

mod files;
mod request;
mod reseal;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::{Digest, IdError, ModelName, RevisionId, Version};

use super::found::VersionFound;
use super::manifest::{Golden, GoldenCase, GoldenSource, MANIFEST, Manifest};
use super::names::FileName;
use super::onnx::{self, OutlineError};

pub use files::ScoresError;
pub use request::{AddError, AddRequest, Added, ScoreRequest, Scorer};
pub use reseal::reseal;

/// Makes a whole version of an ONNX file: manifest, hashes, golden pictures with their scores.
///
/// # Errors
/// See [`AddError`].
pub fn add(request: &AddRequest, scorer: &mut Scorer<'_>) -> Result<Added, AddError> {
    let existing = files::existing_versions(&request.repository, &request.model)?;
    let template = choose_template(request, &existing)?;
    let version = files::next_version(&request.repository.join(request.model.as_str()))?;
    let model_folder = request.repository.join(request.model.as_str());
    std::fs::create_dir_all(&model_folder).map_err(|source| files::at(&model_folder, source))?;
    let aside = files::Aside::new(&model_folder)?;

    let mut digests = copy_model(request, aside.path())?;
    let mut remarks = Vec::new();
    let golden = match &template {
        None => {
            remarks.push(
                "it is a plain tensor model: it answers the Open Inference Protocol and judges no pictures".into(),
            );
            None
        }
        Some(template) => {
            remarks.extend(template.remarks());
            Some(write_manifest(request, template, aside.path(), &mut digests, scorer)?)
        }
    };
    let revision = whole_revision(aside.path(), &request.model)?;
    let directory = model_folder.join(version.to_string());
    aside.publish(&directory)?;
    let like = template.map(|template| template.version);
    Ok(Added {
        version,
        directory,
        revision,
        golden,
        like,
        remarks,
    })
}

/// The version that a new one is like.
struct Template {
    version: Version,
    directory: PathBuf,
    manifest: Manifest,
}

impl Template {
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.manifest.head.calibration().is_some() {
            remarks.push(format!(
                "its calibration is version {}'s: fit it to the new weights and reseal, or its probabilities may be off",
                self.version
            ));
        }
        remarks.push("it states no [metrics] yet: measure it and add them, they change no revision".into());
        remarks
    }
}

fn choose_template(request: &AddRequest, existing: &BTreeMap<Version, PathBuf>) -> Result<Option<Template>, AddError> {
    let with_manifest = |(version, directory): (&Version, &PathBuf)| {
        directory.join(MANIFEST).exists().then(|| (*version, directory.clone()))
    };
    let chosen = match request.like {
        Some(version) => {
            let have = || {
                existing
                    .iter()
                    .filter_map(with_manifest)
                    .map(|(version, _)| version)
                    .collect()
            };
            let found = existing.get_key_value(&version).and_then(with_manifest);
            let missing = || AddError::NoSuchVersion {
                model: request.model.clone(),
                version,
                have: have(),
            };
            Some(found.ok_or_else(missing)?)
        }
        None => existing.iter().rev().find_map(with_manifest),
    };
    let Some((version, directory)) = chosen else {
        if request.samples.is_some() || request.scores.is_some() {
            return Err(AddError::NothingToBeLike(request.model.clone()));
        }
        return Ok(None);
    };
    let manifest = files::read_manifest(&directory)?;
    Ok(Some(Template {
        version,
        directory,
        manifest,
    }))
}

/// Copies the model and the weight files that it reads.
fn copy_model(request: &AddRequest, aside: &Path) -> Result<BTreeMap<FileName, Digest>, AddError> {
    let path = &request.onnx;
    let file = std::fs::File::open(path).map_err(|source| files::at(path, source))?;
    let bytes = file.metadata().map_err(|source| files::at(path, source))?.len();
    let outline = onnx::outline(&file, bytes).map_err(|error| match error {
        OutlineError::NotOnnx(reason) => AddError::NotOnnx {
            path: path.clone(),
            reason,
        },
        OutlineError::Io(source) => files::at(path, source),
    })?;
    let mut digests = BTreeMap::from([(FileName::model(), files::copy(path, &aside.join("model.onnx"))?)]);
    for location in outline.external.keys() {
        let external = |_: IdError| AddError::ExternalData {
            path: path.clone(),
            location: location.clone(),
        };
        let name: FileName = location.parse().map_err(external)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let digest = files::copy(&name.under(folder), &name.under(aside))?;
        digests.insert(name, digest);
    }
    Ok(digests)
}

/// Completes a judging version; the manifest is written last.
fn write_manifest(
    request: &AddRequest,
    template: &Template,
    aside: &Path,
    digests: &mut BTreeMap<FileName, Digest>,
    scorer: &mut Scorer<'_>,
) -> Result<GoldenSource, AddError> {
    let labels: String = template
        .manifest
        .head
        .labels()
        .iter()
        .map(|label| format!("{label}\n"))
        .collect();
    digests.insert(
        FileName::labels(),
        files::write(&aside.join("labels"), labels.as_bytes())?,
    );
    let golden = match &request.scores {
        Some(scores) => files::golden_of_training(scores, request.samples.as_deref(), template.manifest.head.labels())?,
        None => own_golden(request, template, aside, scorer)?,
    };
    let source = golden.source;
    let mut manifest = template.manifest.clone();
    manifest.golden = Golden {
        source,
        tolerance: golden.tolerance,
        cases: Vec::new(),
    };
    for (at, (picture, scores)) in golden.cases.into_iter().enumerate() {
        let extension = picture
            .extension()
            .map(|extension| extension.to_string_lossy().to_lowercase());
        let name = format!("golden/{at:02}.{}", extension.unwrap_or_else(|| "bin".into()));
        let file: FileName = name
            .parse()
            .map_err(|error: IdError| AddError::NotWhole(error.to_string()))?;
        digests.insert(file.clone(), files::copy(&picture, &file.under(aside))?);
        manifest.golden.cases.push(GoldenCase { file, scores });
    }
    manifest.files = std::mem::take(digests);
    manifest.metrics = toml::Table::new();
    manifest.provenance = provenance(request, template.version);
    let text = manifest.to_toml();
    let path = aside.join(MANIFEST);
    Manifest::parse(&text).map_err(|source| AddError::Manifest {
        path: path.clone(),
        source,
    })?;
    files::write(&path, text.as_bytes())?;
    Ok(source)
}

fn provenance(request: &AddRequest, like: Version) -> toml::Table {
    let file = request
        .onnx
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    toml::Table::from_iter([
        ("added_from".to_owned(), toml::Value::String(file)),
        ("like_version".to_owned(), toml::Value::Integer(like.get())),
    ])
}

/// Golden scores that the new model itself gives.
fn own_golden(
    request: &AddRequest,
    template: &Template,
    aside: &Path,
    scorer: &mut Scorer<'_>,
) -> Result<files::GoldenPictures, AddError> {
    let pictures = match &request.samples {
        Some(folder) => files::pictures(folder)?,
        None => template
            .manifest
            .golden
            .cases
            .iter()
            .map(|case| case.file.under(&template.directory))
            .collect(),
    };
    let asked = score_request(&request.model, &template.manifest, aside, pictures);
    let scores = score(&asked, scorer)?;
    Ok(files::GoldenPictures {
        source: GoldenSource::Itself,
        tolerance: template.manifest.golden.tolerance,
        cases: asked.pictures.into_iter().zip(scores).collect(),
    })
}

fn score_request(model: &ModelName, manifest: &Manifest, directory: &Path, pictures: Vec<PathBuf>) -> ScoreRequest {
    ScoreRequest {
        model: model.clone(),
        onnx: FileName::model().under(directory),
        input: manifest.input.clone(),
        output: manifest.output.clone(),
        head: manifest.head.clone(),
        preprocessing: manifest.preprocessing.clone(),
        optimization: manifest.runtime.optimization,
        pictures,
    }
}

fn score(request: &ScoreRequest, scorer: &mut Scorer<'_>) -> Result<Vec<Vec<f32>>, AddError> {
    let scores = scorer(request).map_err(AddError::NotScored)?;
    if scores.len() != request.pictures.len() {
        let (expected, got) = (request.pictures.len(), scores.len());
        return Err(AddError::NotScored(format!("{got} of {expected} pictures were scored")));
    }
    Ok(scores)
}

/// The revision of a prepared version, once a scan's own rules find it whole.
fn whole_revision(directory: &Path, model: &ModelName) -> Result<RevisionId, AddError> {
    match files::inspect(directory, model)? {
        VersionFound::Complete(candidate) => Ok(candidate.revision),
        VersionFound::Incomplete { reason }
        | VersionFound::Rejected { reason, .. }
        | VersionFound::Waiting { reason } => Err(AddError::NotWhole(reason)),
    }
}
