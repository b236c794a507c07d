//! Who may do what: local accounts and the hashes of their tokens, in a file that people or tools edit.
//!
//! ```toml
//! [account.anna]
//! token_sha256 = "9f86d0…"             # of the token; the token itself is nowhere
//! rights = ["read", "correct"]
//! ```
//!
//! A token is 244 drawn bits, so that a plain hash of it cannot be guessed backwards. The file is read again when it changes: a removed
//! account is refused within a second or so. A malformed file changes nothing.
//!
//! Refuses to know: protocols. Who asks it has a token and wants a principal.

mod edit;
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::base::{Digest, Principal};

pub use edit::{Issued, issue, remove};
pub use file::{AccountEntry, read};

/// What an account may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Ask for judgements and verdicts, and run models.
    Serve,
    /// Read models, decisions and corrections.
    Read,
    /// Correct and revoke.
    Correct,
    /// Load and unload models, change policies and releases, import decisions, erase partners.
    Operate,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 4] = [Self::Serve, Self::Read, Self::Correct, Self::Operate];

    /// The name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Read => "read",
            Self::Correct => "correct",
            Self::Operate => "operate",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why accounts cannot be used or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error("{action} the accounts file {path}: {source}")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the accounts file {path}: {problem}")]
    Malformed { path: PathBuf, problem: String },
    #[error("there is no account {name} in {path}; there are: {known}")]
    Unknown { name: String, path: PathBuf, known: String },
}

/// Why somebody may not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denied {
    /// There is no token, or nobody has it.
    Unknown(&'static str),
    /// The account lacks the right.
    Lacks { principal: Principal, right: Right },
}

/// An account by its token's hash.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Account {
    principal: Principal,
    rights: BTreeSet<Right>,
}

type Table = BTreeMap<Digest, Account>;

/// The accounts in force, or that there are none: then whoever reaches the server may do everything, under one name.
#[derive(Clone)]
pub struct Accounts {
    kept: Option<Arc<Kept>>,
}

struct Kept {
    path: PathBuf,
    table: RwLock<Arc<Table>>,
    /// What the file was when it was last read.
    mark: Mutex<Option<Mark>>,
}

/// Changes when a file does.
type Mark = (Option<SystemTime>, u64);

impl Accounts {
    /// No accounts: everybody is `local`.
    pub fn off() -> Self {
        Self { kept: None }
    }

    /// The accounts of a file.
    ///
    /// # Errors
    /// It cannot be read or is malformed: a server that is told to ask for tokens must not start without.
    pub fn open(path: &Path) -> Result<Self, AccountsError> {
        let mark = mark(path);
        let table = table(path)?;
        Ok(Self {
            kept: Some(Arc::new(Kept {
                path: path.to_owned(),
                table: RwLock::new(Arc::new(table)),
                mark: Mutex::new(mark),
            })),
        })
    }

    /// Who has this token, where the account has the right.
    pub fn principal(&self, token: Option<&str>, right: Right) -> Result<Principal, Denied> {
        let Some(kept) = &self.kept else {
            return Ok(Principal::local());
        };
        let token = token.ok_or(Denied::Unknown("no token is given"))?;
        let table = Arc::clone(&kept.table.read().unwrap_or_else(PoisonError::into_inner));
        let account = table
            .get(&hash(token))
            .ok_or(Denied::Unknown("no account has this token"))?;
        if account.rights.contains(&right) {
            return Ok(account.principal.clone());
        }
        Err(Denied::Lacks {
            principal: account.principal.clone(),
            right,
        })
    }

    /// Reads the file again where it has changed. True where other accounts are in force now.
    ///
    /// # Errors
    /// The file is malformed or gone: the accounts in force stay.
    pub fn refresh(&self) -> Result<bool, AccountsError> {
        let Some(kept) = &self.kept else { return Ok(false) };
        let now = mark(&kept.path);
        let mut before = kept.mark.lock().unwrap_or_else(PoisonError::into_inner);
        if *before == now {
            return Ok(false);
        }
        *before = now;
        let table = Arc::new(table(&kept.path)?);
        let mut in_force = kept.table.write().unwrap_or_else(PoisonError::into_inner);
        let changed = *in_force != table;
        *in_force = table;
        Ok(changed)
    }
}

fn mark(path: &Path) -> Option<Mark> {
    let found = fs::metadata(path).ok()?;
    Some((found.modified().ok(), found.len()))
}

fn table(path: &Path) -> Result<Table, AccountsError> {
    let accounts = read(path)?.into_iter().map(|entry| {
        let account = Account {
            principal: entry.principal,
            rights: entry.rights,
        };
        (entry.token_sha256, account)
    });
    Ok(accounts.collect())
}

/// The SHA-256 of a token.
fn hash(token: &str) -> Digest {
    Digest(Sha256::digest(token.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_accounts_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.toml");
        let anna = issue(&path, &"anna".parse().unwrap(), &BTreeSet::from([Right::Read])).unwrap();
        let accounts = Accounts::open(&path).unwrap();
        let principal = accounts.principal(Some(&anna.token), Right::Read).unwrap();
        assert_eq!(principal.as_str(), "anna");
        let lacks = accounts.principal(Some(&anna.token), Right::Correct);
        assert_eq!(
            lacks,
            Err(Denied::Lacks {
                principal,
                right: Right::Correct
            })
        );
        for token in [None, Some(""), Some("guess")] {
            assert!(matches!(
                accounts.principal(token, Right::Read),
                Err(Denied::Unknown(_))
            ));
        }
    }

    #[test]
    fn an_account_that_is_removed_is_refused_and_a_malformed_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.toml");
        let rights = BTreeSet::from([Right::Serve]);
        let [anna, ben] = ["anna", "ben"].map(|name| issue(&path, &name.parse().unwrap(), &rights).unwrap());
        let accounts = Accounts::open(&path).unwrap();
        fs::write(&path, "[account.anna]\nrights = 3").unwrap();
        assert!(accounts.refresh().is_err());
        assert!(accounts.principal(Some(&anna.token), Right::Serve).is_ok());
        fs::remove_file(&path).unwrap();
        issue(&path, &"ben".parse().unwrap(), &rights).unwrap();
        assert!(accounts.refresh().unwrap());
        for gone in [anna.token, ben.token] {
            assert!(accounts.principal(Some(&gone), Right::Serve).is_err());
        }
        assert!(!accounts.refresh().unwrap());
    }

    #[test]
    fn without_accounts_everybody_is_local() {
        for right in Right::ALL {
            assert_eq!(Accounts::off().principal(None, right), Ok(Principal::local()));
        }
    }
}
