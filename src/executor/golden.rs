//! Whether a loaded revision gives its golden pictures the scores that its manifest states.
//!
//! It goes the whole way, from the file's bytes through decoding and resizing to probabilities: a model whose weights
//! are right but whose preprocessing is not fails here and never serves.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use super::loaded::{Executor, LoadError, RunError, Trouble};
use super::spec::{GoldenCase, JudgeSpec};
use crate::base::LabelScore;
use crate::preprocess::{self, PictureLimits, Workspace};

/// How well the golden scores were reproduced.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct GoldenReport {
    /// The largest absolute difference of a probability.
    pub worst: f32,
    /// The pictures judged.
    pub cases: usize,
}

impl Executor {
    /// Judges each golden picture and holds the scores against those stated. A tensor model has none, and passes.
    ///
    /// # Errors
    /// [`LoadError::Content`] when a score is off by more than the tolerance, is no number, or a picture cannot be
    /// judged; says which.
    pub fn check_golden(&self, limits: &PictureLimits) -> Result<GoldenReport, LoadError> {
        Ok(self.try_golden(limits)?)
    }

    pub(super) fn try_golden(&self, limits: &PictureLimits) -> Result<GoldenReport, Trouble> {
        let mut report = GoldenReport { worst: 0.0, cases: 0 };
        let Some(judge) = &self.spec().judge else {
            return Ok(report);
        };
        let mut workspace = Workspace::default();
        for case in &judge.golden {
            let scores = self.golden_scores(judge, case, limits, &mut workspace)?;
            report.worst = report.worst.max(compare(case, &scores, judge.tolerance)?);
            report.cases += 1;
        }
        Ok(report)
    }

    fn golden_scores(
        &self,
        judge: &JudgeSpec,
        case: &GoldenCase,
        limits: &PictureLimits,
        workspace: &mut Workspace,
    ) -> Result<Vec<LabelScore>, Trouble> {
        let name = name(case);
        let bytes = fs::read(&case.file).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Trouble::Content(format!("golden picture {name} is missing")),
            _ => Trouble::Passing(format!("read golden picture {name}: {error}")),
        })?;
        let began = Instant::now();
        let picture = preprocess::decode(&bytes, &judge.preprocessing.decode_options(), limits, workspace)
            .map_err(|error| Trouble::Content(format!("golden picture {name}: {error}")))?;
        let tensor = preprocess::to_tensor(&picture, &judge.preprocessing, workspace);
        self.prepared(bytes.len(), began.elapsed());
        let scores = self.try_picture(judge, &tensor);
        workspace.give_back(picture, tensor);
        scores.map_err(|error| match error {
            error @ RunError::Engine(crate::engine::RunError::Memory(_)) => error.into(),
            error => Trouble::Content(format!("golden picture {name}: {error}")),
        })
    }
}

/// The largest difference of a case, or where it is beyond the tolerance.
fn compare(case: &GoldenCase, scores: &[LabelScore], tolerance: f32) -> Result<f32, Trouble> {
    let name = name(case);
    if case.scores.len() != scores.len() {
        let (stated, labels) = (case.scores.len(), scores.len());
        return Err(Trouble::Content(format!(
            "golden picture {name} states {stated} scores for {labels} labels"
        )));
    }
    let mut worst = 0.0_f32;
    for (expected, score) in case.scores.iter().zip(scores) {
        let (label, got) = (&score.label, score.probability.get());
        let difference = (expected - got).abs();
        // Written so that a stated score that is no number is beyond every tolerance.
        if difference.is_nan() || difference > tolerance {
            return Err(Trouble::Content(format!(
                "golden picture {name}: {label} is {got:.4}, but version.toml states {expected:.4} (tolerance {tolerance}): \
                 the model or its preprocessing is not what the scores were made with"
            )));
        }
        worst = worst.max(difference);
    }
    Ok(worst)
}

fn name(case: &GoldenCase) -> String {
    let last = case.file.file_name().unwrap_or_default();
    let folder = case.file.parent().and_then(Path::file_name).unwrap_or_default();
    Path::new(folder).join(last).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Probability;

    fn case(scores: &[f32]) -> GoldenCase {
        GoldenCase {
            file: "/data/golden/03.jpg".into(),
            scores: scores.to_vec(),
        }
    }

    fn scores(numbers: &[f32]) -> Vec<LabelScore> {
        let score = |number: &f32| LabelScore {
            label: "toy".parse().unwrap(),
            probability: Probability::new(*number).unwrap(),
        };
        numbers.iter().map(score).collect()
    }

    #[test]
    fn a_difference_beyond_the_tolerance_names_the_picture_and_the_label() {
        let worst = compare(&case(&[0.5, 0.25]), &scores(&[0.5, 0.251]), 0.002).unwrap();
        assert!((worst - 0.001).abs() < 1e-6);
        let Err(Trouble::Content(reason)) = compare(&case(&[0.5]), &scores(&[0.51]), 0.002) else {
            panic!("a golden mismatch passed");
        };
        assert!(reason.starts_with("golden picture golden/03.jpg: toy is 0.5100, but version.toml states 0.5000"));
        assert!(compare(&case(&[f32::NAN]), &scores(&[0.5]), 1.0).is_err());
        assert!(compare(&case(&[0.5, 0.5]), &scores(&[0.5]), 1.0).is_err());
    }
}
