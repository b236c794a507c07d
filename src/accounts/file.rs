//! The accounts file, read whole or refused with what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::{AccountsError, Right};
use crate::base::{Digest, Principal};

/// One account as the file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountEntry {
    pub principal: Principal,
    pub token_sha256: Digest,
    pub rights: BTreeSet<Right>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    account: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    token_sha256: Digest,
    rights: BTreeSet<Right>,
}

/// Every account of a file.
///
/// # Errors
/// It cannot be read, or something in it is not as it should be: then none of it holds.
pub fn read(path: &Path) -> Result<Vec<AccountEntry>, AccountsError> {
    let text = fs::read_to_string(path).map_err(|source| AccountsError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|problem| AccountsError::Malformed {
        path: path.to_owned(),
        problem,
    })
}

fn parse(text: &str) -> Result<Vec<AccountEntry>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let mut tokens = BTreeMap::new();
    let mut accounts = Vec::new();
    for (name, entry) in file.account {
        let principal: Principal = name.parse().map_err(|error| format!("account.{name:?}: {error}"))?;
        if principal == Principal::local() {
            return Err("account.local: this name is for servers without accounts; choose another".to_owned());
        }
        if let Some(other) = tokens.insert(entry.token_sha256, name.clone()) {
            return Err(format!(
                "account.{name}.token_sha256: {other} has the same token; issue another"
            ));
        }
        accounts.push(AccountEntry {
            principal,
            token_sha256: entry.token_sha256,
            rights: entry.rights,
        });
    }
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_by_its_place() {
        let token = "0".repeat(64);
        let account = |name: &str| format!("[account.{name}]\ntoken_sha256 = \"{token}\"\nrights = [\"read\"]\n");
        for (text, told) in [
            (account("local"), "account.local"),
            (account("anna") + &account("ben"), "same token"),
            (account("anna").replace("read", "fly"), "fly"),
            (account("anna").replace("rights", "right"), "right"),
            (account("anna").replace(&token, "0"), "SHA-256"),
            ("[[account]]".to_owned(), "account"),
        ] {
            let problem = parse(&text).unwrap_err();
            assert!(problem.contains(told), "{problem}");
        }
        assert_eq!(parse(&account("anna")).unwrap().len(), 1);
        assert_eq!(parse("").unwrap(), []);
    }
}
