//! What can be typed, and the help that teaches it.

mod account;
mod data;
mod policy;
mod records;
mod why;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand};

use crate::base::{ModelName, Version};
use crate::grpc::client::{Client, ClientError};

pub(in crate::cli) use account::{AccountArguments, AccountCommand, AccountFile, IssueArguments, RemoveArguments};
pub(in crate::cli) use data::{EraseArguments, ExportArguments, ImportArguments, LineFormat};
pub(in crate::cli) use policy::{
    ApplyArguments, DiffArguments, GoalArguments, MovedWord, PolicyArguments, PolicyCommand, PolicyFiles,
    ThresholdsArguments,
};
pub(in crate::cli) use records::{
    CorrectArguments, DecisionFilters, DecisionsArguments, DecisionsCommand, ListDecisionsArguments,
    ShowDecisionArguments, VerdictWord, VerdictsArguments, WatchArguments, WhatArguments,
};
pub(in crate::cli) use why::WhyArguments;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const FIRST_STEPS: &str = "\
First steps:
  vigie serve                                         serve the models of ./models
  vigie classify lamp.jpg --country FR --country DE   may it be shown there?
  vigie models                                        what serves, and why not the rest
  http://127.0.0.1:8002/traces                        where the time went, in a browser

Exit codes: 0 done, 1 a verdict other than ALLOW or a repository with an error, 2 trouble.";

/// Judges product pictures: may this be shown in an ad, in this country?
#[derive(Debug, Parser)]
#[command(name = "vigie", version, styles = STYLES, after_help = FIRST_STEPS, max_term_width = 110, arg_required_else_help = true)]
pub(in crate::cli) struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Serve the models of a repository
    Serve(ServeArguments),
    /// Judge pictures, or every product of a catalogue
    Classify(Box<ClassifyArguments>),
    /// Show the models, their versions, and what the shadow says
    Models(ModelsArguments),
    /// Ask for the verdicts on known products, without a picture
    Verdicts(VerdictsArguments),
    /// Show every known product that is not allowed, then every change of a verdict as it comes
    Watch(WatchArguments),
    /// List and show decisions on record
    Decisions(DecisionsArguments),
    /// Correct a judgement: a wrong label, or an exception; list and revoke corrections
    Correct(Box<CorrectArguments>),
    /// Take over another system's verdicts and block lists
    Import(Box<ImportArguments>),
    /// Erase everything of a partner
    Erase(EraseArguments),
    /// Find out why a product is judged as it is, and what changed its verdict
    Why(WhyArguments),
    /// Check a whole repository without a server: what is wrong, and how to mend it
    Check(CheckArguments),
    /// Make a whole version of an ONNX file, or reseal one after an edit
    Add(AddArguments),
    /// Check, test, show and compare policies
    Policy(PolicyArguments),
    /// Keep the accounts of a server: who may do what
    Account(AccountArguments),
    /// The child's side of proving a revision; started by the server itself
    #[command(hide = true)]
    Prove,
}

/// Every key of the configuration may stand in a TOML file and in the environment; flags outrank both.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie serve
  vigie serve --repository /srv/models --data /var/lib/vigie --grpc 0.0.0.0:8001
  VIGIE_TELEMETRY__OTLP_ENDPOINT=http://127.0.0.1:4317 vigie serve
  vigie serve --print-config > vigie.toml      every key with its meaning, to edit

Order: defaults, then --config, then VIGIE_SECTION__KEY variables, then flags.")]
pub(in crate::cli) struct ServeArguments {
    /// TOML file with the configuration
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder of the models [default: models]
    #[arg(long, value_name = "DIR")]
    pub repository: Option<String>,
    /// Folder of this server's own state [default: data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// Address of the gRPC port [default: 127.0.0.1:8001]
    #[arg(long, value_name = "ADDR")]
    pub grpc: Option<String>,
    /// Address of the admin port: readiness, metrics, traces [default: 127.0.0.1:8002]
    #[arg(long, value_name = "ADDR")]
    pub admin: Option<String>,
    /// Print the configuration that these sources give, every key explained, and stop
    #[arg(long)]
    pub print_config: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie check
  vigie check /srv/models --json | jq '.models.adsafety.versions'
  vigie check /srv/models --skip-proof         without loading any model

Every file is hashed and every version is loaded, run and held against its golden scores in a child process,
exactly as before it would serve. Nothing is changed.")]
pub(in crate::cli) struct CheckArguments {
    /// Folder of the models
    #[arg(value_name = "REPOSITORY", default_value = "models")]
    pub repository: PathBuf,
    /// Do not load the models: look at files and texts alone
    #[arg(long)]
    pub skip_proof: bool,
    /// TOML file with the configuration, for its limits
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie add new.onnx --to adsafety                        like the highest version: its labels, its preprocessing
  vigie add new.onnx --to adsafety --like 1 --scores scores.jsonl --samples pictures/
  vigie add resnet.onnx --to resnet                       a new model without a manifest serves tensors
  vigie add --reseal models/adsafety/2                    after a deliberate edit of its files

With --scores from the training pipeline the golden scores prove that the version judges as in training; without,
they come from the model itself and prove only that it goes on judging as it does now.")]
pub(in crate::cli) struct AddArguments {
    /// Model file
    #[arg(
        value_name = "MODEL.onnx",
        required_unless_present = "reseal",
        conflicts_with = "reseal",
        requires = "to"
    )]
    pub onnx: Option<PathBuf>,
    /// Model to which it is added, made if need be
    #[arg(long, value_name = "NAME")]
    pub to: Option<ModelName>,
    /// Version to be like [default: the highest with a manifest]
    #[arg(long, value_name = "VERSION")]
    pub like: Option<Version>,
    /// Folder of golden pictures [default: those of the version it is like]
    #[arg(long, value_name = "DIR")]
    pub samples: Option<PathBuf>,
    /// File of golden scores from the training pipeline
    #[arg(long, value_name = "FILE")]
    pub scores: Option<PathBuf>,
    /// Make the manifest of this version agree with its files again
    #[arg(long, value_name = "DIR", conflicts_with_all = ["to", "like", "samples", "scores"])]
    pub reseal: Option<PathBuf>,
    /// Folder of the models
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub repository: PathBuf,
    /// TOML file with the configuration, for its limits
    #[arg(long, value_name = "FILE", env = "VIGIE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Print what was made as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which server is asked, and how its answer is shown.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct ServerArguments {
    /// Server to ask, as HOST:PORT
    #[arg(long, value_name = "ADDR", env = "VIGIE_SERVER", default_value = "127.0.0.1:8001")]
    pub server: String,
    /// Token that says who asks, where the server has accounts
    #[arg(long, value_name = "TOKEN", env = "VIGIE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print JSON, one object a line, instead of a table
    #[arg(long)]
    pub json: bool,
}

impl ServerArguments {
    /// Connects to it.
    pub async fn connect(&self) -> Result<Client, ClientError> {
        Client::connect(&self.server, self.token.as_deref()).await
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie classify lamp.jpg                                     the rest of the world
  vigie classify lamp.jpg knife.png --country FR,DE,SA
  vigie classify bottle.webp --country FR --title \"Red wine, 75 cl\" --partner belleville --product-id BE-10074
  vigie classify lamp.jpg --model adsafety --version 2        a version by its number, outside any release
  vigie classify --catalogue tests/catalogue/products.jsonl --country FR
  vigie classify lamp.jpg --json | jq .verdicts

A catalogue has a product a line, as JSON: partner_id, product_id, title, description, category, brand, language,
price {units, nanos, currency}, and picture, a file beside the catalogue.")]
pub(in crate::cli) struct ClassifyArguments {
    /// Pictures: JPEG, PNG, WebP, GIF or BMP
    #[arg(
        value_name = "IMAGE",
        required_unless_present = "catalogue",
        conflicts_with = "catalogue"
    )]
    pub images: Vec<PathBuf>,
    /// Judge every product of a catalogue instead, a JSON object a line
    #[arg(long, value_name = "FILE")]
    pub catalogue: Option<PathBuf>,
    /// Country by its ISO 3166-1 code; may be repeated or a list with commas [default: the rest of the world]
    #[arg(long = "country", short, value_name = "CODE", value_delimiter = ',')]
    pub countries: Vec<String>,
    #[command(flatten)]
    pub target: TargetArguments,
    #[command(flatten)]
    pub product: ProductArguments,
    /// Kind of ad, for the policy's rules
    #[arg(long, value_name = "TYPE", default_value = "")]
    pub ad_type: String,
    /// Fact about the product for the policy's rules; may be repeated
    #[arg(long = "fact", value_name = "NAME=VALUE", value_parser = fact)]
    pub facts: Vec<(String, String)>,
    /// Time that one answer may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub timeout: Duration,
    /// With a catalogue: list every product that is not allowed, and not only the first
    #[arg(long, requires = "catalogue")]
    pub all: bool,
    #[command(flatten)]
    pub server: ServerArguments,
}

/// What judges.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct TargetArguments {
    /// Model that judges [default: the server's]
    #[arg(long, value_name = "NAME", default_value = "")]
    pub model: String,
    /// Version that judges, outside any release [default: what is live]
    #[arg(long = "version", value_name = "NUMBER")]
    pub version: Option<i64>,
    /// Revision that judges, even one in shadow
    #[arg(long, value_name = "SHA256", conflicts_with = "version")]
    pub revision: Option<String>,
}

/// What is known of the product beside its picture.
#[derive(Debug, Clone, Args)]
#[group(id = "product", multiple = true, conflicts_with = "catalogue")]
#[command(next_help_heading = "Product")]
pub(in crate::cli) struct ProductArguments {
    /// Title
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub title: String,
    /// Description
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub description: String,
    /// Category, as in "Kitchen > Knives"
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub category: String,
    /// Brand
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub brand: String,
    /// Language of the texts, as in "fr"
    #[arg(long, value_name = "TAG", default_value = "", hide_default_value = true)]
    pub language: String,
    /// Partner whose product it is
    #[arg(long = "partner", value_name = "ID", default_value = "", hide_default_value = true)]
    pub partner_id: String,
    /// Identity of the product with its partner
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    pub product_id: String,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  vigie models
  vigie models --watch                 again after each change
  vigie models flips --limit 20        products on which live and shadow last differed
  vigie models --json | jq '.models[] | select(.live)'"
)]
pub(in crate::cli) struct ModelsArguments {
    #[command(subcommand)]
    pub command: Option<ModelsCommand>,
    #[command(flatten)]
    pub wanted: ModelsWanted,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ModelsWanted {
    /// Only this model, and how its versions are run and what their runs were measured to take
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub model: String,
    /// Show it again after each change, until interrupted
    #[arg(long)]
    pub watch: bool,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ModelsCommand {
    /// List the products on which the live version and its shadow last gave different verdicts
    Flips(FlipsArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie models flips
  vigie models flips --model adsafety --limit 1000 --json > flips.jsonl")]
pub(in crate::cli) struct FlipsArguments {
    /// Only this model
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub model: String,
    /// The most to list, for each model
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub limit: u32,
    #[command(flatten)]
    pub server: ServerArguments,
}

fn fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or("NAME=VALUE is expected, as in adult=false")?;
    Ok((name.to_owned(), value.to_owned()))
}
