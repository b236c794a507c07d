//! What can be typed about decisions on record, corrections and known products.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::ServerArguments;
use super::data::ExportArguments;

/// A product by its identities.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct KeyArguments {
    /// Partner whose catalogue it is
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub partner: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum VerdictWord {
    #[value(name = "ALLOW")]
    Allow,
    #[value(name = "REVIEW")]
    Review,
    #[value(name = "BLOCK")]
    Block,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie verdicts BE-10074 --partner belleville --country FR,SA
  vigie verdicts BE-10074 BE-10075 --partner belleville --full          every rule that spoke
  vigie verdicts BE-10074 --partner belleville --ad-type retargeting --fact licence=yes --json

No picture is sent and nothing is judged by a model: the verdict follows from what is known of the product, and from the policy, the
date and the corrections of this moment.")]
pub(in crate::cli) struct VerdictsArguments {
    /// Products by their identity in the partner's catalogue
    #[arg(value_name = "PRODUCT", required = true)]
    pub products: Vec<String>,
    #[command(flatten)]
    pub key: KeyArguments,
    /// Country by its ISO 3166-1 code; may be repeated or a list with commas [default: the rest of the world]
    #[arg(long = "country", short, value_name = "CODE", value_delimiter = ',')]
    pub countries: Vec<String>,
    /// Kind of ad, for the policy's rules
    #[arg(long, value_name = "TYPE", default_value = "", hide_default_value = true)]
    pub ad_type: String,
    /// Fact about the products for the policy's rules; may be repeated
    #[arg(long = "fact", value_name = "NAME=VALUE", value_parser = super::fact)]
    pub facts: Vec<(String, String)>,
    /// Tell every rule that spoke, those that lost too
    #[arg(long)]
    pub full: bool,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie watch
  vigie watch --country FR,SA
  vigie watch --country FR --json | jq -c 'select(.result) | .result'
  vigie watch --country FR --cursor CURSOR           goes on where the last watch ended

First comes everything that is not allowed, then what changes, by a judgement, a correction, a policy, a model or a date. It runs until it is
interrupted. A broken connection is made anew, and nothing is missed. With --json every message has the cursor to go on after it; one
without a result, without a cursor and with \"snapshot\": true says that a snapshot begins: forget what was told before.")]
pub(in crate::cli) struct WatchArguments {
    /// Country by its ISO 3166-1 code; may be repeated or a list with commas [default: the rest of the world]
    #[arg(long = "country", short, value_name = "CODE", value_delimiter = ',')]
    pub countries: Vec<String>,
    /// Go on after what was told with this cursor [default: from the beginning]
    #[arg(long, value_name = "CURSOR", default_value = "", hide_default_value = true)]
    pub cursor: String,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie correct BE-10074 --partner belleville --not firearm --reason \"It is a water pistol\"
  vigie correct BE-10074 --partner belleville --is alcohol --reason \"The bottle is behind the glass\"
  vigie correct BE-10074 --partner belleville --allow --country FR --for 90d --reason \"Licence seen, ticket 4711\"
  vigie correct --picture 9f2c… --block --reason \"Forbidden everywhere, whoever sells it\"
  vigie correct --whole-partner acme --review --reason \"Under investigation\"
  vigie correct --revoke CORRECTION --reason \"The licence has ended\"
  vigie correct --list --partner belleville

A wrong label is the model's error: every country's verdict follows from the policy, now and later. --allow, --review and --block make an
exception: the model is right, and yet. An ALLOW holds for the picture and the texts that it was given on.")]
pub(in crate::cli) struct CorrectArguments {
    /// Product by its identity in the partner's catalogue
    #[arg(value_name = "PRODUCT")]
    pub product: Option<String>,
    #[command(flatten)]
    pub key: KeyArguments,
    /// Every product with this picture instead, by the SHA-256 of its file
    #[arg(long, value_name = "SHA256", conflicts_with = "product")]
    pub picture: Option<String>,
    /// Every product of this partner instead
    #[arg(long, value_name = "ID", conflicts_with_all = ["product", "picture", "partner"])]
    pub whole_partner: Option<String>,
    #[command(flatten)]
    pub what: WhatArguments,
    /// Country that it is about; may be repeated or a list with commas [default: all]
    #[arg(long = "country", short, value_name = "CODE", value_delimiter = ',')]
    pub countries: Vec<String>,
    /// Why, in a sentence for those who come after you
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    pub reason: Option<String>,
    /// How long it holds, as in 90d [default: until it is revoked]
    #[arg(long = "for", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub lasts: Option<Duration>,
    /// Identity of this act: the same one again does nothing twice [default: a new one]
    #[arg(long, value_name = "TEXT")]
    pub request_id: Option<String>,
    /// With --list: those that were revoked or have expired too
    #[arg(long, requires = "list")]
    pub ended: bool,
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What is said; exactly one.
#[derive(Debug, Clone, Args)]
#[group(id = "what", required = true, multiple = false)]
#[command(next_help_heading = "What is said")]
pub(in crate::cli) struct WhatArguments {
    /// The model errs: it shows this label
    #[arg(long, value_name = "LABEL")]
    pub is: Option<String>,
    /// The model errs: it does not show this label
    #[arg(long, value_name = "LABEL")]
    pub not: Option<String>,
    /// An exception: allowed
    #[arg(long)]
    pub allow: bool,
    /// An exception: not shown until a person decides
    #[arg(long)]
    pub review: bool,
    /// An exception: blocked
    #[arg(long)]
    pub block: bool,
    /// End this correction
    #[arg(long, value_name = "CORRECTION")]
    pub revoke: Option<String>,
    /// List the corrections in force, the newest first
    #[arg(long)]
    pub list: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie decisions list --verdict BLOCK --since 24h
  vigie decisions show 0190a5e2-…
  vigie decisions export --corrections --out corrected")]
pub(in crate::cli) struct DecisionsArguments {
    #[command(subcommand)]
    pub command: DecisionsCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DecisionsCommand {
    /// List decisions on record, the newest first
    List(Box<ListDecisionsArguments>),
    /// Show one decision with everything that it was made of
    Show(ShowDecisionArguments),
    /// Write decisions to a file, or corrected labels with their pictures to a folder
    Export(Box<ExportArguments>),
}

/// Which decisions are meant.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct DecisionFilters {
    /// Only this product
    #[arg(long, value_name = "ID")]
    pub product: Option<String>,
    #[command(flatten)]
    pub key: KeyArguments,
    /// Only this picture, by the SHA-256 of its file
    #[arg(long, value_name = "SHA256", default_value = "", hide_default_value = true)]
    pub picture: String,
    /// Only this model
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub model: String,
    /// Only this version
    #[arg(long, value_name = "NUMBER")]
    pub version: Option<i64>,
    /// Only what this label decided
    #[arg(long, value_name = "LABEL", default_value = "", hide_default_value = true)]
    pub label: String,
    /// Only this verdict: in --country, else the strictest of each decision
    #[arg(long, value_name = "VERDICT", ignore_case = true)]
    pub verdict: Option<VerdictWord>,
    /// The country that --verdict is about
    #[arg(long, short, value_name = "CODE", requires = "verdict")]
    pub country: Option<String>,
    /// Only what is not older
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie decisions list
  vigie decisions list --verdict BLOCK --label firearm --since 24h
  vigie decisions list --product BE-10074 --partner belleville
  vigie decisions list --country SA --verdict ALLOW --version 2 --limit 1000 --json > allowed.jsonl")]
pub(in crate::cli) struct ListDecisionsArguments {
    #[command(flatten)]
    pub filters: DecisionFilters,
    /// The most to list
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie decisions show 0190a5e2-…
  vigie decisions show 0190a5e2-… --json | jq .product")]
pub(in crate::cli) struct ShowDecisionArguments {
    /// The decision's identity
    #[arg(value_name = "DECISION")]
    pub decision: String,
    #[command(flatten)]
    pub server: ServerArguments,
}
