//! A repository and a data folder of a test's own, removed when it ends.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::files;

/// Where one server lives: `models/` and `data/` in a folder of their own.
pub struct Place {
    root: TempDir,
}

impl Place {
    /// With an empty repository.
    pub fn empty() -> Self {
        let root = tempfile::tempdir().expect("make a temporary folder");
        let place = Self { root };
        std::fs::create_dir(place.repository()).expect("make the repository");
        place
    }

    /// With the shipped model as it is: version 1 live, version 2 in shadow at the first start.
    pub fn shipped() -> Self {
        let place = Self::with_versions(&[1, 2]);
        files::copy(
            &files::shipped().join("adsafety/model.toml"),
            &place.model().join("model.toml"),
        );
        place
    }

    /// With the shipped policy and these of the shipped versions, and a `model.toml` by which whatever is new goes live by itself.
    pub fn with_versions(versions: &[i64]) -> Self {
        let place = Self::empty();
        std::fs::create_dir(place.model()).expect("make the model's folder");
        files::copy(
            &files::shipped().join("adsafety/policy.toml"),
            &place.model().join("policy.toml"),
        );
        std::fs::write(
            place.model().join("model.toml"),
            "[release]\non_new = \"live\"\non_policy_change = \"live\"\n",
        )
        .expect("write model.toml");
        for version in versions {
            files::copy(&shipped_version(*version), &place.version(*version));
        }
        place
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn repository(&self) -> PathBuf {
        self.root().join("models")
    }

    pub fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    /// The folder of the shipped model's copy.
    pub fn model(&self) -> PathBuf {
        self.repository().join("adsafety")
    }

    /// The folder of one of its versions.
    pub fn version(&self, version: i64) -> PathBuf {
        self.model().join(version.to_string())
    }
}

/// The folder of a version in the project itself.
pub fn shipped_version(version: i64) -> PathBuf {
    files::shipped().join("adsafety").join(version.to_string())
}
