"""Nodes that move and compare the elements of maps, and change none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from sterna.graph import Concat
from sterna.importers.onnx.fit import Integers
from sterna.importers.onnx.geometry import pool_padding
from sterna.importers.onnx.model import Constant, Node
from sterna.importers.onnx.tensors import Chain, Map, places

if TYPE_CHECKING:
    from sterna.importers.onnx.reader import Reader


def max_pool(reader: Reader, node: Node) -> Map | Chain:
    """Maxima of windows: of a map, or of accumulators before they are requantised."""
    view = reader.view(node)
    if isinstance(view, Chain) and view.grid is None and view.channels is not None and not view.is_image:
        pool = pool_padding(node, view.shape)
        shape = (view.shape[0], *pool.size)
        order = places(shape)[view.channels]
        return replace(view, shape=shape, order=order, pools=(*view.pools, (len(view.functions), pool)))
    planes = reader.planes(node)
    return reader.draft.max_pooled(node.outputs[0], planes, pool_padding(node, planes.shape))


def _moved(reader: Reader, node: Node, move: Callable[[Integers], Integers]) -> Map | Chain:
    view = reader.view(node)
    if isinstance(view, Map) and any(view.padding):
        node.refuse("moves what a Pad node makes", remedy="pad in the convolution")
    return view.moved(move)


def same(reader: Reader, node: Node) -> Map | Chain:
    """Nothing, such as Dropout does when it does not train."""
    return reader.view(node)


def reshape(reader: Reader, node: Node) -> Map | Chain:
    """Other dimensions, behind the batch."""
    target = reader.constant(node, 1).values.tolist()
    order = reader.view(node).order
    if len(target) < 2 or (target[0] == 0 and node.attributes.get("allowzero")):
        node.refuse("reshapes the batch", value=target)
    rest = [order.shape[axis - 1] if dim == 0 and axis else dim for axis, dim in enumerate(target)][1:]
    if -1 in target:
        fixed = int(np.prod([dim for dim in rest if dim != -1]))
        if target[0] != -1 or order.size != fixed:
            rest = [order.size // fixed if dim == -1 else dim for dim in rest]
    if int(np.prod(rest)) != order.size or target[0] not in (0, 1, -1):
        node.refuse("reshapes the batch", value=target, remedy="keep the batch as the first dimension")
    return _moved(reader, node, lambda order: order.reshape(rest))


def flatten(reader: Reader, node: Node) -> Map | Chain:
    """One dimension behind the batch."""
    if node.attributes.get("axis", 1) != 1:
        node.refuse("flattens the batch", attribute="axis", value=node.attributes["axis"], allowed="1")
    return _moved(reader, node, lambda order: order.ravel())


def transpose(reader: Reader, node: Node) -> Map | Chain:
    """Dimensions in another order, behind the batch."""
    axes = node.attributes.get("perm", list(range(reader.view(node).order.ndim + 1))[::-1])
    if axes[0] != 0:
        node.refuse("moves the batch", attribute="perm", value=axes, remedy="keep the batch as the first dimension")
    return _moved(reader, node, lambda order: order.transpose([axis - 1 for axis in axes[1:]]))


def squeeze(reader: Reader, node: Node) -> Map | Chain:
    """Without dimensions of 1."""
    return _moved(
        reader, node, lambda order: order.squeeze(tuple(axis - 1 for axis in _axes(reader, node, order.ndim)))
    )


def unsqueeze(reader: Reader, node: Node) -> Map | Chain:
    """With dimensions of 1."""
    added = len(_axes(reader, node, 0))
    return _moved(reader,
        node, lambda order: np.expand_dims(order, tuple(each - 1 for each in _axes(reader, node, order.ndim + added)))
    )  # fmt: skip


def _axes(reader: Reader, node: Node, dimensions: int) -> list[int]:
    given = reader.optional(node, 1)
    axes = node.attributes.get("axes") if given is None else given.values.tolist()
    if axes is None:
        node.refuse("does not say which axes", attribute="axes")
    return [axis % (dimensions + 1) if dimensions else axis for axis in axes]


def shape(reader: Reader, node: Node) -> Constant:
    """The dimensions, with a batch of 1."""
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    return Constant(np.array([1, *reader.view(node).order.shape], np.int64)[start:end])


def space_to_depth(reader: Reader, node: Node) -> Map:
    """Reorg."""
    view = reader.map(node)
    if node.attributes["blocksize"] != 2 or view.order.ndim != 3 or any(side % 2 for side in view.shape[1:]):
        node.refuse("takes other blocks than 2x2", remedy="use a block size of 2 and even sides")
    made = reader.draft.reorganised(node.outputs[0], view)
    return made.moved(lambda order: np.concatenate([order[:, p // 2 :: 2, p % 2 :: 2] for p in range(4)]))


def pad(reader: Reader, node: Node) -> Map:
    """What a convolution then has around its map."""
    view = reader.map(node)
    given, value = reader.optional(node, 1), reader.optional(node, 2)
    pads: list[int] = node.attributes.get("pads", []) if given is None else given.values.tolist()
    is_plain = node.text("mode", "constant") == "constant" and len(node.inputs) <= 3
    if not is_plain or len(pads) != 8 or any(pads[:2] + pads[4:6]) or min(pads) < 0:
        node.refuse("pads otherwise than with a constant around rows and columns", remedy="pad in the convolution")
    if not any(pads):
        return view
    number = node.attributes.get("value", 0.0) if value is None else float(value.values.ravel()[0])
    around = int(view.grid.integers(np.array([number]))[0])
    if not np.isclose(view.grid.scale * (around - view.grid.zero), number, rtol=1e-6, atol=0):
        node.refuse("pads with what is no value of the map", value=number, remedy="pad with 0, in the convolution")
    return replace(view, padding=(pads[2], pads[3], pads[6], pads[7]), around=around)


def concat(reader: Reader, node: Node) -> Map:
    """Channels one after the other."""
    views = [reader.map(node, index) for index in range(len(node.inputs))]
    axis = node.attributes["axis"] % (views[0].order.ndim + 1)
    unlike = any(view.channels is None for view in views)
    if axis != 1 or unlike or len({view.shape[1:] for view in views}) > 1:
        node.refuse("joins other axes than channels", attribute="axis", value=node.attributes["axis"], allowed="1")
    check_alike(node, views)
    if len(views) == 1:
        return views[0]
    _, height, width = views[0].shape
    first = np.cumsum([0, *(view.shape[0] for view in views)])
    orders = [view.order + start * height * width for view, start in zip(views, first[:-1], strict=True)]
    low, high = min(view.grid.low for view in views), max(view.grid.high for view in views)
    grid = replace(views[0].grid, low=low, high=high)
    names = tuple(view.layer for view in views)
    layer = reader.draft.put(Concat(reader.draft.name(node.outputs[0]), names), grid, like=names)
    return Map((int(first[-1]), height, width), np.concatenate(orders), views[0].kind, layer, grid)


def check_alike(node: Node, views: Sequence[Map]) -> None:
    """Refuse maps whose integers stand for different values."""
    grids = {(view.grid.scale, view.grid.zero) for view in views}
    if len(grids) > 1:
        node.refuse(
            "joins maps of different scales or zero points", value=", ".join(str(each) for each in sorted(grids)),
            remedy="quantise them alike, such as by one QuantIdentity for all",
        )  # fmt: skip
