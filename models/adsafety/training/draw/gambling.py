"""Gambling, and what is mistaken for it: board-game dice and pieces, coins, buttons, plates, clocks, darts, vending machines."""

import math
import random

from .paint import BLACK, GOLD, STEEL, WHITE, WOODS, Colour, ball, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import Outline, arc, box, moved, oval, ring, smooth, star, turned
from .sheet import Sheet
from .things import thing

CHIPS: list[Colour] = [(196, 26, 34), (24, 70, 170), (30, 130, 60), (30, 30, 34), (110, 40, 130), (240, 240, 236)]
FELT: Colour = (20, 104, 60)


def _chip(sheet: Sheet, x: float, y: float, radius: float, colour: Colour, turn: float, flatten: float = 1.0) -> None:
    sheet.fill(oval(x, y, radius, radius * flatten), matte(colour, "down", 0.2))
    marks = WHITE if sum(colour) < 600 else (196, 26, 34)
    for i in range(6):
        start = turn + 60 * i
        wedge = arc(x, y, radius, start, start + 26, flatten) + arc(x, y, radius * 0.76, start + 26, start, flatten)
        sheet.fill(wedge, flat(marks))
    sheet.fill(oval(x, y, radius * 0.62, radius * 0.62 * flatten), flat(marks))
    sheet.fill(oval(x, y, radius * 0.54, radius * 0.54 * flatten), flat(shade(colour, 0.9)))


@thing(label="gambling", turn=8)
def poker_chips(sheet: Sheet, chance: random.Random) -> None:
    if chance.random() < 0.4:
        for _ in range(chance.randint(3, 8)):
            _chip(sheet, chance.uniform(-0.6, 0.6), chance.uniform(-0.6, 0.6), chance.uniform(0.28, 0.34), chance.choice(CHIPS), chance.uniform(0, 60), chance.uniform(0.75, 1))
        return
    for x in (-0.62, 0.0, 0.62)[: chance.randint(1, 3)]:
        colour, count = chance.choice(CHIPS), chance.randint(3, 9)
        for i in range(count):
            y = 0.75 - 0.13 * i
            sheet.fill(oval(x, y, 0.31, 0.11), flat(shade(colour, 0.55)))
            sheet.fill(box(x - 0.31, y - 0.1, x + 0.31, y), gloss(colour))
            for k in range(3):
                at = x - 0.24 + 0.2 * k + chance.uniform(-0.05, 0.05)
                sheet.fill(box(at, y - 0.07, at + 0.08, y + 0.05), flat(WHITE if sum(colour) < 600 else BLACK))
            _chip(sheet, x, y - 0.1, 0.31, colour, chance.uniform(0, 60), 0.36)


def _card(sheet: Sheet, chance: random.Random, x: float, y: float, turn: float, size: float = 0.42) -> None:
    def put(points: Outline) -> Outline:
        return moved(points, x, y, turn, size)

    sheet.fill(put(box(-0.74, -1.03, 0.74, 1.03, 0.1)), flat((150, 150, 150)))
    sheet.fill(put(box(-0.71, -1.0, 0.71, 1.0, 0.1)), matte((252, 252, 250), "down", 0.06))
    red = chance.random() < 0.5
    ink = (205, 20, 30) if red else BLACK
    heart = smooth([(0, 0.42), (-0.4, -0.02), (-0.34, -0.36), (-0.1, -0.36), (0, -0.2), (0.1, -0.36), (0.34, -0.36), (0.4, -0.02)], 3)
    spade = [(px, -py) for px, py in heart]
    diamond = [(0, -0.46), (0.32, 0), (0, 0.46), (-0.32, 0)]
    suit = chance.choice([heart, diamond] if red else [spade])
    sheet.fill(put(suit), flat(ink))
    if suit is spade:
        sheet.fill(put([(0, 0.1), (0.14, 0.5), (-0.14, 0.5)]), flat(ink))
    for sign in (-1, 1):
        sheet.fill(put(moved(suit, sign * 0.52, sign * 0.62, 0, 0.3)), flat(ink))
        sheet.fill(put(box(sign * 0.52 - 0.08, sign * 0.84 - 0.1, sign * 0.52 + 0.08, sign * 0.84 + 0.1, 0.03)), flat(ink))


@thing(label="gambling", turn=10)
def cards_and_chips(sheet: Sheet, chance: random.Random) -> None:
    if chance.random() < 0.5:
        sheet.fill(oval(0, 0.1, 1.15, 0.95), matte(near(chance, FELT, 10), "down", 0.2))
    count = chance.randint(2, 5)
    for i in range(count):
        lean = (i - (count - 1) / 2) * 16
        _card(sheet, chance, lean / 45, -0.2 + abs(lean) / 200, lean)
    for _ in range(chance.randint(3, 6)):
        _chip(sheet, chance.uniform(-0.75, 0.75), chance.uniform(0.3, 0.75), 0.25, chance.choice(CHIPS), chance.uniform(0, 60), chance.uniform(0.7, 1))


@thing(label="gambling", turn=20)
def roulette_wheel(sheet: Sheet, chance: random.Random) -> None:
    flatten = chance.uniform(0.6, 1.0)
    wood = near(chance, chance.choice(WOODS), 8)
    sheet.fill(oval(0, 0, 1.0, flatten), matte(wood, "down", 0.5))
    sheet.fill(oval(0, 0, 0.84, 0.84 * flatten), gloss(shade(wood, 0.75), "across"))
    pockets, start = chance.choice([24, 30, 37]), chance.uniform(0, 30)
    for i in range(pockets):
        a, b = start + 360 * i / pockets, start + 360 * (i + 1) / pockets
        colour = (20, 130, 60) if i == 0 else ((190, 20, 28) if i % 2 else (24, 24, 26))
        sheet.fill(arc(0, 0, 0.76, a, b, flatten) + arc(0, 0, 0.5, b, a, flatten), flat(colour))
    sheet.fill(ring_flat(0.79, 0.76, flatten), flat(GOLD))
    sheet.fill(ring_flat(0.51, 0.49, flatten), flat(GOLD))
    sheet.fill(oval(0, 0, 0.48, 0.48 * flatten), matte(wood, "down", 0.5))
    for i in range(4):
        angle = math.radians(start + 90 * i)
        sheet.line([(0, 0), (0.34 * math.cos(angle), 0.34 * flatten * math.sin(angle))], 0.06, metal(GOLD))
    sheet.fill(oval(0, -0.03, 0.13, 0.13 * flatten), ball(GOLD))
    angle = chance.uniform(0, 6.28)
    sheet.fill(oval(0.62 * math.cos(angle), 0.62 * flatten * math.sin(angle), 0.045), ball((240, 240, 240)))


def ring_flat(outer: float, inner: float, flatten: float) -> Outline:
    """A whole ring seen from the side."""
    return arc(0, 0, outer, 0, 360, flatten) + arc(0, 0, inner, 360, 0, flatten)


@thing(label="gambling", turn=6)
def slot_machine(sheet: Sheet, chance: random.Random) -> None:
    colour = near(chance, chance.choice([(180, 24, 40), (70, 30, 120), (20, 40, 110), (30, 30, 34), (200, 150, 40)]), 8)
    trim = chance.choice([GOLD, (210, 212, 216)])
    sheet.fill(smooth([(-0.62, 0.95), (-0.6, -0.5), (-0.45, -0.92), (0.45, -0.92), (0.6, -0.5), (0.62, 0.95)], 4), gloss(colour, shine=0.4))
    sheet.fill(box(-0.5, -0.85, 0.5, -0.5, 0.12), matte(near(chance, (250, 210, 60), 10), "down", 0.3))
    sheet.write(chance.choice(["JACKPOT", "777", "LUCKY 7", "CASINO", "SLOTS"]), -0.42, -0.78, 0.42, -0.56, (170, 20, 30))
    sheet.fill(box(-0.54, -0.4, 0.54, 0.16, 0.04), metal(trim))
    for i in range(3):
        x = -0.35 + 0.35 * i
        sheet.fill(box(x - 0.155, -0.34, x + 0.155, 0.1, 0.02), matte((250, 250, 246), "down", 0.2))
        kind = chance.random()
        if kind < 0.5:
            sheet.write("7", x - 0.09, -0.26, x + 0.09, 0.02, (205, 20, 30))
        elif kind < 0.75:
            for dx in (-0.05, 0.06):
                sheet.fill(oval(x + dx, -0.06, 0.06), ball((200, 20, 40)))
            sheet.line([(x - 0.05, -0.1), (x + 0.02, -0.26), (x + 0.06, -0.1)], 0.02, (40, 120, 40))
        else:
            sheet.fill(star(x, -0.12, 0.13, 0.06, 5), flat(GOLD))
    for i in range(4):
        sheet.fill(oval(-0.36 + 0.24 * i, 0.34, 0.07, 0.05), ball(hue(chance, (0.7, 1), (0.8, 1))))
    sheet.fill(box(-0.4, 0.6, 0.4, 0.8, 0.05), matte(shade(colour, 0.4)))
    sheet.line([(0.6, 0.1), (0.78, 0.0), (0.8, -0.45)], 0.05, metal(STEEL))
    sheet.fill(oval(0.8, -0.5, 0.09), ball((210, 20, 30)))


@thing(resembles="gambling", turn=30)
def dice(sheet: Sheet, chance: random.Random) -> None:
    for i in range(chance.randint(1, 4)):
        x, y, turn = (i % 2) * 0.9 - 0.42 + chance.uniform(-0.1, 0.1), (i // 2) * 0.8 - 0.3 + chance.uniform(-0.1, 0.1), chance.uniform(-40, 40)
        colour = chance.choice([WHITE, WHITE, hue(chance), (190, 30, 40), BLACK])
        pip = BLACK if sum(colour) > 420 else WHITE
        sheet.fill(moved(box(-0.33, -0.33, 0.33, 0.33, 0.08), x, y, turn), matte(colour, "down", 0.25))
        spots = {1: [(0, 0)], 2: [(-1, -1), (1, 1)], 3: [(-1, -1), (0, 0), (1, 1)], 4: [(-1, -1), (1, 1), (-1, 1), (1, -1)]}
        count = chance.randint(1, 6)
        places = spots.get(count) or spots[4] + ([(0, 0)] if count == 5 else [(-1, 0), (1, 0)])
        for px, py in places:
            sheet.fill(moved(oval(px * 0.17, py * 0.17, 0.055), x, y, turn), flat(pip))


@thing(resembles="gambling", turn=8)
def game_pawns(sheet: Sheet, chance: random.Random) -> None:
    for i in range(chance.randint(2, 5)):
        x, y, colour = -0.8 + 0.4 * i, chance.uniform(-0.15, 0.15), hue(chance, (0.7, 1), (0.6, 1))
        sheet.fill(turned([(y - 0.2, 0.06), (y + 0.1, 0.1), (y + 0.4, 0.2), (y + 0.5, 0.2)], 4, x), gloss(colour))
        sheet.fill(oval(x, y - 0.3, 0.15), ball(colour))


@thing(resembles="gambling", turn=20)
def board_game(sheet: Sheet, chance: random.Random) -> None:
    one, two = chance.choice([((240, 220, 180), (120, 70, 40)), (WHITE, BLACK), (hue(chance, (0.3, 0.6), (0.8, 1)), hue(chance, (0.5, 1), (0.3, 0.7)))])
    sheet.fill(box(-0.95, -0.95, 0.95, 0.95, 0.03), matte(shade(two, 0.7), "down", 0.2))
    cells = chance.choice([6, 8])
    side = 1.7 / cells
    sheet.fill(box(-0.85, -0.85, 0.85, 0.85), flat(one))
    for i in range(cells):
        for k in range(i % 2, cells, 2):
            sheet.fill(box(-0.85 + side * k, -0.85 + side * i, -0.85 + side * (k + 1), -0.85 + side * (i + 1)), flat(two))
    for _ in range(chance.randint(3, 10)):
        x, y = -0.85 + side * (chance.randrange(cells) + 0.5), -0.85 + side * (chance.randrange(cells) + 0.5)
        sheet.fill(oval(x, y, side * 0.38), ball(chance.choice([(190, 30, 30), (245, 240, 230), BLACK])))


@thing(resembles="gambling", turn=30)
def coins(sheet: Sheet, chance: random.Random) -> None:
    for i in range(chance.randint(2, 7)):
        metal_of = near(chance, chance.choice([GOLD, STEEL, (184, 110, 60)]), 8)
        x, y, radius = chance.uniform(-0.6, 0.6), chance.uniform(-0.6, 0.6), chance.uniform(0.22, 0.34)
        sheet.fill(oval(x, y + 0.02, radius), flat(shade(metal_of, 0.5)))
        sheet.fill(oval(x, y, radius), metal(metal_of))
        sheet.fill(ring(x, y, radius * 0.92, radius * 0.84), flat(shade(metal_of, 0.7)))
        sheet.write(chance.choice(["1", "2", "5", "10", "20"]), x - radius * 0.45, y - radius * 0.5, x + radius * 0.45, y + radius * 0.5, shade(metal_of, 0.55))


@thing(resembles="gambling", turn=30)
def buttons(sheet: Sheet, chance: random.Random) -> None:
    for _ in range(chance.randint(3, 9)):
        colour, x, y, radius = hue(chance, (0.3, 1), (0.4, 1)), chance.uniform(-0.7, 0.7), chance.uniform(-0.7, 0.7), chance.uniform(0.15, 0.32)
        sheet.fill(oval(x, y, radius), matte(colour, "down", 0.3))
        sheet.fill(ring(x, y, radius * 0.85, radius * 0.72), flat(shade(colour, 0.75)))
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            sheet.fill(oval(x + dx * radius * 0.22, y + dy * radius * 0.22, radius * 0.1), flat(shade(colour, 0.35)))


@thing(resembles="gambling", turn=8)
def plates(sheet: Sheet, chance: random.Random) -> None:
    colour, flatten, rim = chance.choice([WHITE, WHITE, product_colour(chance)]), chance.uniform(0.5, 1), hue(chance)
    sheet.fill(oval(0, 0, 0.98, 0.98 * flatten), matte(colour, "down", 0.25))
    if chance.random() < 0.6:
        sheet.fill(ring_flat(0.93, 0.88, flatten), flat(rim))
    if chance.random() < 0.3:
        for i in range(16):
            sheet.fill(arc(0, 0, 0.93, i * 22.5, i * 22.5 + 11, flatten) + arc(0, 0, 0.72, i * 22.5 + 11, i * 22.5, flatten), flat(rim))
    sheet.fill(oval(0, 0.01, 0.64, 0.64 * flatten), matte(shade(colour, 0.94), "down", -0.15))


@thing(resembles="gambling", turn=4)
def wall_clock(sheet: Sheet, chance: random.Random) -> None:
    frame, face = product_colour(chance), chance.choice([WHITE, WHITE, BLACK, (240, 226, 196)])
    ink = BLACK if face != BLACK else WHITE
    sheet.fill(oval(0, 0, 0.97), matte(frame, "down", 0.45))
    sheet.fill(oval(0, 0, 0.82), flat(face))
    for i in range(12):
        angle = math.radians(30 * i)
        sheet.line([(0.68 * math.cos(angle), 0.68 * math.sin(angle)), (0.77 * math.cos(angle), 0.77 * math.sin(angle))], 0.04, ink)
    for length, width in ((0.42, 0.06), (0.62, 0.04)):
        angle = chance.uniform(0, 6.28)
        sheet.line([(0, 0), (length * math.cos(angle), length * math.sin(angle))], width, ink)
    sheet.fill(oval(0, 0, 0.05), flat((200, 30, 30)))


@thing(resembles="gambling", turn=10)
def dartboard(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(oval(0, 0, 0.98), matte(BLACK, "down", 0.3))
    for i in range(20):
        a, b = 18 * i, 18 * i + 18
        sheet.fill([(0, 0), *arc(0, 0, 0.76, a, b)], flat((236, 222, 184) if i % 2 else (34, 32, 32)))
        for outer, inner in ((0.76, 0.7), (0.46, 0.4)):
            sheet.fill(arc(0, 0, outer, a, b) + arc(0, 0, inner, b, a), flat((200, 30, 36) if i % 2 == 0 else (30, 130, 70)))
    sheet.fill(oval(0, 0, 0.1), flat((30, 130, 70)))
    sheet.fill(oval(0, 0, 0.05), flat((200, 30, 36)))


@thing(resembles="gambling", turn=6)
def vending_machine(sheet: Sheet, chance: random.Random) -> None:
    colour = near(chance, chance.choice([(180, 30, 40), (30, 60, 150), (60, 60, 66), WHITE, (40, 140, 120)]), 8)
    sheet.fill(box(-0.6, -0.97, 0.6, 0.97, 0.04), gloss(colour, shine=0.3))
    sheet.fill(box(-0.5, -0.86, 0.26, 0.5, 0.02), matte((60, 70, 84)))
    for i in range(4):
        for k in range(4):
            x, y = -0.46 + 0.185 * k, -0.8 + 0.32 * i
            sheet.fill(box(x, y, x + 0.13, y + 0.24, 0.02), gloss(hue(chance, (0.5, 1), (0.6, 1))))
    sheet.fill(box(-0.46, 0.62, 0.24, 0.84, 0.03), matte(BLACK))
    sheet.fill(box(0.34, -0.4, 0.52, 0.0, 0.02), matte((40, 44, 48)))
    for i in range(6):
        sheet.fill(box(0.36 + 0.08 * (i % 2), -0.34 + 0.1 * (i // 2), 0.42 + 0.08 * (i % 2), -0.27 + 0.1 * (i // 2), 0.01), flat(WHITE))


@thing(resembles="gambling", turn=10)
def pizza(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(oval(0, 0, 0.97), matte((206, 150, 84), "down", 0.3))
    sheet.fill(smooth(oval(0, 0, 0.84, corners=14), 3), matte((240, 196, 90), "down", 0.15))
    for _ in range(chance.randint(6, 12)):
        angle, radius = chance.uniform(0, 6.28), chance.uniform(0.1, 0.68)
        sheet.fill(oval(radius * math.cos(angle), radius * math.sin(angle), 0.12), matte((180, 40, 34), "down", 0.3))
    for _ in range(8):
        angle, radius = chance.uniform(0, 6.28), chance.uniform(0.1, 0.7)
        sheet.fill(moved(oval(0, 0, 0.04, 0.09), radius * math.cos(angle), radius * math.sin(angle), chance.uniform(0, 180)), flat((60, 130, 50)))
