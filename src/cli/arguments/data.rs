//! What can be typed about taking decisions over, giving them out and erasing them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::ServerArguments;
use super::records::DecisionFilters;

/// How the lines of a file are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LineFormat {
    /// An object a line
    Jsonl,
    /// A header with the names of the columns, then a product a line
    Csv,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie import blocked.csv --source adcheck
  vigie import verdicts.jsonl --source adcheck --dry-run          tells what is wrong with it, and imports nothing
  zcat verdicts.csv.gz | vigie import - --source adcheck --strict

Columns of CSV, fields of JSON: partner_id, product_id, verdict; and where they are known country (or countries), reason, decided_at, title,
description, category, brand, language, price (49.90 EUR), displays, image_sha256. No country is the rest of the world. A verdict is ALLOW,
BLOCK or REVIEW, or a word for it such as approved, rejected, pending. Several lines of one product become one decision.

What is imported answers for a product until the model has looked at it. The same file again adds nothing.")]
pub(in crate::cli) struct ImportArguments {
    /// File with a verdict a line; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What the other system is called; it stands in every reason
    #[arg(long, value_name = "NAME", default_value = "the other system")]
    pub source: String,
    /// How the file is written [default: by its ending, or its first character]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<LineFormat>,
    /// Import nothing where one line is bad [default: the good ones are imported]
    #[arg(long)]
    pub strict: bool,
    /// Only check the file; no server is asked
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie erase --partner acme                   shows what would go, and asks
  vigie erase --partner acme --yes

Decisions, what is known of its products, the content of corrections on them, and pictures that nothing else refers to: gone for good, from
the server's memory and from the database's files. That it was done, when and by whom stays on record, with the partner's name.")]
pub(in crate::cli) struct EraseArguments {
    /// Partner whose data is erased
    #[arg(long, value_name = "ID")]
    pub partner: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Identity of this act: the same one again removes nothing twice [default: a new one]
    #[arg(long, value_name = "TEXT")]
    pub request_id: Option<String>,
    #[command(flatten)]
    pub server: ServerArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie decisions export --out blocked.jsonl --verdict BLOCK --since 24h
  vigie decisions export --out - --partner belleville | gzip > belleville.jsonl.gz
  vigie decisions export --corrections --out corrected --since 30d
  python -m training.finetune corrected models/adsafety/3          a version that has learned from them

With --corrections: the pictures whose labels people corrected, with labels.csv as training reads it, and corrections.csv, which says who
corrected what, when and how it was sampled. Exceptions say nothing of a picture and are left out.")]
pub(in crate::cli) struct ExportArguments {
    /// Write pictures and corrected labels, for training
    #[arg(long, conflicts_with_all = ["product", "partner", "picture", "model", "version", "verdict", "country"])]
    pub corrections: bool,
    /// New file of decisions, one JSON object a line (- is standard output); with --corrections a new or empty folder
    #[arg(long, value_name = "PATH")]
    pub out: PathBuf,
    #[command(flatten)]
    pub filters: DecisionFilters,
    #[command(flatten)]
    pub server: ServerArguments,
}

impl ExportArguments {
    /// How old what is exported may be.
    pub fn since(&self) -> Option<Duration> {
        self.filters.since
    }
}
