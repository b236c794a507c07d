//! The two runtimes of a server. Connections have their own, so that no call waits behind the reading of a policy or the recording of a decision; what
//! records and what changes shares another, of lower priority, and uses what the first leaves.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::executor::{CorePlan, Kind, become_one_of};

/// How long what still blocks a thread may take to end.
const LAST: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Runtimes {
    connections: Runtime,
    control: Runtime,
}

impl Runtimes {
    /// Starts both.
    ///
    /// # Errors
    /// When the operating system gives no more threads.
    pub fn start(plan: &CorePlan) -> io::Result<Self> {
        Ok(Self {
            connections: runtime(plan, (Kind::Network, Kind::Control))?,
            control: runtime(plan, (Kind::Control, Kind::Load))?,
        })
    }

    /// Where the planes are spawned that no call waits for.
    pub fn control(&self) -> Handle {
        self.control.handle().clone()
    }

    /// Runs a future among the connections, and then ends both.
    pub fn run<T>(self, future: impl Future<Output = T>) -> T {
        let ended = self.connections.block_on(future);
        self.control.shutdown_timeout(LAST);
        self.connections.shutdown_timeout(LAST);
        ended
    }
}

/// With as many threads of the first kind as the plan has; threads that may block are of the second.
fn runtime(plan: &CorePlan, (working, blocking): (Kind, Kind)) -> io::Result<Runtime> {
    let workers = plan.threads(working);
    let started = AtomicUsize::new(0);
    let blocking_name = format!("{}-blocking", working.as_str());
    let is_blocking = blocking_name.clone();
    Builder::new_multi_thread()
        .worker_threads(workers)
        // Asked for in order, and for every worker before anything can block.
        .thread_name_fn(move || match started.fetch_add(1, Ordering::Relaxed) {
            worker if worker < workers => working.as_str().to_owned(),
            _ => blocking_name.clone(),
        })
        .on_thread_start(move || {
            let kind = match std::thread::current().name() {
                Some(name) if name == is_blocking => blocking,
                _ => working,
            };
            // Refused to a process that was started with less: then it keeps what it has.
            let _refused = become_one_of(kind);
        })
        .enable_all()
        .build()
}
