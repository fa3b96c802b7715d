"""The image: what its bytes stand for, and how it becomes the input of the graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sterna.errors import SternaError
from sterna.graph import Input
from sterna.graph.layers import LEVELS
from sterna.importers.onnx.draft import Draft
from sterna.importers.onnx.elementwise import Grid, Quantiser, Values
from sterna.importers.onnx.model import Node, Source
from sterna.importers.onnx.sums import ImageSums
from sterna.importers.onnx.tensors import Chain, Map, places

_NEAR = 1e-4
"""Of a step of the image: how far from a whole number the steps of its values may be, which are floats."""


def of(source: Source, pixels: tuple[float, float] | None) -> Chain:
    """The model's input, of which it may not be known yet what its integers stand for.

    pixels: the real values of the bytes 0 and 255, if they are given.
    """
    if not 1 <= len(source.shape) <= 3:
        raise SternaError(
            "has a shape that no image has", where=f"input '{source.name}'", attribute="shape", value=source.shape,
            allowed="1 to 3 dimensions beside the batch", remedy="export the model for single images",
        )  # fmt: skip
    between = (1,) * (3 - len(source.shape))
    shape: tuple[int, int, int] = (source.shape[0], *between, *source.shape[1:])  # type: ignore[assignment]
    channels = shape[0]
    low, high = np.full(channels, -LEVELS // 2), np.full(channels, LEVELS // 2 - 1)
    unit, offset = _levels(source, pixels)
    sums = ImageSums(low, high, np.full(channels, unit), np.full(channels, offset))
    kind = np.dtype(np.int64) if source.kind.kind in "iu" else source.kind
    return Chain(shape, places(shape).reshape(source.shape), kind, sums)


def _levels(source: Source, pixels: tuple[float, float] | None) -> tuple[float, float]:
    """unit, offset: the value of the image's integer `i` is `unit * (i + offset)`; NaN if that is not known."""
    if pixels is not None:
        unit = (pixels[1] - pixels[0]) / (LEVELS - 1)
        return unit, pixels[0] / unit + LEVELS // 2
    signed = source.kind == np.int8 or source.annotation.startswith(("INT", "BIPOLAR", "TERNARY"))
    if signed or source.kind == np.uint8 or source.annotation.startswith("UINT"):
        return 1.0, 0.0 if signed else LEVELS / 2
    return np.nan, 0.0


def is_unknown(chain: Chain) -> bool:
    """Whether it is the image, of which it is not known what its integers stand for."""
    return chain.is_image and bool(np.isnan(chain.sums.unit[0]))


def known(node: Node, chain: Chain) -> Chain:
    """The chain, unless it is the image of which it is not known what its integers stand for: that is refused."""
    if is_unknown(chain):
        node.refuse(
            "needs to know what the image's bytes stand for, as the model does not quantise its input at once",
            remedy="say the values of the bytes 0 and 255: --pixels 0,1 as torchvision's ToTensor makes them",
        )  # fmt: skip
    return chain


def of_quantiser(node: Node, chain: Chain, quantiser: Quantiser) -> Chain:
    """The image whose integers are those of the quantiser that reads it: bytes if they have no sign."""
    grid = quantiser.grid
    if grid is None or grid.high - grid.low >= LEVELS:
        node.refuse(
            "quantises the image to more than 8 bits, or by channel",
            remedy="say what the bytes 0 and 255 stand for: --pixels 0,1",
        )  # fmt: skip
    offset = (LEVELS // 2 if grid.low >= 0 else 0) - grid.zero
    every = np.ones_like(chain.sums.unit)
    return replace(chain, sums=replace(chain.sums, unit=grid.scale * every, offset=offset * every))


def as_map(draft: Draft, name: str, chain: Chain, node: Node) -> Map:
    """The image as a map, `node` being the first that needs one: looked up in a table if it is not the image itself."""
    known(node, chain)
    levels = np.broadcast_to(np.arange(LEVELS) - LEVELS // 2, (chain.shape[0], LEVELS))
    values = chain.values(levels)
    grid = chain.grid or _grid_of(values)
    if grid is None:
        node.refuse(
            "reads an image whose values are no evenly spaced numbers, alike in each channel",
            remedy="quantise the image in the model, to 8 bits or less",
        )  # fmt: skip
    integers = grid.integers(values)
    low, high = int(integers.min()), int(integers.max())
    moved = draft.moved_by(low, high, node)
    grid = replace(grid, zero=grid.zero - moved, low=float(low - moved), high=float(high - moved))
    table = (integers - moved).astype(np.int8)
    plain = np.array_equal(table, levels >> (8 - draft.act_bits))
    layer = Input(draft.name(name), *chain.shape, grid.scale, 0, None if plain else table)
    found = next((each for each in draft.layers.values() if isinstance(each, Input)), None)
    if found is None:
        draft.put(layer, grid)
    elif replace(found, name=layer.name) != layer:
        node.refuse("reads the image in another way than a node before it", remedy="quantise the image once")
    return Map(chain.shape, chain.order, chain.kind, (found or layer).name, grid)


def reshaped(draft: Draft, view: Map, shape: tuple[int, int, int]) -> Map | None:
    """An image whose elements are a map of `shape`, in the order of `view`; None if that cannot be.

    It cannot for what is no image, or is read as it is, or has a table that differs by channel and moves with it.
    """
    layer = draft.layers[view.layer]
    if not isinstance(layer, Input) or any(view.layer in each.sources for each in draft.layers.values()):
        return None
    table = layer.table
    if table is not None and shape[1:] == (1, 1):
        table = table[view.order.ravel() // (view.shape[1] * view.shape[2])]
    elif table is not None:
        if (table != table[0]).any():
            return None
        table = np.repeat(table[:1], shape[0], axis=0)
    draft.layers[view.layer] = Input(layer.name, *shape, layer.scale, layer.zero_point, table)
    return replace(view, shape=shape, order=places(shape).reshape(view.order.shape))


def _grid_of(values: Values) -> Grid | None:
    """The grid of an image's values [C, 256]; None if they have none."""
    numbers = np.unique(values.astype(np.float64))
    span = float(numbers[-1] - numbers[0])
    if (numbers == np.rint(numbers)).all() and span < LEVELS:
        return Grid(1.0, 0.0, float(numbers[0]), float(numbers[-1]))
    count = np.rint(span / np.diff(numbers).min())
    step = span / float(count)
    steps = (numbers - numbers[0]) / step
    if count >= LEVELS or np.abs(steps - np.rint(steps)).max() > _NEAR:
        return None
    zero = float(-numbers[0] / step)
    return Grid(step, float(np.rint(zero)) if abs(zero - np.rint(zero)) < _NEAR else zero, 0.0, float(count))
