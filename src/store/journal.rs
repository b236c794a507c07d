//! Acts toward safety that took effect on this replica while the store was away: kept on its own disk until the store has them.
//!
//! One line an act, with a checksum before it, and one line for each that has reached the store; the file is emptied when none waits. A line that
//! a crash cut short was never acknowledged and is dropped; any other damage is told by its line, and nothing is guessed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::data_directory::DataDirectory;
use super::records::AskedAct;
use crate::base::Digest;

const FILE: &str = "acts.journal";

/// Hexadecimal digits of the checksum.
const CHECKSUM: usize = 16;

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{action} {path}: {source}; see to the disk, then ask again")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "{path}, line {line}: {reason}; an act that a person was promised may stand there: restore the file from a copy, \
         or take the line out to go on without it"
    )]
    Damaged { path: PathBuf, line: usize, reason: String },
}

/// The journal, open. Every call that writes waits for the disk: some milliseconds.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Of what is whole.
    length: u64,
    /// In the order in which they came.
    pending: BTreeMap<u64, AskedAct>,
    next: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Act { number: u64, act: Box<AskedAct> },
    Done { number: u64 },
}

impl Journal {
    /// Opens, or makes, the journal of a data directory.
    pub fn open(data: &DataDirectory) -> Result<Self, JournalError> {
        let path = data.path().join(FILE);
        let io = |source| io_error("open", &path, source);
        let is_new = !path.exists();
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(io)?;
        if is_new {
            File::open(data.path())
                .and_then(|folder| folder.sync_all())
                .map_err(io)?;
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let mut journal = Self {
            path,
            file,
            length: 0,
            pending: BTreeMap::new(),
            next: 1,
        };
        journal.read(&bytes)?;
        if journal.length < bytes.len() as u64 {
            journal.cut().map_err(|source| io_error("cut", &journal.path, source))?;
        }
        Ok(journal)
    }

    /// Keeps an act. When this returns, it is on the disk. The answer is what to call it by when the store has it.
    pub fn append(&mut self, act: AskedAct) -> Result<u64, JournalError> {
        let number = self.next;
        self.write(&Line::Act {
            number,
            act: Box::new(act.clone()),
        })?;
        self.next += 1;
        self.pending.insert(number, act);
        Ok(number)
    }

    /// What the store does not have yet, in the order in which it came.
    pub fn pending(&self) -> impl Iterator<Item = (u64, &AskedAct)> {
        self.pending.iter().map(|(number, act)| (*number, act))
    }

    /// Says that the store has an act. Where this is lost in a crash, the act is given to the store again, which knows it by its identities.
    pub fn done(&mut self, number: u64) -> Result<(), JournalError> {
        if !self.pending.contains_key(&number) {
            return Ok(());
        }
        if self.pending.len() == 1 {
            let before = std::mem::take(&mut self.length);
            self.cut().map_err(|source| {
                self.length = before;
                io_error("empty", &self.path, source)
            })?;
        } else {
            self.write(&Line::Done { number })?;
        }
        self.pending.remove(&number);
        Ok(())
    }

    /// Forgets what is about a partner. Where anything was written since the file was last empty, it is written anew, so that nothing of the partner is
    /// left in it.
    pub fn forget_partner(&mut self, partner_id: &str) -> Result<(), JournalError> {
        if self.length == 0 {
            return Ok(());
        }
        let mut kept = self.pending.clone();
        kept.retain(|_, act| act.partner_id() != Some(partner_id));
        let lines = kept.iter().map(|(&number, act)| {
            written(&Line::Act {
                number,
                act: Box::new(act.clone()),
            })
        });
        let text: String = lines.collect();
        let aside = self.path.with_extension("journal.new");
        let renew = || {
            let mut file = File::options()
                .create(true)
                .truncate(true)
                .read(true)
                .write(true)
                .open(&aside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, &self.path)?;
            if let Some(folder) = self.path.parent() {
                File::open(folder)?.sync_all()?;
            }
            Ok(file)
        };
        self.file = renew().map_err(|source| io_error("renew", &self.path, source))?;
        self.length = text.len() as u64;
        self.pending = kept;
        Ok(())
    }

    fn write(&mut self, line: &Line) -> Result<(), JournalError> {
        let text = written(line);
        let written = self
            .file
            .seek(SeekFrom::Start(self.length))
            .and_then(|_| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.sync_data());
        if let Err(source) = written {
            // What was written of it must not stand before the next line; where this fails too, the next line is written over it.
            let _ = self.cut();
            return Err(io_error("write", &self.path, source));
        }
        self.length += text.len() as u64;
        Ok(())
    }

    fn cut(&self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_all()
    }

    fn read(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
        while let Some((index, line)) = lines.next() {
            let is_last = lines.peek().is_none();
            // A crash leaves a line without its end, or with room in it that was never filled.
            if is_last && (!line.ends_with(b"\n") || line.contains(&0)) {
                break;
            }
            let damaged = |reason| JournalError::Damaged {
                path: self.path.clone(),
                line: index + 1,
                reason,
            };
            match parse(line).map_err(damaged)? {
                Line::Act { number, act } => {
                    self.next = self.next.max(number + 1);
                    self.pending.insert(number, *act);
                }
                Line::Done { number } => {
                    self.pending.remove(&number);
                }
            }
            self.length += line.len() as u64;
        }
        Ok(())
    }
}

/// A line with its checksum and its end.
fn written(line: &Line) -> String {
    let json = serde_json::to_string(line).expect("texts, numbers and lists are JSON");
    format!("{} {json}\n", checksum(json.as_bytes()))
}

fn parse(line: &[u8]) -> Result<Line, String> {
    let text = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let (sum, json) = text
        .trim_end_matches('\n')
        .split_once(' ')
        .ok_or("it has no checksum")?;
    if sum != checksum(json.as_bytes()) {
        return Err("its checksum is another's".to_owned());
    }
    serde_json::from_str(json).map_err(|error| error.to_string())
}

fn checksum(bytes: &[u8]) -> String {
    let whole = Digest(Sha256::digest(bytes).into()).to_string();
    whole.chars().take(CHECKSUM).collect()
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> JournalError {
    JournalError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}
