"""Accuracy of classifiers, float, ternary or integer, and their forms side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from typing_extensions import override

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.run.emulator import executor
from sterna.train.data import Dataset
from sterna.train.data.stream import batches
from sterna.train.model.network import Network
from sterna.train.report import evaluate, layers, plots
from sterna.train.report.compared import Compared, Progress, of_part
from sterna.train.report.evaluate import Execute, Images
from sterna.train.report.layers import Metrics, integer_graph, shown
from sterna.vision.prepare import to_integers
from sterna.vision.ranking import Ranker

BATCH = 32
#: How many of the best classes count in the second metric.
FEW = 5
METHOD = (
    f"Top-1 is the share of images whose class has the highest score, top-{FEW} of those where it is among the {FEW} "
    "highest; an equal score of another class counts against it"
)


class Accuracy(Metrics):
    """Accuracy of a classifier on a data set, 0..1; see METHOD.

    classes: top-1 of the images of each class, by name; classes that occur only. confusion: for each class, in order,
    how many of its images were taken for each class; of an equal score, for the other one.
    """

    top1: float
    top5: float
    classes: dict[str, float]
    confusion: tuple[tuple[int, ...], ...]


def accuracy(scores: NDArray[Any], kinds: NDArray[np.int64], classes: tuple[str, ...]) -> Accuracy:
    """Of `scores` [N, C] for images of the classes of numbers `kinds` [N]."""
    rows = np.arange(len(kinds))
    own = scores[rows, kinds]
    others = scores.astype(np.float64)
    others[rows, kinds] = -np.inf
    taken = np.where(own > others.max(1), kinds, others.argmax(1))
    confusion = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(confusion, (kinds, taken), 1)
    totals = confusion.sum(1)
    return Accuracy(
        top1=float((taken == kinds).mean()),
        top5=float(((others >= own[:, None]).sum(1) < FEW).mean()),
        classes={
            name: float(confusion[number, number] / totals[number])
            for number, name in enumerate(classes)
            if totals[number]
        },
        confusion=tuple(map(tuple, confusion.tolist())),
    )


@dataclass(frozen=True)
class Scorer:
    """A classifier in one of its forms: from images uint8 [N, H, W, 3] to real scores [N, C]."""

    score: Callable[[Images], NDArray[np.floating]]

    def measure(self, dataset: Dataset, workers: int = 0, progress: evaluate.Progress | None = None) -> Accuracy:
        """Accuracy on all of `dataset`, which `workers` processes read ahead; 0: none."""
        scores: list[NDArray[np.floating]] = []
        kinds: list[NDArray[np.int64]] = []
        for batch in batches(dataset, BATCH, workers):
            scores.append(self.score(np.stack([frame.image for frame in batch])))
            kinds += [frame.classes for frame in batch]
            if progress:
                progress(len(kinds), len(dataset))
        return accuracy(np.concatenate(scores), np.concatenate(kinds), tuple(dataset.classes))


def of_network(network: Network) -> Scorer:
    """`network` in float arithmetic, in any form and on the device where it is."""

    @torch.no_grad()
    def score(images: Images) -> NDArray[np.floating]:
        network.eval()
        real = evaluate.to_real(images, next(network.parameters()).device)
        return np.asarray(network(real).flatten(1).cpu().numpy())

    return Scorer(score)


def of_graph(graph: Graph, classes: tuple[str, ...], execute: Execute | None = None) -> Scorer:
    """`graph` in integers, for data of `classes`, computed by `execute`; None: by the emulator.

    Raises SternaError if the graph is no classifier, or was trained for other classes.
    """
    ranker = Ranker.of(graph)
    if ranker.classes != tuple(classes):
        raise SternaError(
            "the graph was trained for other classes than those of the data", where="evaluate", attribute="classes",
            value=", ".join(ranker.classes), allowed=", ".join(classes),
            remedy="evaluate on the data set for which the graph was trained",
        )  # fmt: skip
    run = execute or executor(graph, [ranker.output])
    return Scorer(lambda images: ranker.real(run(to_integers(images))[ranker.output]))


class ClassComparison(Compared):
    """The forms of one classifier on one data set; the method says how accuracy is computed."""

    method: str
    classes: tuple[str, ...]
    #: By form.
    accuracy: dict[str, Accuracy]

    heading: ClassVar[str] = "Accuracy"
    title: ClassVar[str] = "Accuracy"
    headline: ClassVar[str] = "top1"
    left_out: ClassVar[dict[str, Any]] = {"accuracy": {"__all__": {"confusion"}}}
    figure_title: ClassVar[str] = "Which class images of a class are taken for"
    figure_file: ClassVar[str] = "confusion.png"

    @property
    @override
    def forms(self) -> tuple[str, ...]:
        return tuple(self.accuracy)

    @override
    def rows(self) -> Iterator[tuple[str, ...]]:
        columns = self.accuracy.values()
        yield "top-1", *(shown(each.top1) for each in columns)
        yield f"top-{FEW}", *(shown(each.top5) for each in columns)
        for name in {name: None for each in columns for name in each.classes}:
            yield f"{name}, top-1", *(shown(each.classes.get(name)) for each in columns)

    @override
    def methods(self, *, short: bool) -> tuple[str, ...]:
        return (METHOD if short else self.method,)

    @override
    def figure(self) -> Figure:
        return plots.confusion({name: each.confusion for name, each in self.accuracy.items()}, self.classes)


def scorers(
    forms: Mapping[str, Network | Graph], classes: tuple[str, ...], execute: Execute | None = None
) -> dict[str, Scorer]:
    """Each of `forms` as evaluation uses it. Raises SternaError as `of_graph` does, and if there is no graph.

    execute: what computes the graph; None: the emulator.
    """
    integer_graph(forms)
    return {
        name: of_network(form) if isinstance(form, Network) else of_graph(form, classes, execute)
        for name, form in forms.items()
    }


def compare(
    forms: Mapping[str, Network | Graph],
    dataset: Dataset,
    workers: int = 0,
    progress: Progress | None = None,
    execute: Execute | None = None,
) -> ClassComparison:
    """Measure all `forms` (`float` and `ternary` networks if there are any, `integer` graph) on `dataset`.

    workers: processes that read images ahead, 0: none. execute: what computes the graph; None: the emulator.
    Raises SternaError as `scorers` does.
    """
    found = {}
    for name, scorer in scorers(forms, tuple(dataset.classes), execute).items():
        found[name] = scorer.measure(dataset, workers, of_part(progress, name))
    return ClassComparison(
        images=len(dataset), layers=layers.of_forms(forms, dataset), method=METHOD, accuracy=found,
        classes=tuple(dataset.classes),
    )  # fmt: skip
