"""The decisions of the compiler: what is stored, how operations are spread over the engine, where maps lie."""

from __future__ import annotations

import contextlib

import numpy as np
from numpy.typing import NDArray

from sterna.compile.first import fits_load, load_cycles, spread_in_load
from sterna.compile.lower import PHASES, Program
from sterna.compile.lowered import Lowered
from sterna.compile.memory import Demand, place
from sterna.compile.schedule import coarse_cycles, spread
from sterna.compile.spill import spill
from sterna.errors import SternaError
from sterna.graph import Reorg
from sterna.graph.csd import digits
from sterna.package.plan import Bands, Plan, Spread


def decide(lowered: Lowered, *, trace: bool) -> Plan:
    """The plan for a graph. Raises SternaError naming the layer that does not fit the feature memory."""
    stored = _stored_layers(lowered, trace)
    operations = lowered.program.operations
    read = additions_of_channels(lowered)
    spreads = tuple(
        spread(lowered.config, each, lowered.tiles(each), np.sum([read[name] for name in each.outputs], axis=0))
        for each in operations
    )
    if fits_load(lowered):
        with contextlib.suppress(SternaError):
            plan = _with_first_layer(lowered, stored, (spread_in_load(lowered), *spreads[1:]))
            if _pays(lowered, spreads, plan.load_after):
                return plan
    image = (lowered.graph.input.name, lowered.image_words)
    demand = Demand(image, _made(lowered, spreads), _last_uses(lowered.program, stored))
    bands: dict[int, Bands] = {}
    try:
        regions, load_after = place(lowered.config.fm_words, demand)
    except SternaError:
        regions, load_after, bands = spill(lowered, demand, stored)
    bases = {name: region.base for name, region in regions.items()}
    return Plan(tuple(stored), bases, load_after, spreads, bands)


def _with_first_layer(lowered: Lowered, stored: list[str], spreads: tuple[Spread, ...]) -> Plan:
    """The plan by which LOAD computes the first operation; its map takes the image's part. Raises as `place` does."""
    (image,), *made = _made(lowered, spreads)
    demand = Demand(image, [[], *made], _last_uses(lowered.program, stored))
    regions, load_after = place(lowered.config.fm_words, demand)
    bases = {name: region.base for name, region in regions.items()}
    return Plan(tuple(stored), bases, load_after, spreads, first_layer=True)


def _pays(lowered: Lowered, spreads: tuple[Spread, ...], load_after: int | None) -> bool:
    """Whether queued frames are faster if LOAD computes the first operation, by the coarse count: it goes on beside the
    operations after `load_after` of the frame before."""
    operations = lowered.program.operations
    cycles = [
        coarse_cycles(lowered.config, operation, lowered.tiles(operation), plan)
        for operation, plan in zip(operations, spreads, strict=True)
    ]
    beside = len(cycles) if load_after is None else load_after + 1
    return sum(cycles[1:beside]) + max(load_cycles(lowered), sum(cycles[beside:])) < sum(cycles)


def _made(lowered: Lowered, spreads: tuple[Spread, ...]) -> list[list[tuple[str, int]]]:
    """The maps that each operation makes, each a name and words."""
    operations = lowered.program.operations
    return [
        list(lowered.made_by(operation, plan.parts).items())
        for operation, plan in zip(operations, spreads, strict=True)
    ]


def additions_of_channels(lowered: Lowered) -> dict[str, NDArray[np.int64]]:
    """By the name of each computed map and the image, the additions that operations make of each of its channels."""
    operations = lowered.program.operations
    found = {name: np.zeros(operation.filters, np.int64) for operation in operations for name in operation.outputs}
    image = lowered.graph.input
    found[image.name] = np.zeros(image.channels, np.int64)
    reorgs = {layer.name for layer in lowered.graph.layers if isinstance(layer, Reorg)}

    def shown(name: str) -> list[tuple[str, int]]:
        """Map and number of each channel of a map, computed or a view."""
        if name in found:
            return [(name, channel) for channel in range(len(found[name]))]
        parts = [place for part in lowered.program.views[name] for place in shown(part)]
        return parts * (len(PHASES) if name in reorgs else 1)

    for operation in operations:
        weights = operation.weights
        places = [place for source in operation.sources for place in shown(source)]
        count = np.abs(digits(weights.value)).sum(axis=0, dtype=np.int64)
        made = np.bincount(weights.channel, weights=count, minlength=len(places)).astype(np.int64)
        for (name, channel), additions in zip(places, made.tolist(), strict=True):
            found[name][channel] += additions
    return found


def _stored_layers(lowered: Lowered, trace: bool) -> list[str]:
    """Layers to store: every computed map of a layer when tracing, and what each output shows."""
    shown = [layer.input for layer in lowered.graph.outputs]
    made = [name for operation in lowered.program.operations for name in operation.outputs] if trace else []
    every = [name for name in made if name in lowered.graph.info]
    return list(dict.fromkeys([*every, *shown]))


def _last_uses(program: Program, wanted: list[str]) -> dict[str, int]:
    """Index of the last operation after which each map is still needed; maps that nothing needs are absent."""
    made = {name: index for index, operation in enumerate(program.operations) for name in operation.outputs}
    uses: dict[str, int] = {}
    for index, operation in enumerate(program.operations):
        for name in operation.sources:
            uses.update(dict.fromkeys(program.sources(name), index))
    for name in wanted:
        parts = program.sources(name)
        stored = max(made.get(part, -1) for part in parts)
        uses.update({part: max(uses.get(part, -1), stored) for part in parts})
    return uses
