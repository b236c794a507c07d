"""Tiles of roughness: noise, cloth, wood grain, brushed metal. Made once per process from a fixed seed, then cut at random places."""

import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageFilter

SIDE = 1024
KINDS = ("noise", "cloth", "wood", "brushed", "clouds")


@lru_cache(maxsize=None)
def _base(kind: str) -> Image.Image:
    """A grey tile with mean 128."""
    source = np.random.default_rng(KINDS.index(kind))
    if kind == "noise":
        field = source.normal(128, 40, (SIDE, SIDE))
    elif kind == "cloth":
        x = np.arange(SIDE)
        weave = 18 * (np.sin(x * 1.3)[None, :] + np.sin(x * 1.3)[:, None])
        field = 128 + weave + source.normal(0, 18, (SIDE, SIDE))
    elif kind == "clouds":
        field = sum(_soft(source, step) * weight for step, weight in ((8, 60), (32, 30), (128, 20))) + 128
    else:
        field = 128 + _soft(source, (3 if kind == "wood" else 2, 128)) * 70 + _soft(source, (6, SIDE)) * 30
        if kind == "wood":
            field = 128 + 60 * np.sin(field / 9)
    return Image.fromarray(np.clip(field, 0, 255).astype(np.uint8))


def _soft(source: np.random.Generator, cells) -> np.ndarray:
    """Smooth noise in -1..1 with the given number of cells across and down."""
    across, down = cells if isinstance(cells, tuple) else (cells, cells)
    small = Image.fromarray(source.uniform(-1, 1, (down, across)).astype(np.float32))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


@lru_cache(maxsize=128)
def _strengthened(kind: str, level: int) -> Image.Image:
    strength = level / 20
    grey = _base(kind).point([min(255, max(0, int(255 - (255 - i) * strength))) for i in range(256)])
    return grey.convert("RGB")


def texture_tile(kind: str, size: tuple[int, int], strength: float, chance: random.Random) -> Image.Image:
    """An RGB tile to multiply with: white where it leaves things as they are; `strength` 0..1."""
    tile = _strengthened(kind, max(1, min(20, round(strength * 20))))
    width, height = size
    if width > SIDE or height > SIDE:
        return tile.resize(size)
    x, y = chance.randint(0, SIDE - width), chance.randint(0, SIDE - height)
    return tile.crop((x, y, x + width, y + height))


@lru_cache(maxsize=8)
def soft_noise(level: int) -> np.ndarray:
    """Sensor noise, int16, SIDE x SIDE x 3, of the given standard deviation, a little blurred as cameras' is."""
    source = np.random.default_rng(1000 + level)
    grain = source.normal(128, 60, (SIDE, SIDE, 3)).clip(0, 255).astype(np.uint8)
    blurred = np.asarray(Image.fromarray(grain).filter(ImageFilter.GaussianBlur(0.5))).astype(np.float32)
    blurred = (blurred - blurred.mean()) / blurred.std()
    return (blurred * level).astype(np.int16)
