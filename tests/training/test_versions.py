"""The committed versions, catalogue and golden vectors are whole and agree with the code that made them."""

import hashlib
import json
import tomllib

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from training.card import measures_text
from training.draw.scene import LABELS
from training.preprocess import Preprocessing, decode, fit, prepare


def version(root, number):
    directory = root / "models" / "adsafety" / str(number)
    return directory, tomllib.loads((directory / "version.toml").read_text())


def spec_of(table) -> Preprocessing:
    return Preprocessing(**{k: tuple(v) if isinstance(v, list) else v for k, v in table.items()})


def f1(metrics) -> float:
    return float(np.mean([2 * m["precision"] * m["recall"] / max(1e-12, m["precision"] + m["recall"]) for m in metrics.values()]))


@pytest.mark.parametrize("number", [1, 2])
def test_every_file_of_a_version_has_the_stated_hash(root, number):
    directory, manifest = version(root, number)
    found = {f.relative_to(directory).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in directory.rglob("*") if f.is_file() and f.name != "version.toml"}
    assert found == manifest["files"]
    assert (directory / "labels").read_text().split() == manifest["labels"] == list(LABELS)
    assert (directory / "model.onnx").stat().st_size <= 5_000_000


@pytest.mark.parametrize("number", [1, 2])
def test_a_version_reproduces_its_golden_scores(root, number):
    directory, manifest = version(root, number)
    session = onnxruntime.InferenceSession(str(directory / "model.onnx"), providers=["CPUExecutionProvider"])
    spec = spec_of(manifest["preprocessing"])
    scale, offset = np.array(manifest["calibration"]["scale"]), np.array(manifest["calibration"]["offset"])
    for case in manifest["golden"]["cases"]:
        logits = session.run(["logits"], {manifest["input"]["name"]: prepare((directory / case["file"]).read_bytes(), spec)[None]})[0][0]
        probabilities = 1 / (1 + np.exp(-(logits * scale + offset)))
        assert np.abs(probabilities - case["scores"]).max() <= 1e-5


def test_version_2_is_clearly_better_than_version_1(root):
    weaker, better = (f1(version(root, number)[1]["metrics"]) for number in (1, 2))
    assert better >= weaker + 0.03
    assert weaker >= 0.75 and better >= 0.88


def test_the_catalogue_holds_200_whole_products(root):
    folder = root / "tests" / "catalogue"
    products = [json.loads(line) for line in (folder / "products.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(products) == 200 == len({p["product_id"] for p in products})
    for product in products:
        Image.open(folder / product["picture"]).verify()
        assert set(product["truth"]) <= set(LABELS)
        assert product["title"] and product["category"] and product["price"]["units"] > 0
    unsafe = sum(bool(p["truth"]) for p in products)
    assert 40 <= unsafe <= 60
    assert set().union(*(p["truth"] for p in products)) == set(LABELS)


def test_the_golden_vectors_are_what_this_code_makes(root):
    folder = root / "tests" / "golden" / "preprocess"
    index = json.loads((folder / "index.json").read_text())
    specs = {name: spec_of(table) for name, table in index["specs"].items()}
    for case in index["cases"]:
        data = (folder / case["file"]).read_bytes()
        first = decode(data, specs[case["outputs"][0]["spec"]])
        assert hashlib.sha256(first.tobytes()).hexdigest() == case["decoded"]["sha256"], case["name"]
        for output in case["outputs"]:
            spec = specs[output["spec"]]
            made = np.asarray(fit(decode(data, spec), spec))
            assert (made == np.asarray(Image.open(folder / output["resized_png"]))).all(), (case["name"], output["spec"])


def test_the_model_card_says_what_the_manifests_say(root):
    model = root / "models" / "adsafety"
    assert measures_text(model) in (model / "MODEL_CARD.md").read_text(encoding="utf-8")
