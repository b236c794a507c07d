"""What the shipped versions are made of: the shape of each, how long it trains, and the drawn pictures that judge it."""

from dataclasses import dataclass
from pathlib import Path

from .dataset import TEST_SEED, VALIDATION_SEED, Split, load_split
from .draw.scene import Care
from .preprocess import Preprocessing

MODEL = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Cycle:
    """One rise and fall of the learning rate, over the first `pictures` of the training set."""

    pictures: int
    epochs: int
    rate: float


@dataclass(frozen=True)
class Recipe:
    """How one version is made. Later cycles go on from the weights of the earlier, with more pictures and a lower rate."""

    number: int
    spec: Preprocessing
    widths: tuple[int, ...]
    depth: int
    care: Care
    cycles: tuple[Cycle, ...]


RECIPES = {
    1: Recipe(1, Preprocessing(96, 96, fit="stretch"), (16, 24, 48, 96), 1, Care.FULL, (Cycle(10_000, 14, 2e-3),)),
    2: Recipe(2, Preprocessing(128, 128, fit="contain"), (20, 40, 80, 144), 1, Care.FULL, (Cycle(14_000, 12, 2e-3), Cycle(24_000, 6, 1e-3))),
}
VALIDATION_PICTURES = 1_500
TEST_PICTURES = 2_500


def load_unseen(spec: Preprocessing, cache: Path, share: float = 1.0) -> tuple[Split, Split]:
    """The validation and the test pictures, which no training sees; `share` below 1 takes that part of them."""
    shipped = tuple(recipe.spec for recipe in RECIPES.values())
    specs = shipped if spec in shipped else (spec,)
    validation = load_split("validation", VALIDATION_SEED, max(200, int(VALIDATION_PICTURES * share)), Care.FULL, specs, cache)
    test = load_split("test", TEST_SEED, max(200, int(TEST_PICTURES * share)), Care.FULL, specs, cache)
    return validation[specs.index(spec)], test[specs.index(spec)]
