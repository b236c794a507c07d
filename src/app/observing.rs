//! The tasks that observe, built from what they stand on, and started together.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::build::picture_limits;
use super::records::Keeper;
use crate::accounts::Accounts;
use crate::config::{Settings, WhenBehind};
use crate::control::{BringUp, Corrections, Drafts, Replays, ThresholdStudies};
use crate::executor::Cores;
use crate::grpc::OnRecords;
use crate::ledger::Ledger;
use crate::observe::{Erasing, Filled, Follower, Importer, Observe, OnRecord, Recorder, Rematcher, ShadowRunner};
use crate::plan::PlanHandle;
use crate::store::{DataDirectory, Journal, Records};
use crate::tap::{Tap, TapListener, Wants};
use crate::telemetry::Metrics;

/// What those who observe stand on.
pub(super) struct Ground<'a> {
    pub cores: &'a Cores,
    pub ledger: &'a Arc<Ledger>,
    pub plan: &'a PlanHandle,
    pub records: &'a Records,
    pub observe: &'a Observe,
    pub accounts: &'a Accounts,
    pub metrics: &'a Metrics,
}

impl Ground<'_> {
    /// Who works on what is on record, for whoever asks.
    pub fn on_records(&self, journal: Journal, data: Arc<DataDirectory>, bring_up: BringUp) -> OnRecords {
        let (plan, records, ledger) = (self.plan.clone(), self.records.clone(), Arc::clone(self.ledger));
        OnRecords {
            reading: OnRecord::new(records.clone()),
            corrections: Corrections::new(records.clone(), Arc::clone(&ledger), journal),
            drafts: Drafts::new(plan.clone(), records.clone(), Arc::clone(&ledger), self.cores.clone()),
            thresholds: ThresholdStudies::new(records.clone(), self.cores.clone()),
            replays: Replays::new(plan.clone(), (records.clone(), Arc::clone(&ledger)), data, bring_up),
            importer: Importer {
                records: records.clone(),
                ledger: Arc::clone(&ledger),
                plan,
            },
            erasing: Erasing {
                records,
                ledger,
                observe: self.observe.clone(),
            },
        }
    }
}

/// Everybody who observes, before they are started.
pub(super) struct Observing {
    shadow: (ShadowRunner, TapListener),
    recorder: (Recorder, TapListener),
    follower: Follower,
    rematcher: Rematcher,
    keeper: Keeper,
}

impl Observing {
    /// Builds them; tells too how far the ledger is filled, once they run.
    pub fn new(settings: &Settings, on: &Ground<'_>, tap: &mut Tap) -> (Self, watch::Receiver<Filled>) {
        let shadowed = tap.listen(settings.shadow.queue, Wants::Pictures);
        let recorded = tap.listen(settings.records.queue, recorder_wants(settings));
        let shadow = ShadowRunner {
            cores: on.cores.clone(),
            observe: on.observe.clone(),
            metrics: on.metrics.clone(),
            picture_limits: picture_limits(settings),
            ledger: Arc::clone(on.ledger),
        };
        let recorder = Recorder {
            records: on.records.clone(),
            ledger: Arc::clone(on.ledger),
            plan: on.plan.clone(),
            metrics: on.metrics.clone(),
            keep_pictures: keeps_pictures(settings),
        };
        let (filling, filled) = watch::channel(Filled::default());
        let follower = Follower {
            records: on.records.clone(),
            ledger: Arc::clone(on.ledger),
            plan: on.plan.clone(),
            observe: on.observe.clone(),
            shared: settings.records.postgres.is_some(),
            filled: filling,
            registered: HashSet::new(),
        };
        let rematcher = Rematcher {
            records: on.records.clone(),
            ledger: Arc::clone(on.ledger),
            plan: on.plan.clone(),
        };
        let keeper = Keeper {
            records: on.records.clone(),
            accounts: on.accounts.clone(),
            keep: kept_for(settings),
            pictures: settings.records.pictures.bytes(),
        };
        let observing = Self {
            shadow: (shadow, shadowed),
            recorder: (recorder, recorded),
            follower,
            rematcher,
            keeper,
        };
        (observing, filled)
    }

    /// Starts them on a runtime. The first of what is given back ends when everything that was decided is on record, after the token is cancelled.
    pub fn start(self, on: &Handle, stop: &CancellationToken) -> (JoinHandle<()>, Vec<JoinHandle<()>>) {
        let (shadow, shadowed) = self.shadow;
        let (recorder, recorded) = self.recorder;
        let recording = on.spawn(recorder.run(recorded, stop.clone()));
        let others = vec![
            on.spawn(shadow.run(shadowed)),
            on.spawn(self.follower.run(stop.clone())),
            on.spawn(self.rematcher.run(stop.clone())),
            on.spawn(self.keeper.run(stop.clone())),
        ];
        (recording, others)
    }
}

/// Whether pictures go on record.
pub(super) fn keeps_pictures(settings: &Settings) -> bool {
    settings.records.pictures.bytes() > 0
}

/// How long decisions are kept; none: for good.
fn kept_for(settings: &Settings) -> Option<Duration> {
    let days = u64::from(settings.records.keep_days);
    (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60))
}

fn recorder_wants(settings: &Settings) -> Wants {
    match settings.records.when_behind {
        WhenBehind::Shed => Wants::Decisions,
        WhenBehind::Must => Wants::EveryDecision,
    }
}
