//! Names of files inside a version: relative paths that cannot leave it.
//!
//! A manifest and a model file come from outside, and both name files to be read. A `FileName` is checked where it is made, so that nothing behind
//! it needs to think of `..`, absolute paths, separators of other systems or hidden files again. It knows nothing of links: see `layout`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::IdError;

/// A file of a version, relative to the version's directory: `model.onnx`, `golden/00.jpg`.
///
/// One to eight parts between `/`; each 1 to 255 bytes, not beginning with a dot, without `\`, `:`, `*` (ONNX Runtime takes
/// `*/` for an address in memory) and control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(Arc<str>);

const MOST_PARTS: usize = 8;

impl FileName {
    /// The model file of a version, unless a Triton configuration says otherwise.
    pub fn model() -> Self {
        Self("model.onnx".into())
    }

    /// The text file with a label a line.
    pub fn labels() -> Self {
        Self("labels".into())
    }

    /// The name as text, its parts separated by `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The place of the file under a version's directory.
    pub fn under(&self, directory: &Path) -> PathBuf {
        self.parts().fold(directory.to_owned(), |path, part| path.join(part))
    }

    /// The name of a file that this file names relative to its own directory.
    pub fn beside(&self, relative: &str) -> Result<Self, IdError> {
        match self.0.rsplit_once('/') {
            Some((directory, _)) => format!("{directory}/{relative}").parse(),
            None => relative.parse(),
        }
    }

    /// The parts between the separators.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }
}

impl FromStr for FileName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 255
                && !part.starts_with('.')
                && !part.chars().any(|c| matches!(c, '\\' | ':' | '*') || c.is_control())
        };
        if text.split('/').count() > MOST_PARTS || !text.split('/').all(is_plain) {
            return Err(IdError(format!(
                "{text:?} is not a file of a version: a relative path such as \"golden/00.jpg\" is expected, whose parts neither begin with '.' \
                 nor contain '\\', ':' or '*'"
            )));
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for FileName {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> String {
        name.as_str().to_owned()
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_cannot_leave_its_version() {
        for bad in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            ".hidden",
            "a/.b",
            "a\\b",
            "c:x",
            "*/_ORT_MEM_ADDR_/*",
            "a\nb",
            "a/b/c/d/e/f/g/h/i",
        ] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
        for good in ["model.onnx", "golden/00.jpg", "weights 2.bin", "é.bin"] {
            assert_eq!(good.parse::<FileName>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn a_file_is_named_beside_another() {
        let nested: FileName = "model.onnx/model.onnx".parse().unwrap();
        assert_eq!(nested.beside("data.bin").unwrap().as_str(), "model.onnx/data.bin");
        assert_eq!(FileName::model().beside("data.bin").unwrap().as_str(), "data.bin");
        assert!(FileName::model().beside("../data.bin").is_err());
    }
}
