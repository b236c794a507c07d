"""Trains one network on drawn pictures, on the processor, from a seed."""

import math
import random

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from .dataset import Split
from .preprocess import Preprocessing

BATCH = 64


def train_network(network: nn.Module, split: Split, spec: Preprocessing, epochs: int, seed: int, rate: float = 2e-3, batch_size: int = BATCH) -> nn.Module:
    """Trains in place and returns the network, ready for inference. Mixed bfloat16 where the processor has it."""
    seed_everything(seed)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    steps = epochs * math.ceil(len(split.truths) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.15)
    source = np.random.default_rng(seed)
    loss_of = nn.BCEWithLogitsLoss()
    quick = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    average = 0.0
    for epoch in range(epochs):
        network.train()
        batches = np.array_split(source.permutation(len(split.truths)), math.ceil(len(split.truths) / batch_size))
        bar = tqdm(batches, desc=f"epoch {epoch + 1}/{epochs}", unit="batch", mininterval=5)
        for batch in bar:
            pictures = varied(split.pictures[batch], source)
            with torch.autocast("cpu", torch.bfloat16, enabled=quick):
                logits = network(to_tensor(pictures, spec))
            loss = known_loss(loss_of, logits.float(), torch.from_numpy(split.truths[batch]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            average = 0.98 * average + 0.02 * loss.item() if average else loss.item()
            bar.set_postfix(loss=f"{average:.4f}", refresh=False)
    return network.eval()


def known_loss(loss_of: nn.BCEWithLogitsLoss, logits: torch.Tensor, truths: torch.Tensor) -> torch.Tensor:
    """The mean loss over the truths that are known; nothing is to be learned where none is."""
    known = ~torch.isnan(truths)
    if known.all():
        return loss_of(logits, truths)
    return loss_of(logits[known], truths[known]) if known.any() else logits.sum() * 0


@torch.no_grad()
def settle_statistics(network: nn.Module, split: Split, spec: Preprocessing) -> None:
    """Measures the means and variances of batch normalisation anew on the training pictures; few steps of training leave them behind."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
    network.train()
    for start in range(0, min(len(split.pictures), 2_000) - 1, BATCH):
        network(to_tensor(split.pictures[start : start + BATCH], spec))
    network.eval()


def seed_everything(seed: int) -> None:
    """Python, NumPy and PyTorch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def varied(pictures: np.ndarray, source: np.random.Generator) -> np.ndarray:
    """Each picture mirrored or not, moved by a few pixels, a little lighter or darker. uint8 in and out."""
    changed = np.empty_like(pictures)
    reach = max(1, pictures.shape[1] // 16)
    for i, picture in enumerate(pictures):
        if source.random() < 0.5:
            picture = picture[:, ::-1]
        padded = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        top, left = source.integers(0, 2 * reach + 1, 2)
        changed[i] = padded[top : top + picture.shape[0], left : left + picture.shape[1]]
    gain = source.uniform(0.85, 1.15, (len(pictures), 1, 1, 1)).astype(np.float32)
    lift = source.uniform(-14, 14, (len(pictures), 1, 1, 1)).astype(np.float32)
    return np.clip(changed * gain + lift, 0, 255).astype(np.uint8)


def to_tensor(pictures: np.ndarray, spec: Preprocessing) -> torch.Tensor:
    """uint8 [count, height, width, 3] to normalised FP32 [count, 3, height, width]."""
    scale = torch.tensor(spec.std).view(1, 3, 1, 1)
    scaled = torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 255
    if spec.color == "bgr":
        scaled = scaled.flip(1)
    return ((scaled - torch.tensor(spec.mean).view(1, 3, 1, 1)) / scale).contiguous()


@torch.no_grad()
def logits_of(network: nn.Module, pictures: np.ndarray, spec: Preprocessing) -> np.ndarray:
    """FP32 logits [count, labels]."""
    network.eval()
    parts = [network(to_tensor(pictures[i : i + 256], spec)).float().numpy() for i in range(0, len(pictures), 256)]
    return np.concatenate(parts)
