"""A version can be made from one's own pictures, and is whole."""

import csv
import tomllib

import numpy as np
import onnxruntime
import pytest
import torch

from training.dataset import encode
from training.draw import draw_picture
from training.draw.scene import Care
from training.export import assert_batch_invariant
from training.finetune import finetune
from training.folder import FolderError, read_folder, split
from training.preprocess import Preprocessing, prepare
from training.train import known_loss

LABELS = ("wine", "teddy")
THINGS = {"wine_glass": "wine", "teddy_bear": "teddy", "wrench": None}
SPEC = Preprocessing(64, 64)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    with open(folder / "labels.csv", "w", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["file", *LABELS])
        for index in range(240):
            thing = list(THINGS)[index % 3]
            picture = draw_picture(60_000_000 + index, Care.PLAIN, wish=thing, promotion=0.0)
            (folder / f"{index}.jpg").write_bytes(encode(picture, index))
            rows.writerow([f"{index}.jpg", *(int(THINGS[thing] == label) for label in LABELS)])
    return folder


@pytest.fixture(scope="module")
def made(pictures, tmp_path_factory):
    return finetune(pictures, tmp_path_factory.mktemp("models") / "mine" / "1", None, SPEC, epochs=10, seed=1)


def test_the_version_says_all_that_a_version_must(made):
    manifest = tomllib.loads((made / "version.toml").read_text())
    assert manifest["labels"] == list(LABELS) == (made / "labels").read_text().split()
    assert manifest["golden"]["source"] == "training" and manifest["golden"]["cases"]
    assert set(manifest["files"]) == {f.relative_to(made).as_posix() for f in made.rglob("*") if f.is_file()} - {"version.toml"}
    assert manifest["preprocessing"]["width"] == 64


def test_the_version_reproduces_its_golden_scores_alone_and_in_a_batch(made):
    manifest = tomllib.loads((made / "version.toml").read_text())
    session = onnxruntime.InferenceSession(str(made / "model.onnx"), providers=["CPUExecutionProvider"])
    scale, offset = np.array(manifest["calibration"]["scale"]), np.array(manifest["calibration"]["offset"])
    tensors = [prepare((made / case["file"]).read_bytes(), SPEC) for case in manifest["golden"]["cases"]]
    for tensor, case in zip(tensors, manifest["golden"]["cases"]):
        logits = session.run(["logits"], {manifest["input"]["name"]: tensor[None]})[0][0]
        assert np.abs(1 / (1 + np.exp(-(logits * scale + offset))) - case["scores"]).max() < 1e-5
    assert_batch_invariant(session, tensors)


def test_it_learns_the_difference(made):
    metrics = tomllib.loads((made / "version.toml").read_text())["metrics"]
    assert all(m["precision"] > 0.6 and m["recall"] > 0.6 for m in metrics.values()), metrics


def test_what_nobody_knows_teaches_nothing():
    loss_of = torch.nn.BCEWithLogitsLoss()
    logits = torch.tensor([[1.0, 2.0], [-1.0, 3.0]], requires_grad=True)
    truths = torch.tensor([[1.0, torch.nan], [torch.nan, 0.0]])
    loss = known_loss(loss_of, logits, truths)
    assert loss.item() == pytest.approx(loss_of(torch.tensor([1.0, 3.0]), torch.tensor([1.0, 0.0])).item())
    loss.backward()
    assert logits.grad[0, 1] == logits.grad[1, 0] == 0 and logits.grad[0, 0] != 0
    nothing = known_loss(loss_of, logits, torch.full_like(truths, torch.nan))
    nothing.backward()
    assert nothing.item() == 0
    whole = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert known_loss(loss_of, logits, whole).item() == loss_of(logits, whole).item()


def test_a_folder_of_subfolders_reads_the_same(tmp_path):
    for label in ("a", "b", "none"):
        (tmp_path / label).mkdir()
        for index in range(8):
            (tmp_path / label / f"{index}.jpg").write_bytes(f"{label}{index}".encode())
    found = read_folder(tmp_path)
    assert found.labels == ("a", "b") and len(found.files) == 24
    assert found.truths.sum(axis=0).tolist() == [8, 8]
    assert sum(len(part.files) for part in split(found)) == 24


@pytest.mark.parametrize("table,said", [
    ("name,a\nx.jpg,1\n", "header"),
    ("file,a\nx.jpg,2\n", "line 2"),
    ("file,a\nmissing.jpg,1\n", "missing.jpg"),
    ("file\n", "names no label"),
])
def test_a_bad_table_is_refused_with_the_line_to_mend(tmp_path, table, said):
    (tmp_path / "labels.csv").write_text(table)
    (tmp_path / "x.jpg").write_bytes(b"x")
    with pytest.raises(FolderError, match=said):
        read_folder(tmp_path)
