"""The forms of a detector side by side: precision, and layer by layer density, threshold and where integers differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from matplotlib.figure import Figure
from typing_extensions import override

from sterna.graph import Graph
from sterna.train.data import Dataset
from sterna.train.model.network import Network
from sterna.train.report import evaluate, layers, plots, robustness
from sterna.train.report.compared import Compared, Progress, Table, of_part
from sterna.train.report.evaluate import Evaluator, Execute, Precision
from sterna.train.report.layers import integer_graph, shown
from sterna.train.report.robustness import Hardship
from sterna.vision.decoder import Decoder

#: Rows of the precision table that are no class: attribute of Precision, and its title.
MEANS = {
    "map50": "COCO mAP50",
    "map": "COCO mAP50-95",
    "small": "COCO mAP50-95, area below 32²",
    "medium": "COCO mAP50-95, area between",
    "large": "COCO mAP50-95, area above 96²",
    "voc07": "VOC07 mAP50, 11 points",
    "voc10": "VOC10 mAP50, all points",
}
#: And its rows of a class.
OF_CLASS = {
    "ap50": "COCO AP50",
    "ap": "COCO AP50-95",
    "voc07": "VOC07 AP50",
    "voc10": "VOC10 AP50",
}
AREAS = "Areas are in pixels of the network's input; a cell is empty if no labelled box has this size"


class Comparison(Compared):
    """The forms of one detector on one data set; the methods say how precision is computed, as COCO and as VOC do."""

    method: str
    voc_method: str
    #: By form.
    precision: dict[str, Precision]
    #: On the same images made worse; empty if that was not asked for.
    hardships: tuple[Hardship, ...] = ()

    heading: ClassVar[str] = "Precision"
    title: ClassVar[str] = "Average precision"
    headline: ClassVar[str] = "map50"
    left_out: ClassVar[dict[str, Any]] = {
        "precision": {"__all__": {"classes": {"__all__": {"curve"}}}},
        "hardships": True,
    }
    figure_title: ClassVar[str] = "Precision and recall at IoU 0.5"
    figure_file: ClassVar[str] = "precision_recall.png"

    @property
    @override
    def forms(self) -> tuple[str, ...]:
        return tuple(self.precision)

    @override
    def rows(self) -> Iterator[tuple[str, ...]]:
        columns = self.precision.values()
        for attribute, title in MEANS.items():
            yield title, *(shown(getattr(precision, attribute)) for precision in columns)
        names = {name: None for precision in columns for name in precision.classes}
        for name in names:
            found = [precision.classes.get(name) for precision in columns]
            for attribute, title in OF_CLASS.items():
                yield f"{name}, {title}", *(shown(getattr(each, attribute, None)) for each in found)

    @override
    def methods(self, *, short: bool) -> tuple[str, ...]:
        hardships = robustness.methods(self.hardships)
        return (*(evaluate.METHODS if short else (self.method, self.voc_method)), AREAS, *hardships)

    @override
    def more(self) -> Iterator[Table]:
        if self.hardships:
            plain = {form: each.map50 for form, each in self.precision.items()}
            yield Table(robustness.TITLE, ("", "", *self.forms), robustness.rows(plain, self.hardships))

    @override
    def figure(self) -> Figure:
        return plots.precision_recall(self.precision)


def evaluators(
    forms: Mapping[str, Network | Graph], classes: tuple[str, ...], execute: Execute | None = None
) -> dict[str, Evaluator]:
    """Each of `forms` as evaluation uses it. The anchors are those of the integer graph, which must be there.

    execute: what computes the graph; None: the emulator.
    Raises SternaError if the graph is missing, is no detector, or was trained for other classes than `classes`.
    """
    graph = integer_graph(forms)
    anchors = Decoder.of(graph).anchors
    return {
        name: evaluate.of_network(form, anchors)
        if isinstance(form, Network)
        else evaluate.of_graph(form, classes, execute)
        for name, form in forms.items()
    }


def compare(
    forms: Mapping[str, Network | Graph],
    dataset: Dataset,
    workers: int = 0,
    progress: Progress | None = None,
    execute: Execute | None = None,
) -> Comparison:
    """Measure all `forms` (`float` and `ternary` networks if there are any, `integer` graph) on `dataset`.

    workers: processes that read images ahead, 0: none. execute: what computes the graph; None: the emulator.
    Raises SternaError as `evaluators` does.
    """
    measured = measure(evaluators(forms, tuple(dataset.classes), execute), dataset, workers, progress)
    return measured.model_copy(update={"layers": layers.of_forms(forms, dataset)})


def measure(
    evaluators: Mapping[str, Evaluator], dataset: Dataset, workers: int = 0, progress: Progress | None = None
) -> Comparison:
    """Precision of each of `evaluators` on `dataset`, nothing by layer."""
    precision = {}
    for name, evaluator in evaluators.items():
        precision[name] = evaluator.measure(dataset, workers, of_part(progress, name))
    return Comparison(
        images=len(dataset),
        method=evaluate.METHOD,
        voc_method=evaluate.VOC_METHOD,
        precision=precision,
        layers={},
    )
