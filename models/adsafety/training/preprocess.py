"""The reference of a version's preprocessing: picture bytes to the tensor that the model sees, as its `version.toml` says.

Training, export and the golden vectors all go through these functions, so what serves can be compared with what was trained, stage by stage:
`decode` (upright 8-bit RGB without alpha), `fit` (resized, padded or cropped) and `normalise` (FP32, channels first).
"""

import io
import math
from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image, ImageOps

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Preprocessing:
    """The `[preprocessing]` table of a `version.toml`; sizes in pixels, mean and std per channel in the order of `color`."""

    width: int
    height: int
    resize: str = "bilinear"
    fit: str = "contain"
    color: str = "rgb"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)
    orientation: str = "apply"
    background: tuple[int, int, int] = (255, 255, 255)
    jpeg_scaled_decode: bool = False

    def table(self) -> dict:
        """The table as it stands in the manifest."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


def prepare(data: bytes, spec: Preprocessing) -> np.ndarray:
    """Picture bytes to the model's input, FP32 [3, height, width]."""
    return normalise(fit(decode(data, spec), spec), spec)


def decode(data: bytes, spec: Preprocessing) -> Image.Image:
    """Picture bytes to an upright 8-bit RGB picture, transparency laid over the background."""
    with Image.open(io.BytesIO(data)) as opened:
        opened.seek(0)
        opened.load()
        picture = ImageOps.exif_transpose(opened) if spec.orientation == "apply" else opened.copy()
    if picture.mode.startswith("I"):
        high_bytes = (np.asarray(picture).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        picture = Image.fromarray(high_bytes)
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        return _over_background(picture.convert("RGBA"), spec.background)
    return picture.convert("RGB")


def _over_background(picture: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """(colour * alpha + background * (255 - alpha)) / 255, rounded half up, at full size."""
    pixels = np.asarray(picture).astype(np.uint32)
    alpha = pixels[:, :, 3:]
    mixed = pixels[:, :, :3] * alpha + np.array(background, dtype=np.uint32) * (255 - alpha)
    return Image.fromarray(((2 * mixed + 255) // 510).astype(np.uint8))


def _half_up(value: float) -> int:
    return math.floor(value + 0.5)


def fit(picture: Image.Image, spec: Preprocessing) -> Image.Image:
    """An RGB picture brought to the size of the spec."""
    size = (spec.width, spec.height)
    kernel = FILTERS[spec.resize]
    if spec.fit == "stretch":
        return picture.resize(size, kernel)
    ratios = (spec.width / picture.width, spec.height / picture.height)
    if spec.fit == "contain":
        scale = min(ratios)
        width = min(spec.width, max(1, _half_up(picture.width * scale)))
        height = min(spec.height, max(1, _half_up(picture.height * scale)))
        whole = Image.new("RGB", size, spec.background)
        whole.paste(picture.resize((width, height), kernel), ((spec.width - width) // 2, (spec.height - height) // 2))
        return whole
    if spec.fit == "cover":
        scale = max(ratios)
        width = max(spec.width, _half_up(picture.width * scale))
        height = max(spec.height, _half_up(picture.height * scale))
        left, top = (width - spec.width) // 2, (height - spec.height) // 2
        return picture.resize((width, height), kernel).crop((left, top, left + spec.width, top + spec.height))
    raise ValueError(f"fit is {spec.fit!r}: use stretch, cover or contain")


def normalise(picture: Image.Image, spec: Preprocessing) -> np.ndarray:
    """(byte / 255 - mean) / std, channels first, FP32 [3, height, width]."""
    pixels = np.asarray(picture, dtype=np.float32) / np.float32(255)
    if spec.color == "bgr":
        pixels = pixels[:, :, ::-1]
    scaled = (pixels - np.array(spec.mean, dtype=np.float32)) / np.array(spec.std, dtype=np.float32)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
