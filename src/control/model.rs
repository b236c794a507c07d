//! One model, from what was found of it to its part of the plan. Holds no task and writes nothing: the controller does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::appoint::{Situation, appoint};
use super::bring_up::Origin;
use super::guard::Guard;
use super::policies::{PolicyInForce, adopt};
use super::versions::{Loaded, Versions};
use crate::base::{Digest, Label, ModelName, PolicyVersion, Refusal, RevisionId, Version, Wish};
use crate::plan::{ModelPlan, Served};
use crate::policy::Policy;
use crate::repository::{
    Candidate, ModelFound, ModelSettings, OnPolicyChange, ReleaseSettings, TritonConfig, VersionFound, VersionPolicy,
};
use crate::store::{Appointed, DataDirectory, ModelRecord};

/// How long a version must have been gone before it stops serving: a directory that is being replaced is gone for a moment.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Everything known of one model.
#[derive(Default)]
pub(super) struct ModelState {
    /// None until `model.toml` has been read once, or found not to be there: until then nobody is appointed.
    settings: Option<ModelSettings>,
    pub problems: Vec<String>,
    pub policy: PolicyInForce,
    pub guard: Guard,
    triton: Option<Arc<TritonConfig>>,
    pub versions: Versions,
    pub found: BTreeMap<Version, VersionFound>,
    gone_since: BTreeMap<Version, Instant>,
    lost: BTreeSet<RevisionId>,
    /// What was live before what is: kept loaded, so that going back to it takes no loading.
    previous: Option<RevisionId>,
}

/// A revision to bring up.
pub(super) struct Start {
    pub version: Version,
    pub revision: RevisionId,
    /// What a rejection is noted under; none for a sealed copy.
    pub content: Option<Digest>,
    pub origin: Origin,
}

impl ModelState {
    /// Takes in what was found of the model; none when its directory is gone.
    pub fn look(
        &mut self,
        name: &ModelName,
        found: Option<ModelFound>,
        record: &ModelRecord,
        data: &DataDirectory,
        now: Instant,
    ) {
        self.problems.clear();
        let Some(found) = found else {
            self.note_gone(BTreeMap::new(), now);
            return;
        };
        let labels = labels_of(&found);
        match found.settings {
            Ok(settings) => self.follow(settings),
            Err(problem) => self.problems.push(problem.to_string()),
        }
        match found.triton {
            None => self.triton = None,
            Some(Ok(config)) => self.triton = Some(config),
            Some(Err(problem)) => self.problems.push(problem.to_string()),
        }
        let current = self.policy.policy.take();
        let release = self.release();
        let guard = match release.on_policy_change {
            OnPolicyChange::Guarded => Some((&self.guard, release.newly_allow_at_most.as_f64())),
            OnPolicyChange::Live => None,
        };
        let policy = found.policy.as_ref();
        self.policy = adopt(data, (name, &labels), record.policy, policy, (current, guard));
        self.problems.extend(self.policy.problem.clone());
        self.problems.extend(self.policy.inert(&labels));
        self.note_gone(found.versions, now);
        let contents: BTreeSet<Digest> = self.found.values().filter_map(content_of).collect();
        self.versions.rejected.retain(|content, _| contents.contains(content));
    }

    fn follow(&mut self, settings: ModelSettings) {
        let wish = settings.serving.wish();
        if wish != self.wish() {
            self.versions
                .loaded
                .values()
                .for_each(|loaded| loaded.executor.follow(&wish));
        }
        self.settings = Some(settings);
    }

    /// What changes of its files do by themselves; until that was read, what they do by default.
    pub fn release(&self) -> ReleaseSettings {
        self.settings
            .as_ref()
            .map(|settings| settings.release.clone())
            .unwrap_or_default()
    }

    /// The policy in force and the one that waits, where they are to be compared now.
    pub fn trial(&mut self, now: Instant) -> Option<(Arc<Policy>, Arc<Policy>)> {
        let (current, waits) = self.policy.policy.clone().zip(self.policy.waits.clone())?;
        let begins = self.guard.begin((current.version(), waits.version()), now);
        begins.then_some((current, waits))
    }

    /// Takes the policy that waits into force, because a person wants it.
    ///
    /// # Errors
    /// Another one waits, or none.
    pub fn apply_policy(&mut self, version: PolicyVersion) -> Result<(), Refusal> {
        let in_force = self.policy.policy.as_ref().map(|policy| policy.version());
        match self.policy.waits.take_if(|policy| policy.version() == version) {
            Some(policy) => {
                self.guard.confirm(version);
                self.policy = PolicyInForce {
                    policy: Some(policy),
                    ..PolicyInForce::default()
                };
                Ok(())
            }
            None if in_force == Some(version) => Ok(()),
            None => Err(Refusal::aborted(match &self.policy.waits {
                Some(other) => format!("it is policy {} that waits now: look at it again", other.version().0),
                None => format!("policy {} does not wait: is its file still there?", version.0.short()),
            })),
        }
    }

    /// How its revisions are to be run.
    pub fn wish(&self) -> Wish {
        self.settings
            .as_ref()
            .map(|settings| settings.serving.wish())
            .unwrap_or_default()
    }

    /// Takes notice of what is live now and was before.
    pub fn note_swap(&mut self, before: &ModelRecord, after: &ModelRecord) {
        let revision = |record: &ModelRecord| record.live.map(|live| live.revision);
        if revision(before) != revision(after) {
            self.previous = revision(before);
        }
    }

    /// Gives the revision up that was live before, where it is needed for nothing else. Gives whether there was one.
    pub fn give_up_previous(&mut self) -> bool {
        self.previous
            .take()
            .is_some_and(|revision| self.versions.loaded.contains_key(&revision))
    }

    fn note_gone(&mut self, found: BTreeMap<Version, VersionFound>, now: Instant) {
        for version in self.found.keys().filter(|version| !found.contains_key(version)) {
            self.gone_since.entry(*version).or_insert(now);
        }
        self.gone_since
            .retain(|version, since| !found.contains_key(version) && now < *since + GRACE);
        self.found = found;
    }

    /// What is to be brought up now: chosen versions that are not loaded, and revisions on record whose files have changed.
    pub fn starts(&self, record: &ModelRecord, now: Instant) -> Vec<Start> {
        let unproven = self.candidates().into_values().filter(|candidate| {
            !self.is_rejected(candidate) && !self.versions.is_proven(candidate.revision, candidate.content)
        });
        let mut starts: Vec<Start> = unproven.map(|candidate| self.start(candidate)).collect();
        for held in [record.live, record.shadow].into_iter().flatten() {
            if self.versions.loaded.contains_key(&held.revision) {
                continue;
            }
            let candidate_too = starts.iter().any(|start| start.revision == held.revision);
            if self.is_present(held.version) && !candidate_too && !self.lost.contains(&held.revision) {
                let origin = Origin::Sealed(held.revision);
                starts.push(Start {
                    version: held.version,
                    revision: held.revision,
                    content: None,
                    origin,
                });
            }
        }
        let mut seen = BTreeSet::new();
        starts.retain(|start| self.versions.may_try(&start.revision, now) && seen.insert(start.revision));
        starts
    }

    fn start(&self, candidate: &Candidate) -> Start {
        let origin = if self.versions.loaded.contains_key(&candidate.revision) {
            Origin::Again(candidate.clone())
        } else {
            Origin::Candidate(candidate.clone())
        };
        let Candidate {
            version,
            revision,
            content,
            ..
        } = *candidate;
        Start {
            version,
            revision,
            content: Some(content),
            origin,
        }
    }

    /// The record as it ought to be, by the pure rule.
    pub fn appoint(&self, record: &ModelRecord) -> ModelRecord {
        let candidates = self.candidates();
        let good = candidates.iter().filter(|(_, candidate)| !self.is_rejected(candidate));
        let complete: BTreeMap<Version, RevisionId> = good
            .map(|(version, candidate)| (*version, candidate.revision))
            .collect();
        let ready = candidates
            .iter()
            .filter(|(_, candidate)| self.versions.is_proven(candidate.revision, candidate.content))
            .map(|(version, candidate)| (*version, candidate.revision))
            .collect();
        let present = self.found.keys().chain(self.gone_since.keys()).copied().collect();
        let situation = |settings: &ModelSettings| {
            appoint(&Situation {
                record,
                release: &settings.release,
                present: &present,
                complete: &complete,
                ready: &ready,
                lost: &self.lost,
            })
        };
        let mut record = self.settings.as_ref().map_or_else(|| record.clone(), situation);
        record.policy = self
            .policy
            .policy
            .as_ref()
            .map(|policy| policy.version())
            .or(record.policy);
        record
    }

    /// Lets go of what nobody needs any more. Requests in flight keep theirs until they are done.
    pub fn retire(&mut self, record: &ModelRecord) {
        let mut needed: BTreeSet<RevisionId> = self.candidates().values().map(|candidate| candidate.revision).collect();
        needed.extend(
            [record.live, record.shadow]
                .into_iter()
                .flatten()
                .map(|held| held.revision),
        );
        needed.extend(self.previous);
        self.versions.loaded.retain(|revision, _| needed.contains(revision));
        self.versions.waiting.retain(|revision, _| needed.contains(revision));
    }

    /// A sealed revision on record that cannot be brought up again: it holds its role no longer.
    pub fn lose(&mut self, revision: RevisionId) {
        self.lost.insert(revision);
    }

    /// Its part of the plan.
    pub fn plan(&self, record: &ModelRecord) -> ModelPlan {
        let held = |role: Option<Appointed>| role.and_then(|held| self.served(held.version, held.revision));
        let mut plan = ModelPlan {
            live: held(record.live),
            shadow: held(record.shadow),
            policy: self.policy.policy.clone(),
            triton: self.triton.as_ref().map(|triton| Arc::new(triton.config.clone())),
            ..ModelPlan::default()
        };
        for (version, candidate) in self.candidates() {
            if self.versions.is_proven(candidate.revision, candidate.content)
                && let Some(served) = self.served(version, candidate.revision)
            {
                plan.versions.insert(version, served);
            }
        }
        for served in [&plan.shadow, &plan.live].into_iter().flatten() {
            plan.versions
                .entry(served.version)
                .or_insert_with(|| Arc::clone(served));
        }
        plan
    }

    fn served(&self, version: Version, revision: RevisionId) -> Option<Arc<Served>> {
        let Loaded {
            executor, loaded_at, ..
        } = self.versions.loaded.get(&revision)?.clone();
        Some(Arc::new(Served {
            version,
            revision,
            executor,
            loaded_at,
        }))
    }

    /// The complete versions that the model serves.
    pub fn candidates(&self) -> BTreeMap<Version, &Candidate> {
        let existing: BTreeSet<Version> = self.found.keys().copied().collect();
        let chosen = match self.version_policy() {
            Some(policy) => policy.choose(&existing),
            None => existing,
        };
        let complete = self.found.iter().filter_map(|(version, found)| match found {
            VersionFound::Complete(candidate) => Some((*version, candidate)),
            VersionFound::Incomplete { .. } | VersionFound::Rejected { .. } | VersionFound::Waiting { .. } => None,
        });
        complete.filter(|(version, _)| chosen.contains(version)).collect()
    }

    /// `model.toml` decides, then `config.pbtxt`; with neither, every version serves.
    fn version_policy(&self) -> Option<&VersionPolicy> {
        let triton = || self.triton.as_ref().map(|triton| &triton.serve);
        let settings = self.settings.as_ref();
        settings.and_then(|settings| settings.serve.as_ref()).or_else(triton)
    }

    fn is_rejected(&self, candidate: &Candidate) -> bool {
        self.versions.rejected.contains_key(&candidate.content)
    }

    fn is_present(&self, version: Version) -> bool {
        self.found.contains_key(&version) || self.gone_since.contains_key(&version)
    }

    /// Whether anything of the model is still there or still serves.
    pub fn is_over(&self) -> bool {
        self.found.is_empty() && self.gone_since.is_empty() && self.versions.loading.is_empty()
    }

    /// When this model wants to be looked at again by itself.
    pub fn next_look(&self) -> Option<Instant> {
        let graces = self.gone_since.values().map(|since| *since + GRACE);
        graces
            .chain(self.versions.next_try())
            .chain(self.guard.next_try())
            .min()
    }
}

/// Every label that a complete version gives.
fn labels_of(found: &ModelFound) -> Vec<Label> {
    let manifests = found.versions.values().filter_map(|version| match version {
        VersionFound::Complete(candidate) => candidate.manifest.as_ref(),
        VersionFound::Incomplete { .. } | VersionFound::Rejected { .. } | VersionFound::Waiting { .. } => None,
    });
    let labels: BTreeSet<Label> = manifests.flat_map(|manifest| manifest.head.labels()).cloned().collect();
    labels.into_iter().collect()
}

fn content_of(found: &VersionFound) -> Option<Digest> {
    match found {
        VersionFound::Complete(candidate) => Some(candidate.content),
        VersionFound::Rejected { content, .. } => Some(*content),
        VersionFound::Incomplete { .. } | VersionFound::Waiting { .. } => None,
    }
}
