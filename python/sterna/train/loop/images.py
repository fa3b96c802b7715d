"""Learning from whole images in folders of classes: what runs of classifiers and of Siamese networks share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from typing_extensions import override

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import NetworkDescription
from sterna.importers import registry
from sterna.train.data import Dataset, ReadOptions, Splits
from sterna.train.data.class_folders import counts, open_class_split, open_classes
from sterna.train.loop.loader import ClassBatches
from sterna.train.loop.task import Anchors, Task
from sterna.train.model import density
from sterna.train.model.network import Network
from sterna.train.options import Allocation, TrainOptions

Measured = TypeVar("Measured")


class ImageTask(Task[Measured]):
    """The task of a network that ends in numbers for a whole image."""

    @abstractmethod
    def takes(self, graph: Graph) -> tuple[tuple[str, ...], int]:
        """The classes that `graph` knows, none if any will do, and the channels of an image."""

    @override
    def check(self, options: TrainOptions) -> None:
        given = {
            "unlabelled": options.unlabelled, "anchors": options.anchors, "multi_scale": options.multi_scale,
            "allocation": options.allocation is not Allocation.UNIFORM and options.allocation,
        }  # fmt: skip
        for name, value in given.items():
            if value:
                raise SternaError(
                    "the option is for detectors, and the network is a classifier", where="train", attribute=name,
                    value=value, remedy=f"leave --{name.replace('_', '-')} out",
                )  # fmt: skip

    @override
    def open_data(self, options: TrainOptions, console: Console) -> Splits:
        channels = registry.describe(options.network, options.given).image_channels
        return open_classes(options, channels, console)

    @override
    def open_split(
        self, data: str | None, split: str, graph: Graph, rename: Mapping[str, str] | None, read: ReadOptions,
        console: Console,
    ) -> Dataset:  # fmt: skip
        if data is None:
            raise SternaError(
                "no images are named", where="eval", attribute="data",
                allowed="images in folders of classes", remedy="name the folder with --data",
            )  # fmt: skip
        size, (classes, channels) = (graph.input.height, graph.input.width), self.takes(graph)
        return open_class_split(Path(data), split, *size, classes, rename, read, channels)

    @override
    def missing(self, data: Splits) -> list[str]:
        lines = []
        for use, images in (("training", data.train), ("validation", data.val), ("test", data.test)):
            missing = [name for name, count in counts(images).items() if not count]
            if missing:
                lines.append(f"no image of {', '.join(missing)} among the {use} images")
        return lines

    @override
    def check_size(self, options: TrainOptions, network: NetworkDescription) -> None:
        scores = network.infer(2, options.height, options.width)[network.last.name]
        if (scores.height, scores.width) != (1, 1):
            side = network.side
            raise SternaError(
                "gives more than one score of a class for an image of this size", where="train",
                attribute="height, width", value=f"{options.height}, {options.width}",
                allowed="a size that leaves one pixel" + (f", as {side}x{side} does" if side else ""),
                remedy="use the image size that the network is made for",
            )  # fmt: skip

    @override
    def anchors(self, options: TrainOptions, network: NetworkDescription, data: Dataset, console: Console) -> Anchors:
        return []

    @override
    def misfit(self, network: NetworkDescription, anchors: Anchors, data: Dataset) -> list[str]:
        return []

    @override
    def densities(
        self, network: Network, anchors: Anchors, options: TrainOptions, data: Dataset, console: Console
    ) -> dict[str, float]:
        return density.uniform(network.description, options.density, options.layer_density)

    @override
    def batches(self, network: NetworkDescription, anchors: Anchors) -> ClassBatches:
        return ClassBatches()

    @override
    def sizes(self, options: TrainOptions, network: NetworkDescription) -> list[tuple[int, int]]:
        return [(options.height, options.width)]
