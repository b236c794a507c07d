"""Firearms, and what is mistaken for them: water guns, foam blasters, hair dryers, drills, glue guns, spray bottles."""

import random

from .paint import BLACK, GOLD, GUNMETAL, STEEL, WOODS, Colour, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import arc, box, moved, oval, ring, smooth, star
from .sheet import Sheet
from .things import thing

FINISHES: list[Colour] = [GUNMETAL, BLACK, BLACK, STEEL, (120, 116, 104), (150, 132, 98), (84, 88, 70)]


def _grip(sheet: Sheet, chance: random.Random, x: float, y: float, height: float, paint) -> None:
    lean = chance.uniform(0.1, 0.22)
    outline = [(x - 0.13, y), (x + 0.15, y), (x + 0.11 - lean * 0.6, y + height * 0.55), (x + 0.13 - lean, y + height), (x - 0.2 - lean, y + height), (x - 0.16 - lean * 0.4, y + height * 0.4)]
    sheet.fill(smooth(outline, 4), paint)
    for i in range(chance.randint(0, 5)):
        at = y + height * (0.25 + 0.12 * i)
        sheet.line([(x - 0.12 - lean * 0.6, at), (x + 0.06 - lean * 0.5, at + 0.03)], 0.014, shade(BLACK, 0.6))


def _trigger(sheet: Sheet, x: float, y: float, colour: Colour) -> None:
    sheet.fill(ring(x, y, 0.14, 0.105, -10, 190), flat(shade(colour, 0.7)))
    sheet.line(arc(x - 0.06, y + 0.01, 0.09, -40, 70), 0.035, shade(colour, 0.5))


@thing(label="firearm", turn=24)
def pistol(sheet: Sheet, chance: random.Random) -> None:
    body, slide = near(chance, chance.choice(FINISHES), 10), near(chance, chance.choice(FINISHES), 10)
    length, depth = chance.uniform(0.72, 0.95), chance.uniform(0.2, 0.28)
    wood = chance.random() < 0.25
    _grip(sheet, chance, 0.42, 0.0, chance.uniform(0.66, 0.82), matte(near(chance, chance.choice(WOODS) if wood else body), "across", 0.4))
    _trigger(sheet, 0.14, 0.09, body)
    sheet.fill([(-length, -0.02), (0.6, -0.02), (0.62, 0.1), (0.28, 0.12), (-0.1, 0.1), (-length + 0.06, 0.08)], matte(body, "down", 0.35))
    if chance.random() < 0.4:
        sheet.fill(box(-length + 0.06, 0.08, -length + 0.4, 0.2, 0.03), matte(shade(body, 0.8)))
    top = -0.02 - depth
    sheet.fill([(-length, top), (0.58, top), (0.66, top + 0.07), (0.64, 0.0), (-length, 0.0)], metal(slide))
    sheet.fill(oval(-length + 0.01, top + depth * 0.5, 0.03, 0.06), flat(shade(BLACK, 0.4)))
    for i in range(chance.randint(4, 8)):
        sheet.line([(0.32 + 0.035 * i, top + 0.03), (0.3 + 0.035 * i, -0.03)], 0.014, shade(slide, 0.45))
    sheet.fill(box(-0.22, top + 0.02, 0.1, top + depth * 0.45, 0.02), flat(shade(slide, 0.4)))
    sheet.fill(box(-length + 0.04, top - 0.05, -length + 0.1, top), flat(shade(slide, 0.5)))
    sheet.fill(box(0.46, top - 0.05, 0.54, top), flat(shade(slide, 0.5)))
    if chance.random() < 0.2:
        sheet.fill(box(-length - 0.45, top + 0.02, -length, -0.04, 0.03), gloss(shade(slide, 0.9), "down"))


@thing(label="firearm", turn=24)
def revolver(sheet: Sheet, chance: random.Random) -> None:
    steel = near(chance, chance.choice([STEEL, GUNMETAL, BLACK, (188, 188, 186)]), 10)
    grip = near(chance, chance.choice([*WOODS, BLACK]), 10)
    length = chance.uniform(0.45, 1.0)
    outline = [(0.35, -0.05), (0.6, 0.0), (0.66, 0.2), (0.78, 0.66), (0.62, 0.78), (0.46, 0.7), (0.4, 0.3), (0.25, 0.12)]
    sheet.fill(smooth(outline, 4), matte(grip, "across", 0.45))
    _trigger(sheet, 0.16, 0.17, steel)
    sheet.fill([(-0.2, -0.34), (0.42, -0.34), (0.6, -0.06), (0.44, 0.16), (-0.02, 0.2), (-0.2, 0.1)], matte(shade(steel, 0.9), "down", 0.35))
    sheet.fill(box(-length, -0.32, -0.15, -0.14, 0.02), metal(steel))
    if chance.random() < 0.6:
        sheet.fill(box(-length + 0.05, -0.14, -0.15, -0.05, 0.03), matte(shade(steel, 0.75)))
    sheet.fill(box(-0.16, -0.3, 0.24, 0.1, 0.05), gloss(steel, "down"))
    for y in (-0.22, -0.1, 0.02):
        sheet.fill(box(-0.13, y, 0.14, y + 0.05, 0.025), flat(shade(steel, 0.45)))
    sheet.fill([(0.44, -0.3), (0.6, -0.46), (0.66, -0.4), (0.56, -0.2)], matte(shade(steel, 0.7)))
    sheet.fill([(-length + 0.02, -0.32), (-length + 0.1, -0.4), (-length + 0.16, -0.32)], flat(shade(steel, 0.5)))


@thing(label="firearm", turn=26)
def assault_rifle(sheet: Sheet, chance: random.Random) -> None:
    body = near(chance, chance.choice([BLACK, BLACK, GUNMETAL, (150, 132, 98), (84, 88, 70)]), 8)
    furniture = near(chance, chance.choice([body, body, *WOODS[:3]]), 8)
    sheet.line([(-1.0, -0.03), (-0.4, -0.03)], 0.045, metal(shade(body, 1.15)))
    sheet.fill(box(-1.02, -0.065, -0.92, 0.0), flat(shade(body, 0.7)))
    sheet.fill(box(-0.72, -0.1, -0.22, 0.06, 0.03), matte(furniture, "down", 0.4))
    for i in range(4):
        sheet.fill(box(-0.68 + 0.11 * i, -0.04, -0.62 + 0.11 * i, 0.0, 0.02), flat(shade(furniture, 0.5)))
    sheet.fill([(-0.24, -0.14), (0.34, -0.14), (0.4, 0.02), (0.3, 0.1), (-0.24, 0.08)], matte(body, "down", 0.35))
    bend = chance.uniform(0.02, 0.2)
    magazine = [(-0.14, 0.06), (0.04, 0.06), (0.0 - bend * 0.4, 0.28), (-0.06 - bend, 0.5), (-0.24 - bend, 0.45), (-0.17 - bend * 0.3, 0.24)]
    sheet.fill(magazine, matte(shade(body, 0.85), "across", 0.4))
    sheet.fill([(0.2, 0.08), (0.32, 0.08), (0.42, 0.38), (0.3, 0.4)], matte(furniture, "across", 0.3))
    sheet.fill(ring(0.13, 0.1, 0.09, 0.065, 0, 180), flat(shade(body, 0.6)))
    if chance.random() < 0.5:
        sheet.fill([(0.36, -0.1), (0.98, -0.12), (1.0, 0.22), (0.86, 0.22), (0.6, 0.04), (0.36, 0.04)], matte(furniture, "down", 0.35))
    else:
        sheet.line([(0.36, -0.06), (0.75, -0.06)], 0.06, metal(shade(body, 1.1)))
        sheet.fill([(0.7, -0.12), (0.98, -0.12), (1.0, 0.2), (0.9, 0.2), (0.7, 0.02)], matte(furniture, "down", 0.35))
    _sights(sheet, chance, body)


def _sights(sheet: Sheet, chance: random.Random, body: Colour) -> None:
    if chance.random() < 0.5:
        sheet.fill(box(-0.12, -0.28, 0.24, -0.18, 0.04), gloss(shade(body, 1.1), "down"))
        sheet.fill(box(-0.2, -0.3, -0.1, -0.16, 0.04), gloss(body, "down"))
        sheet.fill(box(-0.02, -0.2, 0.03, -0.13), flat(body))
        sheet.fill(box(0.12, -0.2, 0.17, -0.13), flat(body))
    else:
        sheet.fill([(-0.8, -0.05), (-0.77, -0.2), (-0.73, -0.2), (-0.7, -0.05)], flat(shade(body, 0.8)))
        sheet.fill(box(0.2, -0.22, 0.27, -0.12), flat(shade(body, 0.8)))


@thing(label="firearm", turn=26)
def shotgun(sheet: Sheet, chance: random.Random) -> None:
    wood, steel = near(chance, chance.choice([*WOODS, BLACK]), 8), near(chance, chance.choice([GUNMETAL, BLACK, STEEL]), 8)
    sheet.line([(-1.0, -0.09), (0.12, -0.07)], 0.06, metal(steel))
    sheet.line([(-0.98, -0.03), (0.12, -0.01)], 0.06, metal(shade(steel, 0.85)))
    sheet.fill([(-0.5, -0.03), (-0.12, -0.02), (-0.12, 0.07), (-0.48, 0.05)], matte(wood, "down", 0.4))
    sheet.fill([(0.05, -0.12), (0.36, -0.1), (0.42, 0.06), (0.1, 0.08)], matte(steel, "down", 0.4))
    sheet.fill(ring(0.28, 0.07, 0.08, 0.055, 0, 180), flat(shade(steel, 0.6)))
    stock = [(0.34, -0.09), (0.5, -0.04), (0.98, 0.0), (1.0, 0.3), (0.9, 0.31), (0.5, 0.1), (0.4, 0.1)]
    sheet.fill(smooth(stock, 3), matte(wood, "down", 0.4))
    sheet.fill(oval(-0.99, -0.14, 0.014), flat(GOLD))


@thing(resembles="firearm", turn=24)
def water_gun(sheet: Sheet, chance: random.Random) -> None:
    one, two, tip = hue(chance, (0.7, 1), (0.75, 1)), hue(chance, (0.7, 1), (0.75, 1)), (245, 120, 30)
    _grip(sheet, chance, 0.42, 0.0, 0.72, matte(two, "across"))
    sheet.fill(ring(0.14, 0.1, 0.17, 0.11, 0, 180), flat(one))
    body = [(-0.7, -0.2), (0.1, -0.3), (0.6, -0.22), (0.66, 0.04), (0.2, 0.12), (-0.6, 0.06)]
    sheet.fill(smooth(body, 5), gloss(one, "down"))
    sheet.fill(box(-0.92, -0.13, -0.66, 0.0, 0.04), gloss(tip, "down"))
    sheet.fill(smooth([(-0.2, -0.3), (-0.1, -0.64), (0.36, -0.64), (0.46, -0.28), (0.1, -0.22)], 5), gloss((90, 190, 240), "across", 190))
    sheet.fill(box(0.02, -0.76, 0.22, -0.62, 0.03), gloss(two, "across"))
    sheet.fill(star(-0.2, -0.06, 0.1, 0.05, 5), flat((255, 236, 90)))


@thing(resembles="firearm", turn=24)
def foam_blaster(sheet: Sheet, chance: random.Random) -> None:
    one, two = hue(chance, (0.7, 1), (0.7, 1)), hue(chance, (0.7, 1), (0.8, 1))
    _grip(sheet, chance, 0.36, 0.05, 0.6, matte(two, "across"))
    sheet.fill([(-0.7, -0.3), (0.5, -0.34), (0.62, -0.1), (0.5, 0.14), (-0.3, 0.14), (-0.7, 0.02)], matte(one, "down", 0.3))
    sheet.fill(box(-0.96, -0.24, -0.66, -0.02, 0.04), gloss((250, 120, 20), "down"))
    sheet.fill(oval(-0.3, -0.1, 0.22), gloss(two, "across"))
    for i in range(5):
        sheet.fill(oval(*moved([(0.13, 0)], -0.3, -0.1, 72 * i)[0], 0.04), flat((250, 130, 40)))
    sheet.fill([(0.0, -0.26), (0.44, -0.28), (0.4, -0.14), (0.04, -0.12)], flat((250, 245, 235)))
    sheet.write(chance.choice(["BLAST", "X-SHOT", "FOAM", "ZAP"]), 0.04, -0.26, 0.4, -0.14, shade(one, 0.5))
    sheet.fill(ring(0.1, 0.16, 0.15, 0.09, 0, 180), flat(one))


@thing(resembles="firearm", turn=30)
def hair_dryer(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([BLACK, (232, 228, 226), (222, 120, 150), (120, 60, 140), product_colour(chance)])
    accent = chance.choice([GOLD, STEEL, shade(colour, 0.5), (200, 60, 110)])
    if chance.random() < 0.7:
        sheet.line(smooth([(0.3, 0.7), (0.5, 0.95), (0.75, 0.8), (0.9, 1.0), (0.75, 0.84), (0.48, 1.0)], 3)[:14], 0.035, BLACK)
    sheet.fill([(0.12, 0.0), (0.42, 0.0), (0.38, 0.75), (0.2, 0.78)], gloss(colour, "across"))
    sheet.fill(box(0.21, 0.25, 0.3, 0.45, 0.03), flat(accent))
    body = [(-0.55, -0.3), (0.1, -0.44), (0.5, -0.42), (0.68, -0.2), (0.55, 0.06), (0.1, 0.1), (-0.55, 0.0)]
    sheet.fill(smooth(body, 5), gloss(colour, "down"))
    sheet.fill([(-0.9, -0.36), (-0.52, -0.28), (-0.52, -0.02), (-0.9, 0.06)], matte(shade(BLACK, 1.1), "down"))
    sheet.fill(oval(0.62, -0.17, 0.07, 0.2), matte(accent))
    sheet.line([(-0.5, -0.3), (-0.5, 0.01)], 0.03, accent)


@thing(resembles="firearm", turn=20)
def power_drill(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([(240, 190, 30), (20, 120, 130), (200, 40, 40), (50, 150, 60), (235, 120, 25)])
    sheet.fill([(0.08, 0.0), (0.4, 0.0), (0.46, 0.55), (0.16, 0.58)], matte(BLACK, "across", 0.4))
    sheet.fill(box(-0.06, 0.54, 0.62, 0.84, 0.05), matte(chance.choice([BLACK, colour]), "down", 0.3))
    sheet.fill(box(-0.35, -0.34, 0.56, 0.06, 0.12), matte(colour, "down", 0.35))
    sheet.fill(box(0.4, -0.3, 0.62, 0.02, 0.08), matte(BLACK))
    sheet.fill([(-0.62, -0.24), (-0.35, -0.3), (-0.35, 0.02), (-0.62, -0.06)], metal(shade(BLACK, 1.2)))
    sheet.line([(-1.0, -0.15), (-0.6, -0.15)], 0.05, metal(STEEL), 1.0)
    sheet.fill([(0.02, 0.06), (0.1, 0.06), (0.1, 0.24), (0.02, 0.18)], flat(chance.choice([(200, 40, 30), BLACK])))
    sheet.write(chance.choice(["18V", "20V MAX", "PRO", "TOOLS"]), -0.2, -0.22, 0.34, -0.05, chance.choice([BLACK, (240, 240, 240)]))


@thing(resembles="firearm", turn=20)
def glue_gun(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([(40, 90, 190), (220, 60, 50), (70, 70, 76), (250, 170, 30), (60, 150, 90), (225, 110, 160)])
    sheet.line([(0.5, -0.16), (0.98, -0.18)], 0.1, gloss((236, 230, 205), "down"))
    _grip(sheet, chance, 0.36, 0.0, 0.66, matte(colour, "across", 0.3))
    sheet.fill([(-0.45, -0.3), (0.56, -0.32), (0.6, -0.02), (0.2, 0.08), (-0.45, -0.02)], matte(colour, "down", 0.3))
    sheet.fill([(-0.7, -0.2), (-0.45, -0.26), (-0.45, -0.05), (-0.7, -0.12)], matte((225, 160, 40)))
    sheet.fill([(-0.86, -0.17), (-0.7, -0.2), (-0.7, -0.12), (-0.86, -0.15)], metal(GOLD))
    sheet.fill(smooth([(0.12, 0.06), (0.22, 0.06), (0.2, 0.3), (0.1, 0.24)], 3), flat(shade(colour, 0.5)))
    sheet.line([(-0.3, 0.0), (-0.36, 0.45)], 0.025, STEEL)


@thing(resembles="firearm", turn=14)
def spray_bottle(sheet: Sheet, chance: random.Random) -> None:
    liquid, head = hue(chance, (0.3, 0.9), (0.7, 1)), chance.choice([(240, 240, 240), (200, 40, 40), BLACK, (40, 90, 200)])
    sheet.fill(smooth([(-0.14, -0.3), (0.14, -0.3), (0.4, 0.0), (0.4, 0.94), (-0.4, 0.94), (-0.4, 0.0)], 5), gloss(liquid, "across", 225))
    sheet.fill(box(-0.14, -0.46, 0.14, -0.26, 0.02), gloss(head))
    sheet.fill([(-0.6, -0.8), (0.3, -0.84), (0.36, -0.62), (0.12, -0.44), (-0.14, -0.44), (-0.3, -0.62), (-0.6, -0.66)], matte(head, "down", 0.25))
    sheet.line([(-0.26, -0.62), (-0.44, -0.3)], 0.07, shade(head, 0.8))
    sheet.fill(box(-0.3, 0.2, 0.3, 0.7, 0.04), flat((250, 250, 248)))
    sheet.write(chance.choice(["CLEAN", "FRESH", "GLASS\nCLEANER", "HOME"]), -0.24, 0.28, 0.24, 0.6, shade(liquid, 0.5))
