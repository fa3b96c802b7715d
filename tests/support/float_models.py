"""Small detectors and backbones as PyTorch modules, in the manner of programs that export ONNX, and as ONNX files."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn


class Block(nn.Module):
    """Convolution, batch normalisation and activation, the statistics random."""

    def __init__(self, channels: int, filters: int, kernel: int = 3, activation: nn.Module | None = None) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, filters, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(filters, eps=1e-3)
        self.activation = activation or nn.ReLU()
        nn.init.uniform_(self.norm.weight, 0.5, 1.5)
        nn.init.normal_(self.norm.bias, std=0.3)
        nn.init.normal_(self.norm.running_mean, std=0.3)
        nn.init.uniform_(self.norm.running_var, 0.3, 2.0)

    def forward(self, x: Tensor) -> Tensor:
        """The map."""
        return self.activation(self.norm(self.conv(x)))


class Backbone(nn.Module):
    """Focus of the image, a spatial pyramid of pools, a passthrough, and a head where `outputs` are wanted."""

    def __init__(self, activation: type[nn.Module] = nn.ReLU, outputs: int = 0, focus: bool = True) -> None:
        super().__init__()
        self.focus = focus
        self.first = Block(12 if focus else 3, 8, 3, activation())
        self.second = Block(8, 8, 3, activation())
        self.pyramid, self.after = nn.MaxPool2d(5, 1, 2), Block(32, 8, 1, activation())
        self.deep, self.pool = Block(8, 16, 3, activation()), nn.MaxPool2d(2)
        self.head = nn.Conv2d(48, outputs, 1) if outputs else None

    def forward(self, image: Tensor) -> Tensor:
        """The last map, [N, 48, H / 4, W / 4], or the head's."""
        if self.focus:
            phases = [image[..., y::2, x::2] for x in range(2) for y in range(2)]
            image = torch.cat(phases, 1)
        else:
            image = self.pool(image)
        x = self.second(self.first(image))
        maps = [x]
        for _ in range(3):
            maps.append(self.pyramid(maps[-1]))
        route = self.after(torch.cat(maps, 1))
        x = torch.cat([nn.functional.pixel_unshuffle(route, 2), self.deep(self.pool(route))], 1)
        return x if self.head is None else self.head(x)


class Residual(nn.Module):
    """A stem, residual blocks and a head in the manner of ResNet."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.stem, self.pool = Block(3, 8, 7), nn.MaxPool2d(3, 2, 1)
        self.stem.conv.stride = (2, 2)
        self.wide, self.narrow = Block(8, 8, 3), Block(8, 16, 3, nn.Identity())
        self.wide.conv = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.narrow.conv.stride = (2, 2)
        self.shortcut = Block(8, 16, 1, nn.Identity())
        self.shortcut.conv.stride = (2, 2)
        self.mean, self.slope = Block(8, 16, 1), nn.LeakyReLU(0.125)
        self.last, self.head = Block(16, 16, 4), nn.Conv2d(16, outputs, 1)
        self.last.conv.stride, self.last.conv.padding = (2, 2), (1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """The head's map, [N, outputs, H / 16, W / 16]."""
        x = self.pool(self.stem(image))
        deep = torch.relu(self.narrow(self.wide(x)) + self.shortcut(x))
        mean = self.mean(nn.functional.avg_pool2d(x, 2))
        return self.head(self.last(self.slope(deep + mean)))


class Levels(nn.Module):
    """A classifier of two classes, for images of 12x12."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.fc = Block(3, 4, 1), nn.Linear(4, 2)

    def forward(self, image: Tensor) -> Tensor:
        """Scores [N, 2]."""
        return self.fc(nn.functional.avg_pool2d(self.block(image), 2).mean((2, 3)))


def save(module: nn.Module, path: Path, side: int = 32, *, folds: bool = True, **properties: str) -> None:
    """As an ONNX file; folds: whether normalisation becomes part of the weights."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(), (torch.zeros(1, 3, side, side),), str(path), dynamo=False, do_constant_folding=folds,
            training=torch.onnx.TrainingMode.EVAL if folds else torch.onnx.TrainingMode.PRESERVE,
        )  # fmt: skip
    if properties:
        model = onnx.load(path)
        onnx.helper.set_model_props(model, properties)
        onnx.save(model, path)
