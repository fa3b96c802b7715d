"""Training of Siamese networks: whether two images show the same, by how far their features are apart.

The features are those of a classifier's last layer. Equal classes are drawn together and others pushed apart, up to a
margin (Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006), for all pairs of
the images of a batch. The graph is that of two images, of `sterna.graph.pairs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from sterna.graph import Graph, pairs
from sterna.run.emulator import executor
from sterna.train.data import Dataset
from sterna.train.loop.learner import Learner
from sterna.train.loop.trainer import TrainResult
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.report import accuracy as scorers
from sterna.train.short_run import EVALUATED, ShortOptions, ShortRun, begin
from sterna.vision.prepare import to_integers

KIND = "pairs"
"""The kind of a graph that says how far two images are apart."""
THRESHOLD = "threshold"
"""In the graph's metadata: images whose distance is at most this show the same."""
_CHOICE = 3  # what a random number is for; those of `short_run` come before
#: How far images are apart, [N], of images uint8 [N, H, W, 3] and as many others.
Distances = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[Any]]


class PairOptions(ShortOptions):
    """The options of a run; the classes of the images only say which of them show the same."""

    features: int = Field(16, ge=1, le=1024, description="features of an image, whose differences are added")
    margin: float = Field(1.0, gt=0.0, le=16.0, description="mean difference up to which classes are pushed apart")
    pairs: int = Field(1000, ge=2, le=1_000_000, description="pairs of images that are evaluated, half of them alike")


class PairAccuracy(NamedTuple):
    """Share of pairs that are told right, and the distance up to which images count as the same."""

    accuracy: float
    threshold: float


class Pairs(NamedTuple):
    """Pairs of images by number, int64 [N] each, and whether both are of one class, bool [N]."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    alike: NDArray[np.bool_]


class PairLearner(Learner):
    """A network of features in one stage of its training. A teacher tells how far images are apart."""

    losses: ClassVar[tuple[str, ...]] = ("pairs", "distillation")

    def _losses(self, head: Tensor, wanted: Any, told: Tensor | None) -> list[Tensor]:
        assert isinstance(self._options, PairOptions)
        apart = between_all(head)
        taught = apart.new_zeros(())
        if told is not None:
            taught = self._options.distillation * functional.mse_loss(apart, between_all(told))
        return [contrast(apart, torch.pdist(wanted[:, None].float(), 0) == 0, self._options.margin), taught]


def between_all(features: Tensor) -> Tensor:
    """Mean differences of features [N, E, 1, 1], of each of the N * (N - 1) / 2 pairs."""
    flat = features.flatten(1)
    return torch.pdist(flat, 1) / flat.shape[1]


def contrast(apart: Tensor, alike: Tensor, margin: float) -> Tensor:
    """The loss of distances [N]: of pairs that are `alike`, and of the others; each kind counts as much.

    Most pairs of different classes soon are far apart and teach nothing: they are not part of the mean.
    """
    together, pushed = apart[alike].square(), functional.relu(margin - apart[~alike]).square()
    means = (part.sum() / (part.detach() > 0).sum().clamp(min=1) for part in (together, pushed))
    return sum(means, apart.new_zeros(()))


def train(options: PairOptions, console: Console | None = None) -> TrainResult:
    """Train a Siamese network to its graph, which takes two images, as channels, and gives their distance.

    The graph's metadata has the threshold. Leaves in the output folder what `short_run.begin` says, and raises
    SternaError as that does.
    """
    return begin(PairRun, options, console or Console()).finish()


def kinds(images: Dataset) -> NDArray[np.int64]:
    """The number of each image's class, [N]."""
    return np.concatenate([images.labels(index).classes for index in range(len(images))])


def some_pairs(labels: NDArray[np.int64], count: int, seed: int) -> Pairs:
    """`count` pairs of two images each, of `labels` [N]; half of one class, as far as there are such pairs."""
    rng = np.random.default_rng((_CHOICE, seed))
    first, second = np.triu_indices(len(labels), 1)
    alike = labels[first] == labels[second]
    chosen = np.concatenate([
        rng.permutation(np.flatnonzero(alike))[: count // 2], rng.permutation(np.flatnonzero(~alike))[: count // 2],
    ])  # fmt: skip
    return Pairs(first[chosen], second[chosen], alike[chosen])


def best_threshold(apart: NDArray[Any], alike: NDArray[np.bool_]) -> float:
    """The distance with which most of the pairs are told right: the middle of such distances, if there are several."""
    candidates = np.unique(apart)
    right = np.array([((apart <= each) == alike).sum() for each in candidates])
    best = np.flatnonzero(right == right.max())
    return float(candidates[best[len(best) // 2]])


def accuracy(apart: NDArray[Any], alike: NDArray[np.bool_], threshold: float) -> float:
    """The share of pairs [N] that are told right."""
    return float(((apart <= threshold) == alike).mean())


def of_features(network: Network) -> Distances:
    """The mean differences of a network's features, in its form."""
    features = scorers.of_network(network).score

    def distances(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[Any]:
        found: NDArray[Any] = np.abs(features(first) - features(second)).mean(1)
        return found

    return distances


def of_pairs(graph: Graph) -> Distances:
    """The distances that a graph of two images gives, by the emulator."""
    execute, (output,) = executor(graph), graph.outputs

    def distances(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[Any]:
        return execute(pairs.together(to_integers(first), to_integers(second)))[output.name].ravel()

    return distances


def measure(distances: Distances, images: Dataset, chosen: Pairs) -> NDArray[Any]:
    """The distances [N] of the pairs that are `chosen`."""
    shown = np.stack([images[index].image for index in range(len(images))])
    starts = range(0, len(chosen.first), EVALUATED)
    parts = [tuple(side[start : start + EVALUATED] for side in chosen[:2]) for start in starts]
    return np.concatenate([distances(shown[first], shown[second]) for first, second in parts])


class PairRun(ShortRun):
    """State of a run."""

    learner = PairLearner
    options: PairOptions

    @property
    def outputs(self) -> tuple[str, ...]:
        """A name for each feature."""
        return tuple(f"feature{number}" for number in range(self.options.features))

    def validated(self, network: Network) -> PairAccuracy:
        """Of the pairs for that, with the threshold that is best for them."""
        return self._told(of_features(network), self.data.val)

    def exported(self, network: Network, teacher: Network) -> tuple[Graph, dict[str, Any], dict[str, Any]]:
        """Each form has the threshold that is best for the pairs for validation; `pairs` counts those of the test."""
        graph = pairs.pair(self.graph_of(network), network.description.last.name)
        network.form = Form.QUANTISED
        forms = {"float": of_features(teacher), "ternary": of_features(network), "integer": of_pairs(graph)}
        found = {
            name: self._told(distances, self.data.test, self._told(distances, self.data.val).threshold)
            for name, distances in forms.items()
        }
        graph = replace(graph, metadata={"kind": KIND, THRESHOLD: int(found["integer"].threshold)})
        return graph, found, {"pairs": len(self.chosen(self.data.test).first)}

    def chosen(self, images: Dataset) -> Pairs:
        """The pairs that are evaluated."""
        return some_pairs(kinds(images), self.options.pairs, self.options.seed)

    def _told(self, distances: Distances, images: Dataset, threshold: float | None = None) -> PairAccuracy:
        chosen = self.chosen(images)
        apart = measure(distances, images, chosen)
        threshold = best_threshold(apart, chosen.alike) if threshold is None else threshold
        return PairAccuracy(accuracy(apart, chosen.alike, threshold), threshold)
