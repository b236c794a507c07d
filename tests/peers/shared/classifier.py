"""What every peer does with a picture: encoded JPEG to logits, as the guides of these servers show it, or by the fastest way that Python has.

The steps are Vigie's: decode, Pillow's bilinear resize to 224 x 224, ImageNet's mean and deviation, ONNX Runtime on one thread. One picture is run
at a time: on one core a batch costs more a picture than a picture alone, with eight of this model by a third, as its activations no longer fit the
caches.
"""

import io
import os

import numpy as np
import onnxruntime
import simplejpeg
from PIL import Image

SIDE = 224
DECODE = os.environ.get("PEERS_DECODE", "guide")
"""`guide`: by Pillow, as their guides do; `half` and `whole`: by simplejpeg, at half the size where that leaves 400 pixels, or at full size."""

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], dtype=np.float32)
GAIN = 1 / (255 * DEVIATION)
OFFSET = -MEAN / DEVIATION


def decode(jpeg: bytes) -> Image.Image:
    """The picture as RGB."""
    if DECODE == "guide":
        return Image.open(io.BytesIO(jpeg)).convert("RGB")
    least = 400 if DECODE == "half" else 10_000
    return Image.fromarray(simplejpeg.decode_jpeg(jpeg, "RGB", min_height=least, min_width=least))


class Classifier:
    """The model named by `PEERS_MODEL`, with buffers of its own: for one caller at a time."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["PEERS_MODEL"], options, providers=["CPUExecutionProvider"])
        self._pixels = np.empty((1, 3, SIDE, SIDE), dtype=np.float32)

    def logits(self, jpeg: bytes) -> np.ndarray:
        """FP32 [labels] of one picture."""
        resized = decode(jpeg).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        for channel, plane in enumerate(resized.split()):
            into = self._pixels[0, channel]
            np.multiply(np.asarray(plane), GAIN[channel], out=into, dtype=np.float32)
            into += OFFSET[channel]
        return self._session.run(["logits"], {"pixels": self._pixels})[0][0]
