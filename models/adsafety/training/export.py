"""Writes a version directory: `model.onnx`, `labels`, golden pictures with the scores that this pipeline gives them, and `version.toml`; and reads one again.

The directory is written aside and renamed, so that a server watching the repository never sees half of it.
"""

import shutil
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from .evaluate import Calibration, Measure
from .manifest import hashes_of, text_of
from .preprocess import Preprocessing, prepare

INPUT, OUTPUT = "pixels", "logits"
OPSET = 18
GOLDEN_TOLERANCE = 0.002


@dataclass(frozen=True)
class Version:
    """All that a version directory says of itself. `golden`: file name to picture bytes."""

    labels: tuple[str, ...]
    preprocessing: Preprocessing
    calibration: Calibration
    measures: dict[str, Measure]
    golden: dict[str, bytes]
    provenance: dict[str, str | int] = field(default_factory=dict)
    precision: str = "fp32"
    tolerance: float = GOLDEN_TOLERANCE


class VersionError(Exception):
    """A directory is not a version of this pipeline, or cannot be used as asked; the text says what to change."""


def write_version(model: nn.Module | Path, version: Version, directory: Path) -> Path:
    """Writes the version to `directory`, replacing one that is there, and returns it. `model` is a network to export, or an ONNX file to take as it is."""
    directory.parent.mkdir(parents=True, exist_ok=True)
    aside = directory.parent / f".{directory.name}.writing"
    shutil.rmtree(aside, ignore_errors=True)
    (aside / "golden").mkdir(parents=True)
    if isinstance(model, Path):
        shutil.copyfile(model, aside / "model.onnx")
    else:
        export_onnx(model, version.preprocessing, aside / "model.onnx")
    (aside / "labels").write_text("".join(f"{label}\n" for label in version.labels))
    session = open_session(aside / "model.onnx")
    cases = []
    for name, data in version.golden.items():
        (aside / "golden" / name).write_bytes(data)
        scores = score(session, version, data)
        cases.append({"file": f"golden/{name}", "scores": [round(float(s), 7) for s in scores]})
    assert_batch_invariant(session, [prepare(data, version.preprocessing) for data in version.golden.values()])
    manifest = _manifest(version, cases, hashes_of(aside))
    (aside / "version.toml").write_text(text_of(manifest))
    replaced = directory.parent / f".{directory.name}.replaced"
    shutil.rmtree(replaced, ignore_errors=True)
    if directory.exists():
        directory.rename(replaced)
    aside.rename(directory)
    shutil.rmtree(replaced, ignore_errors=True)
    return directory


def read_version(directory: Path) -> Version:
    """What `write_version` wrote, without its model."""
    try:
        manifest = tomllib.loads((directory / "version.toml").read_text(encoding="utf-8"))
        if (manifest["input"]["name"], manifest["output"]["name"], manifest["output"]["activation"]) != (INPUT, OUTPUT, "sigmoid"):
            raise ValueError(f"its model does not turn {INPUT} into {OUTPUT} for a sigmoid")
        if not (directory / "model.onnx").is_file():
            raise ValueError("its model.onnx is missing")
        return Version(
            labels=tuple(manifest["labels"]),
            preprocessing=Preprocessing(**{key: tuple(value) if isinstance(value, list) else value for key, value in manifest["preprocessing"].items()}),
            calibration=Calibration(np.array(manifest["calibration"]["scale"]), np.array(manifest["calibration"]["offset"])),
            measures={label: Measure(**measured) for label, measured in manifest["metrics"].items()},
            golden={Path(case["file"]).name: (directory / case["file"]).read_bytes() for case in manifest["golden"]["cases"]},
            provenance=manifest["provenance"],
            precision=manifest["runtime"]["precision"],
            tolerance=manifest["golden"]["tolerance"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{error} is missing from its version.toml" if isinstance(error, KeyError) else error
        raise VersionError(f"{directory} is no version of this pipeline: {what}; give a directory that the training or the fine-tuning wrote, such as models/adsafety/2") from error


def export_onnx(network: nn.Module, spec: Preprocessing, path: Path) -> None:
    """The network as one self-contained ONNX file, batch size free."""
    example = torch.zeros(2, 3, spec.height, spec.width)
    torch.onnx.export(
        network.eval(), (example,), str(path), input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET,
        dynamic_shapes=({0: torch.export.Dim("batch")},), dynamo=True, external_data=False, optimize=True, verbose=False,
    )
    without_its_making(path)


def without_its_making(path: Path) -> None:
    """Takes out of a model what the exporter notes of where and how each node was made: stack traces with paths of the machine."""
    model = onnx.load(path)
    for part in [model.graph, *model.graph.node, *model.graph.initializer, *model.graph.value_info]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """ONNX Runtime on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def score(session: onnxruntime.InferenceSession, version: Version, data: bytes) -> np.ndarray:
    """Calibrated probabilities of picture bytes, one a label."""
    logits = session.run([OUTPUT], {INPUT: prepare(data, version.preprocessing)[None]})[0]
    return version.calibration.probabilities(logits)[0]


def assert_batch_invariant(session: onnxruntime.InferenceSession, tensors: list[np.ndarray]) -> None:
    """A picture's logits must be the same bits alone and in a batch."""
    together = session.run([OUTPUT], {INPUT: np.stack(tensors)})[0]
    for row, tensor in zip(together, tensors):
        alone = session.run([OUTPUT], {INPUT: tensor[None]})[0][0]
        if alone.tobytes() != row.tobytes():
            raise ValueError("logits differ between a picture alone and in a batch: replace matrix products by 1x1 convolutions")


def _manifest(version: Version, cases: list[dict], hashes: dict[str, str]) -> dict:
    return {
        "format": 1,
        "labels": list(version.labels),
        "files": hashes,
        "input": {"name": INPUT},
        "output": {"name": OUTPUT, "activation": "sigmoid"},
        "calibration": {"scale": version.calibration.scale.tolist(), "offset": version.calibration.offset.tolist()},
        "preprocessing": version.preprocessing.table(),
        "runtime": {"precision": version.precision, "optimization": "all"},
        "golden": {"source": "training", "tolerance": version.tolerance, "cases": cases},
        "provenance": version.provenance,
        "metrics": {label: asdict(measured) for label, measured in version.measures.items()},
    }
