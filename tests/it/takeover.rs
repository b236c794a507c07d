//! Standing beside another system, and leaving nothing behind: its verdicts are taken over until a model has looked, what people corrected goes to
//! training, and a partner that is erased is gone.

mod erasing;
mod exporting;
mod importing;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{Launch, Place, Server};

/// What a command came to.
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl Ended {
    /// What it printed, as the one JSON value that it is.
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self
    }
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

/// A command of the command line, with nobody at the terminal.
fn vigie(server: &Server, words: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("VIGIE_")) {
        command.env_remove(name);
    }
    command
        .args(words)
        .env("VIGIE_SERVER", server.grpc.to_string())
        .stdin(Stdio::null());
    command.output().expect("run vigie").into()
}

fn launch(place: &Place) -> Launch<'_> {
    Launch::new(place).set("WATCH__RESCAN", "1h")
}

/// A file of a test's own.
fn file(place: &Place, name: &str, text: &str) -> PathBuf {
    let path = place.root().join(name);
    std::fs::write(&path, text).expect("write a file");
    path
}

fn word(path: &Path) -> &str {
    path.to_str().expect("a temporary folder has a plain name")
}
