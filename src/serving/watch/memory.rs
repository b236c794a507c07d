//! What a watcher remembers: a digest of what it told of each product, and the moments at which something told will be another.

use std::collections::hash_map::{DefaultHasher, RandomState};
use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash, Hasher};

use crate::base::{Moment, ProductKey, Verdict};
use crate::policy::BriefVerdict;

/// Tables that share the digests: at ten million products each has forty thousand, so that growing one takes less than a millisecond.
const TABLES: usize = 256;
/// A table with room for so many, and with a quarter of it taken, gives room back.
const WORTH_SHRINKING: usize = 64;
/// Products whose next moment is remembered one by one.
const SOON: usize = 4096;

/// What was told of products, as digests: of those that are not ALLOW everywhere, since whatever is absent was told to be that, or never told. A product
/// takes twenty to forty bytes. That two products or two sets of verdicts are taken for the same has a chance of one in some hundred thousand at ten
/// million products.
pub struct Remembered {
    hasher: RandomState,
    tables: Box<[HashMap<u64, u64>]>,
    /// What was told before is not known: ALLOW is news, too, and is remembered.
    resumed: bool,
}

impl Remembered {
    /// Nothing told yet; or told before, nobody knows what.
    pub fn new(resumed: bool) -> Self {
        Self {
            hasher: RandomState::new(),
            tables: (0..TABLES).map(|_| HashMap::new()).collect(),
            resumed,
        }
    }

    /// Whether something was told that it does not know of.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether the verdicts on a product are to be told; then they count as told.
    pub fn is_news(&mut self, key: &ProductKey, is_known: bool, verdicts: &[BriefVerdict<'_>]) -> bool {
        let resumed = self.resumed;
        let (table, key) = self.place(key);
        if !resumed && verdicts.iter().all(|verdict| verdict.verdict == Verdict::Allow) {
            return take(table, key);
        }
        let digest = digest(is_known, verdicts);
        table.insert(key, digest) != Some(digest)
    }

    /// Whether it is to be told that a product is gone; then it counts as never told.
    pub fn is_gone(&mut self, key: &ProductKey) -> bool {
        let resumed = self.resumed;
        let (table, key) = self.place(key);
        take(table, key) || resumed
    }

    fn place(&mut self, key: &ProductKey) -> (&mut HashMap<u64, u64>, u64) {
        let key = self.hasher.hash_one(key);
        (&mut self.tables[(key >> 32) as usize % TABLES], key)
    }
}

/// Takes a product out; whether it was in.
fn take(table: &mut HashMap<u64, u64>, key: u64) -> bool {
    let was_in = table.remove(&key).is_some();
    if was_in && table.capacity() > WORTH_SHRINKING && table.len() * 4 < table.capacity() {
        table.shrink_to(table.len() * 2);
    }
    was_in
}

fn digest(is_known: bool, verdicts: &[BriefVerdict<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    is_known.hash(&mut hasher);
    for verdict in verdicts {
        (verdict.verdict.as_str(), verdict.valid_until).hash(&mut hasher);
    }
    hasher.finish()
}

/// When something told will be another by itself. The first so many products are remembered one by one, as corrections with an end need it; for the
/// rest there is one moment at which all products are to be judged again, as the first day of a rule needs it.
#[derive(Default)]
pub struct Dates {
    soon: BTreeSet<(Moment, ProductKey)>,
    all: Option<Moment>,
}

impl Dates {
    /// With one moment for all products.
    pub fn all_at(all: Option<Moment>) -> Self {
        Self {
            soon: BTreeSet::new(),
            all,
        }
    }

    /// A product may be another from this moment on.
    pub fn note(&mut self, at: Moment, key: &ProductKey) {
        if self.all.is_some_and(|all| all <= at) {
            return;
        }
        self.soon.insert((at, key.clone()));
        if self.soon.len() > SOON
            && let Some((latest, _)) = self.soon.pop_last()
        {
            self.all = Some(self.all.map_or(latest, |all| all.min(latest)));
        }
    }

    /// Whether all products are to be judged again.
    pub fn all_are_due(&self, now: Moment) -> bool {
        self.all.is_some_and(|all| all <= now)
    }

    /// A product that is to be judged again, once.
    pub fn due(&mut self, now: Moment) -> Option<ProductKey> {
        let is_due = self.soon.first().is_some_and(|(at, _)| *at <= now);
        is_due.then(|| self.soon.pop_first()).flatten().map(|(_, key)| key)
    }

    /// The first moment of all.
    pub fn first(&self) -> Option<Moment> {
        let soon = self.soon.first().map(|(at, _)| *at);
        soon.into_iter().chain(self.all).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{CountryCode, Source};

    fn key(number: usize) -> ProductKey {
        ProductKey {
            partner_id: "acme".to_owned(),
            product_id: number.to_string(),
        }
    }

    fn brief(verdict: Verdict, until: Option<i64>) -> [BriefVerdict<'static>; 1] {
        [BriefVerdict {
            country: CountryCode::REST_OF_WORLD,
            verdict,
            source: Source::Model,
            label: None,
            score: None,
            threshold: None,
            rule: "default",
            text: "",
            valid_until: until.map(Moment::from_micros),
        }]
    }

    #[test]
    fn only_what_differs_from_what_was_told_is_news() {
        let mut told = Remembered::new(false);
        let mut is_news = |verdict, until| told.is_news(&key(1), true, &brief(verdict, until));
        assert!(!is_news(Verdict::Allow, None), "never told is ALLOW");
        assert!(is_news(Verdict::Block, None));
        assert!(!is_news(Verdict::Block, None));
        assert!(is_news(Verdict::Block, Some(5)), "until when is told");
        assert!(is_news(Verdict::Allow, None));
        assert!(!is_news(Verdict::Allow, None));
        assert!(!told.is_gone(&key(1)), "ALLOW is forgotten");
        assert!(told.is_news(&key(1), false, &brief(Verdict::Review, None)));
        assert!(told.is_gone(&key(1)) && !told.is_gone(&key(1)));
    }

    #[test]
    fn where_it_is_not_known_what_was_told_everything_is_news_once() {
        let mut told = Remembered::new(true);
        assert!(told.is_gone(&key(2)));
        assert!(told.is_news(&key(1), true, &brief(Verdict::Allow, None)));
        assert!(!told.is_news(&key(1), true, &brief(Verdict::Allow, None)));
    }

    #[test]
    fn room_is_given_back_when_what_was_told_is_allowed_again() {
        let mut told = Remembered::new(false);
        for (verdict, products) in [(Verdict::Block, 100_000), (Verdict::Allow, 100_000)] {
            for number in 0..products {
                assert!(told.is_news(&key(number), true, &brief(verdict, None)));
            }
        }
        let room: usize = told.tables.iter().map(HashMap::capacity).sum();
        assert!(room <= TABLES * WORTH_SHRINKING * 2, "{room}");
    }

    #[test]
    fn many_moments_are_remembered_as_one_that_is_not_too_late() {
        let mut dates = Dates::default();
        let at = |number: usize| Moment::from_micros(number as i64);
        for number in (0..SOON + 10).rev() {
            dates.note(at(number), &key(number));
        }
        assert_eq!(dates.first(), Some(at(0)));
        assert!(!dates.all_are_due(at(SOON - 1)));
        assert!(dates.all_are_due(at(SOON)), "the first that has no place of its own");
        assert_eq!(dates.due(at(1)), Some(key(0)));
        assert_eq!(dates.due(at(1)), Some(key(1)));
        assert_eq!(dates.due(at(1)), None);
        assert_eq!(Dates::all_at(Some(at(3))).first(), Some(at(3)));
    }
}
