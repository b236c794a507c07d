//! Pictures that a revision has judged already: their scores, by the SHA-256 of the encoded bytes.
//!
//! The same bytes and the same revision always give the same scores, so that remembering them changes no answer. What is remembered belongs to the
//! revision and goes with it. It is bounded by bytes; what was not asked for lately goes first. Of simultaneous identical pictures one is computed,
//! and the others wait for it; when it comes to nothing, the next of them is.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};

use crate::base::{Digest, LabelScore};

/// What an entry takes beside its scores: the key, the counters and the places in the tables, rounded up.
const ENTRY_BYTES: u64 = 160;

/// The scores of one picture, shared.
pub type Scores = Arc<[LabelScore]>;

/// The memory of one revision. Made to hold nothing until it is given room.
#[derive(Default)]
pub struct Known {
    cache: Option<Cache<Digest, Scores, Bytes>>,
}

/// What is known of a picture.
pub enum LookUp<'a> {
    Known(Scores),
    /// Nothing: whoever has the place computes the scores and keeps them there. Dropped, it leaves the place to the next.
    New(Place<'a>),
}

/// The place of a picture's scores.
pub struct Place<'a>(Kept<'a>);

enum Kept<'a> {
    Nowhere,
    /// Others may wait for it.
    Awaited(Guard<'a>),
    Unawaited(&'a Known, Digest),
}

type Guard<'a> = PlaceholderGuard<'a, Digest, Scores, Bytes, DefaultHashBuilder, DefaultLifecycle<Digest, Scores>>;

#[derive(Clone)]
struct Bytes;

impl Weighter<Digest, Scores> for Bytes {
    fn weight(&self, _: &Digest, scores: &Scores) -> u64 {
        ENTRY_BYTES + size_of_val(&scores[..]) as u64
    }
}

impl Known {
    /// Room for the scores of `labels` labels in so many bytes; none in zero.
    pub fn with_room(bytes: u64, labels: usize) -> Self {
        let entry = ENTRY_BYTES + (labels * size_of::<LabelScore>()) as u64;
        let entries = usize::try_from(bytes / entry).unwrap_or(usize::MAX);
        Self {
            cache: (entries > 0).then(|| Cache::with_weighter(entries, bytes, Bytes)),
        }
    }

    /// Looks a picture up; waits while somebody else computes it.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn look_up(&self, picture: &Digest) -> LookUp<'_> {
        let Some(cache) = &self.cache else {
            return LookUp::New(Place(Kept::Nowhere));
        };
        match cache.get_value_or_guard_async(picture).await {
            Ok(scores) => LookUp::Known(scores),
            Err(guard) => LookUp::New(Place(Kept::Awaited(guard))),
        }
    }

    /// Looks a picture up without waiting for anybody, nor letting anybody wait: for work that others go before, or who waits for it would wait as long
    /// as it does.
    pub fn glance(&self, picture: &Digest) -> LookUp<'_> {
        match self.cache.as_ref().and_then(|cache| cache.get(picture)) {
            Some(scores) => LookUp::Known(scores),
            None => LookUp::New(Place(Kept::Unawaited(self, *picture))),
        }
    }

    fn keep(&self, picture: Digest, scores: Scores) {
        if let Some(cache) = &self.cache {
            cache.insert(picture, scores);
        }
    }
}

impl Place<'_> {
    /// Keeps the scores, and gives them to those who wait for them.
    pub fn keep(self, scores: Scores) {
        match self.0 {
            Kept::Nowhere => {}
            // The place was given up to make room: then nobody waits either.
            Kept::Awaited(guard) => drop(guard.insert(scores)),
            Kept::Unawaited(known, picture) => known.keep(picture, scores),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Probability;

    fn scores(probability: f32) -> Scores {
        let score = LabelScore {
            label: "toy".parse().unwrap(),
            probability: Probability::new(probability).unwrap(),
        };
        [score].into()
    }

    fn picture(number: u32) -> Digest {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        Digest(bytes)
    }

    #[tokio::test]
    async fn who_waits_for_the_same_picture_gets_its_scores_or_the_place() {
        for outcome in [Some(scores(0.5)), None] {
            let (known, picture) = (Known::with_room(1 << 20, 1), picture(1));
            let LookUp::New(place) = known.look_up(&picture).await else {
                panic!("known before it was computed")
            };
            let mut waiting = Box::pin(known.look_up(&picture));
            assert!(futures_util::poll!(&mut waiting).is_pending());
            match outcome.clone() {
                Some(scores) => place.keep(scores),
                None => drop(place),
            }
            let found = match waiting.await {
                LookUp::Known(scores) => Some(scores),
                LookUp::New(_) => None,
            };
            assert_eq!(found, outcome);
        }
    }

    #[tokio::test]
    async fn a_glance_holds_nobody_up_and_is_remembered_all_the_same() {
        let (known, picture) = (Known::with_room(1 << 20, 1), picture(1));
        let LookUp::New(glanced) = known.glance(&picture) else {
            panic!("known before it was computed")
        };
        assert!(matches!(known.look_up(&picture).await, LookUp::New(_)));
        glanced.keep(scores(0.5));
        assert!(matches!(known.look_up(&picture).await, LookUp::Known(found) if found == scores(0.5)));
    }

    #[tokio::test]
    async fn what_is_remembered_stays_within_its_bytes() {
        let bytes = 64 << 10;
        let known = Known::with_room(bytes, 1);
        for number in 0..10_000 {
            known.keep(picture(number), scores(0.5));
        }
        let cache = known.cache.as_ref().unwrap();
        assert!(
            cache.weight() <= bytes && cache.len() > 100,
            "{} entries, {} bytes",
            cache.len(),
            cache.weight()
        );
        assert!(matches!(known.glance(&picture(9_999)), LookUp::Known(_)));
    }

    #[tokio::test]
    async fn without_room_nothing_is_remembered() {
        let known = Known::with_room(0, 7);
        known.keep(picture(1), scores(0.5));
        assert!(matches!(known.look_up(&picture(1)).await, LookUp::New(_)));
    }
}
