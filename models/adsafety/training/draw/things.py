"""The register of things that can be drawn: a name, the label it carries (if any), and the class it is a look-alike of (if any)."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from .sheet import Sheet


@dataclass(frozen=True)
class Thing:
    """One kind of product. `turn`: how far from upright, in degrees, it is commonly photographed."""

    name: str
    draw: Callable[[Sheet, random.Random], None]
    label: str | None = None
    resembles: str | None = None
    turn: float = 12.0


THINGS: dict[str, Thing] = {}


def thing(label: str | None = None, resembles: str | None = None, turn: float = 12.0):
    """Registers a drawing function under its own name."""

    def register(draw: Callable[[Sheet, random.Random], None]) -> Callable[[Sheet, random.Random], None]:
        THINGS[draw.__name__] = Thing(draw.__name__, draw, label, resembles, turn)
        return draw

    return register


def named(label: str | None = None, resembles: str | None = None) -> list[Thing]:
    """The things of a label, or the look-alikes of one."""
    return [t for t in THINGS.values() if (label and t.label == label) or (resembles and t.resembles == resembles)]
