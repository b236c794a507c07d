"""What stands behind a product: white studio, coloured studio, a table before a wall, a blurred room, cloth, wood, stone."""

import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .paint import WOODS, Colour, hue, mix, near, shade
from .texture import texture_tile

Size = tuple[int, int]


def backdrop(size: Size, chance: random.Random) -> Image.Image:
    """Any backdrop, an RGB picture of the given size."""
    kind = chance.random()
    if kind < 0.36:
        return _white(size, chance)
    if kind < 0.56:
        return _studio(size, chance)
    if kind < 0.74:
        return _table(size, chance)
    if kind < 0.9:
        return _blurred(size, chance)
    return _surface(size, chance)


def _gradient(size: Size, top: Colour, bottom: Colour, turned: bool = False) -> Image.Image:
    strip = Image.new("RGB", (2, 1) if turned else (1, 2))
    strip.putpixel((0, 0), top)
    strip.putpixel((1, 0) if turned else (0, 1), bottom)
    return strip.resize(size, Image.Resampling.BILINEAR)


def _white(size: Size, chance: random.Random) -> Image.Image:
    level = chance.choice([255, 255, 255, 252, 247, 240])
    if chance.random() < 0.6:
        return Image.new("RGB", size, (level, level, level))
    low = level - chance.randint(8, 40)
    return _gradient(size, (level, level, level), (low, low, low + chance.randint(0, 6)))


def _soft_colour(chance: random.Random) -> Colour:
    return mix(hue(chance, (0.15, 0.7), (0.5, 1.0)), (235, 232, 228), chance.uniform(0, 0.6))


def _studio(size: Size, chance: random.Random) -> Image.Image:
    colour = _soft_colour(chance) if chance.random() < 0.8 else near(chance, (50, 50, 56), 20)
    return _gradient(size, shade(colour, chance.uniform(1.0, 1.3)), shade(colour, chance.uniform(0.65, 1.0)), chance.random() < 0.3)


def _rough(picture: Image.Image, kind: str, strength: float, chance: random.Random) -> Image.Image:
    return ImageChops.multiply(picture, texture_tile(kind, picture.size, strength, chance))


def _table(size: Size, chance: random.Random) -> Image.Image:
    wall = _gradient(size, _soft_colour(chance), shade(_soft_colour(chance), 0.9))
    if chance.random() < 0.5:
        wall = _rough(wall, "clouds", 0.25, chance)
    horizon = int(size[1] * chance.uniform(0.55, 0.85))
    colour = near(chance, chance.choice([*WOODS, (220, 218, 214), (90, 90, 94)]), 14)
    top = _gradient((size[0], size[1] - horizon), shade(colour, 0.9), shade(colour, 1.15))
    wall.paste(_rough(top, chance.choice(["wood", "wood", "clouds", "cloth"]), 0.4, chance), (0, horizon))
    return wall


def _blurred(size: Size, chance: random.Random) -> Image.Image:
    """A room or a street far out of focus: soft blobs of colour."""
    width, height = max(8, size[0] // 8), max(8, size[1] // 8)
    room = _gradient((width, height), _soft_colour(chance), shade(_soft_colour(chance), 0.7))
    pen = ImageDraw.Draw(room)
    for _ in range(chance.randint(5, 16)):
        x, y, r = chance.uniform(0, width), chance.uniform(0, height), chance.uniform(0.06, 0.35) * width
        colour = near(chance, chance.choice([_soft_colour(chance), (90, 120, 70), (240, 230, 200), (60, 56, 52), (150, 190, 225)]), 14)
        if chance.random() < 0.5:
            pen.ellipse((x - r, y - r, x + r, y + r), fill=colour)
        else:
            pen.rectangle((x - r, y - r * 2, x + r, y + r), fill=colour)
    return room.filter(ImageFilter.GaussianBlur(chance.uniform(1.0, 3.0))).resize(size, Image.Resampling.BICUBIC)


def _surface(size: Size, chance: random.Random) -> Image.Image:
    colour = near(chance, chance.choice([*WOODS, (226, 224, 220), _soft_colour(chance), (70, 74, 80)]), 14)
    return _rough(Image.new("RGB", size, shade(colour, 1.15)), chance.choice(["wood", "cloth", "clouds", "brushed", "noise"]), chance.uniform(0.2, 0.6), chance)
