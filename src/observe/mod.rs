//! The observing plane: fed by the tap, never seen by the request path. In its first form it runs the shadow.

mod flips;
mod shadow;

pub use flips::{Flip, FlipSide, ShadowSummary};
pub use shadow::{Observe, ShadowRunner};
