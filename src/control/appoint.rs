//! Who serves: the pure rule from what is on record and what is ready to the roles.
//!
//! **What the disk says may serve; what the record says does.** A version that is gone from the disk serves no longer. A revision on
//! record stays in its role, whatever else happens to its files, until a successor of the same version is ready. What is new takes
//! the role that `model.toml` gives it: bytes changed in place take their version's role, a higher number what `on_new` says, a
//! lower number none (it serves those who name it).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{RevisionId, Version};
use crate::repository::{OnNew, ReleaseSettings};
use crate::store::{Appointed, ModelRecord};

/// What the rule looks at.
pub struct Situation<'a> {
    pub record: &'a ModelRecord,
    pub release: &'a ReleaseSettings,
    /// The versions whose directory is there, whatever state their files are in.
    pub present: &'a BTreeSet<Version>,
    /// The revision of each version whose files are complete and not known to be bad.
    pub complete: &'a BTreeMap<Version, RevisionId>,
    /// Those of `complete` that are loaded and proved.
    pub ready: &'a BTreeMap<Version, RevisionId>,
    /// Revisions on record that can no longer be loaded.
    pub lost: &'a BTreeSet<RevisionId>,
}

/// The record as it ought to be now. The same as before where nothing is to change.
pub fn appoint(situation: &Situation) -> ModelRecord {
    let mut record = situation.record.clone();
    forget_the_gone(&mut record, situation);
    if record.live.is_none() {
        first_start(&mut record, situation);
    }
    if record.live.is_some() {
        for (version, revision) in situation.ready {
            if record.versions.get(version) != Some(revision) {
                let newcomer = Appointed {
                    version: *version,
                    revision: *revision,
                };
                welcome(&mut record, situation.release, newcomer);
            }
        }
    }
    record
}

fn forget_the_gone(record: &mut ModelRecord, situation: &Situation) {
    record.versions.retain(|version, _| situation.present.contains(version));
    for role in [&mut record.live, &mut record.shadow] {
        *role =
            role.filter(|held| situation.present.contains(&held.version) && !situation.lost.contains(&held.revision));
    }
}

/// With nothing live: what `model.toml` names for the first start, else the highest version. Whatever is complete at this moment is
/// nothing new.
fn first_start(record: &mut ModelRecord, situation: &Situation) {
    let named = situation.release.first;
    let version = named
        .map(|first| first.live)
        .filter(|version| situation.complete.contains_key(version))
        .or_else(|| situation.complete.keys().next_back().copied());
    let Some(version) = version else { return };
    let Some(revision) = situation.ready.get(&version).copied() else {
        return;
    };
    record.live = Some(Appointed { version, revision });
    record.versions = situation.complete.clone();
    record.shadow = record.shadow.filter(|shadow| shadow.version != version);
    if record.shadow.is_none() {
        let shadow = named.and_then(|first| first.shadow).filter(|shadow| *shadow != version);
        record.shadow = shadow.and_then(|version| {
            situation.complete.get(&version).map(|revision| Appointed {
                version,
                revision: *revision,
            })
        });
    }
}

/// Gives what is new its role, and takes notice of it.
fn welcome(record: &mut ModelRecord, release: &ReleaseSettings, newcomer: Appointed) {
    let holds = |role: Option<Appointed>| role.is_some_and(|held| held.version == newcomer.version);
    let above_live = record.live.is_some_and(|live| newcomer.version > live.version);
    let named_shadow = release.first.and_then(|first| first.shadow) == Some(newcomer.version);
    let never_seen = !record.versions.contains_key(&newcomer.version);
    if holds(record.live) {
        record.live = Some(newcomer);
    } else if holds(record.shadow) || (named_shadow && never_seen && record.shadow.is_none()) {
        record.shadow = Some(newcomer);
    } else if above_live {
        match release.on_new {
            OnNew::Live => {
                record.live = Some(newcomer);
                record.shadow = record.shadow.filter(|shadow| shadow.version > newcomer.version);
            }
            OnNew::Shadow => record.shadow = Some(newcomer),
            OnNew::Nothing => {}
        }
    }
    record.versions.insert(newcomer.version, newcomer.revision);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Digest;
    use crate::repository::FirstStart;
    use proptest::prelude::*;

    fn version(number: i64) -> Version {
        Version::try_from(number).unwrap()
    }

    fn revision(byte: u8) -> RevisionId {
        RevisionId(Digest([byte; 32]))
    }

    fn revisions(pairs: &[(i64, u8)]) -> BTreeMap<Version, RevisionId> {
        pairs
            .iter()
            .map(|(number, byte)| (version(*number), revision(*byte)))
            .collect()
    }

    fn appointed(number: i64, byte: u8) -> Option<Appointed> {
        Some(Appointed {
            version: version(number),
            revision: revision(byte),
        })
    }

    fn shipped() -> ReleaseSettings {
        let first = Some(FirstStart {
            live: version(1),
            shadow: Some(version(2)),
        });
        ReleaseSettings {
            first,
            ..ReleaseSettings::default()
        }
    }

    fn after(
        record: &ModelRecord,
        release: &ReleaseSettings,
        complete: &[(i64, u8)],
        ready: &[(i64, u8)],
    ) -> ModelRecord {
        let (complete, ready) = (revisions(complete), revisions(ready));
        let present = complete.keys().copied().collect();
        let lost = BTreeSet::new();
        appoint(&Situation {
            record,
            release,
            present: &present,
            complete: &complete,
            ready: &ready,
            lost: &lost,
        })
    }

    #[test]
    fn a_first_start_serves_what_the_model_names() {
        let none = ModelRecord::default();
        let record = after(&none, &shipped(), &[(1, 1), (2, 2), (3, 3)], &[(3, 3)]);
        assert_eq!(record.live, None, "waits for version 1, which is on its way");
        let record = after(&record, &shipped(), &[(1, 1), (2, 2), (3, 3)], &[(1, 1), (3, 3)]);
        assert_eq!((record.live, record.shadow), (appointed(1, 1), appointed(2, 2)));
        let later = after(
            &record,
            &shipped(),
            &[(1, 1), (2, 2), (3, 3)],
            &[(1, 1), (2, 2), (3, 3)],
        );
        assert_eq!(later, record, "what was there at the first start is nothing new");
    }

    #[test]
    fn without_a_name_the_highest_complete_version_serves() {
        let release = ReleaseSettings::default();
        let record = after(&ModelRecord::default(), &release, &[(1, 1), (4, 4)], &[(1, 1), (4, 4)]);
        assert_eq!(record.live, appointed(4, 4));
    }

    #[test]
    fn a_new_version_takes_the_role_that_the_model_gives_it() {
        let release = ReleaseSettings::default();
        let record = after(&ModelRecord::default(), &release, &[(2, 2)], &[(2, 2)]);
        let higher = after(&record, &release, &[(2, 2), (3, 3)], &[(2, 2), (3, 3)]);
        assert_eq!(higher.live, appointed(3, 3));
        let lower = after(&record, &release, &[(1, 1), (2, 2)], &[(1, 1), (2, 2)]);
        assert_eq!(
            lower.live,
            appointed(2, 2),
            "a lower number serves only those who name it"
        );
        let shadow = ReleaseSettings {
            on_new: OnNew::Shadow,
            ..ReleaseSettings::default()
        };
        let shadowed = after(&record, &shadow, &[(2, 2), (3, 3)], &[(2, 2), (3, 3)]);
        assert_eq!((shadowed.live, shadowed.shadow), (appointed(2, 2), appointed(3, 3)));
        let nothing = ReleaseSettings {
            on_new: OnNew::Nothing,
            ..ReleaseSettings::default()
        };
        assert_eq!(
            after(&record, &nothing, &[(2, 2), (3, 3)], &[(2, 2), (3, 3)]).live,
            appointed(2, 2)
        );
    }

    #[test]
    fn bytes_changed_in_place_take_their_versions_role_once_they_are_ready() {
        let first = after(
            &ModelRecord::default(),
            &shipped(),
            &[(1, 1), (2, 2)],
            &[(1, 1), (2, 2)],
        );
        let on_its_way = after(&first, &shipped(), &[(1, 9), (2, 2)], &[(2, 2)]);
        assert_eq!(
            on_its_way.live,
            appointed(1, 1),
            "the old bytes serve until the new are ready"
        );
        let live = after(&first, &shipped(), &[(1, 9), (2, 2)], &[(1, 9), (2, 2)]);
        assert_eq!((live.live, live.shadow), (appointed(1, 9), appointed(2, 2)));
        let shadow = after(&first, &shipped(), &[(1, 1), (2, 9)], &[(1, 1), (2, 9)]);
        assert_eq!((shadow.live, shadow.shadow), (appointed(1, 1), appointed(2, 9)));
    }

    #[test]
    fn a_version_gone_from_the_disk_serves_no_longer() {
        let first = after(
            &ModelRecord::default(),
            &shipped(),
            &[(1, 1), (2, 2)],
            &[(1, 1), (2, 2)],
        );
        let left = after(&first, &shipped(), &[(2, 2)], &[(2, 2)]);
        assert_eq!((left.live, left.shadow), (appointed(2, 2), None));
    }

    proptest! {
        /// Whatever happens: what serves is on the disk, nobody is in shadow of itself, and asking again changes nothing.
        #[test]
        fn appointing_is_sound_and_settles(
            steps in prop::collection::vec(prop::collection::vec((1i64..5, 0u8..4, any::<bool>()), 0..5), 1..8),
            on_new in 0usize..3,
        ) {
            let on_new = [OnNew::Live, OnNew::Shadow, OnNew::Nothing][on_new];
            let release = ReleaseSettings { on_new, ..shipped() };
            let mut record = ModelRecord::default();
            for step in steps {
                let complete: Vec<_> = step.iter().map(|(number, byte, _)| (*number, *byte)).collect();
                let complete = revisions(&complete);
                let ready: BTreeMap<_, _> = complete
                    .iter()
                    .filter(|(version, _)| step.iter().any(|(number, _, ready)| *number == version.get() && *ready))
                    .map(|(version, revision)| (*version, *revision))
                    .collect();
                let present: BTreeSet<_> = complete.keys().copied().collect();
                let lost = BTreeSet::new();
                let look = |record: &ModelRecord| appoint(&Situation {
                    record, release: &release, present: &present, complete: &complete, ready: &ready, lost: &lost,
                });
                let next = look(&record);
                for held in [next.live, next.shadow].into_iter().flatten() {
                    prop_assert!(present.contains(&held.version));
                }
                if let (Some(live), Some(shadow)) = (next.live, next.shadow) {
                    prop_assert_ne!(live.version, shadow.version);
                }
                prop_assert_eq!(&look(&next), &next);
                record = next;
            }
        }
    }
}
