//! The command line: what people and scripts type, and what they read.
//!
//! Parses, calls the room that does the work, and shows the outcome: a table for people, JSON with `--json`. Exit codes: 0 done, 1 a
//! verdict other than `ALLOW` or a repository with an error, 2 trouble. It decides nothing itself.

mod account;
mod arguments;
mod catalogue;
mod classify;
mod correct;
mod decisions;
mod erase;
mod export;
mod flips;
mod import;
mod models;
mod policy;
mod policy_apply;
mod policy_diff;
mod product;
mod progress;
mod repository;
mod serve;
mod show;
mod summary;
mod thresholds;
mod verdicts;
mod watch;
mod why;

use std::io;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command, DecisionsCommand, ModelsCommand, PolicyCommand};

use crate::executor;

/// How a command ended when nothing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    Done,
    /// Something is not as it should be, and was said: a verdict other than `ALLOW`, a repository with an error.
    Objection,
    /// Some of the work could not be done, and was said.
    Trouble,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Objection => Self::from(1),
            Outcome::Trouble => Self::from(2),
        }
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) if reader_left(&error) => ExitCode::SUCCESS,
        Err(error) => {
            show::complain(&format!("{error:#}"));
            Outcome::Trouble.into()
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let outcome = match arguments.command {
        Command::Serve(serve) => serve::run(serve),
        Command::Classify(classify) => client(classify::run(*classify)),
        Command::Models(models) => match models.command {
            None => client(models::run(models.wanted)),
            Some(ModelsCommand::Flips(flips)) => client(flips::run(flips)),
        },
        Command::Verdicts(verdicts) => client(verdicts::run(verdicts)),
        Command::Watch(watch) => client(watch::run(watch)),
        Command::Decisions(decisions) => match decisions.command {
            DecisionsCommand::List(list) => client(decisions::list(*list)),
            DecisionsCommand::Show(wanted) => client(decisions::show(wanted)),
            DecisionsCommand::Export(export) => client(export::run(*export)),
        },
        Command::Import(import) => client(import::run(*import)),
        Command::Erase(erase) => client(erase::run(erase)),
        Command::Correct(correct) => client(correct::run(*correct)),
        Command::Why(why) => client(why::run(why)),
        Command::Check(check) => repository::run_check(&check),
        Command::Add(add) => repository::run_add(add),
        Command::Policy(arguments) => match arguments.command {
            PolicyCommand::Diff(diff) => client(policy_diff::run(diff)),
            PolicyCommand::Apply(apply) => client(policy_apply::run(apply)),
            PolicyCommand::Thresholds(asked) => client(thresholds::run(*asked)),
            PolicyCommand::Check(files) => policy::check(&files),
            PolicyCommand::Test(files) => policy::test(&files),
            PolicyCommand::Show(files) => policy::show(&files),
        },
        Command::Account(account) => account::run(account.command),
        // What it has to say it has said to its parent.
        Command::Prove => return Ok(ExitCode::from(u8::try_from(executor::prove_here()).unwrap_or(1))),
    };
    outcome.map(ExitCode::from)
}

/// Runs a command that talks to a server.
fn client(command: impl Future<Output = anyhow::Result<Outcome>>) -> anyhow::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let outcome = runtime.block_on(command);
    // A file still being read must not hold up the end.
    runtime.shutdown_background();
    outcome
}

/// Whether nobody reads the output any more, as with `| head`: no trouble of ours.
fn reader_left(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_declared_without_contradiction() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_example() {
        for command in Arguments::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(examples.contains("vigie "), "{} has no example", command.get_name());
            assert!(command.get_about().is_some());
        }
    }
}
