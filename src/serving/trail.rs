//! How long each stage of a request took. The pipeline returns it as a value; the edge reports it.

use std::time::{Duration, Instant};

use crate::telemetry::Stage;

/// The stages that a request went through, in order.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    stages: Vec<(Stage, Duration)>,
    together: Option<usize>,
}

impl Trail {
    /// Notes a stage that began then and ends now.
    pub fn note(&mut self, stage: Stage, began: Instant) {
        self.stages.push((stage, began.elapsed()));
    }

    /// These stages, and then those.
    pub fn followed_by(mut self, later: Self) -> Self {
        self.stages.extend(later.stages);
        self.together = self.together.or(later.together);
        self
    }

    /// Notes that the model ran with so many pictures at once.
    pub(super) fn run_together(&mut self, pictures: usize) {
        self.together = Some(pictures);
    }

    /// How many pictures the model ran with at once, this one among them; none where it did not run.
    pub fn together(&self) -> Option<usize> {
        self.together
    }

    /// The stages and what each took.
    pub fn stages(&self) -> &[(Stage, Duration)] {
        &self.stages
    }
}
