"""What reads each operator of a model in floats, by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from sterna.graph.layers import MAX_KERNEL, MAX_PADDING, STRIDES, pool_kernels
from sterna.graph.network import CONV_STRIDES, LARGEST_KERNEL, RGB
from sterna.importers.onnx.floats.tensors import Colours, Exact, Gate, Padded, Pending, Places, Sums, Total, View
from sterna.importers.onnx.geometry import Pool, Sides, conv_padding, convolved_size, pool_padding
from sterna.importers.onnx.model import Constant, Node
from sterna.spec.activations import Activation

if TYPE_CHECKING:
    from sterna.importers.onnx.floats.reader import Reader, Tensor

PADDED = ("Conv", "MaxPool")
"""Operators that read what a Pad node makes."""
_LOWEST = -1e30
"""What is padded with before a maximum has to be so low that it never is one."""
LEAST, MOST = 0.05, 0.25
"""Slopes that a leaky ReLU of the engine stands for; a float network has the model's own."""


def conv(reader: Reader, node: Node) -> Sums:
    """A convolution that keeps the size of its map, or divides it by its stride."""
    view, channels = reader.whole(node)
    weights = reader.constant(node, 1)
    groups, stride = int(node.attributes.get("group", 1)), _stride(node, CONV_STRIDES)
    side = _kernel(node, weights, stride)
    if weights.shape[1] * groups != len(channels) or len(weights) % groups:
        node.refuse(
            "has weights for other channels than it reads", value=weights.shape, remedy="export the model again"
        )
    if groups > 1 and not np.array_equal(channels, np.arange(len(channels))):
        node.refuse("reads channels in groups that were moved before", remedy="use a network without moved channels")
    if groups == 1:
        moved = np.zeros_like(weights)
        moved[:, channels] = weights
        weights = moved
    sides = _sum(reader.padding(node, 0.0, 0.0), conv_padding(node, view.shape, (side, side), stride))
    if max(sides) > MAX_PADDING:
        node.refuse("has a padding that no layer has", attribute="pads", value=sides, allowed=f"0 .. {MAX_PADDING}")
    size = _on_grid(reader, node, view, stride, convolved_size(view.shape, side, stride, sides))
    biases = reader.constant(node, 2) if len(node.inputs) > 2 and node.inputs[2] else np.zeros(len(weights))
    return Sums(node.outputs[0], node, view, (len(weights), *size), groups, stride, sides, weights, biases)


def _stride(node: Node, allowed: Sequence[int]) -> int:
    strides: Any = node.attributes.get("strides", [1, 1])
    dilations: Any = node.attributes.get("dilations", [1, 1])
    if set(dilations) != {1}:
        node.refuse("skips pixels", attribute="dilations", value=dilations, allowed="1", remedy="use 1")
    if len(set(strides)) > 1 or strides[0] not in allowed:
        node.refuse(
            "has strides that no layer has", attribute="strides", value=strides,
            allowed=f"{', '.join(map(str, allowed))}, alike for rows and columns", remedy="use one of these",
        )  # fmt: skip
    return int(strides[0])


def _kernel(node: Node, weights: Exact, stride: int) -> int:
    """Its side."""
    side, most = weights.shape[-1], LARGEST_KERNEL if stride > 1 else MAX_KERNEL
    if weights.ndim != 4 or weights.shape[2] != side or side > most:
        node.refuse(
            "has a kernel that no layer has", attribute="kernel_shape", value=weights.shape[2:],
            allowed=f"square ones of 1 .. {MAX_KERNEL}, with strides up to {LARGEST_KERNEL}",
            remedy="use one of these",
        )  # fmt: skip
    return int(side)


def _on_grid(reader: Reader, node: Node, view: View, stride: int, size: tuple[int, int]) -> tuple[int, int]:
    """`size`; if it is not that of the map divided by the stride, boxes would not be where cells are."""
    _, height, width = view.shape
    if min(size) < 1:
        node.refuse("is larger than its map", value=f"{width}x{height}", remedy="choose a larger image size")
    if (size[0] * stride, size[1] * stride) != (height, width):
        reader.only_scores(
            node,
            "neither keeps the size of its map nor divides it by the stride",
            value=f"{width}x{height} to {size[1]}x{size[0]}",
            allowed=f"{width // stride}x{height // stride}, of sides that {stride} divides",
            remedy="pad so that it does, or choose another image size",
        )
    return size


def fully_connected(reader: Reader, node: Node) -> Sums:
    """A product with a matrix: a convolution that sees the whole map."""
    view = reader.view(node)
    reader.only_scores(node, "is fully connected", remedy=_DETECTS)
    if len(view.dimensions) != 1:
        node.refuse(
            "multiplies more than the features of an image", value=view.dimensions,
            allowed="what Flatten makes, a vector", remedy=UNTIL,
        )  # fmt: skip
    given: dict[str, Any] = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0} | dict(node.attributes)
    matrix = float(given["alpha"]) * reader.constant(node, 1)
    matrix = matrix.T if given["transB"] else matrix
    filters = matrix.shape[-1]
    has_biases = len(node.inputs) > 2 and node.inputs[2]
    biases = float(given["beta"]) * reader.constant(node, 2).ravel() if has_biases else np.zeros(1)
    if given["transA"] or matrix.ndim != 2 or len(matrix) != view.dimensions[0] or len(biases) not in (1, filters):
        node.refuse("has weights for other features than it reads", value=matrix.shape, remedy="export the model again")
    view, weights = replace(view, order=None), _seeing_all(node, view, matrix)
    while weights.shape[2] > MAX_KERNEL and weights.shape[2] % 2 == 0:
        view, weights = reader.pixels_as_channels(view, weights)
    if weights.shape[2] > MAX_KERNEL:
        node.refuse(
            "reads a map that no convolution sees as a whole", value=f"{view.shape[2]}x{view.shape[1]}",
            allowed=f"sides of 1 .. {MAX_KERNEL}, or twice as much", remedy="take means of it first: GlobalAveragePool",
        )  # fmt: skip
    shape, whole = (filters, 1, 1), np.broadcast_to(biases, (filters,))
    return Sums(node.outputs[0], node, view, shape, 1, 1, (0, 0, 0, 0), weights, whole, flat=True)


def _seeing_all(node: Node, view: View, matrix: Exact) -> Exact:
    """The weights [F, C, H, W] for the map of `view` that are `matrix`, [C * H * W, F], for its elements."""
    channels, height, width = view.shape
    order = np.arange(len(matrix)) if view.order is None else view.order
    if height != width or not np.array_equal(np.sort(order), np.arange(channels * height * width)):
        node.refuse(
            "reads a map that is not square, or not all of it", value=f"{len(matrix)} of {view.shape}",
            allowed="a square map, each element once", remedy="use a square image, or take means of it first",
        )  # fmt: skip
    rows = np.empty_like(matrix)
    rows[order] = matrix
    return rows.T.reshape(-1, channels, height, width)


def whole_mean(reader: Reader, node: Node) -> View:
    """Means of whole maps, also by ReduceMean."""
    flat = False
    if node.operator == "ReduceMean":
        axes = node.attributes.get("axes") or reader.constant(node, 1).astype(int).tolist()
        flat = not node.attributes.get("keepdims", 1)
        if sorted(axis % 4 for axis in axes) != [2, 3]:
            node.refuse("takes means of other axes", attribute="axes", value=list(axes), allowed="2, 3")
    view, channels = reader.planes(node)
    side = view.shape[1]
    halvings = _halvings(side)
    rest = side >> halvings
    reader.only_scores(node, "takes means of whole maps", remedy=_DETECTS)
    if view.shape[2] != side or rest > MAX_KERNEL or view.colours is not None:
        node.refuse(
            "takes means that no layer takes", value=f"of {view.shape[2]}x{side} pixels",
            allowed=f"squares with sides of 1 .. {MAX_KERNEL}, or those times 2, 4, ..., of what a convolution makes",
            remedy="choose another image size",
        )  # fmt: skip
    for kernel, stride in [(2, 2)] * halvings + [(rest, 1)] * (rest > 1):
        view = reader.averaged(view, kernel, stride)
    found = view.of(channels)
    return found.moved(np.ravel) if flat else found


def _halvings(side: int) -> int:
    """How often a side is halved until a mean of it all is one that a layer takes."""
    return 0 if side <= MAX_KERNEL or side % 2 else 1 + _halvings(side // 2)


def split(reader: Reader, node: Node) -> list[View]:
    """Some elements each."""
    axis, view, count = node.attributes.get("axis", 0), reader.view(node), len(node.outputs)
    total = (1, *view.dimensions)[axis]
    given = node.attributes.get("split") or (reader.constant(node, 1).tolist() if len(node.inputs) > 1 else None)
    largest = -(-total // count)
    sizes = [int(each) for each in given] if given else [largest] * (count - 1) + [total - largest * (count - 1)]
    if sum(sizes) != total or min(sizes) < 1 or len(sizes) != count:
        node.refuse("splits into other sizes than there are", value=sizes, allowed=total, remedy="export it again")
    starts = np.cumsum([0, *sizes])
    ranges = [slice(start, start + size) for start, size in zip(starts[:-1], sizes, strict=True)]
    index = (slice(None),) * (axis % (len(view.dimensions) + 1))
    return [_moved(reader, node, lambda order, part=part: order[(*index, part)]) for part in ranges]  # type: ignore[misc]


def _sum(around: Sides, more: Sides) -> Sides:
    top, left, bottom, right = (a + b for a, b in zip(around, more, strict=True))
    return top, left, bottom, right


def batch_norm(reader: Reader, node: Node) -> Sums:
    """Batch normalisation of a convolution."""
    sums = reader.tensor(node)
    if not isinstance(sums, Sums):
        _late(node)
    if node.attributes.get("training_mode"):
        node.refuse("is in training mode", remedy="export the model in evaluation mode")
    numbers = [reader.constant(node, index) for index in range(1, 5)]
    if any(each.shape != (len(sums.weights),) for each in numbers) or (numbers[3] < 0).any():
        node.refuse("has statistics of another shape, or below 0", remedy="export the model again")
    return sums.normalised(numbers, float(node.attributes.get("epsilon", 1e-5)))


def _pending(reader: Reader, node: Node) -> Pending:
    """What an activation follows."""
    found = reader.tensor(node)
    if not isinstance(found, Pending):
        _late(node)
    return found


def _late(node: Node) -> NoReturn:
    node.refuse(
        "follows no convolution", allowed="after a Conv or, of activations, an Add of two maps, at once",
        remedy="use a network in which it follows its convolution",
    )  # fmt: skip


def relu(reader: Reader, node: Node) -> View:
    """ReLU."""
    return reader.activated(_pending(reader, node), "relu")


def leaky_relu(reader: Reader, node: Node) -> View:
    """Leaky ReLU, also with a slope in a tensor."""
    slopes = reader.constant(node, 1).ravel() if node.operator == "PRelu" else [node.attributes.get("alpha", 0.01)]
    slope = round(float(slopes[0]), 7)  # a float32
    sums = _pending(reader, node)
    if len(set(slopes)) > 1 or not (slope in (0, 1) or LEAST <= slope <= MOST):
        return reader.replacement(sums, node, f"{node.operator} with a slope of {slope:g}")
    if slope in (0, 1):
        return reader.activated(sums, "linear" if slope else "relu")
    if isinstance(sums, Total) and slope != Activation.LEAKY.slope:
        return reader.replacement(sums, node, f"{node.operator} of a sum with a slope of {slope:g}")
    if slope != Activation.LEAKY.slope:
        reader.changes[
            f"the slope {slope:g} of its leaky ReLU holds in float; the ternary network has {Activation.LEAKY.slope:g}"
        ] = None
    return reader.activated(sums, "leaky", slope if isinstance(sums, Sums) else None)


def gate(reader: Reader, node: Node) -> Gate:
    """A function that the sums may be multiplied with: their product is then the activation."""
    found = reader.tensor(node)
    return Gate(found.sums if isinstance(found, Gate) else _pending(reader, node), node)


def foreign(reader: Reader, node: Node) -> View:
    """An activation that Sterna lacks."""
    return reader.replacement(_pending(reader, node), node, node.operator)


def times(reader: Reader, node: Node) -> Tensor:
    """A product with a constant, or of sums with a function of them."""
    first, second = reader.tensor(node, 0), reader.tensor(node, 1)
    match (first, second):
        case (Sums() | Total() as sums, Gate() as factor) | (Gate() as factor, Sums() | Total() as sums) if (
            factor.sums is sums
        ):
            return reader.replacement(sums, factor.node, _GATED.get(factor.node.operator, factor.node.operator))
    return _affine(reader, node, lambda value: (value, np.zeros_like(value)), symmetric=True)


def divided(reader: Reader, node: Node) -> Tensor:
    """A quotient by a constant."""
    return _affine(reader, node, lambda value: (1 / value, np.zeros_like(value)), symmetric=False)


def plus(reader: Reader, node: Node) -> Tensor:
    """A sum with a constant, or of two maps."""
    if not any(isinstance(reader.tensor(node, index), Constant) for index in (0, 1)):
        return _total(reader, node)
    return _affine(reader, node, lambda value: (np.ones_like(value), value), symmetric=True)


def _total(reader: Reader, node: Node) -> Total:
    (first, channels), (second, others) = (reader.whole(node, index) for index in (0, 1))
    if first.shape != second.shape or not np.array_equal(channels, others) or first.layer == second.layer:
        node.refuse(
            "adds maps of different shape, or with channels in another order",
            value=f"{first.shape}, {second.shape}", allowed="two maps that are alike", remedy="make them alike",
        )  # fmt: skip
    if first.colours is not None or second.colours is not None:
        node.refuse("adds the image", remedy="add maps of convolutions")
    return Total(node.outputs[0], node, (first, second), channels)


def minus(reader: Reader, node: Node) -> Tensor:
    """A difference with a constant."""
    return _affine(reader, node, lambda value: (np.ones_like(value), -value), symmetric=False)


def _affine(reader: Reader, node: Node, parts: Callable[[Exact], tuple[Exact, Exact]], *, symmetric: bool) -> Tensor:
    """Factor and offset of a constant, applied to the sums of a convolution or to the image."""
    index = 1 if isinstance(reader.tensor(node, 1), Constant) else 0
    if index == 0 and not (symmetric and isinstance(reader.tensor(node, 0), Constant)):
        node.refuse(
            "combines two tensors of the model", allowed="a tensor and a constant for each channel",
            remedy="use a network without products of maps (attention): add maps, or join them by Concat",
        )  # fmt: skip
    found, constant = reader.tensor(node, 1 - index), reader.constant(node, index)
    with np.errstate(all="ignore"):
        match found:
            case Sums():
                return found.affine(*parts(_by_channel(node, constant, len(found.weights), flat=found.flat)))
            case View(order=None, colours=Colours() as colours) if found.shape[0] == RGB:
                return replace(found, colours=colours.affine(*parts(_by_channel(node, constant, RGB))))
    node.refuse(
        "changes what is no convolution's result", allowed="after a Conv, or of the image",
        remedy="move it before the activation",
    )  # fmt: skip


def _by_channel(node: Node, values: Exact, channels: int, *, flat: bool = False) -> Exact:
    """[C], of a constant that is one for all or one by channel; flat: for a tensor [C]."""
    if values.size == 1:
        return np.full(channels, values.ravel()[0])
    shape = (channels,) if flat else (channels, 1, 1)
    if values.shape[-len(shape) :] != shape or values.size != channels:
        node.refuse("has a constant that differs within a channel", value=values.shape, allowed="one per channel")
    return values.ravel()


def max_pool(reader: Reader, node: Node) -> View:
    """Maxima of a map."""
    view, channels = reader.planes(node)
    _, height, width = view.shape
    around = reader.padding(node, -np.inf, _LOWEST)
    shape = view.shape[0], height + around[0] + around[2], width + around[1] + around[3]
    pool = pool_padding(node, shape)
    pool = replace(pool, padding=_sum(around, pool.padding), source=(height, width))
    _on_grid(reader, node, view, pool.stride, pool.size)
    if view.colours is not None and (view.colours.factor < 0).any():
        node.refuse("takes maxima of a negative image", remedy="pool after the first convolution")
    for part in _parts(node, pool):
        view = reader.pooled(view, part)
    return view.of(channels)


def _parts(node: Node, pool: Pool) -> Sequence[Pool]:
    """A window as maxima of windows that layers have: of stride 1 they grow by what each adds."""
    side, padding = pool.kernel, pool.padding
    if 2 <= side <= MAX_KERNEL and max(padding) < side:
        return [pool]
    if pool.stride != 1 or side < 2 or side % 2 == 0 or set(padding) != {side // 2}:
        node.refuse(
            "is a pool that no layer is", value=f"kernel {side}, stride {pool.stride}, padding {padding}",
            allowed=f"kernels of 2 .. {MAX_KERNEL}; of stride 1 also larger odd ones", remedy="use one of these",
        )  # fmt: skip
    return [replace(pool, kernel=kernel, padding=(kernel // 2,) * 4) for kernel in pool_kernels(side)]


def pad(reader: Reader, node: Node) -> Padded:
    """What a convolution or a pool then has around its map."""
    view = reader.view(node)
    pads = node.attributes.get("pads") or [int(each) for each in reader.constant(node, 1)]
    given = len(node.inputs) > 2 and node.inputs[2]
    value = float(reader.constant(node, 2).ravel()[0]) if given else float(node.attributes.get("value", 0.0))
    plain = node.text("mode", "constant") == "constant" and len(node.inputs) <= 3 and view.order is None
    if not plain or len(pads) != 8 or any(pads[:2] + pads[4:6]) or min(pads) < 0:
        node.refuse(
            "pads otherwise than with a constant around rows and columns", value=pads, remedy="pad in the convolution"
        )
    return Padded(view, (pads[2], pads[3], pads[6], pads[7]), value)


def average_pool(reader: Reader, node: Node) -> View:
    """Means of windows; those of one pixel are what an adaptive pool becomes that has nothing to do."""
    view, channels = reader.planes(node)
    kernel, stride = list(node.attributes["kernel_shape"]), _stride(node, STRIDES)
    padding = conv_padding(node, view.shape, (kernel[0], kernel[-1]), stride)
    if set(kernel) == {1} and stride == 1 and not any(padding):
        return view.of(channels)
    if kernel[0] != kernel[-1] or not 2 <= kernel[0] <= MAX_KERNEL or any(padding) or view.colours is not None:
        node.refuse(
            "takes means that no layer takes", value=f"kernel {kernel}, padding {padding}",
            allowed=f"squares of 2 .. {MAX_KERNEL} pixels of a map, without padding", remedy="use MaxPool",
        )  # fmt: skip
    _on_grid(reader, node, view, stride, convolved_size(view.shape, kernel[0], stride, padding))
    return reader.averaged(view, kernel[0], stride).of(channels)


def concat(reader: Reader, node: Node) -> View:
    """Channels one after the other."""
    parts = [reader.chosen(node, index) for index in range(len(node.inputs))]
    if node.attributes["axis"] % 4 != 1 or len({view.shape[1:] for view, _ in parts}) > 1:
        node.refuse(
            "joins other axes than channels, or maps of different size", attribute="axis",
            value=node.attributes["axis"], allowed="1, maps of one size", remedy="join channels",
        )  # fmt: skip
    colours = [view.colours for view, _ in parts]
    if any(each is not None for each in colours):
        first = colours[0]
        if first is None or any(each is None or not first.same(each) for each in colours):
            node.refuse("joins the image with what was made of it", remedy="join maps of convolutions")
    return reader.joined(parts)


def space_to_depth(reader: Reader, node: Node) -> View:
    """Pixels of blocks of 2x2 as channels, the block's place before the channel."""
    block = int(node.attributes["blocksize"])
    view = reader.view(node)
    if block != 2 or len(view.dimensions) != 3 or any(side % 2 for side in view.dimensions[1:]):
        node.refuse("takes other blocks than 2x2", value=block, allowed="2, of even sides", remedy="use 2")
    return view.moved(lambda order: np.concatenate([order[:, p // 2 :: 2, p % 2 :: 2] for p in range(4)]))


def _moved(reader: Reader, node: Node, move: Callable[[Places], Places]) -> View:
    """The elements that `move` gives of those that are read, with a batch of 1 before them."""
    view = reader.view(node)

    def behind(order: Places) -> Places:
        found = move(order[np.newaxis])
        if not found.ndim or found.shape[0] != 1:
            node.refuse("moves the batch", value=found.shape, remedy="keep the batch in front")
        return found[0]

    return view.moved(behind)


def reshape(reader: Reader, node: Node) -> View:
    """Other dimensions."""
    target = [int(each) for each in reader.constant(node, 1)]
    before = (1, *reader.view(node).dimensions)
    if not node.attributes.get("allowzero"):
        target = [before[at] if side == 0 else side for at, side in enumerate(target)]
    return _moved(reader, node, lambda order: order.reshape(target))


def transpose(reader: Reader, node: Node) -> View:
    """Dimensions in another order."""
    return _moved(reader, node, lambda order: order.transpose(node.attributes.get("perm")))


def flatten(reader: Reader, node: Node) -> View:
    """All dimensions as one."""
    return _moved(reader, node, lambda order: order.reshape(1, -1))


def sliced(reader: Reader, node: Node) -> View:
    """Every so many elements of a range."""
    starts, ends = ([int(each) for each in reader.constant(node, index)] for index in (1, 2))
    dimensions = len(reader.view(node).dimensions) + 1
    given = [
        [int(each) for each in reader.constant(node, index)] if len(node.inputs) > index else None for index in (3, 4)
    ]
    axes, steps = given[0] or list(range(len(starts))), given[1] or [1] * len(starts)
    index = [slice(None)] * dimensions
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[axis] = slice(start, end, step)
    return _moved(reader, node, lambda order: order[tuple(index)])


def shape(reader: Reader, node: Node) -> Constant:
    """The dimensions, with a batch of 1."""
    start, end = node.attributes.get("start", 0), node.attributes.get("end")
    found = reader.tensor(node)
    sizes = found.dimensions if isinstance(found, Pending) else reader.view(node).dimensions
    return Constant(np.array([1, *sizes], np.int64)[start:end])


def same(reader: Reader, node: Node) -> Tensor:
    """Nothing, such as Dropout does when it does not train."""
    return reader.tensor(node)


Read = Callable[["Reader", Node], "Tensor | list[View]"]
MOVES = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
"""Operators behind the head that change none of its values."""
RANKS = ("LogSoftmax", "Softmax")
"""Operators behind the scores of classes that change not which is the highest."""
UNTIL = "have the network end before it: --onnx-until TENSOR"
_DETECTS = "end in its scores, for a classifier, or before it, for a detector: --onnx-until TENSOR"
_ONE_SCALE = "detect on one grid, and join maps of two sizes by SpaceToDepth of the larger one"
LACKING = {
    "BipolarQuant": ("is quantised", "read the model as an integer graph: sterna import"),
    "ConvTranspose": ("makes maps larger", _ONE_SCALE),
    "DepthToSpace": ("makes maps larger", _ONE_SCALE),
    "QuantizeLinear": ("is quantised", "read the model as an integer graph: sterna import"),
    "Quant": ("is quantised", "read the model as an integer graph: sterna import"),
    "Resize": ("changes the size of a map", _ONE_SCALE),
    "Softmax": ("belongs to decoding, which Sterna does itself", UNTIL),
    "Upsample": ("makes maps larger", _ONE_SCALE),
}
"""What operators do that network descriptions have no counterpart for, and the remedy."""
_GATED = {"Sigmoid": "SiLU", "HardSigmoid": "HardSwish", "Tanh": "Mish"}
"""What a product with such a function is called."""
READ: dict[str, Read] = {
    "Add": plus,
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Cast": same,
    "Celu": foreign,
    "Clip": foreign,
    "Concat": concat,
    "Conv": conv,
    "Div": divided,
    "Dropout": same,
    "Elu": foreign,
    "Flatten": flatten,
    "Gelu": foreign,
    "Gemm": fully_connected,
    "GlobalAveragePool": whole_mean,
    "HardSigmoid": gate,
    "HardSwish": foreign,
    "Identity": same,
    "LeakyRelu": leaky_relu,
    "MatMul": fully_connected,
    "MaxPool": max_pool,
    "Mish": foreign,
    "Mul": times,
    "PRelu": leaky_relu,
    "Pad": pad,
    "ReduceMean": whole_mean,
    "Relu": relu,
    "Reshape": reshape,
    "Selu": foreign,
    "Shape": shape,
    "Sigmoid": gate,
    "Slice": sliced,
    "Softplus": gate,
    "SpaceToDepth": space_to_depth,
    "Split": split,
    "Sub": minus,
    "Tanh": gate,
    "Transpose": transpose,
}
ALLOWED = tuple(name for name, reads in READ.items() if reads not in (foreign, gate))
"""Operators that need no other in their place."""
