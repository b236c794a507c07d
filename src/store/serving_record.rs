//! What serves, on record: per model the live and the shadow revision, and which bytes each version had.
//!
//! The record is written before a promotion takes effect, so that a process killed at any point of a swap serves, when it
//! comes back, what is recorded here. Policies that were in force are kept beside it: a policy file that has been emptied
//! meanwhile changes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::data_directory::{DataDirectory, StoreError};
use crate::base::{ModelName, PolicyVersion, RevisionId, Version};

const FILE: &str = "serving.json";

/// A revision in a role, and the version whose bytes it was when it was appointed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Appointed {
    pub version: Version,
    pub revision: RevisionId,
}

/// One model's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecord {
    pub live: Option<Appointed>,
    pub shadow: Option<Appointed>,
    /// The revision that each version had when it was last taken notice of: what differs from this is new.
    pub versions: BTreeMap<Version, RevisionId>,
    pub policy: Option<PolicyVersion>,
}

/// Every model's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingRecord {
    pub models: BTreeMap<ModelName, ModelRecord>,
}

impl ServingRecord {
    /// The record on disk; an empty one where there is none.
    pub fn load(data: &DataDirectory) -> Result<Self, StoreError> {
        let Some(text) = data.read(FILE)? else {
            return Ok(Self::default());
        };
        serde_json::from_str(&text).map_err(|error| StoreError::Corrupt {
            path: data.path().join(FILE),
            reason: error.to_string(),
        })
    }

    /// Writes it; when this returns, a crash cannot undo it.
    pub fn save(&self, data: &DataDirectory) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(self).expect("a record of maps and texts is JSON");
        data.replace(FILE, text.as_bytes())
    }
}

impl DataDirectory {
    /// Keeps the text of a policy that comes into force.
    pub fn keep_policy(&self, version: PolicyVersion, text: &str) -> Result<(), StoreError> {
        self.replace(&policy_file(version), text.as_bytes())
    }

    /// The text of a policy that was in force.
    pub fn policy(&self, version: PolicyVersion) -> Result<Option<String>, StoreError> {
        self.read(&policy_file(version))
    }
}

fn policy_file(version: PolicyVersion) -> String {
    format!("policies/{version}.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;

    #[test]
    fn a_record_reads_back_what_was_saved() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        assert_eq!(ServingRecord::load(&data).unwrap(), ServingRecord::default());
        let appointed = |version: i64, byte| Appointed {
            version: Version::try_from(version).unwrap(),
            revision: RevisionId(Digest([byte; 32])),
        };
        let mut record = ServingRecord::default();
        let model = record.models.entry("adsafety".parse().unwrap()).or_default();
        model.live = Some(appointed(1, 7));
        model.shadow = Some(appointed(2, 9));
        model.versions.insert(appointed(1, 7).version, appointed(1, 7).revision);
        record.save(&data).unwrap();
        assert_eq!(ServingRecord::load(&data).unwrap(), record);
    }

    #[test]
    fn a_damaged_record_is_named_not_forgotten() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        data.replace(FILE, b"{\"models\": 3}").unwrap();
        assert!(matches!(ServingRecord::load(&data), Err(StoreError::Corrupt { .. })));
    }
}
