"""`python -m training.look THING… --into FILE`: a contact sheet of drawn pictures, to judge them by eye. Without names, random scenes."""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw

from .draw import draw_picture
from .draw.things import THINGS

CELL, CAPTION, ACROSS = 160, 12, 8


def contact_sheet(names: list[str | None], first_seed: int) -> Image.Image:
    """One cell a name, with what is true of it below."""
    down = -(-len(names) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * CELL, down * (CELL + CAPTION)), (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    for index, name in enumerate(names):
        picture = draw_picture(first_seed + index, wish=name)
        small = picture.image.copy()
        small.thumbnail((CELL, CELL))
        x, y = index % ACROSS * CELL, index // ACROSS * (CELL + CAPTION)
        sheet.paste(small, (x, y))
        pen.text((x, y + CELL), ", ".join(sorted(picture.labels)) or picture.things[0], fill=(0, 0, 0))
    return sheet


def main() -> None:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.look", description=__doc__)
    parser.add_argument("things", nargs="*", choices=[[], *sorted(THINGS)], metavar="THING")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--into", type=Path, required=True)
    options = parser.parse_args()
    names = [name for name in options.things for _ in range(ACROSS)] or [None] * (8 * ACROSS)
    contact_sheet(names, options.seed).save(options.into)


if __name__ == "__main__":
    main()
