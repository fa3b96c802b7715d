"""Learning boxes: what a detector's run does."""

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
from sterna.train.data import GENERATED, SCENES, Dataset, ReadOptions, Splits, open_data, open_split
from sterna.train.data.augment import STEP, sizes
from sterna.train.data.class_folders import fits
from sterna.train.data.splits import check_size
from sterna.train.loop import start
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import BoxBatches
from sterna.train.loop.task import Anchors, Forms, Task
from sterna.train.model.network import Network
from sterna.train.options import TrainOptions
from sterna.train.report import evaluate, findings, plots, report
from sterna.train.report.board import Board
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.evaluate import Execute, Precision
from sterna.train.report.history import EpochLine
from sterna.vision.decoder import Decoder


class Detection(Task[Precision]):
    """The task of a network that ends in boxes."""

    learner: ClassVar[type[Learner]] = Learner
    compared: ClassVar[type[Compared]] = report.Comparison
    metric: ClassVar[str] = "mAP"

    @override
    def check(self, options: TrainOptions) -> None:
        check_size(options)
        if options.features is not None:
            raise SternaError(
                "the option is for classifiers, and the network is a detector", where="train", attribute="features",
                value=options.features, remedy="leave --features out, or name a classifier, such as --network resnet8",
            )  # fmt: skip

    @override
    def open_data(self, options: TrainOptions, console: Console) -> Splits:
        _check_boxes(options.data)
        return open_data(options, console)

    @override
    def open_split(
        self, data: str | None, split: str, graph: Graph, rename: Mapping[str, str] | None, read: ReadOptions,
        console: Console,
    ) -> Dataset:  # fmt: skip
        size = (graph.input.height, graph.input.width)
        _check_boxes(data or SCENES)
        classes = Decoder.of(graph).classes
        return open_split(Path(data or SCENES), split, *size, classes, rename, read, console)

    @override
    def missing(self, data: Splits) -> list[str]:
        return findings.of_data({"training": data.train, "validation": data.val, "test": data.test})

    @override
    def check_size(self, options: TrainOptions, network: NetworkDescription) -> None:
        start.check_size(options, network)

    @override
    def anchors(self, options: TrainOptions, network: NetworkDescription, data: Dataset, console: Console) -> Anchors:
        return start.anchors(options, network, data, console)

    @override
    def misfit(self, network: NetworkDescription, anchors: Anchors, data: Dataset) -> list[str]:
        return start.misfit(network, anchors, data)

    @override
    def densities(
        self, network: Network, anchors: Anchors, options: TrainOptions, data: Dataset, console: Console
    ) -> dict[str, float]:
        return start.densities(network, anchors, options, data, console)

    @override
    def batches(self, network: NetworkDescription, anchors: Anchors) -> BoxBatches:
        return BoxBatches(anchors, network.stride)

    @override
    def sizes(self, options: TrainOptions, network: NetworkDescription) -> list[tuple[int, int]]:
        return sizes(options.height, options.width, options.multi_scale, max(STEP, network.stride))

    @override
    def measure(self, network: Network, anchors: Anchors, data: Dataset, workers: int) -> Precision:
        return evaluate.evaluate_network(network, anchors, data, workers)

    @override
    def first(self, measured: Precision) -> float:
        return measured.map50

    @override
    def tell(self, measured: Precision, line: EpochLine, board: Board, step: int) -> None:
        line["val_map50"], line["val_map"] = measured.map50, measured.map
        board.precision(step, line["stage"], measured)

    @override
    def samples(self, form: Network | Graph, anchors: Anchors, data: Dataset) -> Image:
        evaluator = (
            evaluate.of_network(form, anchors) if isinstance(form, Network) else evaluate.of_graph(form, data.classes)
        )
        return plots.samples(evaluator, data)

    @override
    def compare(
        self,
        forms: Forms,
        data: Dataset,
        workers: int = 0,
        progress: Progress | None = None,
        execute: Execute | None = None,
    ) -> report.Comparison:
        return report.compare(forms, data, workers, progress, execute)


def _check_boxes(data: str) -> None:
    if data not in GENERATED and fits(Path(data)):
        raise SternaError(
            "holds images in folders of classes, which have no boxes", where=data,
            allowed="a data set of boxes: Pascal VOC, COCO, YOLO",
            remedy="name a network that classifies, such as --network resnet8",
        )  # fmt: skip
