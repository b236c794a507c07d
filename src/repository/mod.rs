//! The model repository: what lies on the disk, whether it is whole, and copies of it that do not change any more.
//!
//! A repository is a folder that people and programs write into while it is read. Here it becomes values: `Repository::scan` says what is there, `seal` takes a
//! complete version into the data directory, where it is loaded from, and `watch` says when to look again. `check` and `add` are the same rules for people.
//! Not known here: which version serves, what was recorded, how a model is run.

mod add;
mod check;
mod evidence;
mod fault;
mod found;
mod glance;
mod hashing;
mod heard;
mod inspect;
mod layout;
mod manifest;
mod names;
mod onnx;
mod report;
mod scan;
mod seal;
mod sealed;
mod settings;
mod settling;
#[cfg(test)]
mod tests;
mod texts;
mod triton;
mod watch;

pub use add::{AddError, AddRequest, Added, ScoreRequest, Scorer, ScoresError, add, reseal};
pub use check::{CheckError, Prover, check};
pub use found::{Candidate, ModelFound, PolicyFile, Problem, Refused, Scan, VersionFound};
pub use manifest::{Golden, GoldenCase, GoldenSource, MANIFEST, Manifest, ManifestError, RuntimeSettings};
pub use names::FileName;
pub use report::{CheckReport, Finding, ModelCheck, Proved, Severity, VersionCheck};
pub use scan::{Repository, RepositoryOptions, ScanError};
pub use seal::{SealError, seal};
pub use sealed::{OpenSealedError, SealedRevision, open_sealed, prune, sealed_manifest_of, sealed_revisions};
pub use settings::{FirstStart, ModelSettings, OnNew, OnPolicyChange, ReleaseSettings, Share, VersionPolicy};
pub use triton::TritonConfig;
pub use watch::{Hint, WatchError, WatchMode, Watcher, watch};
