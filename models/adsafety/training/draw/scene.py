"""Composes one picture: which things, where, before what, under which overlay; and says which labels are true of it.

The labels follow from what was drawn and from nothing else; a picture that hides a labelled thing behind others is drawn again, so that no label is a lie.
Everything follows from the seed.
"""

import random
from dataclasses import dataclass
from enum import Enum

import numpy as np
from PIL import Image, ImageFilter

from . import clothing, drinks, firearms, gambling, homeware, knives, leisure, placeholders, smoking, vessels  # noqa: F401  they register their things
from .backdrops import backdrop
from .camera import photograph
from .overlays import lay_promotion
from .paint import gloss
from .shapes import smooth
from .sheet import Pose, Sheet
from .things import THINGS, Thing, named

LABELS = ("firearm", "combat_knife", "alcohol", "tobacco", "gambling", "placeholder", "promotional_text_overlay")
UNSAFE = LABELS[:5]
LEAST_SEEN = 0.5
ATTEMPTS = 8


class Care(Enum):
    """How much the generator varies: PLAIN shows one thing on a quiet backdrop, mostly without look-alikes; FULL shows everything."""

    PLAIN = "plain"
    FULL = "full"


@dataclass(frozen=True)
class Picture:
    """A drawn picture; `labels` are true of it; `things` are what is shown, the main one first."""

    image: Image.Image
    labels: frozenset[str]
    things: tuple[str, ...]


SAFE: list[Thing] = [t for t in THINGS.values() if t.label is None]
LOOK_ALIKES: list[Thing] = [t for t in SAFE if t.resembles]


def draw_picture(seed: int, care: Care = Care.FULL, wish: str | None = None, promotion: float = 0.17) -> Picture:
    """The picture of a seed. `wish` names the main thing, else chance decides; `promotion` is how often an overlay is laid on."""
    for attempt in range(ATTEMPTS):
        chance = random.Random(seed if attempt == 0 else f"{seed}/{attempt}")
        size = _size(chance)
        shown = _choose(chance, care, wish)
        if shown[0].label == "placeholder":
            image = _placeholder(shown[0], size, chance)
            break
        image, seen = _products(shown, size, chance, care)
        if all(share >= LEAST_SEEN for thing, share in zip(shown, seen) if thing.label):
            break
    labels = {t.label for t in shown if t.label}
    if chance.random() < (0.04 if shown[0].label == "placeholder" else promotion):
        lay_promotion(image, chance)
        labels.add("promotional_text_overlay")
    return Picture(image, frozenset(labels), tuple(t.name for t in shown))


def _size(chance: random.Random) -> tuple[int, int]:
    """100 to 1200 pixels a side; mostly square or nearly so, at times twice as long as wide."""
    long_side = min(1200, max(110, int(chance.lognormvariate(5.65, 0.42))))
    ratio = chance.choice([1.0, 1.0, 1.0, 0.8, 0.75, 0.67, chance.uniform(0.48, 1.0)])
    short_side = max(100, int(long_side * ratio))
    return (long_side, short_side) if chance.random() < 0.45 else (short_side, long_side)


def _choose(chance: random.Random, care: Care, wish: str | None) -> list[Thing]:
    if wish:
        main = THINGS[wish]
    else:
        kind = chance.random()
        if kind < 0.09:
            return [chance.choice(named(label="placeholder"))]
        if kind < 0.55:
            main = chance.choice(named(label=chance.choice(UNSAFE)))
        elif kind < (0.8 if care is Care.FULL else 0.62):
            main = chance.choice(LOOK_ALIKES)
        else:
            main = chance.choice(SAFE)
    if main.label == "placeholder" or care is Care.PLAIN:
        return [main]
    others: list[Thing] = []
    while chance.random() < 0.28 and len(others) < 3:
        others.append(chance.choice(named(label=chance.choice(UNSAFE))) if chance.random() < 0.12 else chance.choice(SAFE))
    return [main, *others]


def _draw(thing: Thing, length: float, chance: random.Random) -> Image.Image:
    turn = thing.turn if chance.random() < 0.9 else max(thing.turn, 35)
    sheet = Sheet(max(16, int(length / 0.68)), Pose.any(chance, turn))
    thing.draw(sheet, chance)
    return sheet.finished()


def _products(shown: list[Thing], size: tuple[int, int], chance: random.Random, care: Care) -> tuple[Image.Image, list[float]]:
    """The picture, and for each thing the share of it that can be seen."""
    image = backdrop(size, chance)
    short = min(size)
    shadow = chance.choice(["none", "drop", "drop", "ground"])
    light = chance.choice([-1, 1])
    alone = len(shown) == 1
    placed: list[tuple[Image.Image, int, int]] = []
    for index, thing in reversed(list(enumerate(shown))):
        if index == 0:
            length = short * (chance.uniform(0.6, 1.05) if alone else chance.uniform(0.5, 0.8))
            if care is Care.FULL and alone and chance.random() < 0.12:
                length = short * chance.uniform(0.35, 0.6)
            wander = 0.1 if alone else 0.2
            x, y = chance.gauss(0.5, wander / 2), chance.gauss(0.5, wander / 2)
        else:
            length = short * chance.uniform(0.34, 0.6)
            side = 0.26 if index % 2 else 0.74
            x, y = side + chance.gauss(0, 0.06), chance.choice([0.28, 0.5, 0.72]) + chance.gauss(0, 0.06)
        part = _draw(thing, length, chance)
        placed.append((part.getchannel("A"), *_paste(image, part, x, y, shadow, light, chance)))
        if care is Care.FULL and chance.random() < 0.05:
            _occlude(image, x, y, part.size, chance)
    return photograph(image, chance), _shares_seen(placed[::-1], size)


def _shares_seen(placed: list[tuple[Image.Image, int, int]], size: tuple[int, int]) -> list[float]:
    """For shapes from the front to the back: the share of each inside the picture and not behind an earlier one. Measured at a quarter of the size."""
    covered = np.zeros((size[1] // 4 + 1, size[0] // 4 + 1), dtype=bool)
    shares = []
    for shape, left, top in placed:
        small = shape.resize((max(1, shape.width // 4), max(1, shape.height // 4)))
        room = Image.new("L", (covered.shape[1], covered.shape[0]), 0)
        room.paste(small, (left // 4, top // 4))
        own = np.asarray(room) > 127
        whole = max(1, int((np.asarray(small) > 127).sum()))
        shares.append(float((own & ~covered).sum()) / whole)
        covered |= own
    return shares


def _paste(image: Image.Image, part: Image.Image, x: float, y: float, shadow: str, light: int, chance: random.Random) -> tuple[int, int]:
    """Pastes with the centre at a share of width and height, mostly inside; returns the corner."""
    left = int(min(max(image.width * x - part.width / 2, -0.12 * part.width), image.width - 0.88 * part.width))
    top = int(min(max(image.height * y - part.height / 2, -0.12 * part.height), image.height - 0.88 * part.height))
    if shadow != "none":
        _shadow(image, part, left, top, shadow, light, chance)
    image.paste(part, (left, top), part)
    return left, top


def _shadow(image: Image.Image, part: Image.Image, left: int, top: int, kind: str, light: int, chance: random.Random) -> None:
    """A soft shadow; blurred at a quarter of the size, since nobody sees the difference."""
    reach = max(part.size)
    shape = part.getchannel("A")
    width, height = part.size
    if kind == "ground":
        shape = shape.resize((width, max(1, height // 7)))
        top, height = top + part.height - height // 11, shape.height
        offset = (0, 0)
    else:
        offset = (int(light * reach * chance.uniform(0.01, 0.06)), int(reach * chance.uniform(0.01, 0.06)))
    margin = reach // 8 + 4
    room = Image.new("L", ((width + 2 * margin) // 4 + 1, (height + 2 * margin) // 4 + 1), 0)
    room.paste(shape.resize((max(1, width // 4), max(1, height // 4)), Image.Resampling.BILINEAR), (margin // 4, margin // 4))
    room = room.filter(ImageFilter.GaussianBlur(reach * chance.uniform(0.015, 0.05) / 4))
    darkness = chance.uniform(0.25, 0.65)
    mask = room.resize((width + 2 * margin, height + 2 * margin), Image.Resampling.BILINEAR).point([int(i * darkness) for i in range(256)])
    image.paste((18, 18, 22), (left - margin + offset[0], top - margin + offset[1]), mask)


def _occlude(image: Image.Image, x: float, y: float, size: tuple[int, int], chance: random.Random) -> None:
    """Fingers, a strap or a leaf over part of a thing."""
    skin = chance.choice([(232, 190, 160), (198, 146, 110), (120, 80, 58), (96, 120, 70), (60, 60, 66)])
    sheet = Sheet(max(16, int(max(size) * 0.8)), Pose.any(chance, 180))
    for i in range(chance.randint(1, 4)):
        at = -0.3 + 0.22 * i
        sheet.fill(smooth([(at, -0.15), (at + 0.1, -0.25), (at + 0.2, -0.15), (at + 0.19, 0.95), (at + 0.01, 0.95)], 4), gloss(skin, shine=0.25))
    part = sheet.finished()
    edge = chance.choice([(-0.45, 0), (0.45, 0), (0, 0.45)])
    image.paste(part, (int(image.width * x + edge[0] * size[0] - part.width / 2), int(image.height * y + edge[1] * size[1] - part.height / 2)), part)


def _placeholder(thing: Thing, size: tuple[int, int], chance: random.Random) -> Image.Image:
    level = chance.choice([255, 250, 244, 238, 230, 222])
    paper = chance.choice([(level, level, level), (level, level, level), (level - 8, level - 3, level)])
    image = Image.new("RGB", size, paper)
    sheet = Sheet(max(40, int(min(size) * chance.uniform(0.45, 0.95) / 0.68)), Pose(squeeze=chance.uniform(0.9, 1)))
    thing.draw(sheet, chance)
    part = sheet.finished()
    image.paste(part, ((size[0] - part.width) // 2, (size[1] - part.height) // 2), part)
    return image
