//! Watching verdicts: everything that is not ALLOW, then every change, whatever makes it.
//!
//! Nobody keeps verdicts, so a watcher finds out what changed. A change of a product in the ledger has that product judged again. A correction of a
//! picture or of a partner begins a walk over their products; another policy or revision, or a date, one over all. What is judged is told where it
//! differs from what was told last. All of it goes in steps of some tenths of a millisecond, with nothing held between them, and no step is made before
//! what the last one found was taken: a slow reader finds the latest state, not every one, and memory has a bound whatever changes.

mod cursor;
mod memory;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, watch};

pub use cursor::Cursor;

use cursor::{Judges, digest};
use memory::{Dates, Remembered};

use super::Serving;
use super::admission::Admission;
use super::verdicts::{AT_ONCE, Bench, Scratch};
use crate::base::{CountryCode, Digest, Moment, ProductKey, ProductVerdicts, Refusal, Target, Telling, VerdictsAsk};
use crate::ledger::{Changed, Changes, Ledger, Position, Which};
use crate::plan::Route;

/// How often plan and calendar are looked at while nothing else happens.
const EVERY: Duration = Duration::from_millis(100);
/// Walks over the products of a picture or of a partner that may wait at once; beyond it one over all takes their place.
const WALKS: usize = 8;
/// After so many changes of which none was told, the cursor alone is.
const SILENT: u64 = 100_000;

/// One message to a watcher.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// None where nothing can be gone on from: in a snapshot, and while all products are judged again.
    pub cursor: Option<Cursor>,
    /// Part of a snapshot. It begins with a message that has neither cursor nor result, and ends with one that has a cursor alone.
    pub snapshot: bool,
    /// Without verdicts where the product is gone.
    pub result: Option<ProductVerdicts>,
}

/// A walk over some of the products.
struct Walk {
    over: Wide,
    at: Position,
}

enum Wide {
    Picture(Digest),
    Partner(String),
}

/// One watcher.
pub struct Watch {
    ledger: Arc<Ledger>,
    admission: Admission,
    turns: Arc<Semaphore>,
    news: watch::Receiver<u64>,
    ask: Arc<VerdictsAsk>,
    scratch: Scratch,
    /// By what products were judged last.
    judges: Judges,
    told: Remembered,
    dates: Dates,
    /// The last change that was read.
    change: u64,
    /// A walk over all products, and whether another one is to follow it.
    whole: Option<Position>,
    again: bool,
    walks: VecDeque<Walk>,
    snapshot: bool,
    /// Where everything was told last; none where what was told since leads nowhere.
    settled: Option<Cursor>,
    /// The last change that the reader has a cursor for.
    has: u64,
    out: Vec<Told>,
}

impl Serving {
    /// Begins to watch verdicts in these countries, after a cursor where that can be gone on from, else with a snapshot.
    ///
    /// # Errors
    /// Where no model can judge, or none has a policy.
    pub fn watch(&self, countries: Vec<CountryCode>, cursor: Option<Cursor>) -> Result<Watch, Refusal> {
        let judges = judges(&self.admission.plan().route(None, &Target::Plan)?);
        let mut watch = Watch {
            ledger: Arc::clone(&self.ledger),
            admission: self.admission.clone(),
            turns: Arc::clone(&self.walking),
            news: self.ledger.notified(),
            ask: Arc::new(VerdictsAsk {
                products: Vec::new(),
                countries,
                ad_type: String::new(),
                facts: Default::default(),
                telling: Telling::Brief,
            }),
            scratch: Scratch::default(),
            judges,
            told: Remembered::new(true),
            dates: Dates::default(),
            change: 0,
            whole: None,
            again: false,
            walks: VecDeque::new(),
            snapshot: false,
            settled: None,
            has: 0,
            out: Vec::new(),
        };
        let now = SystemTime::now().into();
        match cursor.filter(|cursor| watch.can_go_on_from(cursor, now)) {
            Some(cursor) => watch.go_on_from(cursor),
            None => watch.begin_snapshot(),
        }
        Ok(watch)
    }
}

impl Watch {
    /// Waits for what is to be told next: a handful of messages. Never none.
    ///
    /// # Errors
    /// Where no model can judge any more.
    ///
    /// # Cancel safety
    /// What a call that is dropped had found is given by the next one.
    pub async fn next(&mut self) -> Result<Vec<Told>, Refusal> {
        loop {
            if !self.out.is_empty() {
                return Ok(std::mem::take(&mut self.out));
            }
            // Others on this thread have their turn, then others that walk.
            tokio::task::yield_now().await;
            let turn = if self.is_walking() {
                Arc::clone(&self.turns).acquire_owned().await.ok()
            } else {
                None
            };
            self.step()?;
            drop(turn);
            let is_done = !self.is_walking() && self.change == self.ledger.latest_change();
            if self.out.is_empty() && is_done {
                tokio::select! {
                    _ = self.news.changed() => {}
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
        }
    }

    fn can_go_on_from(&self, cursor: &Cursor, now: Moment) -> bool {
        cursor.ledger == self.ledger.identity()
            && cursor.of == digest(&self.ask.countries, &self.judges)
            && cursor.until.is_none_or(|until| now < until)
    }

    fn go_on_from(&mut self, cursor: Cursor) {
        self.told = Remembered::new(true);
        self.dates = Dates::all_at(cursor.until);
        (self.change, self.has) = (cursor.change, cursor.change);
        self.settled = Some(cursor);
    }

    /// Forgets what was told and tells all of it; the reader does the same.
    fn begin_snapshot(&mut self) {
        self.told = Remembered::new(false);
        self.change = self.ledger.latest_change();
        self.whole = None;
        self.snapshot = true;
        self.walk_over_all();
        self.again = false;
        self.tell(None);
    }

    /// Judges all products again. A walk that is under way goes on first, so that none comes too short however often there is a reason.
    fn walk_over_all(&mut self) {
        if self.told.is_resumed() {
            return self.begin_snapshot();
        }
        self.walks.clear();
        self.settled = None;
        if self.whole.is_some() {
            self.again = true;
        } else {
            self.whole = Some(Position::default());
            self.dates = Dates::default();
        }
    }

    fn walk_over(&mut self, over: Wide) {
        if self.walks.len() == WALKS {
            return self.walk_over_all();
        }
        let at = Position::default();
        self.walks.push_back(Walk { over, at });
    }

    fn is_walking(&self) -> bool {
        self.whole.is_some() || !self.walks.is_empty()
    }

    /// Looks at some changes, some dates and some of each walk.
    fn step(&mut self) -> Result<(), Refusal> {
        let route = self.admission.plan().route(None, &Target::Plan)?;
        let at = SystemTime::now().into();
        let judges = judges(&route);
        if self.judges != judges {
            self.judges = judges;
            self.walk_over_all();
        }
        if self.dates.all_are_due(at) && !self.again {
            self.walk_over_all();
        }
        let ask = Arc::clone(&self.ask);
        let bench = Bench {
            route: &route,
            ask: &ask,
            at,
            keywords: route.policy.keywords_mark(),
        };
        let at_once = (AT_ONCE / ask.countries.len().max(1)).max(1);
        self.read_changes(&bench, at_once);
        for _ in 0..at_once {
            let Some(key) = self.dates.due(at) else { break };
            self.look_at(&bench, key);
        }
        self.walk_on(&bench, at_once);
        self.settle();
        Ok(())
    }

    fn read_changes(&mut self, bench: &Bench<'_>, at_once: usize) {
        let Changes::After { changed, cursor } = self.ledger.changes_after(self.change, at_once) else {
            return self.begin_snapshot();
        };
        self.change = cursor;
        for changed in changed {
            match changed {
                Changed::Product(key) => self.look_at(bench, key),
                Changed::Picture(picture) => self.walk_over(Wide::Picture(picture)),
                Changed::Partner(partner_id) => self.walk_over(Wide::Partner(partner_id)),
                Changed::Revision(_) => self.walk_over_all(),
            }
        }
    }

    /// One step of the first walk over some, and one of that over all.
    fn walk_on(&mut self, bench: &Bench<'_>, at_once: usize) {
        if let Some(walk) = self.walks.pop_front() {
            let which = match &walk.over {
                Wide::Picture(picture) => Which::WithPicture(picture),
                Wide::Partner(partner_id) => Which::OfPartner(partner_id),
            };
            let scanned = self.ledger.scan(which, walk.at, at_once);
            if let Some(at) = scanned.next {
                self.walks.push_front(Walk { at, ..walk });
            }
            self.look_at_all(bench, scanned.products);
        }
        if let Some(at) = self.whole {
            let scanned = self.ledger.scan(Which::All, at, at_once);
            self.look_at_all(bench, scanned.products);
            self.whole = scanned.next;
            if self.whole.is_none() && std::mem::take(&mut self.again) {
                self.walk_over_all();
            }
        }
    }

    fn look_at_all(&mut self, bench: &Bench<'_>, products: Vec<ProductKey>) {
        for key in products {
            self.look_at(bench, key);
        }
    }

    /// Judges a product, and tells what is news of it.
    fn look_at(&mut self, bench: &Bench<'_>, key: ProductKey) {
        let Self {
            ledger,
            scratch,
            told,
            dates,
            ..
        } = self;
        let news = ledger.read(&key.partner_id, &key.product_id, |known, corrections| {
            let is_known = known.is_some();
            if !is_known && corrections.product.is_empty() {
                return told.is_gone(&key).then(|| (Vec::new(), false));
            }
            bench.judge(&key, known, corrections, scratch, |case| {
                let verdicts = bench.route.policy.brief(case);
                let dated = verdicts.iter().filter_map(|verdict| verdict.valid_until);
                for until in dated.filter(|until| *until > bench.at) {
                    dates.note(until, &key);
                }
                let is_news = told.is_news(&key, is_known, &verdicts);
                is_news.then(|| (verdicts.iter().map(|verdict| verdict.to_verdict()).collect(), is_known))
            })
        });
        if let Some((verdicts, known)) = news {
            self.tell(Some(ProductVerdicts {
                product: key,
                verdicts,
                known,
            }));
        }
    }

    fn tell(&mut self, result: Option<ProductVerdicts>) {
        self.out.push(Told {
            cursor: self.settled,
            snapshot: self.snapshot,
            result,
        });
    }

    /// Where no walk is under way, everything up to the last change read was told, once the last message is taken: that one says so.
    fn settle(&mut self) {
        if self.is_walking() {
            return;
        }
        let cursor = Cursor {
            ledger: self.ledger.identity(),
            change: self.change,
            of: digest(&self.ask.countries, &self.judges),
            until: self.dates.first(),
        };
        let walked = self.settled.replace(cursor).is_none();
        if walked || (self.out.is_empty() && self.change - self.has >= SILENT) {
            self.tell(None);
        } else if let Some(last) = self.out.last_mut() {
            last.cursor = Some(cursor);
        } else {
            return;
        }
        self.has = self.change;
        self.snapshot = false;
    }
}

/// By what a route judges.
fn judges(route: &Route) -> Judges {
    (route.policy.version(), route.served.revision)
}
