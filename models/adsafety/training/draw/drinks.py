"""Alcoholic drinks: bottles, glasses, cans. Their look-alikes are in `vessels`."""

import random

from .paint import BLACK, GOLD, WHITE, Colour, flat, gloss, matte, metal, near, shade
from .shapes import box, moved, oval, ring, star, turned
from .sheet import Sheet
from .things import thing

LIQUORS: list[Colour] = [(196, 120, 30), (160, 84, 22), (214, 160, 60), (226, 232, 236), (232, 236, 232)]
LAGER: Colour = (228, 166, 44)


def paper_label(sheet: Sheet, chance: random.Random, outline: tuple[float, float, float, float], words: list[str], paper: Colour, ink: Colour) -> None:
    """A label with a border, a name and a second line."""
    left, top, right, bottom = outline
    height = bottom - top
    sheet.fill(box(left, top, right, bottom, 0.02), gloss(paper, "across", shine=0.25))
    if chance.random() < 0.7:
        sheet.fill(box(left, top + height * 0.04, right, top + height * 0.09), flat(ink))
        sheet.fill(box(left, bottom - height * 0.09, right, bottom - height * 0.04), flat(ink))
    sheet.write(chance.choice(words), left + 0.03, top + height * 0.2, right - 0.03, top + height * 0.48, ink)
    kind = chance.random()
    middle = (left + right) / 2
    if kind < 0.4:
        sheet.fill(oval(middle, top + height * 0.7, min(height * 0.16, (right - left) * 0.3)), flat(chance.choice([GOLD, ink])))
    elif kind < 0.7:
        sheet.fill(star(middle, top + height * 0.7, height * 0.17, height * 0.07, 5), flat(chance.choice([GOLD, ink])))
    else:
        for i in range(3):
            sheet.line([(left + 0.06, top + height * (0.62 + 0.09 * i)), (right - 0.06, top + height * (0.62 + 0.09 * i))], 0.016, ink)


@thing(label="alcohol", turn=14)
def wine_bottle(sheet: Sheet, chance: random.Random) -> None:
    glass = near(chance, chance.choice([(26, 44, 28), (20, 30, 24), (40, 22, 20), (70, 96, 50), (206, 196, 130), (214, 130, 120)]), 8)
    capsule = near(chance, chance.choice([(110, 20, 34), BLACK, GOLD, (40, 40, 44), (150, 30, 40)]), 8)
    half = chance.uniform(0.23, 0.29)
    shoulder = chance.uniform(-0.32, -0.16)
    sheet.fill(turned([(-1.0, 0.085), (-0.5, 0.085), (shoulder - 0.06, 0.12), (shoulder + 0.12, half), (0.9, half), (0.98, half * 0.85)], 5), gloss(glass))
    sheet.fill(box(-0.1, -1.0, 0.1, -0.6, 0.02), gloss(capsule))
    sheet.fill(box(-0.11, -0.99, 0.11, -0.92, 0.02), gloss(shade(capsule, 0.8)))
    paper = chance.choice([(240, 234, 214), WHITE, (30, 30, 32), (228, 214, 180)])
    ink = GOLD if paper[0] < 90 else chance.choice([(110, 20, 34), BLACK, (60, 50, 30)])
    paper_label(sheet, chance, (-half, chance.uniform(0.1, 0.2), half, chance.uniform(0.62, 0.75)), ["CHATEAU", "MERLOT", "RIOJA", "VINO", "RESERVE", "SYRAH", "PINOT"], paper, ink)


@thing(label="alcohol", turn=14)
def champagne(sheet: Sheet, chance: random.Random) -> None:
    glass, foil = near(chance, chance.choice([(30, 56, 32), (20, 24, 22), (200, 150, 130)]), 8), near(chance, chance.choice([GOLD, GOLD, (190, 190, 194), (30, 30, 34), (200, 120, 130)]), 8)
    half = chance.uniform(0.29, 0.34)
    sheet.fill(turned([(-0.92, 0.09), (-0.5, 0.1), (-0.1, 0.24), (0.12, half), (0.9, half), (0.98, half * 0.8)], 5), gloss(glass))
    sheet.fill(turned([(-1.0, 0.06), (-0.95, 0.13), (-0.86, 0.12), (-0.8, 0.1), (-0.3, 0.17), (-0.22, 0.2)], 4), gloss(foil))
    sheet.texture("noise", 0.12, chance)
    sheet.line([(-0.12, -0.82), (0.12, -0.82)], 0.03, shade(foil, 0.5))
    paper_label(sheet, chance, (-half, 0.25, half, 0.7), ["BRUT", "CUVEE", "PROSECCO", "CAVA", "ROSE"], near(chance, chance.choice([(240, 234, 214), foil, BLACK]), 5), chance.choice([GOLD, (90, 70, 30)]))


@thing(label="alcohol", turn=14)
def beer_bottle(sheet: Sheet, chance: random.Random) -> None:
    glass = near(chance, chance.choice([(94, 52, 18), (110, 60, 20), (32, 92, 44), (200, 160, 60)]), 10)
    half = chance.uniform(0.24, 0.29)
    sheet.fill(turned([(-0.94, 0.085), (-0.55, 0.1), (-0.3, 0.14), (-0.02, half), (0.9, half), (0.97, half * 0.88)], 5), gloss(glass))
    cap = near(chance, chance.choice([GOLD, (190, 30, 30), (200, 200, 204), (30, 80, 40)]), 8)
    sheet.fill([(-0.12, -0.9), (-0.1, -1.0), (0.1, -1.0), (0.12, -0.9)], gloss(cap))
    for i in range(5):
        sheet.fill(oval(-0.1 + 0.05 * i, -0.89, 0.025), flat(shade(cap, 0.6)))
    paper, ink = chance.choice([((190, 30, 34), WHITE), ((238, 230, 205), (120, 30, 20)), ((30, 90, 50), GOLD), ((20, 40, 90), GOLD), ((228, 186, 70), (90, 20, 20))])
    paper_label(sheet, chance, (-half, 0.16, half, 0.72), ["BEER", "LAGER", "PILS", "ALE", "IPA", "STOUT"], paper, ink)
    sheet.fill(box(-0.11, -0.62, 0.11, -0.46), gloss(paper))
    if chance.random() < 0.35:
        for _ in range(24):
            sheet.fill(oval(chance.uniform(-half, half) * 0.9, chance.uniform(0.0, 0.95), 0.012), flat((235, 240, 242), 150))


@thing(label="alcohol", turn=14)
def beer_can(sheet: Sheet, chance: random.Random) -> None:
    colour = near(chance, chance.choice([GOLD, (220, 222, 224), (24, 80, 44), (180, 28, 34), (20, 40, 90), BLACK]), 8)
    sheet.fill(turned([(-0.84, 0.34), (-0.74, 0.42), (0.76, 0.42), (0.86, 0.35)]), gloss(colour))
    sheet.fill(oval(0, -0.84, 0.34, 0.06), metal((196, 198, 202)))
    sheet.fill(oval(0, 0.86, 0.35, 0.05), metal((150, 152, 156)))
    emblem = WHITE if sum(colour) < 420 else chance.choice([(150, 24, 28), (24, 60, 34), (24, 40, 90)])
    sheet.fill(oval(0, -0.05, 0.34, 0.34), flat(emblem))
    sheet.fill(ring(0, -0.05, 0.34, 0.3), flat(GOLD))
    sheet.write(chance.choice(["BEER", "LAGER", "PILS", "BIER", "ALE", "IPA"]), -0.27, -0.2, 0.27, 0.04, colour if emblem == WHITE else WHITE)
    for i in range(5):
        sheet.fill(moved(oval(0, 0, 0.03, 0.075), 0.0, 0.18, -60 + 30 * i), flat(GOLD))
        sheet.fill(oval(-0.16 + 0.08 * i, 0.5 + 0.03 * abs(i - 2), 0.03, 0.07), flat(GOLD if colour != GOLD else emblem))


@thing(label="alcohol", turn=14)
def spirits_bottle(sheet: Sheet, chance: random.Random) -> None:
    liquid = near(chance, chance.choice(LIQUORS), 10)
    half, square = chance.uniform(0.3, 0.42), chance.random() < 0.6
    shoulder = -0.38 if square else -0.55
    profile = [(-0.78, 0.1), (-0.5, 0.11), (shoulder, half * (0.95 if square else 0.4)), (shoulder + 0.12, half), (0.92, half), (0.96, half * 0.92)]
    sheet.fill(turned(profile, 0 if square else 5), gloss((214, 222, 224), opacity=225))
    level = chance.uniform(-0.3, -0.1)
    sheet.fill(turned([(level, half * 0.9), (0.84, half * 0.9), (0.88, half * 0.84)]), gloss(liquid, "across", 235))
    cork = near(chance, chance.choice([BLACK, GOLD, (120, 80, 44), (150, 24, 30)]), 8)
    sheet.fill(box(-0.13, -0.98, 0.13, -0.74, 0.03), gloss(cork))
    paper, ink = chance.choice([(BLACK, WHITE), ((236, 226, 196), (70, 40, 20)), (BLACK, GOLD), (WHITE, (150, 24, 30)), ((30, 50, 100), WHITE)])
    paper_label(sheet, chance, (-half * 0.86, -0.02, half * 0.86, 0.66), ["WHISKY", "VODKA", "RUM", "GIN", "BOURBON", "TEQUILA", "COGNAC"], paper, ink)


@thing(label="alcohol", turn=10)
def wine_glass(sheet: Sheet, chance: random.Random) -> None:
    wine = near(chance, chance.choice([(104, 14, 34), (124, 20, 40), (232, 214, 130), (238, 150, 140)]), 10)
    wide = chance.uniform(0.36, 0.5)
    bowl = [(-0.95, wide * 0.78), (-0.6, wide), (-0.3, wide * 0.92), (-0.05, wide * 0.4), (0.04, 0.05)]
    sheet.fill(turned(bowl, 5), gloss((222, 230, 234), opacity=120))
    level = chance.uniform(-0.62, -0.4)
    sheet.fill(turned([(level, wide * 0.94), (-0.3, wide * 0.85), (-0.06, wide * 0.36), (0.0, 0.04)], 4), gloss(wine, "across", 242))
    sheet.fill(oval(0, level, wide * 0.93, 0.06), flat(shade(wine, 1.25)))
    sheet.line([(0, 0.0), (0, 0.86)], 0.055, gloss((206, 214, 218), "across", 215))
    sheet.fill(oval(0, 0.88, 0.36, 0.08), gloss((214, 222, 226), "across", 205))
    sheet.line([(-wide * 0.7, -0.8), (-wide * 0.78, -0.35)], 0.04, flat((255, 255, 255), 170))


@thing(label="alcohol", turn=10)
def beer_mug(sheet: Sheet, chance: random.Random) -> None:
    beer = near(chance, chance.choice([LAGER, LAGER, (206, 130, 30), (60, 30, 16)]), 10)
    sheet.fill(ring(0.5, 0.1, 0.36, 0.24, -95, 95), gloss((214, 222, 224), "across", 190))
    sheet.fill(box(-0.55, -0.6, 0.5, 0.85, 0.08), gloss((224, 230, 232), opacity=170))
    sheet.fill(box(-0.48, -0.46, 0.43, 0.74, 0.06), gloss(beer, shine=0.4))
    for i in range(4):
        sheet.fill(box(-0.4 + 0.21 * i, -0.2, -0.3 + 0.21 * i, 0.6, 0.05), flat(shade(beer, 1.25), 110))
    for i in range(6):
        sheet.fill(oval(-0.48 + 0.19 * i, -0.58 + chance.uniform(-0.06, 0.06), 0.17, 0.15), matte((250, 246, 232), "down", 0.12))
    sheet.fill(box(-0.52, -0.56, 0.47, -0.38, 0.08), matte((250, 246, 232), "down", 0.1))


@thing(label="alcohol", turn=10)
def whisky_tumbler(sheet: Sheet, chance: random.Random) -> None:
    whisky = near(chance, chance.choice([(196, 112, 26), (176, 90, 20), (214, 140, 40)]), 8)
    sheet.fill(turned([(-0.55, 0.56), (0.6, 0.47), (0.68, 0.42)]), gloss((222, 228, 230), opacity=140))
    level = chance.uniform(-0.15, 0.15)
    sheet.fill(turned([(level, 0.5), (0.44, 0.44)]), gloss(whisky, "across", 235))
    sheet.fill(oval(0, level, 0.5, 0.08), flat(shade(whisky, 1.3)))
    for _ in range(chance.randint(1, 3)):
        sheet.fill(moved(box(-0.16, -0.16, 0.16, 0.16, 0.04), chance.uniform(-0.24, 0.24), level + chance.uniform(-0.06, 0.16), chance.uniform(0, 90)), matte((244, 238, 226), "down", 0.2, 185))
    for i in range(6):
        sheet.line([(-0.42 + 0.168 * i, 0.22), (-0.34 + 0.14 * i, 0.6)], 0.02, flat((255, 255, 255), 120))


@thing(label="alcohol", turn=10)
def cocktail(sheet: Sheet, chance: random.Random) -> None:
    drink = near(chance, chance.choice([(226, 90, 110), (250, 140, 60), (120, 200, 120), (236, 226, 190), (90, 160, 220)]), 12)
    sheet.fill([(-0.66, -0.7), (0.66, -0.7), (0.03, 0.0), (-0.03, 0.0)], gloss((222, 230, 234), opacity=130))
    sheet.fill([(-0.53, -0.56), (0.53, -0.56), (0.02, -0.02), (-0.02, -0.02)], gloss(drink, "across", 235))
    sheet.fill(oval(0, -0.56, 0.53, 0.05), flat(shade(drink, 1.25)))
    sheet.line([(0, 0.0), (0, 0.86)], 0.05, gloss((206, 214, 218), "across", 215))
    sheet.fill(oval(0, 0.88, 0.36, 0.07), gloss((214, 222, 226), "across", 205))
    if chance.random() < 0.6:
        sheet.line([(-0.3, -0.85), (0.2, -0.4)], 0.02, (150, 110, 60))
        for i in range(chance.randint(1, 3)):
            sheet.fill(oval(-0.02 + 0.1 * i, -0.6 + 0.09 * i, 0.065), gloss((110, 130, 50), "across"))
    else:
        sheet.fill(ring(0.6, -0.72, 0.2, 0.0, 90, 360), matte((250, 200, 60)))
