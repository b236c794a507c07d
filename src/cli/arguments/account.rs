//! What can be typed about accounts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::accounts::Right;
use crate::base::Principal;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie account issue anna --right read --right correct      prints her token, once
  vigie account issue adserver --right serve --file /etc/vigie/accounts.toml
  vigie account list
  vigie account remove anna

A server asks for tokens where auth.accounts names the file; it notices changes by itself within a second. Callers send
`authorization: Bearer TOKEN`, this command line --token or VIGIE_TOKEN.")]
pub(in crate::cli) struct AccountArguments {
    #[command(subcommand)]
    pub command: AccountCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccountCommand {
    /// Give an account a new token, and make the account where there is none
    Issue(IssueArguments),
    /// List the accounts and their rights
    List(AccountFile),
    /// Take an account away
    Remove(RemoveArguments),
}

#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct AccountFile {
    /// File of the accounts
    #[arg(long, value_name = "FILE", default_value = "accounts.toml")]
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct IssueArguments {
    /// Name of the account; it stands beside everything that its holder does
    #[arg(value_name = "NAME")]
    pub name: Principal,
    /// Right of the account; may be repeated or a list with commas
    #[arg(long = "right", value_name = "RIGHT", value_delimiter = ',', required = true)]
    pub rights: Vec<RightWord>,
    #[command(flatten)]
    pub accounts: AccountFile,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveArguments {
    /// Name of the account
    #[arg(value_name = "NAME")]
    pub name: String,
    #[command(flatten)]
    pub accounts: AccountFile,
}

/// A right as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum RightWord {
    /// Ask for judgements and verdicts, and run models
    Serve,
    /// Read models, decisions and corrections
    Read,
    /// Correct and revoke
    Correct,
    /// Load and unload models, change policies and releases, import decisions, erase partners
    Operate,
}

impl From<RightWord> for Right {
    fn from(word: RightWord) -> Self {
        match word {
            RightWord::Serve => Self::Serve,
            RightWord::Read => Self::Read,
            RightWord::Correct => Self::Correct,
            RightWord::Operate => Self::Operate,
        }
    }
}
