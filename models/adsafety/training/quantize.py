"""`python -m training.quantize`: makes an int8 version of a version, and says what it costs and what it gains.

Static quantisation: how far each layer's values reach is measured once, on calibration pictures. Measuring it as pictures come (dynamic quantisation) is not
offered: it is measured over a whole batch, and a picture's scores would depend on its company. Activations are unsigned: with signed ones ONNX Runtime leaves
half of the convolutions in floating point on x86, and little is gained. Weights are signed and use 7 of their 8 bits: processors without VNNI add two products
in 16 bits, which full weights overflow, and scores would differ from machine to machine. The first convolution and the last, the head, stay in floating point:
that costs no time and about halves the decisions that change at 0.5.

Without `--pictures` everything is drawn. A folder of one's own, laid out as for `training.finetune` or pictures alone, is parted as there: the training part
measures the reach; the rest calibrates and measures if it is labelled, and otherwise only compares.
"""

import argparse
import datetime
import hashlib
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from tqdm import tqdm

from .agreement import compare
from .dataset import Split, load_split
from .draw.scene import LABELS, Care
from .evaluate import Measure, calibrate, macro_f1, measure
from .export import INPUT, OUTPUT, Version, VersionError, open_session, read_version, without_its_making, write_version
from .finetune import load
from .folder import FolderError, read_folder, read_unlabelled, split
from .preprocess import Preprocessing, decode, fit
from .recipes import MODEL, load_unseen
from .train import to_tensor

REACH_SEED = 70_000_000
REACH_PICTURES = 500
KEPT_FLOAT = ["1", "-1"]
TOLERANCE = 0.01
TIMED_RUNS = 300
BATCH = 50


@dataclass(frozen=True)
class Material:
    """Pictures to quantise and judge a version with: those that measure the reach, and two parts unseen in training. Without labels, truths have no columns."""

    name: str
    reach: np.ndarray
    validation: Split
    test: Split

    @property
    def labelled(self) -> bool:
        """Whether the truths are known."""
        return self.test.truths.shape[1] > 0


def drawn(version: Version, cache: Path) -> Material:
    """Drawn pictures of an own seed, and the validation and test pictures of the training."""
    if version.labels != LABELS:
        raise VersionError(f"nothing can be drawn for the labels {', '.join(version.labels)}: give --pictures with a folder of pictures like those to be judged")
    (reach,) = load_split("quantisation", REACH_SEED, REACH_PICTURES, Care.FULL, (version.preprocessing,), cache)
    return Material("drawn pictures", reach.pictures, *load_unseen(version.preprocessing, cache))


def own(folder: Path, version: Version) -> Material:
    """One's own pictures, labelled or not."""
    if (folder / "labels.csv").exists() or (folder.is_dir() and any(child.is_dir() for child in folder.iterdir())):
        found = read_folder(folder)
        if sorted(found.labels) != sorted(version.labels):
            raise FolderError(f"{folder} labels {', '.join(found.labels)}, the version {', '.join(version.labels)}: name the same, or give a folder of pictures alone")
        order = [found.labels.index(label) for label in version.labels]
        found = replace(found, labels=version.labels, truths=found.truths[:, order])
    else:
        found = read_unlabelled(folder)
    reach, validation, test = (load(part, version.preprocessing, name) for part, name in zip(split(found), ("calibration", "validation", "test")))
    return Material("pictures of one's own", reach.pictures, validation, test)


class Reader(CalibrationDataReader):
    """Hands calibration pictures to ONNX Runtime, a batch at a time."""

    def __init__(self, pictures: np.ndarray, spec: Preprocessing):
        self._inputs = ({INPUT: to_tensor(batch, spec).numpy()} for batch in _batches(pictures, "measure the reach"))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None after the last."""
        return next(self._inputs, None)


def _batches(pictures: np.ndarray, what: str) -> tqdm:
    return tqdm(np.array_split(pictures, -(-len(pictures) // BATCH)), desc=what, unit="batch", mininterval=2)


def quantise_model(model: Path, into: Path, pictures: np.ndarray, spec: Preprocessing, kept: list[str]) -> None:
    """The ONNX file in 8 bits but for the nodes kept; each channel's weights have a scale of their own."""
    quant_pre_process(model, into, skip_optimization=True, skip_symbolic_shape=True)
    quantize_static(
        into, into, Reader(pictures, spec), QuantFormat.QDQ, per_channel=True, reduce_range=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=kept,
    )
    without_its_making(into)


def convolutions(model: Path, wanted: list[str]) -> list[str]:
    """The names of the convolutions meant: each by its name, or by its place, 1 for the first and -1 for the last."""
    names = [node.name for node in onnx.load(model).graph.node if node.op_type == "Conv"]
    places = {str(place): name for name, first, last in zip(names, range(1, len(names) + 1), range(-len(names), 0)) for place in (first, last)}
    for one in wanted:
        if one not in names and one not in places:
            raise VersionError(f"--keep-float {one} is no convolution: count 1 to {len(names)} from the first or -1 to -{len(names)} from the last, or name one of {', '.join(names)}")
    return [places.get(one, one) for one in wanted]


def quantise(directory: Path, into: Path, material: Material, keep_float: list[str]) -> Path:
    """Quantises the version in `directory`, prints how the new one compares with it, writes it to `into`, and returns that."""
    original, policy = read_version(directory), _policy(directory)
    kept = convolutions(directory / "model.onnx", keep_float)
    with tempfile.TemporaryDirectory() as aside:
        model = Path(aside) / "model.onnx"
        quantise_model(directory / "model.onnx", model, material.reach, original.preprocessing, kept)
        before, after = open_session(directory / "model.onnx"), open_session(model)
        version = replace(original, precision="int8", tolerance=TOLERANCE, measures={}, provenance=_provenance(original, directory, material, kept))
        if material.labelled:
            version = replace(version, calibration=calibrate(_logits(after, material.validation, version, "calibrate"), material.validation.truths))
        old, new = (v.calibration.probabilities(_logits(s, material.test, v, f"judge in {v.precision}")) for s, v in ((before, original), (after, version)))
        if material.labelled:
            version = replace(version, measures=_measures(version.labels, new, material.test.truths))
            _print_measures(_measures(version.labels, old, material.test.truths), version.measures)
        for agreement in compare(old, new, version.labels, policy):
            print(agreement.text())
        print(f"model of {(directory / 'model.onnx').stat().st_size / 1e6:.2f} MB → {model.stat().st_size / 1e6:.2f} MB")
        slow, quick = _milliseconds(before, after, to_tensor(material.test.pictures[:1], version.preprocessing).numpy())
        print(f"one picture on one thread {slow:.2f} ms → {quick:.2f} ms, {slow / quick:.2f} times as quick")
        return write_version(model, replace(version, golden=_steady(after, version)), into)


def _policy(directory: Path) -> dict | None:
    """The policy beside the version, where there is one."""
    policy = directory.resolve().parent / "policy.toml"
    try:
        return tomllib.loads(policy.read_text(encoding="utf-8")) if policy.exists() else None
    except (OSError, ValueError) as error:
        raise VersionError(f"{policy} cannot be read: {error}; mend it, or move it away to compare at 0.5 only") from error


def _provenance(original: Version, directory: Path, material: Material, kept: list[str]) -> dict[str, str | int]:
    place = directory.resolve()
    return original.provenance | {
        "quantised_from": f"{place.parent.name}/{place.name}, model.onnx {hashlib.sha256((place / 'model.onnx').read_bytes()).hexdigest()}",
        "quantised_with": f"{len(material.reach)} {material.name}",
        "kept_in_float": ", ".join(kept) or "nothing",
        "quantised_at": datetime.date.today().isoformat(),
        "onnxruntime": onnxruntime.__version__,
    }


def _logits(session: onnxruntime.InferenceSession, part: Split, version: Version, what: str) -> np.ndarray:
    return np.concatenate([session.run([OUTPUT], {INPUT: to_tensor(batch, version.preprocessing).numpy()})[0] for batch in _batches(part.pictures, what)])


def _measures(labels: tuple[str, ...], probabilities: np.ndarray, truths: np.ndarray) -> dict[str, Measure]:
    return {label: measure(probabilities[:, k], truths[:, k]) for k, label in enumerate(labels)}


def _print_measures(old: dict[str, Measure], new: dict[str, Measure]) -> None:
    for label, m in new.items():
        o = old[label]
        print(
            f"{label:26} precision {o.precision:.3f} → {m.precision:.3f}  recall {o.recall:.3f} → {m.recall:.3f}  F1 {o.f1:.3f} → {m.f1:.3f}  "
            f"calibration error {o.calibration_error:.4f} → {m.calibration_error:.4f}  positives {m.positives}"
        )
    print(f"macro F1 {macro_f1(list(old.values())):.4f} → {macro_f1(list(new.values())):.4f}")


def _milliseconds(one: onnxruntime.InferenceSession, other: onnxruntime.InferenceSession, tensor: np.ndarray) -> tuple[float, float]:
    """The median time of a run of each, in turns, so that what disturbs one disturbs the other."""
    times = np.zeros((TIMED_RUNS, 2))
    for row in times:
        for side, session in enumerate((one, other)):
            began = time.perf_counter()
            session.run([OUTPUT], {INPUT: tensor})
            row[side] = time.perf_counter() - began
    medians = np.median(times[TIMED_RUNS // 10 :], axis=0) * 1000
    return float(medians[0]), float(medians[1])


def _steady(session: onnxruntime.InferenceSession, version: Version) -> dict[str, bytes]:
    """The golden pictures whose scores hold when a few pixels are off by one, as from another decoder. In 8 bits a hair's breadth can move a value by a whole step."""
    source = np.random.default_rng(0)
    steady = {}
    for name, data in version.golden.items():
        pixels = np.asarray(fit(decode(data, version.preprocessing), version.preprocessing)).astype(int)
        moves = source.integers(-1, 2, (16, *pixels.shape)) * (source.random((16, *pixels.shape)) < 0.05)
        moves[0] = 0
        logits = session.run([OUTPUT], {INPUT: to_tensor(np.clip(pixels + moves, 0, 255).astype(np.uint8), version.preprocessing).numpy()})[0]
        probabilities = version.calibration.probabilities(logits)
        if np.abs(probabilities - probabilities[0]).max() <= TOLERANCE / 2:
            steady[name] = data
        else:
            print(f"left out golden picture {name}: its scores are not steady in 8 bits")
    if not steady:
        raise VersionError("no golden picture has steady scores in 8 bits: keep more of the first convolutions in floating point, such as --keep-float 1 2 3 4 -1")
    return steady


def main() -> int:
    """Parses the command line; 1 with a sentence when the version or the folder is not usable."""
    parser = argparse.ArgumentParser(prog="python -m training.quantize", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("version", type=Path, help="version directory to quantise, such as models/adsafety/2; it stays as it is")
    parser.add_argument("into", type=Path, help="version directory to write, such as models/adsafety/3")
    parser.add_argument("--pictures", type=Path, help="folder of one's own pictures, labelled or not, at least 20; default: drawn pictures")
    parser.add_argument("--keep-float", nargs="*", default=KEPT_FLOAT, metavar="NAME_OR_N", help="the convolutions to leave as they are, each by name or place: 1 the first, -1 the last; none given: quantise all; default: 1 -1")
    parser.add_argument("--cache", type=Path, default=MODEL.parent.parent / "target" / "drawn", help="where drawn pictures are kept between runs")
    options = parser.parse_args()
    try:
        version = read_version(options.version)
        if version.precision == "int8":
            raise VersionError(f"{options.version} is int8 already: give the version that it was made from")
        if options.into.resolve() == options.version.resolve():
            raise VersionError(f"{options.into} is the version to quantise: give another directory to write, such as one with the next number")
        material = own(options.pictures, version) if options.pictures else drawn(version, options.cache)
        directory = quantise(options.version, options.into, material, options.keep_float)
    except (FolderError, VersionError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"wrote {directory}: check it with `vigie check {directory.parent.parent}`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
