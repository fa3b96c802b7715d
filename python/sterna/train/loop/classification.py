"""Learning classes: what a classifier's run does."""

from __future__ import annotations

from typing import ClassVar

from PIL.Image import Image
from typing_extensions import override

from sterna.graph import Graph
from sterna.train.data import Dataset
from sterna.train.loop.images import ImageTask
from sterna.train.loop.learner import ClassLearner, Learner
from sterna.train.loop.task import Anchors, Forms
from sterna.train.model.network import Network
from sterna.train.report import accuracy, plots
from sterna.train.report.accuracy import Accuracy
from sterna.train.report.board import Board
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.evaluate import Execute
from sterna.train.report.history import EpochLine
from sterna.vision.ranking import Ranker


class Classification(ImageTask[Accuracy]):
    """The task of a network that ends in scores of classes."""

    learner: ClassVar[type[Learner]] = ClassLearner
    compared: ClassVar[type[Compared]] = accuracy.ClassComparison
    metric: ClassVar[str] = "accuracy"

    @override
    def takes(self, graph: Graph) -> tuple[tuple[str, ...], int]:
        return Ranker.of(graph).classes, graph.input.channels

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
