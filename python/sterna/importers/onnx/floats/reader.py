"""From the nodes of an ONNX model in floats to the layers of a network description, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from sterna.errors import FaultsError, SternaError
from sterna.graph.layers import Concat, Layer, MaxPool, Reorg
from sterna.graph.network import (
    ANCHORS,
    BOX_FIELDS,
    FIRST_BITS,
    GREY,
    IMAGE,
    RGB,
    Add,
    AveragePool,
    Classifier,
    Conv,
    Head,
    NetworkDescription,
    share_quantisers,
)
from sterna.importers import importer
from sterna.importers.importer import Convolution, DetectorDescription, Given, Imported, Values
from sterna.importers.onnx.floats import boxes
from sterna.importers.onnx.floats.nodes import ALLOWED, LACKING, MOVES, PADDED, RANKS, READ, UNTIL
from sterna.importers.onnx.floats.tensors import Colours, Exact, Gate, Padded, Pending, Places, Sums, Total, View
from sterna.importers.onnx.geometry import Pool, Sides, convolved_size
from sterna.importers.onnx.model import Constant, Model, Node, load
from sterna.vision import class_names

WHITE = 255
BORDER = "outside the image is grey, and not what the model pads with: what is at the edges changes a little"
Tensor = Constant | View | Padded | Pending | Gate


def read(path: Path, given: Given) -> Imported:
    """The network of the ONNX model in the file `path`, with its weights; raises SternaError as `floats.load` says."""
    model = load(path, None, "export the model with a fixed image size")
    shape = model.source.shape
    if len(shape) != 3 or shape[0] != RGB:
        raise SternaError(
            "reads no colour image", where=f"input '{model.source.name}'", attribute="shape", value=shape,
            allowed=f"a batch, then {RGB}, height, width", remedy="use a model of RGB images",
        )  # fmt: skip
    reader = Reader(model, given)
    return reader.imported()


class Reader:
    """Reads the nodes that the result depends on, in order, and makes layers of them."""

    def __init__(self, model: Model, given: Given) -> None:
        self._model, self.given = model, given
        self.layers: list[Layer] = []
        self._weights: dict[str, Convolution] = {}
        self._made: dict[str, tuple[Pending, str, View]] = {}
        """What became of each convolution or sum, by its tensor: with its activation."""
        self._reorgs: dict[str, str] = {}
        self.colours: dict[str, Places] = {IMAGE: np.arange(RGB)}
        """The colour of each channel of the layers that only move the image."""
        self.replaced: dict[str, None] = {}
        self.changes: dict[str, None] = {}
        self._only_scores: list[SternaError] = []
        """Why the network may be a classifier, but no detector."""
        self._split: set[str] = set()
        """Names of concats of what convolutions were divided into."""
        self._ranks: list[Node] = []
        self._tensors: dict[str, Tensor] = {**model.constants}
        low, high = given.pixels
        factor = np.full(RGB, (high - low) / WHITE)
        shape = model.source.shape
        image = View(IMAGE, (shape[0], shape[1], shape[2]), None, Colours(factor, np.full(RGB, float(low))))
        self._tensors[model.source.name] = image

    def imported(self) -> Imported:
        """The network, with what was decided on the way."""
        name = self._result()
        nodes = self._model.wanted([name])
        _check_operators(nodes)
        for node in nodes:
            self._read(node)
        classes, anchors = self._end(name)
        network = NetworkDescription(share_quantisers(self._read_layers()))
        _, height, width = self._model.source.shape
        described = DetectorDescription(network, classes, anchors, height, width)
        fresh = (network.last.name,) * (network.last.name not in self._weights)
        names = boxes.names(self._model.properties, classes)
        if names is not None:
            class_names.check(names, Path("the model's property names"))
        changes = (
            f"the image's bytes 0 and 255 are {self.given.pixels[0]:g} and {self.given.pixels[1]:g}",
            *self.changes,
        )
        return Imported(described, names, self._weights, fresh, changes, tuple(self.replaced))

    def _read_layers(self) -> list[Layer]:
        """The layers, without those that join what was divided and that none reads."""
        kept: list[Layer] = []
        for layer in reversed(self.layers):
            if layer.name not in self._split or any(layer.name in each.sources for each in kept):
                kept.append(layer)
        return kept[::-1]

    def _result(self) -> str:
        """The tensor that the network ends in; what only moves its elements is left out."""
        makers = {name: node for node in self._model.nodes for name in node.outputs}
        name = self.given.until
        if name is not None and name not in makers:
            raise SternaError(
                "makes no such tensor", where="model", attribute="onnx_until", value=name,
                allowed=", ".join(sorted(makers)), remedy="name a tensor that a node makes",
            )  # fmt: skip
        if name is None:
            if len(self._model.outputs) != 1:
                raise SternaError(
                    "has several results", where="model", attribute="outputs", value=", ".join(self._model.outputs),
                    allowed="one, of the head or before it", remedy="name the one to end in: --onnx-until TENSOR",
                )  # fmt: skip
            name = self._model.outputs[0]
        while name in makers and makers[name].operator in (*MOVES, *RANKS):
            if makers[name].operator in RANKS:
                self._ranks.append(makers[name])
            name = makers[name].inputs[0]
        return name

    def _read(self, node: Node) -> None:
        made: Sequence[Tensor] | None = self._model.computed(node, self._tensors)
        if made is None:
            if node.operator not in READ:
                _lacks(node)
            found = node.read_by(lambda: READ[node.operator](self, node))
            made = found if isinstance(found, list) else [found]
        self._tensors.update(zip(node.outputs, made, strict=False))

    def tensor(self, node: Node, index: int = 0) -> Tensor:
        """What a node reads at `index`."""
        return self._tensors[node.inputs[index]]

    def constant(self, node: Node, index: int) -> Exact:
        """The values of a constant that a node has to read."""
        found = self._tensors.get(node.inputs[index]) if index < len(node.inputs) else None
        if not isinstance(found, Constant):
            node.refuse("reads what is computed where a constant is needed", remedy="export the model for inference")
        return found.values.astype(np.float64)

    def view(self, node: Node, index: int = 0) -> View:
        """What a node reads as elements of a layer's map; sums without an activation become a layer."""
        found = self.tensor(node, index)
        match found:
            case Sums() | Total():
                return self.activated(found, "linear")
            case Gate():
                return self.replacement(found.sums, found.node, found.node.operator)
            case View():
                return found
            case Padded() if node.operator in PADDED:
                return found.view
            case Padded():
                node.refuse("reads what a Pad node makes", allowed=", ".join(PADDED), remedy="pad in these")
        node.refuse("has a constant where a tensor of the model is needed", value=node.inputs[index])

    def only_scores(self, node: Node, what: str, **parts: Any) -> None:
        """Refuse `node` unless the network turns out to be a classifier."""
        self._only_scores.append(node.fault(what, **parts))

    def padding(self, node: Node, least: float, most: float) -> Sides:
        """What a Pad node puts around the map that a node reads, of values that have to be `least` .. `most`."""
        found = self.tensor(node)
        if not isinstance(found, Padded):
            return 0, 0, 0, 0
        if not least <= found.value <= most:
            node.refuse("reads a map padded with another value", value=found.value, allowed=f"{least} .. {most}")
        return found.sides

    def planes(self, node: Node, index: int = 0) -> tuple[View, Places]:
        """The same as channels of a map, and which they are: of all if the map can be divided for them."""
        return self._part(*self.chosen(node, index))

    def chosen(self, node: Node, index: int = 0) -> tuple[View, Places]:
        """The same, of the map as it is; a reorg is added where pixels became channels."""
        view = self.view(node, index)
        if view.channels is not None:
            return replace(view, order=None), view.channels
        phases = view.phases
        if phases is None:
            node.refuse(
                "reads pixels in an order that no layer gives", value=view.dimensions,
                allowed="channels in any order, and space to depth of blocks of 2x2",
                remedy="write it as SpaceToDepth or PixelUnshuffle of 2",
            )  # fmt: skip
        channels, height, width = view.shape
        shape = 4 * channels, height // 2, width // 2
        if view.layer not in self._reorgs:
            self._reorgs[view.layer] = self._add(Reorg(self._name(Reorg), view.layer), shape)
        return View(self._reorgs[view.layer], shape, None, view.colours), phases

    def whole(self, node: Node, index: int = 0) -> tuple[View, Places]:
        """The same; refuses a tensor that has only some of the map's channels."""
        view, channels = self.planes(node, index)
        if not np.array_equal(np.sort(channels), np.arange(view.shape[0])):
            node.refuse(
                "reads only some channels of a map, or some twice", value=f"{len(channels)} of {view.shape[0]}",
                allowed="all, each once, in any order, or neighbours in the result of a Conv without groups",
                remedy="use a network without split channels",
            )  # fmt: skip
        return view, channels

    def activated(self, pending: Pending, activation: str, leak: float | None = None) -> View:
        """The layer of a convolution or a sum with an activation, made once."""
        kind = activation if leak is None else f"{activation} {leak}"
        if pending.tensor in self._made:
            known, other, view = self._made[pending.tensor]
            if known is not pending or other != kind:
                pending.node.refuse(
                    "is read with different activations or factors", value=f"{other}, {kind}", allowed="one for all",
                    remedy="compute it twice, with weights of its own",
                )  # fmt: skip
            return view
        if isinstance(pending, Sums):
            view = View(self._convolution(pending, activation, leak), pending.shape)
            view = view.moved(np.ravel) if pending.flat else view
        else:
            first, second = pending.parts
            name = self._add(Add(self._name(Add), (first.layer, second.layer), activation), pending.shape)
            view = View(name, pending.shape).of(pending.channels)
        self._made[pending.tensor] = pending, kind, view
        return view

    def _convolution(self, sums: Sums, activation: str, leak: float | None) -> str:
        filters, _, _, kernel = sums.weights.shape
        bits = FIRST_BITS if sums.source.layer in self.colours else None
        padding = None if sums.sides == (kernel // 2,) * 4 and kernel % 2 else sums.sides
        layer = Conv(
            self._name(Conv), sums.source.layer, filters, kernel, bits, activation=activation, groups=sums.groups,
            stride=sums.stride, padding=padding,
        )  # fmt: skip
        self._weights[layer.name] = self._numbers(sums, layer.name)
        return self._add(layer if leak is None else replace(layer, leak=leak), sums.shape)

    def replacement(self, sums: Pending, node: Node, operator: str) -> View:
        """The layer of a convolution or sum whose activation Sterna lacks, with the one that is wanted in its place."""
        wanted = self.given.activation
        if wanted is None:
            node.refuse(
                f"is an activation that Sterna lacks ({operator})",
                allowed="Relu, LeakyRelu with a slope of 0.05 .. 0.25, or none",
                remedy="train the model with one of these, or put one in its place and train further: "
                "--onnx-activation relu",
            )  # fmt: skip
        self.replaced[f"{wanted} in place of {operator}"] = None
        return self.activated(sums, wanted)

    def pooled(self, view: View, pool: Pool) -> View:
        """Maxima of a map; windows that are too large for one layer take several."""
        shape = view.shape[0], *pool.size
        name = self._add(MaxPool(self._name(MaxPool), view.layer, pool.stride, pool.kernel, pool.padding), shape)
        return View(name, shape, None, view.colours)

    def averaged(self, view: View, kernel: int, stride: int) -> View:
        """Means of a map."""
        shape = view.shape[0], *convolved_size(view.shape, kernel, stride, (0, 0, 0, 0))
        name = self._add(AveragePool(self._name(AveragePool), view.layer, kernel, stride), shape)
        return View(name, shape)

    def pixels_as_channels(self, view: View, weights: Exact) -> tuple[View, Exact]:
        """The reorg of a map of even sides, and the weights [F, C, K, K] of all its elements as those of the reorg."""
        channels, height, width = view.shape
        filters, _, side, _ = weights.shape
        shape = 4 * channels, height // 2, width // 2
        if view.layer not in self._reorgs:
            self._reorgs[view.layer] = self._add(Reorg(self._name(Reorg), view.layer), shape)
        phases = weights.reshape(filters, channels, side // 2, 2, side // 2, 2).transpose(0, 3, 5, 1, 2, 4)
        return View(self._reorgs[view.layer], shape, None, view.colours), phases.reshape(filters, *shape)

    def _part(self, view: View, channels: Places) -> tuple[View, Places]:
        """The same, of a map that has no others if they are neighbours in a convolution's; else as it was."""
        count, start = len(channels), int(channels[0])
        if count == view.shape[0] or not np.array_equal(channels, start + np.arange(count)):
            return view, channels
        layers = {layer.name: layer for layer in self.layers}
        layer = layers.get(view.layer)
        if isinstance(layer, Conv) and layer.groups == 1:
            ends = [0, start, start + count, layer.filters]
            layer = self._divided(layer, [end - begin for begin, end in pairwise(ends) if end > begin])
            layers = {each.name: each for each in self.layers}
        for name in layer.sources if layer is not None and layer.name in self._split else ():
            part = layers[name]
            size = self._filters(part)
            if start >= 0 and start + count <= size:
                return self._part(View(name, (size, *view.shape[1:])), channels - channels[0] + start)
            start -= size
        return view, channels

    def _filters(self, layer: Layer) -> int:
        """Of a convolution, or of those that it was divided into."""
        if isinstance(layer, Conv):
            return layer.filters
        return sum(self._filters(each) for each in self.layers if each.name in layer.sources)

    def _divided(self, layer: Conv, sizes: Sequence[int]) -> Concat:
        """What joins the convolutions of so many filters that take the place of one, under its name."""
        stored, made, start = self._weights.pop(layer.name), [], 0
        for number, size in enumerate(sizes, 1):
            made.append(replace(layer, name=f"{layer.name}_{number}", filters=size))
            self._weights[made[-1].name] = stored.part(made[-1].name, slice(start, start + size))
            start += size
        joined = Concat(layer.name, tuple(each.name for each in made))
        place = self.layers.index(layer)
        self.layers[place : place + 1] = [*made, joined]
        self._split.add(layer.name)
        return joined

    def joined(self, parts: Sequence[tuple[View, Places]]) -> View:
        """The channels of maps, one after the other: of one map, or of several by a concat."""
        if len({view.layer for view, _ in parts}) == 1:
            return parts[0][0].of(np.concatenate([channels for _, channels in parts]))
        parts = [self._part(view, channels) for view, channels in parts]
        views = [view for view, _ in parts]
        _, height, width = views[0].shape
        starts = np.cumsum([0, *(view.shape[0] for view in views)])
        shape = int(starts[-1]), height, width
        name = self._add(Concat(self._name(Concat), tuple(view.layer for view in views)), shape)
        order = np.concatenate([channels + start for (_, channels), start in zip(parts, starts[:-1], strict=True)])
        return View(name, shape, None, views[0].colours).of(order)

    def _name(self, kind: type[Layer]) -> str:
        stems: dict[type[Layer], str] = {
            Add: "add", AveragePool: "average", Conv: "conv", MaxPool: "pool", Reorg: "reorg", Concat: "concat",
        }  # fmt: skip

        return f"{stems[kind]}{1 + sum(isinstance(layer, kind) for layer in self.layers)}"

    def _add(self, layer: Layer, shape: tuple[int, ...]) -> str:
        self.layers.append(layer)
        sources = [self.colours.get(source) for source in layer.sources]
        if isinstance(layer, MaxPool | Reorg | Concat) and all(each is not None for each in sources):
            found = np.concatenate([each for each in sources if each is not None])
            self.colours[layer.name] = np.tile(found, shape[0] // len(found))
        return layer.name

    def _numbers(self, sums: Sums, name: str) -> Convolution:
        """The numbers of a convolution for the image as Sterna has it."""
        colours = sums.source.colours
        if colours is not None:
            of = self.colours[sums.source.layer]
            factor, offset = colours.factor[of] * GREY, (colours.factor * GREY + colours.offset)[of]
            if sums.weights.shape[2] > 1 and np.abs(offset).max() > 1e-6 * np.abs(factor).max():
                self.changes[BORDER] = None
            sums = _for_image(sums, factor, offset)
        norm = None if sums.norm is None else importer.Norm(
            *(_float32(sums.node, each) for each in (sums.norm.scales, sums.norm.means, sums.norm.variances))
        )  # fmt: skip
        return Convolution(name, _float32(sums.node, sums.biases), norm, _float32(sums.node, sums.weights))

    def _end(self, name: str) -> tuple[int, boxes.Anchors]:
        """Add the head: the convolution that makes the tensor `name`, if the model says its anchors, or a fresh one."""
        anchors = boxes.anchors(self._model.properties)
        result = self._tensors.get(name)
        last = isinstance(result, Sums) and result.weights.shape[2] == result.stride == result.groups == 1
        if isinstance(result, Sums) and not anchors and (result.flat or (last and result.source.shape[1:] == (1, 1))):
            return self._scores(result), ()
        for fault in self._only_scores:
            raise fault
        for node in self._ranks:
            _lacks(node)
        if isinstance(result, Sums) and last and anchors:
            return self._own_head(result, len(anchors)), anchors
        if isinstance(result, Sums):
            source = result.source if last else self.activated(result, "linear")
            left_out = f" in place of {result.node.place}" * last
        elif isinstance(result, Total):
            source, left_out = self.activated(result, "linear"), ""
        elif isinstance(result, View) and result.layer not in self.colours:
            source, left_out = result, ""
        else:
            raise SternaError(
                "is no map of a convolution", where=f"output '{name}'", allowed="the head, or the map that it reads",
                remedy="name such a tensor: --onnx-until TENSOR",
            )  # fmt: skip
        self.layers.append(Head("head", source.layer))
        self.changes[
            f"the model does not say its anchors (property {boxes.ANCHORS}): a fresh head with {ANCHORS} anchors "
            f"follows{left_out}"
        ] = None
        return 0, ()

    def _own_head(self, sums: Sums, anchors: int) -> int:
        """Add the head that `sums` are; how many classes it has."""
        filters = len(sums.weights)
        classes, rest = divmod(filters, anchors)
        classes -= BOX_FIELDS
        if rest or classes < 1:
            sums.node.refuse(
                "does not fit the model's anchors", attribute="filters", value=filters,
                allowed=f"{anchors} * ({BOX_FIELDS} + classes)", remedy=f"correct the property {boxes.ANCHORS}",
            )  # fmt: skip
        self.layers.append(Head("head", sums.source.layer, anchors=anchors))
        self._weights["head"] = self._numbers(sums.folded(), "head")
        return classes

    def _scores(self, sums: Sums) -> int:
        """Add the classifier that `sums` are; how many classes it has."""
        view, weights = sums.source, sums.weights
        while weights.shape[2] > 1 and weights.shape[2] % 2 == 0:
            view, weights = self.pixels_as_channels(view, weights)
        if weights.shape[2] > 1:
            sums.node.refuse(
                "gives scores of a map of several pixels", value=f"{view.shape[2]}x{view.shape[1]}",
                allowed="one pixel, or sides of 2, 4, 8, ...",
                remedy="take means of it first (GlobalAveragePool), or have another layer before the scores",
            )  # fmt: skip
        if view.layer in self.colours:
            sums.node.refuse("gives scores of the image", remedy="have convolutions before it")
        self.layers.append(Classifier("head", view.layer))
        self._weights["head"] = self._numbers(replace(sums, source=view, weights=weights).folded(), "head")
        return len(sums.weights)


def _for_image(sums: Sums, factor: Exact, offset: Exact) -> Sums:
    """For an input channel that is `factor` times what it was, plus `offset`."""
    groups, width = sums.groups, sums.weights.shape[1]
    group = np.repeat(np.arange(groups), len(sums.weights) // groups)
    mine = (group[:, np.newaxis] * width + np.arange(width))[:, :, np.newaxis, np.newaxis]
    return replace(sums, weights=sums.weights * factor[mine]).shifted((sums.weights * offset[mine]).sum((1, 2, 3)))


def _float32(node: Node, values: Exact) -> Values:
    with np.errstate(over="ignore"):
        rounded = values.astype(np.float32)
    if not np.isfinite(rounded).all():
        node.refuse("has weights that leave the range of float32, or no numbers", remedy="export a trained model")
    return rounded


def _check_operators(nodes: Sequence[Node]) -> None:
    """Refuse all operators that network descriptions have no counterpart for, each once."""
    faults: dict[str, SternaError] = {}
    for node in nodes:
        if node.operator in LACKING and node.operator not in faults:
            try:
                _lacks(node)
            except SternaError as error:
                faults[node.operator] = error
    if len(faults) > 1:
        raise FaultsError(list(faults.values()), where="model", remedy=f"change these nodes, or {UNTIL}")
    for fault in faults.values():
        raise fault


def _lacks(node: Node) -> NoReturn:
    what, remedy = LACKING.get(
        node.operator, ("is an operator that network descriptions have no counterpart for", UNTIL)
    )
    node.refuse(what, allowed=", ".join(ALLOWED), remedy=remedy)
