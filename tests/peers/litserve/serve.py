"""LitServe: the JPEG is the body of a POST to /predict, the logits come as JSON.

One worker beside the API server, which shares the process that looks after both. Batching stays off: with it LitServe looks at its queue every
millisecond, or without pause, also while nobody asks.
"""

import os
from typing import Annotated

import litserve
import numpy as np
from classifier import Classifier
from fastapi import Body


class AdSafety(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self._classifier = Classifier()

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/jpeg")]) -> bytes:
        return request

    def predict(self, jpeg: bytes) -> np.ndarray:
        return self._classifier.logits(jpeg)

    def encode_response(self, logits: np.ndarray) -> dict[str, list[float]]:
        return {"logits": logits.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(AdSafety(), accelerator="cpu", devices=1, workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PEERS_PORT"]),
        num_api_servers=1,
        api_server_worker_type="thread",
        generate_client_file=False,
        log_level="warning",
    )
