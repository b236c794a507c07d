//! Statistics: what counts say, with how sure one can be of it. Pure.
//!
//! `beta` computes the incomplete beta function, from which the exact intervals of `proportion` follow; `histogram` counts scores so that what
//! lies at or above any threshold of a fixed grid is known exactly.
//!
//! Refuses to know: clocks, files, policies, what is counted.

mod beta;
mod histogram;
mod proportion;

pub use beta::{beta_quantile, regularized_beta};
pub use histogram::{Above, Histogram, STEPS, step_of, threshold_at};
pub use proportion::{CONFIDENCE, Proportion, Tally, clopper_pearson, draws_without_hit};
