"""Bottles, glasses, cans and jars that hold no alcohol."""

import random

from .drinks import paper_label
from .paint import BLACK, GOLD, STEEL, WHITE, WOODS, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import arc, box, moved, oval, ring, smooth, turned
from .sheet import Sheet
from .things import thing


@thing(resembles="alcohol", turn=14)
def olive_oil(sheet: Sheet, chance: random.Random) -> None:
    glass = near(chance, chance.choice([(70, 90, 36), (180, 170, 50), (206, 190, 60)]), 10)
    half = chance.uniform(0.22, 0.28)
    square = chance.random() < 0.5
    sheet.fill(turned([(-0.74, 0.08), (-0.42, 0.09), (-0.2 if square else -0.3, half * 0.94), (-0.1, half), (0.94, half), (0.97, half * 0.9)], 0 if square else 5), gloss(glass))
    sheet.fill(box(-0.1, -0.86, 0.1, -0.72, 0.02), gloss(near(chance, chance.choice([BLACK, GOLD, (70, 90, 40)]), 6)))
    if chance.random() < 0.6:
        sheet.fill([(-0.035, -1.0), (0.09, -0.98), (0.05, -0.86), (-0.05, -0.86)], metal(STEEL))
    paper_label(sheet, chance, (-half, 0.1, half, 0.75), ["OLIVE OIL", "OLIO", "ACEITE", "EXTRA\nVIRGIN"], near(chance, chance.choice([(240, 236, 206), WHITE, (226, 220, 160)]), 5), (60, 84, 30))
    for dx, dy in ((-0.1, 0.62), (0.02, 0.66)):
        sheet.fill(moved(oval(0, 0, 0.05, 0.08), dx, dy, 30), flat((92, 112, 40)))


@thing(resembles="alcohol", turn=14)
def juice_bottle(sheet: Sheet, chance: random.Random) -> None:
    fruit = chance.choice([(250, 150, 30), (250, 190, 40), (210, 50, 60), (140, 190, 60), (150, 50, 120)])
    half = chance.uniform(0.28, 0.36)
    sheet.fill(turned([(-0.78, 0.17), (-0.62, 0.18), (-0.38, half), (0.1, half * 0.93), (0.3, half), (0.92, half), (0.97, half * 0.85)], 5), gloss(near(chance, fruit, 10), shine=0.5))
    sheet.fill(box(-0.19, -0.96, 0.19, -0.74, 0.03), gloss(chance.choice([WHITE, shade(fruit, 0.7), (60, 150, 60), (240, 120, 30)])))
    sheet.fill(box(-half, -0.16, half, 0.56, 0.02), gloss(WHITE, shine=0.2))
    sheet.write(chance.choice(["JUICE", "ORANGE", "APPLE", "FRUIT", "MANGO", "SMOOTHIE"]), -half + 0.04, -0.1, half - 0.04, 0.1, shade(fruit, 0.7))
    sheet.fill(oval(0, 0.34, 0.17), flat(fruit))
    sheet.fill(moved(oval(0, 0, 0.05, 0.1), 0.1, 0.16, 50), flat((60, 150, 60)))


@thing(resembles="alcohol", turn=14)
def water_bottle(sheet: Sheet, chance: random.Random) -> None:
    tint, cap = near(chance, (200, 224, 240), 8), chance.choice([(40, 110, 210), WHITE, (30, 160, 200), (220, 50, 60)])
    sheet.fill(turned([(-0.8, 0.11), (-0.7, 0.12), (-0.42, 0.28), (-0.1, 0.26), (0.0, 0.28), (0.9, 0.28), (0.97, 0.24)], 5), gloss(tint, opacity=190))
    for i in range(5):
        y = 0.42 + 0.1 * i
        sheet.line([(-0.27, y), (0.27, y)], 0.02, flat((255, 255, 255), 130))
    sheet.fill(box(-0.13, -0.96, 0.13, -0.78, 0.03), gloss(cap))
    sheet.fill(box(-0.28, -0.16, 0.28, 0.32), gloss(near(chance, chance.choice([(40, 110, 210), (60, 170, 220), (230, 240, 250)]), 8)))
    sheet.write(chance.choice(["WATER", "AQUA", "SPRING", "PURE"]), -0.22, -0.06, 0.22, 0.16, chance.choice([WHITE, (20, 40, 120)]))


@thing(resembles="alcohol", turn=14)
def shampoo(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    half = chance.uniform(0.3, 0.42)
    sheet.fill(turned([(-0.55, 0.14), (-0.45, half * 0.8), (-0.3, half), (0.7, half), (0.94, half * 0.9)], 5), gloss(colour, shine=0.45))
    cap = chance.choice([shade(colour, 0.6), WHITE, BLACK, GOLD])
    if chance.random() < 0.5:
        sheet.fill(box(-0.07, -0.86, 0.07, -0.5), gloss(cap))
        sheet.fill([(-0.36, -0.98), (0.16, -0.98), (0.16, -0.86), (-0.3, -0.88)], matte(cap))
        sheet.fill(box(-0.16, -0.64, 0.16, -0.5, 0.02), gloss(cap))
    else:
        sheet.fill(box(-half * 0.55, -0.88, half * 0.55, -0.52, 0.05), gloss(cap))
    paper_label(sheet, chance, (-half * 0.8, -0.1, half * 0.8, 0.6), ["SHAMPOO", "HAIR", "CARE", "SHOWER\nGEL", "ALOE"], near(chance, chance.choice([WHITE, shade(colour, 1.4)]), 5), chance.choice([shade(colour, 0.45), BLACK]))


@thing(resembles="alcohol", turn=12)
def perfume(sheet: Sheet, chance: random.Random) -> None:
    liquid = near(chance, chance.choice([(244, 200, 150), (240, 170, 190), (200, 220, 240), (220, 170, 80), (190, 160, 220)]), 10)
    cap = near(chance, chance.choice([GOLD, BLACK, (200, 200, 206), WHITE]), 8)
    kind = chance.random()
    half = chance.uniform(0.4, 0.6)
    body = oval(0, 0.3, half, 0.58) if kind < 0.35 else box(-half, -0.25, half, 0.88, chance.uniform(0.04, 0.2))
    sheet.fill(body, gloss((228, 232, 234), opacity=215))
    inner = oval(0, 0.32, half * 0.84, 0.46) if kind < 0.35 else box(-half * 0.84, -0.06, half * 0.84, 0.76, 0.06)
    sheet.fill(inner, gloss(liquid, "across", 230))
    sheet.fill(box(-0.12, -0.42, 0.12, -0.24), metal(GOLD, "across"))
    sheet.fill(box(-0.2, -0.88, 0.2, -0.4, chance.choice([0.02, 0.18])), gloss(cap))
    sheet.write(chance.choice(["EAU", "FLEUR", "PARFUM", "ROSE", "No 7", "AMBRE"]), -half * 0.6, 0.2, half * 0.6, 0.42, chance.choice([BLACK, (120, 90, 40)]))


@thing(resembles="alcohol", turn=12)
def jam_jar(sheet: Sheet, chance: random.Random) -> None:
    jam = near(chance, chance.choice([(170, 20, 40), (230, 120, 20), (90, 20, 60), (210, 160, 40), (120, 70, 30)]), 10)
    sheet.fill(turned([(-0.6, 0.44), (-0.45, 0.56), (0.8, 0.56), (0.9, 0.48)], 4), gloss(jam, shine=0.5))
    lid = near(chance, chance.choice([GOLD, (200, 40, 40), WHITE, STEEL]), 8)
    sheet.fill(box(-0.48, -0.84, 0.48, -0.56, 0.04), gloss(lid))
    if chance.random() < 0.4:
        for i in range(6):
            sheet.fill(box(-0.48 + 0.16 * i, -0.84, -0.4 + 0.16 * i, -0.56), flat((200, 40, 40), 150))
    paper_label(sheet, chance, (-0.44, -0.14, 0.44, 0.56), ["JAM", "HONEY", "CONFITURE", "PESTO", "CHERRY"], (248, 242, 226), shade(jam, 0.7))


@thing(resembles="alcohol", turn=14)
def soda_can(sheet: Sheet, chance: random.Random) -> None:
    colour = hue(chance, (0.75, 1), (0.7, 1))
    sheet.fill(turned([(-0.84, 0.34), (-0.74, 0.42), (0.76, 0.42), (0.86, 0.35)]), gloss(colour))
    sheet.fill(oval(0, -0.84, 0.34, 0.06), metal((196, 198, 202)))
    sheet.fill(oval(0, 0.86, 0.35, 0.05), metal((150, 152, 156)))
    other = chance.choice([WHITE, hue(chance, (0.6, 1), (0.8, 1))])
    sheet.fill(smooth([(-0.42, 0.1), (-0.1, -0.1), (0.42, 0.1), (0.42, 0.4), (0.05, 0.24), (-0.42, 0.5)], 4), flat(other))
    sheet.write(chance.choice(["SODA", "COLA", "LEMON", "FIZZ", "TONIC", "ORANGE"]), -0.36, -0.5, 0.36, -0.16, WHITE)
    for _ in range(chance.randint(3, 9)):
        sheet.fill(oval(chance.uniform(-0.36, 0.36), chance.uniform(0.3, 0.7), chance.uniform(0.02, 0.05)), flat((255, 255, 255), 170))


@thing(resembles="alcohol", turn=10)
def glass_of_water(sheet: Sheet, chance: random.Random) -> None:
    drink = chance.choice([(206, 226, 238), (206, 226, 238), (250, 160, 40), (250, 246, 238), (130, 200, 90), (226, 70, 90)])
    sheet.fill(turned([(-0.8, 0.42), (0.84, 0.34), (0.9, 0.3)]), gloss((222, 230, 234), opacity=150))
    level = chance.uniform(-0.6, -0.2)
    sheet.fill(turned([(level, 0.38), (0.76, 0.31)]), gloss(drink, "across", 215, 0.4))
    sheet.fill(oval(0, level, 0.38, 0.06), flat(shade(drink, 1.2), 220))
    if chance.random() < 0.45:
        sheet.line([(0.06, 0.5), (0.3, -0.98)], 0.05, gloss(hue(chance), "across"))
    if chance.random() < 0.3:
        sheet.fill(moved(ring(0, 0, 0.2, 0.0, 0, 360), 0.4, -0.78), matte((250, 214, 70)))


@thing(resembles="alcohol", turn=12)
def milk_bottle(sheet: Sheet, chance: random.Random) -> None:
    sheet.fill(turned([(-0.84, 0.18), (-0.6, 0.16), (-0.25, 0.32), (0.92, 0.33), (0.97, 0.28)], 5), gloss((246, 244, 238), shine=0.2))
    cap = hue(chance, (0.6, 1), (0.6, 1))
    sheet.fill(box(-0.2, -0.96, 0.2, -0.8, 0.03), gloss(cap))
    if chance.random() < 0.6:
        sheet.write(chance.choice(["MILK", "LAIT", "MILCH", "KEFIR"]), -0.26, 0.1, 0.26, 0.34, shade(cap, 0.8))


@thing(resembles="alcohol", turn=10)
def sauce_bottle(sheet: Sheet, chance: random.Random) -> None:
    sauce = near(chance, chance.choice([(190, 24, 20), (40, 22, 16), (226, 176, 40), (120, 50, 20), (240, 232, 206)]), 8)
    sheet.fill(turned([(-0.62, 0.1), (-0.34, 0.16), (-0.05, 0.27), (0.9, 0.28), (0.96, 0.24)], 5), gloss(sauce))
    cap = chance.choice([WHITE, (200, 30, 30), (40, 120, 50), BLACK])
    sheet.fill([(-0.05, -0.98), (0.05, -0.98), (0.13, -0.6), (-0.13, -0.6)], gloss(cap))
    paper_label(sheet, chance, (-0.28, 0.1, 0.28, 0.7), ["KETCHUP", "SOY\nSAUCE", "CHILI", "VINEGAR", "SYRUP", "MUSTARD"], chance.choice([WHITE, (250, 226, 150), (200, 40, 30)]), chance.choice([BLACK, (40, 110, 50)]))


@thing(resembles="alcohol", turn=10)
def vase(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    if chance.random() < 0.5:
        for _ in range(chance.randint(2, 5)):
            x = chance.uniform(-0.4, 0.4)
            sheet.line([(0, -0.1), (x * 0.6, -0.5), (x, -0.85)], 0.03, (70, 120, 60))
            sheet.fill(smooth(oval(x, -0.86, 0.13, corners=9), 2), ball_like(chance))
    sheet.fill(turned([(-0.2, 0.16), (0.0, 0.12), (0.3, chance.uniform(0.25, 0.45)), (0.7, chance.uniform(0.25, 0.4)), (0.95, 0.2)], 5), gloss(colour))
    if chance.random() < 0.4:
        sheet.fill(box(-0.3, 0.42, 0.3, 0.48), flat(shade(colour, 1.5), 150))


def ball_like(chance: random.Random):
    """The paint of a flower's head."""
    return matte(hue(chance, (0.5, 0.9), (0.8, 1)), "down", 0.3)


@thing(resembles="alcohol", turn=8)
def coffee_mug(sheet: Sheet, chance: random.Random) -> None:
    colour = product_colour(chance)
    sheet.fill(ring(0.46, 0.05, 0.32, 0.21, -95, 95), gloss(shade(colour, 0.9), "down"))
    sheet.fill(box(-0.52, -0.55, 0.46, 0.7, 0.08), gloss(colour, shine=0.5))
    sheet.fill(oval(-0.03, -0.55, 0.49, 0.1), flat(shade(colour, 0.7)))
    sheet.fill(oval(-0.03, -0.53, 0.44, 0.08), flat(chance.choice([(70, 40, 20), (190, 150, 110), shade(colour, 0.5)])))
    if chance.random() < 0.5:
        sheet.write(chance.choice(["MORNING", "HELLO", "COFFEE", "MUM", "BOSS"]), -0.36, -0.16, 0.3, 0.3, chance.choice([BLACK, WHITE, shade(colour, 0.4)]))


@thing(resembles="alcohol", turn=10)
def thermos(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([STEEL, product_colour(chance)])
    sheet.fill(box(-0.27, -0.5, 0.27, 0.95, 0.06), gloss(colour))
    sheet.fill(box(-0.22, -0.95, 0.22, -0.48, 0.05), gloss(chance.choice([BLACK, STEEL, shade(colour, 0.7), WOODS[3]])))
    sheet.fill(box(-0.27, -0.46, 0.27, -0.38), metal(STEEL, "across"))
    if chance.random() < 0.4:
        sheet.line(arc(0, -0.95, 0.16, 180, 360), 0.05, BLACK)
