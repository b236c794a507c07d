"""`python -m training.finetune`: makes a version directory from a folder of one's own labelled pictures.

The folder holds either `labels.csv` (header `file,label1,label2,…`, cells 0 or 1, several labels a picture allowed) or one subfolder a label, and `none/` for
pictures with no label. An empty cell is what nobody knows: it teaches nothing and is not measured. `vigie decisions export --corrections` writes such a folder.
The backbone is torchvision's MobileNetV3-small. Nothing is downloaded unless `--weights imagenet` asks for it.
"""

import argparse
import datetime
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from tqdm import tqdm

from .dataset import Split
from .evaluate import Calibration, calibrate, macro_f1, measure
from .export import Version, write_version
from .folder import FolderError, Labelled, read_folder, split
from .preprocess import Preprocessing, decode, fit
from .train import logits_of, seed_everything, settle_statistics, train_network

GOLDEN_COUNT = 12
GOLDEN_BYTES = 300_000


class Finetuned(nn.Module):
    """MobileNetV3-small with a head of 1x1 convolutions, so that scores do not depend on the size of the batch."""

    def __init__(self, labels: int, weights: str | None):
        super().__init__()
        known = torchvision.models.MobileNet_V3_Small_Weights.IMAGENET1K_V1 if weights == "imagenet" else None
        backbone = torchvision.models.mobilenet_v3_small(weights=known)
        if weights and weights != "imagenet":
            state = torch.load(weights, map_location="cpu", weights_only=True)
            backbone.load_state_dict({k: v for k, v in state.items() if not k.startswith("classifier.3")}, strict=False)
        self.features = backbone.features
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Sequential(nn.Conv2d(576, 256, 1), nn.Hardswish(), nn.Dropout(0.2), nn.Conv2d(256, labels, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """FP32 [batch, 3, height, width] to logits [batch, labels]."""
        return self.head(self.pool(self.features(x))).flatten(1)


def load(labelled: Labelled, spec: Preprocessing, name: str) -> Split:
    """Pictures decoded and resized as they will be when serving; an unreadable one is named and left out."""
    pictures, kept = [], []
    for index, file in enumerate(tqdm(labelled.files, desc=f"read {name}", unit="picture", mininterval=2)):
        try:
            pictures.append(np.asarray(fit(decode(file.read_bytes(), spec), spec)))
            kept.append(index)
        except (OSError, ValueError) as error:
            print(f"left out {file.name}: {error}", file=sys.stderr)
    if not pictures:
        raise FolderError(f"no readable picture fell to the {name} part: add pictures")
    return Split(np.stack(pictures), labelled.truths[kept])


def finetune(folder: Path, directory: Path, weights: str | None, spec: Preprocessing, epochs: int, seed: int) -> Path:
    """Reads, trains, calibrates, measures and writes the version to `directory`."""
    parts = split(read_folder(folder))
    training, validation, test = (load(part, spec, name) for part, name in zip(parts, ("training", "validation", "test")))
    seed_everything(seed)
    network = Finetuned(len(parts[0].labels), weights)
    batch_size = min(64, max(8, len(training.truths) // 12))
    network = train_network(network, training, spec, epochs, seed, 1e-3 if weights else 2e-3, batch_size)
    settle_statistics(network, training, spec)
    calibration = calibrate(logits_of(network, validation.pictures, spec), validation.truths)
    probabilities = calibration.probabilities(logits_of(network, test.pictures, spec))
    labels = parts[0].labels
    measures = {label: measure(probabilities[:, k], test.truths[:, k]) for k, label in enumerate(labels)}
    for label, m in measures.items():
        print(f"{label:26} precision {m.precision:.3f}  recall {m.recall:.3f}  calibration error {m.calibration_error:.4f}  positives {m.positives}")
    print(f"macro F1 {macro_f1(list(measures.values())):.3f} on {len(test.truths)} pictures kept aside")
    provenance = {
        "data": f"{len(training.truths)} pictures of one's own to train, {len(validation.truths)} to calibrate, {len(test.truths)} to measure",
        "code": "models/adsafety/training/finetune.py",
        "network": "MobileNetV3-small, " + ("from random weights" if not weights else "from pretrained weights"),
        "seed": seed,
        "epochs": epochs,
        "trained_at": datetime.date.today().isoformat(),
    }
    golden = _golden(parts[2], network, spec, calibration)
    return write_version(network, Version(labels, spec, calibration, measures, golden, provenance), directory)


def _golden(test: Labelled, network: nn.Module, spec: Preprocessing, calibration: Calibration) -> dict[str, bytes]:
    """The steadiest small pictures kept aside: those whose probabilities move least when the picture gets a little lighter."""
    ranked = []
    for file in test.files:
        data = file.read_bytes()
        if len(data) > GOLDEN_BYTES:
            continue
        try:
            picture = np.asarray(fit(decode(data, spec), spec))[None]
        except (OSError, ValueError):
            continue
        lighter = np.clip(picture.astype(np.int16) + 2, 0, 255).astype(np.uint8)
        before, after = (calibration.probabilities(logits_of(network, p, spec)) for p in (picture, lighter))
        ranked.append((float(np.abs(before - after).max()), file.suffix.lower(), data))
    if not ranked:
        raise FolderError(f"no picture kept aside is smaller than {GOLDEN_BYTES} bytes: add a few small ones, to prove the version with")
    ranked.sort(key=lambda entry: entry[0])
    return {f"{index:02}{ending}": data for index, (_, ending, data) in enumerate(ranked[:GOLDEN_COUNT])}


def main() -> int:
    """Parses the command line; 1 with a sentence when the folder is not usable."""
    parser = argparse.ArgumentParser(prog="python -m training.finetune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="folder of labelled pictures")
    parser.add_argument("version", type=Path, help="version directory to write, such as models/mymodel/1")
    parser.add_argument("--weights", help="file of torchvision weights for mobilenet_v3_small, or 'imagenet' to download them; default: random")
    parser.add_argument("--size", type=int, default=224, help="side of the input in pixels")
    parser.add_argument("--fit", choices=["contain", "cover", "stretch"], default="contain")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    spec = Preprocessing(options.size, options.size, fit=options.fit)
    try:
        directory = finetune(options.pictures, options.version, options.weights, spec, options.epochs, options.seed)
    except FolderError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"wrote {directory}: check it with `vigie check {directory.parent.parent}`")
    return 0


if __name__ == "__main__":
    sys.exit(main())
