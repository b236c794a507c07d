//! The command line as people and scripts meet it: what it prints, how it ends, and what it says when something is wrong.

mod asking;
mod offline;
mod preparing;
mod watching;

use std::process::{Command, Output};

/// A `vigie` command away from the environment of whoever runs the tests.
pub fn vigie(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VIGIE_")) {
        command.env_remove(name);
    }
    command.args(words);
    command
}

/// What a command came to.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("the output is text"),
            err: String::from_utf8(output.stderr).expect("complaints are text"),
        }
    }
}

pub fn end(mut command: Command) -> Ended {
    command.output().expect("run vigie").into()
}
