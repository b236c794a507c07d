"""`python -m training`: draws the pictures, trains both versions of `adsafety`, calibrates and measures them, writes `1/` and `2/`."""

import argparse
import datetime
import time
from pathlib import Path

import torch

from .card import update_card
from .dataset import GOLDEN_SEED, TRAINING_SEED, Split, load_split
from .draw.scene import LABELS
from .evaluate import Calibration, calibrate, macro_f1, measure
from .export import Version, export_onnx, open_session, score, write_version
from .golden import choose_golden
from .network import Network
from .preprocess import Preprocessing
from .recipes import MODEL, RECIPES, Cycle, Recipe, load_unseen
from .train import logits_of, seed_everything, train_network


def make(recipe: Recipe, cache: Path, into: Path, share: float) -> None:
    """Trains one version and writes it; `share` below 1 takes that part of the pictures and epochs, for a trial run."""
    began = time.monotonic()
    cycles = [Cycle(max(200, int(c.pictures * share)), max(1, int(c.epochs * share)), c.rate) for c in recipe.cycles]
    count = max(cycle.pictures for cycle in cycles)
    (training,) = load_split(f"training-{recipe.number}", TRAINING_SEED + 1_000_000 * recipe.number, count, recipe.care, (recipe.spec,), cache)
    validation, test = load_unseen(recipe.spec, cache, share)
    seed_everything(recipe.number)
    network: torch.nn.Module = Network(len(LABELS), recipe.widths, recipe.depth)
    for index, cycle in enumerate(cycles):
        part = Split(training.pictures[: cycle.pictures], training.truths[: cycle.pictures])
        network = train_network(network, part, recipe.spec, cycle.epochs, recipe.number + 1000 * index, cycle.rate)
    calibration = calibrate(logits_of(network, validation.pictures, recipe.spec), validation.truths)
    probabilities = calibration.probabilities(logits_of(network, test.pictures, recipe.spec))
    measures = {label: measure(probabilities[:, k], test.truths[:, k]) for k, label in enumerate(LABELS)}
    for label, m in measures.items():
        print(f"{label:26} precision {m.precision:.3f}  recall {m.recall:.3f}  F1 {m.f1:.3f}  calibration error {m.calibration_error:.4f}  positives {m.positives}")
    print(f"version {recipe.number}: macro F1 {macro_f1(list(measures.values())):.3f}")
    version = Version(LABELS, recipe.spec, calibration, measures, _golden(network, recipe.spec, calibration, cache), _provenance(recipe, cycles))
    directory = write_version(network, version, into / str(recipe.number))
    size = (directory / "model.onnx").stat().st_size
    print(f"wrote {directory}: model of {size / 1e6:.2f} MB, {time.monotonic() - began:.0f} s")


def _golden(network: torch.nn.Module, spec: Preprocessing, calibration: Calibration, cache: Path) -> dict[str, bytes]:
    trial = cache / "trial.onnx"
    export_onnx(network, spec, trial)
    session = open_session(trial)
    bare = Version(LABELS, spec, calibration, {}, {})
    return choose_golden(GOLDEN_SEED, lambda data: score(session, bare, data))


def _provenance(recipe: Recipe, cycles: list[Cycle]) -> dict[str, str | int]:
    return {
        "data": f"{max(c.pictures for c in cycles)} drawn pictures ({recipe.care.value} scenes); no photographs",
        "code": "models/adsafety/training",
        "network": f"residual, widths {list(recipe.widths)}, depth {recipe.depth}",
        "seed": recipe.number,
        "epochs": sum(c.epochs for c in cycles),
        "trained_at": datetime.date.today().isoformat(),
        "torch": torch.__version__,
        "use": "demonstration only",
    }


def main() -> None:
    """Parses the command line and makes the versions asked for."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--version", type=int, choices=sorted(RECIPES), action="append", help="only this version (may be repeated)")
    parser.add_argument("--into", type=Path, default=MODEL, help="model directory to write the versions to")
    parser.add_argument("--cache", type=Path, default=MODEL.parent.parent / "target" / "drawn", help="where drawn pictures are kept between runs")
    parser.add_argument("--share", type=float, default=1.0, help="part of the pictures and epochs to use, for a trial run")
    options = parser.parse_args()
    for number in options.version or sorted(RECIPES):
        make(RECIPES[number], options.cache, options.into, options.share)
    if options.into == MODEL:
        update_card(MODEL)


if __name__ == "__main__":
    main()
