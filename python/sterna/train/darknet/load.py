"""A trained darknet detector as the float network that a training of Sterna starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sterna.errors import SternaError
from sterna.text import read_lines
from sterna.train.darknet import convert
from sterna.train.darknet.cfg import Yolo2, read_cfg
from sterna.train.darknet.weights import Header, read_weights
from sterna.train.networks import Network, Reorg

BORDER = (
    "outside the picture is grey and not black: boxes at its edges change a little, "
    "and training the network further heals it"
)
PASSTHROUGH = (
    "darknet's reorg is no true space-to-depth: half of the passthrough's rows move by one, "
    "so train the float network further before it becomes ternary"
)


@dataclass(frozen=True, eq=False)
class Imported:
    """A detector as read.

    network: float form, eval mode, for pictures (rgb - 128) / 128. names: of the classes, in the order of the head.
    changes: one sentence for each thing that the network does not compute as darknet does.
    """

    described: Yolo2
    names: tuple[str, ...]
    header: Header
    network: Network
    changes: tuple[str, ...]


def load(cfg: Path, weights: Path, names: Path | None = None) -> Imported:
    """Read a detector of darknet: its cfg file, its weights file, and the list of class names that belongs to it.

    Without `names` the classes are called class0, class1, ... Raises SternaError for a file that cannot be read, does
    not fit the others, or describes what Sterna cannot compute.
    """
    described = read_cfg(cfg)
    classes = read_names(names, described.classes) if names else tuple(f"class{n}" for n in range(described.classes))
    stored = read_weights(weights, convert.shapes(described))
    network = convert.to_network(described, stored)
    reorganised = any(isinstance(layer, Reorg) for layer in described.layers)
    return Imported(described, classes, stored.header, network, (BORDER, PASSTHROUGH) if reorganised else (BORDER,))


def read_names(path: Path, classes: int) -> tuple[str, ...]:
    """The class names in `path`, one a line; raises SternaError unless there are `classes` different ones."""
    lines = read_lines(path, "the list of class names", "name a text, one class a line")
    names = [line.strip() for line in lines if line.strip()]
    if len(names) != classes:
        raise SternaError(
            "the list of class names does not belong to the cfg file",
            where=str(path),
            attribute="classes",
            value=len(names),
            allowed=f"{classes}, one a line",
            remedy="name the list that the network was trained with",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SternaError(
            "a class name stands there twice",
            where=str(path),
            attribute="name",
            value=twice,
            allowed="different names",
            remedy="give one of the classes another name",
        )
    return tuple(names)
