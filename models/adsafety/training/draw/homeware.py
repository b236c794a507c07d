"""Furniture, kitchen things, electronics, tools. All safe."""

import random

from .paint import BLACK, GOLD, STEEL, WHITE, WOODS, ball, fade, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import arc, box, moved, oval, ring, smooth
from .sheet import Sheet
from .things import thing


@thing(turn=5)
def chair(sheet: Sheet, chance: random.Random) -> None:
    seat, legs = product_colour(chance), near(chance, chance.choice([*WOODS, BLACK, STEEL]), 8)
    for x in (-0.45, 0.45, -0.3, 0.34):
        sheet.line([(x, 0.1), (x * 1.15, 0.95 if abs(x) > 0.4 else 0.8)], 0.07, gloss(legs))
    sheet.fill(box(-0.48, -0.95, 0.48, -0.05, chance.uniform(0.05, 0.3)), matte(seat, "down", 0.25))
    sheet.fill(smooth([(-0.5, 0.0), (0.5, 0.0), (0.6, 0.2), (-0.6, 0.2)], 3), matte(shade(seat, 0.85), "down", 0.3))


@thing(turn=4)
def sofa(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    for x in (-0.8, 0.8):
        sheet.fill(box(x - 0.05, 0.5, x + 0.05, 0.65), flat(chance.choice(WOODS)))
    sheet.fill(box(-0.85, -0.5, 0.85, 0.3, 0.15), matte(colour, "down", 0.2))
    sheet.fill(box(-0.8, 0.05, 0.0, 0.3, 0.08), matte(shade(colour, 1.1), "down", 0.2))
    sheet.fill(box(0.0, 0.05, 0.8, 0.3, 0.08), matte(shade(colour, 1.1), "down", 0.2))
    sheet.fill(box(-0.85, 0.25, 0.85, 0.54, 0.06), matte(shade(colour, 0.85)))
    for x in (-0.98, 0.76):
        sheet.fill(box(x, -0.15, x + 0.22, 0.54, 0.1), matte(shade(colour, 0.92), "down", 0.3))
    if chance.random() < 0.5:
        sheet.fill(moved(box(-0.2, -0.2, 0.2, 0.2, 0.06), -0.45, -0.08, 15), matte(hue(chance)))
    sheet.texture("cloth", 0.12, chance)


@thing(turn=4)
def table(sheet: Sheet, chance: random.Random) -> None:
    wood = near(chance, chance.choice([*WOODS, WHITE]), 10)
    for x in (-0.8, 0.8, -0.6, 0.6):
        sheet.line([(x, -0.2), (x, 0.8 if abs(x) > 0.7 else 0.6)], 0.07, matte(shade(wood, 0.8), "across"))
    sheet.fill([(-0.75, -0.42), (0.75, -0.42), (0.98, -0.16), (-0.98, -0.16)], matte(wood, "across", 0.2))
    sheet.fill(box(-0.98, -0.16, 0.98, -0.06), flat(shade(wood, 0.7)))
    sheet.texture("wood", 0.2, chance)


@thing(turn=4)
def desk_lamp(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(oval(0, 0.88, 0.4, 0.09), matte(colour))
    if chance.random() < 0.5:
        sheet.line([(0.0, 0.85), (0.0, -0.2)], 0.06, metal(chance.choice([STEEL, GOLD]), "across"))
        sheet.fill([(-0.32, -0.9), (0.32, -0.9), (0.56, -0.15), (-0.56, -0.15)], matte(chance.choice([(244, 234, 210), colour]), "across", 0.3))
    else:
        sheet.line([(0.0, 0.85), (0.4, 0.1), (-0.1, -0.6)], 0.06, metal(STEEL))
        sheet.fill(moved([(-0.12, -0.2), (0.12, -0.2), (0.4, 0.3), (-0.4, 0.3)], -0.28, -0.55, 40), matte(colour, "across", 0.3))


@thing(turn=10)
def smartphone(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(box(-0.46, -0.95, 0.46, 0.95, 0.1), metal(chance.choice([BLACK, STEEL, GOLD]), "across"))
    sheet.fill(box(-0.42, -0.9, 0.42, 0.9, 0.08), fade(hue(chance), hue(chance)))
    sheet.fill(box(-0.1, -0.87, 0.1, -0.82, 0.02), flat(BLACK))
    for i in range(chance.choice([0, 12])):
        x, y = -0.34 + 0.24 * (i % 3), -0.4 + 0.28 * (i // 3)
        sheet.fill(box(x, y, x + 0.18, y + 0.18, 0.05), flat(hue(chance)))


@thing(turn=6)
def laptop(sheet: Sheet, chance: random.Random) -> None:
    body = chance.choice([STEEL, (60, 62, 66), GOLD, WHITE])
    sheet.fill(box(-0.76, -0.7, 0.76, 0.35, 0.04), matte(shade(BLACK, 1.05)))
    sheet.fill(box(-0.7, -0.64, 0.7, 0.28), fade(hue(chance), hue(chance)))
    sheet.fill([(-0.76, 0.36), (0.76, 0.36), (0.98, 0.66), (-0.98, 0.66)], metal(body))
    sheet.fill([(-0.64, 0.4), (0.64, 0.4), (0.72, 0.52), (-0.72, 0.52)], flat(shade(body, 0.4)))


@thing(turn=4)
def television(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(box(-0.98, -0.62, 0.98, 0.5, 0.02), flat(BLACK))
    sheet.fill(box(-0.94, -0.58, 0.94, 0.46), fade(hue(chance), hue(chance), "across"))
    sheet.fill([(-0.94, 0.46), (-0.94, 0.2), (-0.4, -0.1), (0.1, 0.25), (0.5, 0.0), (0.94, 0.3), (0.94, 0.46)], flat(hue(chance, value=(0.2, 0.5))))
    sheet.fill([(-0.2, 0.5), (0.2, 0.5), (0.36, 0.66), (-0.36, 0.66)], flat(shade(BLACK, 1.2)))


@thing(turn=8)
def headphones(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(ring(0, 0.1, 0.86, 0.74, 180, 360), matte(colour))
    for side in (-1, 1):
        sheet.fill(oval(side * 0.74, 0.3, 0.24, 0.4), matte(BLACK))
        sheet.fill(oval(side * 0.82, 0.3, 0.18, 0.36), gloss(colour))


@thing(resembles="placeholder", turn=6)
def photo_camera(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([BLACK, BLACK, STEEL, (120, 74, 40), product_colour(chance)])
    sheet.fill(box(-0.3, -0.66, 0.3, -0.4, 0.05), matte(shade(colour, 0.8)))
    sheet.fill(box(-0.9, -0.48, 0.9, 0.6, 0.1), matte(colour, "down", 0.35))
    sheet.fill(box(-0.9, -0.48, 0.9, -0.28, 0.06), metal(STEEL if chance.random() < 0.5 else shade(colour, 1.2)))
    sheet.fill(oval(0, 0.08, 0.46), metal(shade(BLACK, 1.15)))
    sheet.fill(oval(0, 0.08, 0.36), flat(BLACK))
    sheet.fill(oval(0, 0.08, 0.26), ball((50, 60, 110)))
    sheet.fill(oval(-0.1, -0.03, 0.06), flat((220, 226, 250)))
    sheet.fill(box(0.5, -0.62, 0.72, -0.48, 0.03), metal(STEEL))


@thing(resembles="placeholder", turn=4)
def framed_landscape(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(box(-0.95, -0.75, 0.95, 0.75), matte(chance.choice([BLACK, GOLD, *WOODS, WHITE]), "down", 0.3))
    sheet.fill(box(-0.84, -0.64, 0.84, 0.64), fade((120, 180, 230), (240, 220, 180)))
    sheet.fill(oval(chance.uniform(-0.5, 0.5), -0.3, 0.12), flat((255, 230, 140)))
    sheet.fill([(-0.84, 0.64), (-0.84, 0.1), (-0.4, -0.3), (0.0, 0.15), (0.4, -0.2), (0.84, 0.2), (0.84, 0.64)], matte((80, 110, 90), "down", 0.4))
    sheet.fill([(-0.84, 0.64), (-0.84, 0.4), (0.84, 0.3), (0.84, 0.64)], matte((90, 150, 70), "down", 0.3))


@thing(resembles="placeholder", turn=6)
def cardboard_box(sheet: Sheet, chance: random.Random) -> None:
    board = near(chance, (190, 148, 100), 12)
    sheet.fill([(-0.9, -0.4), (0.0, -0.1), (0.0, 0.9), (-0.9, 0.55)], matte(shade(board, 0.85), "down", 0.15))
    sheet.fill([(0.0, -0.1), (0.9, -0.4), (0.9, 0.55), (0.0, 0.9)], matte(board, "down", 0.15))
    sheet.fill([(-0.9, -0.4), (0.0, -0.75), (0.9, -0.4), (0.0, -0.1)], matte(shade(board, 1.15)))
    sheet.fill([(-0.5, -0.56), (-0.38, -0.6), (0.5, -0.28), (0.4, -0.23)], flat((214, 186, 140)))


@thing(turn=14)
def hammer(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(box(-0.08, -0.6, 0.08, 0.95, 0.05), matte(chance.choice([*WOODS, (200, 40, 30), BLACK]), "across", 0.4))
    sheet.fill([(-0.55, -0.85), (-0.3, -0.78), (0.3, -0.78), (0.3, -0.5), (-0.2, -0.5), (-0.6, -0.6)], metal(STEEL))
    sheet.fill(box(0.28, -0.84, 0.5, -0.44, 0.03), metal(shade(STEEL, 0.8), "across"))


@thing(turn=60)
def wrench(sheet: Sheet, chance: random.Random) -> None:
    steel = near(chance, STEEL, 10)
    sheet.fill(box(-0.7, -0.09, 0.7, 0.09), metal(steel))
    sheet.fill(ring(0.78, 0, 0.24, 0.12), metal(steel))
    sheet.fill(ring(-0.76, 0, 0.26, 0.13, -130, 130), metal(steel))


@thing(turn=8)
def frying_pan(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([BLACK, STEEL, (190, 50, 40), product_colour(chance)])
    sheet.line([(0.3, 0.0), (0.98, 0.0)], 0.12, gloss(chance.choice([BLACK, *WOODS]), "down"))
    sheet.fill(oval(-0.3, 0, 0.66, 0.6), matte(colour, "down", 0.4))
    sheet.fill(oval(-0.3, 0, 0.56, 0.5), matte(shade(BLACK, 1.1), "down", -0.3))


@thing(turn=6)
def cooking_pot(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([STEEL, (190, 40, 36), product_colour(chance)])
    for x in (-0.8, 0.8):
        sheet.fill(ring(x, 0.05, 0.16, 0.09), matte(BLACK))
    sheet.fill(box(-0.78, -0.25, 0.78, 0.7, 0.14), gloss(colour))
    sheet.fill([*arc(0, -0.22, 0.8, 180, 360, 0.35)], metal(shade(colour, 1.1), "across"))
    sheet.fill(oval(0, -0.55, 0.1, 0.07), matte(BLACK))


@thing(turn=5)
def potted_plant(sheet: Sheet, chance: random.Random) -> None:
    green = near(chance, (60, 130, 60), 20)
    for i in range(chance.randint(5, 11)):
        leaf = smooth([(0, 0), (0.16, -0.4), (0, -0.95), (-0.16, -0.4)], 4)
        sheet.fill(moved(leaf, chance.uniform(-0.1, 0.1), 0.25, -70 + 14 * i + chance.uniform(-6, 6), chance.uniform(0.8, 1.15)), matte(near(chance, green, 16), "down", 0.35))
    sheet.fill([(-0.42, 0.2), (0.42, 0.2), (0.32, 0.95), (-0.32, 0.95)], gloss(chance.choice([(190, 100, 60), WHITE, product_colour(chance)]), shine=0.3))


@thing(turn=5)
def cushion(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(smooth([(-0.9, -0.9), (0, -0.76), (0.9, -0.9), (0.76, 0), (0.9, 0.9), (0, 0.76), (-0.9, 0.9), (-0.76, 0)], 5), matte(colour, "down", 0.3))
    for i in range(chance.choice([0, 5])):
        sheet.fill(box(-0.8, -0.66 + 0.28 * i, 0.8, -0.54 + 0.28 * i), flat(shade(colour, 1.4), 160))
    sheet.texture("cloth", 0.25, chance)
