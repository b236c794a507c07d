//! The priority of a thread at the operating system.

use std::io;

/// Lowers the calling thread's priority, and that of every thread it starts from now on. 19 is the lowest; it never
/// rises again.
///
/// # Errors
/// When the operating system refuses.
pub fn lower_to(nice: i32) -> io::Result<()> {
    // SAFETY: takes numbers and touches no memory of ours. On Linux a thread is addressed by its own number, and 0 is
    // the caller's.
    let outcome = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, nice) };
    if outcome == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
