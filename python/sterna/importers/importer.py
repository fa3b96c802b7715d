"""The interface of importers: descriptions and plain arrays, without PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna.graph.network import NetworkDescription
from sterna.importers.epsilon import Epsilon

Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Norm:
    """Batch normalisation: scales, means and variances, float32 [F] each; the variances are not negative."""

    scales: Values
    means: Values
    variances: Values


@dataclass(frozen=True, eq=False)
class Convolution:
    """The numbers of one convolution: biases float32 [F], weights float32 [F, C, K, K]."""

    name: str
    biases: Values
    norm: Norm | None
    weights: Values

    def part(self, name: str, filters: slice) -> Convolution:
        """Some of its filters, under another name."""
        norm = None if self.norm is None else Norm(
            self.norm.scales[filters], self.norm.means[filters], self.norm.variances[filters]
        )  # fmt: skip
        return Convolution(name, self.biases[filters], norm, self.weights[filters])


@dataclass(frozen=True)
class DetectorDescription:
    """A network, and what is needed to feed and decode it.

    anchors: pairs of width and height in cells, one per box of a cell; none, and 0 classes, if the file does not say.
    height, width: of the image, in pixels.
    """

    network: NetworkDescription
    classes: int
    anchors: tuple[tuple[float, float], ...]
    height: int
    width: int


@dataclass(frozen=True)
class Training:
    """What a file says about training.

    options: values of options of Sterna's training by name, for what the file states. frozen: layers that do not learn.
    not_loaded: layers whose weights are not in the weights file. unused: what steers only the other program, such as
    "[net] batch, decay".
    """

    options: Mapping[str, float] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    not_loaded: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """What is given beside the file that describes a network.

    weights: a file of them. names: a list of class names, in the order of the head. epsilon: of the program that made
    the weights. pixels: what the bytes 0 and 255 of the image are in the model. activation: what takes the place of
    those that Sterna lacks; None: nothing may. until: the tensor in which the network ends; None: the model's result.
    """

    weights: Path | None = None
    names: Path | None = None
    epsilon: Epsilon = Epsilon.GPU
    pixels: tuple[float, float] = (0.0, 1.0)
    activation: str | None = None
    until: str | None = None


ALONE = Given()
"""Nothing beside the file."""


@dataclass(frozen=True, eq=False)
class Imported:
    """A trained detector as read.

    names: of the classes, in the order of the head, or None if they are not known. weights: by layer, for images
    (rgb - GREY) / GREY and NORM_EPSILON of `sterna.graph.network`. fresh: the layers that have none. changes: one
    sentence for each thing that the network does not compute as the other program does, or that was decided. replaced:
    what stands in place of something else, so that the weights have to be trained for it, a few words each.
    """

    described: DetectorDescription
    names: tuple[str, ...] | None
    weights: Mapping[str, Convolution]
    fresh: tuple[str, ...]
    changes: tuple[str, ...]
    replaced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Importer:
    """How files of one kind are read. Each function raises SternaError for a file that it cannot read.

    suffix: of the files, in lower case. files: what they are called in messages. describe: the network. training: what
    the file says about training, given the usual augmentation by option. load: the network with its weights; None
    if there are no weights. holds_weights: whether the file itself has them.
    """

    suffix: str
    files: str
    describe: Callable[[Path, Given], DetectorDescription]
    training: Callable[[Path, Mapping[str, float]], Training]
    load: Callable[[Path, Given], Imported | None]
    holds_weights: bool = False
