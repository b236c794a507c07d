//! After a deliberate edit: the manifest's hashes made true again.
//!
//! Only hashes and, where they came from the model itself, golden scores are written; comments, order and everything else in the manifest stay as people wrote
//! them. Scores from the training pipeline are kept: whether the edited version still earns them is for its proof to say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, Value};

use crate::base::{Digest, ModelName};

use super::super::hashing::copy_hashing;
use super::super::manifest::{GoldenSource, MANIFEST, Manifest};
use super::super::names::FileName;
use super::super::onnx::{self, OutlineError};
use super::{AddError, Added, Scorer, files, score, score_request, whole_revision};

/// Makes the manifest of an existing version agree with its files.
///
/// # Errors
/// See [`AddError`]; then nothing was changed.
pub fn reseal(directory: &Path, scorer: &mut Scorer<'_>) -> Result<Added, AddError> {
    let directory = directory.canonicalize().map_err(|error| files::at(directory, error))?;
    let path = directory.join(MANIFEST);
    if !path.is_file() {
        return Err(AddError::NoManifest(directory));
    }
    let (model, version) = names(&directory)?;
    let text = fs::read_to_string(&path).map_err(|error| files::at(&path, error))?;
    let wrong = |reason: String| AddError::NotWhole(format!("{MANIFEST}: {reason}"));
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| wrong(error.to_string()))?;

    let digests = hash_files(&directory, &document)?;
    write_hashes(&mut document, &digests);
    let parsed = |document: &DocumentMut| {
        Manifest::parse(&document.to_string()).map_err(|source| AddError::Manifest {
            path: path.clone(),
            source,
        })
    };
    let mut manifest = parsed(&document)?;
    let mut remarks = Vec::new();
    if manifest.golden.source == GoldenSource::Itself {
        rescore(&mut document, &model, &manifest, &directory, scorer)?;
        manifest = parsed(&document)?;
        remarks.push("its golden scores were made anew: they come from the model itself".into());
    } else {
        remarks.push(
            "its golden scores are the training pipeline's and were kept: it serves if it still earns them".into(),
        );
    }
    files::replace(&path, document.to_string().as_bytes())?;
    let revision = whole_revision(&directory, &model).inspect_err(|_| {
        // As it was: an edit that makes no whole version is not half done. Where even this fails the first error is the one to mend.
        let _ = files::replace(&path, text.as_bytes());
    })?;
    Ok(Added {
        version,
        directory,
        revision,
        golden: Some(manifest.golden.source),
        like: None,
        remarks,
    })
}

/// The model and the version that a folder is, by its path.
fn names(directory: &Path) -> Result<(ModelName, crate::base::Version), AddError> {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let not_whole = |error: crate::base::IdError| AddError::NotWhole(format!("{}: {error}", directory.display()));
    let version = name(Some(directory)).parse().map_err(not_whole)?;
    Ok((name(directory.parent()).parse().map_err(not_whole)?, version))
}

/// The hashes of every file that belongs to the version now: those listed that still exist, the golden pictures, the labels and all weights.
fn hash_files(directory: &Path, document: &DocumentMut) -> Result<BTreeMap<FileName, Digest>, AddError> {
    let mut names = BTreeSet::from([FileName::model()]);
    let listed = document.get("files").and_then(Item::as_table_like);
    names.extend(
        listed
            .into_iter()
            .flat_map(|table| table.iter())
            .filter_map(|(name, _)| name.parse().ok()),
    );
    names.extend(golden_files(document));
    names.insert(FileName::labels());
    let mut digests = BTreeMap::new();
    for name in names {
        let path = name.under(directory);
        if path.is_file() {
            digests.insert(name, hash(&path)?);
        }
    }
    for location in weights(&FileName::model().under(directory))? {
        let name: FileName = location.parse().map_err(|_| AddError::ExternalData {
            path: FileName::model().under(directory),
            location: location.clone(),
        })?;
        let digest = hash(&name.under(directory))?;
        digests.insert(name, digest);
    }
    Ok(digests)
}

fn golden_files(document: &DocumentMut) -> Vec<FileName> {
    let file = |case: &dyn toml_edit::TableLike| case.get("file")?.as_str()?.parse().ok();
    match document.get("golden").and_then(|golden| golden.get("cases")) {
        Some(Item::Value(Value::Array(cases))) => {
            cases.iter().filter_map(|case| file(case.as_inline_table()?)).collect()
        }
        Some(Item::ArrayOfTables(cases)) => cases.iter().filter_map(|case| file(case)).collect(),
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => Vec::new(),
    }
}

fn hash(path: &Path) -> Result<Digest, AddError> {
    let hashed = File::open(path).and_then(|mut file| copy_hashing(&mut file, |_| Ok(())));
    hashed.map_err(|error| files::at(path, error))
}

/// The weight files that a model reads beside itself.
fn weights(path: &Path) -> Result<Vec<String>, AddError> {
    let file = File::open(path).map_err(|error| files::at(path, error))?;
    let bytes = file.metadata().map_err(|error| files::at(path, error))?.len();
    let outline = onnx::outline(file, bytes).map_err(|error| match error {
        OutlineError::NotOnnx(reason) => AddError::NotOnnx {
            path: path.to_owned(),
            reason,
        },
        OutlineError::Io(source) => files::at(path, source),
    })?;
    Ok(outline.external.into_keys().collect())
}

/// Sets each hash in place, so that comments stay, adds those of new files and drops those of files that are gone.
fn write_hashes(document: &mut DocumentMut, digests: &BTreeMap<FileName, Digest>) {
    let item = document.entry("files").or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = item.as_table_like_mut() else {
        *item = Item::Table(Table::new());
        return write_hashes(document, digests);
    };
    let gone: Vec<String> = table
        .iter()
        .map(|(name, _)| name.to_owned())
        .filter(|name| !name.parse::<FileName>().is_ok_and(|name| digests.contains_key(&name)))
        .collect();
    for name in gone {
        table.remove(&name);
    }
    for (name, digest) in digests {
        set(table, name.as_str(), Value::from(digest.to_string()));
    }
}

/// Replaces a value but keeps the blanks and the comment around it.
fn set(table: &mut dyn toml_edit::TableLike, key: &str, mut value: Value) {
    if let Some(before) = table.get(key).and_then(Item::as_value) {
        *value.decor_mut() = before.decor().clone();
    }
    table.insert(key, Item::Value(value));
}

/// Writes the scores that the model gives its golden pictures now.
fn rescore(
    document: &mut DocumentMut,
    model: &ModelName,
    manifest: &Manifest,
    directory: &Path,
    scorer: &mut Scorer<'_>,
) -> Result<(), AddError> {
    let pictures: Vec<PathBuf> = manifest
        .golden
        .cases
        .iter()
        .map(|case| case.file.under(directory))
        .collect();
    let scores = score(&score_request(model, manifest, directory, pictures), scorer)?;
    let arrays = scores.iter().map(|scores| {
        scores
            .iter()
            .map(|score| score.to_string().parse().unwrap_or_else(|_| f64::from(*score)))
            .collect::<toml_edit::Array>()
    });
    let cases = document.get_mut("golden").and_then(|golden| golden.get_mut("cases"));
    let tables: Vec<&mut dyn toml_edit::TableLike> = match cases {
        Some(Item::Value(Value::Array(cases))) => {
            let tables = cases.iter_mut().filter_map(Value::as_inline_table_mut);
            tables.map(|table| table as &mut dyn toml_edit::TableLike).collect()
        }
        Some(Item::ArrayOfTables(cases)) => cases
            .iter_mut()
            .map(|table| table as &mut dyn toml_edit::TableLike)
            .collect(),
        Some(Item::None | Item::Value(_) | Item::Table(_)) | None => Vec::new(),
    };
    for (table, array) in tables.into_iter().zip(arrays) {
        set(table, "scores", Value::Array(array));
    }
    Ok(())
}
