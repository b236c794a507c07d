//! `vigie policy apply`: a person brings a changed policy into force that would newly allow too much to come by itself.

use std::io::{self, BufRead, IsTerminal, Write};

use anyhow::{Context, bail, ensure};
use serde_json::json;

use super::arguments::ApplyArguments;
use super::{Outcome, show};
use crate::base::now_v7_id;
use crate::wire::vigie::ApplyPolicyRequest;

/// Digits of a policy's version that must be named at least.
const SHORTEST: usize = 6;

pub(super) async fn run(arguments: ApplyArguments) -> anyhow::Result<Outcome> {
    let client = arguments.server.connect().await?;
    let found = client.get_policy(&arguments.model).await?;
    let named = arguments.version.as_deref();
    let Some(waiting) = found.waiting else {
        let in_force = &found.policy_version;
        let is_wanted = named.is_none_or(|named| in_force.starts_with(named));
        ensure!(is_wanted, "no policy waits: {in_force} is in force");
        return told(&arguments, in_force, "no policy waits");
    };
    match named {
        Some(named) => {
            ensure!(
                named.len() >= SHORTEST,
                "name at least {SHORTEST} digits of the version"
            );
            ensure!(
                waiting.policy_version.starts_with(named),
                "it is policy {} that waits: {}",
                waiting.policy_version,
                waiting.reason
            );
        }
        None => confirmed(&arguments, &waiting.reason)?,
    }
    let request = ApplyPolicyRequest {
        request_id: now_v7_id(),
        model: found.model,
        policy_version: waiting.policy_version,
        reason: arguments.reason.clone(),
    };
    let applied = client.apply_policy(request).await?;
    told(&arguments, &applied.policy_version, "a person confirmed it")
}

/// Shows why it waits, and asks.
fn confirmed(arguments: &ApplyArguments, why: &str) -> anyhow::Result<()> {
    if arguments.yes {
        return Ok(());
    }
    ensure!(
        io::stdin().is_terminal(),
        "{why}\nto bring it into force, name its version, or say --yes"
    );
    let mut asked = io::stderr().lock();
    write!(asked, "{why}\nBring it into force? [y/N] ")?;
    asked.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).context("read the answer")?;
    if !matches!(answer.trim(), "y" | "Y" | "yes") {
        bail!("nothing was changed");
    }
    Ok(())
}

fn told(arguments: &ApplyArguments, in_force: &str, why: &str) -> anyhow::Result<Outcome> {
    if arguments.server.json {
        show::line(&json!({ "policy_version": in_force }).to_string())?;
    } else {
        show::line(&format!("policy {} is in force: {why}", show::short(in_force)))?;
    }
    Ok(Outcome::Done)
}
