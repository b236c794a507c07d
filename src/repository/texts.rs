//! The small files beside the versions, read when they are whole.
//!
//! A text in the middle of being written may well parse, and say something else. So a changed text counts once it arrived by a rename, was closed after
//! writing, or has settled; until then the one before it stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::read_bounded;
use super::found::PolicyFile;
use super::hashing::digest_of;
use super::inspect::Inspector;
use super::settling::Appearance;

/// A longer text is refused unread.
const MOST_TEXT_BYTES: u64 = 4 << 20;

/// The texts as they were last found whole, by path.
#[derive(Debug, Default)]
pub(super) struct Texts {
    known: BTreeMap<PathBuf, Known>,
    /// A text was met that is not whole yet, with none before it to stand in.
    awaited: bool,
}

#[derive(Debug)]
struct Known {
    text: PolicyFile,
    is_current: bool,
}

impl Texts {
    /// The text of a file; the one before it while a new one is being written.
    pub(super) fn read(&mut self, inspector: &mut Inspector, path: &Path) -> Result<PolicyFile, String> {
        if let Some(known) = self.known.get_mut(path) {
            known.is_current = true;
        }
        let resolved = inspector.root.locate(path).map_err(|error| error.to_string())?;
        let opened = inspector.root.open(&resolved).map_err(|error| error.to_string())?;
        let mut appearance = Appearance::default();
        appearance.add("", Some(opened.identity));
        let bytes = read_bounded(opened, MOST_TEXT_BYTES).map_err(|fault| fault.into_reason())?;
        let digest = digest_of(&bytes);

        let settle = inspector.options.settle;
        let unchanged = inspector
            .settling
            .unchanged_for(&resolved, appearance, inspector.moment);
        let is_known = self.known.get(path).is_some_and(|known| known.text.digest == digest);
        if !(is_known || unchanged >= settle || inspector.settling.has_arrived(&resolved)) {
            inspector.wake_after(settle - unchanged);
            let before = self.known.get(path).map(|known| known.text.clone());
            self.awaited |= before.is_none();
            return before.ok_or_else(|| "may still be written: it changed a moment ago".into());
        }
        let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
        let text = PolicyFile {
            text: text.into(),
            digest,
        };
        self.known.insert(
            path.to_owned(),
            Known {
                text: text.clone(),
                is_current: true,
            },
        );
        Ok(text)
    }

    /// Whether a text without a predecessor was still being written since this was last asked.
    pub(super) fn take_awaited(&mut self) -> bool {
        std::mem::take(&mut self.awaited)
    }

    /// Ends a scan: what it did not meet is forgotten.
    pub(super) fn end_scan(&mut self) {
        self.known.retain(|_, known| std::mem::take(&mut known.is_current));
    }
}
