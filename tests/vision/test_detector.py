"""Images become the graph's input exactly, and only a graph with whole metadata is a detector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import Graph, Input, MaxPool, Output
from sterna.vision.detector import Detector, to_integers

METADATA = {"kind": "yolov2", "classes": ["cat"], "anchors": [[1.0, 2.0]]}


def graph(**changes: Any) -> Graph:
    """A graph whose head has three channels: too few for any detector."""
    layers = (Input("image", 3, 4, 4, 1.0, 0), MaxPool("head", "image", 1), Output("out", "head"))
    return Graph(layers, metadata=METADATA | changes)


def test_every_value_of_a_pixel_becomes_that_less_128() -> None:
    image = np.arange(256 * 3).reshape(16, 16, 3).astype(np.uint8)
    integers = to_integers(image)
    assert integers.dtype == np.int8 and integers.shape == (3, 16, 16)
    assert (integers.transpose(1, 2, 0).astype(int) == image.astype(int) - 128).all()


@pytest.mark.parametrize(
    "anchors",
    [None, [], {}, "1,2", 3, [1.0, 2.0], [[1.0]], [[1.0, 2.0, 3.0]], [[1.0, 0.0]], [[1.0, -2.0]], [[1.0, "2"]], ["12"]],
)
def test_anchors_that_are_no_sizes_make_no_detector(anchors: object) -> None:
    with pytest.raises(SternaError, match="graph metadata: the graph is not a detector"):
        Detector.of(graph(anchors=anchors))


@pytest.mark.parametrize("classes", [None, [], {}, "cat", [1], ["cat", 2]])
def test_classes_that_are_no_names_make_no_detector(classes: object) -> None:
    with pytest.raises(SternaError, match="graph metadata: the graph is not a detector"):
        Detector.of(graph(classes=classes))


def test_a_head_of_another_size_is_refused_for_that() -> None:
    with pytest.raises(SternaError, match=r"layer 'head': the head does not fit .*channels = 3; allowed: 6 for 1"):
        Detector.of(graph())
