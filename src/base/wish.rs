//! What whoever owns a model wants of its speed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a model's setting is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Aim {
    /// As many pictures a second as the cores allow.
    #[default]
    Throughput,
    /// The same, as long as no run takes longer than this.
    Latency(Duration),
}

/// An aim, and what is pinned whatever was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wish {
    pub aim: Aim,
    /// Pictures that are run together at most.
    pub batch: Option<usize>,
    /// Threads that a run is spread over.
    pub threads: Option<usize>,
}
