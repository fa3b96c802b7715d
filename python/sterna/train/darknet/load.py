"""A trained darknet detector as the float network that a training of Sterna starts from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sterna.errors import SternaError
from sterna.train.darknet import convert
from sterna.train.darknet.cfg import Yolo2, read_cfg
from sterna.train.darknet.convert import Epsilon
from sterna.train.darknet.training import read_training
from sterna.train.darknet.weights import Header, Shape, Weights, read_weights
from sterna.train.data.formats import class_names
from sterna.train.model.networks import Network, Reorg
from sterna.vision.boxes import BOX_FIELDS

BORDER = (
    "outside the image is grey and not black: boxes at its edges change a little, "
    "and training the network further heals it"
)
PASSTHROUGH = (
    "darknet's reorg is no true space-to-depth: half of the passthrough's rows move by one, "
    "so train the float network further before it becomes ternary"
)


@dataclass(frozen=True, eq=False)
class Imported:
    """A detector as read.

    network: float form, eval mode, for images (rgb - 128) / 128. names: of the classes, in the order of the head, or
    None if no list was given. fresh: the layers whose weights were not in the file. changes: one sentence for each
    thing that the network does not compute as darknet does, or that was decided.
    """

    described: Yolo2
    names: tuple[str, ...] | None
    header: Header
    network: Network
    fresh: tuple[str, ...]
    changes: tuple[str, ...]


def load(cfg: Path, weights: Path, names: Path | None = None, epsilon: Epsilon = Epsilon.GPU) -> Imported:
    """Read a detector of darknet: its cfg file, its weights file, and the list of class names that belongs to it.

    The weights may be those of the first layers only, or have a head for other classes, which is left out: the other
    layers get fresh weights from PyTorch's random generator. epsilon: of the program that made the weights. Raises
    SternaError for a file that cannot be read, does not fit the others, or describes what Sterna cannot compute.
    """
    described = read_cfg(cfg)
    shapes = convert.shapes(described)
    stored = _read(weights, shapes, read_training(cfg).not_loaded)
    held = {layer.name for layer in stored.convolutions}
    fresh = tuple(shape.name for shape in shapes if shape.name not in held)
    known = read_names(names, described.classes) if names and shapes[-1].name in held else None
    network = convert.to_network(described, stored, epsilon)
    changes = (*_of_weights(described, weights, stored, fresh), _of_epsilon(epsilon), *_of_layers(described))
    return Imported(described, known, stored.header, network, fresh, changes)


def _read(path: Path, shapes: Sequence[Shape], not_loaded: Collection[str]) -> Weights:
    """The weights in `path` without those of the layers `not_loaded`.

    Darknet goes on reading where it is when it passes one over, so that only those at the end may be in the file.
    """
    last = max((index for index, shape in enumerate(shapes) if shape.name not in not_loaded), default=0)
    stored = read_weights(path, [s for index, s in enumerate(shapes) if index > last or s.name not in not_loaded])
    return replace(stored, convolutions=tuple(c for c in stored.convolutions if c.name not in not_loaded))


def _of_weights(described: Yolo2, path: Path, stored: Weights, fresh: tuple[str, ...]) -> list[str]:
    """What the weights file does not hold."""
    found = []
    if stored.other_head:
        classes = stored.other_head // len(described.anchors) - BOX_FIELDS
        found.append(
            f"the head of {path} has {stored.other_head} filters, for {classes} classes, "
            f"and the cfg file says {described.classes} classes: the head of the file is left out"
        )
    if fresh:
        used = ", ".join(layer.name for layer in stored.convolutions)
        found.append(f"weights from {path}: {used or 'none'}; fresh weights: {', '.join(fresh)}")
    return found


def _of_epsilon(epsilon: Epsilon) -> str:
    return f"batch normalisation divides by {epsilon.formula} (--darknet-epsilon {epsilon.value})"


def _of_layers(described: Yolo2) -> tuple[str, ...]:
    """What is not computed as darknet does."""
    reorgs = {layer.name for layer in described.layers if isinstance(layer, Reorg)}
    return (BORDER, PASSTHROUGH) if reorgs - described.straight else (BORDER,)


def read_names(path: Path, classes: int) -> tuple[str, ...]:
    """The class names in `path`, one a line; raises SternaError unless there are `classes` different ones."""
    names = class_names.listed(path)
    class_names.check(names, path)
    if len(names) != classes:
        raise SternaError(
            "the list of class names does not belong to the cfg file",
            where=str(path),
            attribute="classes",
            value=len(names),
            allowed=f"{classes}, one a line",
            remedy="name the list that the network was trained with",
        )
    return names
