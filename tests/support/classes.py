"""A small classifier, and images in folders of two classes that any network can tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from sterna.graph import networks
from sterna.graph.network import RGB, NetworkDescription

SIDE = 12
SMALL = "small-classifier"


def small_classifier(channels: int = RGB) -> NetworkDescription:
    """A network that scores images of SIDE x SIDE."""
    trunk = networks.Trunk("relu", channels)
    trunk.conv(8, 3, stride=2)
    trunk.conv(8, 3)
    trunk.add("conv1")
    trunk.average(6)
    return trunk.classifier()


def write_classes(folder: Path, counts: tuple[int, int] = (24, 8)) -> Path:
    """Bright and dark images with noise in the splits train and test, so many of each class; returns `folder`."""
    rng = np.random.default_rng(0)
    for split, count in zip(("train", "test"), counts, strict=True):
        for name, level in (("bright", 200), ("dark", 50)):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = (level + rng.integers(-40, 40, (9, 9, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
    return folder
