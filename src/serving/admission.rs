//! Admission: who may come in. A place among those in flight, a deadline that has not passed; then the plan is pinned.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::{Deadline, Refusal};
use crate::executor::Class;
use crate::plan::{PlanHandle, ServingPlan};

/// How soon a refused caller may come back: about the time that the requests in flight take to make room.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// Bounds the requests in flight. Live requests that do not fit are refused at once.
///
/// Bulk work has places of its own, a quarter of all: whoever waits in a line takes each place that becomes free, so in one line with bulk work,
/// which always waits, no live request would ever find a place.
#[derive(Clone)]
pub(super) struct Admission {
    live: Arc<Semaphore>,
    bulk: Arc<Semaphore>,
    plan: PlanHandle,
}

/// A request that came in: it holds its place until it is dropped, and is served by this plan alone.
pub(super) struct Admitted {
    pub plan: Arc<ServingPlan>,
    _place: OwnedSemaphorePermit,
}

impl Admission {
    pub fn new(in_flight: usize, plan: PlanHandle) -> Self {
        let bulk = (in_flight / 4).max(1);
        let live = in_flight.saturating_sub(bulk).max(1);
        Self {
            live: Arc::new(Semaphore::new(live)),
            bulk: Arc::new(Semaphore::new(bulk)),
            plan,
        }
    }

    /// Takes a place and pins the plan. Bulk work, whose senders stop when nothing is taken from them, waits for its place.
    ///
    /// # Cancel safety
    /// A place that was waited for in vain is not taken.
    pub async fn admit(&self, class: Class, deadline: Deadline) -> Result<Admitted, Refusal> {
        if deadline.has_passed(Instant::now()) {
            return Err(Refusal::deadline());
        }
        let place = match class {
            Class::Live | Class::Background => Arc::clone(&self.live).try_acquire_owned().map_err(|_| full())?,
            Class::Bulk => {
                let place = Arc::clone(&self.bulk).acquire_owned();
                within(deadline, place).await?.map_err(|_| full())?
            }
        };
        Ok(Admitted {
            plan: self.plan.pin(),
            _place: place,
        })
    }

    /// The plan of this moment, for questions that take no place.
    pub fn plan(&self) -> Arc<ServingPlan> {
        self.plan.pin()
    }
}

fn full() -> Refusal {
    Refusal::overloaded(
        RETRY_AFTER,
        "as many requests are in flight as the server takes (limits.in_flight)",
    )
}

/// The outcome of a wait, or the refusal of those whose deadline passes first.
pub(super) async fn within<T>(deadline: Deadline, wait: impl Future<Output = T>) -> Result<T, Refusal> {
    match deadline.moment() {
        None => Ok(wait.await),
        Some(moment) => tokio::time::timeout_at(moment.into(), wait)
            .await
            .map_err(|_| Refusal::deadline()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::RefusalKind;

    #[tokio::test]
    async fn bulk_work_that_waits_leaves_live_requests_their_places() {
        let (_publisher, plan) = crate::plan::channel();
        let admission = Admission::new(4, plan);
        let bulk = admission
            .admit(Class::Bulk, Deadline::NONE)
            .await
            .map_err(|_| "full")
            .unwrap();
        let mut waits = Box::pin(admission.admit(Class::Bulk, Deadline::NONE));
        let waiting = std::future::poll_fn(|context| std::task::Poll::Ready(waits.as_mut().poll(context).is_pending()));
        assert!(waiting.await);
        let mut live = Vec::new();
        for _ in 0..3 {
            live.push(
                admission
                    .admit(Class::Live, Deadline::NONE)
                    .await
                    .map_err(|_| "full")
                    .unwrap(),
            );
        }
        let refused = admission.admit(Class::Live, Deadline::NONE).await.err().unwrap();
        assert!(matches!(refused.kind, RefusalKind::Overloaded { .. }), "{refused}");
        drop(bulk);
        assert!(waits.await.is_ok());
    }
}
