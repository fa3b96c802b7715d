"""How well Siamese networks tell whether two images show the same, and their forms side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from typing_extensions import override

from sterna.errors import SternaError
from sterna.graph import Graph, pairs
from sterna.run.emulator import executor
from sterna.train.data import Dataset
from sterna.train.data.parts import Part
from sterna.train.data.stream import batches
from sterna.train.model.network import Network
from sterna.train.report import accuracy, layers, plots
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.evaluate import Execute, Images
from sterna.train.report.layers import Metrics, integer_graph, shown
from sterna.vision.prepare import to_integers

BATCH = 32
#: Most images and pairs of them that are measured; parts of a histogram.
IMAGES, PAIRS, PARTS = 1000, 2000, 24
METHOD = (
    f"Up to {PAIRS:,} pairs of up to {IMAGES:,} images, half of the pairs of one class: the share that is told right. "
    "An integer graph has its threshold from the validation images; other forms get the one that is best for the pairs"
)


class Pairs(NamedTuple):
    """Pairs of images by number, int64 [N] each, and whether both are of one class, bool [N]."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    alike: NDArray[np.bool_]


class PairAccuracy(Metrics):
    """How well pairs are told, shares 0..1: all, those of one class (`alike`), and the `others`.

    threshold: the distance up to which two images count as alike, in the unit of the form. histogram: pairs by their
    distance, in equal parts up to the `largest`: those of one class, and the others.
    """

    accuracy: float
    alike: float
    others: float
    threshold: float
    largest: float
    histogram: tuple[tuple[int, ...], tuple[int, ...]]


#: How far images [N, H, W, C] are apart in pairs by number, [P].
Distances = Callable[[Images, Pairs], NDArray[Any]]


def some_pairs(labels: NDArray[np.int64], count: int = PAIRS) -> Pairs:
    """Up to `count` pairs of two images each, of `labels` [N]; half of one class, as far as there are such pairs."""
    rng = np.random.default_rng(0)
    first, second = np.triu_indices(len(labels), 1)
    alike = labels[first] == labels[second]
    chosen = np.concatenate([
        rng.permutation(np.flatnonzero(alike))[: count // 2], rng.permutation(np.flatnonzero(~alike))[: count // 2],
    ])  # fmt: skip
    return Pairs(first[chosen], second[chosen], alike[chosen])


def best_threshold(apart: NDArray[Any], alike: NDArray[np.bool_]) -> float:
    """The distance with which most of the pairs are told right: the middle of such distances, if there are several."""
    candidates, places = np.unique(apart, return_inverse=True)
    gained = np.bincount(places, np.where(alike, 1, -1), len(candidates)).cumsum()
    best = np.flatnonzero(gained == gained.max())
    return float(candidates[best[len(best) // 2]])


def told(apart: NDArray[Any], alike: NDArray[np.bool_], threshold: float) -> PairAccuracy:
    """How well distances [N] tell which pairs are `alike`."""
    right, largest = (apart <= threshold) == alike, float(apart.max())
    ends = (0.0, largest or 1.0)
    return PairAccuracy(
        accuracy=float(right.mean()), alike=_share(right[alike]), others=_share(right[~alike]), threshold=threshold,
        largest=ends[1],
        histogram=tuple(tuple(np.histogram(part, PARTS, ends)[0].tolist()) for part in (apart[alike], apart[~alike])),
    )  # fmt: skip


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else 1.0


@dataclass(frozen=True)
class Judge:
    """A Siamese network in one of its forms. threshold: its own, None if it has none."""

    distances: Distances
    threshold: float | None = None

    def measure(self, dataset: Dataset, workers: int = 0) -> PairAccuracy:
        """How well it tells pairs of `dataset`, which `workers` processes read; 0: none.

        Raises SternaError if there are no pairs of both kinds.
        """
        images, chosen = read(dataset, workers)
        apart, threshold = self.compare(images, chosen)
        return told(apart, chosen.alike, threshold)

    def compare(self, images: Images, chosen: Pairs) -> tuple[NDArray[Any], float]:
        """How far the images of each pair are apart, [P], and the threshold."""
        apart = self.distances(images, chosen)
        return apart, best_threshold(apart, chosen.alike) if self.threshold is None else self.threshold


def read(dataset: Dataset, workers: int = 0) -> tuple[Images, Pairs]:
    """The images of `dataset` that are measured, [N, H, W, C], and the pairs. Raises SternaError as `measure` does."""
    order = np.random.default_rng(0).permutation(len(dataset))[:IMAGES]
    frames = [frame for batch in batches(Part(dataset, np.sort(order).tolist()), BATCH, workers) for frame in batch]
    chosen = some_pairs(np.concatenate([frame.classes for frame in frames]))
    if chosen.alike.all() or not chosen.alike.any():
        raise SternaError(
            "holds no pairs to compare", where="evaluate", attribute="data",
            allowed="two images of one class and one of another, at least", remedy="add images",
        )  # fmt: skip
    return np.stack([frame.image for frame in frames]), chosen


def of_network(network: Network) -> Judge:
    """`network` in float arithmetic, in any form and on the device where it is: mean differences of its features."""
    score = accuracy.of_network(network).score

    def distances(images: Images, chosen: Pairs) -> NDArray[Any]:
        starts = range(0, len(images), BATCH)
        features = np.concatenate([score(images[start : start + BATCH]) for start in starts])
        apart: NDArray[Any] = np.abs(features[chosen.first] - features[chosen.second]).mean(1)
        return apart

    return Judge(distances)


def of_graph(graph: Graph, execute: Execute | None = None) -> Judge:
    """`graph` of two images in integers, computed by `execute`; None: by the emulator. Its threshold is its own.

    Raises SternaError if the graph does not say how far two images are apart.
    """
    threshold = graph.metadata.get(pairs.THRESHOLD)
    if graph.metadata.get("kind") != pairs.KIND or type(threshold) is not int or len(graph.outputs) != 1:
        raise SternaError(
            "does not compare two images", where="graph metadata", attribute="kind", value=graph.metadata.get("kind"),
            allowed=f"'{pairs.KIND}' with a {pairs.THRESHOLD}", remedy="give a graph made by sterna train --features",
        )  # fmt: skip
    output = graph.outputs[0].name
    run = execute or executor(graph, [output])

    def distances(images: Images, chosen: Pairs) -> NDArray[Any]:
        maps, parts = to_integers(images), []
        for start in range(0, len(chosen.first), BATCH):
            first, second = (maps[side[start : start + BATCH]] for side in chosen[:2])
            parts.append(run(pairs.together(first, second))[output].reshape(len(first)))
        return np.concatenate(parts)

    return Judge(distances, threshold)


class PairComparison(Compared):
    """The forms of one Siamese network on one data set; the method says how accuracy is computed."""

    method: str
    #: By form.
    accuracy: dict[str, PairAccuracy]

    heading: ClassVar[str] = "Accuracy"
    title: ClassVar[str] = "Pairs told right"
    headline: ClassVar[str] = "accuracy"
    left_out: ClassVar[dict[str, Any]] = {"accuracy": {"__all__": {"histogram"}}}
    figure_title: ClassVar[str] = "How far images are apart"
    figure_file: ClassVar[str] = "distances.png"

    @property
    @override
    def forms(self) -> tuple[str, ...]:
        return tuple(self.accuracy)

    @override
    def rows(self) -> Iterator[tuple[str, ...]]:
        columns = self.accuracy.values()
        yield "pairs told right", *(shown(each.accuracy) for each in columns)
        yield "of one class", *(shown(each.alike) for each in columns)
        yield "of two classes", *(shown(each.others) for each in columns)
        yield "threshold", *(f"{each.threshold:.4g}" for each in columns)

    @override
    def methods(self, *, short: bool) -> tuple[str, ...]:
        return (METHOD if short else self.method,)

    @override
    def figure(self) -> Figure:
        return plots.distances({
            name: plots.Histogram(*each.histogram, each.largest, each.threshold) for name, each in self.accuracy.items()
        })  # fmt: skip


def compare(
    forms: Mapping[str, Network | Graph],
    dataset: Dataset,
    workers: int = 0,
    progress: Progress | None = None,
    execute: Execute | None = None,
) -> PairComparison:
    """Measure all `forms` (`float` and `ternary` networks if there are any, `integer` graph) on `dataset`.

    workers: processes that read images ahead, 0: none. execute: what computes the graph; None: the emulator.
    Raises SternaError as `of_graph` and `Judge.measure` do, and if there is no graph.
    """
    graph = integer_graph(forms)
    found = {}
    for number, (name, form) in enumerate(forms.items(), 1):
        judge = of_network(form) if isinstance(form, Network) else of_graph(form, execute)
        found[name] = judge.measure(dataset, workers)
        if progress is not None:
            progress(number, len(forms), name)
    return PairComparison(
        images=len(dataset), layers=layers.of_forms(forms, dataset, _of_one(graph)), method=METHOD, accuracy=found
    )  # fmt: skip


def _of_one(graph: Graph) -> Execute:
    """The maps of images in `graph`, which takes two: those of the first, where both are the same."""
    run = executor(graph)

    def maps(images: NDArray[np.int8]) -> dict[str, NDArray[Any]]:
        both = run(pairs.together(images, images))
        return {name: found[:, : found.shape[1] // 2] for name, found in both.items()}

    return maps


def samples(judge: Judge, dataset: Dataset) -> Image.Image:
    """Pairs of `dataset` with what `judge` says of them, half of them of one class."""
    images, chosen = read(dataset)
    apart, threshold = judge.compare(images, chosen)
    shown = np.unique(np.linspace(0, len(apart) - 1, plots.SAMPLES).round().astype(int))
    both = [(images[chosen.first[index]], images[chosen.second[index]]) for index in shown]
    return plots.pair_samples(both, chosen.alike[shown], apart[shown], threshold)
