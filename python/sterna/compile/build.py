"""A plan to a tape and the metadata of its package, by libsterna's builder, `sw/src/compile`: the one that there is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sterna.compile.lower import Operation, Weights
from sterna.compile.lowered import Lowered
from sterna.graph import Input, Reorg
from sterna.native import libsterna
from sterna.package import plan as plans
from sterna.package.counters import UNTIMED
from sterna.package.plan import Plan
from sterna.run.emulator import native_input
from sterna.spec import tape
from sterna.spec.activations import ACTIVATIONS
from sterna.spec.tape import Op

#: Called before each operation with its number and the layer that it makes.
Show = Callable[[int, str], None]


#: Bits of a round: it takes a word, it is the last one of the pass.
TAKES_WORD = 1
ENDS = 2


@dataclass(frozen=True)
class Streamed:
    """What a CONV step streams, as the cycle model takes it."""

    #: Of each round uint8: TAKES_WORD, ENDS.
    rounds: NDArray[np.uint8]
    #: The records int64[record, 2] in order: kind, count.
    records: NDArray[np.int64]
    #: `after` of each fetch word.
    after: NDArray[np.int64]
    #: Of each round uint8: entries that do something.
    operations: NDArray[np.uint8]


@dataclass(frozen=True)
class BuiltStep:
    """The fields of a STEP segment, and what a CONV streams, if it was asked for."""

    fields: dict[str, int]
    streamed: Streamed | None


@dataclass(frozen=True)
class Built:
    """A tape, its steps, and the metadata of its package, not timed."""

    tape: bytes
    steps: tuple[BuiltStep, ...]
    metadata: dict[str, Any]


def build(lowered: Lowered, plan: Plan, *, keep_streamed: bool = False, show: Show | None = None) -> Built:
    """The tape of a graph, which fits its config, by `plan`: always the same bytes.

    Raises SternaError for a plan that does not fit them, and naming the layer with a value that does not fit the tape.
    """
    planned, filters = plans.to_sections(plan)
    made, steps, stores, frame_bytes, result_bytes, scratch_bytes = libsterna.build_tape(
        _native(lowered), _json(lowered.config.model_dump()), lowered.config.hash, _json(planned), filters,
        keep_streamed, show,
    )  # fmt: skip
    metadata = {
        "input": _image(lowered.graph.input),
        "stores": [_store(*store) for store in stores],
        "outputs": [layer.name for layer in lowered.graph.outputs],
        "frame_bytes": frame_bytes,
        "result_bytes": result_bytes,
        "scratch_bytes": scratch_bytes,
        "steps": [_info(*step) for step in steps],
        "queued_cycles": 0,
    }
    return Built(made, tuple(_step(fields, streamed) for _, fields, *_, streamed in steps), metadata)


def _json(values: object) -> bytes:
    return json.dumps(values).encode()


def _native(lowered: Lowered) -> libsterna.Lowered:
    graph, program = lowered.graph, lowered.program
    reorgs = {layer.name for layer in graph.layers if isinstance(layer, Reorg)}
    return libsterna.Lowered(
        layers=[(name, info.height, info.width) for name, info in graph.info.items()],
        inner=list(program.inner.values()),
        input=graph.input.name,
        image=native_input(graph.input),
        act_bits=graph.act_bits,
        outputs=[layer.name for layer in graph.outputs],
        operations=[_operation(operation) for operation in program.operations],
        views=[(name, maps, name in reorgs) for name, maps in program.views.items()],
        split=list(program.split),
    )


def _operation(operation: Operation) -> libsterna.EngineOperation:
    requant = operation.requant
    return libsterna.EngineOperation(
        operation.layers, operation.output, operation.sources, _weights(operation.weights), operation.filters,
        operation.pool, operation.gather_stride, operation.pad_value, requant.multiplier, requant.bias, requant.shift,
        ACTIVATIONS[requant.activation], requant.clamp, requant.half_even,
    )  # fmt: skip


def _weights(weights: Weights) -> libsterna.Weights:
    def plain(values: NDArray[Any], kind: type[np.integer[Any]]) -> NDArray[Any]:
        return np.ascontiguousarray(values, kind)

    return libsterna.Weights(
        plain(weights.filter, np.int32), plain(weights.phase, np.int8), plain(weights.channel, np.int32),
        plain(weights.row, np.int16), plain(weights.col, np.int16), plain(weights.value, np.int8),
    )  # fmt: skip


def _step(fields: bytes, streamed: tuple[Any, ...] | None) -> BuiltStep:
    return BuiltStep(tape.unpack_step(fields), Streamed(*streamed) if streamed else None)


def _info(
    layers: Sequence[str], fields: bytes, part: int, additions: int, lane_work: int, streamed: object
) -> dict[str, Any]:
    op = Op(tape.unpack_step(fields)["op"]).name
    what = {"layers": list(layers), "op": op, "part": part, "nonzeros": additions, "lane_work": lane_work}
    return what | asdict(UNTIMED)


def _image(layer: Input) -> dict[str, Any]:
    size = {"channels": layer.channels, "height": layer.height, "width": layer.width}
    return {"layer": layer.name, "dram_offset": 0, **size}


def _store(
    layer: str, offset: int, words: int, tiles_h: int, tiles_w: int, height: int, width: int, split: bool,
    channels: Sequence[tuple[int, int]],
) -> dict[str, Any]:  # fmt: skip
    return {
        "layer": layer, "dram_offset": offset, "words": words, "tiles_h": tiles_h, "tiles_w": tiles_w,
        "height": height, "width": width, "split": split, "channels": [list(place) for place in channels],
    }  # fmt: skip
