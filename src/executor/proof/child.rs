//! The child's side of a proof.

use std::io::{self, BufRead, Read, Write};

use super::limits::restrict;
use super::{Answer, Proved, Task};
use crate::engine::Runtime;
use crate::executor::loaded::{Executor, Trouble};
use crate::executor::reaper::Reaper;
use crate::executor::setting::CostCurve;

/// A task longer than this is not one of ours.
const LONGEST_TASK_BYTES: u64 = 64 << 20;
/// Told when the parent went away; nobody reads it.
const ORPHANED: i32 = 3;

/// Reads one task, proves the candidate under the limits it states, and answers. Gives the process's exit status.
///
/// It changes the whole process for good, so it is for the hidden subcommand alone.
pub fn prove_here() -> i32 {
    let mut said = true;
    let mut say = |answer: &Answer| {
        let line = serde_json::to_string(answer).expect("an answer is texts and finite numbers");
        let mut output = io::stdout().lock();
        // A parent that went away does not want it.
        said &= writeln!(output, "{line}").and_then(|()| output.flush()).is_ok();
    };
    let done = match read_task() {
        Ok(task) => answer(&task, &mut say),
        Err(error) => Err(Answer::Passing(format!("read the task: {error}"))),
    };
    if let Err(trouble) = done {
        say(&trouble);
    }
    i32::from(!said)
}

fn read_task() -> io::Result<Task> {
    let mut line = String::new();
    io::stdin().lock().take(LONGEST_TASK_BYTES).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn answer(task: &Task, say: &mut impl FnMut(&Answer)) -> Result<(), Answer> {
    end_with_parent()
        .and_then(|()| restrict(task.memory_bytes, task.cpu_seconds))
        .map_err(|error| Answer::Passing(format!("restrict the child process: {error}")))?;
    Ok(prove(task, say)?)
}

fn prove(task: &Task, say: &mut impl FnMut(&Answer)) -> Result<(), Trouble> {
    let passing = |error: String| Trouble::Passing(error);
    let runtime = Runtime::load(&task.library).map_err(|error| passing(error.to_string()))?;
    let reaper = Reaper::start().map_err(|error| passing(format!("start a thread: {error}")))?;
    let before = memory_bytes();
    let mut executor = Executor::try_load(&runtime, task.spec.clone(), &reaper)?;
    let golden = executor.try_golden(&task.pictures())?;
    let mut proved = Proved {
        golden,
        session_bytes: memory_bytes().saturating_sub(before),
        curve: CostCurve::default(),
    };
    say(&Answer::Proved(proved.clone()));
    if let Some(measuring) = &task.measuring {
        proved.curve = executor.measure(&runtime, measuring)?;
        say(&Answer::Proved(proved));
    }
    Ok(())
}

/// What this process holds in memory; zero where the system does not say.
fn memory_bytes() -> u64 {
    // The second number, in pages of four kibibytes on the systems that this runs on.
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// Ends this process when the parent's end of the standard input closes, however the parent ended.
fn end_with_parent() -> io::Result<()> {
    let watch = || {
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        std::process::exit(ORPHANED);
    };
    std::thread::Builder::new().name("parent".into()).spawn(watch).map(drop)
}
