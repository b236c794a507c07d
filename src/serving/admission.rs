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
#[derive(Clone)]
pub(super) struct Admission {
    places: Arc<Semaphore>,
    plan: PlanHandle,
}

/// A request that came in: it holds its place until it is dropped, and is served by this plan alone.
pub(super) struct Admitted {
    pub plan: Arc<ServingPlan>,
    _place: OwnedSemaphorePermit,
}

impl Admission {
    pub fn new(in_flight: usize, plan: PlanHandle) -> Self {
        Self {
            places: Arc::new(Semaphore::new(in_flight)),
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
        let places = Arc::clone(&self.places);
        let place = match class {
            Class::Live | Class::Background => places.try_acquire_owned().map_err(|_| full())?,
            Class::Bulk => within(deadline, places.acquire_owned()).await?.map_err(|_| full())?,
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

async fn within<T>(deadline: Deadline, wait: impl Future<Output = T>) -> Result<T, Refusal> {
    match deadline.moment() {
        None => Ok(wait.await),
        Some(moment) => tokio::time::timeout_at(moment.into(), wait)
            .await
            .map_err(|_| Refusal::deadline()),
    }
}
