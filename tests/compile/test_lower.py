"""Layers become operations: what is fused, what is only a view."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.compile.lower import InnerMap, lower, pool_distances
from sterna.graph import Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant
from sterna.spec import load_config
from sterna.spec.tape import Pool


def conv(name: str, source: str, channels: int, filters: int = 4, stride: int = 1) -> Conv:
    requant = Requant(np.ones(filters, np.int64), np.zeros(filters, np.int64), 4, "relu")
    return Conv(name, source, np.ones((filters, channels, 3, 3), np.int8), stride, (1, 1, 1, 1), requant, 1.0)


def covered(*layers: Layer) -> list[tuple[str, ...]]:
    """The graph layers of each operation."""
    return [operation.layers for operation in lower(Graph((Input("image", 3, 8, 8, 1.0, 0), *layers))).operations]


def test_pool_and_reorg_join_the_conv_before_them() -> None:
    pool = (conv("a", "image", 3), MaxPool("pool", "a", 2), Output("out", "pool"))
    assert covered(*pool) == [("a", "pool")]
    reorg = (conv("a", "image", 3), Reorg("reorg", "a"), Output("out", "reorg"))
    assert covered(*reorg) == [("a", "reorg")]


def test_what_others_need_is_computed_by_itself() -> None:
    twice = (conv("a", "image", 3), MaxPool("pool", "a", 2), conv("b", "a", 4))
    outputs = (Output("x", "pool"), Output("y", "b"))
    assert covered(*twice, *outputs) == [("a",), ("pool",), ("b",)]
    strided = (conv("a", "image", 3, stride=2), MaxPool("pool", "a", 2), Output("out", "pool"))
    assert covered(*strided) == [("a",), ("pool",)]
    padded = (conv("a", "image", 3), MaxPool("pool", "a", 2, padding=(0, 0, 1, 1)), Output("out", "pool"))
    assert covered(*padded) == [("a",), ("pool",)]
    same_size = (conv("a", "image", 3), MaxPool("pool", "a", 1, padding=(0, 0, 1, 1)), Output("out", "pool"))
    assert covered(*same_size) == [("a",), ("pool",)]


def passthrough(*, kernel: int = 1, height: int = 8) -> Graph:
    """A conv that a pool reads, and a second conv whose reorg joins the pooled map: the passthrough of YOLOv2."""
    second = replace(conv("b", "a", 4), weights=np.ones((4, 4, kernel, kernel), np.int8), padding=(kernel // 2,) * 4)
    layers = (
        conv("a", "image", 3),
        MaxPool("pool", "a", 2),
        second,
        Reorg("reorg", "b"),
        Concat("c", ("reorg", "pool")),
    )
    return Graph((Input("image", 3, height, 8, 1.0, 0), *layers, Output("out", "c")))


def test_pooled_conv_that_a_passthrough_reads_is_kept_split_by_phase() -> None:
    program = lower(passthrough())
    assert [operation.layers for operation in program.operations] == [("a", "pool"), ("b",)]
    assert program.operations[0].pool is Pool.KEEP
    assert program.operations[0].outputs == ("a", "pool")
    assert program.split == {"a", "b"}
    assert program.sources("c") == ("b", "pool")


def test_a_window_cannot_read_a_map_split_by_phase() -> None:
    program = lower(passthrough(kernel=3))
    assert [operation.layers for operation in program.operations] == [("a",), ("pool",), ("b", "reorg")]
    assert not program.split


def test_concat_moves_nothing() -> None:
    layers = (
        conv("a", "image", 3),
        conv("b", "image", 3),
        Concat("inner", ("a", "b")),
        Concat("outer", ("inner", "a")),
        conv("c", "outer", 12),
        Output("out", "c"),
    )
    program = lower(Graph((Input("image", 3, 8, 8, 1.0, 0), *layers)))
    assert [operation.layers for operation in program.operations] == [("a",), ("b",), ("c",)]
    assert program.sources("outer") == ("a", "b", "a")


@pytest.mark.parametrize("kernel", range(2, 8))
def test_distances_of_maxima_leave_no_gap(kernel: int) -> None:
    reached = {0}
    for distance in pool_distances(kernel):
        reached |= {pixel + distance for pixel in reached}
    assert reached == set(range(kernel))


def test_a_pool_of_three_is_a_maximum_of_maxima() -> None:
    pool = MaxPool("pool", "image", 2, 3, (1, 0, 1, 2))
    graph = Graph((Input("image", 1, 8, 8, 1.0, 0), pool, Output("out", "pool")))
    program = lower(graph)
    first, last = program.operations
    assert (first.layers, first.sources, first.output) == (("pool",), ("image",), "pool#1")
    assert (last.layers, last.sources, last.output) == (("pool",), ("pool#1",), "pool")
    assert (first.gather_stride, last.gather_stride) == (1, 2)
    assert first.weights.row.tolist() == [-1, -1, 0, 0] and first.weights.col.tolist() == [0, 1, 0, 1]
    assert last.weights.row.tolist() == [0, 0, 1, 1]
    assert program.inner == {"pool#1": InnerMap("pool#1", 8, 8)}
    assert graph.info["pool"].shape == (1, 4, 4)


def test_maps_on_the_way_are_not_stored() -> None:
    layers = (conv("a", "image", 3), MaxPool("pool", "a", 1, 7, (3, 3, 3, 3)), Output("out", "pool"))
    package = compile_graph(Graph((Input("image", 3, 8, 8, 1.0, 0), *layers)), load_config("nano"), trace=True)
    assert [store.layer for store in package.schedule.stores] == ["a", "pool"]
    assert list(package.plan.bases) == ["image", "a", "pool#1", "pool#2", "pool"]
    assert [step.layers for step in package.schedule.steps if step.op == "CONV"] == [("a",), *[("pool",)] * 3]


def test_filters_in_groups_count_from_the_first_channel_of_their_own() -> None:
    grouped = replace(conv("a", "image", 2, filters=6), weights=np.ones((6, 2, 1, 1), np.int8), groups=3)
    graph = Graph((Input("image", 6, 8, 8, 1.0, 0), grouped, Output("out", "a")))
    (operation,) = lower(graph).operations
    assert operation.weights.filter.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert operation.weights.channel.tolist() == [0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5]


def test_an_add_has_a_weight_for_each_channel_of_its_inputs() -> None:
    requant = Requant(np.ones(3, np.int64), np.zeros(3, np.int64), 4, "relu")
    add = Add("sum", ("image", "image"), requant, 1.0, weights=(7, -100))
    (operation,) = lower(Graph((Input("image", 3, 8, 8, 1.0, 0), add, Output("o", "sum")))).operations
    assert operation.weights.channel.tolist() == [0, 1, 2, 3, 4, 5]
    assert operation.weights.filter.tolist() == [0, 1, 2, 0, 1, 2]
    assert operation.weights.value.tolist() == [7, 7, 7, -100, -100, -100]


def test_pooled_conv_has_a_phase_for_each_pixel_of_the_window() -> None:
    graph = Graph((Input("image", 3, 8, 8, 1.0, 0), conv("a", "image", 3), MaxPool("p", "a", 2), Output("o", "p")))
    (operation,) = lower(graph).operations
    weights = operation.weights
    assert operation.gather_stride == 2
    assert len(weights.filter) == 4 * 4 * 27
    assert sorted(set(weights.row.tolist())) == [-1, 0, 1, 2]
    first = (weights.phase == 3) & (weights.filter == 0) & (weights.channel == 0)
    assert sorted(zip(weights.row[first], weights.col[first], strict=True))[0] == (0, 0)
