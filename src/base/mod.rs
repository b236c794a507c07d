//! The words of the house: identities, labels, scores, verdicts, decisions, deadlines, refusals.
//!
//! Every room may use them, and they use nothing of the house: no I/O, no clock, no protocol.

mod asker;
mod correction;
mod deadline;
mod decision;
mod ids;
mod import;
mod known;
mod moment;
mod principal;
mod product;
mod record;
mod refusal;
mod score;
mod verdict;
mod wish;

pub use asker::{Asker, Caller};
pub use correction::{Correction, CorrectionKind, CorrectionScope, NewCorrection, Revocation, SeenThen};
pub use deadline::Deadline;
pub use decision::{Arm, Decision};
pub use ids::{CountryCode, Digest, IdError, ModelName, PolicyVersion, RevisionId, Version, now_v7_id};
pub use import::ImportedProduct;
pub use known::{ImportedVerdict, KnownProduct, Look, RevisionLook};
pub use moment::Moment;
pub use principal::Principal;
pub use product::{
    Classification, Money, Picture, Priority, Product, ProductKey, Target, Telling, TextsMark, VerdictsAsk,
};
pub use record::{Origin, Recorded};
pub use refusal::{Refusal, RefusalKind};
pub use score::{Label, LabelScore, Probability};
pub use verdict::{CountryVerdict, ProductVerdicts, Reason, Source, Verdict};
pub use wish::{Aim, Wish};
