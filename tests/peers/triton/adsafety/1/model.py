"""Triton's Python model: a BYTES tensor with one JPEG in, FP32 logits out."""

import os
import sys

import triton_python_backend_utils as triton

sys.path.append(os.environ["PEERS_SHARED"])
from classifier import Classifier


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        self._classifier = Classifier()

    def execute(self, requests: list) -> list:
        return [self._answer(request) for request in requests]

    def _answer(self, request: "triton.InferenceRequest") -> "triton.InferenceResponse":
        jpeg = triton.get_input_tensor_by_name(request, "picture").as_numpy()[0, 0]
        return triton.InferenceResponse([triton.Tensor("logits", self._classifier.logits(jpeg)[None])])
