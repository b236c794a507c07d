"""Calibration and measures, on numbers known beforehand."""

import numpy as np

from training.evaluate import calibrate, measure, sigmoid
from training.manifest import text_of


def test_calibration_finds_the_scale_and_offset_that_made_the_truths():
    source = np.random.default_rng(1)
    logits = source.normal(0, 3, (40_000, 1)).astype(np.float32)
    truths = (source.random((40_000, 1)) < sigmoid(0.5 * logits - 1)).astype(np.float32)
    found = calibrate(logits, truths)
    assert abs(found.scale[0] - 0.5) < 0.03 and abs(found.offset[0] + 1) < 0.06


def test_calibration_survives_a_label_without_positives():
    found = calibrate(np.zeros((50, 1), np.float32), np.zeros((50, 1), np.float32))
    assert np.isfinite(found.scale).all() and found.probabilities(np.zeros((1, 1)))[0, 0] < 0.1


def test_precision_and_recall_count_what_they_say():
    measured = measure(np.array([0.9, 0.8, 0.2, 0.1]), np.array([1, 0, 1, 0]))
    assert (measured.precision, measured.recall, measured.positives) == (0.5, 0.5, 2)


def test_the_manifest_is_toml_and_keeps_every_value():
    import tomllib

    written = {"format": 1, "labels": ["a"], "files": {"golden/00.jpg": "ab"}, "golden": {"tolerance": 0.002, "cases": [{"file": 'a"b', "scores": [0.5]}]}, "metrics": {"a": {"precision": 1.0}}}
    assert tomllib.loads(text_of(written)) == written
