//! The observing plane: fed by the tap and by what is on record, never seen by the request path. It runs the shadow, puts decisions on record,
//! and keeps the ledger true.

mod flips;
mod follower;
mod on_record;
mod recorder;
mod rematcher;
mod shadow;

pub use flips::{Flip, FlipSide, ShadowSummary};
pub use follower::{Filled, Follower};
pub use on_record::OnRecord;
pub use recorder::Recorder;
pub use rematcher::Rematcher;
pub use shadow::{Observe, ShadowRunner};
