"""Learning which images show the same: what a run of a Siamese network does.

The features are those of a classifier's last layer, in place of scores. The graph is that of two images, of
`sterna.graph.pairs`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from PIL.Image import Image
from typing_extensions import override

from sterna.errors import SternaError
from sterna.graph import Graph, pairs
from sterna.train.data import Dataset, Splits
from sterna.train.loop.images import ImageTask
from sterna.train.loop.learner import Learner, PairLearner
from sterna.train.loop.task import Anchors, Forms
from sterna.train.model.network import Network
from sterna.train.options import TrainOptions
from sterna.train.report import distances
from sterna.train.report.board import Board
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.distances import Judge, PairAccuracy
from sterna.train.report.evaluate import Execute
from sterna.train.report.history import EpochLine


class Siamese(ImageTask[PairAccuracy]):
    """The task of a network that ends in features, whose distances are learnt."""

    learner: ClassVar[type[Learner]] = PairLearner
    compared: ClassVar[type[Compared]] = distances.PairComparison
    metric: ClassVar[str] = "accuracy of pairs"

    @override
    def check(self, options: TrainOptions) -> None:
        super().check(options)
        if options.accumulate > 1:
            raise SternaError(
                "pairs are made of all images of a batch, which must not be split", where="train",
                attribute="accumulate", value=options.accumulate, allowed="1", remedy="leave --accumulate out",
            )  # fmt: skip
        if options.batch == 1:
            raise SternaError(
                "a batch of one image has no pair", where="train", attribute="batch", value=options.batch,
                allowed="2 or more", remedy="choose a larger --batch",
            )  # fmt: skip

    @override
    def outputs(self, options: TrainOptions, data: Dataset) -> tuple[str, ...]:
        return tuple(f"feature{number}" for number in range(options.features or 0))

    @override
    def graph(
        self, network: Network, anchors: Anchors, outputs: tuple[str, ...], options: TrainOptions, data: Splits
    ) -> Graph:
        """That of two images, with the threshold that is best for the validation images."""
        single = super().graph(network, anchors, outputs, options, data)
        known = {"kind": pairs.KIND, "classes": list(data.train.classes), pairs.THRESHOLD: 0}
        graph = replace(pairs.pair(single, network.description.last.name), metadata=known)
        judge = replace(distances.of_graph(graph), threshold=None)
        return replace(graph, metadata=known | {pairs.THRESHOLD: int(judge.measure(data.val).threshold)})

    @override
    def takes(self, graph: Graph) -> tuple[tuple[str, ...], int]:
        return (), graph.input.channels // 2

    @override
    def measure(self, network: Network, anchors: Anchors, data: Dataset, workers: int) -> PairAccuracy:
        return distances.of_network(network).measure(data, workers)

    @override
    def first(self, measured: PairAccuracy) -> float:
        return measured.accuracy

    @override
    def tell(self, measured: PairAccuracy, line: EpochLine, board: Board, step: int) -> None:
        line["val_pairs"] = measured.accuracy
        board.pairs(step, line["stage"], measured)

    @override
    def samples(self, form: Network | Graph, anchors: Anchors, data: Dataset) -> Image:
        return distances.samples(_judge(form), data)

    @override
    def compare(
        self,
        forms: Forms,
        data: Dataset,
        workers: int = 0,
        progress: Progress | None = None,
        execute: Execute | None = None,
    ) -> distances.PairComparison:
        return distances.compare(forms, data, workers, progress, execute)


def _judge(form: Network | Graph) -> Judge:
    return distances.of_network(form) if isinstance(form, Network) else distances.of_graph(form)
