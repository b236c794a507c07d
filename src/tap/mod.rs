//! The tap: serving offers each decision, and whoever observes picks it up. It never waits.
//!
//! Each listener has a bounded queue of its own, and the pictures in all of them together a bounded size; what does not fit is
//! dropped and counted, so that a slow observer costs the request path nothing.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc::OwnedPermit;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::base::{Classification, Decision};
use crate::plan::Route;
use crate::policy::Matched;
use crate::preprocess::Decoded;
use crate::telemetry::Parent;

/// One decision with what is needed to make it again by another revision.
pub struct Tapped {
    pub decision: Decision,
    /// As it was asked, without the picture.
    pub request: Classification,
    pub route: Route,
    /// Which keyword rules found a word in the product's texts.
    pub matched: Matched,
    pub seen: Option<Seen>,
    /// Why the picture could not be judged; none where it was.
    pub unreadable: Option<String>,
    /// The caller's trace, for spans of later work.
    pub parent: Parent,
}

/// The picture as the live revision saw it. Kept where it goes on record, or a shadow will look at it too.
pub struct Seen {
    pub encoded: Bytes,
    /// None where the live revision knew the picture and did not look, and where no shadow will.
    pub pixels: Option<Pixels>,
}

/// What the live revision made of a picture.
pub struct Pixels {
    pub decoded: Decoded,
    /// Its input, NCHW.
    pub tensor: Vec<f32>,
}

impl Seen {
    fn kibibytes(&self) -> u32 {
        let of_pixels = |pixels: &Pixels| pixels.decoded.rgb.len() + size_of_val(&pixels.tensor[..]);
        let bytes = self.encoded.len() + self.pixels.as_ref().map_or(0, of_pixels);
        u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX)
    }
}

/// A decision on its way to the listeners, with its share of the memory that pictures may take.
pub struct Offered {
    tapped: Tapped,
    _held: Option<OwnedSemaphorePermit>,
}

impl Deref for Offered {
    type Target = Tapped;
    fn deref(&self) -> &Tapped {
        &self.tapped
    }
}

/// The sending end, which serving holds.
pub struct Tap {
    listeners: Vec<Listener>,
    /// What is left of the memory for pictures, in KiB.
    memory: Arc<Semaphore>,
}

struct Listener {
    queue: mpsc::Sender<Arc<Offered>>,
    dropped: Arc<AtomicU64>,
    wants: Wants,
}

/// What a listener is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Decisions with their pictures; what does not fit is dropped.
    Pictures,
    /// Decisions, with their pictures where there is room for those; what does not fit is dropped.
    Decisions,
    /// The same, but every one: who has no place for it is not to decide.
    EveryDecision,
}

/// A place in the queues of those who must hear of every decision.
pub struct Place(Vec<OwnedPermit<Arc<Offered>>>);

/// The receiving end of one listener.
pub struct TapListener {
    queue: mpsc::Receiver<Arc<Offered>>,
    dropped: Arc<AtomicU64>,
}

impl Tap {
    /// A tap without listeners, in which pictures may take so many bytes.
    pub fn new(memory_bytes: usize) -> Self {
        Self {
            listeners: Vec::new(),
            memory: Arc::new(Semaphore::new(memory_bytes / 1024)),
        }
    }

    /// Adds a listener whose queue holds so many decisions.
    pub fn listen(&mut self, queue_length: usize, wants: Wants) -> TapListener {
        let (sender, queue) = mpsc::channel(queue_length.max(1));
        let dropped = Arc::new(AtomicU64::new(0));
        self.listeners.push(Listener {
            queue: sender,
            dropped: Arc::clone(&dropped),
            wants,
        });
        TapListener { queue, dropped }
    }

    /// Takes a place for a decision that is going to be made; none where somebody must hear of it and cannot. Never waits.
    pub fn place(&self) -> Option<Place> {
        let must = self
            .listeners
            .iter()
            .filter(|listener| listener.wants == Wants::EveryDecision);
        let places = must.map(|listener| listener.queue.clone().try_reserve_owned().ok());
        places.collect::<Option<Vec<_>>>().map(Place)
    }

    /// Offers a decision to every listener; never waits.
    pub fn offer(&self, mut tapped: Tapped, place: Place) {
        let share = tapped.seen.as_ref().map_or(0, Seen::kibibytes);
        let held = Arc::clone(&self.memory).try_acquire_many_owned(share).ok();
        let fits = held.is_some();
        if !fits {
            tapped.seen = None;
        }
        let offered = Arc::new(Offered { tapped, _held: held });
        for permit in place.0 {
            drop(permit.send(Arc::clone(&offered)));
        }
        for listener in &self.listeners {
            let is_heard = match listener.wants {
                Wants::EveryDecision => true,
                Wants::Pictures => fits && listener.queue.try_send(Arc::clone(&offered)).is_ok(),
                Wants::Decisions => listener.queue.try_send(Arc::clone(&offered)).is_ok(),
            };
            if !is_heard {
                listener.dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl TapListener {
    /// The next decision; none when the tap is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Arc<Offered>> {
        self.queue.recv().await
    }

    /// The next decisions, at most so many, as soon as there is one; none when the tap is gone.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn next_many(&mut self, most: usize) -> Vec<Arc<Offered>> {
        let mut taken = Vec::new();
        self.queue.recv_many(&mut taken, most).await;
        taken
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// How many decisions did not fit into this listener's queue since the last call.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_must_hear_of_every_decision_has_a_place_before_it_is_made() {
        let mut tap = Tap::new(0);
        let _any = tap.listen(1, Wants::Decisions);
        let every = tap.listen(2, Wants::EveryDecision);
        let places = [tap.place(), tap.place()];
        assert!(places.iter().all(Option::is_some));
        assert!(tap.place().is_none(), "both places are taken");
        drop(places);
        assert!(
            tap.place().is_some(),
            "a decision that was not made gives its place back"
        );
        assert_eq!(every.waiting(), 0);
    }

    #[test]
    fn others_hold_nobody_up() {
        let mut tap = Tap::new(0);
        let _any = tap.listen(1, Wants::Decisions);
        let places: Vec<_> = (0..100).map(|_| tap.place()).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
