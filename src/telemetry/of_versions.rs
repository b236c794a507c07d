//! Series that are broken down by version, and let go of versions that are gone: a server that lives through a thousand of them must not
//! carry, nor tell at each scrape, what every one of them did.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::family::{Family, MetricConstructor};

use crate::base::{ModelName, Version};

/// Versions of a model whose series stay when they are gone, those with the highest numbers: long enough to be read once more.
const GONE_KEPT: usize = 8;

/// Versions by their models.
pub(super) type Versions = BTreeSet<(ModelName, Version)>;

type LabelsByVersion<L> = BTreeMap<(ModelName, Version), Vec<L>>;

/// Labels that may name a version.
pub(super) trait OfVersion {
    /// The version, where one is named.
    fn version(&self) -> Option<(ModelName, Version)>;
}

/// A family of series, and which of its labels belong to which version.
#[derive(Debug, Clone)]
pub(super) struct OfVersions<L: Clone + Hash + Eq, M, C = fn() -> M> {
    pub family: Family<L, M, C>,
    labels: Arc<Mutex<LabelsByVersion<L>>>,
}

impl<L, M, C> OfVersions<L, M, C>
where
    L: OfVersion + Clone + Hash + Eq,
    C: MetricConstructor<M>,
{
    /// Around a family.
    pub fn new(family: Family<L, M, C>) -> Self {
        Self {
            family,
            labels: Arc::default(),
        }
    }

    /// The series of these labels.
    pub fn get_or_create(&self, labels: &L) -> impl Deref<Target = M> {
        if let Some(series) = self.family.get(labels) {
            return series;
        }
        if let Some(version) = labels.version() {
            let mut kept = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = kept.entry(version).or_default();
            if !kept.contains(labels) {
                kept.push(labels.clone());
            }
        }
        self.family.get_or_create(labels)
    }

    /// Lets go of versions that are not present, but for the last few of each model.
    pub fn keep(&self, present: &Versions) {
        let mut kept = self.labels.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gone: BTreeMap<&ModelName, Vec<Version>> = BTreeMap::new();
        for (model, version) in kept.keys().filter(|version| !present.contains(*version)) {
            gone.entry(model).or_default().push(*version);
        }
        let surplus = gone.into_iter().flat_map(|(model, versions)| {
            let surplus = versions.len().saturating_sub(GONE_KEPT);
            versions
                .into_iter()
                .take(surplus)
                .map(|version| (model.clone(), version))
        });
        for version in surplus.collect::<Vec<_>>() {
            for labels in kept.remove(&version).unwrap_or_default() {
                self.family.remove(&labels);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::EncodeLabelSet;
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
    struct Labels {
        version: Version,
        what: &'static str,
    }

    impl OfVersion for Labels {
        fn version(&self) -> Option<(ModelName, Version)> {
            Some(("adsafety".parse().ok()?, self.version))
        }
    }

    fn labels(version: i64, what: &'static str) -> Labels {
        let version = Version::try_from(version).unwrap();
        Labels { version, what }
    }

    #[test]
    fn what_versions_did_goes_some_time_after_them() {
        let series = OfVersions::new(Family::<Labels, Counter>::default());
        for version in 1..=100 {
            for what in ["a", "b", "a"] {
                series.get_or_create(&labels(version, what)).inc();
            }
            let present = [labels(1, ""), labels(version, "")].map(|labels| labels.version().unwrap());
            series.keep(&BTreeSet::from(present));
        }
        let left = (1..=100).filter(|version| series.family.get(&labels(*version, "a")).is_some());
        assert_eq!(left.count(), 2 + GONE_KEPT);
        for (version, is_kept) in [(1, true), (2, false), (91, false), (92, true), (100, true)] {
            assert_eq!(series.family.get(&labels(version, "b")).is_some(), is_kept, "{version}");
        }
        assert_eq!(series.get_or_create(&labels(1, "a")).get(), 2);
    }
}
