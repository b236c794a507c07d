"""Promotional text laid over a picture: bursts, banners, ribbons, badges, price tags. Never part of the product itself."""

import random

from PIL import Image

from .paint import BLACK, WHITE, Colour, flat, gloss, matte, near, shade
from .shapes import box, oval, star
from .sheet import Pose, Sheet

LOUD: list[Colour] = [(226, 24, 30), (250, 206, 20), (250, 110, 20), (24, 130, 60), (20, 20, 24), (220, 20, 110), (20, 70, 180)]
SHORT = ["SALE", "-50%", "-20%", "-70%", "NEW", "HOT", "-30 %", "2 FOR 1", "PROMO", "50% OFF", "DEAL", "BEST\nPRICE", "ONLY\n9.99", "4.99", "-15%", "BUY 1\nGET 1", "SOLDES", "FREE"]
LONG = ["FREE SHIPPING", "BLACK FRIDAY", "LIMITED OFFER", "SALE -50 %", "BUY NOW", "SHOP NOW", "SPECIAL OFFER", "TODAY ONLY", "LIVRAISON GRATUITE", "20% OFF WITH CODE SAVE20", "CLEARANCE SALE", "LAST CHANCE", "BUY 2 GET 1 FREE", "MEGA SALE"]


def lay_promotion(picture: Image.Image, chance: random.Random) -> None:
    """Lays one to three promotional elements over the picture, in place."""
    for _ in range(chance.choice([1, 1, 1, 2, 2, 3])):
        chance.choice([_burst, _badge, _strip, _strip, _ribbon, _headline, _tag])(picture, chance)


def _ink_on(colour: Colour) -> Colour:
    return BLACK if sum(colour) > 430 else WHITE


def _stick(picture: Image.Image, sheet: Sheet, x: float, y: float) -> None:
    """Pastes a finished sheet with its centre at a share of the picture's width and height, kept inside."""
    part = sheet.finished()
    left = min(max(int(picture.width * x - part.width / 2), -part.width // 10), picture.width - part.width * 9 // 10)
    top = min(max(int(picture.height * y - part.height / 2), -part.height // 10), picture.height - part.height * 9 // 10)
    picture.paste(part, (left, top), part)


def _corner(chance: random.Random) -> tuple[float, float]:
    return chance.choice([0.15, 0.85, chance.uniform(0.2, 0.8)]), chance.choice([0.15, 0.85, chance.uniform(0.15, 0.85)])


def _sheet(picture: Image.Image, chance: random.Random, low: float, high: float, turn: float) -> Sheet:
    side = int(min(picture.size) * chance.uniform(low, high) / 0.68)
    return Sheet(max(24, side), Pose(turn=chance.gauss(0, turn)))


def _burst(picture: Image.Image, chance: random.Random) -> None:
    colour = near(chance, chance.choice(LOUD), 8)
    sheet = _sheet(picture, chance, 0.26, 0.46, 9)
    sheet.fill(star(0, 0, 1.0, chance.uniform(0.74, 0.86), chance.randint(10, 20)), matte(colour, "down", 0.15))
    if chance.random() < 0.4:
        sheet.fill(oval(0, 0, 0.7), flat(shade(colour, 0.85)))
    sheet.write(chance.choice(SHORT), -0.6, -0.36, 0.6, 0.36, _ink_on(colour))
    _stick(picture, sheet, *_corner(chance))


def _badge(picture: Image.Image, chance: random.Random) -> None:
    colour = near(chance, chance.choice(LOUD), 8)
    sheet = _sheet(picture, chance, 0.22, 0.4, 7)
    sheet.fill(oval(0, 0, 0.95), flat(WHITE if chance.random() < 0.4 else colour))
    sheet.fill(oval(0, 0, 0.87), gloss(colour, "down", shine=0.2) if chance.random() < 0.3 else flat(colour))
    sheet.write(chance.choice(SHORT), -0.66, -0.36, 0.66, 0.36, _ink_on(colour))
    _stick(picture, sheet, *_corner(chance))


def _band(picture: Image.Image, chance: random.Random, words: list[str], length: float, thickness: float, turn: float) -> Sheet:
    colour = near(chance, chance.choice(LOUD), 8)
    sheet = Sheet(int(length / 0.68), Pose(turn=turn))
    half = thickness / length
    sheet.fill(box(-1, -half, 1, half), flat(colour, chance.choice([255, 255, 255, 215])))
    sheet.write(chance.choice(words), -0.9, -half * 0.66, 0.9, half * 0.66, _ink_on(colour))
    return sheet


def _strip(picture: Image.Image, chance: random.Random) -> None:
    length = picture.width * chance.choice([1.0, 1.0, 0.8, 0.55])
    sheet = _band(picture, chance, LONG, length, min(picture.height, picture.width) * chance.uniform(0.11, 0.2), 0)
    _stick(picture, sheet, 0.5, chance.choice([0.06, 0.94, 0.9, chance.uniform(0.1, 0.9)]))


def _ribbon(picture: Image.Image, chance: random.Random) -> None:
    side = min(picture.size)
    right = chance.random() < 0.5
    sheet = _band(picture, chance, SHORT[:8] + LONG[:3], side * 0.75, side * chance.uniform(0.11, 0.17), 45 if right else -45)
    part = sheet.finished()
    reach = int(side * 0.06)
    picture.paste(part, (picture.width - part.width + reach if right else -reach, -reach), part)


def _headline(picture: Image.Image, chance: random.Random) -> None:
    colour = near(chance, chance.choice([*LOUD, WHITE]), 8)
    sheet = Sheet(int(picture.width * chance.uniform(0.6, 0.98) / 0.68), Pose(turn=chance.choice([0, 0, chance.gauss(0, 10)])))
    words = chance.choice([*LONG, *SHORT])
    shift = 0.015
    sheet.write(words, -0.95 + shift, -0.22 + shift, 0.95 + shift, 0.22 + shift, shade(colour, 0.25) if colour != BLACK else WHITE)
    sheet.write(words, -0.95, -0.22, 0.95, 0.22, colour)
    _stick(picture, sheet, 0.5, chance.choice([0.12, 0.88, 0.5]))


def _tag(picture: Image.Image, chance: random.Random) -> None:
    colour = near(chance, chance.choice(LOUD), 8)
    sheet = _sheet(picture, chance, 0.3, 0.5, 12)
    sheet.fill([(-1, 0), (-0.7, -0.42), (1, -0.42), (1, 0.42), (-0.7, 0.42)], flat(colour))
    sheet.fill(oval(-0.74, 0, 0.08), flat(WHITE))
    price = f"{chance.choice(['', '$', 'EUR ', 'ONLY '])}{chance.randint(1, 99)}.{chance.choice(['99', '95', '90', '00'])}"
    sheet.write(chance.choice([price, price, *SHORT]), -0.56, -0.28, 0.92, 0.28, _ink_on(colour))
    _stick(picture, sheet, *_corner(chance))
