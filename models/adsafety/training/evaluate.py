"""Calibration of logits and the measures written into a manifest. Pure arithmetic on arrays."""

from dataclasses import dataclass

import numpy as np

BINS = 15
THRESHOLD = 0.5


@dataclass(frozen=True)
class Measure:
    """Of one label, at one threshold, on one test set."""

    threshold: float
    precision: float
    recall: float
    calibration_error: float
    positives: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.precision * self.recall / max(1e-12, self.precision + self.recall)


@dataclass(frozen=True)
class Calibration:
    """Platt scaling, per label: probability = sigmoid(scale * logit + offset)."""

    scale: np.ndarray
    offset: np.ndarray

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Of logits [count, labels], computed in double precision."""
        return sigmoid(logits.astype(np.float64) * self.scale + self.offset)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The logistic function, without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def calibrate(logits: np.ndarray, truths: np.ndarray) -> Calibration:
    """Fits scale and offset per label by Newton's method on the log loss, with Platt's softened targets, over the truths that are known."""
    pairs = []
    for k in range(truths.shape[1]):
        known = ~np.isnan(truths[:, k])
        pairs.append(_platt(logits[known, k].astype(np.float64), truths[known, k]) if known.any() else (1.0, 0.0))
    return Calibration(np.round([a for a, _ in pairs], 5), np.round([b for _, b in pairs], 5))


def _platt(logit: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    positives, negatives = float(truth.sum()), float((1 - truth).sum())
    target = np.where(truth > 0.5, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    weights = np.array([1.0, 0.0])
    design = np.stack([logit, np.ones_like(logit)], axis=1)
    for _ in range(60):
        p = sigmoid(design @ weights)
        gradient = design.T @ (p - target) + 1e-6 * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - step / max(1.0, np.abs(step).max())
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def measure(probability: np.ndarray, truth: np.ndarray, threshold: float = THRESHOLD) -> Measure:
    """Precision and recall at the threshold and the expected calibration error of one label, over the truths that are known."""
    known = ~np.isnan(truth)
    probability, truth = probability[known], truth[known]
    said, true = probability >= threshold, truth > 0.5
    hits = int((said & true).sum())
    return Measure(
        threshold=threshold,
        precision=round(hits / max(1, int(said.sum())), 4),
        recall=round(hits / max(1, int(true.sum())), 4),
        calibration_error=round(_calibration_error(probability, true), 4),
        positives=int(true.sum()),
    )


def _calibration_error(probability: np.ndarray, true: np.ndarray) -> float:
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    error = 0.0
    for b in range(BINS):
        inside = bins == b
        if inside.any():
            error += inside.mean() * abs(probability[inside].mean() - true[inside].mean())
    return float(error)


def macro_f1(measures: list[Measure]) -> float:
    """The mean of the labels' F1."""
    return float(np.mean([m.f1 for m in measures]))
