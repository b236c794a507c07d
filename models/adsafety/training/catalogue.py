"""`python -m training.catalogue`: draws the sample catalogue, 200 products of invented shops with pictures, texts and known labels.

Its pictures come from a seed that neither training nor testing uses. About a quarter of the products are unsafe, and many of the safe ones are look-alikes.
"""

import argparse
import io
import json
import random
import shutil
from pathlib import Path

from PIL import Image

from .catalogue_texts import ADJECTIVES, BRANDS, DESCRIPTIONS, PICTURELESS, TEXTS
from .dataset import CATALOGUE_SEED
from .draw import draw_picture
from .draw.scene import LABELS, LOOK_ALIKES, SAFE, Picture
from .draw.things import named

PRODUCTS = 200
UNSAFE_SHARE = 0.15
PROMOTION_SHARE = 0.05
PLACEHOLDER_SHARE = 0.03
LOOK_ALIKE_SHARE = 0.35
PARTNERS = ["northmart", "belleville", "kaufhof24", "toko", "andes"]
CURRENCIES = {"northmart": "USD", "belleville": "EUR", "kaufhof24": "EUR", "toko": "SGD", "andes": "CLP"}
LONGEST = {"jpg": 460, "webp": 380, "png": 120}


def _wish(chance: random.Random) -> str:
    kind = chance.random()
    if kind < UNSAFE_SHARE:
        return chance.choice(named(label=chance.choice(LABELS[:5]))).name
    if kind < UNSAFE_SHARE + PLACEHOLDER_SHARE:
        return chance.choice(named(label="placeholder")).name
    pool = LOOK_ALIKES if kind < UNSAFE_SHARE + PLACEHOLDER_SHARE + LOOK_ALIKE_SHARE else SAFE
    return chance.choice(pool).name


def _product(index: int, picture: Picture, file: str, chance: random.Random) -> dict:
    partner = chance.choice(PARTNERS)
    currency = CURRENCIES[partner]
    thing, category, low, high = TEXTS.get(picture.things[0]) or chance.choice(PICTURELESS)
    brand, adjective = chance.choice(BRANDS), chance.choice(ADJECTIVES)
    title = chance.choice([f"{brand} {thing}", f"{thing}, {adjective}", f"{thing} – {brand}"])
    cents = chance.choice([0, 0, 49, 90, 95, 99])
    whole = chance.randint(low, high)
    return {
        "partner_id": partner,
        "product_id": f"{partner[:2].upper()}-{10000 + 37 * index}",
        "title": title,
        "description": chance.choice(DESCRIPTIONS).format(title=thing, brand=brand, adjective=adjective),
        "category": category,
        "brand": brand,
        "language": "en",
        "price": {"units": whole * (950 if currency == "CLP" else 1), "nanos": 0 if currency == "CLP" else cents * 10_000_000, "currency": currency},
        "picture": f"pictures/{file}",
        "truth": [label for label in LABELS if label in picture.labels],
    }


def _stored(picture: Picture, form: str, chance: random.Random) -> bytes:
    image = picture.image
    scale = min(1.0, LONGEST[form] / max(image.size))
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    if form == "jpg":
        image.save(out, "JPEG", quality=chance.choice([60, 72, 80, 85]), progressive=chance.random() < 0.3)
    elif form == "webp":
        image.save(out, "WEBP", quality=75)
    else:
        image.save(out, "PNG", optimize=True)
    return out.getvalue()


def write_catalogue(directory: Path) -> None:
    """Writes `products.jsonl` and `pictures/` into the directory."""
    shutil.rmtree(directory / "pictures", ignore_errors=True)
    (directory / "pictures").mkdir(parents=True)
    lines, unsafe, size = [], 0, 0
    for index in range(PRODUCTS):
        seed = CATALOGUE_SEED + index
        chance = random.Random(seed + 1)
        picture = draw_picture(seed, wish=_wish(chance), promotion=PROMOTION_SHARE)
        form = chance.choice(["jpg"] * 8 + ["webp", "png"])
        file = f"{index:03}.{form}"
        data = _stored(picture, form, chance)
        (directory / "pictures" / file).write_bytes(data)
        lines.append(json.dumps(_product(index, picture, file, chance), ensure_ascii=False))
        unsafe += bool(picture.labels)
        size += len(data)
    (directory / "products.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {PRODUCTS} products to {directory}: {unsafe} carry a label, pictures of {size / 1e6:.2f} MB")


def main() -> None:
    """Parses the command line."""
    parser = argparse.ArgumentParser(prog="python -m training.catalogue", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(__file__).resolve().parents[3] / "tests" / "catalogue")
    write_catalogue(parser.parse_args().into)


if __name__ == "__main__":
    main()
