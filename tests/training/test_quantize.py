"""A version can be made int8 from drawn pictures or one's own, and stays the version it was."""

import sys
import tomllib

import numpy as np
import onnx
import pytest

from training.agreement import compare, policy_thresholds
from training.dataset import TEST_SEED, TRAINING_SEED, VALIDATION_SEED, encode, load_split
from training.draw import draw_picture
from training.draw.scene import LABELS, Care
from training.evaluate import calibrate
from training.export import OUTPUT, Version, VersionError, assert_batch_invariant, open_session, read_version, write_version
from training.network import Network
from training.preprocess import Preprocessing, prepare
from training.quantize import KEPT_FLOAT, Material, convolutions, main, quantise
from training.train import logits_of, seed_everything, settle_statistics, to_tensor, train_network

SPEC = Preprocessing(48, 48)
FARTHEST = 0.05


def drawn_part(name, seed, count, cache):
    (part,) = load_split(name, seed, count, Care.PLAIN, (SPEC,), cache)
    return part


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    cache = tmp_path_factory.mktemp("drawn")
    reach = drawn_part("training", TRAINING_SEED, 300, cache)
    validation, test = (drawn_part(name, seed, 100, cache) for name, seed in (("validation", VALIDATION_SEED), ("test", TEST_SEED)))
    return Material("drawn pictures", reach.pictures, validation, test), reach


@pytest.fixture(scope="module")
def original(material, tmp_path_factory):
    """A small version, trained a few steps."""
    pictures, training = material
    seed_everything(1)
    network = train_network(Network(len(LABELS), (8, 16, 24), 1), training, SPEC, epochs=10, seed=1, rate=1e-2, batch_size=16)
    settle_statistics(network, training, SPEC)
    calibration = calibrate(logits_of(network, pictures.validation.pictures, SPEC), pictures.validation.truths)
    golden = {f"{index:02}.jpg": encode(draw_picture(61_000_000 + index, Care.PLAIN), index) for index in range(6)}
    version = Version(LABELS, SPEC, calibration, {}, golden, {"use": "a test"})
    return write_version(network, version, tmp_path_factory.mktemp("models") / "small" / "1")


@pytest.fixture(scope="module")
def quantised(original, material):
    return quantise(original, original.parent / "2", material[0], KEPT_FLOAT)


def probabilities(directory, pictures):
    logits = open_session(directory / "model.onnx").run([OUTPUT], {"pixels": to_tensor(pictures, SPEC).numpy()})[0]
    return read_version(directory).calibration.probabilities(logits)


def run(monkeypatch, *arguments) -> int:
    monkeypatch.setattr(sys, "argv", ["quantize", *map(str, arguments)])
    return main()


def test_its_scores_stay_near_those_of_the_original(original, quantised, material):
    pictures = material[0].test.pictures
    before, after = probabilities(original, pictures), probabilities(quantised, pictures)
    assert before.std(axis=0).max() > FARTHEST, "scores that hardly vary would prove nothing"
    assert np.abs(before - after).max() < FARTHEST


def test_a_picture_scores_the_same_bits_alone_and_in_a_batch(quantised, material):
    assert_batch_invariant(open_session(quantised / "model.onnx"), list(to_tensor(material[0].test.pictures[:33], SPEC).numpy()))


def test_the_manifest_says_int8_and_where_it_comes_from(original, quantised):
    manifest = tomllib.loads((quantised / "version.toml").read_text())
    assert manifest["runtime"]["precision"] == "int8"
    assert manifest["provenance"]["use"] == "a test" and manifest["provenance"]["quantised_from"].startswith("small/1, ")
    assert set(manifest["metrics"]) == set(LABELS) == set((quantised / "labels").read_text().split())
    assert set(manifest["files"]) == {f.relative_to(quantised).as_posix() for f in quantised.rglob("*") if f.is_file()} - {"version.toml"}
    assert tomllib.loads((original / "version.toml").read_text())["runtime"]["precision"] == "fp32"


def test_its_golden_scores_are_its_own(quantised):
    manifest, version = tomllib.loads((quantised / "version.toml").read_text()), read_version(quantised)
    session = open_session(quantised / "model.onnx")
    for case in manifest["golden"]["cases"]:
        logits = session.run([OUTPUT], {"pixels": prepare((quantised / case["file"]).read_bytes(), SPEC)[None]})[0]
        assert np.abs(version.calibration.probabilities(logits)[0] - case["scores"]).max() < 1e-5


def test_no_weight_is_large_enough_to_overflow_16_bits(quantised):
    model = onnx.load(quantised / "model.onnx")
    weights = [onnx.numpy_helper.to_array(i) for i in model.graph.initializer if i.data_type == onnx.TensorProto.INT8 and len(i.dims) == 4]
    convolved = sum(node.op_type == "Conv" for node in model.graph.node)
    assert len(weights) == convolved - len(KEPT_FLOAT)
    assert max(np.abs(w.astype(int)).max() for w in weights) <= 64


@pytest.mark.parametrize("wanted,places", [(["1", "-1"], [0, -1]), ([], []), (["2"], [1])])
def test_a_convolution_is_meant_by_its_place_or_its_name(original, wanted, places):
    names = [node.name for node in onnx.load(original / "model.onnx").graph.node if node.op_type == "Conv"]
    assert convolutions(original / "model.onnx", wanted) == [names[place] for place in places]
    assert convolutions(original / "model.onnx", names) == names


def test_a_convolution_that_is_not_there_is_refused_with_those_that_are(original):
    with pytest.raises(VersionError, match="count 1 to"):
        convolutions(original / "model.onnx", ["99"])


def test_ones_own_pictures_measure_the_reach_and_leave_the_calibration(original, tmp_path, monkeypatch, capsys):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(60):
        (pictures / f"{index}.jpg").write_bytes(encode(draw_picture(62_000_000 + index, Care.PLAIN), index))
    (pictures / "broken.jpg").write_bytes(b"no picture")
    assert run(monkeypatch, original, tmp_path / "model" / "2", "--pictures", pictures, "--keep-float", "1") == 0
    said = capsys.readouterr().out
    assert "any label" in said and "times as quick" in said
    before, after = read_version(original), read_version(tmp_path / "model" / "2")
    assert after.precision == "int8" and not after.measures
    assert (before.calibration.scale == after.calibration.scale).all()


def test_ones_own_labelled_pictures_calibrate_anew(original, tmp_path, monkeypatch):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    rows = [f"file,{','.join(reversed(LABELS))}"]
    for index in range(60):
        drawn = draw_picture(63_000_000 + index, Care.PLAIN)
        (pictures / f"{index}.jpg").write_bytes(encode(drawn, index))
        rows.append(",".join([f"{index}.jpg", *(str(int(label in drawn.labels)) for label in reversed(LABELS))]))
    (pictures / "labels.csv").write_text("\n".join(rows) + "\n")
    assert run(monkeypatch, original, tmp_path / "model" / "2", "--pictures", pictures) == 0
    before, after = read_version(original), read_version(tmp_path / "model" / "2")
    assert tuple(after.measures) == LABELS
    assert (before.calibration.scale != after.calibration.scale).any()


@pytest.mark.parametrize("make,said", [
    (lambda folder: None, "is not a folder"),
    (lambda folder: folder.mkdir(), "at least 20"),
    (lambda folder: (folder / "cats").mkdir(parents=True), "at least 20"),
])
def test_a_folder_of_no_use_gives_a_sentence_and_1(original, tmp_path, monkeypatch, capsys, make, said):
    make(tmp_path / "pictures")
    assert run(monkeypatch, original, tmp_path / "2", "--pictures", tmp_path / "pictures") == 1
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error
    assert not (tmp_path / "2").exists()


def test_what_is_no_version_to_quantise_gives_a_sentence_and_1(original, quantised, tmp_path, monkeypatch, capsys):
    for version, into, said in [(tmp_path, tmp_path / "2", "is no version"), (quantised, tmp_path / "2", "int8 already"), (original, original, "another directory")]:
        assert run(monkeypatch, version, into) == 1
        assert said in capsys.readouterr().err


def test_a_policy_names_its_thresholds_in_the_world_and_in_countries():
    policy = {
        "default": {"review": 0.5, "block": 0.9},
        "label": {"a": {"review": 0.3, "block": 0.7}, "b": {"verdict": "REVIEW", "from": 0.4}},
        "country": {"XX": {"label": {"b": {"verdict": "BLOCK", "from": 0.2}}}, "YY": {"label": {"a": {"verdict": "ALLOW"}}}},
    }
    assert [policy_thresholds(policy, label) for label in "abc"] == [[0.3, 0.7], [0.2, 0.4], [0.5, 0.9]]


def test_agreement_counts_the_pictures_decided_differently():
    before, after = np.array([[0.49, 0.1], [0.2, 0.95], [0.6, 0.6]]), np.array([[0.51, 0.1], [0.2, 0.85], [0.6, 0.6]])
    first, second, whole = compare(before, after, ("a", "b"), {"default": {"review": 0.3, "block": 0.9}})
    assert (first.at_half, first.by_policy) == (1, 0)
    assert (second.at_half, second.by_policy) == (0, 1)
    assert (whole.pictures, whole.at_half, whole.by_policy, round(whole.largest, 6)) == (3, 1, 1, 0.1)
    assert "policy" in whole.text() and "policy" not in compare(before, after, ("a", "b"), None)[-1].text()
