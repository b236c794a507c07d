//! The recorder: decisions become known in the ledger at once, and go on record in groups, off the request path.
//!
//! While the store is away, decisions wait in the tap's queue and then, as is configured, are lost and counted, or no more are made.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use quick_cache::sync::Cache;
use tokio_util::sync::CancellationToken;

use super::rematcher::{in_force, matched_by};
use crate::base::{Digest, Origin, Recorded, Target};
use crate::ledger::{Ledger, Matched};
use crate::plan::PlanHandle;
use crate::store::{Records, RecordsError, known_from};
use crate::tap::{Offered, TapListener, Tapped};
use crate::telemetry::Metrics;

/// Decisions of one group, at most.
const GROUP: usize = 512;
/// Bytes of pictures at which a group is closed.
const GROUP_PICTURES: usize = 32 << 20;
/// Decisions taken at once: by their pictures a group may be over by so many.
const AT_ONCE: usize = 32;
/// How long decisions are gathered for one group: each group costs the store as much as some hundred decisions.
const GATHERED: Duration = Duration::from_millis(50);
/// How long before a store that is away is tried again, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));
/// Pictures that are remembered to be on record already.
const KEPT_LATELY: usize = 65_536;

/// What goes on record together.
#[derive(Default)]
struct Group {
    recorded: Vec<Recorded>,
    pictures: Vec<(Digest, Bytes)>,
    picture_bytes: usize,
}

impl Group {
    /// How many decisions may be taken for it at once; 0 where it is full.
    fn room(&self) -> usize {
        if self.picture_bytes >= GROUP_PICTURES {
            return 0;
        }
        AT_ONCE.min(GROUP - self.recorded.len())
    }
}

/// See the module.
pub struct Recorder {
    pub records: Records,
    pub ledger: Arc<Ledger>,
    pub plan: PlanHandle,
    pub metrics: Metrics,
    /// Whether pictures go on record.
    pub keep_pictures: bool,
}

impl Recorder {
    /// Records what comes until the token is cancelled, and then what has come.
    pub async fn run(self, mut listener: TapListener, stop: CancellationToken) {
        let kept_lately: Cache<Digest, ()> = Cache::new(KEPT_LATELY);
        let mut erasures = 0;
        loop {
            let first = tokio::select! {
                biased;
                first = listener.next_many(AT_ONCE) => first,
                () = stop.cancelled() => return,
            };
            if first.is_empty() {
                return;
            }
            // Given back when the group is on record: an erasure begins between two groups.
            let _pass = self.ledger.gone().pass().await;
            if std::mem::replace(&mut erasures, self.ledger.gone().erasures()) != erasures {
                // Pictures may have gone with a partner.
                kept_lately.clear();
            }
            let mut group = Group::default();
            self.take(first, &mut group, &kept_lately);
            let until = tokio::time::Instant::now() + GATHERED;
            while group.room() > 0 {
                tokio::select! {
                    more = listener.next_many(group.room()) => {
                        if more.is_empty() {
                            break;
                        }
                        self.take(more, &mut group, &kept_lately);
                    }
                    () = tokio::time::sleep_until(until) => break,
                    () = stop.cancelled() => break,
                }
            }
            self.metrics.records_lost(listener.take_dropped());
            self.write(&group).await;
            self.match_anew(&group.recorded);
        }
    }

    /// Makes known at once what will be on record soon, but for what is of a partner that was erased since. The memory of what was offered is free
    /// again afterwards.
    fn take(&self, offered: Vec<Arc<Offered>>, group: &mut Group, kept_lately: &Cache<Digest, ()>) {
        for offered in offered {
            let decision = record_of(&offered);
            let partner_id = &decision.product.partner_id;
            if self.ledger.gone().covers(partner_id, decision.decision.decided_at) {
                continue;
            }
            self.know(&offered, &decision);
            if let Some((hash, encoded)) = self.picture(&offered)
                && kept_lately.get(&hash).is_none()
            {
                kept_lately.insert(hash, ());
                group.picture_bytes += encoded.len();
                // A copy of its own: the bytes are a part of the whole message, which must not be kept for them.
                group.pictures.push((hash, Bytes::copy_from_slice(encoded)));
            }
            group.recorded.push(decision);
        }
    }

    /// Where a policy with other keywords came into force while these were on their way, whoever searched what was on record has missed them.
    fn match_anew(&self, recorded: &[Recorded]) {
        let Some(policy) = in_force(&self.plan) else { return };
        let is_stale = |recorded: &&Recorded| recorded.decision.policy_version != policy.version();
        for product in recorded.iter().filter(is_stale).filter_map(known_from) {
            self.ledger
                .rematch(&product.key, product.texts, &matched_by(&policy, &product));
        }
    }

    /// What the ledger knows of the product from now on.
    fn know(&self, tapped: &Tapped, decision: &Recorded) {
        let Some(known) = known_from(decision) else { return };
        let judge = tapped.route.served.executor.spec().judge.as_ref();
        if let Some(judge) = judge {
            self.ledger.register(decision.decision.revision, judge.head.labels());
        }
        let matched = Matched {
            by: tapped.route.policy.keywords_mark(),
            rules: tapped.matched.to_numbers(),
        };
        self.ledger.judged(&known, &matched);
    }

    fn picture<'a>(&self, tapped: &'a Tapped) -> Option<(Digest, &'a [u8])> {
        let seen = tapped.seen.as_ref().filter(|_| self.keep_pictures)?;
        Some((tapped.decision.image_sha256?, &seen.encoded))
    }

    async fn write(&self, group: &Group) {
        let count = group.recorded.len() as u64;
        let mut wait = AGAIN.0;
        let began = Instant::now();
        loop {
            match self.try_write(group).await {
                Ok(()) => return self.metrics.records_written(count, began.elapsed()),
                Err(error) if error.is_answer() => {
                    tracing::warn!(%error, decisions = count, "decisions cannot be written and are lost");
                    return self.metrics.records_lost(count);
                }
                Err(error) => {
                    tracing::warn!(%error, decisions = count, "decisions wait to be written");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(AGAIN.1);
                }
            }
        }
    }

    async fn try_write(&self, group: &Group) -> Result<(), RecordsError> {
        let Group { recorded, pictures, .. } = group;
        if let Some(last) = recorded.last().filter(|_| !pictures.is_empty()) {
            let at = last.decision.decided_at;
            self.records.keep_pictures(pictures.clone(), at).await?;
        }
        self.records.append(recorded.clone()).await.map(drop)
    }
}

fn record_of(tapped: &Tapped) -> Recorded {
    let request = &tapped.request;
    Recorded {
        decision: tapped.decision.clone(),
        origin: Origin::Judged,
        product: request.product.clone(),
        countries: request.countries.clone(),
        ad_type: request.ad_type.clone(),
        facts: request.facts.clone(),
        unreadable: tapped.unreadable.clone(),
        counts: request.target == Target::Plan,
    }
}
