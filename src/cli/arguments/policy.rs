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
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie policy diff draft.toml
  vigie policy diff draft.toml --since 7d --model adsafety
  vigie policy diff draft.toml --json | jq .by_country

The server judges its decisions on record by the draft and by the policy in force, without inference, both as of now. Nothing changes.")]
pub(in crate::cli) struct DiffArguments {
    /// The draft
    #[arg(value_name = "FILE")]
    pub draft: PathBuf,
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
pub(in crate::cli) struct PolicyFiles {
    /// Policy files [default: models/*/policy.toml]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Print JSON, one object a line
    #[arg(long)]
    pub json: bool,
}
