//! The parent's side of a proof: starts the child, waits within the limits, and reads the outcome in words.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{Answer, ProofError, ProofLimits, ProofReport, Proved, SUBCOMMAND, Task};
use crate::executor::measure::Measuring;
use crate::executor::spec::RevisionSpec;
use crate::preprocess::PictureLimits;

/// What is kept of the child's output; the rest is read and forgotten.
const KEPT_OUTPUT_BYTES: u64 = 64 << 10;
/// Environment that the child keeps: it finds shared libraries by it.
const KEPT_ENVIRONMENT: [&str; 1] = ["LD_LIBRARY_PATH"];

/// Proves a candidate in a child process: `program prove`. Afterwards its runs are measured there.
///
/// # Errors
/// See [`ProofError`]. A limit that stopped it is named.
///
/// # Cancel safety
/// Dropping the future kills the child.
pub async fn prove(
    program: &Path,
    library: &Path,
    spec: &RevisionSpec,
    pictures: &PictureLimits,
    limits: &ProofLimits,
    measuring: Option<Measuring>,
) -> Result<ProofReport, ProofError> {
    let began = Instant::now();
    let task = Task {
        library: library.to_path_buf(),
        spec: spec.clone(),
        memory_bytes: limits.memory_bytes,
        cpu_seconds: whole_seconds(limits.cpu),
        max_bytes: pictures.max_bytes,
        max_pixels: pictures.max_pixels,
        max_side: pictures.max_side,
        measuring,
    };
    let passing = |step: &str, error: io::Error| ProofError::Passing(format!("{step} the child process: {error}"));
    let mut child = spawn(program).map_err(|error| passing("start", error))?;
    let ended = timeout(limits.wall, converse(&mut child, &task)).await;
    match ended {
        Ok(outcome) => {
            let outcome = outcome.map_err(|error| passing("talk to", error))?;
            let Proved {
                golden,
                session_bytes,
                curve,
            } = outcome.judge(limits)?;
            Ok(ProofReport {
                golden,
                curve,
                session_bytes,
                took: began.elapsed(),
            })
        }
        Err(_) => {
            let used = child.id().and_then(processor_time);
            // It is killed when it is dropped as well; this waits for its end, so that none is left behind.
            let _ = child.kill().await;
            Err(out_of_time(limits, used))
        }
    }
}

fn spawn(program: &Path) -> io::Result<Child> {
    let mut command = Command::new(program);
    command.arg(SUBCOMMAND).env_clear().env("ORT_DISABLE_TELEMETRY", "1");
    for name in KEPT_ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// How a child ended and what it said.
struct Outcome {
    status: ExitStatus,
    answer: String,
    complaint: String,
}

/// Tells the child its task and waits for its end. Its standard input stays open until then: the child ends when it
/// closes.
async fn converse(child: &mut Child, task: &Task) -> io::Result<Outcome> {
    let line = serde_json::to_string(task).map_err(io::Error::other)?;
    let mut input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let errors = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let tell = async {
        // A child that dies before it has read its task is judged by how it died.
        let _ = input.write_all(format!("{line}\n").as_bytes()).await;
    };
    let ((), answer, complaint, status) = tokio::join!(tell, read(output), read(errors), child.wait());
    drop(input);
    Ok(Outcome {
        status: status?,
        answer: answer?,
        complaint: complaint?,
    })
}

/// Reads to the end, keeps the beginning.
async fn read(mut pipe: impl AsyncRead + Unpin) -> io::Result<String> {
    let mut kept = Vec::new();
    (&mut pipe).take(KEPT_OUTPUT_BYTES).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

impl Outcome {
    fn judge(&self, limits: &ProofLimits) -> Result<Proved, ProofError> {
        let mut answers = self.answer.lines().filter_map(|line| serde_json::from_str(line).ok());
        let first = answers.next();
        // What was proved stays proved, whatever came of measuring it.
        let last = answers.rfind(|answer| matches!(answer, Answer::Proved(_)));
        match last.or(first) {
            Some(Answer::Proved(proved)) => Ok(proved),
            Some(Answer::Content(reason)) => Err(ProofError::Content(reason)),
            Some(Answer::Memory(_)) => Err(out_of_memory(limits)),
            Some(Answer::Passing(reason)) => Err(ProofError::Passing(reason)),
            None => Err(self.died(limits)),
        }
    }

    /// Why a child that gave no answer ended.
    fn died(&self, limits: &ProofLimits) -> ProofError {
        let signs = [
            "bad_alloc",
            "memory allocation of",
            "out of memory",
            "Cannot allocate memory",
        ];
        if signs.iter().any(|sign| self.complaint.contains(sign)) {
            return out_of_memory(limits);
        }
        match self.status.signal() {
            Some(libc::SIGXCPU) => out_of_processor_time(limits),
            Some(libc::SIGKILL) => ProofError::Passing(
                "its child process was killed from outside, perhaps because the machine ran out of memory".into(),
            ),
            Some(signal) => ProofError::Content(format!("loading or running it crashes the process (signal {signal})")),
            None => {
                let last = self.complaint.lines().last().unwrap_or("it said nothing");
                ProofError::Passing(format!(
                    "its child process ended with {} and no answer: {last}",
                    self.status
                ))
            }
        }
    }
}

fn out_of_memory(limits: &ProofLimits) -> ProofError {
    let limit = bytes_in_words(limits.memory_bytes);
    ProofError::Content(format!(
        "needs more than {limit} of memory to load and run once (limit: proof.memory)"
    ))
}

fn out_of_processor_time(limits: &ProofLimits) -> ProofError {
    let seconds = whole_seconds(limits.cpu);
    ProofError::Content(format!(
        "needs more than {seconds} s of processor time to load and run once (limit: proof.cpu)"
    ))
}

/// Out of time on the clock: the candidate's fault if it had the processor for half of it, else the machine's, which
/// was busy.
fn out_of_time(limits: &ProofLimits, used: Option<Duration>) -> ProofError {
    let wall = limits.wall.as_secs();
    match used {
        Some(used) if used < limits.wall / 2 => ProofError::Passing(format!(
            "was not proved within {wall} s, of which it had the processor for {} s only: the machine is busy",
            used.as_secs()
        )),
        Some(_) | None => ProofError::Content(format!(
            "needs more than {wall} s to load and run once (limit: proof.wall)"
        )),
    }
}

/// The processor time that a process has used, by the kernel's account.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in parentheses may hold anything; the fields after it are numbers. User and system time are the 14th and
    // 15th of all.
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    // SAFETY: takes a number and touches no memory of ours.
    let per_second = u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) })
        .ok()
        .filter(|ticks| *ticks > 0)?;
    Some(Duration::from_millis(ticks * 1000 / per_second))
}

/// The limit as the kernel takes it: whole seconds, at least one.
fn whole_seconds(span: Duration) -> u64 {
    span.as_secs_f64().ceil().max(1.0) as u64
}

fn bytes_in_words(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fitting = units
        .into_iter()
        .find(|(shift, _)| bytes >> shift > 0 && bytes.is_multiple_of(1 << shift));
    fitting.map_or_else(
        || format!("{bytes} bytes"),
        |(shift, unit)| format!("{} {unit}", bytes >> shift),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ProofLimits = ProofLimits {
        memory_bytes: 2 << 30,
        cpu: Duration::from_secs(60),
        wall: Duration::from_secs(90),
    };

    fn ended(raw_status: i32, complaint: &str) -> ProofError {
        let status = ExitStatus::from_raw(raw_status);
        Outcome {
            status,
            answer: String::new(),
            complaint: complaint.into(),
        }
        .judge(&LIMITS)
        .unwrap_err()
    }

    #[test]
    fn the_limit_that_stopped_a_candidate_is_named() {
        let memory = "needs more than 2 GiB of memory to load and run once (limit: proof.memory)";
        assert_eq!(
            ended(libc::SIGABRT, "terminate called after throwing 'std::bad_alloc'"),
            ProofError::Content(memory.into())
        );
        assert_eq!(
            ended(libc::SIGABRT, "memory allocation of 9 bytes failed"),
            ProofError::Content(memory.into())
        );
        let processor = "needs more than 60 s of processor time to load and run once (limit: proof.cpu)";
        assert_eq!(ended(libc::SIGXCPU, ""), ProofError::Content(processor.into()));
        assert!(matches!(ended(libc::SIGSEGV, ""), ProofError::Content(reason) if reason.contains("signal 11")));
        assert!(matches!(ended(libc::SIGKILL, ""), ProofError::Passing(_)));
        assert!(matches!(ended(256, "odd"), ProofError::Passing(reason) if reason.contains("odd")));
    }

    #[test]
    fn a_busy_machine_is_not_the_candidates_fault() {
        assert!(matches!(
            out_of_time(&LIMITS, Some(Duration::from_secs(3))),
            ProofError::Passing(_)
        ));
        assert!(matches!(
            out_of_time(&LIMITS, Some(Duration::from_secs(80))),
            ProofError::Content(_)
        ));
    }

    #[test]
    fn the_kernel_tells_the_processor_time_of_a_process() {
        assert!(processor_time(std::process::id()).is_some());
        assert_eq!(processor_time(u32::MAX), None);
    }

    #[test]
    fn limits_are_shown_in_whole_units() {
        assert_eq!(bytes_in_words(2 << 30), "2 GiB");
        assert_eq!(bytes_in_words(1536 << 20), "1536 MiB");
        assert_eq!(bytes_in_words(1001), "1001 bytes");
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1500)), 2);
    }
}
