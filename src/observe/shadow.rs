//! The shadow: after the answer, a candidate judges the same decoded picture, and its verdicts are compared with those given.
//!
//! It runs on the background threads, of the lowest priority of the operating system; what does not fit into its queue is shed and
//! counted. It writes nothing that a live answer reads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tracing::info_span;

use super::flips::{Flip, FlipSide, Pair, ShadowSummary, Tally, deciding_label};
use crate::base::{CountryCode, CountryVerdict, Label, LabelScore, ModelName, Moment, Probability};
use crate::executor::{Cores, Lane, LookUp, Scores};
use crate::ledger::Ledger;
use crate::plan::Served;
use crate::policy::{self, Case, Facts, Subject};
use crate::preprocess::{self, PictureLimits, Workspace};
use crate::tap::{Seen, TapListener, Tapped};
use crate::telemetry::{self, Direction, FlipSeen, Metrics, ShadowDone, ShadowOutcome};

/// What has been observed, for whoever asks. Cheap to clone.
#[derive(Clone)]
pub struct Observe {
    tally: Arc<Mutex<Tally>>,
}

impl Observe {
    /// Keeps so many flips of each model.
    pub fn new(flips_kept: usize) -> Self {
        Self {
            tally: Arc::new(Mutex::new(Tally::new(flips_kept))),
        }
    }

    /// The last flips of a model, newest first.
    pub fn flips(&self, model: &ModelName, limit: usize) -> Vec<Flip> {
        self.with(|tally| tally.flips(model, limit))
    }

    /// How a model's shadow does; none where there is none or nothing has been judged.
    pub fn summary(&self, model: &ModelName) -> Option<ShadowSummary> {
        self.with(|tally| tally.summary(model))
    }

    /// Forgets what was observed of a partner's products up to a moment.
    pub fn forget_partner(&self, partner_id: &str, until: Moment) {
        self.with(|tally| tally.forget_partner(partner_id, until.into()));
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Tally) -> T) -> T {
        use_it(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes decisions from the tap and has the shadow judge them.
pub struct ShadowRunner {
    pub cores: Cores,
    pub observe: Observe,
    pub metrics: Metrics,
    pub picture_limits: PictureLimits,
    /// What people said holds for the candidate too.
    pub ledger: Arc<Ledger>,
}

impl ShadowRunner {
    /// Runs until the tap is gone.
    pub async fn run(self, mut listener: TapListener) {
        let runner = Arc::new(self);
        while let Some(tapped) = listener.next().await {
            runner.count_drops(&tapped, listener.take_dropped());
            let (Some(candidate), true) = (tapped.route.shadow.clone(), tapped.seen.is_some()) else {
                continue;
            };
            let job = (Arc::clone(&runner), Arc::clone(&tapped), Arc::clone(&candidate));
            let offered = runner.cores.offer(move |lane| {
                let (runner, tapped, candidate) = job;
                runner.shadow(lane, &tapped, &candidate);
            });
            if offered.is_err() {
                runner.shed(&tapped, &candidate, 1);
            }
        }
    }

    fn count_drops(&self, tapped: &Tapped, dropped: u64) {
        (0..dropped).for_each(|_| self.metrics.tap_dropped());
        if let (Some(candidate), 1..) = (&tapped.route.shadow, dropped) {
            self.shed(tapped, candidate, dropped);
        }
    }

    fn shed(&self, tapped: &Tapped, candidate: &Served, count: u64) {
        for _ in 0..count {
            self.done(tapped, candidate, ShadowOutcome::Shed);
        }
        self.count(tapped, candidate, |summary| summary.shed += count);
    }

    /// Judges once more and compares. Called on a background thread.
    fn shadow(&self, lane: &Lane, tapped: &Tapped, candidate: &Served) {
        let span = info_span!(parent: None, "shadow", model = %tapped.route.model, version = %candidate.version);
        telemetry::set_parent(&span, tapped.parent.clone());
        let _entered = span.enter();
        match self.scores(lane, tapped, candidate) {
            Ok(scores) => self.compare(tapped, candidate, &scores),
            Err(reason) => {
                tracing::warn!(%reason, revision = %candidate.revision, "the shadow failed on a picture");
                self.done(tapped, candidate, ShadowOutcome::Failed);
                self.count(tapped, candidate, |summary| summary.failed += 1);
            }
        }
    }

    /// The candidate's scores: on record, or of the pixels that the live revision saw, or of the picture itself.
    fn scores(&self, lane: &Lane, tapped: &Tapped, candidate: &Served) -> Result<Scores, String> {
        let sha256 = tapped.decision.image_sha256.ok_or("the picture has no hash")?;
        let place = match candidate.executor.known().glance(&sha256) {
            LookUp::Known(scores) => return Ok(scores),
            LookUp::New(place) => place,
        };
        let seen = tapped.seen.as_ref().ok_or("nothing was seen")?;
        let own = self.own_tensor(seen, &tapped.route.served, candidate, &mut lane.workspace())?;
        let tensor = match (&own, &seen.pixels) {
            (Some(own), _) => own,
            (None, Some(pixels)) => &pixels.tensor,
            (None, None) => return Err("nothing was made of the picture".into()),
        };
        let scores = candidate
            .executor
            .judge(lane, tensor)
            .map_err(|error| error.to_string())?;
        let scores = Scores::from(scores);
        place.keep(Arc::clone(&scores));
        Ok(scores)
    }

    /// The candidate's input, where it is not the very tensor that the live revision had.
    fn own_tensor(
        &self,
        seen: &Seen,
        stable: &Served,
        candidate: &Served,
        workspace: &mut Workspace,
    ) -> Result<Option<Vec<f32>>, String> {
        let spec_of = |served: &'_ Served| {
            served
                .executor
                .spec()
                .judge
                .as_ref()
                .map(|judge| judge.preprocessing.clone())
        };
        let theirs = spec_of(candidate).ok_or("the shadow judges no pictures")?;
        let ours = spec_of(stable).ok_or("the live revision judges no pictures")?;
        match &seen.pixels {
            Some(_) if theirs == ours => Ok(None),
            Some(pixels) if theirs.decode_options() == ours.decode_options() => {
                Ok(Some(preprocess::to_tensor(&pixels.decoded, &theirs, workspace)))
            }
            Some(_) | None => {
                let options = theirs.decode_options();
                let decoded = preprocess::decode(&seen.encoded, &options, &self.picture_limits, workspace)
                    .map_err(|error| error.to_string())?;
                Ok(Some(preprocess::to_tensor(&decoded, &theirs, workspace)))
            }
        }
    }

    fn compare(&self, tapped: &Tapped, candidate: &Served, scores: &[LabelScore]) {
        let request = &tapped.request;
        let decision = &tapped.decision;
        let countries: Vec<CountryCode> = decision.verdicts.iter().map(|verdict| verdict.country).collect();
        let key = request.product.key();
        let picture = decision.image_sha256.as_ref();
        let partner = &request.product.partner_id;
        let verdicts = self
            .ledger
            .corrections_on(key.as_ref(), picture, partner, |corrections| {
                let corrections: Vec<_> = corrections.iter().collect();
                tapped.route.policy.judge(&Case {
                    at: decision.decided_at,
                    countries: &countries,
                    ad_type: &request.ad_type,
                    facts: Facts::given(&request.facts),
                    subject: Subject::of(&request.product, decision.image_sha256, &tapped.matched),
                    look: policy::Seen::Scored(scores),
                    corrections: &corrections,
                })
            });
        self.count(tapped, candidate, |summary| summary.judged += 1);
        let mut outcome = ShadowOutcome::Agreed;
        for (stable, theirs) in tapped.decision.verdicts.iter().zip(&verdicts) {
            let direction = Direction::between(stable.verdict, theirs.verdict);
            self.count(tapped, candidate, |summary| summary.add(direction));
            if let Some(direction) = direction {
                outcome = ShadowOutcome::Differed;
                self.keep_flip(tapped, candidate, scores, (stable, theirs), direction);
            }
        }
        self.done(tapped, candidate, outcome);
    }

    fn keep_flip(
        &self,
        tapped: &Tapped,
        candidate: &Served,
        scores: &[LabelScore],
        (stable, theirs): (&CountryVerdict, &CountryVerdict),
        direction: Direction,
    ) {
        let stricter = if stable.verdict >= theirs.verdict {
            stable
        } else {
            theirs
        };
        let label = deciding_label(stricter);
        let model = &tapped.route.model;
        let seen = FlipSeen {
            model,
            candidate: candidate.version,
            direction,
            label,
            country: stable.country,
        };
        self.metrics.flip(&seen);
        let flip = flip(tapped, candidate, scores, (stable, theirs), label.cloned());
        let decided_at = tapped.decision.decided_at;
        self.observe.with(|tally| {
            // Asked while nobody else has the tally: whoever erases says so first, and then forgets.
            if !self.ledger.gone().covers(&flip.partner_id, decided_at) {
                tally.keep(model, pair(tapped, candidate), flip);
            }
        });
    }

    fn done(&self, tapped: &Tapped, candidate: &Served, outcome: ShadowOutcome) {
        let done = ShadowDone {
            model: &tapped.route.model,
            candidate: candidate.version,
            outcome,
        };
        self.metrics.shadow(&done);
    }

    fn count(&self, tapped: &Tapped, candidate: &Served, count: impl FnOnce(&mut ShadowSummary)) {
        self.observe.with(|tally| {
            tally.count(&tapped.route.model, pair(tapped, candidate), candidate.version, count);
        });
    }
}

fn pair(tapped: &Tapped, candidate: &Served) -> Pair {
    Pair {
        stable: tapped.route.served.revision,
        candidate: candidate.revision,
        policy: tapped.route.policy.version(),
    }
}

fn flip(
    tapped: &Tapped,
    candidate: &Served,
    scores: &[LabelScore],
    (stable, theirs): (&CountryVerdict, &CountryVerdict),
    label: Option<Label>,
) -> Flip {
    let score_of = |scores: &[LabelScore]| -> Option<Probability> {
        let label = label.as_ref()?;
        scores
            .iter()
            .find(|score| score.label == *label)
            .map(|score| score.probability)
    };
    let product = &tapped.request.product;
    Flip {
        at: SystemTime::now(),
        partner_id: product.partner_id.clone(),
        product_id: product.product_id.clone(),
        title: product.title.clone(),
        image_sha256: tapped.decision.image_sha256,
        country: stable.country,
        stable: FlipSide {
            version: tapped.route.served.version,
            verdict: stable.verdict,
            score: score_of(&tapped.decision.scores),
        },
        candidate: FlipSide {
            version: candidate.version,
            verdict: theirs.verdict,
            score: score_of(scores),
        },
        label,
        trace_id: tapped.decision.trace_id.clone(),
    }
}
