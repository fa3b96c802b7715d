"""What a training step needs of memory, and in which parts of a batch each layer is computed to stay under a limit.

The parts are chosen for the least time (Oyama et al. 2018, "Accelerating deep learning frameworks with micro-batches",
who do so for the workspaces of convolutions). Bytes and times are estimates from shapes, bytes on the safe side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sterna.errors import SternaError
from sterna.graph.layers import Layer, MaxPool
from sterna.graph.network import IMAGE, Conv, Head, NetworkDescription, Rescaled, Weighted
from sterna.train.model.form import Form
from sterna.train.model.network import pooled_convs

MIB = 1 << 20
FLOAT = 4  # bytes of a number
#: Bytes per parameter: its gradient with what quantisers keep, and at most, while an optimiser moves it.
PER_PARAMETER, MOVING = 12, 24
#: Numbers per value of a head, and per pair of a predicted box and a labelled one, that the loss computes.
PER_VALUE, PER_PAIR = 12, 10
#: Numbers that are computed at a time, per number of a convolution's result, and per one of a layer's in integer form.
AT_A_TIME, IN_INTEGERS = 5, 6
#: Numbers per activation in integer form that are kept besides it: its sum, and its real value around the slope.
OF_INTEGERS = 3
#: Bytes per pooled value, where the maximum was.
PLACE = 8
#: Multiplications of a layer, in those of a forward pass: the whole batch at once, all of it once more in the backward
#: pass, and in parts, whose statistics are gathered first.
WHOLE, AGAIN, PARTS = 3, 4, 6
#: Multiplications that take as long as one number that passes through memory, and as a part of a batch takes to begin.
PER_NUMBER, PER_PART = 20, 500_000
#: In which a limit is divided when plans are compared.
STEPS = 1000


@dataclass(frozen=True)
class Batch:
    """What a step works on: images of a process at a time, their size in pixels, most labels of one of them."""

    images: int
    height: int
    width: int
    boxes: int = 0


@dataclass(frozen=True)
class Plan:
    """How a network is trained. parts: images at a time, by layer; others take the whole batch.

    bytes: that a step needs, at most. time: of a step, in multiplications.
    """

    parts: Mapping[str, int]
    bytes: int
    time: float

    def told(self, batch: Batch) -> str:
        """The plan in a line."""
        needs = f"a step needs {self.bytes / MIB:.4g} MiB at most"
        if not self.parts:
            return f"{needs}, all layers with {batch.images} images at a time"
        parts = ", ".join(f"{name} {part}" for name, part in self.parts.items())
        return f"{needs}, of {batch.images} images at a time: {parts}"


class _Option(NamedTuple):
    """A way to compute a layer: bytes kept for the backward pass, bytes more while it is computed, and time."""

    part: int | None
    kept: int
    passing: int
    time: float


class _State(NamedTuple):
    """How the layers until now are computed: bytes kept, most bytes at a time, time, and the parts."""

    kept: int
    most: int
    time: float
    parts: tuple[tuple[str, int], ...] = ()

    def then(self, layer: str, option: _Option) -> _State:
        """The state after a layer more."""
        kept = self.kept + option.kept
        parts = self.parts if option.part is None else (*self.parts, (layer, option.part))
        return _State(kept, max(self.most, kept + option.passing), self.time + option.time, parts)


def plan(description: NetworkDescription, classes: int, form: Form, batch: Batch, limit: int | None = None) -> Plan:
    """The plan of least time whose step needs at most `limit` bytes beyond weights and optimiser; None: no limit.

    Raises SternaError, with the least limit that is possible, if no plan stays under it.
    """
    costs = _Costs(description, classes, form, batch)
    if limit is None:
        return costs.finished(costs.all(lambda options: options[0]))
    states = [costs.start]
    for layer in description.layers:
        options = costs.options(layer)
        after = (state.then(layer.name, option) for state in states for option in options)
        states = _best([state for state in after if state.most <= limit], limit)
    plans = [each for state in states if (each := costs.finished(state)).bytes <= limit]
    if plans:
        return plans[0]  # of least time
    least = costs.finished(costs.all(lambda options: min(options, key=lambda each: each.kept + each.passing))).bytes
    raise SternaError(
        "a training step does not fit", where="train", attribute="memory", value=f"{limit / MIB:.4g} MiB",
        allowed=f"{least / MIB:.4g} MiB or more for {batch.images} images at a time",
        remedy="train with a smaller --batch, a larger --accumulate, or a higher --memory",
    )  # fmt: skip


def _best(states: Sequence[_State], limit: int) -> list[_State]:
    """Those of `states` than which none keeps less and takes less time, from the fastest on.

    What is kept counts in steps of a thousandth of the limit, so that there are not too many of them.
    """
    found: list[_State] = []
    for state in sorted(states, key=lambda each: (each.time, each.kept)):
        if not found or state.kept * STEPS // limit < found[-1].kept * STEPS // limit:
            found.append(state)
    return found


class _Costs:
    """What the layers of a network cost on a batch, by the ways to compute them."""

    def __init__(self, description: NetworkDescription, classes: int, form: Form, batch: Batch) -> None:
        self._description, self._form, self._batch = description, form, batch
        self._maps = description.infer(classes, batch.height, batch.width)
        self._pools = {conv.name: pool for conv, pool in pooled_convs(description.layers)}
        self._merged = {pool.name for pool in self._pools.values()}
        weights = sum(self._weights(layer) * self._maps[layer.name].channels for layer in description.convolutions)
        self.start = _State(PER_PARAMETER * weights + FLOAT * self._numbers(IMAGE), MOVING * weights, 0.0)

    def all(self, choose: Callable[[list[_Option]], _Option]) -> _State:
        """The state after all layers, of each the option that is chosen."""
        state = self.start
        for layer in self._description.layers:
            state = state.then(layer.name, choose(self.options(layer)))
        return state

    def finished(self, state: _State) -> Plan:
        """The plan of `state` after all layers, when the loss is computed."""
        return Plan(dict(state.parts), max(state.most, state.kept + self._loss()), state.time)

    def options(self, layer: Layer) -> list[_Option]:
        """The ways to compute `layer`, from the fastest on; the first one is that without parts."""
        if layer.name in self._merged:
            return [_Option(None, 0, 0, 0.0)]  # it is part of its convolution
        # The image has no gradient.
        before = sum(self._numbers(source) for source in layer.sources if source != IMAGE)
        output = self._numbers(layer.name)
        if not isinstance(layer, Weighted):
            places = PLACE * output if isinstance(layer, MaxPool) else 0
            exact = self._form is Form.INTEGER and isinstance(layer, Rescaled)
            kept = self._kept(output) + places + FLOAT * OF_INTEGERS * output * exact
            return [_Option(None, kept, FLOAT * (2 * (before + output) + IN_INTEGERS * output * exact), 0.0)]
        return self._of_convolution(layer, before, output)

    def _of_convolution(self, layer: Weighted, before: int, convolved: int) -> list[_Option]:
        pool = self._pools.get(layer.name)
        output = convolved if pool is None else self._numbers(pool.name)
        places = 0 if pool is None else PLACE * output
        one_pass = convolved * (self._weights(layer) + PER_NUMBER)
        kept = self._kept(output)
        whole = kept + places + FLOAT * self._between(convolved, 0 if pool is None else output)
        exact = IN_INTEGERS * output * (self._form is Form.INTEGER)
        options = [_Option(None, whole, FLOAT * (2 * convolved + output + before + exact), WHOLE * one_pass)]
        given = output * (2 if self._form is Form.QUANTISED else 1) + before
        part = self._batch.images if isinstance(layer, Conv) else 0
        while part:
            share = part / self._batch.images
            passing = FLOAT * (AT_A_TIME * convolved + before + exact) + places
            passes = AGAIN if share == 1 or self._form is Form.INTEGER else PARTS
            time = passes * one_pass + PER_PART * passes / share
            options.append(_Option(part, kept, int(FLOAT * given + share * passing), time))
            part //= 2
        return options

    def _between(self, convolved: int, pooled: int) -> int:
        """Numbers kept of a whole batch between the input of a convolution and its output, `pooled` if not 0."""
        if self._form is Form.INTEGER:
            return convolved + OF_INTEGERS * pooled if pooled else OF_INTEGERS * convolved
        is_output = not pooled and self._form is not Form.QUANTISED
        return convolved if is_output else 2 * convolved

    def _kept(self, numbers: int) -> int:
        """Bytes of `numbers` that later layers read, and of where they were not clamped."""
        return (FLOAT + (self._form is Form.QUANTISED)) * numbers

    def _numbers(self, name: str) -> int:
        """Numbers of a map, of the whole batch."""
        info = self._maps[name]
        return self._batch.images * info.channels * info.height * info.width

    def _weights(self, layer: Weighted) -> int:
        """Weights of a filter."""
        return self._maps[layer.input].channels // layer.groups * layer.kernel**2

    def _loss(self) -> int:
        """Bytes that the loss computes."""
        last = self._description.last
        values = self._numbers(last.name)
        pairs = 0
        if isinstance(last, Head):
            pairs = self._batch.boxes * values // (self._maps[last.name].channels // last.anchors)
        return FLOAT * (PER_VALUE * values + PER_PAIR * pairs)
