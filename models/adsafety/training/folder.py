"""A user's own pictures: a folder with a `labels.csv`, with one subfolder a label, or with pictures alone."""

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ENDINGS = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"}
NO_LABEL = "none"
LEAST = 20
CELLS = {"0": 0.0, "1": 1.0, "": math.nan}


class FolderError(Exception):
    """The folder cannot be read as labelled pictures; the text says what to change."""


@dataclass(frozen=True)
class Labelled:
    """Files and their truths, float32 [files, labels]: 1, 0, or not a number where nobody knows."""

    files: list[Path]
    labels: tuple[str, ...]
    truths: np.ndarray

    def part(self, wanted: np.ndarray) -> "Labelled":
        """The files at which `wanted` is true."""
        return Labelled([f for f, w in zip(self.files, wanted) if w], self.labels, self.truths[wanted])


def read_folder(folder: Path) -> Labelled:
    """Reads either layout; `labels.csv` wins where there is one."""
    found = _from_table(folder) if (folder / "labels.csv").exists() else _from_subfolders(folder)
    if not found.labels:
        raise FolderError(f"{folder} names no label: add columns to labels.csv, or one subfolder a label")
    if len(found.files) < LEAST:
        raise FolderError(f"{folder} holds {len(found.files)} labelled pictures: at least {LEAST} are needed, some hundreds a label to be of use")
    return found


def _from_table(folder: Path) -> Labelled:
    with open(folder / "labels.csv", newline="", encoding="utf-8") as table:
        rows = list(csv.reader(table))
    if not rows or rows[0][:1] != ["file"]:
        raise FolderError("labels.csv must begin with the header file,label1,label2,…")
    labels = tuple(name.strip() for name in rows[0][1:])
    files, truths = [], []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(labels) + 1 or any(cell.strip() not in CELLS for cell in row[1:]):
            raise FolderError(f"labels.csv line {number}: expected a file and {len(labels)} cells of 0, 1 or nothing, got {row}")
        file = folder / row[0]
        if not file.is_file():
            raise FolderError(f"labels.csv line {number}: {row[0]} is not in the folder")
        files.append(file)
        truths.append([CELLS[cell.strip()] for cell in row[1:]])
    return Labelled(files, labels, np.array(truths, dtype=np.float32).reshape(len(files), len(labels)))


def _from_subfolders(folder: Path) -> Labelled:
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder")
    names = sorted(child.name for child in folder.iterdir() if child.is_dir() and not child.name.startswith("."))
    labels = tuple(name for name in names if name != NO_LABEL)
    files, truths = [], []
    for name in names:
        for file in sorted((folder / name).rglob("*")):
            if file.suffix.lower() in ENDINGS:
                files.append(file)
                truths.append([float(label == name) for label in labels])
    return Labelled(files, labels, np.array(truths, dtype=np.float32).reshape(len(files), len(labels)))


def read_unlabelled(folder: Path) -> Labelled:
    """The pictures that lie in the folder itself, with no labels."""
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder")
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)
    if len(files) < LEAST:
        raise FolderError(f"{folder} holds {len(files)} pictures: at least {LEAST} are needed, some hundreds to be of use")
    return Labelled(files, (), np.zeros((len(files), 0), dtype=np.float32))


def split(all_of_it: Labelled) -> tuple[Labelled, Labelled, Labelled]:
    """Training, validation and test, 70:15:15, by the pictures' content: stable when files are added, and copies of a picture never part."""
    places = np.array([int.from_bytes(hashlib.sha256(f.read_bytes()).digest()[:4], "big") / 2**32 for f in all_of_it.files])
    return all_of_it.part(places < 0.7), all_of_it.part((places >= 0.7) & (places < 0.85)), all_of_it.part(places >= 0.85)
