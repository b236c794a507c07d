//! The one `ArcSwap` of the house.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::ServingPlan;

/// Makes an empty plan, with the one end that publishes and the end that pins.
pub fn channel() -> (PlanPublisher, PlanHandle) {
    let current = Arc::new(ArcSwap::from_pointee(ServingPlan::default()));
    (
        PlanPublisher {
            current: Arc::clone(&current),
        },
        PlanHandle { current },
    )
}

/// Reads the plan. Cheap to clone.
#[derive(Clone)]
pub struct PlanHandle {
    current: Arc<ArcSwap<ServingPlan>>,
}

impl PlanHandle {
    /// The plan of this moment, to be held for the whole of one request. Call it once: two calls may see two plans.
    pub fn pin(&self) -> Arc<ServingPlan> {
        self.current.load_full()
    }
}

/// Publishes plans. There is one, and control holds it: it is not `Clone`.
pub struct PlanPublisher {
    current: Arc<ArcSwap<ServingPlan>>,
}

impl PlanPublisher {
    /// Puts a plan in force in one swap, and numbers it.
    pub fn publish(&mut self, mut plan: ServingPlan) {
        plan.generation = self.current.load().generation + 1;
        self.current.store(Arc::new(plan));
    }

    /// The plan in force.
    pub fn current(&self) -> Arc<ServingPlan> {
        self.current.load_full()
    }
}
