//! `vigie account`: the accounts file, and tokens that are shown once.

use comfy_table::Cell;

use super::arguments::{AccountCommand, AccountFile, IssueArguments, RemoveArguments};
use super::{Outcome, show};
use crate::accounts;

pub(super) fn run(command: AccountCommand) -> anyhow::Result<Outcome> {
    match command {
        AccountCommand::Issue(issue) => issue_token(issue)?,
        AccountCommand::List(file) => list(&file)?,
        AccountCommand::Remove(RemoveArguments { name, accounts }) => {
            accounts::remove(&accounts.file, &name)?;
            show::line(&format!("{name} is taken out of {}", accounts.file.display()))?;
        }
    }
    Ok(Outcome::Done)
}

/// The token alone on standard output, so that it can be piped; the rest is for people.
fn issue_token(issue: IssueArguments) -> anyhow::Result<()> {
    let rights = issue.rights.into_iter().map(Into::into).collect();
    let issued = accounts::issue(&issue.accounts.file, &issue.name, &rights)?;
    show::line(&issued.token)?;
    let before = if issued.replaced {
        "; the token before is worth nothing now"
    } else {
        ""
    };
    eprintln!(
        "this is the only time that {}'s token is shown{before}. A server with auth.accounts = {:?} takes it.",
        issue.name,
        issue.accounts.file.display().to_string()
    );
    Ok(())
}

fn list(file: &AccountFile) -> anyhow::Result<()> {
    let mut table = show::table(&["ACCOUNT", "RIGHTS"]);
    for entry in accounts::read(&file.file)? {
        let rights: Vec<&str> = entry.rights.iter().map(|right| right.as_str()).collect();
        table.add_row(vec![
            Cell::new(entry.principal.to_string()),
            Cell::new(rights.join(", ")),
        ]);
    }
    Ok(show::print_table(&table)?)
}
