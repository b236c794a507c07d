//! The words of the house: identities, labels, scores, verdicts, decisions, deadlines, refusals.
//!
//! Every room may use them, and they use nothing of the house: no I/O, no clock, no protocol.

mod asker;
mod deadline;
mod decision;
mod ids;
mod product;
mod refusal;
mod score;
mod verdict;
mod wish;

pub use asker::{Asker, Caller};
pub use deadline::Deadline;
pub use decision::{Arm, Decision};
pub use ids::{CountryCode, Digest, IdError, ModelName, PolicyVersion, RevisionId, Version, now_v7_id};
pub use product::{Classification, Money, Picture, Priority, Product, Target};
pub use refusal::{Refusal, RefusalKind};
pub use score::{Label, LabelScore, Probability};
pub use verdict::{CountryVerdict, Reason, Source, Verdict};
pub use wish::{Aim, Wish};
