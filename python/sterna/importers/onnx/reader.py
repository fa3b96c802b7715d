"""Reads the nodes of an ONNX model into the layers of an integer graph, exact or refused by the node's name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sterna.errors import FaultsError, SternaError
from sterna.graph import Output
from sterna.graph.layers import LEVELS
from sterna.importers.onnx import image
from sterna.importers.onnx.draft import Draft, plain_name, unchanged
from sterna.importers.onnx.elementwise import Grid, Values
from sterna.importers.onnx.fit import Integers, fit
from sterna.importers.onnx.model import Constant, Model, Node
from sterna.importers.onnx.nodes import NO_COUNTERPART, READ
from sterna.importers.onnx.tensors import Chain, Map, View

Tensor = Constant | Map | Chain
#: Called with the nodes that are done, of how many, and the name of the next one.
Progress = Callable[[int, int, str], None]
_UNTIL = "take the results before it: --until TENSOR"


@dataclass(frozen=True)
class Settings:
    """What a model does not say.

    act_bits: of the graph. pixels: the real values of the image's bytes 0 and 255; None: as the model's first quantiser
    or its type says. rounds: whether results that are no activations are rounded to some.
    """

    act_bits: int = 8
    pixels: tuple[float, float] | None = None
    rounds: bool = False


@dataclass(frozen=True)
class Result:
    """What the integers of an output stand for, by channel: `scale * integer + offset`."""

    scale: tuple[float, ...]
    offset: tuple[float, ...]
    is_rounded: bool


class Reader:
    """The graph of a model, as its nodes are read; what is exact until one is refused stays in it."""

    def __init__(self, model: Model, settings: Settings) -> None:
        self._model, self._settings = model, settings
        self._tensors: dict[str, Tensor] = dict(model.constants)
        self._makers: dict[str, Node] = {}
        self._readers = Counter(name for node in model.nodes for name in node.inputs) + Counter(model.outputs)
        self.draft = Draft(settings.act_bits, model.outputs)
        self.filters = 0
        """Those that are exact so far."""
        self.faults: list[SternaError] = []
        """What was refused, where reading could go on to find what else would be."""
        self.results: dict[str, Result] = {}

    def read(self, progress: Progress | None = None) -> None:
        """Read every node that an output depends on, and the outputs; raises SternaError for what is not exact."""
        try:
            self._read_all(progress)
        except SternaError as error:
            self.faults.append(error)
        if len(self.faults) > 1:
            raise FaultsError(
                self.faults, where="model", remedy="change these nodes, or take results before them: --until"
            )
        if self.faults:
            raise self.faults[0]

    def _read_all(self, progress: Progress | None) -> None:
        source = self._model.source
        self._tensors[source.name] = image.of(source, self._settings.pixels)
        nodes = self._model.wanted(self._model.outputs)
        for number, node in enumerate(nodes):
            if progress:
                progress(number, len(nodes), node.name)
            self._read(node)
        for name in self._model.outputs:
            self._output(name)

    def _read(self, node: Node) -> None:
        made: Sequence[Tensor] | None = self._model.computed(node, self._tensors)
        if made is None:
            if node.operator not in READ:
                what = NO_COUNTERPART.get(node.operator, "is an operator that integer graphs have no counterpart for")
                node.refuse(what, remedy=_UNTIL)
            made = [node.read_by(lambda: READ[node.operator](self, node))]
        for name, tensor in zip(node.outputs, made, strict=False):
            self._tensors[name], self._makers[name] = tensor, node

    def view(self, node: Node, index: int = 0) -> Map | Chain:
        """What a node reads at `index`, which has to depend on the image."""
        tensor = self._tensors[node.inputs[index]]
        if isinstance(tensor, Constant):
            node.refuse("has a constant where a tensor of the model is needed", value=node.inputs[index])
        return tensor

    def optional(self, node: Node, index: int) -> Constant | None:
        """A constant that a node reads; None if it does not read any at `index`."""
        if index >= len(node.inputs) or not node.inputs[index]:
            return None
        tensor = self._tensors[node.inputs[index]]
        if not isinstance(tensor, Constant):
            node.refuse("reads what is computed where a constant is needed", value=node.inputs[index])
        return tensor

    def constant(self, node: Node, index: int) -> Constant:
        """A constant that a node has to read."""
        found = self.optional(node, index)
        if found is None:
            node.refuse("lacks an input", value=index, remedy="export the model again")
        return found

    def is_constant(self, name: str) -> bool:
        """Whether the tensor `name` is one."""
        return isinstance(self._tensors[name], Constant)

    def is_term(self, node: Node) -> bool:
        """Whether what a node makes is only added to other tensors of the model."""
        users = [each for each in self._model.nodes if node.outputs[0] in each.inputs]
        is_sum = all(each.operator in ("Add", "Sub") and len(each.inputs) == 2 for each in users)
        others = {name for each in users for name in each.inputs}
        constant = any(isinstance(self._tensors.get(name), Constant) for name in others)
        return bool(users) and is_sum and not constant and node.outputs[0] not in self._model.outputs

    def map(self, node: Node, index: int = 0) -> Map:
        """What a node reads as the map of a layer, which is made now if it was not before."""
        found = self.padded_map(node, index)
        if any(found.padding):
            node.refuse("reads what a Pad node makes", allowed="a convolution does", remedy="pad in the convolution")
        return found

    def padded_map(self, node: Node, index: int = 0) -> Map:
        """The same, with what a Pad node puts around it."""
        name = node.inputs[index]
        view = self.view(node, index)
        if isinstance(view, Chain):
            view = self._tensors[name] = self._materialised(name, view, node)
        return view

    def _origin(self, name: str) -> str:
        """The tensor that nodes which change nothing only give another name."""
        while name in self._makers and self._makers[name].operator in ("Identity", "Dropout"):
            name = self._makers[name].inputs[0]
        return name

    def planes(self, node: Node) -> Map:
        """The same, which has to be a map of channels, rows and columns; an image has the axes that are read first."""
        view = self.padded_map(node)
        if view.channels is None and view.order.ndim == 3 and not any(view.padding):
            channels, height, width = view.order.shape
            made = image.reshaped(self.draft, view, (channels, height, width))
            if made is not None:
                view = self._tensors[node.inputs[0]] = made
        if view.channels is None:
            node.refuse("reads no map of channels, rows and columns", remedy="keep the order of batch, channels, rows")
        return view

    def chain(self, node: Node) -> Chain:
        """What a node reads as accumulators that it can go on from."""
        view = self.view(node)
        if isinstance(view, Chain) and view.grid is not None and self._readers[node.inputs[0]] > 1:
            view = self.map(node)  # others read the same map
        return view if isinstance(view, Chain) else self.draft.again(self.map(node))

    def by_channel(self, node: Node, view: View, constant: Values) -> Values:
        """[C, 1], a constant that `node` combines with `view`."""
        found = view.by_channel(constant)
        if found is None:
            node.refuse("has a constant that differs within a channel", value=constant.shape, allowed="one per channel")
        return found

    def _materialised(self, name: str, chain: Chain, reader: Node) -> Map:
        """The map of the tensor `name`, which `reader` reads, by layers that compute it exactly."""
        if chain.is_image:
            return image.as_map(self.draft, self._model.source.name, chain, reader)
        name = self._origin(name)
        known = self._tensors[name]
        if isinstance(known, Map):
            return known
        node = self._makers[name]
        chain = chain if chain.grid is not None else _plain(chain, reader)
        signs = _signs(chain, node)
        assert chain.grid is not None
        low, high = chain.reached()
        if chain.grid.high - chain.grid.low < LEVELS:
            low, high = int(chain.grid.low), int(chain.grid.high)
        moved = self.draft.moved_by(low, high, node)
        fitted = fit(replace(chain.staircases(signs, low, high), least=low - moved), self.draft.activations)
        groups = [(each.filters, each.requant) for each in fitted.groups]
        if len(fitted.refused):  # goes on with any, to find what else is refused
            self.faults.append(_not_exact(node, fitted.refused))
            groups.append((fitted.refused, unchanged(len(fitted.refused))))
        self.filters += len(signs) - len(fitted.refused)
        grid = replace(chain.grid, zero=chain.grid.zero - moved, low=float(low - moved), high=float(high - moved))
        view = self._tensors[name] = self.draft.requantised(name, chain, signs, groups, grid, node)
        return view

    def _output(self, name: str) -> None:
        view, node = self._tensors.get(name), self._makers.get(name)
        if isinstance(view, Constant) or view is None or node is None:
            raise SternaError("is constant, or made by no node", where=f"output '{name}'", remedy="remove it")
        if isinstance(view, Chain):
            is_sum = view.grid is None and not view.is_image
            view = self._sums(name, view, node) if is_sum else self._materialised(name, view, node)
        view = self._tensors[name] = self.draft.in_order(view)
        if any(view.padding) or not np.array_equal(view.order.ravel(), np.arange(int(np.prod(view.shape)))):
            node.refuse("gives a result whose elements are not in a map's order", remedy="move them outside the model")
        plain = plain_name(name)
        self.draft.layers[plain] = Output(plain, view.layer)
        channels, grid = view.shape[0], view.grid
        self.results.setdefault(plain, Result((grid.scale,) * channels, (-grid.scale * grid.zero,) * channels, False))

    def _sums(self, name: str, chain: Chain, node: Node) -> Map:
        """Accumulators as a result: themselves if they are activations, else rounded if that is wanted."""
        if not chain.is_affine or chain.pools:
            node.refuse(
                "gives a result that is not quantised", value=name, remedy=f"quantise it to 8 bits, or {_UNTIL}"
            )
        low, high = int(chain.sums.low.min()), int(chain.sums.high.max())
        least, most = self.draft.activations
        shift = max(0, max(-low, high).bit_length() - (self._settings.act_bits - 1))
        if shift and not self._settings.rounds:
            node.refuse(
                "gives sums as a result, which are no activations", value=f"{low} .. {high}",
                allowed=f"{least} .. {most}",
                remedy="quantise the result in the model, or have the sums rounded: --round-results",
            )  # fmt: skip
        filters = np.arange(len(chain.sums.low))
        scale, offset = _affine(chain)
        half = (1 << shift) >> 1
        grid = Grid(1.0, 0.0, float((low + half) >> shift), float(min(most, (high + half) >> shift)))
        groups = [(filters, unchanged(len(filters), shift))]
        self.filters += len(filters)
        self.results[plain_name(name)] = Result(
            tuple((scale * 2.0**shift).tolist()), tuple(offset.tolist()), bool(shift)
        )  # fmt: skip
        return self.draft.requantised(name, chain, np.ones_like(filters), groups, grid, node)


def _plain(chain: Chain, reader: Node) -> Chain:
    """A chain without a quantiser, of which the accumulators themselves are the integers of a grid."""
    scale, offset = _affine(chain) if chain.is_affine else (np.zeros(1), np.zeros(1))
    if (scale != scale[0]).any() or (offset != offset[0]).any() or scale[0] <= 0:
        reader.refuse(
            "reads what is not quantised", value=reader.inputs[0],
            remedy="quantise what it reads to 8 bits or less, such as by Brevitas' QuantIdentity",
        )  # fmt: skip
    low, high = float(chain.sums.low.min()), float(chain.sums.high.max())
    return replace(chain, grid=Grid(float(scale[0]), float(-offset[0] / scale[0]), low, high))


def _affine(chain: Chain) -> tuple[Values, Values]:
    """[F] each, scale and offset: the value of accumulator `s` is `scale * s + offset`."""
    far = 1 << 20
    doubles = replace(chain, kind=np.dtype(np.float64))
    ends = doubles.values(np.tile(np.array([0, far]), (len(chain.sums.low), 1))).astype(np.float64)
    return (ends[:, 1] - ends[:, 0]) / far, ends[:, 0]


def _signs(chain: Chain, node: Node) -> Integers:
    """[F], 1 or -1: what makes the activations rise with the accumulators."""
    ends = chain.values(np.column_stack([chain.sums.low, chain.sums.high]))
    if not np.isfinite(ends.astype(np.float64)).all():
        node.refuse("is not a number for some accumulators", remedy="check the model's scales and variances")
    directions = chain.direction()
    for functions, _ in chain.pools:
        if (directions * chain.direction(functions) < 0).any():
            node.refuse("falls after a maximum was taken", remedy="normalise before the MaxPool node")
    either = -1 if directions.max() <= 0 and directions.min() < 0 else 1  # of filters that neither rise nor fall
    return np.where(directions == 0, either, directions)


def _not_exact(node: Node, filters: Integers) -> SternaError:
    more = f" and {len(filters) - 1} more" if len(filters) > 1 else ""
    return SternaError(
        "is no requantisation on every accumulator", where=node.place, attribute="filter", value=f"{filters[0]}{more}",
        allowed="an affine function, then linear, ReLU or leaky 1/8, rounded, with factors of 18 bits",
        remedy="use fewer bits or channels, or these activations",
    )  # fmt: skip
