//! What can be typed about policies.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::ServerArguments;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vigie policy check                            the policies of ./models, with the labels of their models
  vigie policy check draft.toml                 a file that lies anywhere
  vigie policy test draft.toml                  judge the examples that stand beside the rules
  vigie policy show models/adsafety/policy.toml
  vigie policy diff draft.toml                  what a draft would change of what was decided
  vigie policy thresholds alcohol               what other thresholds would do

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
    /// What other thresholds would do, by the decisions on record, and which of them does what you want
    Thresholds(Box<ThresholdsArguments>),
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
#[command(after_help = "\
Examples:
  vigie policy thresholds                                        every label, with what is in force for the rest of the world
  vigie policy thresholds alcohol --country NO --since 30d
  vigie policy thresholds firearm --at-most-missed 5%            the highest BLOCK threshold that surely misses no more
  vigie policy thresholds --at-most-blocked 1%
  vigie policy thresholds tobacco --move review --at-most-reviews 200
  vigie policy thresholds --least-cost --html thresholds.html    and a page to pass on
  vigie policy thresholds alcohol --json | jq '.curves[0].points[] | select(.held < 100)'

How much a threshold holds back is counted from the latest decision on each product. How often it is wrong is known only of the pictures
of which people said what they show (`vigie correct --is`, `--not`): say so where the model is right, too. What errors cost stands in the
policy's [costs]. Nothing changes. The exit code is 1 where no threshold does what is asked.")]
pub(in crate::cli) struct ThresholdsArguments {
    /// Labels [default: every label that the model gives]
    #[arg(value_name = "LABEL")]
    pub labels: Vec<String>,
    /// Country whose rules say what is in force [default: the rest of the world]
    #[arg(long, short, value_name = "CODE", default_value = "", hide_default_value = true)]
    pub country: String,
    /// The threshold that is moved; the other one stays as it is in force
    #[arg(long = "move", value_name = "THRESHOLD", value_enum, default_value_t = MovedWord::Block, ignore_case = true)]
    pub moved: MovedWord,
    /// Only decisions that are not older [default: all on record]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub since: Option<Duration>,
    /// Model whose labels they are [default: the server's]
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub model: String,
    /// Only decisions by this version [default: the latest on each product, by whichever version]
    #[arg(long = "version", value_name = "NUMBER")]
    pub version: Option<i64>,
    /// Also write the curves as a page that needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    #[command(flatten)]
    pub server: ServerArguments,
    // Last, so that its heading stands above nothing else.
    #[command(flatten)]
    pub goal: GoalArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum MovedWord {
    /// From where on it is blocked
    Block,
    /// From where on a person looks at it
    Review,
}

/// What the threshold is to do; at most one.
#[derive(Debug, Clone, Args)]
#[group(id = "goal", multiple = false)]
#[command(next_help_heading = "What the threshold is to do")]
pub(in crate::cli) struct GoalArguments {
    /// Hold back at most this share of products, as in 1%
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub at_most_blocked: Option<f64>,
    /// Miss at most this share of what shows the label, by the upper end of the 95 % interval
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub at_most_missed: Option<f64>,
    /// Leave at most so many products a day for people to look at
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(0..=1_000_000_000))]
    pub at_most_reviews: Option<u32>,
    /// Make errors cost least, while people can look at what is left to them
    #[arg(long)]
    pub least_cost: bool,
}

/// `1%` or `0.01`; a bare 1 could be either and is refused.
fn share(text: &str) -> Result<f64, String> {
    let expected = || "a share above 0 % and below 100 % is expected, as in 1% or 0.01".to_owned();
    let (number, whole) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 100.0),
        None => (text, 1.0),
    };
    let share = number.parse::<f64>().map_err(|_| expected())? / whole;
    if share > 0.0 && share < 1.0 {
        Ok(share)
    } else {
        Err(expected())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_told_in_percent_or_as_a_part_of_one() {
        assert_eq!(
            (share("1%"), share("0.5 %"), share("0.25")),
            (Ok(0.01), Ok(0.005), Ok(0.25))
        );
        for bad in ["1", "0", "0%", "100%", "-1%", "150%", "NaN", "one", "%", ""] {
            assert!(share(bad).unwrap_err().contains("1% or 0.01"), "{bad:?}");
        }
    }
}
