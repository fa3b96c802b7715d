"""What libsterna builds of plans: the order and the waits of fetch words, the same bytes as ever, refusals."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.build import ENDS, TAKES_WORD, build
from sterna.compile.decide import decide
from sterna.compile.lower import Operation, Weights
from sterna.compile.lowered import Lowered
from sterna.errors import SternaError
from sterna.graph import Concat, Conv, Graph, Input, Layer, MaxPool, Output, Requant
from sterna.graph import file as graph_file
from sterna.native import libsterna
from sterna.package.package import Package
from sterna.spec import load_config, tape
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.paths import own_network
from sterna.spec.tape import AFTER_ALL, Op, SegmentKind
from support.random_graphs import random_graph
from support.rounds import read_rounds

NANO = load_config("nano")


def pointwise(name: str, source: str, channels: int, filters: int) -> Conv:
    requant = Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), 4, "linear")
    return Conv(name, source, np.ones((filters, channels, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 1.0)


def fetch_words(package: Package, layer: str) -> list[dict[str, int]]:
    """Those of the first part of a layer."""
    segments, config = tape.read(package.tape).segments, package.config
    steps = [index for index, segment in enumerate(segments) if segment.kind is SegmentKind.STEP]
    named = zip(steps, package.schedule.steps, strict=True)
    at = next(at for at, info in named if info.op == "CONV" and info.layers[-1] == layer and not info.part)
    groups = config.clusters // tape.unpack_step(segments[at].payload)["tiles_at_once"]
    return unpacked(config, segments[at + 2].payload, groups * config.pes)


def unpacked(config: EngineConfig, payload: bytes, streams: int) -> list[dict[str, int]]:
    """The fetch words of a WEIGHTS payload."""
    return read_rounds(config, payload, streams).fetches


def compiled(config: EngineConfig, channels: int, *layers: Layer) -> Package:
    return compile_graph(Graph((Input("image", channels, 5, 5, 1.0, 0), *layers)), config, cycles=False)


def test_vectors_of_the_step_before_come_last_and_wait() -> None:
    late, joined = pointwise("late", "image", 4, 8), Concat("joined", ("late", "image"))
    end = pointwise("end", "joined", 12, 3), Output("out", "end")
    package = compiled(NANO, 4, late, joined, *end)
    bases = package.plan.bases
    found = [(each["plane"], each["after"]) for each in fetch_words(package, "end")]
    assert found == [(bases["image"], 0), (bases["late"], 1), (bases["late"] + 1, 2)]
    between = pointwise("between", "image", 4, 4)
    others = Concat("all", ("end", "between")), Output("out", "all")
    package = compiled(NANO, 4, late, joined, between, end[0], *others)
    assert [each["after"] for each in fetch_words(package, "end")] == [0, 0, 0]


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize(("pes", "drains"), [(4, 1), (8, 2), (16, 1), (32, 4)])
@pytest.mark.parametrize("filters", [1, 6, 37])
def test_a_word_is_waited_for_until_all_drains_have_written_it(
    pooled: bool, pes: int, drains: int, filters: int
) -> None:
    """They drain channels row by row, in each row cluster by cluster."""
    config = NANO.model_copy(update={"pes": pes, "clusters": 4, "drains": drains})
    made = "pool" if pooled else "conv"
    pool = (MaxPool("pool", "conv", 2),) if pooled else ()
    end = pointwise("end", made, filters, 1), Output("out", "end")
    package = compiled(config, 3, pointwise("conv", "image", 3, filters), *pool, *end)
    spread = package.plan.spreads[0]
    expected, plane = {}, package.plan.bases[made]
    for part in spread.parts:
        drained = written(config, part.channels)
        for group, members in enumerate(part.filters):
            cluster = ((group + 1) * spread.tiles_at_once - 1) % config.drain_clusters
            for first in range(0, part.channels, WORD_CHANNELS):
                last = min(first + WORD_CHANNELS, part.channels) - 1
                if (members[first : last + 1] >= 0).any():
                    is_last = part is spread.parts[-1]
                    expected[plane] = min(int(drained[cluster, last]), AFTER_ALL) if is_last else 0
                plane += 1
    assert {each["plane"]: each["after"] for each in fetch_words(package, "end")} == expected


def written(config: EngineConfig, channels: int) -> np.ndarray:
    """Words that a drain has written when a channel is, by cluster of the drain."""
    counts, words = np.zeros((config.drain_clusters, channels), np.int64), 0
    for start in range(0, channels, config.pes):
        in_row = range(start, min(start + config.pes, channels))
        for cluster in range(config.drain_clusters):
            for first in range(0, len(in_row), WORD_CHANNELS):
                words += 1
                counts[cluster, in_row[first : first + WORD_CHANNELS]] = words
    return counts


@pytest.mark.parametrize(
    ("model", "config", "trace", "digest"),
    [
        ("demo-nano", "nano", False, "fbea8a20499b3a18"),
        ("demo-nano", "nano", True, "6fb9eb5c01d6fb83"),
        pytest.param("yolov2-scenes", "arria10", False, "67f6c9d4c473c1f3", marks=pytest.mark.slow),
    ],
)
def test_the_same_bytes_as_ever(model: str, config: str, trace: bool, digest: str) -> None:
    """A change of these is a decision: then the digests change with what is kept of a model, or with the compiler."""
    path = own_network(Path(model))
    assert path is not None
    package = compile_graph(graph_file.load(path), load_config(config), trace=trace, cycles=False)
    assert hashlib.sha256(package.tape).hexdigest()[:16] == digest


def test_steps_are_those_of_the_tape_and_stream_what_is_in_it() -> None:
    lowered = Lowered(random_graph(np.random.default_rng(1)), NANO)
    plan = decide(lowered, trace=False)
    built, lean = build(lowered, plan, keep_streamed=True), build(lowered, plan)
    assert (built.tape, built.metadata) == (lean.tape, lean.metadata)
    assert [step.fields for step in built.steps] == tape.read(built.tape).steps
    assert [step.streamed is not None for step in built.steps] == [step.fields["op"] == Op.CONV for step in built.steps]
    assert not any(step.streamed for step in lean.steps)
    payloads = iter(each.payload for each in tape.read(built.tape).segments if each.kind is SegmentKind.WEIGHTS)
    for step in built.steps:
        if step.streamed is not None:
            streams = NANO.all_pes // step.fields["tiles_at_once"]
            found = read_rounds(NANO, next(payloads), streams)
            assert step.streamed.after.tolist() == [each["after"] for each in found.fetches]
            expected = [TAKES_WORD * each.takes_word | ENDS * each.ends for each in found.rounds]
            assert step.streamed.rounds.tolist() == expected
            assert step.streamed.operations.tolist() == [len(each.operations) for each in found.rounds]


def test_progress_may_end_the_work() -> None:
    """As a signal does whose handler raises."""

    def show(done: int, of: int, what: str) -> None:
        raise KeyboardInterrupt(what)

    with pytest.raises(KeyboardInterrupt, match="end"):
        compile_graph(Graph((Input("image", 3, 5, 5, 1.0, 0), pointwise("end", "image", 3, 2), Output("out", "end"))),
                      NANO, progress=show)  # fmt: skip


OPERATION = Lowered(Graph((Input("image", 2, 5, 5, 1.0, 0), pointwise("a", "image", 2, 3), Output("o", "a"))), NANO)


def with_weights(**change: object) -> Operation:
    (operation,) = OPERATION.program.operations
    changed = {name: np.array(value, getattr(operation.weights, name).dtype) for name, value in change.items()}
    return replace(operation, weights=replace(operation.weights, **changed))


def with_requant(filters: int, shift: int) -> Operation:
    requant = Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), shift, "relu")
    return replace(OPERATION.program.operations[0], requant=requant)


def built_with(operation: Operation) -> None:
    lowered = replace(OPERATION)
    plan = decide(lowered, trace=False)
    object.__setattr__(lowered, "program", replace(lowered.program, operations=(operation,)))
    build(lowered, plan)


@pytest.mark.parametrize(
    "operation",
    [
        with_weights(filter=[0, 0, 1, 1, 2, 3]),
        with_weights(filter=[0, 0, 1, 1, 2, -1]),
        with_weights(channel=[0, 1, 0, 1, 0, 2]),
        with_weights(phase=[0, 0, 0, 0, 0, 1]),
        with_weights(row=[0, 0, 0, 0, 0, 128]),
        with_weights(col=[0, 0, 0, 0, 0, -129]),
        with_requant(2, 0),
    ],
)
def test_a_wrong_lowering_of_a_new_layer_kind_is_refused(operation: Operation) -> None:
    with pytest.raises(SternaError, match=r"layer a: is lowered to weights .* not of its filters .*filters = 3"):
        built_with(operation)


def test_what_the_tape_cannot_say_is_refused_by_the_map_that_is_made() -> None:
    with pytest.raises(SternaError, match=r"layer a: does not fit the tape format; shift = 256; allowed: 8 bits"):
        built_with(with_requant(3, 256))


def test_weights_of_several_lengths_are_refused() -> None:
    weights: Weights = OPERATION.program.operations[0].weights
    arrays = [getattr(weights, name) for name in Weights.__dataclass_fields__]
    with pytest.raises(SternaError, match="weights: are arrays of several lengths"):
        libsterna.Weights(*arrays[:-1], arrays[-1][1:])
