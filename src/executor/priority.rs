//! What a thread is to the operating system: its share, and how long it goes on once it runs.

use std::io;

use super::booking::Kind;

/// Makes the calling thread, and every thread that it starts from now on, one of this kind. It never rises again.
///
/// # Errors
/// When the operating system refuses.
pub fn become_one_of(kind: Kind) -> io::Result<()> {
    let attributes = libc::sched_attr {
        size: size_of::<libc::sched_attr>() as u32,
        sched_policy: libc::SCHED_OTHER as u32,
        sched_flags: 0,
        sched_nice: kind.nice(),
        sched_priority: 0,
        // Since Linux 6.12; those before pass it over.
        sched_runtime: u64::try_from(kind.slice().as_nanos()).unwrap_or(0),
        sched_deadline: 0,
        sched_period: 0,
    };
    // SAFETY: the attributes are ours and live through the call, which only reads them; 0 is the calling thread, and no flags.
    let outcome = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
    if outcome == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
