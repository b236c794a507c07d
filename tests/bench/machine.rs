//! What the figures were measured on, and who runs on which core: the server on one, whoever asks it on the other.

use std::path::Path;
use std::process::Command;

/// The core of the server, of the bare loop and of the transport floor.
pub const SERVER_CORE: usize = 0;
/// The core of whoever asks.
pub const LOAD_CORE: usize = 1;

/// The machine in words.
pub fn describe() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "))
        .unwrap_or("unknown processor");
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get);
    format!("{model}, {cores} cores")
}

/// Keeps the calling thread, and the threads that it starts, on one core.
pub fn stay_on(core: usize) {
    set(core).expect("the machine has two cores for us");
}

/// A command whose process stays on one core.
pub fn on_core(program: &Path, core: usize) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &core.to_string()]).arg(program);
    command
}

fn set(core: usize) -> std::io::Result<()> {
    // SAFETY: the set is ours, is zeroed, which is an empty set, and lives through the call, which only reads it.
    let outcome = unsafe {
        let mut cores: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut cores);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const cores)
    };
    if outcome == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}

/// Runs work on a thread of its own, on the server's core.
pub fn on_server_core<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            stay_on(SERVER_CORE);
            work()
        });
        thread.join().expect("the measured work does not fail")
    })
}
