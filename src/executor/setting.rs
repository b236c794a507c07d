//! How a revision is run on the cores, and the measured costs by which that is chosen.
//!
//! Pure. What could change an answer is no candidate: a batch or a number of threads that gave other bits than a picture alone on one thread is listed,
//! and never chosen.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::{Aim, Wish};

/// A larger batch or more threads must gain so much, or the simpler setting stays.
const WORTH_IT: f64 = 1.05;

/// What runs of one size took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostPoint {
    pub threads: usize,
    /// Pictures run together.
    pub batch: usize,
    /// One run: of the processor where it is on one thread, of the clock where it is on several.
    pub took: Duration,
    /// A picture got the same bits as alone on one thread, whatever was beside it.
    pub same: bool,
}

/// What runs took, by size. Empty where nothing was measured.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CostCurve {
    pub points: Vec<CostPoint>,
}

/// How a revision is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Threads that a run is spread over.
    pub threads: usize,
    /// Runs at the same time, of live and bulk work.
    pub sessions: usize,
    /// Pictures that are run together at most. Nobody waits for others to come: only what waits already is taken together.
    pub batch: usize,
}

impl Setting {
    /// Each picture by itself, on one thread.
    pub fn plain(cores: usize) -> Self {
        Self {
            threads: 1,
            sessions: cores.max(1),
            batch: 1,
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            threads,
            sessions,
            batch,
        } = self;
        write!(
            f,
            "{sessions} x {threads} thread{}",
            if *threads == 1 { "" } else { "s" }
        )?;
        if *batch > 1 {
            write!(f, ", up to {batch} together")?;
        }
        Ok(())
    }
}

impl CostCurve {
    /// The best setting for a wish on so many cores, of those that change no answer.
    ///
    /// A pinned value that was not measured, or that would change answers, is not followed.
    pub fn choose(&self, wish: &Wish, cores: usize) -> Setting {
        let cores = cores.max(1);
        let usable = |point: &&CostPoint| point.same && point.threads <= cores;
        let of_threads = |point: &&CostPoint| wish.threads.is_none_or(|threads| threads == point.threads);
        let of_batch = |point: &&CostPoint| wish.batch.is_none_or(|batch| batch == point.batch);
        let usable: Vec<&CostPoint> = self.points.iter().filter(usable).collect();
        let mut candidates: Vec<&CostPoint> = usable.iter().copied().filter(of_threads).collect();
        if candidates.is_empty() {
            candidates.clone_from(&usable);
        }
        // Among those of the threads, whatever becomes of the batch: sessions that are loaded have so many.
        if candidates.iter().any(of_batch) {
            candidates.retain(of_batch);
        }
        if let Aim::Latency(bound) = wish.aim {
            let quick = |point: &&CostPoint| point.took <= bound;
            if candidates.iter().any(quick) {
                candidates.retain(quick);
            } else {
                let least = candidates.iter().map(|point| point.took).min();
                candidates.retain(|point| Some(point.took) == least);
            }
        }
        // From the simplest on: what comes later must be worth it.
        candidates.sort_by_key(|point| (point.threads, point.batch));
        let rate = |point: &CostPoint| (cores / point.threads * point.batch) as f64 / point.took.as_secs_f64();
        let best = candidates.into_iter().reduce(|best, point| {
            if rate(point) > rate(best) * WORTH_IT {
                point
            } else {
                best
            }
        });
        best.map_or_else(
            || Setting::plain(cores),
            |point| Setting {
                threads: point.threads,
                sessions: cores / point.threads,
                batch: point.batch,
            },
        )
    }

    /// Whether it was measured with such a wish in mind: whatever is pinned was tried.
    pub fn covers(&self, wish: &Wish) -> bool {
        let tried = |of: fn(&CostPoint) -> usize, wanted: Option<usize>| {
            wanted.is_none_or(|wanted| self.points.iter().any(|point| of(point) == wanted))
        };
        let too_long = match (wish.aim, self.points.first()) {
            (Aim::Latency(bound), Some(one)) => one.took > bound,
            _ => false,
        };
        let spread = self.points.iter().any(|point| point.threads > 1);
        tried(|point| point.batch, wish.batch) && tried(|point| point.threads, wish.threads) && (spread || !too_long)
    }

    /// Why a pinned value of a wish is not followed; none where it is.
    pub fn objection(&self, wish: &Wish, chosen: &Setting) -> Option<String> {
        let unmet = |what: &str, wanted: Option<usize>, got: usize, of: fn(&CostPoint) -> usize| {
            let wanted = wanted.filter(|wanted| *wanted != got)?;
            let changes = self.points.iter().any(|point| of(point) == wanted && !point.same);
            let why = if changes {
                "would make a picture's scores depend on how it is run"
            } else {
                "was not tried when it was loaded, or does not run"
            };
            Some(format!("[serving] {what} = {wanted} {why}; it runs with {got}"))
        };
        unmet("batch", wish.batch, chosen.batch, |point| point.batch)
            .or_else(|| unmet("threads", wish.threads, chosen.threads, |point| point.threads))
    }

    /// How much longer a run of so many pictures takes than one of one, on so many threads.
    pub fn longer(&self, threads: usize, together: usize) -> f64 {
        let of = |batch: usize| {
            let mut points = self.points.iter().filter(|point| point.threads == threads);
            points
                .find(|point| point.batch == batch)
                .map(|point| point.took.as_secs_f64())
        };
        let whole = together.max(1) as f64;
        let Some(one) = of(1).filter(|one| *one > 0.0) else {
            return whole;
        };
        // Between two sizes that were measured, on the line between them; beyond the last, as many times as long.
        let measured = |batch: &usize| of(*batch).is_some();
        let below = (1..=together).rev().find(measured).unwrap_or(1);
        let above = (together..=4 * together.max(1)).find(measured);
        let at = |batch: usize| of(batch).unwrap_or(one) / one;
        match above {
            Some(above) if above > below => {
                let part = (together - below) as f64 / (above - below) as f64;
                at(below) + part * (at(above) - at(below))
            }
            _ => at(below) * whole / below as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(threads: usize, batch: usize, micros: u64, same: bool) -> CostPoint {
        CostPoint {
            threads,
            batch,
            took: Duration::from_micros(micros),
            same,
        }
    }

    fn curve() -> CostCurve {
        CostCurve {
            points: vec![
                point(1, 1, 1000, true),
                point(1, 2, 1600, true),
                point(1, 4, 2900, true),
                point(1, 8, 5700, true),
                point(1, 16, 8000, false),
                point(2, 1, 600, true),
            ],
        }
    }

    fn chosen(aim: Aim) -> (usize, usize, usize) {
        let wish = Wish { aim, ..Wish::default() };
        let setting = curve().choose(&wish, 2);
        (setting.threads, setting.sessions, setting.batch)
    }

    #[test]
    fn the_aim_decides() {
        assert_eq!(
            chosen(Aim::Throughput),
            (1, 2, 4),
            "8 gains less than it must, 16 changes answers"
        );
        assert_eq!(chosen(Aim::Latency(Duration::from_millis(2))), (1, 2, 2));
        assert_eq!(chosen(Aim::Latency(Duration::from_micros(800))), (2, 1, 1));
        assert_eq!(
            chosen(Aim::Latency(Duration::from_micros(10))),
            (2, 1, 1),
            "the quickest there is"
        );
        assert_eq!(CostCurve::default().choose(&Wish::default(), 3), Setting::plain(3));
    }

    #[test]
    fn what_is_pinned_is_followed_unless_it_changes_answers() {
        let pinned = |batch, threads| {
            let wish = Wish {
                batch,
                threads,
                ..Wish::default()
            };
            let setting = curve().choose(&wish, 2);
            (setting.batch, setting.threads, curve().objection(&wish, &setting))
        };
        assert_eq!(pinned(Some(8), None), (8, 1, None));
        assert_eq!(pinned(None, Some(2)), (1, 2, None));
        let seven = Wish {
            batch: Some(7),
            ..Wish::default()
        };
        assert!(curve().covers(&Wish::default()) && !curve().covers(&seven));
        let (batch, threads, objection) = pinned(Some(4), Some(2));
        assert_eq!((batch, threads), (1, 2), "4 together were never tried on two threads");
        assert!(objection.is_some());
        let (batch, _, objection) = pinned(Some(16), None);
        assert_eq!(batch, 4);
        assert_eq!(
            objection.as_deref(),
            Some("[serving] batch = 16 would make a picture's scores depend on how it is run; it runs with 4")
        );
    }

    #[test]
    fn between_measured_sizes_costs_lie_on_a_line() {
        let longer = |together| (curve().longer(1, together) * 1000.0).round();
        assert_eq!(
            [1, 2, 3, 4, 16, 32].map(longer),
            [1000.0, 1600.0, 2250.0, 2900.0, 8000.0, 16000.0]
        );
        assert_eq!(CostCurve::default().longer(1, 5), 5.0);
    }

    proptest! {
        #[test]
        fn no_choice_changes_answers_or_exceeds_the_cores(
            points in prop::collection::vec((1_usize..5, 1_usize..20, 1_u64..10_000, any::<bool>()), 0..12),
            cores in 0_usize..9,
            bound in prop::option::of(1_u64..10_000),
            (batch, threads) in (prop::option::of(1_usize..20), prop::option::of(1_usize..5)),
        ) {
            let points = points.into_iter().map(|(threads, batch, micros, same)| point(threads, batch, micros, same));
            let curve = CostCurve { points: points.collect() };
            let aim = bound.map_or(Aim::Throughput, |bound| Aim::Latency(Duration::from_micros(bound)));
            let setting = curve.choose(&Wish { aim, batch, threads }, cores);
            prop_assert!(setting.threads * setting.sessions <= cores.max(1) && setting.sessions >= 1);
            let measured = curve.points.iter().any(|point| {
                point.same && (point.threads, point.batch) == (setting.threads, setting.batch)
            });
            prop_assert!(measured || setting == Setting::plain(cores));
        }
    }
}
