//! The child's side of a proof.

use std::io::{self, BufRead, Read, Write};

use super::limits::restrict;
use super::{Answer, Task};
use crate::engine::Runtime;
use crate::executor::loaded::{Executor, Trouble};
use crate::executor::reaper::Reaper;

/// A task longer than this is not one of ours.
const LONGEST_TASK_BYTES: u64 = 64 << 20;
/// Told when the parent went away; nobody reads it.
const ORPHANED: i32 = 3;

/// Reads one task, proves the candidate under the limits it states, and answers. Gives the process's exit status.
///
/// It changes the whole process for good, so it is for the hidden subcommand alone.
pub fn prove_here() -> i32 {
    let answer = read_task().map_or_else(
        |error| Answer::Passing(format!("read the task: {error}")),
        |task| answer(&task),
    );
    let line = serde_json::to_string(&answer).expect("an answer is texts and finite numbers");
    let mut output = io::stdout().lock();
    // A parent that went away does not want it.
    let written = writeln!(output, "{line}").and_then(|()| output.flush());
    i32::from(written.is_err())
}

fn read_task() -> io::Result<Task> {
    let mut line = String::new();
    io::stdin().lock().take(LONGEST_TASK_BYTES).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn answer(task: &Task) -> Answer {
    let restricted = end_with_parent().and_then(|()| restrict(task.memory_bytes, task.cpu_seconds));
    match restricted {
        Ok(()) => prove(task).unwrap_or_else(Answer::from),
        Err(error) => Answer::Passing(format!("restrict the child process: {error}")),
    }
}

fn prove(task: &Task) -> Result<Answer, Trouble> {
    let passing = |error: String| Trouble::Passing(error);
    let runtime = Runtime::load(&task.library).map_err(|error| passing(error.to_string()))?;
    let reaper = Reaper::start().map_err(|error| passing(format!("start a thread: {error}")))?;
    let executor = Executor::try_load(&runtime, task.spec.clone(), 1, &reaper)?;
    executor.try_golden(&task.pictures()).map(Answer::Proved)
}

/// Ends this process when the parent's end of the standard input closes, however the parent ended.
fn end_with_parent() -> io::Result<()> {
    let watch = || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(ORPHANED);
    };
    std::thread::Builder::new().name("parent".into()).spawn(watch).map(drop)
}
