"""What a camera and a web shop do to a picture: light, colour cast, blur, noise."""

import random

import numpy as np
from PIL import Image, ImageFilter

from .texture import SIDE, soft_noise


def photograph(picture: Image.Image, chance: random.Random) -> Image.Image:
    """The picture as a camera of some quality would have taken it."""
    kind = chance.random()
    short = min(picture.size)
    if kind < 0.25:
        picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(0.002, 0.007) * short))
    pixels = np.asarray(picture).astype(np.float32)
    if chance.random() < 0.45:
        pixels *= _light(picture.size, chance)[:, :, None]
    contrast, lift = chance.gauss(1.0, 0.09), chance.gauss(0, 6)
    cast = np.array([chance.gauss(1, 0.03), 1.0, chance.gauss(1, 0.03)], dtype=np.float32)
    pixels *= cast * contrast
    pixels += 128 * (1 - contrast) + lift
    if chance.random() < 0.7:
        pixels += _grain(picture.size, chance)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _light(size: tuple[int, int], chance: random.Random) -> np.ndarray:
    """A slope of light across the picture, with or without dark corners."""
    width, height = size
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None, :], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    field = 1 + chance.uniform(-0.2, 0.2) * x + chance.uniform(-0.2, 0.2) * y
    if chance.random() < 0.3:
        field = field - chance.uniform(0.05, 0.2) * (x * x + y * y)
    return field


def _grain(size: tuple[int, int], chance: random.Random) -> np.ndarray:
    width, height = size
    tile = soft_noise(chance.choice([2, 3, 4, 6, 9, 13]))
    if width > SIDE or height > SIDE:
        tile = np.tile(tile, (1 + height // SIDE, 1 + width // SIDE, 1))
    x, y = chance.randint(0, tile.shape[1] - width), chance.randint(0, tile.shape[0] - height)
    return tile[y : y + height, x : x + width]
