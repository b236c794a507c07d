//! The folder that training reads: pictures by their hashes, `labels.csv`, and what is known of each label besides.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use super::labels::Labels;
use crate::base::Digest;
use crate::cli::show;

/// What the folder says of itself.
const README: &str = "\
# Corrected labels

Written by `vigie decisions export --corrections`. `python -m training.finetune FOLDER VERSION` reads it.

`pictures/` holds the encoded pictures as they were judged, each named by the SHA-256 of its bytes.

`labels.csv` has a picture a line: `file`, then a column for each label that anybody corrected. 1: a person said that the label is there; 0: a
person said that it is not; empty: nobody spoke of it, and nothing is known. What a model scored is no truth and is not in here.

`corrections.csv` has a line for each filled cell:

| column | says |
|---|---|
| `file`, `label`, `present` | the cell |
| `corrected_by`, `corrected_at` | who said it, and when, in UTC |
| `sampled` | how the picture came before a person; `as people looked`: nobody drew it at random, so shares in here are not those of the catalogue |
| `correction` | the correction's identity |
| `reason` | why, in the person's words |
| `note` | that it expired since, or that earlier corrections said otherwise: the last word holds |

Exceptions (an ALLOW, REVIEW or BLOCK whatever the picture shows), revoked corrections, and those about a whole partner say nothing of a picture
and are left out.
";

/// How pictures come before people, as long as nobody draws them.
const SAMPLED: &str = "as people looked";

/// A folder being written, under a name of its own until it is whole.
pub(super) struct Folder {
    aside: TempDir,
    to: PathBuf,
    /// The file of each picture, in order.
    files: Vec<(String, String)>,
}

impl Folder {
    /// Begins one that shall stand at a path where nothing is, or an empty folder.
    pub fn begin(to: &Path) -> anyhow::Result<Self> {
        if to.exists() {
            let mut entries =
                fs::read_dir(to).with_context(|| format!("{} is there already and is no folder", to.display()))?;
            if entries.next().is_some() {
                bail!("{} is not empty: name a new folder", to.display());
            }
        }
        let parent = match to.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).with_context(|| format!("make {}", parent.display()))?;
        let aside = tempfile::Builder::new().prefix(".vigie-export-").tempdir_in(parent);
        let aside = aside.with_context(|| format!("write in {}", parent.display()))?;
        fs::create_dir(aside.path().join("pictures"))?;
        Ok(Self {
            aside,
            to: to.to_owned(),
            files: Vec::new(),
        })
    }

    /// Adds a picture; false where its bytes are none that training can read.
    pub fn add(&mut self, sha256: &str, bytes: &[u8]) -> anyhow::Result<bool> {
        let found = Digest(Sha256::digest(bytes).into()).to_string();
        if found != sha256 {
            bail!("the server sent another picture than {sha256}: its bytes have the SHA-256 {found}");
        }
        let Some(ending) = ending(bytes) else { return Ok(false) };
        let file = format!("pictures/{sha256}.{ending}");
        fs::write(self.aside.path().join(&file), bytes).with_context(|| format!("write {file}"))?;
        self.files.push((sha256.to_owned(), file));
        Ok(true)
    }

    /// Writes what is known of the pictures, and puts the whole in its place.
    pub fn finish(self, labels: &Labels) -> anyhow::Result<()> {
        let path = self.aside.path();
        self.write_labels(labels, &path.join("labels.csv"))?;
        self.write_corrections(labels, &path.join("corrections.csv"))?;
        fs::File::create(path.join("README.md"))?.write_all(README.as_bytes())?;
        readable(path)?;
        // Over an empty folder it is renamed too; anything else refuses it.
        fs::rename(path, &self.to).with_context(|| format!("put the folder at {}", self.to.display()))?;
        drop(self.aside.keep());
        Ok(())
    }

    fn write_labels(&self, labels: &Labels, path: &Path) -> anyhow::Result<()> {
        let names = labels.names();
        let mut table = csv::Writer::from_path(path)?;
        table.write_record(["file"].into_iter().chain(names.iter().copied()))?;
        for (picture, file) in &self.files {
            let cell = |name: &&str| {
                let kept = labels.of(picture).find(|kept| kept.word.label == **name);
                kept.map_or("", |kept| if kept.word.present { "1" } else { "0" })
            };
            table.write_record([file.as_str()].into_iter().chain(names.iter().map(cell)))?;
        }
        Ok(table.flush()?)
    }

    fn write_corrections(&self, labels: &Labels, path: &Path) -> anyhow::Result<()> {
        let mut table = csv::Writer::from_path(path)?;
        table.write_record([
            "file",
            "label",
            "present",
            "corrected_by",
            "corrected_at",
            "sampled",
            "correction",
            "reason",
            "note",
        ])?;
        for (picture, file) in &self.files {
            for kept in labels.of(picture) {
                let word = &kept.word;
                table.write_record([
                    file.as_str(),
                    &word.label,
                    if word.present { "1" } else { "0" },
                    &word.author,
                    &show::moment(word.at.seconds),
                    SAMPLED,
                    &word.correction_id,
                    &word.reason,
                    &kept.note(),
                ])?;
            }
        }
        Ok(table.flush()?)
    }
}

/// A folder made aside is for its maker alone; this one is for whoever may read beside it.
fn readable(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let of_pictures = fs::metadata(path.join("pictures"))?.permissions();
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(of_pictures.mode()),
    )?)
}

/// By what a file begins with: the formats that training reads.
fn ending(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some("jpg"),
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [b'B', b'M', ..] => Some("bmp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_there_is_written_over() {
        let place = tempfile::tempdir().unwrap();
        let there = place.path().join("there");
        fs::create_dir(&there).unwrap();
        let folder = Folder::begin(&there).unwrap();
        fs::write(there.join("mine"), "x").unwrap();
        assert!(Folder::begin(&there).is_err());
        assert!(folder.finish(&Labels::default()).is_err(), "something came meanwhile");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing stays behind");
        assert!(Folder::begin(&there.join("mine")).is_err());
        let new = place.path().join("deep/new");
        Folder::begin(&new).unwrap().finish(&Labels::default()).unwrap();
        assert_eq!(fs::read_to_string(new.join("labels.csv")).unwrap(), "file\n");
    }

    #[test]
    fn a_picture_that_is_another_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::begin(&place.path().join("new")).unwrap();
        let bytes = b"\xff\xd8\xff jpeg";
        let sha256 = Digest(Sha256::digest(bytes).into()).to_string();
        assert!(folder.add(&sha256, bytes).unwrap());
        assert!(folder.add(&sha256, b"other").is_err());
        let text = Digest(Sha256::digest(b"no picture").into()).to_string();
        assert!(!folder.add(&text, b"no picture").unwrap());
    }
}
