//! The limits that a process puts on itself. They hold for the rest of its life.

use std::io;

use super::super::booking::Kind;
use super::super::priority::become_one_of;

/// Enough for the library, the model, its external data and one golden picture at a time.
const OPEN_FILES: u64 = 64;

/// Lowers the priority; forbids core dumps and writing to files; bounds open files, processor time and allocated
/// memory.
///
/// Memory is bounded as private writable memory: what a model allocates counts, while the library's and the model's own
/// mapped files and mere reservations of addresses do not.
///
/// # Errors
/// When the operating system refuses one of them.
pub(super) fn restrict(memory_bytes: u64, cpu_seconds: u64) -> io::Result<()> {
    become_one_of(Kind::Load)?;
    set(libc::RLIMIT_CORE, 0, 0)?;
    set(libc::RLIMIT_FSIZE, 0, 0)?;
    set(libc::RLIMIT_NOFILE, OPEN_FILES, OPEN_FILES)?;
    // One second between the signal that names the limit and the one that cannot be caught.
    set(libc::RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)?;
    set(libc::RLIMIT_DATA, memory_bytes, memory_bytes)
}

#[cfg(target_env = "gnu")]
type Resource = libc::__rlimit_resource_t;
#[cfg(not(target_env = "gnu"))]
type Resource = libc::c_int;

fn set(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit {
        rlim_cur: soft,
        rlim_max: hard,
    };
    // SAFETY: the limit is ours and lives through the call, which only reads it.
    let outcome = unsafe { libc::setrlimit(resource, &raw const limit) };
    if outcome == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
