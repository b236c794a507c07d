"""Drawn pictures as arrays, kept on disk between runs.

A split is named by its first seed, so that training, validation and test never share a picture. The cache's key holds a hash of the code that draws.
"""

import hashlib
import io
import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .draw import draw_picture
from .draw.scene import LABELS, Care, Picture
from .preprocess import Preprocessing, decode, fit

TRAINING_SEED = 10_000_000
VALIDATION_SEED = 20_000_000
TEST_SEED = 30_000_000
CATALOGUE_SEED = 40_000_000
GOLDEN_SEED = 50_000_000
CHUNK = 100


@dataclass(frozen=True)
class Split:
    """Pictures as uint8 [count, height, width, 3] and truths as float32 [count, labels]."""

    pictures: np.ndarray
    truths: np.ndarray


def encode(picture: Picture, seed: int) -> bytes:
    """A JPEG of some quality, as a web shop would have stored it."""
    chance = random.Random(seed ^ 0x5EED)
    stored = io.BytesIO()
    picture.image.save(stored, "JPEG", quality=chance.choice([45, 60, 72, 80, 85, 90, 95]), subsampling=chance.choice([0, 2, 2]))
    return stored.getvalue()


def truth(picture: Picture) -> np.ndarray:
    """1 for each label that is true of the picture, else 0, in the order of LABELS."""
    return np.array([label in picture.labels for label in LABELS], dtype=np.float32)


def _draw_chunk(job: tuple[int, int, Care, tuple[Preprocessing, ...]]) -> tuple[list[np.ndarray], np.ndarray]:
    first, count, care, specs = job
    pictures: list[list[np.ndarray]] = [[] for _ in specs]
    truths = []
    for seed in range(first, first + count):
        drawn = draw_picture(seed, care)
        data = encode(drawn, seed)
        for kept, spec in zip(pictures, specs):
            kept.append(np.asarray(fit(decode(data, spec), spec)))
        truths.append(truth(drawn))
    return [np.stack(kept) for kept in pictures], np.stack(truths)


def load_split(name: str, first_seed: int, count: int, care: Care, specs: tuple[Preprocessing, ...], cache: Path) -> list[Split]:
    """The pictures of `count` seeds from `first_seed`, once for each spec; drawn on every core if the cache has them not yet."""
    key = hashlib.sha256(f"{first_seed} {count} {care} {specs} {_generator_hash()}".encode()).hexdigest()[:16]
    stored = cache / f"{name}-{key}.npz"
    if not stored.exists():
        cache.mkdir(parents=True, exist_ok=True)
        jobs = [(seed, min(CHUNK, first_seed + count - seed), care, specs) for seed in range(first_seed, first_seed + count, CHUNK)]
        with ProcessPoolExecutor(os.cpu_count()) as workers:
            drawn = list(tqdm(workers.map(_draw_chunk, jobs), total=len(jobs), desc=f"draw {name}", unit="00 pictures", mininterval=5))
        arrays = {f"pictures_{i}": np.concatenate([pictures[i] for pictures, _ in drawn]) for i in range(len(specs))}
        unfinished = stored.with_suffix(".part.npz")
        np.savez(unfinished, truths=np.concatenate([truths for _, truths in drawn]), **arrays)
        unfinished.rename(stored)
    arrays = np.load(stored)
    return [Split(arrays[f"pictures_{i}"], arrays["truths"]) for i in range(len(specs))]


@lru_cache(maxsize=1)
def _generator_hash() -> str:
    """A cache is stale as soon as the code that drew it changes."""
    here = Path(__file__).parent
    sources = sorted((here / "draw").glob("*.py")) + [here / "dataset.py", here / "preprocess.py"]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
