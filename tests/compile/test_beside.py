"""Which STORE steps go on beside a step: all but those of what the step writes over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.build import build
from sterna.compile.clock import Clock
from sterna.compile.decide import decide
from sterna.compile.lowered import Lowered
from sterna.graph import reference
from sterna.package.package import Package
from sterna.spec import load_config, tape
from sterna.spec.tape import MOST_BESIDE_STORES, Op, Segment, SegmentKind
from support.random_configs import random_config
from support.random_graphs import random_graph, random_image
from support.tape_emulator import emulated

NANO = load_config("nano")


def traced(seed: int) -> tuple[Package, np.ndarray]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng)
    package = compile_graph(graph, random_config(rng), trace=True, cycles=False)
    return package, random_image(rng, graph)


def written(package: Package) -> list[list[range]]:
    """Feature memory words that each step writes, or all of its parts."""
    lowered, bases = Lowered(package.graph, package.config), package.plan.bases
    made = []
    for operation, spread in zip(lowered.program.operations, package.plan.spreads, strict=True):
        sizes = lowered.made_by(operation, spread.parts)
        words = [range(bases[name], bases[name] + size) for name, size in sizes.items()]
        made += [words] * len(spread.parts)
    image = bases[package.graph.input.name]
    of_op = {"LOAD": [range(image, image + lowered.image_words)]}
    computed = iter(made)
    return [next(computed) if step.op == "CONV" else of_op.get(step.op, []) for step in package.schedule.steps]


def overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


@pytest.mark.parametrize("seed", range(40))
def test_as_many_go_on_as_may(seed: int) -> None:
    package, _ = traced(seed)
    stores: list[range] = []
    for step, words in zip(tape.read(package.tape).steps, written(package), strict=True):
        if step["op"] == Op.STORE:
            stores.append(range(step["fm_base"], step["fm_base"] + step["fm_words"]))
            continue
        going = 0
        while going < min(len(stores), MOST_BESIDE_STORES) and not any(
            overlap(stores[-1 - going], each) for each in words
        ):
            going += 1
        assert step["beside"] == going
        stores = stores[len(stores) - going :]


def with_steps(package: Package, change: Callable[[dict[str, int]], dict[str, int]]) -> Package:
    def changed(segment: Segment) -> Segment:
        if segment.kind is not SegmentKind.STEP:
            return segment
        step = tape.unpack_step(segment.payload)
        return Segment(segment.kind, tape.pack_step(**step | change(step)))

    return replace(package, tape=tape.write(package.config.hash, map(changed, tape.read(package.tape).segments)))


def test_a_step_that_waits_for_too_few_stores_shows() -> None:
    """A map is written over before it is stored."""
    wrong = 0
    for seed in range(10):
        package, image = traced(seed)
        layers = reference.execute(package.graph, image)
        planted = with_steps(package, lambda step: {} if step["op"] == Op.STORE else {"beside": MOST_BESIDE_STORES})
        wrong += any(not np.array_equal(values, layers[name][0]) for name, values in emulated(planted, image).items())
    assert wrong > 3


def test_a_trace_takes_fewer_cycles_when_stores_go_on() -> None:
    lowered = Lowered(random_graph(np.random.default_rng(5), max_size=40, max_channels=40), NANO)
    built = build(lowered, decide(lowered, trace=True), keep_streamed=True)
    alone = [replace(step, fields=step.fields | {"beside": 0}) for step in built.steps]
    beside, after = (Clock(NANO, steps).frame(len(built.tape), queued=True).cycles for steps in (built.steps, alone))
    assert any(step.fields["beside"] for step in built.steps) and beside < 0.95 * after
