"""Toys, books, groceries, cosmetics, sport. All safe."""

import random

from .paint import BLACK, GOLD, STEEL, WHITE, WOODS, ball, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import arc, box, moved, oval, ring, smooth
from .sheet import Sheet
from .things import thing


@thing(turn=6)
def teddy_bear(sheet: Sheet, chance: random.Random) -> None:
    fur = near(chance, chance.choice([(160, 110, 64), (210, 180, 140), (120, 80, 50), (230, 200, 210), (170, 170, 176)]), 10)
    for x, y, r in ((-0.5, 0.1, 0.24), (0.5, 0.1, 0.24), (-0.36, 0.75, 0.24), (0.36, 0.75, 0.24), (-0.32, -0.82, 0.16), (0.32, -0.82, 0.16)):
        sheet.fill(oval(x, y, r), ball(fur, 0.25))
    sheet.fill(oval(0, 0.35, 0.48, 0.52), ball(fur, 0.25))
    sheet.fill(oval(0, -0.5, 0.42, 0.4), ball(fur, 0.25))
    sheet.fill(oval(0, -0.36, 0.18, 0.14), flat(shade(fur, 1.4)))
    for x in (-0.16, 0.16):
        sheet.fill(oval(x, -0.58, 0.045), flat(BLACK))
    sheet.fill(oval(0, -0.42, 0.06, 0.04), flat(BLACK))
    if chance.random() < 0.4:
        sheet.fill([(0, -0.1), (-0.22, -0.2), (-0.22, 0.02)], flat((200, 40, 50)))
        sheet.fill([(0, -0.1), (0.22, -0.2), (0.22, 0.02)], flat((200, 40, 50)))
    sheet.texture("noise", 0.25, chance)


@thing(turn=180)
def play_ball(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([WHITE, (230, 110, 40), (190, 220, 40), hue(chance)])
    sheet.fill(oval(0, 0, 0.92), ball(colour))
    ink = BLACK if sum(colour) > 500 else shade(colour, 0.4)
    kind = chance.random()
    if kind < 0.4:
        for x, y in ((0, 0), (0.62, -0.3), (-0.62, -0.3), (0.4, 0.62), (-0.4, 0.62), (0, -0.75)):
            sheet.fill(oval(x, y, 0.2, corners=5), flat(ink))
    elif kind < 0.8:
        sheet.line([(-0.92, 0), (0.92, 0)], 0.04, ink)
        sheet.line([(0, -0.92), (0, 0.92)], 0.04, ink)
        sheet.line(arc(-1.0, 0, 0.7, -55, 55), 0.04, ink)
        sheet.line(arc(1.0, 0, 0.7, 125, 235), 0.04, ink)


@thing(turn=10)
def toy_blocks(sheet: Sheet, chance: random.Random) -> None:
    for i in range(chance.randint(2, 5)):
        x, y, colour = -0.5 + 0.5 * (i % 3) + 0.25 * (i // 3), 0.5 - 0.52 * (i // 3), hue(chance, (0.6, 1), (0.7, 1))
        sheet.fill(box(x - 0.24, y - 0.24, x + 0.24, y + 0.24, 0.03), matte(colour, "down", 0.25))
        sheet.write(chance.choice("ABCDEGHKMRS"), x - 0.13, y - 0.15, x + 0.13, y + 0.15, WHITE)


@thing(turn=6)
def toy_car(sheet: Sheet, chance: random.Random) -> None:
    colour = hue(chance, (0.6, 1), (0.6, 1))
    sheet.fill(smooth([(-0.95, 0.3), (-0.9, 0.0), (-0.5, -0.08), (-0.3, -0.42), (0.35, -0.42), (0.6, -0.05), (0.95, 0.05), (0.95, 0.3)], 3), gloss(colour, "down"))
    sheet.fill([(-0.36, -0.06), (-0.22, -0.34), (0.02, -0.34), (0.02, -0.06)], flat((200, 226, 240)))
    sheet.fill([(0.08, -0.06), (0.08, -0.34), (0.3, -0.34), (0.46, -0.06)], flat((200, 226, 240)))
    for x in (-0.55, 0.58):
        sheet.fill(oval(x, 0.32, 0.23), matte(BLACK))
        sheet.fill(oval(x, 0.32, 0.11), metal(STEEL))


@thing(resembles="promotional_text_overlay", turn=8)
def book(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill([(0.62, -0.9), (0.72, -0.84), (0.72, 0.96), (0.62, 0.92)], matte((240, 236, 224), "down", 0.2))
    sheet.fill(box(-0.64, -0.92, 0.64, 0.92, 0.02), matte(colour, "across", 0.15))
    sheet.fill(box(-0.64, -0.92, -0.54, 0.92), flat(shade(colour, 0.7)))
    ink = WHITE if sum(colour) < 400 else chance.choice([BLACK, (150, 20, 30)])
    sheet.write(chance.choice(["THE SEA", "GARDENS", "HISTORY\nOF ART", "COOKING", "ATLAS", "A QUIET\nHOUSE", "STARS"]), -0.44, -0.72, 0.54, -0.26, ink)
    if chance.random() < 0.6:
        sheet.fill(oval(0.05, 0.2, 0.32), matte(hue(chance)))
    sheet.write(chance.choice(["J. MARTIN", "A. COSTA", "L. BERG", "M. SATO"]), -0.3, 0.66, 0.42, 0.78, ink)


@thing(resembles="promotional_text_overlay", turn=8)
def cereal_box(sheet: Sheet, chance: random.Random) -> None:
    colour, other = hue(chance, (0.6, 1), (0.6, 1)), hue(chance, (0.6, 1), (0.7, 1))
    sheet.fill([(0.58, -0.9), (0.76, -0.8), (0.76, 0.86), (0.58, 0.95)], matte(shade(colour, 0.6)))
    sheet.fill(box(-0.62, -0.9, 0.6, 0.95), matte(colour, "across", 0.12))
    sheet.fill(smooth(oval(0, -0.5, 0.52, 0.28), 1), flat(chance.choice([WHITE, other])))
    sheet.write(chance.choice(["CRUNCH", "FLAKES", "MUESLI", "PASTA", "RICE", "COOKIES", "TEA"]), -0.44, -0.64, 0.44, -0.38, shade(colour, 0.6))
    sheet.fill(oval(0, 0.4, 0.42, 0.26), gloss(WHITE, "down"))
    for _ in range(14):
        sheet.fill(oval(chance.uniform(-0.3, 0.3), chance.uniform(0.25, 0.42), 0.07), ball(near(chance, (220, 160, 70), 20)))


@thing(resembles="promotional_text_overlay", turn=10)
def snack_bag(sheet: Sheet, chance: random.Random) -> None:
    colour = hue(chance, (0.6, 1), (0.5, 1))
    sheet.fill([(-0.62, -0.95), (0.62, -0.95), (0.7, 0.0), (0.62, 0.95), (-0.62, 0.95), (-0.7, 0.0)], gloss(colour, shine=0.5))
    for y in (-0.95, 0.85):
        sheet.fill(box(-0.62, y, 0.62, y + 0.1), metal(shade(colour, 0.8), "across"))
    sheet.fill(moved(box(-0.62, -0.2, 0.62, 0.2), 0, -0.4, -8), flat(chance.choice([WHITE, (255, 220, 60), shade(colour, 0.5)])))
    sheet.write(chance.choice(["CHIPS", "NUTS", "CRISPS", "COFFEE", "CANDY", "PET FOOD"]), -0.5, -0.54, 0.5, -0.26, shade(colour, 0.4))
    for _ in range(6):
        sheet.fill(smooth(oval(chance.uniform(-0.4, 0.4), chance.uniform(0.1, 0.6), 0.17, 0.11, 7), 2), matte((236, 190, 90), "down", 0.3))


@thing(resembles="promotional_text_overlay", turn=5)
def poster(sheet: Sheet, chance: random.Random) -> None:
    paper, ink = product_colour(chance), hue(chance)
    sheet.fill(box(-0.7, -0.97, 0.7, 0.97), matte(paper, "down", 0.1))
    for _ in range(chance.randint(2, 5)):
        sheet.fill(oval(chance.uniform(-0.4, 0.4), chance.uniform(-0.6, 0.3), chance.uniform(0.1, 0.35)), flat(hue(chance), 200))
    sheet.write(chance.choice(["JAZZ", "EXPO 64", "CINEMA", "ALPES", "TOKYO", "LISBOA"]), -0.56, 0.46, 0.56, 0.74, ink)
    sheet.write(chance.choice(["12 JUNE", "MUSEUM", "FESTIVAL"]), -0.3, 0.8, 0.3, 0.88, ink)


@thing(turn=10)
def cream_jar(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([WHITE, product_colour(chance)])
    sheet.fill(box(-0.72, -0.05, 0.72, 0.7, 0.12), gloss(colour))
    sheet.fill(box(-0.76, -0.5, 0.76, 0.0, 0.06), gloss(chance.choice([GOLD, WHITE, STEEL, BLACK, shade(colour, 0.7)])))
    sheet.write(chance.choice(["CREAM", "SKIN", "NIGHT", "HYDRA", "FACE"]), -0.46, 0.18, 0.46, 0.46, BLACK if sum(colour) > 400 else WHITE)


@thing(turn=30)
def toothbrush(sheet: Sheet, chance: random.Random) -> None:
    colour = hue(chance)
    sheet.line([(-0.95, 0.0), (0.98, 0.02)], 0.1, gloss(colour, "down"), 1.3)
    for i in range(8):
        sheet.fill(box(-0.94 + 0.06 * i, -0.24, -0.9 + 0.06 * i, -0.04), flat(chance.choice([WHITE, shade(colour, 1.5)])))


@thing(turn=8)
def bicycle(sheet: Sheet, chance: random.Random) -> None:
    frame = hue(chance)
    for x in (-0.58, 0.58):
        sheet.fill(ring(x, 0.3, 0.4, 0.36), flat(BLACK))
        for i in range(6):
            sheet.fill(moved(box(-0.36, -0.006, 0.36, 0.006), x, 0.3, 30 * i), flat((150, 150, 154)))
    for path in ([(-0.58, 0.3), (-0.2, -0.25), (0.36, -0.28), (0.58, 0.3)], [(-0.2, -0.25), (-0.05, 0.32), (0.36, -0.28)], [(-0.58, 0.3), (-0.05, 0.32)]):
        sheet.line(path, 0.05, frame)
    sheet.line([(0.36, -0.28), (0.32, -0.52), (0.48, -0.56)], 0.045, BLACK)
    sheet.fill(box(-0.36, -0.42, -0.06, -0.34, 0.04), flat(BLACK))
    sheet.line([(-0.2, -0.25), (-0.22, -0.4)], 0.04, frame)


@thing(turn=20)
def guitar(sheet: Sheet, chance: random.Random) -> None:
    wood = near(chance, chance.choice([*WOODS, (200, 40, 30), BLACK]), 8)
    sheet.fill(smooth([(0.0, 0.0), (0.34, 0.12), (0.26, 0.38), (0.44, 0.68), (0.0, 0.96), (-0.44, 0.68), (-0.26, 0.38), (-0.34, 0.12)], 5), matte(wood, "across", 0.35))
    sheet.fill(oval(0, 0.42, 0.13), flat(BLACK))
    sheet.fill(box(-0.06, -0.8, 0.06, 0.3), matte(shade(wood, 0.5)))
    sheet.fill(box(-0.1, -0.98, 0.1, -0.76, 0.02), matte(wood))
    for x in (-0.03, 0.0, 0.03):
        sheet.line([(x, -0.78), (x, 0.66)], 0.008, (220, 220, 220))


@thing(turn=20)
def fruit(sheet: Sheet, chance: random.Random) -> None:
    for i in range(chance.randint(1, 3)):
        colour, x, y = chance.choice([(200, 30, 40), (120, 180, 60), (250, 150, 30), (240, 210, 60)]), -0.5 + 0.5 * i, chance.uniform(-0.1, 0.3)
        sheet.fill(smooth([(x, y - 0.36), (x + 0.36, y - 0.3), (x + 0.4, y + 0.1), (x + 0.14, y + 0.44), (x - 0.14, y + 0.44), (x - 0.4, y + 0.1), (x - 0.36, y - 0.3)], 4), ball(colour))
        sheet.line([(x, y - 0.32), (x + 0.06, y - 0.56)], 0.035, WOODS[0])
        sheet.fill(moved(oval(0, 0, 0.06, 0.14), x + 0.14, y - 0.5, 60), flat((70, 140, 60)))


@thing(turn=10)
def gift_box(sheet: Sheet, chance: random.Random) -> None:
    colour, ribbon = hue(chance), chance.choice([GOLD, WHITE, hue(chance)])
    sheet.fill(box(-0.7, -0.2, 0.7, 0.9, 0.02), matte(colour, "across", 0.3))
    sheet.fill(box(-0.78, -0.46, 0.78, -0.16, 0.02), matte(shade(colour, 1.1), "across", 0.3))
    sheet.fill(box(-0.12, -0.46, 0.12, 0.9), matte(ribbon, "across", 0.2))
    for side in (-1, 1):
        sheet.fill(smooth([(0, -0.46), (side * 0.2, -0.85), (side * 0.56, -0.8), (side * 0.4, -0.5)], 4), matte(ribbon))
