"""How an image becomes the input of a graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph.network import GREY, RGB
from sterna.vision.fit import Fit, aspect_of


@checked
def prepare(graph: Graph, image: NDArray[np.uint8], aspect: str | None = None) -> NDArray[np.int8]:
    """RGB `image` uint8 [H, W, 3] of any size as the input of `graph`, int8 [3, height, width].

    aspect: "stretch" gives it the aspect of the input, "letterbox" keeps its own, in the middle of grey; None: what the
    metadata of the graph says, or else "stretch". Raises SternaError if the graph does not take images, or the pixels
    have another form.

    >>> sterna.prepare(sterna.load("demo-nano"), sterna.scene(7, 240, 320)).shape
    (3, 160, 160)
    """
    check_takes_images(graph)
    size = (graph.input.height, graph.input.width)
    frame = Fit(check_pixels(image).shape[:2], size, aspect_of(graph, aspect)).frame(image)
    return np.moveaxis(frame, -1, 0)


def check_takes_images(graph: Graph) -> None:
    """Raise SternaError unless the input of `graph` has the channels of an image."""
    if graph.input.channels != RGB:
        raise SternaError(
            "the graph does not take images", where=f"layer '{graph.input.name}'", attribute="channels",
            value=graph.input.channels, allowed=str(RGB),
            remedy="give a graph of colour images; sterna compare and simulate take maps (.npy) for this one",
        )  # fmt: skip


def check_pixels(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image`; raises SternaError unless it is RGB uint8 [H, W, 3] with at least one pixel."""
    array = isinstance(image, np.ndarray)
    if not array or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != RGB or not image.size:
        raise SternaError(
            "is no image",
            where="pixels",
            attribute="image",
            value=f"{image.dtype} {list(image.shape)}" if array else type(image).__name__,
            allowed="a numpy array uint8 [H, W, 3], red, green and blue",
            remedy="convert it; np.asarray(image.convert('RGB')) converts a PIL image",
        )
    return image


def to_integers(images: NDArray[np.uint8]) -> NDArray[np.int8]:
    """RGB uint8 [..., H, W, 3] as the graph's input int8 [..., 3, H, W]: rgb - 128."""
    return np.moveaxis((images ^ GREY).view(np.int8), -1, -3)
