"""Images become the graph's input exactly."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import Graph, Input, MaxPool, Output
from sterna.vision.prepare import prepare, to_integers


def test_every_value_of_a_pixel_becomes_that_less_128() -> None:
    image = np.arange(256 * 3).reshape(16, 16, 3).astype(np.uint8)
    integers = to_integers(image)
    assert integers.dtype == np.int8 and integers.shape == (3, 16, 16)
    assert (integers.transpose(1, 2, 0).astype(int) == image.astype(int) - 128).all()


def graph(channels: int) -> Graph:
    """A graph on images of 4x6."""
    return Graph((Input("image", channels, 4, 6, 1.0, 0), MaxPool("pool", "image", 1), Output("out", "pool")))


def test_an_image_of_the_size_is_taken_as_it_is() -> None:
    image = np.random.default_rng(1).integers(0, 256, (4, 6, 3)).astype(np.uint8)
    assert np.array_equal(prepare(graph(3), image), to_integers(image))


def test_another_size_is_stretched() -> None:
    image = np.zeros((8, 3, 3), np.uint8)
    image[:4] = 200
    prepared = prepare(graph(3), image)
    assert prepared.shape == (3, 4, 6)
    assert (prepared[:, 0] == 200 - 128).all() and (prepared[:, -1] == -128).all()


def test_a_graph_that_takes_no_images() -> None:
    with pytest.raises(SternaError, match="layer 'image': the graph does not take images; channels = 4; allowed: 3"):
        prepare(graph(4), np.zeros((4, 6, 3), np.uint8))


@pytest.mark.parametrize("shape", [(4, 6, 4), (4, 6), (0, 6, 3)])
def test_pixels_of_another_form(shape: tuple[int, ...]) -> None:
    with pytest.raises(SternaError, match="is no image"):
        prepare(graph(3), np.zeros(shape, np.uint8))
