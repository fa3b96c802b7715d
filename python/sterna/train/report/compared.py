"""The forms of a network side by side, whatever they are measured by; on a console, and as the summary of a run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from rich import table as rich_table
from rich.console import Console

from sterna.graph import Conv, Graph
from sterna.train.data import GENERATED
from sterna.train.options import TrainOptions
from sterna.train.report import layers
from sterna.train.report.layers import TERNARY, LayerMetrics, Metrics

FORMS = "Ternary and integer are the weights of the last stage, in floating-point arithmetic and in that of the engine"

#: Called with what is done, of how much, and of what.
Progress = Callable[[int, int, str], None]


class Table(NamedTuple):
    """A table with a title: `rows` have a cell for each of `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[str, ...]]


class Compared(Metrics):
    """The forms of one network on one data set."""

    images: int
    #: By name, in the order of the graph.
    layers: dict[str, LayerMetrics]

    #: What is measured, in a word and in full; its first metric, as the summary calls it; what the summary
    #: leaves out.
    heading: ClassVar[str]
    title: ClassVar[str]
    headline: ClassVar[str]
    left_out: ClassVar[dict[str, Any]]
    #: What the figure of `figure` shows, and the name of a file with it.
    figure_title: ClassVar[str]
    figure_file: ClassVar[str]

    @property
    @abstractmethod
    def forms(self) -> tuple[str, ...]:
        """The names of the forms."""

    @abstractmethod
    def rows(self) -> Iterator[tuple[str, ...]]:
        """Rows of a table: a title, then a cell for each form, empty where nothing could be measured."""

    @abstractmethod
    def methods(self, *, short: bool) -> tuple[str, ...]:
        """How it is measured; `short`, as it is done today, for a console."""

    @abstractmethod
    def figure(self) -> Figure:
        """What a table does not show."""

    def more(self) -> Iterator[Table]:
        """Tables of what else was measured."""
        yield from ()

    def notes(self, *, short: bool = False) -> list[str]:
        """Notes on the table, a line each."""
        forms = (FORMS,) if TERNARY in self.forms else ()
        return [f"{note}." for note in (*self.methods(short=short), *forms)]


def show(compared: Compared, console: Console) -> None:
    """Print what is measured by form, and the layers; the methods in short."""
    title = f"{compared.title} on {compared.images} images"
    first = Table(title, ("", *compared.forms), compared.rows())
    for table in (first, *compared.more(), Table("Layers", layers.TITLES, layers.rows(compared.layers))):
        console.print(_drawn(table))
    for note in compared.notes(short=True):
        console.print(note)


def of_part(progress: Progress | None, part: str) -> Callable[[int, int], None] | None:
    """What shows the progress of one of several parts, if any is to be shown."""
    return None if progress is None else lambda done, total: progress(done, total, part)


def _drawn(table: Table) -> rich_table.Table:
    drawn = rich_table.Table(title=table.title)
    for index, column in enumerate(table.columns):
        drawn.add_column(column, justify="right" if index else "left")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def summarise(
    options: TrainOptions,
    compared: Compared,
    graph: Graph,
    by_stage: Mapping[str, float],
    seconds: float,
    waited: float,
    device: str,
    warnings: Sequence[str],
) -> dict[str, Any]:
    """All metrics of a run as plain JSON values, but for curves and confusions; they are 0..1, on the test images.

    by_stage: the headline at the end of each stage. seconds: in steps; waited: for images. device: what it was trained
    on. warnings: what a person should not overlook.
    """
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    anchors = {"anchors": graph.metadata["anchors"]} if "anchors" in graph.metadata else {}
    return {
        "warnings": list(warnings),
        "network": options.network,
        "data": options.data if options.data in GENERATED else "folder",
        "classes": graph.metadata["classes"],
        "image": [options.height, options.width],
        **compared.model_dump(mode="json", exclude=compared.left_out),
        f"{compared.headline}_by_stage": dict(by_stage),
        "weights": sum(array.size for array in weights),
        "density": sum(np.count_nonzero(array) for array in weights) / sum(array.size for array in weights),
        **anchors,
        "step_seconds": round(seconds, 1),
        "waited_seconds": round(waited, 1),
        "device": device,
        "options": options.model_dump(mode="json", exclude={"output", "resume", "data"}),
    }
