"""Tobacco and vaping, and what is mistaken for them: pens, crayons, chalk, candles, lipstick, memory sticks, straws, batteries."""

import random

from .paint import BLACK, GOLD, STEEL, WHITE, Colour, fade, flat, gloss, hue, matte, metal, near, product_colour, shade
from .shapes import box, moved, oval, smooth
from .sheet import Sheet
from .things import thing

FILTER: Colour = (214, 150, 80)


def _cigarette(sheet: Sheet, chance: random.Random, x: float, y: float, turn: float, length: float, lit: bool, scale: float = 1.0) -> None:
    def part(left: float, right: float):
        return moved(box(left, -0.065, right, 0.065, 0.01), x, y, turn, scale)

    sheet.fill(part(-length, length * 0.45), matte((248, 246, 242), "down", 0.22))
    sheet.fill(part(length * 0.42, length), matte(near(chance, FILTER, 8), "down", 0.28))
    for _ in range(8):
        at = chance.uniform(length * 0.45, length * 0.95)
        sheet.fill(moved(oval(at, chance.uniform(-0.04, 0.04), 0.012), x, y, turn, scale), flat((180, 116, 54)))
    sheet.fill(part(length * 0.4, length * 0.43), flat(GOLD))
    if lit:
        sheet.fill(part(-length, -length * 0.84), matte((120, 118, 116), "down", 0.4))
        sheet.fill(part(-length * 0.86, -length * 0.82), flat((240, 90, 30)))
    else:
        sheet.fill(part(-length, -length * 0.97), flat((150, 100, 50)))


@thing(label="tobacco", turn=90)
def cigarette(sheet: Sheet, chance: random.Random) -> None:
    count = chance.choice([1, 1, 2, 3, 4])
    lit = chance.random() < 0.4
    for i in range(count):
        offset = (i - (count - 1) / 2) * 0.2
        _cigarette(sheet, chance, chance.uniform(-0.06, 0.06), offset, chance.gauss(0, 6 if count > 1 else 2), 0.9, lit and i == 0)
    if lit:
        for i in range(9):
            sheet.fill(oval(-0.9 + chance.uniform(-0.08, 0.1), -0.12 - 0.09 * i, 0.05 + 0.012 * i), flat((200, 200, 202), 60))


@thing(label="tobacco", turn=16)
def cigarette_pack(sheet: Sheet, chance: random.Random) -> None:
    colour = near(chance, chance.choice([(196, 24, 30), WHITE, (20, 50, 120), GOLD, (30, 90, 60), BLACK, (120, 140, 150)]), 8)
    ink = WHITE if sum(colour) < 430 else chance.choice([(190, 20, 30), BLACK, (20, 50, 120)])
    opened = chance.random() < 0.65
    if opened:
        sheet.fill([(-0.5, -0.5), (-0.44, -0.98), (0.56, -0.98), (0.5, -0.5)], matte(shade(colour, 0.75)))
        for i in range(6):
            lift = chance.uniform(0, 0.2)
            sheet.fill(box(-0.44 + 0.15 * i, -0.66 - lift, -0.32 + 0.15 * i, -0.3, 0.02), matte(near(chance, FILTER, 8), "across", 0.3))
            sheet.fill(oval(-0.38 + 0.15 * i, -0.66 - lift, 0.06, 0.03), flat((240, 222, 190)))
    sheet.fill(box(-0.5, -0.5 if opened else -0.85, 0.5, 0.9, 0.02), matte(colour, "across", 0.25))
    if not opened:
        sheet.line([(-0.5, -0.5), (0.5, -0.5)], 0.02, shade(colour, 0.6))
    sheet.fill([(-0.5, -0.42), (0.5, -0.42), (0.5, -0.1), (0.0, 0.12), (-0.5, -0.1)], flat(ink if chance.random() < 0.5 else shade(colour, 0.8)))
    sheet.write(chance.choice(["KINGS", "GOLD", "CAMELOT", "WEST", "LIGHTS", "ROYAL"]), -0.4, 0.14, 0.4, 0.32, ink)
    if chance.random() < 0.75:
        sheet.fill(box(-0.5, 0.42, 0.5, 0.9), flat((250, 250, 248)))
        sheet.fill(box(-0.5, 0.42, 0.5, 0.46), flat(BLACK))
        sheet.write(chance.choice(["SMOKING\nKILLS", "FUMER TUE", "RAUCHEN\nTOTET"]), -0.42, 0.5, 0.42, 0.84, BLACK)


@thing(label="tobacco", turn=90)
def cigar(sheet: Sheet, chance: random.Random) -> None:
    for offset in ([0.0] if chance.random() < 0.6 else [-0.22, 0.22]):
        leaf = near(chance, chance.choice([(104, 62, 32), (84, 48, 24), (130, 82, 44)]), 8)
        sheet.fill(smooth([(-0.96, offset - 0.1), (0.7, offset - 0.12), (0.96, offset), (0.7, offset + 0.12), (-0.96, offset + 0.1)], 4), matte(leaf, "down", 0.5))
        for i in range(7):
            sheet.line([(-0.85 + 0.26 * i, offset - 0.11), (-0.72 + 0.26 * i, offset + 0.11)], 0.012, shade(leaf, 0.65))
        band = chance.choice([(180, 24, 30), GOLD, (24, 60, 40)])
        sheet.fill(box(0.3, offset - 0.13, 0.5, offset + 0.13), matte(band, "down", 0.4))
        sheet.fill(oval(0.4, offset, 0.08), flat(GOLD))
        if chance.random() < 0.5:
            sheet.fill(box(-1.0, offset - 0.1, -0.86, offset + 0.1, 0.03), matte((150, 148, 146), "down", 0.4))


@thing(label="tobacco", turn=60)
def vape_pen(sheet: Sheet, chance: random.Random) -> None:
    body = near(chance, chance.choice([BLACK, STEEL, hue(chance, (0.6, 1), (0.6, 1)), (40, 44, 60)]), 8)
    sheet.fill(smooth([(-0.98, -0.05), (-0.74, -0.08), (-0.7, 0.0), (-0.74, 0.08), (-0.98, 0.05)], 3), gloss(BLACK, "down"))
    sheet.fill(box(-0.76, -0.12, -0.3, 0.12, 0.03), gloss((226, 206, 160), "down", 205))
    sheet.fill(box(-0.7, -0.04, -0.36, 0.04), metal(STEEL))
    sheet.fill(box(-0.32, -0.14, 0.96, 0.14, 0.05), gloss(body, "down"))
    sheet.fill(box(-0.32, -0.14, -0.26, 0.14), metal(STEEL, "across"))
    sheet.fill(oval(0.0, 0.0, 0.065), metal((190, 190, 194)))
    sheet.fill(oval(0.22, 0.0, 0.03), flat(chance.choice([(60, 160, 255), (90, 255, 120), (255, 60, 60)])))
    sheet.write(chance.choice(["VAPE", "e-CIG", "CLOUD", "PUFF"]), 0.36, -0.07, 0.8, 0.07, WHITE if sum(body) < 400 else BLACK)
    for i in range(chance.choice([0, 0, 8])):
        sheet.fill(oval(-0.98 + chance.uniform(-0.1, 0.12), -0.12 - 0.09 * i, 0.08 + 0.015 * i), flat((226, 226, 228), 70))


@thing(label="tobacco", turn=16)
def disposable_vape(sheet: Sheet, chance: random.Random) -> None:
    one, two = hue(chance, (0.5, 1), (0.7, 1)), hue(chance, (0.5, 1), (0.7, 1))
    sheet.fill(turned_mouthpiece(), matte(chance.choice([BLACK, WHITE, shade(two, 0.8)])))
    sheet.fill(box(-0.24, -0.6, 0.24, 0.95, 0.1), fade(one, two))
    sheet.fill(box(-0.2, -0.55, -0.13, 0.9, 0.03), flat((255, 255, 255), 90))
    sheet.write(chance.choice(["PUFF\n600", "VAPE", "BAR\n800", "ICE"]), -0.18, -0.3, 0.18, 0.1, WHITE)
    sheet.fill(oval(0.0, 0.4, 0.1), flat(hue(chance, (0.7, 1), (0.8, 1))))
    sheet.fill(moved(oval(0, 0, 0.03, 0.07), 0.06, 0.28, 40), flat((60, 160, 60)))
    sheet.fill(box(-0.06, 0.8, 0.06, 0.84, 0.02), flat((220, 250, 255)))


def turned_mouthpiece() -> list[tuple[float, float]]:
    """The mouthpiece of a vape, narrowing upwards."""
    return smooth([(-0.1, -0.96), (0.1, -0.96), (0.16, -0.75), (0.22, -0.56), (-0.22, -0.56), (-0.16, -0.75)], 4)


@thing(resembles="tobacco", turn=90)
def ballpoint_pen(sheet: Sheet, chance: random.Random) -> None:
    body = chance.choice([WHITE, hue(chance), BLACK, product_colour(chance)])
    accent = chance.choice([GOLD, STEEL, hue(chance), FILTER])
    sheet.fill([(-0.98, -0.01), (-0.78, -0.07), (-0.78, 0.07), (-0.98, 0.01)], metal(STEEL))
    sheet.fill(box(-0.8, -0.075, 0.86, 0.075, 0.03), gloss(body, "down"))
    sheet.fill(box(-0.8, -0.078, -0.4, 0.078, 0.03), gloss(chance.choice([accent, body]), "down"))
    sheet.fill(box(0.84, -0.045, 0.98, 0.045, 0.02), metal(accent))
    sheet.fill(box(0.3, -0.125, 0.86, -0.085, 0.01), metal(accent))


@thing(resembles="tobacco", turn=90)
def crayons(sheet: Sheet, chance: random.Random) -> None:
    count = chance.randint(1, 5)
    for i in range(count):
        colour, y, turn = hue(chance, (0.6, 1), (0.7, 1)), (i - (count - 1) / 2) * 0.26, chance.gauss(0, 5)
        sheet.fill(moved([(-0.95, -0.03), (-0.72, -0.1), (-0.72, 0.1), (-0.95, 0.03)], 0, y, turn), matte(colour, "down", 0.3))
        sheet.fill(moved(box(-0.72, -0.105, 0.92, 0.105, 0.01), 0, y, turn), matte(shade(colour, 0.92), "down", 0.35))
        for at in (-0.62, 0.78):
            sheet.fill(moved(box(at, -0.105, at + 0.05, 0.105), 0, y, turn), flat(BLACK))


@thing(resembles="tobacco", turn=90)
def chalk(sheet: Sheet, chance: random.Random) -> None:
    count = chance.randint(1, 5)
    for i in range(count):
        colour = chance.choice([WHITE, WHITE, (250, 230, 150), (250, 180, 190), (170, 210, 240), (180, 230, 180)])
        outline = moved(box(-0.7, -0.08, 0.7, 0.08, 0.03), 0, (i - (count - 1) / 2) * 0.22, chance.gauss(0, 6))
        sheet.fill(outline, matte(colour, "down", 0.25))
    sheet.texture("noise", 0.2, chance)


@thing(resembles="tobacco", turn=8)
def candles(sheet: Sheet, chance: random.Random) -> None:
    colour = chance.choice([WHITE, (244, 232, 206), (190, 30, 40), product_colour(chance)])
    count = chance.randint(1, 3)
    for i in range(count):
        x, top = (i - (count - 1) / 2) * 0.5, chance.uniform(-0.5, 0.1)
        half = chance.uniform(0.1, 0.2)
        sheet.line([(x, top), (x + 0.01, top - 0.12)], 0.025, BLACK)
        if chance.random() < 0.6:
            sheet.fill(smooth([(x, top - 0.4), (x + 0.07, top - 0.18), (x, top - 0.06), (x - 0.07, top - 0.18)], 4), matte((255, 190, 60), "down", 0.2))
        sheet.fill(box(x - half, top, x + half, 0.94, 0.03), gloss(colour, shine=0.3))
        sheet.fill(oval(x, top + 0.01, half, 0.04), flat(shade(colour, 1.2)))


@thing(resembles="tobacco", turn=30)
def lipstick(sheet: Sheet, chance: random.Random) -> None:
    shade_of_lip = near(chance, chance.choice([(190, 20, 50), (220, 60, 90), (150, 40, 50), (230, 110, 110), (120, 20, 60)]), 8)
    case = chance.choice([BLACK, GOLD, STEEL, WHITE])
    sheet.fill([(-0.16, -0.5), (-0.16, -0.72), (0.0, -0.96), (0.14, -0.9), (0.16, -0.5)], gloss(shade_of_lip))
    sheet.fill(box(-0.18, -0.52, 0.18, -0.1), gloss(GOLD if case != GOLD else STEEL))
    sheet.fill(box(-0.24, -0.12, 0.24, 0.95, 0.02), gloss(case))
    if chance.random() < 0.5:
        sheet.fill(moved(box(-0.24, -0.5, 0.24, 0.5, 0.03), 0.62, 0.45), gloss(case))


@thing(resembles="tobacco", turn=60)
def memory_stick(sheet: Sheet, chance: random.Random) -> None:
    body = product_colour(chance)
    sheet.fill(box(-0.95, -0.13, -0.45, 0.13), metal(STEEL))
    for y in (-0.06, 0.06):
        sheet.fill(box(-0.82, y - 0.03, -0.72, y + 0.03), flat(BLACK))
    sheet.fill(box(-0.48, -0.2, 0.92, 0.2, 0.08), gloss(body, "down"))
    sheet.write(chance.choice(["USB 3.0", "64GB", "128 GB", "DATA"]), -0.2, -0.1, 0.6, 0.1, WHITE if sum(body) < 400 else BLACK)


@thing(resembles="tobacco", turn=90)
def drinking_straws(sheet: Sheet, chance: random.Random) -> None:
    for i in range(chance.randint(2, 5)):
        colour, y, turn = hue(chance, (0.5, 1), (0.7, 1)), -0.3 + 0.18 * i, chance.gauss(0, 4)
        sheet.fill(moved(box(-0.96, -0.05, 0.96, 0.05), 0, y, turn), matte((246, 244, 240), "down", 0.25))
        for k in range(10):
            sheet.fill(moved([(-0.9 + 0.19 * k, -0.05), (-0.82 + 0.19 * k, -0.05), (-0.86 + 0.19 * k, 0.05), (-0.94 + 0.19 * k, 0.05)], 0, y, turn), flat(colour))


@thing(resembles="tobacco", turn=60)
def batteries(sheet: Sheet, chance: random.Random) -> None:
    colour, tip = chance.choice([BLACK, hue(chance), (30, 60, 130)]), chance.choice([(196, 120, 50), GOLD, STEEL])
    count = chance.randint(1, 4)
    for i in range(count):
        y = (i - (count - 1) / 2) * 0.4
        sheet.fill(box(-0.8, y - 0.17, 0.8, y + 0.17, 0.02), gloss(colour, "down"))
        sheet.fill(box(-0.8, y - 0.17, -0.3, y + 0.17, 0.02), gloss(tip, "down"))
        sheet.fill(box(0.8, y - 0.07, 0.88, y + 0.07), metal(STEEL))
        sheet.write("AA", 0.2, y - 0.09, 0.5, y + 0.09, WHITE)


@thing(resembles="tobacco", turn=60)
def marker(sheet: Sheet, chance: random.Random) -> None:
    ink = hue(chance, (0.7, 1), (0.6, 1))
    sheet.fill(box(-0.96, -0.13, -0.35, 0.13, 0.06), gloss(ink, "down"))
    sheet.fill(box(-0.37, -0.14, 0.88, 0.14, 0.04), gloss(chance.choice([WHITE, BLACK, ink]), "down"))
    sheet.fill(box(0.86, -0.1, 0.95, 0.1, 0.03), gloss(ink, "down"))
    sheet.fill(box(0.0, -0.14, 0.5, 0.14), matte(ink))
