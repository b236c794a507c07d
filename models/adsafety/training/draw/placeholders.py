"""Pictures that stand where no picture is: icons of cameras and landscapes, grey silhouettes, "no image", "coming soon"."""

import random

from .paint import Colour, flat, shade
from .shapes import arc, box, oval, ring, smooth, star
from .sheet import Sheet
from .things import thing

WORDS = ["NO IMAGE", "NO IMAGE\nAVAILABLE", "IMAGE\nCOMING SOON", "COMING SOON", "No photo", "PHOTO NOT\nAVAILABLE", "Image not found", "PAS D'IMAGE", "KEIN BILD", "404"]


def _ink(chance: random.Random) -> Colour:
    level = chance.randint(90, 190)
    return chance.choice([(level, level, level), (level - 10, level, level + 20), (110, 120, 130)])


def _caption(sheet: Sheet, chance: random.Random, ink: Colour, likelihood: float = 0.6) -> None:
    if chance.random() < likelihood:
        sheet.write(chance.choice(WORDS), -0.8, 0.62, 0.8, 0.95, ink, chance.random() < 0.5)


@thing(label="placeholder", turn=0)
def picture_icon(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    if chance.random() < 0.6:
        sheet.fill(box(-0.75, -0.62, 0.75, 0.5, 0.08), flat(ink))
        sheet.fill(box(-0.67, -0.54, 0.67, 0.42, 0.04), flat((244, 244, 244)))
    sheet.fill(oval(-0.32, -0.26, 0.13), flat(ink))
    sheet.fill([(-0.6, 0.36), (-0.22, -0.06), (-0.02, 0.14), (0.24, -0.2), (0.62, 0.36)], flat(ink))
    _caption(sheet, chance, ink)


@thing(label="placeholder", turn=0)
def camera_icon(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    paper = (242, 242, 242)
    sheet.fill(smooth([(-0.3, -0.42), (-0.2, -0.58), (0.2, -0.58), (0.3, -0.42)], 2), flat(ink))
    sheet.fill(box(-0.7, -0.42, 0.7, 0.45, 0.12), flat(ink))
    sheet.fill(oval(0, 0.02, 0.3), flat(paper))
    sheet.fill(oval(0, 0.02, 0.2), flat(ink))
    sheet.fill(oval(0.5, -0.24, 0.06), flat(paper))
    if chance.random() < 0.4:
        sheet.line([(-0.72, -0.66), (0.72, 0.66)], 0.14, paper)
        sheet.line([(-0.72, -0.66), (0.72, 0.66)], 0.06, ink)
    _caption(sheet, chance, ink, 0.7)


@thing(label="placeholder", turn=0)
def words_only(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    if chance.random() < 0.4:
        sheet.fill(box(-0.95, -0.6, 0.95, 0.6), flat(ink))
        sheet.fill(box(-0.91, -0.56, 0.91, 0.56), flat((248, 248, 248)))
    sheet.write(chance.choice(WORDS), -0.82, -0.4, 0.82, 0.4, shade(ink, 0.8), chance.random() < 0.6)


@thing(label="placeholder", turn=0)
def person_silhouette(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    sheet.fill(oval(0, -0.34, 0.3, 0.36), flat(ink))
    sheet.fill([*arc(0, 0.78, 0.72, 180, 360, 0.85), (0.72, 0.8), (-0.72, 0.8)], flat(ink))


@thing(label="placeholder", turn=0)
def shirt_silhouette(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    half = [(0.14, -0.66), (0.36, -0.62), (0.82, -0.26), (0.62, 0.0), (0.44, -0.12), (0.46, 0.5)]
    sheet.fill(half + [(-x, y) for x, y in reversed(half)], flat(ink))
    sheet.fill(arc(0, -0.68, 0.16, 0, 180), flat((240, 240, 240)))
    _caption(sheet, chance, ink, 0.8)


@thing(label="placeholder", turn=0)
def crossed_frame(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    sheet.fill(box(-0.9, -0.75, 0.9, 0.5), flat(ink))
    sheet.fill(box(-0.87, -0.72, 0.87, 0.47), flat((246, 246, 246)))
    for sign in (-1, 1):
        sheet.line([(-0.87, sign * 0.6 - 0.12), (0.87, -sign * 0.6 - 0.12)], 0.025, ink)
    if chance.random() < 0.5:
        sheet.fill(box(-0.42, -0.24, 0.42, 0.0), flat((246, 246, 246)))
        sheet.write(chance.choice(["300 x 300", "600x400", "IMAGE", "PHOTO"]), -0.38, -0.2, 0.38, -0.04, ink)
    _caption(sheet, chance, ink, 0.5)


@thing(label="placeholder", turn=0)
def question_mark(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    sheet.fill(oval(0, -0.1, 0.62), flat(ink))
    sheet.write(chance.choice(["?", "?", "!"]), -0.2, -0.5, 0.2, 0.3, (248, 248, 248))
    _caption(sheet, chance, ink, 0.6)


@thing(label="placeholder", turn=0)
def parcel_icon(sheet: Sheet, chance: random.Random) -> None:
    ink, paper = _ink(chance), (246, 246, 246)
    sheet.fill([(-0.6, -0.3), (0, -0.6), (0.6, -0.3), (0.6, 0.3), (0, 0.6), (-0.6, 0.3)], flat(ink))
    for path in ([(-0.6, -0.3), (0, 0.0), (0.6, -0.3)], [(0, 0.0), (0, 0.6)], [(-0.3, -0.45), (0.3, -0.15)]):
        sheet.line(path, 0.05, paper)
    _caption(sheet, chance, ink, 0.7)


@thing(label="placeholder", turn=0)
def loading_circle(sheet: Sheet, chance: random.Random) -> None:
    ink = _ink(chance)
    sheet.fill(ring(0, -0.1, 0.5, 0.4, 0, chance.randint(200, 320)), flat(ink))
    if chance.random() < 0.3:
        sheet.fill(star(0, -0.1, 0.2, 0.09, 5), flat(ink))
    if chance.random() < 0.8:
        sheet.write(chance.choice(["LOADING...", *WORDS]), -0.8, 0.56, 0.8, 0.8, ink)
