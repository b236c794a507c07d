"""The pictures as each protocol carries them, made once before anything is measured, and how its answers are read."""

import importlib
import json
import math
import struct
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from grpc_tools import protoc

PROTOS = ("google/rpc/status", "vigie/v1/decision", "vigie/v1/product", "vigie/v1/ad_safety", "inference/model_config", "inference/grpc_service")


class Questions:
    """Every picture, ready to be sent, and readers of what comes back: one probability a label."""

    def __init__(self, exported: Path, protos: Path):
        stubs = exported / "stubs"
        _compile(protos, stubs)
        self._ad_safety = importlib.import_module("vigie.v1.ad_safety_pb2")
        self._decision = importlib.import_module("vigie.v1.decision_pb2")
        self._inference = importlib.import_module("inference.grpc_service_pb2")
        self._calibrate = _calibration(exported / "models")
        self.pictures = [file.read_bytes() for file in sorted((exported / "pictures").glob("*.jpg"))]
        self.classify = [self._classify(picture) for picture in self.pictures]
        self.infer = [self._infer(picture) for picture in self.pictures]

    def scores(self, answer: bytes) -> list[float]:
        """Of Vigie's decision, which is calibrated already."""
        return [score.probability for score in self._decision.Decision.FromString(answer).scores]

    def raw_logits(self, answer: bytes) -> list[float]:
        """Of an Open Inference answer."""
        (raw,) = self._inference.ModelInferResponse.FromString(answer).raw_output_contents
        return self._calibrate(struct.unpack(f"<{len(raw) // 4}f", raw))

    def json_logits(self, answer: bytes) -> list[float]:
        """Of a JSON list, or of one named logits."""
        logits = json.loads(answer)
        return self._calibrate(logits["logits"] if isinstance(logits, dict) else logits)

    def _classify(self, picture: bytes) -> bytes:
        request = self._ad_safety.ClassifyRequest(countries=["FR"])
        request.product.partner_id, request.product.product_id, request.product.image = "bench", "1", picture
        return request.SerializeToString()

    def _infer(self, picture: bytes) -> bytes:
        request = self._inference.ModelInferRequest(model_name="adsafety", raw_input_contents=[struct.pack("<I", len(picture)) + picture])
        request.inputs.add(name="picture", datatype="BYTES", shape=[1, 1])
        return request.SerializeToString()


def _compile(protos: Path, into: Path) -> None:
    into.mkdir(parents=True, exist_ok=True)
    known = Path(protoc.__file__).parent / "_proto"
    files = [f"{name}.proto" for name in PROTOS]
    if protoc.main(["protoc", f"-I{protos}", f"-I{known}", f"--python_out={into}", *files]) != 0:
        raise RuntimeError(f"the files of {protos} cannot be compiled: see above what protoc says")
    sys.path.insert(0, str(into))


def _calibration(repository: Path) -> Callable[[list[float]], list[float]]:
    """What Vigie makes of logits, by the newest version of the model: the peers' answers are compared after the same."""
    versions = sorted((file for file in repository.glob("adsafety/*/version.toml")), key=lambda file: int(file.parent.name))
    calibration = tomllib.loads(versions[-1].read_text())["calibration"]
    terms = list(zip(calibration["scale"], calibration["offset"], strict=True))
    return lambda logits: [1 / (1 + math.exp(-(scale * logit + offset))) for logit, (scale, offset) in zip(logits, terms, strict=True)]
