//! The closed sets that metrics are broken down by.
//!
//! Every label is an enum, a model, a version, a country or a label of a model: nothing that a caller can make up, so that the number of
//! series is bounded by what is served.

use std::fmt::{self, Write};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use super::of_versions::OfVersion;
use crate::base::{CountryCode, Label, ModelName, RefusalKind, Verdict, Version};

macro_rules! closed_set {
    ($(#[doc = $doc:literal])+ $type:ident { $( $(#[doc = $variant_doc:literal])+ $variant:ident = $text:literal ),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $type { $( $(#[doc = $variant_doc])+ $variant ),+ }

        impl $type {
            /// Every member, in order.
            pub const ALL: &'static [Self] = &[$( Self::$variant ),+];

            /// The name in metrics, logs and traces.
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $text ),+ }
            }
        }

        impl EncodeLabelValue for $type {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                encoder.write_str(self.as_str())
            }
        }
    };
}

closed_set! {
    /// A stage of a request.
    Stage {
        /// Waiting for a permit.
        Admit = "admit",
        /// The SHA-256 of an encoded picture.
        Hash = "hash",
        /// Waiting for a computing thread.
        Queue = "queue",
        /// Encoded picture to pixels.
        Decode = "decode",
        /// Pixels to a tensor.
        Prepare = "prepare",
        /// Tensor to scores.
        Infer = "infer",
        /// Scores to verdicts.
        Judge = "judge",
    }
}

closed_set! {
    /// Why a request was refused.
    RefusalReason {
        /// The caller's input is wrong.
        InvalidArgument = "invalid_argument",
        /// A token is missing or wrong.
        Unauthenticated = "unauthenticated",
        /// Not this account's to do.
        Denied = "denied",
        /// The named thing does not exist.
        NotFound = "not_found",
        /// It exists, but cannot serve now.
        Unavailable = "unavailable",
        /// It is not as the caller expected.
        Aborted = "aborted",
        /// Too much work was waiting.
        Overloaded = "overloaded",
        /// The deadline passed or could not be met.
        DeadlineExceeded = "deadline_exceeded",
        /// The caller left.
        Cancelled = "cancelled",
        /// The operation is switched off or not offered.
        Unsupported = "unsupported",
        /// The model could not run on the input.
        Failed = "failed",
        /// A mistake of the server.
        Internal = "internal",
    }
}

impl From<&RefusalKind> for RefusalReason {
    fn from(kind: &RefusalKind) -> Self {
        match kind {
            RefusalKind::InvalidArgument { .. } => Self::InvalidArgument,
            RefusalKind::Unauthenticated => Self::Unauthenticated,
            RefusalKind::Denied => Self::Denied,
            RefusalKind::NotFound => Self::NotFound,
            RefusalKind::Unavailable => Self::Unavailable,
            RefusalKind::Aborted => Self::Aborted,
            RefusalKind::Overloaded { .. } => Self::Overloaded,
            RefusalKind::DeadlineExceeded { .. } => Self::DeadlineExceeded,
            RefusalKind::Cancelled => Self::Cancelled,
            RefusalKind::Unsupported => Self::Unsupported,
            RefusalKind::Failed => Self::Failed,
            RefusalKind::Internal => Self::Internal,
        }
    }
}

closed_set! {
    /// How the coming of a revision ended.
    SwapResult {
        /// It serves.
        Published = "published",
        /// Its content is at fault; it is not tried again until its bytes change.
        Rejected = "rejected",
        /// A passing trouble; it is tried again.
        Waiting = "waiting",
        /// It went away or was replaced before it could serve.
        Abandoned = "abandoned",
    }
}

closed_set! {
    /// How the coming of a policy ended.
    PolicySwapResult {
        /// It judges.
        Published = "published",
        /// It has mistakes; the policy before it judges on.
        Rejected = "rejected",
    }
}

closed_set! {
    /// How a look at the repository ended.
    ScanResult {
        /// Nothing new.
        Unchanged = "unchanged",
        /// Something is to be done.
        Changed = "changed",
        /// The folder could not be read.
        Failed = "failed",
    }
}

closed_set! {
    /// What came of one offer to the shadow.
    ShadowOutcome {
        /// All verdicts agreed.
        Agreed = "agreed",
        /// At least one country's verdict differed.
        Differed = "differed",
        /// No place was left in the queue.
        Shed = "shed",
        /// The candidate could not judge.
        Failed = "failed",
    }
}

closed_set! {
    /// Which way a verdict flips from the live revision to the candidate.
    Direction {
        /// Not blocked by the live revision, blocked by the candidate.
        NewlyBlocked = "newly_blocked",
        /// Not allowed by the live revision, allowed by the candidate.
        NewlyAllowed = "newly_allowed",
        /// To or from review otherwise.
        Other = "other",
    }
}

impl Direction {
    /// The direction between two verdicts; none where they agree.
    pub fn between(live: Verdict, candidate: Verdict) -> Option<Self> {
        match (live, candidate) {
            (Verdict::Allow, Verdict::Allow)
            | (Verdict::Block, Verdict::Block)
            | (Verdict::Review, Verdict::Review) => None,
            (Verdict::Allow | Verdict::Review, Verdict::Block) => Some(Self::NewlyBlocked),
            (Verdict::Block | Verdict::Review, Verdict::Allow) => Some(Self::NewlyAllowed),
            (Verdict::Allow | Verdict::Block, Verdict::Review) => Some(Self::Other),
        }
    }
}

impl EncodeLabelValue for ModelName {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}

impl EncodeLabelValue for Version {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{self}")
    }
}

impl EncodeLabelValue for Label {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}

impl EncodeLabelValue for CountryCode {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}

impl EncodeLabelValue for Verdict {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(self.as_str())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub service: &'static str,
    pub method: &'static str,
    pub code: &'static str,
    pub model: Option<ModelName>,
    pub version: Option<Version>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StageLabels {
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RefusalLabels {
    pub reason: RefusalReason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VerdictLabels {
    pub model: ModelName,
    pub version: Version,
    pub verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PictureLabels {
    pub model: ModelName,
    pub version: Version,
    pub known: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelLabels {
    pub model: ModelName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct VersionLabels {
    pub model: ModelName,
    pub version: Version,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SettingLabels {
    pub model: ModelName,
    pub version: Version,
    pub what: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RunLabels {
    pub model: ModelName,
    pub version: Version,
    pub threads: u64,
    pub batch: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub model: ModelName,
    pub state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct SwapLabels {
    pub model: ModelName,
    pub result: SwapResult,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct PolicySwapLabels {
    pub model: ModelName,
    pub result: PolicySwapResult,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ScanLabels {
    pub result: ScanResult,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ShadowLabels {
    pub model: ModelName,
    pub candidate: Version,
    pub outcome: ShadowOutcome,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct FlipLabels {
    pub model: ModelName,
    pub candidate: Version,
    pub direction: Direction,
    pub label: Option<Label>,
    pub country: CountryCode,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ExportLabels {
    pub result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct BuildLabels {
    pub version: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct RuntimeLabels {
    pub onnxruntime: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TraceLabels {
    pub trace_id: String,
}

/// Labels in which a version always stands, under this field.
macro_rules! of_version {
    ($($labels:ident by $version:ident),+) => { $(
        impl OfVersion for $labels {
            fn version(&self) -> Option<(ModelName, Version)> {
                Some((self.model.clone(), self.$version))
            }
        }
    )+ };
}
of_version!(
    VerdictLabels by version,
    PictureLabels by version,
    VersionLabels by version,
    ShadowLabels by candidate,
    FlipLabels by candidate
);

impl OfVersion for RequestLabels {
    fn version(&self) -> Option<(ModelName, Version)> {
        Some((self.model.clone()?, self.version?))
    }
}
