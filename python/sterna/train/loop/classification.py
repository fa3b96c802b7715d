"""Learning classes: what a classifier's run does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from PIL.Image import Image
from rich.console import Console
from typing_extensions import override

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import NetworkDescription
from sterna.importers import registry
from sterna.train.data import Dataset, ReadOptions, Splits
from sterna.train.data.class_folders import counts, open_class_split, open_classes
from sterna.train.loop.learner import ClassLearner, Learner
from sterna.train.loop.loader import ClassBatches
from sterna.train.loop.task import Anchors, Forms, Task
from sterna.train.model import density
from sterna.train.model.network import Network
from sterna.train.options import Allocation, TrainOptions
from sterna.train.report import accuracy, plots
from sterna.train.report.accuracy import Accuracy
from sterna.train.report.board import Board
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.evaluate import Execute
from sterna.train.report.history import EpochLine
from sterna.vision.ranking import Ranker


class Classification(Task[Accuracy]):
    """The task of a network that ends in scores of classes."""

    learner: ClassVar[type[Learner]] = ClassLearner
    compared: ClassVar[type[Compared]] = accuracy.ClassComparison
    metric: ClassVar[str] = "accuracy"

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
        size = (graph.input.height, graph.input.width)
        return open_class_split(Path(data), split, *size, Ranker.of(graph).classes, rename, read, graph.input.channels)

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

    @override
    def measure(self, network: Network, anchors: Anchors, data: Dataset, workers: int) -> Accuracy:
        return accuracy.of_network(network).measure(data, workers)

    @override
    def first(self, measured: Accuracy) -> float:
        return measured.top1

    @override
    def tell(self, measured: Accuracy, line: EpochLine, board: Board, step: int) -> None:
        line["val_top1"], line["val_top5"] = measured.top1, measured.top5
        board.accuracy(step, line["stage"], measured)

    @override
    def samples(self, form: Network | Graph, anchors: Anchors, data: Dataset) -> Image:
        scorer = accuracy.of_network(form) if isinstance(form, Network) else accuracy.of_graph(form, data.classes)
        return plots.class_samples(scorer.score, data)

    @override
    def compare(
        self,
        forms: Forms,
        data: Dataset,
        workers: int = 0,
        progress: Progress | None = None,
        execute: Execute | None = None,
    ) -> accuracy.ClassComparison:
        return accuracy.compare(forms, data, workers, progress, execute)
