//! What can be typed about policies.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::ServerArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie policy check                            the policies of ./models, with the labels of their models
  vigie policy check draft.toml                 a file that lies anywhere
  vigie policy test draft.toml                  judge the examples that stand beside the rules
  vigie policy show models/adsafety/policy.toml

check, test and show work without a server. A policy with mistakes is told whole: each with its line, its column and what to write instead.")]
pub(in crate::cli) struct PolicyArguments {
    #[command(subcommand)]
    pub command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PolicyCommand {
    /// Find rules that never speak, contradict each other, have ended, or that nobody has looked at in time
    Check(PolicyFiles),
    /// Judge the examples that stand in the file
    Test(PolicyFiles),
    /// List the rules in words
    Show(PolicyFiles),
    /// What a draft would newly allow and newly block, of the decisions on record
    Diff(DiffArguments),
    /// Bring a changed policy into force that would newly allow too much to come by itself
    Apply(ApplyArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie policy diff draft.toml
  vigie policy diff                             the changed policy that waits for `vigie policy apply`
  vigie policy diff draft.toml --since 7d --model adsafety
  vigie policy diff draft.toml --json | jq .by_country

The server judges its decisions on record by the draft and by the policy in force, without inference, both as of now. Nothing changes.")]
pub(in crate::cli) struct DiffArguments {
    /// The draft [default: the policy that waits]
    #[arg(value_name = "FILE")]
    pub draft: Option<PathBuf>,
    /// Model whose policy it is to be [default: the server's]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub model: String,
    /// Only decisions that are not older [default: all on record]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie policy apply --reason \"Legal has agreed\"           shows why it waits, and asks
  vigie policy apply 1a2b3c4d5e6f --reason \"Legal has agreed\"

An edited policy.toml is tried on the decisions of late. It comes into force by itself unless it would newly allow more of them than
[release] newly_allow_at_most of model.toml says, or anything that a severe label keeps from being shown: then it waits for this command.")]
pub(in crate::cli) struct ApplyArguments {
    /// The version that waits, or its first digits
    #[arg(value_name = "VERSION")]
    pub version: Option<String>,
    /// Model whose policy it is [default: the server's]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub model: String,
    /// Why, for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PolicyFiles {
    /// Policy files [default: models/*/policy.toml]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}
