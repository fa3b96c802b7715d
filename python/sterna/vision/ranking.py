"""Decodes the output of a classifier's graph into classes, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.vision.decoder import are_names
from sterna.vision.fit import aspect_of

KIND = "classifier"
"""The kind of a graph that scores classes."""


class Ranking(NamedTuple):
    """Classes of one image, best first.

    classes: int64 [K], their numbers; where scores are equal, in order. scores: float32 [K], 0..1: shares of 1 that the
    image is of the class, by softmax over all classes.
    """

    classes: NDArray[np.int64]
    scores: NDArray[np.float32]


def rank(scores: NDArray[np.floating], most: int | None = None, threshold: float = 0.0) -> Ranking:
    """The classes of the real `scores` [C] that the classifier gave them, at most so many, of a share of at least
    `threshold`."""
    powers = np.exp(scores - scores.max(), dtype=np.float64)
    shares = (powers / powers.sum()).astype(np.float32)
    order = np.argsort(-shares, kind="stable")[:most]
    best = order[shares[order] >= threshold]
    return Ranking(best.astype(np.int64), shares[best])


def as_json(found: Ranking, classes: Sequence[str]) -> list[dict[str, Any]]:
    """Each class with its score (0..1), best first."""
    return [
        {"class": classes[kind], "score": round(float(score), 4)}
        for kind, score in zip(found.classes, found.scores, strict=True)
    ]


@dataclass(frozen=True)
class Ranker:
    """How the output of one graph is decoded."""

    classes: tuple[str, ...]
    #: Name of the Output layer, the real value of one step of it, and the integer that stands for real 0.
    output: str
    scale: float
    zero_point: int
    #: How an image of another aspect lies in the graph's input.
    aspect: str

    @classmethod
    def of(cls, graph: Graph, aspect: str | None = None) -> Self:
        """The decoder for `graph`, for images as `prepare` gives them with `aspect`.

        Raises SternaError if the graph is no classifier, or does not give one score of each class.
        """
        classes = graph.metadata.get("classes")
        if graph.metadata.get("kind") != KIND or not are_names(classes):
            raise SternaError(
                "is no classifier", where="graph metadata", attribute="kind", value=graph.metadata.get("kind"),
                allowed=f"'{KIND}' with its classes", remedy="give a graph of a classifier made by sterna train",
            )  # fmt: skip
        shape = [(each.channels, each.height, each.width) for each in (graph.info[o.name] for o in graph.outputs)]
        if shape != [(len(classes), 1, 1)]:
            raise SternaError(
                "does not give one score of each class", where="graph", attribute="outputs",
                value=", ".join("x".join(map(str, each)) for each in shape),
                allowed=f"{len(classes)}x1x1 for {len(classes)} classes",
                remedy="export the graph again, with the classes for which it was trained",
            )  # fmt: skip
        (output,) = graph.outputs
        info = graph.info[output.name]
        return cls(tuple(classes), output.name, info.scale, info.zero_point, aspect_of(graph, aspect))

    def real(self, head: NDArray[np.int8]) -> NDArray[np.float64]:
        """The real scores [..., C] of the graph's output int8 [..., C, 1, 1]."""
        return (head[..., 0, 0].astype(np.float64) - self.zero_point) * self.scale
