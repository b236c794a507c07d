//! Where pictures are looked at again: by the revision that looked then, or by one revision's model behind another's preprocessing.
//!
//! A revision that serves is used as it is loaded, on its session for the background; another is loaded from its sealed copy if there is memory for it, and
//! dropped with the question. Each look is made once.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::Desk;
use super::part::Side;
use crate::base::{Digest, LabelScore, Recorded, RevisionId};
use crate::control::bring_up::spec_of;
use crate::executor::{Executor, JudgeSpec, Lane, Need};
use crate::plan::ServingPlan;
use crate::preprocess::{self, Preprocessing, Workspace};
use crate::repository::{Manifest, OpenSealedError, open_sealed, sealed_manifest_of};

/// Revisions that are loaded for one question at a time.
const LOADED: usize = 3;
/// Pictures that are held for one question at a time.
const PICTURES: usize = 4;
/// What a session takes of memory is not known before it is loaded: so many times its files, and so much besides.
const SESSION: (u64, u64) = (3, 64 << 20);

/// What came of looking at a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Look {
    Scored(Vec<LabelScore>),
    Unreadable(String),
}

impl Look {
    /// What a decision on record saw.
    pub fn of(recorded: &Recorded) -> Self {
        match &recorded.unreadable {
            Some(cause) => Self::Unreadable(cause.clone()),
            None => Self::Scored(recorded.decision.scores.clone()),
        }
    }

    /// What is seen where there is no picture.
    fn missing() -> Self {
        Self::Unreadable("the product has no picture".to_owned())
    }
}

/// A revision that can look.
#[derive(Clone)]
struct Eye {
    executor: Arc<Executor>,
    lane: usize,
}

/// A picture, the revision that prepares it, and the one that looks.
type Sight = (Option<Digest>, RevisionId, RevisionId);

/// See the module.
pub(super) struct Lab<'a> {
    desk: &'a Desk,
    looks: HashMap<Sight, Result<Look, String>>,
    pictures: HashMap<Digest, Result<Bytes, String>>,
    eyes: Vec<(RevisionId, Eye)>,
    manifests: HashMap<RevisionId, Option<Arc<Manifest>>>,
    workspace: Workspace,
}

impl<'a> Lab<'a> {
    pub fn new(desk: &'a Desk) -> Self {
        Self {
            desk,
            looks: HashMap::new(),
            pictures: HashMap::new(),
            eyes: Vec::new(),
            manifests: HashMap::new(),
            workspace: Workspace::default(),
        }
    }

    /// Takes what a decision saw as seen.
    pub fn remember(&mut self, recorded: &Recorded) {
        let decision = &recorded.decision;
        let sight = (decision.image_sha256, decision.revision, decision.revision);
        self.looks.entry(sight).or_insert_with(|| Ok(Look::of(recorded)));
    }

    /// What comes of a picture, by what was seen already where it was; else why it cannot be told.
    pub fn look(&mut self, picture: Option<Digest>, preprocessing: &Side, weights: &Side) -> Result<Look, String> {
        let sight = (picture, preprocessing.revision, weights.revision);
        if let Some(seen) = self.looks.get(&sight) {
            return seen.clone();
        }
        let seen = self.look_again(picture, preprocessing, weights);
        self.looks.insert(sight, seen.clone());
        seen
    }

    /// What comes of a picture now, whatever was seen before.
    pub fn look_again(
        &mut self,
        picture: Option<Digest>,
        preprocessing: &Side,
        weights: &Side,
    ) -> Result<Look, String> {
        let Some(sha) = picture else {
            return Ok(Look::missing());
        };
        let bytes = self.picture(sha)?;
        let eye = self.eye(weights)?;
        let judge = eye
            .executor
            .spec()
            .judge
            .as_ref()
            .ok_or("the model judges no pictures")?;
        let prepared = self.preprocessing(preprocessing, weights, judge)?;
        let limits = &self.desk.shared.bring_up.picture_limits;
        let decoded = match preprocess::decode(&bytes, &prepared.decode_options(), limits, &mut self.workspace) {
            Ok(decoded) => decoded,
            Err(error) => return Ok(Look::Unreadable(error.to_string())),
        };
        let tensor = preprocess::to_tensor(&decoded, &prepared, &mut self.workspace);
        let scores = eye.executor.judge_again(&Lane::apart(eye.lane), &tensor);
        self.workspace.give_back(decoded, tensor);
        scores
            .map(Look::Scored)
            .map_err(|error| format!("the model failed on this picture: {error}"))
    }

    /// How pictures are prepared, where the model that looks takes what comes of it.
    fn preprocessing(&mut self, by: &Side, weights: &Side, judge: &JudgeSpec) -> Result<Preprocessing, String> {
        if by.revision == weights.revision {
            return Ok(judge.preprocessing.clone());
        }
        let manifest = self.manifest(&by.revision).ok_or_else(|| gone(by))?;
        let (theirs, own) = (manifest.preprocessing.fields(), judge.preprocessing.fields());
        if (theirs.width, theirs.height) != (own.width, own.height) {
            return Err(format!(
                "the model of version {} takes {} × {} pixels, and version {} prepares {} × {}",
                weights.version, own.width, own.height, by.version, theirs.width, theirs.height
            ));
        }
        Ok(manifest.preprocessing.clone())
    }

    /// A picture's bytes, which are those that were judged.
    pub fn picture(&mut self, sha: Digest) -> Result<Bytes, String> {
        if let Some(kept) = self.pictures.get(&sha) {
            return kept.clone();
        }
        let found = match self.desk.wait(self.desk.records().picture(sha)) {
            Ok(Some(bytes)) if Digest(Sha256::digest(&bytes).into()) == sha => Ok(bytes),
            Ok(Some(_)) => Err(format!(
                "the picture {} is damaged on record: its bytes have another hash; send it again to have it kept again",
                sha.short()
            )),
            Ok(None) => Err(format!(
                "the picture {} is not kept: it was never put on record, went by records.pictures or records.keep_days, or was erased with its partner; \
                 send it again to have it kept again",
                sha.short()
            )),
            Err(refusal) => Err(format!("the picture {} cannot be read now: {refusal}", sha.short())),
        };
        if self.pictures.len() >= PICTURES {
            self.pictures.clear();
        }
        self.pictures.insert(sha, found.clone());
        found
    }

    /// The manifest of a revision, where it is still kept.
    pub fn manifest(&mut self, revision: &RevisionId) -> Option<Arc<Manifest>> {
        if let Some(known) = self.manifests.get(revision) {
            return known.clone();
        }
        let data = self.desk.shared.data.path();
        let found = sealed_manifest_of(data, revision).ok().flatten().map(Arc::new);
        self.manifests.insert(*revision, found.clone());
        found
    }

    fn eye(&mut self, side: &Side) -> Result<Eye, String> {
        if let Some(executor) = serving(&self.desk.plan, side) {
            // The session for the background is beyond those of the live threads.
            let lane = self.desk.shared.bring_up.lanes.live;
            return Ok(Eye { executor, lane });
        }
        if let Some((_, eye)) = self.eyes.iter().find(|(revision, _)| *revision == side.revision) {
            return Ok(eye.clone());
        }
        if self.eyes.len() >= LOADED {
            self.eyes.remove(0);
        }
        let eye = self.load(side)?;
        self.eyes.push((side.revision, eye.clone()));
        Ok(eye)
    }

    /// Loads a revision that does not serve any more from its sealed copy, each byte of which is held against its name.
    fn load(&self, side: &Side) -> Result<Eye, String> {
        let bring_up = &self.desk.shared.bring_up;
        let sealed = open_sealed(&bring_up.data, &side.revision).map_err(|error| match error {
            OpenSealedError::Missing(_) => gone(side),
            OpenSealedError::Damaged { .. } | OpenSealedError::Passing { .. } => error.to_string(),
        })?;
        let files = std::fs::read_dir(&sealed.directory)
            .map(|entries| {
                let sizes = entries.filter_map(|entry| Some(entry.ok()?.metadata().ok()?.len()));
                sizes.sum::<u64>()
            })
            .unwrap_or_default();
        let need = Need {
            sessions: 1,
            session_bytes: files.saturating_mul(SESSION.0).saturating_add(SESSION.1),
            known_bytes: 0,
        };
        let who = format!("{} {} for a replay", side.model, side.version);
        let place = bring_up
            .memory
            .reserve(who, need)
            .map_err(|shortage| format!("version {} cannot be loaded again now: {shortage}", side.version))?;
        let spec = spec_of(side.model.clone(), &sealed);
        let executor = Executor::load(&bring_up.runtime, spec, 1, &bring_up.reaper)
            .map_err(|error| format!("version {} cannot be loaded again: {error}", side.version))?;
        Ok(Eye {
            executor: Arc::new(executor.in_place(place)),
            lane: 0,
        })
    }
}

/// A revision that is loaded.
fn serving(plan: &ServingPlan, side: &Side) -> Option<Arc<Executor>> {
    let model = plan.models.get(&side.model)?;
    let held = [&model.live, &model.shadow].into_iter().flatten();
    let mut loaded = held.chain(model.versions.values());
    let found = loaded.find(|served| served.revision == side.revision)?;
    Some(Arc::clone(&found.executor))
}

fn gone(side: &Side) -> String {
    format!(
        "revision {} ({} version {}) is not kept on this server any more (models.keep_revisions), or never was here; add it to the repository again to replay it",
        side.revision.0.short(),
        side.model,
        side.version
    )
}
