//! Decisions made again, and the culprit where they come out otherwise.
//!
//! A recorded decision names everything that it was made of: picture, revision, policy, corrections, moment. `again` takes these from where they are kept,
//! goes the same way from bytes to verdicts, and holds the outcome against the record. `why` compares two states of a product, one before and one after a
//! verdict changed, and finds what made the difference by putting back one part at a time.
//!
//! All of it runs on threads of the lowest priority, a few at once; nothing here is seen by the request path.

mod again;
mod culprit;
mod lab;
mod part;
mod people;
mod rules;
mod states;
mod timeline;
mod why;
mod words;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::bring_up::BringUp;
use crate::base::{CountryCode, Moment, ProductKey, Recorded, Refusal};
use crate::executor::{Kind, become_one_of};
use crate::ledger::Ledger;
use crate::plan::{PlanHandle, ServingPlan};
use crate::store::{DataDirectory, Records, RecordsError};

pub use again::{Outcome, Replayed, ReplayedPart, ReplayedScore, ReplayedVerdict};
pub use part::Part;
pub use timeline::{Event, EventKind};
pub use why::{Culprit, EndTold, Tried, Why};

/// Questions that are worked on at once.
const AT_ONCE: usize = 2;
/// Questions that may wait for their turn.
const WAITING: usize = 8;
/// When to come back where too many wait.
const COME_BACK: Duration = Duration::from_secs(1);

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A product: why it is judged as it is now.
    Product(ProductKey),
    /// A decision by its identity.
    Decision(String),
}

/// A question for the cause of a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhyAsk {
    pub about: About,
    /// The other state is that of this moment; none: that before the verdict last changed.
    pub at: Option<Moment>,
    /// Empty: those that the decision was asked for.
    pub countries: Vec<CountryCode>,
}

/// Makes decisions again. Cheap to clone.
#[derive(Clone)]
pub struct Replays(Arc<Shared>);

struct Shared {
    plan: PlanHandle,
    records: Records,
    ledger: Arc<Ledger>,
    data: Arc<DataDirectory>,
    bring_up: BringUp,
    /// Places for those who work and those who wait.
    places: Arc<Semaphore>,
    turns: Arc<Semaphore>,
}

impl Replays {
    /// Of these records, with what the data directory keeps; revisions that are not loaded any more are loaded as `bring_up` says.
    pub fn new(
        plan: PlanHandle,
        (records, ledger): (Records, Arc<Ledger>),
        data: Arc<DataDirectory>,
        bring_up: BringUp,
    ) -> Self {
        Self(Arc::new(Shared {
            plan,
            records,
            ledger,
            data,
            bring_up,
            places: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }))
    }

    /// Makes a decision again and holds it against the record.
    ///
    /// # Errors
    /// There is no such decision, too many are being replayed, or the store does not answer.
    ///
    /// # Cancel safety
    /// When the future is dropped, the work ends after its present step.
    pub async fn replay(&self, decision_id: String) -> Result<Replayed, Refusal> {
        self.apart(move |desk| again::replay(desk, &desk.decision(&decision_id)?))
            .await
    }

    /// Finds what made a verdict change.
    ///
    /// # Errors
    /// As [`Replays::replay`]; and where nothing was decided on the product.
    ///
    /// # Cancel safety
    /// As [`Replays::replay`].
    pub async fn why(&self, ask: WhyAsk) -> Result<Why, Refusal> {
        self.apart(move |desk| why::why(desk, &ask)).await
    }

    /// Works on a thread of the lowest priority, once it is this question's turn.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let place = Arc::clone(&self.0.places).try_acquire_owned();
        let place = place.map_err(|_| {
            Refusal::overloaded(
                COME_BACK,
                format!("{AT_ONCE} decisions are being replayed and {WAITING} wait, which is as many as are taken"),
            )
        })?;
        let turn = Arc::clone(&self.0.turns).acquire_owned().await;
        let turn = turn.map_err(|_| Refusal::unavailable("the server is stopping"))?;
        let left = Arc::new(AtomicBool::new(false));
        let _presence = Presence(Arc::clone(&left));
        let desk = Desk {
            shared: Arc::clone(&self.0),
            plan: self.0.plan.pin(),
            handle: Handle::current(),
            left,
            _place: (place, turn),
        };
        let (answer, answered) = oneshot::channel();
        let body = move || {
            // Refused to a process that was started with less: then it keeps what it has.
            let _refused = become_one_of(Kind::Background);
            let _nobody_waits = answer.send(work(&desk));
        };
        std::thread::Builder::new()
            .name("vigie-replay".to_owned())
            .spawn(body)
            .map_err(|error| Refusal::unavailable(format!("start a thread to replay on: {error}; try again")))?;
        answered
            .await
            .map_err(|_| Refusal::internal("the replay broke off; the server goes on"))?
    }
}

/// Tells the thread, when the caller's future goes, that nobody waits any more.
struct Presence(Arc<AtomicBool>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What one question is worked on with, on its own thread.
struct Desk {
    shared: Arc<Shared>,
    /// Pinned once: all of a question sees one plan.
    plan: Arc<ServingPlan>,
    handle: Handle,
    left: Arc<AtomicBool>,
    /// Given back when the work has ended, and not when the caller leaves.
    _place: (OwnedSemaphorePermit, OwnedSemaphorePermit),
}

impl Desk {
    /// Asked before each expensive step.
    fn check(&self) -> Result<(), Refusal> {
        if self.left.load(Ordering::Relaxed) {
            return Err(Refusal::cancelled());
        }
        Ok(())
    }

    /// Waits for the store.
    fn wait<T>(&self, asked: impl Future<Output = Result<T, RecordsError>>) -> Result<T, Refusal> {
        Ok(self.handle.block_on(asked)?)
    }

    fn records(&self) -> &Records {
        &self.shared.records
    }

    fn decision(&self, decision_id: &str) -> Result<Recorded, Refusal> {
        let found = self.wait(self.records().decision(decision_id))?;
        found.ok_or_else(|| {
            Refusal::not_found(format!(
                "decision {decision_id:?} is not on record: it was never made, has not been written yet, or is older than records.keep_days; \
                 `vigie decisions list` tells those that are"
            ))
        })
    }
}
