//! Which partners are being erased or were, and up to when: what was decided on them until then is not to be kept, wherever it still waits.
//!
//! Whoever puts things on record holds a pass from the moment at which it asks whether they may be kept until they are on record. An erasure begins by
//! saying so, and then waits until every pass given before is back: from there on nothing of the partner is on its way to the records unasked.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use tokio::sync::{RwLock as Gate, RwLockReadGuard};

use crate::base::Moment;

/// See the module.
#[derive(Default)]
pub struct Gone {
    partners: RwLock<Partners>,
    writing: Gate<()>,
}

#[derive(Default)]
struct Partners {
    /// Up to when what was decided of each is gone; the last moment there is while it is being erased.
    until: BTreeMap<String, Moment>,
    /// How many erasures there were: whoever remembers what is on record forgets it when this changes.
    erasures: u64,
}

const UNDER_WAY: Moment = Moment::from_micros(i64::MAX);

/// The right to put on record what was asked about meanwhile.
pub type Pass<'a> = RwLockReadGuard<'a, ()>;

/// An erasure under way; it ends with the value.
pub struct UnderWay<'a> {
    gone: &'a Gone,
    partner_id: String,
}

impl Gone {
    /// A pass; it is waited for only while an erasure begins.
    pub async fn pass(&self) -> Pass<'_> {
        self.writing.read().await
    }

    /// Whether what was decided on a partner's product at a moment is not to be kept.
    pub fn covers(&self, partner_id: &str, at: Moment) -> bool {
        let partners = self.partners.read().unwrap_or_else(PoisonError::into_inner);
        partners.until.get(partner_id).is_some_and(|until| at <= *until)
    }

    /// Whether a partner is being erased now.
    pub fn is_under_way(&self, partner_id: &str) -> bool {
        self.covers(partner_id, UNDER_WAY)
    }

    /// How many erasures there have been.
    pub fn erasures(&self) -> u64 {
        self.partners.read().unwrap_or_else(PoisonError::into_inner).erasures
    }

    /// An erasure that another replica, or an earlier process, did at a moment.
    pub fn note(&self, partner_id: &str, at: Moment) {
        self.change(|partners| {
            let until = partners.until.entry(partner_id.to_owned()).or_insert(at);
            *until = (*until).max(at);
            partners.erasures += 1;
        });
    }

    /// Begins an erasure; none where one of this partner is under way. Passes that were given before may still be out: see `settle`.
    pub fn begin(&self, partner_id: &str) -> Option<UnderWay<'_>> {
        self.change(|partners| {
            let before = partners.until.insert(partner_id.to_owned(), UNDER_WAY);
            partners.erasures += 1;
            (before != Some(UNDER_WAY)).then(|| UnderWay {
                gone: self,
                partner_id: partner_id.to_owned(),
            })
        })
    }

    /// Waits until every pass that was given before is back; false where one is not within the time.
    pub async fn settle(&self, within: Duration) -> bool {
        tokio::time::timeout(within, self.writing.write()).await.is_ok()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Partners) -> T) -> T {
        change(&mut self.partners.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let now = SystemTime::now().into();
        let partner_id = std::mem::take(&mut self.partner_id);
        self.gone.change(|partners| partners.until.insert(partner_id, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_decided_until_the_end_of_an_erasure_is_gone_and_nothing_later() {
        let gone = Gone::default();
        let soon = Moment::from(SystemTime::now()).after(Duration::from_secs(3600));
        assert!(!gone.covers("acme", soon));
        let under_way = gone.begin("acme").unwrap();
        assert!(gone.covers("acme", soon) && gone.is_under_way("acme"));
        assert!(!gone.covers("other", soon));
        assert!(gone.begin("acme").is_none(), "one at a time");
        assert!(gone.settle(Duration::from_secs(5)).await);
        drop(under_way);
        assert!(!gone.covers("acme", soon) && !gone.is_under_way("acme"));
        assert!(gone.covers("acme", Moment::from_micros(0)));
        assert!(gone.begin("acme").is_some(), "it may be erased again");
    }

    #[tokio::test]
    async fn an_erasure_waits_for_what_is_on_its_way() {
        let gone = Gone::default();
        let pass = gone.pass().await;
        let _under_way = gone.begin("acme").unwrap();
        assert!(!gone.settle(Duration::from_millis(20)).await);
        drop(pass);
        assert!(gone.settle(Duration::from_secs(5)).await);
    }
}
