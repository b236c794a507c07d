"""A transparent sheet on which one object is drawn part by part, in the units of the object.

The pose (turn, size, shear, perspective) is applied to the outlines, not to pixels, so edges stay sharp. Parts are drawn without antialiasing at
twice the size; `finished` halves them, which antialiases everything at once.
"""

import math
import random
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw

from .paint import Colour, Paint, flat
from .shapes import Outline, box, stroke
from .text import text_mask
from .texture import texture_tile

OVERSAMPLING = 2


def _ball_map() -> Image.Image:
    """Distance from the lit point of a sphere, 0 to 255, over the square around it."""
    import numpy as np

    at = np.linspace(-1, 1, 64)
    x, y = np.meshgrid(at, at)
    return Image.fromarray(np.clip(np.hypot(x + 0.35, y + 0.4) / 1.5 * 255, 0, 255).astype(np.uint8))


_BALL = _ball_map()


@dataclass(frozen=True)
class Pose:
    """How an object lies: turned by degrees, mirrored, squeezed, sheared, seen in perspective."""

    turn: float = 0.0
    mirrored: bool = False
    squeeze: float = 1.0
    shear: float = 0.0
    tilt_x: float = 0.0
    tilt_y: float = 0.0

    @staticmethod
    def any(chance: random.Random, turn: float) -> "Pose":
        """A pose within `turn` degrees of upright."""
        return Pose(
            turn=chance.gauss(0, turn / 2) if turn < 180 else chance.uniform(-180, 180),
            mirrored=chance.random() < 0.5,
            squeeze=chance.uniform(0.82, 1.0),
            shear=chance.gauss(0, 0.05),
            tilt_x=chance.gauss(0, 0.07),
            tilt_y=chance.gauss(0, 0.07),
        )


class Sheet:
    """An object being drawn. `size` is the side of the finished picture in pixels; the object fills about `fill` of it."""

    def __init__(self, size: int, pose: Pose, fill: float = 0.68):
        self.side = size * OVERSAMPLING
        self.image = Image.new("RGBA", (self.side, self.side), (0, 0, 0, 0))
        self._pose = pose
        scale = self.side / 2 * fill
        turn = math.radians(pose.turn)
        across = -scale * pose.squeeze if pose.mirrored else scale * pose.squeeze
        self._xx, self._yx = across * math.cos(turn), across * math.sin(turn)
        down_x, down_y = pose.shear * scale, scale
        self._xy = down_x * math.cos(turn) - down_y * math.sin(turn)
        self._yy = down_x * math.sin(turn) + down_y * math.cos(turn)

    def place(self, points: Outline) -> Outline:
        """Object units to pixels of the sheet."""
        middle, pose = self.side / 2, self._pose
        placed = []
        for x, y in points:
            depth = 1 + pose.tilt_x * x + pose.tilt_y * y
            placed.append(((self._xx * x + self._xy * y) / depth + middle, (self._yx * x + self._yy * y) / depth + middle))
        return placed

    def fill(self, outline: Outline, paint: Paint | Colour, reach: Outline | None = None) -> None:
        """Fills a closed outline. The paint spreads over the outline's own bounds, or over those of `reach`."""
        paint = paint if isinstance(paint, Paint) else flat(paint)
        points = self.place(outline)
        left, top = max(0, int(min(x for x, _ in points))), max(0, int(min(y for _, y in points)))
        right = min(self.side, int(max(x for x, _ in points)) + 2)
        bottom = min(self.side, int(max(y for _, y in points)) + 2)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top), 0)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in points], fill=255)
        self._lay(mask, self._spread(paint, reach or outline, left, top, mask.size), (left, top), paint.opacity)

    def _lay(self, mask: Image.Image, colours: Image.Image, corner: tuple[int, int], opacity: int) -> None:
        area = (*corner, corner[0] + mask.width, corner[1] + mask.height)
        if opacity >= 255:
            colours.putalpha(255)
            self.image.paste(colours, area, mask)
            return
        colours.putalpha(mask.point([i * opacity // 255 for i in range(256)]))
        self.image.alpha_composite(colours, corner)

    def _spread(self, paint: Paint, reach: Outline, left: int, top: int, size: tuple[int, int]) -> Image.Image:
        if paint.direction == "flat":
            return Image.new("RGB", size, tuple(paint.ramp[:3]))
        xs, ys = [x for x, _ in reach], [y for _, y in reach]
        x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
        inverse = self._inverse(left, top)
        if paint.direction == "ball":
            u, v = self._along(inverse, 0, x0, x1, 64), self._along(inverse, 1, y0, y1, 64)
            lit = _BALL.transform(size, Image.Transform.AFFINE, (*u, *v), Image.Resampling.BILINEAR, fillcolor=255)
            return Image.merge("RGB", [lit.point(list(paint.ramp[k::3])) for k in range(3)])
        low, high, axis = (x0, x1, 0) if paint.direction == "across" else (y0, y1, 1)
        a, b, c = self._along(inverse, axis, low, high, 256)
        strip = paint.ramp[:3] * 256 + paint.ramp + paint.ramp[-3:] * 256
        ramp = Image.frombytes("RGB", (768, 1), strip)
        return ramp.transform(size, Image.Transform.AFFINE, (a, b, c + 256, 0, 0, 0), Image.Resampling.NEAREST)

    def _inverse(self, left: int, top: int) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        """Pixels of an area to object units, perspective aside."""
        area = self._xx * self._yy - self._xy * self._yx
        dx, dy = left - self.side / 2, top - self.side / 2
        rows = ((self._yy / area, -self._xy / area), (-self._yx / area, self._xx / area))
        return tuple((p, q, p * dx + q * dy) for p, q in rows)

    @staticmethod
    def _along(inverse, axis: int, low: float, high: float, steps: int) -> tuple[float, float, float]:
        scale = steps / max(1e-6, high - low)
        a, b, c = inverse[axis]
        return (a * scale, b * scale, (c - low) * scale)

    def line(self, points: Outline, width: float, paint: Paint | Colour, taper: float = 1.0) -> None:
        """A band along an open line."""
        self.fill(stroke(points, width, taper), paint)

    def write(self, text: str, left: float, top: float, right: float, bottom: float, colour: Colour, bold: bool = True) -> None:
        """Text stretched to fit a rectangle of the object, lying on it."""
        mask = text_mask(text, 40, bold)
        wanted, given = (right - left) / (bottom - top), mask.width / mask.height
        if given < wanted:
            spare = (right - left) * (1 - given / wanted) / 2
            left, right = left + spare, right - spare
        elif given > wanted * 1.3:
            spare = (bottom - top) * (1 - wanted * 1.3 / given) / 2
            top, bottom = top + spare, bottom - spare
        self._stamp(mask, left, top, right, bottom, colour)

    def _stamp(self, mask: Image.Image, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        if self._pose.mirrored:
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        points = self.place(box(left, top, right, bottom))
        x0, y0 = max(0, int(min(x for x, _ in points))), max(0, int(min(y for _, y in points)))
        x1, y1 = min(self.side, int(max(x for x, _ in points)) + 1), min(self.side, int(max(y for _, y in points)) + 1)
        if x1 <= x0 or y1 <= y0:
            return
        inverse = self._inverse(x0, y0)
        u, v = self._along(inverse, 0, left, right, mask.width), self._along(inverse, 1, top, bottom, mask.height)
        warped = mask.transform((x1 - x0, y1 - y0), Image.Transform.AFFINE, (*u, *v), Image.Resampling.BILINEAR)
        colours = Image.new("RGB", warped.size, colour)
        colours.putalpha(warped)
        self.image.alpha_composite(colours, (x0, y0))

    def texture(self, kind: str, strength: float, chance: random.Random) -> None:
        """Roughens everything drawn so far."""
        box_of_ink = self.image.getbbox()
        if not box_of_ink:
            return
        part = self.image.crop(box_of_ink)
        tile = texture_tile(kind, part.size, strength, chance)
        alpha = part.getchannel("A")
        rough = ImageChops.multiply(part.convert("RGB"), tile)
        rough.putalpha(alpha)
        self.image.paste(rough, box_of_ink)

    def finished(self) -> Image.Image:
        """The sheet at its own size, antialiased, cut to what is drawn."""
        small = self.image.reduce(OVERSAMPLING)
        bounds = small.getchannel("A").getbbox()
        return small.crop(bounds) if bounds else small
