"""What a run learns, boxes, classes or pairs: all that differs between them is asked of a `Task`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from PIL.Image import Image
from rich.console import Console

from sterna.graph import Graph
from sterna.graph.network import NetworkDescription
from sterna.train.data import Dataset, ReadOptions, Splits
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import Batches
from sterna.train.model import export
from sterna.train.model.network import Network
from sterna.train.options import TrainOptions
from sterna.train.report.board import Board
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.evaluate import Execute
from sterna.train.report.history import EpochLine

Measured = TypeVar("Measured")
Forms = Mapping[str, Network | Graph]
Anchors = list[list[float]]


class Task(ABC, Generic[Measured]):
    """What a run learns. anchors: pairs of width and height in cells; a classifier has none."""

    #: What learns it; what `compare` gives; what the first metric is called.
    learner: ClassVar[type[Learner]]
    compared: ClassVar[type[Compared]]
    metric: ClassVar[str]

    @abstractmethod
    def check(self, options: TrainOptions) -> None:
        """Raise SternaError for options that it cannot have."""

    @abstractmethod
    def open_data(self, options: TrainOptions, console: Console) -> Splits:
        """The images; raises SternaError for data of another form."""

    @abstractmethod
    def open_split(
        self, data: str | None, split: str, graph: Graph, rename: Mapping[str, str] | None, read: ReadOptions,
        console: Console,
    ) -> Dataset:  # fmt: skip
        """The images of one split of the data set `data`, for `graph`; raises SternaError for data of another form."""

    @abstractmethod
    def missing(self, data: Splits) -> list[str]:
        """Warnings of classes that the data do not show, a line each."""

    @abstractmethod
    def check_size(self, options: TrainOptions, network: NetworkDescription) -> None:
        """Raise SternaError if `network` cannot take images of this size."""

    def outputs(self, options: TrainOptions, data: Dataset) -> tuple[str, ...]:
        """What the outputs of the network are called, for as many as its last layer needs: the classes of `data`."""
        return tuple(data.classes)

    def graph(
        self, network: Network, anchors: Anchors, outputs: tuple[str, ...], options: TrainOptions, data: Splits
    ) -> Graph:
        """The integer graph of the ternary `network`."""
        return export.to_graph(network, anchors, outputs, options.height, options.width)

    @abstractmethod
    def anchors(self, options: TrainOptions, network: NetworkDescription, data: Dataset, console: Console) -> Anchors:
        """The anchors of a network without weights."""

    @abstractmethod
    def misfit(self, network: NetworkDescription, anchors: Anchors, data: Dataset) -> list[str]:
        """Warnings of anchors that do not fit `data`."""

    @abstractmethod
    def densities(
        self, network: Network, anchors: Anchors, options: TrainOptions, data: Dataset, console: Console
    ) -> dict[str, float]:
        """The density that each ternary layer of `network` gets."""

    @abstractmethod
    def batches(self, network: NetworkDescription, anchors: Anchors) -> Batches:
        """How frames become a batch."""

    @abstractmethod
    def sizes(self, options: TrainOptions, network: NetworkDescription) -> list[tuple[int, int]]:
        """Heights and widths of training images to choose from."""

    @abstractmethod
    def measure(self, network: Network, anchors: Anchors, data: Dataset, workers: int) -> Measured:
        """`network` in its form on `data`, which so many processes read."""

    @abstractmethod
    def first(self, measured: Measured) -> float:
        """The first metric, 0..1."""

    @abstractmethod
    def tell(self, measured: Measured, line: EpochLine, board: Board, step: int) -> None:
        """Add what was measured on the validation images to the epoch's `line` and to `board`."""

    @abstractmethod
    def samples(self, form: Network | Graph, anchors: Anchors, data: Dataset) -> Image:
        """Images of `data` with what `form` sees on them."""

    @abstractmethod
    def compare(
        self,
        forms: Forms,
        data: Dataset,
        workers: int = 0,
        progress: Progress | None = None,
        execute: Execute | None = None,
    ) -> Compared:
        """All `forms` on `data`. execute: what computes the graph; None: the emulator."""


AnyTask = Task[Any]
