//! Issuing tokens and removing accounts: the file keeps its comments, and is replaced at once.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use toml_edit::{Array, DocumentMut, Item, Table, value};

use super::file::read;
use super::{AccountsError, Right, hash};
use crate::base::Principal;

/// A new token. It is shown once and kept nowhere.
#[derive(Debug)]
pub struct Issued {
    pub token: String,
    /// The account had another before, which is worth nothing now.
    pub replaced: bool,
}

/// Gives an account a new token and these rights; makes the account, and the file, where there is none.
///
/// # Errors
/// The file is malformed or cannot be written; then it is as it was.
pub fn issue(path: &Path, principal: &Principal, rights: &BTreeSet<Right>) -> Result<Issued, AccountsError> {
    let mut document = document(path)?;
    let token = new_token();
    let mut listed = Array::new();
    listed.extend(rights.iter().map(|right| right.as_str()));
    let mut entry = Table::new();
    entry.insert("token_sha256", value(hash(&token).to_string()));
    entry.insert("rights", value(listed));
    let accounts = document.entry("account").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let malformed = || AccountsError::Malformed {
        path: path.to_owned(),
        problem: "account: a table is expected".to_owned(),
    };
    let accounts = accounts.as_table_like_mut().ok_or_else(malformed)?;
    let replaced = accounts.insert(principal.as_str(), Item::Table(entry)).is_some();
    write(path, &document.to_string())?;
    Ok(Issued { token, replaced })
}

/// Takes an account out of the file.
///
/// # Errors
/// As [`issue`], and where there is no such account.
pub fn remove(path: &Path, name: &str) -> Result<(), AccountsError> {
    let mut document = document(path)?;
    let accounts = document.get_mut("account").and_then(Item::as_table_like_mut);
    if accounts.is_some_and(|accounts| accounts.remove(name).is_some()) {
        return write(path, &document.to_string());
    }
    let known: Vec<String> = read(path)?.iter().map(|entry| entry.principal.to_string()).collect();
    Err(AccountsError::Unknown {
        name: name.to_owned(),
        path: path.to_owned(),
        known: known.join(", "),
    })
}

/// Two drawn UUIDs: 244 bits from the operating system.
fn new_token() -> String {
    format!(
        "vigie_{}{}",
        uuid::Uuid::new_v4().simple(),
        uuid::Uuid::new_v4().simple()
    )
}

fn document(path: &Path) -> Result<DocumentMut, AccountsError> {
    if !path.exists() {
        return Ok(DocumentMut::new());
    }
    read(path)?;
    let text = fs::read_to_string(path).map_err(|source| io_error("read", path, source))?;
    text.parse()
        .map_err(|error: toml_edit::TomlError| AccountsError::Malformed {
            path: path.to_owned(),
            problem: error.to_string(),
        })
}

/// Aside and renamed, readable by its owner alone.
fn write(path: &Path, text: &str) -> Result<(), AccountsError> {
    let aside = path.with_extension("new");
    let written = || {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)
    };
    written().map_err(|source| io_error("write", path, source))
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> AccountsError {
    AccountsError::Io {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_other_accounts_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accounts.toml");
        let rights = BTreeSet::from([Right::Read, Right::Correct]);
        let [anna, ben]: [Principal; 2] = ["anna", "ben"].map(|name| name.parse().unwrap());
        issue(&path, &anna, &rights).unwrap();
        let text = format!("# the team\n{}", fs::read_to_string(&path).unwrap());
        fs::write(&path, text).unwrap();
        assert!(!issue(&path, &ben, &rights).unwrap().replaced);
        assert!(issue(&path, &ben, &rights).unwrap().replaced);
        assert!(fs::read_to_string(&path).unwrap().starts_with("# the team\n"));
        assert_eq!(read(&path).unwrap().len(), 2);
        remove(&path, "anna").unwrap();
        assert_eq!(read(&path).unwrap()[0].principal, ben);
        let unknown = remove(&path, "anna").unwrap_err().to_string();
        assert!(unknown.contains("there are: ben"), "{unknown}");
    }

    #[test]
    fn no_two_tokens_are_alike() {
        let tokens: BTreeSet<String> = (0..100).map(|_| new_token()).collect();
        assert!(tokens.len() == 100 && tokens.iter().all(|token| token.len() == 70));
    }
}
