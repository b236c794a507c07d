//! How long each stage of a request took. The pipeline returns it as a value; the edge reports it.

use std::time::{Duration, Instant};

use crate::telemetry::Stage;

/// The stages that a request went through, in order.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    stages: Vec<(Stage, Duration)>,
}

impl Trail {
    /// Notes a stage that began then and ends now.
    pub fn note(&mut self, stage: Stage, began: Instant) {
        self.stages.push((stage, began.elapsed()));
    }

    /// These stages, and then those.
    pub fn followed_by(mut self, later: Self) -> Self {
        self.stages.extend(later.stages);
        self
    }

    /// The stages and what each took.
    pub fn stages(&self) -> &[(Stage, Duration)] {
        &self.stages
    }
}
