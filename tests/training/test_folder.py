"""A folder of one's own pictures is read as it is meant, and what nobody knows stays unknown."""

import numpy as np
import pytest

from training.evaluate import calibrate, measure
from training.folder import FolderError, read_folder


def corrected(folder, rows):
    """A folder as `vigie decisions export --corrections` writes it."""
    (folder / "pictures").mkdir()
    (folder / "README.md").write_text("what the columns say")
    (folder / "corrections.csv").write_text("file,label,present\n")
    lines = ["file,firearm,alcohol"]
    for number, cells in enumerate(rows):
        (folder / "pictures" / f"{number}.jpg").write_bytes(str(number).encode())
        lines.append(f"pictures/{number}.jpg,{cells}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return read_folder(folder)


def test_an_empty_cell_is_unknown(tmp_path):
    found = corrected(tmp_path, ["1,", ",0", "0,1", ","] * 6)
    assert found.labels == ("firearm", "alcohol") and len(found.files) == 24
    assert np.array_equal(found.truths[:4], [[1, np.nan], [np.nan, 0], [0, 1], [np.nan, np.nan]], equal_nan=True)
    assert found.truths.dtype == np.float32


def test_a_cell_of_anything_else_is_refused(tmp_path):
    with pytest.raises(FolderError, match="line 3.*0, 1 or nothing"):
        corrected(tmp_path, ["1,", "?,0"])


def test_what_is_unknown_is_neither_calibrated_with_nor_measured():
    logits = np.array([[2.0], [1.0], [-1.0], [-2.0]], dtype=np.float32)
    truths = np.array([[1], [1], [0], [0]], dtype=np.float32)
    more = np.concatenate([logits, [[9.0], [-9.0]]]).astype(np.float32)
    unknown = np.concatenate([truths, [[np.nan], [np.nan]]]).astype(np.float32)
    known, with_unknown = calibrate(logits, truths), calibrate(more, unknown)
    assert np.array_equal(known.scale, with_unknown.scale) and np.array_equal(known.offset, with_unknown.offset)
    assert measure(np.array([0.9, 0.2, 0.9]), np.array([1, 0, np.nan])) == measure(np.array([0.9, 0.2]), np.array([1, 0]))
    nothing = calibrate(logits, np.full_like(truths, np.nan))
    assert (nothing.scale[0], nothing.offset[0]) == (1, 0)
    assert measure(np.array([0.9]), np.array([np.nan])).positives == 0
