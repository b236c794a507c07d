"""Keeps the tables of `MODEL_CARD.md` equal to what the manifests say."""

import tomllib
from pathlib import Path

BEGIN, END = "<!-- measures: written by python -m training -->", "<!-- end of measures -->"


def update_card(model: Path) -> None:
    """Rewrites the part of the card between its two marks from the manifests of the versions beside it."""
    card = model / "MODEL_CARD.md"
    text = card.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    card.write_text(before + BEGIN + "\n" + measures_text(model) + END + after, encoding="utf-8")


def measures_text(model: Path) -> str:
    """A table a version, lowest first."""
    parts = []
    for directory in sorted((d for d in model.iterdir() if d.name.isdigit()), key=lambda d: int(d.name)):
        manifest = tomllib.loads((directory / "version.toml").read_text(encoding="utf-8"))
        parts.append(_table(int(directory.name), manifest))
    return "\n" + "\n".join(parts) + "\n"


def _table(number: int, manifest: dict) -> str:
    shape, provenance = manifest["preprocessing"], manifest["provenance"]
    rows, scores = [], []
    for label in manifest["labels"]:
        m = manifest["metrics"][label]
        f1 = 2 * m["precision"] * m["recall"] / max(1e-12, m["precision"] + m["recall"])
        scores.append(f1)
        rows.append(f"| {label} | {m['precision']:.3f} | {m['recall']:.3f} | {f1:.3f} | {m['calibration_error']:.4f} | {m['positives']} |")
    head = f"**Version {number}**: {shape['width']} x {shape['height']} px, fit `{shape['fit']}`; {provenance['network']}; {provenance['data']}, {provenance['epochs']} epochs.\n"
    table = "\n".join(["| label | precision | recall | F1 | calibration error | positives |", "|---|---|---|---|---|---|", *rows])
    return f"{head}\n{table}\n| **mean** | | | **{sum(scores) / len(scores):.3f}** | | |\n"
