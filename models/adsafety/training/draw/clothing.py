"""Clothes, shoes, bags and what people wear. All safe."""

import random

from .paint import BLACK, GOLD, STEEL, WHITE, flat, gloss, hue, matte, metal, product_colour, shade
from .shapes import arc, box, moved, oval, ring, smooth
from .sheet import Sheet
from .things import thing

SLOGANS = ["GOOD VIBES", "PARIS", "SURF", "1984", "NYC", "LOVE", "SMILE", "ATHLETIC", "RACING", "OCEAN"]


@thing(turn=8)
def t_shirt(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sleeve = chance.uniform(0.1, 0.7)
    half = [(0.14, -0.8), (0.4, -0.74), (0.92, -0.4 + sleeve), (0.7, -0.2 + sleeve), (0.48, -0.22), (0.5, 0.9)]
    sheet.fill(half + [(-x, y) for x, y in reversed(half)], matte(colour, "across", 0.3))
    sheet.fill(arc(0, -0.82, 0.17, 0, 180), flat(shade(colour, 0.6)))
    kind = chance.random()
    ink = WHITE if sum(colour) < 380 else chance.choice([BLACK, hue(chance)])
    if kind < 0.35:
        sheet.write(chance.choice(SLOGANS), -0.32, -0.3, 0.32, 0.0, ink)
    elif kind < 0.5:
        for i in range(6):
            sheet.fill(box(-0.49, -0.2 + 0.18 * i, 0.49, -0.12 + 0.18 * i), flat(ink, 200))
    elif kind < 0.6:
        sheet.fill(oval(0, -0.1, 0.24), flat(hue(chance)))
    sheet.texture("cloth", 0.15, chance)


@thing(turn=6)
def dress(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    flare = chance.uniform(0.35, 0.75)
    half = [(0.12, -0.7), (0.22, -0.95), (0.28, -0.95), (0.3, -0.6), (0.22, -0.2), (flare, 0.95)]
    sheet.fill(smooth(half + [(-x, y) for x, y in reversed(half)], 3), matte(colour, "across", 0.3))
    if chance.random() < 0.5:
        sheet.fill(box(-0.23, -0.24, 0.23, -0.16), flat(shade(colour, 0.6)))
    for _ in range(chance.choice([0, 0, 40])):
        sheet.fill(oval(chance.uniform(-0.2, 0.2), chance.uniform(-0.5, 0.9), 0.03), flat(shade(colour, 1.5)))
    for i in range(4):
        sheet.line([(-0.12 + 0.08 * i, -0.1), (flare * (-0.6 + 0.4 * i), 0.9)], 0.015, shade(colour, 0.75))
    sheet.texture("cloth", 0.12, chance)


@thing(turn=5)
def trousers(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([(44, 62, 100), (70, 90, 130), BLACK, (160, 140, 110), product_colour(chance)])
    half = [(0.0, -0.95), (0.36, -0.95), (0.44, 0.0), (0.4, 0.95), (0.12, 0.95), (0.02, -0.3)]
    sheet.fill(half + [(-x, y) for x, y in reversed(half)], matte(colour, "across", 0.35))
    sheet.fill(box(-0.36, -0.95, 0.36, -0.84), flat(shade(colour, 0.7)))
    sheet.fill(oval(0, -0.9, 0.03), metal(GOLD))
    sheet.line([(0, -0.84), (0, -0.4)], 0.02, shade(colour, 0.6))
    for side in (-1, 1):
        sheet.line(arc(side * 0.36, -0.84, 0.2, 90, 90 + side * 80), 0.015, shade(colour, 1.4))
    sheet.texture("cloth", 0.25, chance)


@thing(turn=8)
def sneaker(sheet: Sheet, chance: random.Random) -> None:
    colour, accent = product_colour(chance), hue(chance)
    sheet.fill(smooth([(-0.95, 0.42), (-0.9, 0.18), (-0.5, 0.05), (0.0, -0.35), (0.2, -0.5), (0.75, -0.45), (0.88, 0.0), (0.92, 0.42)], 4), matte(colour, "down", 0.3))
    sheet.fill(smooth([(-0.98, 0.4), (0.95, 0.38), (0.95, 0.6), (0.0, 0.62), (-0.98, 0.58)], 3), matte(chance.choice([WHITE, BLACK, accent]), "down", 0.25))
    sheet.fill([(-0.2, 0.3), (0.3, -0.1), (0.5, -0.12), (0.1, 0.32)], flat(accent))
    for i in range(4):
        sheet.line([(-0.32 + 0.12 * i, 0.0 - 0.11 * i), (-0.16 + 0.12 * i, 0.08 - 0.1 * i)], 0.035, chance.choice([WHITE, shade(colour, 0.5)]))
    sheet.fill(smooth([(0.2, -0.46), (0.7, -0.44), (0.62, -0.3), (0.3, -0.3)], 3), flat(shade(colour, 0.4)))


@thing(turn=8)
def boot(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([(90, 56, 32), BLACK, (150, 104, 60), product_colour(chance)])
    sheet.fill(smooth([(-0.2, -0.9), (0.5, -0.9), (0.52, 0.0), (0.56, 0.7), (-0.8, 0.7), (-0.86, 0.4), (-0.5, 0.2), (-0.2, 0.0)], 4), matte(colour, "across", 0.4))
    sheet.fill(box(-0.86, 0.66, 0.58, 0.84, 0.04), flat(shade(colour, 0.4)))
    sheet.fill(box(0.2, 0.66, 0.58, 0.95), flat(shade(colour, 0.4)))
    for i in range(chance.choice([0, 6])):
        sheet.line([(-0.22, -0.7 + 0.14 * i), (0.06, -0.66 + 0.14 * i)], 0.03, shade(colour, 1.5))


@thing(turn=8)
def high_heel(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(smooth([(-0.95, 0.72), (-0.7, 0.42), (-0.2, 0.3), (0.4, -0.3), (0.8, -0.5), (0.86, -0.1), (0.5, 0.1), (0.0, 0.6), (-0.5, 0.8)], 4), gloss(colour, "down"))
    sheet.fill([(0.6, -0.1), (0.86, -0.3), (0.8, 0.86), (0.72, 0.86)], gloss(shade(colour, 0.8)))


@thing(turn=8)
def handbag(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(ring(0, -0.3, 0.5, 0.42, 180, 360), matte(shade(colour, 0.85)))
    sheet.fill(smooth([(-0.7, -0.32), (0.7, -0.32), (0.85, 0.75), (0.0, 0.82), (-0.85, 0.75)], 3), matte(colour, "down", 0.35))
    sheet.fill([(-0.72, -0.32), (0.72, -0.32), (0.6, 0.15), (-0.6, 0.15)], matte(shade(colour, 0.92), "down", 0.25))
    sheet.fill(box(-0.12, 0.06, 0.12, 0.24, 0.04), metal(chance.choice([GOLD, STEEL])))
    if chance.random() < 0.3:
        sheet.texture("noise", 0.2, chance)


@thing(turn=6)
def backpack(sheet: Sheet, chance: random.Random) -> None:
    colour, accent = product_colour(chance), product_colour(chance)
    sheet.fill(ring(0, -0.82, 0.2, 0.14, 180, 360), flat(shade(colour, 0.5)))
    sheet.fill(box(-0.62, -0.84, 0.62, 0.92, 0.32), matte(colour, "across", 0.35))
    sheet.fill(box(-0.48, 0.1, 0.48, 0.82, 0.12), matte(shade(colour, 0.88), "down", 0.3))
    sheet.line(arc(0, 0.0, 0.5, 190, 350, 0.9), 0.03, accent)
    sheet.fill(box(-0.16, -0.3, 0.16, -0.14, 0.03), flat(accent))
    sheet.texture("cloth", 0.15, chance)


@thing(turn=8)
def cap(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill([*arc(0.1, 0.2, 0.7, 180, 360), (0.8, 0.3), (-0.6, 0.3)], matte(colour, "across", 0.35))
    sheet.fill(smooth([(-0.6, 0.2), (-0.98, 0.42), (-0.9, 0.52), (-0.3, 0.44), (0.3, 0.3)], 4), matte(shade(colour, 0.8)))
    sheet.fill(oval(0.1, -0.5, 0.05, 0.03), flat(shade(colour, 0.6)))
    if chance.random() < 0.5:
        sheet.write(chance.choice(["NY", "LA", "SURF", "TEAM", "88"]), -0.4, -0.24, 0.1, 0.06, WHITE if sum(colour) < 400 else BLACK)


@thing(turn=10)
def sunglasses(sheet: Sheet, chance: random.Random) -> None:
    frame, lens = chance.choice([BLACK, GOLD, (100, 60, 30), product_colour(chance)]), chance.choice([(30, 30, 34), (70, 50, 30), (30, 60, 110), (210, 220, 226)])
    for side in (-1, 1):
        sheet.fill(oval(side * 0.48, 0, 0.44, 0.34), matte(frame))
        sheet.fill(oval(side * 0.48, 0, 0.37, 0.27), gloss(lens, "down", 235))
        sheet.line([(side * 0.9, -0.12), (side * 1.02, -0.3)], 0.06, frame)
    sheet.line(arc(0, 0.0, 0.14, 190, 350), 0.05, frame)


@thing(turn=10)
def wristwatch(sheet: Sheet, chance: random.Random) -> None:
    strap, case, dial = chance.choice([BLACK, (120, 74, 40), STEEL, GOLD, product_colour(chance)]), chance.choice([STEEL, GOLD, BLACK]), chance.choice([WHITE, BLACK, (20, 40, 100), (40, 90, 70)])
    sheet.fill(box(-0.26, -0.98, 0.26, 0.98, 0.06), gloss(strap))
    sheet.fill(oval(0, 0, 0.5), metal(case))
    sheet.fill(oval(0, 0, 0.4), flat(dial))
    ink = BLACK if dial == WHITE else WHITE
    for i in range(12):
        sheet.fill(moved(box(0.3, -0.02, 0.37, 0.02), 0, 0, 30 * i), flat(ink))
    for length in (0.22, 0.32):
        sheet.fill(moved(box(0, -0.02, length, 0.02), 0, 0, chance.uniform(0, 360)), flat(ink))
    sheet.fill(box(0.48, -0.06, 0.56, 0.06, 0.02), metal(case))


@thing(turn=20)
def jewel_ring(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(ring(0, 0.25, 0.62, 0.5), metal(chance.choice([GOLD, STEEL, (220, 160, 140)])))
    gem = hue(chance, (0.1, 0.9), (0.8, 1))
    sheet.fill([(-0.3, -0.6), (-0.18, -0.8), (0.18, -0.8), (0.3, -0.6), (0, -0.28)], matte(gem, "across", 0.5))
    sheet.fill([(-0.1, -0.6), (0.1, -0.6), (0, -0.3)], flat(shade(gem, 1.5)))


@thing(turn=10)
def umbrella(sheet: Sheet, chance: random.Random) -> None:
    colour, other = product_colour(chance), product_colour(chance)
    for i in range(6):
        sheet.fill([(0, -0.8), *arc(0, 0.1, 0.95, 180 + 30 * i, 210 + 30 * i)], matte(colour if i % 2 else other, "across", 0.15))
    sheet.line([(0, -0.92), (0, 0.75)], 0.035, metal(STEEL))
    sheet.line(arc(0.12, 0.78, 0.12, 180, 0), 0.05, chance.choice([BLACK, (120, 74, 40)]))
