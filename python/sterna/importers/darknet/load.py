"""A trained darknet detector, read for a training of Sterna to start from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from sterna.errors import SternaError
from sterna.graph.layers import Reorg
from sterna.graph.network import BOX_FIELDS
from sterna.importers.darknet import convert
from sterna.importers.darknet.cfg import Yolo2, read_cfg
from sterna.importers.darknet.training import not_loaded
from sterna.importers.darknet.weights import Shape, Weights, read_weights
from sterna.importers.epsilon import Epsilon
from sterna.importers.importer import Given, Imported
from sterna.vision import class_names

BORDER = "outside the image is grey and not black: boxes at the edges change a little; further training corrects this"
PASSTHROUGH = (
    "darknet's reorg is not a true space-to-depth: half of the passthrough's rows move by one, "
    "so train the float network further before it becomes ternary"
)


def load(cfg: Path, weights: Path, names: Path | None = None, epsilon: Epsilon = Epsilon.GPU) -> Imported:
    """Read a detector of darknet: its cfg file, its weights file, and the list of class names that belongs to it.

    The weights may be those of the first layers only, or have a head for other classes, which is left out: the other
    layers are `fresh` and have no weights. epsilon: of the program that made the weights. Raises SternaError for a file
    that cannot be read, does not fit the others, or describes what Sterna cannot compute.
    """
    described = read_cfg(cfg)
    shapes = convert.shapes(described)
    stored = _read(weights, shapes, not_loaded(cfg))
    held = {layer.name for layer in stored.convolutions}
    fresh = tuple(shape.name for shape in shapes if shape.name not in held)
    known = read_names(names, described.classes) if names and shapes[-1].name in held else None
    converted = convert.to_sterna(described, stored, epsilon)
    changes = (*_of_weights(described, weights, stored, fresh), _of_epsilon(epsilon), *_of_layers(described))
    return Imported(described, known, converted, fresh, changes)


def load_files(cfg: Path, given: Given) -> Imported | None:
    """`load` with the files that are `given` beside the cfg file; None without weights."""
    return None if given.weights is None else load(cfg, given.weights, given.names, given.epsilon)


def _read(path: Path, shapes: Sequence[Shape], absent: Collection[str]) -> Weights:
    """The weights in `path` without those of the layers `absent`.

    Darknet goes on reading where it is when it passes one over, so that only those at the end may be in the file.
    """
    last = max((index for index, shape in enumerate(shapes) if shape.name not in absent), default=0)
    stored = read_weights(path, [s for index, s in enumerate(shapes) if index > last or s.name not in absent])
    return replace(stored, convolutions=tuple(c for c in stored.convolutions if c.name not in absent))


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
    reorgs = {layer.name for layer in described.network.layers if isinstance(layer, Reorg)}
    return (BORDER, PASSTHROUGH) if reorgs - described.straight else (BORDER,)


def read_names(path: Path, classes: int) -> tuple[str, ...]:
    """The class names in `path`, one per line; raises SternaError unless there are `classes` different ones."""
    names = class_names.listed(path)
    class_names.check(names, path)
    if len(names) != classes:
        raise SternaError(
            "the list of class names does not fit the cfg file",
            where=str(path),
            attribute="classes",
            value=len(names),
            allowed=f"{classes}, one per line",
            remedy="name the list with which the network was trained",
        )
    return names
