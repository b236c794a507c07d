"""Outlines: lists of (x, y) in the units of an object, x to the right, y down, the object within [-1, 1].

Pure geometry. It knows nothing of colours, sheets or chance.
"""

import math

Outline = list[tuple[float, float]]


def box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> Outline:
    """A rectangle, its corners rounded by `radius`."""
    radius = min(radius, abs(right - left) / 2, abs(bottom - top) / 2)
    if radius <= 0:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = [
        (right - radius, top + radius, -90),
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 90),
        (left + radius, top + radius, 180),
    ]
    points: Outline = []
    for x, y, start in corners:
        for step in range(6):
            angle = math.radians(start + 18 * step)
            points.append((x + radius * math.cos(angle), y + radius * math.sin(angle)))
    return points


def oval(x: float, y: float, half_width: float, half_height: float | None = None, corners: int = 36) -> Outline:
    """An ellipse; a circle where `half_height` is left out; a regular polygon where `corners` is small."""
    half_height = half_width if half_height is None else half_height
    turn = 2 * math.pi / corners
    return [(x + half_width * math.cos(turn * i), y + half_height * math.sin(turn * i)) for i in range(corners)]


def arc(x: float, y: float, radius: float, start: float, end: float, flatten: float = 1.0) -> Outline:
    """An open arc between two angles in degrees, its height scaled by `flatten`."""
    count = max(3, int(abs(end - start) / 8))
    angles = [math.radians(start + (end - start) * i / count) for i in range(count + 1)]
    return [(x + radius * math.cos(a), y + flatten * radius * math.sin(a)) for a in angles]


def ring(x: float, y: float, outer: float, inner: float, start: float = 0, end: float = 360) -> Outline:
    """A ring or a piece of one, between two angles in degrees."""
    return arc(x, y, outer, start, end) + arc(x, y, inner, end, start)


def star(x: float, y: float, outer: float, inner: float, tips: int) -> Outline:
    """A star or a starburst."""
    points: Outline = []
    for i in range(2 * tips):
        radius = outer if i % 2 == 0 else inner
        angle = math.pi * i / tips
        points.append((x + radius * math.sin(angle), y - radius * math.cos(angle)))
    return points


def smooth(points: Outline, steps: int = 5) -> Outline:
    """A closed curve through the points (Catmull-Rom)."""
    count = len(points)
    curve: Outline = []
    for i in range(count):
        before, here, there, after = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        for step in range(steps):
            t = step / steps
            curve.append(tuple(_spline(before[k], here[k], there[k], after[k], t) for k in (0, 1)))
    return curve


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)


def turned(profile: list[tuple[float, float]], steps: int = 0, x: float = 0.0) -> Outline:
    """The outline of a turned body (a bottle, a vase) from its (height y, half width) pairs, top to bottom."""
    right = [(half, y) for y, half in profile]
    if steps:
        right = _open_smooth(right, steps)
    return [(x + px, py) for px, py in right] + [(x - px, py) for px, py in reversed(right)]


def _open_smooth(points: Outline, steps: int) -> Outline:
    padded = [points[0], *points, points[-1]]
    curve: Outline = []
    for i in range(len(points) - 1):
        four = padded[i : i + 4]
        for step in range(steps):
            curve.append(tuple(_spline(four[0][k], four[1][k], four[2][k], four[3][k], step / steps) for k in (0, 1)))
    curve.append(points[-1])
    return curve


def stroke(points: Outline, width: float, taper: float = 1.0) -> Outline:
    """A band of `width` along an open line; its end is `taper` times as wide as its start."""
    left: Outline = []
    right: Outline = []
    last = len(points) - 1
    for i, (x, y) in enumerate(points):
        ax, ay = points[max(0, i - 1)]
        bx, by = points[min(last, i + 1)]
        length = math.hypot(bx - ax, by - ay) or 1.0
        half = width / 2 * (1 + (taper - 1) * i / max(1, last))
        nx, ny = -(by - ay) / length * half, (bx - ax) / length * half
        left.append((x + nx, y + ny))
        right.append((x - nx, y - ny))
    return left + right[::-1]


def moved(points: Outline, dx: float = 0.0, dy: float = 0.0, turn: float = 0.0, scale: float = 1.0) -> Outline:
    """Turned by degrees and scaled about the origin, then moved."""
    cos, sin = math.cos(math.radians(turn)) * scale, math.sin(math.radians(turn)) * scale
    return [(x * cos - y * sin + dx, x * sin + y * cos + dy) for x, y in points]
