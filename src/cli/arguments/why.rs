//! What can be typed to ask why.

use std::time::{Duration, SystemTime};

use clap::Args;

use super::ServerArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie why BE-10074 --partner belleville                       what last changed its verdict
  vigie why BE-10074 --partner belleville --country SA --at 2d  why it is judged otherwise than two days ago
  vigie why BE-10074 --partner belleville --at 2026-03-01T12:00:00Z
  vigie why 0190a5e2-7c41-7d11-9f3e-2b8f5a7c9d10                why it was decided so, and what it would be now
  vigie why BE-10074 --partner belleville --json | jq -r '.answer[0]'

Two states of the product are compared, and one part at a time is put back as it was: the picture, what is known of the product, the
preprocessing, the weights, the policy, the corrections, the date. What brings the earlier verdict back is the culprit. The decision is
also made again, and held against the record: where it comes out otherwise, or cannot be made again, the exit code is 1. Nothing is changed.")]
pub(in crate::cli) struct WhyArguments {
    /// Product by its identity in the partner's catalogue, or a decision by its own
    #[arg(value_name = "PRODUCT|DECISION")]
    pub about: String,
    /// Partner whose product it is; with it, PRODUCT is never taken for a decision
    #[arg(long, value_name = "ID")]
    pub partner: Option<String>,
    /// Compare with how it stood then: a moment as in 2026-03-01T12:00:00Z, or how long ago as in 2d [default: before the verdict last changed]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<SystemTime>,
    /// Country by its ISO 3166-1 code; may be repeated or a list with commas [default: those that were asked for]
    #[arg(long = "country", short, value_name = "CODE", value_delimiter = ',')]
    pub countries: Vec<String>,
    #[command(flatten)]
    pub server: ServerArguments,
}

/// A moment, or how long ago.
fn moment(text: &str) -> Result<SystemTime, String> {
    if let Ok(span) = humantime::parse_duration(text) {
        return Ok(ago(span));
    }
    humantime::parse_rfc3339_weak(text)
        .map_err(|_| "a moment in UTC as in 2026-03-01T12:00:00Z is expected, or how long ago as in 2d".to_owned())
}

fn ago(span: Duration) -> SystemTime {
    SystemTime::now().checked_sub(span).unwrap_or(SystemTime::UNIX_EPOCH)
}
