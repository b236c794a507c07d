"""Colours and how light falls on them: a paint is 256 colours along one direction of a part.

A paint does not know where it is laid; `sheet` does that.
"""

import colorsys
import random
from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

WHITE: Colour = (246, 246, 244)
BLACK: Colour = (26, 26, 28)
STEEL: Colour = (168, 172, 178)
GUNMETAL: Colour = (58, 61, 66)
GOLD: Colour = (205, 164, 74)
WOODS: list[Colour] = [(121, 78, 44), (160, 112, 66), (92, 56, 34), (190, 146, 96), (70, 44, 30)]
GREYS: list[Colour] = [(60, 60, 64), (110, 112, 116), (160, 162, 166), (205, 206, 208)]


def hue(chance: random.Random, saturation=(0.45, 0.95), value=(0.4, 0.95)) -> Colour:
    """Any colour of the given saturation and value."""
    r, g, b = colorsys.hsv_to_rgb(chance.random(), chance.uniform(*saturation), chance.uniform(*value))
    return (int(r * 255), int(g * 255), int(b * 255))


def near(chance: random.Random, colour: Colour, spread: int = 14) -> Colour:
    """The colour, a little off."""
    common = chance.randint(-spread, spread)
    return tuple(min(255, max(0, c + common + chance.randint(-spread // 3, spread // 3))) for c in colour)


def shade(colour: Colour, factor: float) -> Colour:
    """Darker below 1; above 1, lighter towards white."""
    if factor <= 1:
        return tuple(int(c * factor) for c in colour)
    return tuple(int(c + (255 - c) * min(1.0, factor - 1)) for c in colour)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other in the one."""
    return tuple(int(a + (b - a) * share) for a, b in zip(one, other))


def product_colour(chance: random.Random) -> Colour:
    """A colour that products come in: often black, white or grey."""
    kind = chance.random()
    if kind < 0.16:
        return near(chance, BLACK, 16)
    if kind < 0.3:
        return near(chance, (225, 225, 222), 22)
    if kind < 0.42:
        return near(chance, chance.choice(GREYS), 16)
    if kind < 0.52:
        return near(chance, chance.choice(WOODS), 14)
    return hue(chance, (0.25, 0.95), (0.25, 0.95))


@dataclass(frozen=True)
class Paint:
    """`ramp`: 256 RGB colours; `direction`: across, down or ball; `opacity` 0 to 255."""

    ramp: bytes
    direction: str
    opacity: int = 255


def _ramp(stops: list[tuple[float, Colour]]) -> bytes:
    places = np.array([place for place, _ in stops])
    colours = np.array([colour for _, colour in stops], dtype=float)
    at = np.linspace(0, 1, 256)
    channels = [np.interp(at, places, colours[:, k]) for k in range(3)]
    return np.clip(np.stack(channels, axis=1), 0, 255).astype(np.uint8).tobytes()


def flat(colour: Colour, opacity: int = 255) -> Paint:
    """One colour, with no light on it."""
    return Paint(_ramp([(0, colour), (1, colour)]), "flat", opacity)


def matte(colour: Colour, direction: str = "down", depth: float = 0.25, opacity: int = 255) -> Paint:
    """Light from one side, softly falling off."""
    return Paint(_ramp([(0, shade(colour, 1 + depth * 0.6)), (1, shade(colour, 1 - depth))]), direction, opacity)


def fade(top: Colour, bottom: Colour, direction: str = "down", opacity: int = 255) -> Paint:
    """From one colour to another."""
    return Paint(_ramp([(0, top), (1, bottom)]), direction, opacity)


def gloss(colour: Colour, direction: str = "across", opacity: int = 255, shine: float = 0.7) -> Paint:
    """A glossy cylinder: dark edges, a bright band at a third."""
    stops = [
        (0, shade(colour, 0.5)), (0.14, shade(colour, 0.85)), (0.24, shade(colour, 1 + shine * 0.3)), (0.31, shade(colour, 1 + shine)),
        (0.4, shade(colour, 1.05)), (0.72, shade(colour, 0.85)), (0.92, shade(colour, 0.55)), (1, shade(colour, 0.68)),
    ]
    return Paint(_ramp(stops), direction, opacity)


def metal(colour: Colour = STEEL, direction: str = "down", opacity: int = 255) -> Paint:
    """Bands of light and dark, as on brushed or polished metal."""
    stops = [
        (0, shade(colour, 0.75)), (0.2, shade(colour, 1.45)), (0.36, shade(colour, 1.0)), (0.52, shade(colour, 0.7)),
        (0.7, shade(colour, 1.25)), (0.85, shade(colour, 0.85)), (1, shade(colour, 0.55)),
    ]
    return Paint(_ramp(stops), direction, opacity)


def ball(colour: Colour, shine: float = 0.6, opacity: int = 255) -> Paint:
    """A sphere: bright at the upper left, dark at the rim."""
    stops = [(0, shade(colour, 1 + shine)), (0.18, shade(colour, 1.12)), (0.55, colour), (0.85, shade(colour, 0.62)), (1, shade(colour, 0.42))]
    return Paint(_ramp(stops), "ball", opacity)
