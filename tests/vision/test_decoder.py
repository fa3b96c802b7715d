"""Only a graph with whole metadata is a detector."""

from __future__ import annotations

from typing import Any

import pytest

from sterna.errors import SternaError
from sterna.graph import Graph, Input, MaxPool, Output
from sterna.vision.decoder import Decoder

METADATA = {"kind": "yolov2", "classes": ["cat"], "anchors": [[1.0, 2.0]]}


def graph(**changes: Any) -> Graph:
    """A graph whose head has three channels: too few for any detector."""
    layers = (Input("image", 3, 4, 4, 1.0, 0), MaxPool("head", "image", 1, padding=(0, 0, 1, 1)), Output("out", "head"))
    return Graph(layers, metadata=METADATA | changes)


@pytest.mark.parametrize(
    "anchors",
    [None, [], {}, "1,2", 3, [1.0, 2.0], [[1.0]], [[1.0, 2.0, 3.0]], [[1.0, 0.0]], [[1.0, -2.0]], [[1.0, "2"]], ["12"]],
)
def test_anchors_that_are_no_sizes_make_no_detector(anchors: object) -> None:
    with pytest.raises(SternaError, match="graph metadata: the graph is not a detector"):
        Decoder.of(graph(anchors=anchors))


@pytest.mark.parametrize("classes", [None, [], {}, "cat", [1], ["cat", 2]])
def test_classes_that_are_no_names_make_no_detector(classes: object) -> None:
    with pytest.raises(SternaError, match="graph metadata: the graph is not a detector"):
        Decoder.of(graph(classes=classes))


def test_a_head_of_another_size_is_refused_for_that() -> None:
    with pytest.raises(SternaError, match=r"layer 'head': the head does not fit .*channels = 3; allowed: 6 for 1"):
        Decoder.of(graph())
