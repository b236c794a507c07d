//! The observing plane: fed by the tap and by what is on record, never seen by the request path. It runs the shadow, puts decisions on record,
//! takes over those of other systems, erases partners, and keeps the ledger true.

mod erasing;
mod flips;
mod follower;
mod importer;
mod on_record;
mod recorder;
mod rematcher;
mod shadow;

pub use erasing::{Erasing, Erasure};
pub use flips::{Flip, FlipSide, ShadowSummary};
pub use follower::{Filled, Follower};
pub use importer::Importer;
pub use on_record::OnRecord;
pub use recorder::Recorder;
pub use rematcher::Rematcher;
pub use shadow::{Observe, ShadowRunner};
