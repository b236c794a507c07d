"""A small residual network of plain 3x3 convolutions, quick on a processor without an accelerator.

The head is a 1x1 convolution and not a matrix product: every picture of a batch then goes through the same kernel, whatever the size of the batch, so
scores are equal bit for bit alone and in company.
"""

import torch
from torch import nn


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.second(self.first(x)))


class Network(nn.Module):
    """FP32 [batch, 3, height, width] to logits [batch, labels]. `widths`: channels after each halving; `depth`: residual blocks at each but the first."""

    def __init__(self, labels: int, widths: tuple[int, ...], depth: int):
        super().__init__()
        stages: list[nn.Module] = [_conv(3, widths[0], 2)]
        for before, after in zip(widths, widths[1:]):
            stages += [_conv(before, after, 2), *(Residual(after) for _ in range(depth))]
        self.body = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Conv2d(widths[-1], labels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.pool(self.body(x)))).flatten(1)
