"""Combat knives, and what is mistaken for them: kitchen and table knives, letter openers, scissors, other tools with blades or points."""

import random

from .paint import BLACK, GOLD, GUNMETAL, STEEL, WOODS, Colour, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import arc, box, oval, ring, smooth
from .sheet import Sheet
from .things import thing

BLADES: list[Colour] = [STEEL, STEEL, (190, 194, 198), GUNMETAL, BLACK, (104, 106, 100)]
HANDLES: list[Colour] = [BLACK, BLACK, (74, 80, 54), (128, 112, 80), (60, 44, 34)]


def _teeth(x0: float, x1: float, y: float, depth: float, count: int) -> list[tuple[float, float]]:
    step = (x1 - x0) / count
    points = []
    for i in range(count):
        points += [(x0 + step * i, y), (x0 + step * (i + 0.5), y + depth)]
    return points


@thing(label="combat_knife", turn=60)
def bowie_knife(sheet: Sheet, chance: random.Random) -> None:
    steel, handle = near(chance, chance.choice(BLADES), 8), near(chance, chance.choice(HANDLES), 8)
    width, clip = chance.uniform(0.11, 0.16), chance.uniform(-0.62, -0.45)
    spine = _teeth(-0.1 if chance.random() < 0.65 else 0.1, 0.22, -width, 0.05, 7)
    blade = [(-1.0, -0.02), (clip, -width * 0.9), *([(-0.3, -width)] + spine), (0.24, -width), (0.24, width), (-0.45, width), (-0.8, width * 0.75)]
    sheet.fill(blade, metal(steel))
    sheet.fill([(-0.95, 0.0), (-0.78, width * 0.72), (-0.45, width), (0.24, width), (0.24, width * 0.45), (-0.5, width * 0.45)], matte(shade(steel, 1.3), "down", 0.3))
    sheet.line([(clip + 0.1, -width * 0.35), (0.1, -width * 0.35)], 0.035, shade(steel, 0.6))
    sheet.fill(box(0.22, -width * 1.8, 0.29, width * 1.8, 0.03), metal(shade(steel, 0.7), "across"))
    sheet.fill(smooth([(0.28, -0.1), (0.5, -0.12), (0.92, -0.1), (0.92, 0.1), (0.6, 0.13), (0.28, 0.1)], 3), matte(handle, "down", 0.45))
    for i in range(chance.randint(5, 9)):
        sheet.line([(0.34 + 0.065 * i, -0.1), (0.34 + 0.065 * i, 0.11)], 0.018, shade(handle, 0.5))
    sheet.fill(box(0.9, -0.12, 0.99, 0.12, 0.03), metal(shade(steel, 0.6), "across"))


@thing(label="combat_knife", turn=60)
def dagger(sheet: Sheet, chance: random.Random) -> None:
    steel, handle = near(chance, chance.choice(BLADES), 8), near(chance, chance.choice(HANDLES), 8)
    width = chance.uniform(0.09, 0.13)
    sheet.fill([(-1.0, 0.0), (-0.72, -width), (0.22, -width * 1.1), (0.22, 0.0)], matte(shade(steel, 1.3), "down", 0.2))
    sheet.fill([(-1.0, 0.0), (-0.72, width), (0.22, width * 1.1), (0.22, 0.0)], matte(shade(steel, 0.7), "down", 0.3))
    sheet.line([(-0.8, 0.0), (0.2, 0.0)], 0.035, shade(steel, 0.5))
    guard = [(0.2, -0.3), (0.28, -0.3), (0.3, 0.0), (0.28, 0.3), (0.2, 0.3), (0.22, 0.0)]
    sheet.fill(smooth(guard, 3), metal(shade(steel, 0.6), "across"))
    sheet.fill(smooth([(0.27, -0.07), (0.55, -0.11), (0.9, -0.07), (0.9, 0.07), (0.55, 0.11), (0.27, 0.07)], 4), matte(handle, "down", 0.5))
    for i in range(6):
        sheet.line([(0.34 + 0.09 * i, -0.09), (0.38 + 0.09 * i, 0.09)], 0.022, shade(handle, 0.55))
    sheet.fill(oval(0.94, 0.0, 0.07, 0.1), metal(shade(steel, 0.6)))


@thing(label="combat_knife", turn=60)
def tanto_knife(sheet: Sheet, chance: random.Random) -> None:
    steel, handle = near(chance, chance.choice(BLADES), 8), near(chance, chance.choice([*HANDLES, (190, 70, 20)]), 8)
    sheet.fill([(-0.95, -0.1), (0.2, -0.14), (0.2, 0.12), (-0.7, 0.12)], metal(steel))
    sheet.fill([(-0.95, -0.1), (-0.7, 0.12), (0.05, 0.12), (0.05, 0.04), (-0.68, 0.03)], matte(shade(steel, 1.4), "down", 0.2))
    if chance.random() < 0.7:
        sheet.fill([(0.0, 0.05), *_teeth(-0.2, 0.16, 0.12, 0.05, 6), (0.18, 0.05)], flat(shade(steel, 0.6)))
    sheet.fill([(0.16, -0.24), (0.28, -0.16), (0.28, 0.18), (0.16, 0.26)], matte(shade(BLACK, 1.2), "across"))
    sheet.fill([(0.26, -0.13), (0.9, -0.12), (0.98, 0.02), (0.9, 0.16), (0.74, 0.1), (0.58, 0.16), (0.44, 0.1), (0.26, 0.15)], matte(handle, "down", 0.45))
    for x in (0.4, 0.62, 0.82):
        sheet.fill(oval(x, 0.0, 0.028), metal(STEEL))
    sheet.fill(oval(0.92, 0.02, 0.03), flat((15, 15, 15)))


@thing(label="combat_knife", turn=60)
def karambit(sheet: Sheet, chance: random.Random) -> None:
    steel, handle = near(chance, chance.choice(BLADES), 8), near(chance, chance.choice(HANDLES), 8)
    outer, inner = arc(-0.1, 0.5, 0.85, 190, 285), arc(0.06, 0.5, 0.62, 282, 196)
    sheet.fill([(-0.98, 0.5), *outer[1:], *inner], metal(steel, "across"))
    sheet.line(arc(-0.05, 0.46, 0.7, 215, 280), 0.03, shade(steel, 0.6))
    sheet.fill(smooth([(0.08, -0.36), (0.4, -0.3), (0.74, -0.02), (0.66, 0.16), (0.4, 0.02), (0.1, -0.12)], 5), matte(handle, "down", 0.45))
    for x, y in ((0.2, -0.24), (0.38, -0.15), (0.55, -0.01)):
        sheet.fill(oval(x, y, 0.026), metal(STEEL))
    sheet.fill(ring(0.78, 0.18, 0.19, 0.1), matte(shade(handle, 0.9), "down", 0.4))


def _riveted(sheet: Sheet, chance: random.Random, x0: float, y: float, handle: Colour, half: float = 0.09) -> None:
    outline = [(x0, y - half), (0.96, y - half * 0.8), (1.0, y + half * 1.1), (0.84, y + half * 1.3), (x0 + 0.2, y + half), (x0, y + half)]
    sheet.fill(outline, matte(handle, "down", 0.35))
    for i in range(3):
        sheet.fill(oval(x0 + 0.14 + 0.2 * i, y, 0.025), metal(STEEL))


@thing(resembles="combat_knife", turn=60)
def chef_knife(sheet: Sheet, chance: random.Random) -> None:
    steel = near(chance, (200, 203, 206), 12)
    width = chance.uniform(0.2, 0.32)
    sheet.fill([(-1.0, 0.06), (-0.6, -0.1), (0.3, -0.12), (0.3, width - 0.02), (0.24, width), (-0.3, width * 0.95), (-0.75, width * 0.6)], metal(steel))
    sheet.fill([(-1.0, 0.06), (-0.75, width * 0.6), (-0.3, width * 0.95), (0.24, width), (0.24, width - 0.06), (-0.4, width - 0.1)], flat(shade(steel, 1.5)))
    sheet.fill(box(0.28, -0.12, 0.4, 0.08), metal(shade(steel, 0.85), "across"))
    _riveted(sheet, chance, 0.38, -0.02, near(chance, chance.choice([BLACK, *WOODS, (160, 30, 30)]), 8))


@thing(resembles="combat_knife", turn=60)
def paring_knife(sheet: Sheet, chance: random.Random) -> None:
    steel, handle = near(chance, (205, 207, 210), 10), near(chance, chance.choice([(220, 40, 40), (250, 200, 30), (60, 160, 70), *WOODS, BLACK]), 8)
    sheet.fill([(-0.8, 0.1), (-0.55, -0.06), (0.06, -0.09), (0.06, 0.1), (-0.5, 0.14)], metal(steel))
    sheet.fill(smooth([(0.04, -0.1), (0.4, -0.13), (0.86, -0.08), (0.9, 0.1), (0.5, 0.13), (0.04, 0.1)], 4), gloss(handle, "down"))


@thing(resembles="combat_knife", turn=60)
def bread_knife(sheet: Sheet, chance: random.Random) -> None:
    steel = near(chance, (200, 203, 206), 10)
    sheet.fill([(-1.0, -0.1), (0.3, -0.1), (0.3, 0.1), *reversed(_teeth(-0.94, 0.26, 0.1, 0.035, 18)), (-0.98, 0.08)], metal(steel))
    _riveted(sheet, chance, 0.3, -0.01, near(chance, chance.choice([BLACK, *WOODS]), 8))


@thing(resembles="combat_knife", turn=60)
def butter_knife(sheet: Sheet, chance: random.Random) -> None:
    steel = near(chance, chance.choice([(205, 207, 210), GOLD]), 8)
    sheet.fill(smooth([(-0.9, -0.04), (-0.8, -0.1), (-0.2, -0.09), (0.1, -0.045), (0.1, 0.045), (-0.2, 0.09), (-0.8, 0.08)], 4), metal(steel))
    handle = chance.choice([steel, (235, 228, 212), BLACK, chance.choice(WOODS)])
    sheet.fill(smooth([(0.06, -0.045), (0.5, -0.06), (0.96, -0.09), (0.98, 0.09), (0.5, 0.06), (0.06, 0.045)], 4), gloss(handle, "down"))


@thing(resembles="combat_knife", turn=60)
def letter_opener(sheet: Sheet, chance: random.Random) -> None:
    blade, handle = near(chance, chance.choice([GOLD, STEEL, (190, 120, 80)]), 8), near(chance, chance.choice([GOLD, STEEL, *WOODS, (30, 60, 120)]), 8)
    sheet.fill([(-0.98, 0.0), (-0.8, -0.045), (0.3, -0.055), (0.3, 0.055), (-0.8, 0.045)], metal(blade))
    sheet.fill(smooth([(0.28, -0.05), (0.45, -0.12), (0.6, -0.05), (0.8, -0.12), (0.98, 0.0), (0.8, 0.12), (0.6, 0.05), (0.45, 0.12), (0.28, 0.05)], 4), gloss(handle, "down"))
    sheet.fill(oval(0.84, 0.0, 0.045), gloss(hue(chance), "down"))


@thing(resembles="combat_knife", turn=80)
def scissors(sheet: Sheet, chance: random.Random) -> None:
    steel, handle = near(chance, STEEL, 10), near(chance, chance.choice([(220, 60, 40), BLACK, (240, 120, 40), hue(chance)]), 8)
    for side in (-1, 1):
        sheet.fill([(-0.95, side * 0.14), (-0.9, side * 0.2), (0.2, -side * 0.03), (0.2, -side * 0.12)], metal(shade(steel, 1 + 0.1 * side)))
        sheet.line([(0.1, -side * 0.06), (0.5, -side * 0.2)], 0.1, matte(handle))
        sheet.fill(_ellipse_ring(0.7, -side * 0.28, 0.27, 0.19), matte(handle, "down", 0.3))
    sheet.fill(oval(0.1, 0.0, 0.045), metal(shade(steel, 0.8)))


def _ellipse_ring(x: float, y: float, wide: float, high: float) -> list[tuple[float, float]]:
    outer, inner = oval(x, y, wide, high), oval(x, y, wide - 0.08, high - 0.08)
    return [*outer, outer[0], *reversed(inner), inner[-1]]


@thing(resembles="combat_knife", turn=60)
def screwdriver(sheet: Sheet, chance: random.Random) -> None:
    handle = hue(chance, (0.7, 1), (0.6, 1))
    sheet.line([(-0.95, 0.0), (0.15, 0.0)], 0.07, metal(STEEL))
    sheet.fill([(-1.0, -0.05), (-0.9, -0.035), (-0.9, 0.035), (-1.0, 0.05)], flat(shade(STEEL, 0.6)))
    sheet.fill(smooth([(0.12, -0.07), (0.3, -0.16), (0.9, -0.17), (0.98, 0.0), (0.9, 0.17), (0.3, 0.16), (0.12, 0.07)], 4), gloss(handle, "down"))
    for y in (-0.08, 0.02, 0.1):
        sheet.line([(0.36, y), (0.86, y)], 0.025, BLACK)


@thing(resembles="combat_knife", turn=60)
def spatula(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(smooth([(-0.95, -0.18), (-0.3, -0.2), (-0.2, 0.0), (-0.3, 0.2), (-0.95, 0.18)], 4), matte(colour, "down", 0.3))
    sheet.line([(-0.25, 0.0), (0.98, 0.0)], 0.08, gloss(chance.choice([*WOODS, STEEL]), "down"))
    for y in (-0.09, 0.0, 0.09):
        sheet.fill(box(-0.8, y - 0.02, -0.4, y + 0.02, 0.02), flat(shade(colour, 0.5)))


@thing(resembles="combat_knife", turn=60)
def spoon_and_fork(sheet: Sheet, chance: random.Random) -> None:
    steel = near(chance, chance.choice([(205, 207, 210), GOLD]), 10)
    sheet.fill(smooth([(-0.95, -0.24), (-0.75, -0.36), (-0.45, -0.26), (-0.45, -0.2), (-0.75, -0.1)], 5), gloss(steel, "down"))
    sheet.line([(-0.5, -0.23), (0.95, -0.23)], 0.06, metal(steel), 1.6)
    for i in range(4):
        sheet.line([(-0.95, 0.14 + 0.07 * i), (-0.5, 0.14 + 0.07 * i)], 0.035, metal(steel))
    sheet.fill(smooth([(-0.62, 0.1), (-0.4, 0.16), (-0.3, 0.24), (-0.4, 0.34), (-0.62, 0.4)], 4), metal(steel))
    sheet.line([(-0.4, 0.25), (0.95, 0.25)], 0.06, metal(steel), 1.6)
