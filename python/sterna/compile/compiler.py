"""Graph and config to package: decides, builds the tape, and tells the cycles that it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from sterna.compile.build import build
from sterna.compile.clock import Clock
from sterna.compile.decide import decide
from sterna.compile.lower import least_requant
from sterna.compile.lowered import Lowered
from sterna.errors import SternaError
from sterna.graph import Graph, Input, Layer, Requant
from sterna.package.counters import StepCounters
from sterna.package.package import Package
from sterna.spec.config import EngineConfig
from sterna.spec.tape import INPUT_TABLES

#: Called with how much is done, of how much, and of what comes.
Progress = Callable[[int, int, str], None]
#: What comes after the operations.
_CYCLES = "cycles"


def compile_graph(
    graph: Graph, config: EngineConfig, *, trace: bool = False, cycles: bool = True, progress: Progress | None = None
) -> Package:
    """Compile `graph` for `config`.

    With `trace` every map that the engine makes is stored to result memory, so that each can be checked; otherwise
    only the graph's outputs are. Without `cycles` the cycle model does not run, and the package's schedule is not
    timed. `progress` is called before each operation, with its layer, and before the cycle model. Raises SternaError
    naming the layer that does not fit the config.
    """
    package, _ = _compile(graph, config, trace=trace, cycles=cycles, progress=progress or _silent)
    return package


def compile_timed(graph: Graph, config: EngineConfig, *, progress: Progress | None = None) -> tuple[Package, Clock]:
    """As `compile_graph`, with the clock that tells the cycles on other memories."""
    return _compile(graph, config, trace=False, cycles=True, progress=progress or _silent)


def _silent(*_: object) -> None:
    """Progress that nobody wants to see."""


def _compile(
    graph: Graph, config: EngineConfig, *, trace: bool, cycles: bool, progress: Progress
) -> tuple[Package, Clock]:
    check_fit(graph, config)
    lowered = Lowered(graph, config)
    operations = len(lowered.program.operations)
    plan = decide(lowered, trace=trace)
    built = build(
        lowered, plan, keep_streamed=cycles,
        show=lambda index, layer: progress(index, operations + cycles, layer),
    )  # fmt: skip
    clock = Clock(config, built.steps)
    if not cycles:
        return Package(graph, built.tape, config, built.metadata, plan), clock
    progress(operations, operations + cycles, _CYCLES)
    queued, steps = _time(clock, len(built.tape))
    return Package(graph, built.tape, config, timed(built.metadata, queued, steps), plan), clock


def _time(clock: Clock, tape_bytes: int) -> tuple[int, tuple[StepCounters, ...]]:
    """Cycles from one queued frame to the next, and those of each step of a frame alone."""
    # The cycle model runs outside Python's lock, so two cores take half of the time.
    with ThreadPoolExecutor(max_workers=1) as other:
        queued = other.submit(clock.frame, tape_bytes, queued=True)
        alone = clock.frame(tape_bytes)
    return queued.result().cycles, alone.steps


def timed(metadata: dict[str, Any], queued_cycles: int, counters: Sequence[StepCounters]) -> dict[str, Any]:
    """`metadata` with the cycles that are expected."""
    steps = [step | asdict(each) for step, each in zip(metadata["steps"], counters, strict=True)]
    return metadata | {"steps": steps, "queued_cycles": queued_cycles}


def check_fit(graph: Graph, config: EngineConfig) -> None:
    """Raise SternaError if `graph` has wider numbers than `config`, or a table that its engine cannot apply."""
    if graph.act_bits != config.act_w:
        raise SternaError(
            "the activations of the graph and the config differ in width",
            attribute="act_bits",
            value=graph.act_bits,
            allowed=str(config.act_w),
            remedy="choose a config with this act_w",
        )
    if graph.acc_bits > config.acc_w:
        raise SternaError(
            "the graph's accumulators are wider than the config's",
            attribute="acc_bits",
            value=graph.acc_bits,
            allowed=f"up to {config.acc_w}",
            remedy="choose a config with a larger acc_w",
        )
    _check_table(graph.input, config)
    for layer in graph.layers:
        requant = getattr(layer, "requant", None)
        if requant is not None and requant.multiplier.max(initial=0) >= 1 << config.mul_w:
            raise SternaError(
                "a requantisation multiplier is too wide for the config",
                where=f"layer {layer.name}",
                attribute="multiplier",
                value=int(requant.multiplier.max()),
                allowed=f"below 2^{config.mul_w} (mul_w)",
                remedy="lower multiplier and shift or raise mul_w",
            )
        if requant is not None:
            _check_general(layer, least_requant(graph, requant), config)


def _check_general(layer: Layer, requant: Requant, config: EngineConfig) -> None:
    if not config.general_requant and (requant.clamp is not None or requant.half_even):
        raise SternaError(
            "the layer has a clamp of its own or ties to even, and the engine of the config has neither",
            where=f"layer {layer.name}",
            attribute="clamp, half_even",
            value=f"{requant.clamp}, {requant.half_even}",
            allowed="None, False",
            remedy="choose a config with general_requant: true",
        )


def _check_table(layer: Input, config: EngineConfig) -> None:
    if layer.table is None:
        return
    if not config.input_table:
        raise SternaError(
            "the image goes through a table, and the engine of the config has none",
            where=f"layer {layer.name}",
            attribute="input_table",
            value=config.input_table,
            allowed="True",
            remedy="choose a config with input_table: true",
        )
    if layer.channels > INPUT_TABLES:
        raise SternaError(
            "the image has more channels than an engine has input tables",
            where=f"layer {layer.name}",
            attribute="channels",
            value=layer.channels,
            allowed=f"1 .. {INPUT_TABLES} with a table",
            remedy="use an image of fewer channels, or leave the table out",
        )
