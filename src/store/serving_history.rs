//! What served when: a line for each change of a live revision, a shadow or a policy, in a file of the data directory.
//!
//! `serving.json` tells what serves now; this tells what did before, so that a question about yesterday can be answered. It is written after the record: a
//! process that is killed in between misses one change here, never a promotion. What cannot be read is left out.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::data_directory::{DataDirectory, StoreError};
use super::serving_record::{Appointed, ModelRecord, ServingRecord};
use crate::base::{ModelName, Moment, PolicyVersion};

const FILE: &str = "serving-history.jsonl";
/// What came before it, once it was full.
const BEFORE: &str = "serving-history.1.jsonl";
/// So many bytes are written to one file, some thousand changes; there are two at most.
const FULL: u64 = 1 << 20;

/// One change of what serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServingChange {
    pub at: Moment,
    pub model: ModelName,
    #[serde(flatten)]
    pub what: Changed,
}

/// What changed, and between what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "changed", rename_all = "snake_case")]
pub enum Changed {
    Live {
        from: Option<Appointed>,
        to: Option<Appointed>,
    },
    Shadow {
        from: Option<Appointed>,
        to: Option<Appointed>,
    },
    Policy {
        from: Option<PolicyVersion>,
        to: Option<PolicyVersion>,
    },
}

impl ServingChange {
    /// The changes from one record to the next.
    pub fn between(before: &ServingRecord, after: &ServingRecord, at: Moment) -> Vec<Self> {
        let none = ModelRecord::default();
        let gone = before.models.keys().filter(|name| !after.models.contains_key(*name));
        let names = after.models.keys().chain(gone);
        let of = |model: &ModelName| {
            let (from, to) = (
                before.models.get(model).unwrap_or(&none),
                after.models.get(model).unwrap_or(&none),
            );
            let changes = [
                (from.live != to.live).then_some(Changed::Live {
                    from: from.live,
                    to: to.live,
                }),
                (from.shadow != to.shadow).then_some(Changed::Shadow {
                    from: from.shadow,
                    to: to.shadow,
                }),
                (from.policy != to.policy).then_some(Changed::Policy {
                    from: from.policy,
                    to: to.policy,
                }),
            ];
            let model = model.clone();
            changes.into_iter().flatten().map(move |what| Self {
                at,
                model: model.clone(),
                what,
            })
        };
        names.flat_map(of).collect()
    }
}

impl DataDirectory {
    /// Adds changes to the history.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note_served(&self, changes: &[ServingChange]) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let path = self.path().join(FILE);
        append(&path, &self.path().join(BEFORE), changes).map_err(|source| StoreError::Io {
            action: "write",
            path,
            source,
        })
    }

    /// Every change that is still known, the oldest first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn served(&self) -> Result<Vec<ServingChange>, StoreError> {
        let texts = [self.read(BEFORE)?, self.read(FILE)?];
        let lines = texts.iter().flatten().flat_map(|text| text.lines());
        Ok(lines.filter_map(|line| serde_json::from_str(line).ok()).collect())
    }
}

fn append(path: &Path, before: &Path, changes: &[ServingChange]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| found.len() >= FULL) {
        fs::rename(path, before)?;
    }
    let mut file = File::options().create(true).append(true).read(true).open(path)?;
    let mut text = String::new();
    if !ends_a_line(&mut file)? {
        text.push('\n');
    }
    for change in changes {
        text.push_str(&serde_json::to_string(change)?);
        text.push('\n');
    }
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

/// False where a crash cut the last line short.
fn ends_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Digest, RevisionId, Version};

    fn appointed(number: i64) -> Appointed {
        Appointed {
            version: Version::try_from(number).unwrap(),
            revision: RevisionId(Digest([number as u8; 32])),
        }
    }

    fn record(live: i64, policy: u8) -> ServingRecord {
        let model = ModelRecord {
            live: Some(appointed(live)),
            policy: Some(PolicyVersion(Digest([policy; 32]))),
            ..ModelRecord::default()
        };
        ServingRecord {
            models: [("adsafety".parse().unwrap(), model)].into(),
        }
    }

    #[test]
    fn each_change_is_told_once_and_reads_back() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        assert_eq!(data.served().unwrap(), []);
        let (first, second) = (record(1, 7), record(2, 7));
        let began = ServingChange::between(&ServingRecord::default(), &first, Moment::from_micros(1));
        assert_eq!(began.len(), 2, "a live version and a policy");
        let swapped = ServingChange::between(&first, &second, Moment::from_micros(2));
        let live = Changed::Live {
            from: Some(appointed(1)),
            to: Some(appointed(2)),
        };
        assert_eq!(swapped.iter().map(|change| change.what).collect::<Vec<_>>(), [live]);
        assert_eq!(ServingChange::between(&second, &second, Moment::from_micros(3)), []);
        let gone = ServingChange::between(&second, &ServingRecord::default(), Moment::from_micros(4));
        assert_eq!(gone.len(), 2, "what is gone is told too");
        for changes in [&began, &swapped, &gone] {
            data.note_served(changes).unwrap();
        }
        assert_eq!(data.served().unwrap(), [began, swapped, gone].concat());
    }

    #[test]
    fn a_line_cut_short_spoils_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        let began = ServingChange::between(&ServingRecord::default(), &record(1, 7), Moment::from_micros(1));
        fs::write(directory.path().join(FILE), "{\"at\":1,\"mod").unwrap();
        data.note_served(&began).unwrap();
        assert_eq!(data.served().unwrap(), began);
    }

    #[test]
    fn a_full_file_gives_way_and_is_kept_once() {
        let directory = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(directory.path()).unwrap();
        let change = |at| ServingChange::between(&ServingRecord::default(), &record(1, 7), Moment::from_micros(at));
        data.note_served(&change(1)).unwrap();
        let file = File::options().append(true).open(directory.path().join(FILE)).unwrap();
        file.set_len(FULL).unwrap();
        data.note_served(&change(2)).unwrap();
        let ats: Vec<i64> = data.served().unwrap().iter().map(|change| change.at.micros()).collect();
        assert_eq!(ats, [1, 1, 2, 2]);
    }
}
