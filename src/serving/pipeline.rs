//! One request in a straight line: admit, route, look, judge, respond, offer to the tap. Unary calls and streams share it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Semaphore;
use tracing::{Span, info_span};

use super::admission::{Admission, within};
use super::judge::{Made, judge};
use super::look::{Keep, Look, Looking, Outcome, Sight, digest};
use super::trail::Trail;
use crate::base::{Asker, Classification, Deadline, Decision, Picture, Priority, Refusal};
use crate::executor::{Class, Cores, Lane, LookUp, NotRun, Ticket};
use crate::ledger::Ledger;
use crate::plan::{PlanHandle, Route};
use crate::preprocess::PictureLimits;
use crate::tap::{Place, Tap, Tapped};
use crate::telemetry::{self, Stage};

/// What bounds the request path.
#[derive(Debug, Clone, Copy)]
pub struct ServingLimits {
    pub picture: PictureLimits,
    /// Requests in flight at once, over all methods.
    pub in_flight: usize,
    /// For requests that bring no deadline; none: they may take as long as they need.
    pub default_deadline: Option<Duration>,
    /// Pictures go on record, so they are handed on.
    pub keep_pictures: bool,
}

/// A decision, and how long each stage took.
pub struct Judged {
    pub decision: Decision,
    pub trail: Trail,
}

/// The data plane. Cheap to clone.
#[derive(Clone)]
pub struct Serving {
    pub(super) admission: Admission,
    pub(super) cores: Cores,
    pub(super) limits: ServingLimits,
    pub(super) ledger: Arc<Ledger>,
    /// Whose turn it is of those that walk over all known products: together they take one thread at most.
    pub(super) walking: Arc<Semaphore>,
    tap: Arc<Tap>,
}

impl Serving {
    /// Serves by the plan that the handle gives, on these cores, with what the ledger knows.
    pub fn new(plan: PlanHandle, cores: Cores, (ledger, tap): (Arc<Ledger>, Arc<Tap>), limits: ServingLimits) -> Self {
        let admission = Admission::new(limits.in_flight, plan);
        Self {
            admission,
            cores,
            limits,
            ledger,
            walking: Arc::new(Semaphore::new(1)),
            tap,
        }
    }

    /// Judges one product.
    ///
    /// # Errors
    /// Any [`Refusal`]; a picture that is missing or cannot be read is none of them where the product has an id or a text.
    ///
    /// # Cancel safety
    /// When the future is dropped, what has not begun is never computed.
    pub async fn classify(&self, mut request: Classification, asker: Asker) -> Result<Judged, Refusal> {
        let asker = self.bounded(asker);
        let admitted = self.admission.admit(class_of(request.priority), asker.deadline).await?;
        let place = self.tap.place().ok_or_else(not_on_record)?;
        let route = admitted.plan.route(request.model.as_ref(), &request.target)?;
        let (sight, mut trail) = self.look(&route, &mut request, asker).await?;
        let began = Instant::now();
        let made = info_span!("judge").in_scope(|| {
            let trace_id = telemetry::trace_id(&Span::current()).unwrap_or_default();
            judge((&route, &self.ledger), &request, sight, trace_id)
        });
        trail.note(Stage::Judge, began);
        let decision = made.decision.clone();
        self.offer(made, request, route, place);
        Ok(Judged { decision, trail })
    }

    /// Takes the picture out of the request and looks at it: at its scores where they are on record, else at itself, on a core.
    async fn look(&self, route: &Route, request: &mut Classification, asker: Asker) -> Result<(Sight, Trail), Refusal> {
        let picture = std::mem::take(&mut request.product.picture);
        let sight = match &picture {
            Picture::Missing => (Sight::missing(), Trail::default()),
            Picture::Encoded(encoded) => {
                let ticket = Ticket {
                    cost: Some(route.served.executor.cost_of(encoded.len())),
                    ..Ticket::new(class_of(request.priority), asker)
                };
                self.look_at(encoded, route, ticket).await?
            }
        };
        if matches!(sight.0.outcome, Outcome::Unreadable { .. }) && !request.product.is_identified() {
            return Err(nothing_to_judge(&picture, &sight.0));
        }
        Ok(sight)
    }

    async fn look_at(&self, encoded: &Bytes, route: &Route, ticket: Ticket) -> Result<(Sight, Trail), Refusal> {
        let began = Instant::now();
        let sha256 = digest(encoded).await;
        let look = Look {
            encoded: encoded.clone(),
            sha256,
            served: Arc::clone(&route.served),
            limits: self.limits.picture,
            keep: Keep::for_route(route, self.limits.keep_pictures),
        };
        let mut before = Trail::default();
        before.note(Stage::Hash, began);
        let known = route.served.executor.known();
        let looked = match ticket.class {
            Class::Live => within(ticket.asker.deadline, known.look_up(&sha256)).await?,
            // Live requests go before it, and must not wait for it.
            Class::Bulk | Class::Background => known.glance(&sha256),
        };
        match looked {
            LookUp::Known(scores) => Ok((Sight::known(look, scores), before)),
            LookUp::New(place) => {
                let executor = Arc::clone(&route.served.executor);
                let looking = Looking::new(look);
                let (sight, trail) = self.cores.judge(ticket, executor, looking).await.map_err(not_run)??;
                if let Outcome::Scored { scores, .. } = &sight.outcome {
                    place.keep(Arc::clone(scores));
                }
                Ok((sight, before.followed_by(trail)))
            }
        }
    }

    /// Runs work on a core, with a trail that begins in the queue.
    pub(super) async fn on_core<T: Send + 'static>(
        &self,
        ticket: Ticket,
        work: impl FnOnce(&Lane, &mut Trail) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<(T, Trail), Refusal> {
        let queued = Instant::now();
        let job = move |lane: &Lane| {
            let mut trail = Trail::default();
            trail.note(Stage::Queue, queued);
            work(lane, &mut trail).map(|done| (done, trail))
        };
        self.cores.run(ticket, job).await.map_err(not_run)?
    }

    /// The asker with its own deadline, or the configured one where it brings none.
    pub(super) fn bounded(&self, asker: Asker) -> Asker {
        match (asker.deadline.moment(), self.limits.default_deadline) {
            (None, Some(span)) => asker.until(Deadline::after(Instant::now(), span)),
            _ => asker,
        }
    }

    fn offer(&self, made: Made, request: Classification, route: Route, place: Place) {
        let Made {
            decision,
            matched,
            seen,
            unreadable,
        } = made;
        let parent = telemetry::as_parent(&Span::current());
        let tapped = Tapped {
            decision,
            request,
            route,
            matched,
            seen,
            unreadable,
            parent,
        };
        self.tap.offer(tapped, place);
    }
}

/// When decisions that must go on record have no place to wait in.
fn not_on_record() -> Refusal {
    Refusal::overloaded(
        Duration::from_millis(100),
        "decisions come faster than they can be written, and none may be lost (records.when_behind)",
    )
}

fn class_of(priority: Priority) -> Class {
    match priority {
        Priority::Live => Class::Live,
        Priority::Bulk => Class::Bulk,
    }
}

fn nothing_to_judge(picture: &Picture, sight: &Sight) -> Refusal {
    let cause = match (&sight.outcome, picture) {
        (Outcome::Unreadable { cause }, Picture::Encoded(_)) => cause.as_str(),
        _ => "it is missing",
    };
    Refusal::invalid(
        "product",
        format!(
            "there is nothing to judge: the picture cannot be read ({cause}), and there is neither a product_id nor a text"
        ),
    )
}

pub(super) fn not_run(why: NotRun) -> Refusal {
    match why {
        NotRun::QueueFull { retry_after } => Refusal::overloaded(
            retry_after,
            "as much work is waiting for a core as the server takes (cores.queue)",
        ),
        NotRun::DeadlinePassed => Refusal::deadline(),
        NotRun::Late { retry_after } => Refusal::too_late(retry_after),
        NotRun::Panicked => Refusal::internal("the work on this request broke off; the server goes on"),
        NotRun::Closing => Refusal::unavailable("the server is stopping"),
    }
}
