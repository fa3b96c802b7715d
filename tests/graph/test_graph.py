"""What a graph infers, and everything that it refuses."""

from __future__ import annotations

import sys
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import Add, Concat, Conv, Graph, Input, Layer, MaxPool, Output, Reorg, Requant, csd, reference


def requant(filters: int, **changes: Any) -> Requant:
    ones, zeros = np.ones(filters, np.int64), np.zeros(filters, np.int64)
    return replace(Requant(multiplier=ones, bias=zeros, shift=4, activation="leaky"), **changes)


def conv(name: str, source: str, channels: int, filters: int, kernel: int = 3, **changes: Any) -> Conv:
    weights = np.ones((filters, channels, kernel, kernel), np.int8)
    given: dict[str, Any] = {"weights": weights, "stride": 1, "padding": (1, 1, 1, 1), "scale": 0.5}
    return Conv(name=name, input=source, **({"requant": requant(filters)} | given | changes))


IMAGE = Input("image", 3, 8, 10, 0.25, -128)
LAYERS: tuple[Layer, ...] = (
    IMAGE,
    conv("a", "image", 3, 4),
    conv("b", "image", 3, 4, kernel=1, padding=(0, 0, 0, 0)),
    Add("sum", ("a", "b"), requant(4), 2.0),
    Concat("both", ("a", "b")),
    MaxPool("same", "both", 1, padding=(0, 0, 1, 1)),
    MaxPool("half", "sum", 2),
    Reorg("deep", "sum"),
    Output("out1", "same"),
    Output("out2", "half"),
    Output("out3", "deep"),
)


def with_layer(which: str, /, **changes: Any) -> tuple[Layer, ...]:
    return tuple(replace(layer, **changes) if layer.name == which else layer for layer in LAYERS)


def test_shapes_scales_and_zero_points_are_inferred() -> None:
    graph = Graph(LAYERS)
    found = {name: (*info.shape, info.scale, info.zero_point) for name, info in graph.info.items()}
    assert found == {
        "image": (3, 8, 10, 0.25, -128),
        "a": (4, 8, 10, 0.5, 0),
        "b": (4, 8, 10, 0.5, 0),
        "sum": (4, 8, 10, 2.0, 0),
        "both": (8, 8, 10, 0.5, 0),
        "same": (8, 8, 10, 0.5, 0),
        "half": (4, 4, 5, 2.0, 0),
        "deep": (16, 4, 5, 2.0, 0),
        "out1": (8, 8, 10, 0.5, 0),
        "out2": (4, 4, 5, 2.0, 0),
        "out3": (16, 4, 5, 2.0, 0),
    }


def test_pool_and_reorg_keep_the_zero_point_of_the_image() -> None:
    layers = (IMAGE, MaxPool("pool", "image", 2), Reorg("deep", "image"), Output("o", "pool"), Output("p", "deep"))
    graph = Graph(layers)
    assert graph.info["pool"].zero_point == graph.info["deep"].zero_point == -128


def test_a_result_has_the_zero_point_that_its_layer_says() -> None:
    layers = (*with_layer("sum", zero_point=-9)[:7], Output("o", "half"), Output("p", "same"))
    graph = Graph(layers)
    assert graph.info["half"].zero_point == -9 and graph.info["same"].zero_point == 0


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [
        ((8, 10), 3, 1, (0, 0, 0, 0), (6, 8)), ((8, 10), 3, 2, (0, 0, 0, 0), (3, 4)),
        ((9, 11), 3, 2, (1, 1, 1, 1), (5, 6)), ((1, 1), 7, 1, (3, 3, 3, 3), (1, 1)),
        ((1, 1), 1, 2, (7, 0, 7, 1), (8, 1)), ((5, 6), 2, 2, (1, 0, 0, 3), (3, 4)),
    ],
)  # fmt: skip
def test_convolution_sizes(
    size: tuple[int, int], kernel: int, stride: int, padding: tuple[int, ...], expected: tuple[int, int]
) -> None:
    layer = conv("c", "image", 3, 2, kernel, stride=stride, padding=padding)
    graph = Graph((Input("image", 3, *size, 1.0, 0), layer, Output("out", "c")))
    assert graph.info["c"].shape == (2, *expected)
    assert reference.execute(graph, np.zeros((3, *size), np.int8))["c"].shape == (1, 2, *expected)


def test_a_graph_gives_its_parts() -> None:
    graph = Graph(LAYERS)
    assert graph.input is graph["image"]
    assert graph["sum"] == LAYERS[3]
    assert [layer.name for layer in graph.outputs] == ["out1", "out2", "out3"]
    assert [layer.name for layer in graph.users("a")] == ["sum", "both"]
    with pytest.raises(KeyError):
        graph["nothing"]


def test_graphs_compare_by_content() -> None:
    assert Graph(LAYERS) == Graph(LAYERS)
    assert Graph(LAYERS) != Graph(LAYERS, acc_bits=21)
    flipped = LAYERS[1].weights.copy()  # type: ignore[attr-defined]
    flipped[0, 0, 0, 0] = -1
    assert Graph(LAYERS) != Graph(with_layer("a", weights=flipped))
    assert Graph(LAYERS) != Graph(with_layer("a", scale=0.5, requant=requant(4, shift=5)))
    assert LAYERS[1] != replace(LAYERS[1], weights=None) != LAYERS[1]


def test_layers_own_arrays_that_cannot_change() -> None:
    weights = np.ones((4, 3, 3, 3), np.int8)
    layer = conv("a", "image", 3, 4, weights=weights)
    weights[:] = 0
    assert layer.weights.all()
    with pytest.raises(ValueError, match="read-only"):
        layer.weights[0] = 0
    with pytest.raises(FrozenInstanceError):
        layer.stride = 2  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        Graph(LAYERS).bounds["a"][0] = 0


def test_metadata_is_copied_as_json() -> None:
    metadata = {"classes": ["car"], "anchors": [(1.5, 2)], "kind": "yolov2", "nothing": None}
    graph = Graph(LAYERS, metadata=metadata)
    metadata["classes"] = []
    assert graph.metadata == {"classes": ["car"], "anchors": [[1.5, 2]], "kind": "yolov2", "nothing": None}


def big(value: int, at: int = 2) -> NDArray[np.int64]:
    values = np.ones(4, np.int64)
    values[at] = value
    return values


WEIGHTS = np.ones((4, 3, 3, 3), np.int8)
REFUSALS: dict[str, tuple[tuple[Any, ...], str]] = {
    # What is wrong -> layers, and the message from the place to the value.
    "name empty": (with_layer("deep", name=""), r"graph: .*name = ''"),
    "name with space": (with_layer("deep", name="a b"), r"graph: .*name = 'a b'"),
    "name with newline": (with_layer("deep", name="a\n"), r"graph: .*name = 'a\\n'"),
    "name too long": (with_layer("deep", name="a" * 129), r"graph: .*name = 'a+'"),
    "name not text": (with_layer("deep", name=["deep"]), r"graph: .*name = \('deep',\)"),
    "name twice": (with_layer("deep", name="sum"), r"layer 'sum': .*name = sum"),
    "no layer": ((*LAYERS, "conv"), r"graph: .*layers = str"),
    "bare layer": ((*LAYERS, Layer("x")), r"graph: .*layers = Layer"),
    "no layers at all": ((), r"graph: .*Input, Output layers = 0, 0"),
    "no output": (LAYERS[:8], r"graph: .*Input, Output layers = 1, 0"),
    "two inputs": ((*LAYERS, replace(IMAGE, name="x")), r"graph: .*Input, Output layers = 2, 3"),
    "dead layer": ((*LAYERS, MaxPool("dead", "deep", 1, padding=(0, 0, 1, 1))), r"layer 'dead': reaches no output"),
    "unknown source": (with_layer("half", input="sun"), r"layer 'half': .*input = 'sun'"),
    "later source": (with_layer("a", input="b"), r"layer 'a': .*input = 'b'"),
    "own source": (with_layer("half", input="half"), r"layer 'half': .*input = 'half'"),
    "output read": ((*LAYERS, Output("x", "out1")), r"layer 'x': .*input = 'out1'"),
    "source not text": (with_layer("half", input=7), r"layer 'half': .*input = \(7,\).*the name of an earlier"),
    "conv of two": (with_layer("a", input=("a", "b")), r"layer 'a': .*input = .*the name of an earlier"),
    "reorg of two": (with_layer("deep", input=("a", "b")), r"layer 'deep': .*input = .*the name of an earlier"),
    "output of two": (with_layer("out1", input=("a", "b")), r"layer 'out1': .*input = .*the name of an earlier"),
    "unknown concat source": (with_layer("both", inputs=("a", "c")), r"layer 'both': .*input = 'c'"),
    "concat of one": (with_layer("both", inputs=("a",)), r"layer 'both': .*inputs = \('a',\)"),
    "concat of text": (with_layer("both", inputs="ab"), r"layer 'both': .*inputs = ab"),
    "add of three": (with_layer("sum", inputs=("a", "b", "a")), r"layer 'sum': .*inputs = .*exactly 2"),
    "input without channels": (with_layer("image", channels=0), r"layer 'image': .*channels = 0"),
    "input too high": (with_layer("image", height=65536), r"layer 'image': .*height = 65536"),
    "input of half width": (with_layer("image", width=9.5), r"layer 'image': .*width = 9.5"),
    "input of true width": (with_layer("image", width=True), r"layer 'image': .*width = True"),
    "table of shorts": (
        with_layer("image", table=np.zeros((3, 256), np.int16)), r"layer 'image': .*table = int16; allowed: int8",
    ),
    "table of a channel too few": (
        with_layer("image", table=np.zeros((2, 256), np.int8)), r"'image': .*table.shape = \(2, 256\); .*\(3, 256\)"
    ),
    "input scale zero": (with_layer("image", scale=0.0), r"layer 'image': .*scale = 0.0"),
    "input scale negative": (with_layer("image", scale=-1.0), r"layer 'image': .*scale = -1.0"),
    "conv scale nan": (with_layer("a", scale=float("nan")), r"layer 'a': .*scale = nan"),
    "add scale infinite": (with_layer("sum", scale=float("inf")), r"layer 'sum': .*scale = inf"),
    "scale too large": (with_layer("sum", scale=10**400), r"layer 'sum': .*scale = 10+"),
    "scale not a number": (with_layer("a", scale="1"), r"layer 'a': .*scale = 1"),
    "zero point low": (with_layer("image", zero_point=-129), r"layer 'image': .*zero_point = -129.*-128 .. 127"),
    "zero point high": (with_layer("image", zero_point=128), r"layer 'image': .*zero_point = 128"),
    "weights float": (with_layer("a", weights=WEIGHTS * 1.0), r"layer 'a': .*weights = float64"),
    "weights wide": (with_layer("a", weights=WEIGHTS.astype(np.int16)), r"layer 'a': .*weights = int16"),
    "weights a list": (with_layer("a", weights=[[1]]), r"layer 'a': .*weights = tuple"),
    "weights flat": (with_layer("a", weights=WEIGHTS[0]), r"layer 'a': .*weights.shape = \(3, 3, 3\)"),
    "weights oblong": (with_layer("a", weights=WEIGHTS[..., :2]), r"layer 'a': .*weights.shape = \(4, 3, 3, 2\)"),
    "weights empty": (with_layer("a", weights=WEIGHTS[:0]), r"layer 'a': .*weights.shape = \(0, 3, 3, 3\)"),
    "kernel too large": (
        with_layer("a", weights=np.zeros((4, 3, 8, 8), np.int8)),
        r"layer 'a': .*weights.shape = \(4, 3, 8, 8\).*1 .. 7",
    ),
    "weights for other channels": (with_layer("a", weights=WEIGHTS[:, :2]), r"layer 'a': .*\(4, 2, 3, 3\).*'image'"),
    "stride 3": (with_layer("a", stride=3), r"layer 'a': .*stride = 3.*1 .. 2"),
    "stride 0": (with_layer("same", stride=0), r"layer 'same': .*stride = 0.*1 .. 2"),
    "padding of two": (with_layer("a", padding=(1, 1)), r"layer 'a': .*padding = \(1, 1\)"),
    "padding negative": (with_layer("a", padding=(1, -1, 1, 1)), r"layer 'a': .*padding left = -1"),
    "padding too large": (with_layer("a", padding=(1, 1, 1, 8)), r"layer 'a': .*padding right = 8"),
    "kernel larger than map": (
        (Input("i", 1, 2, 9, 1.0, 0), conv("c", "i", 1, 1, 5), Output("o", "c")), r"layer 'c': .*height = 0",
    ),
    "pool of one row": (
        (Input("i", 1, 9, 1, 1.0, 0), MaxPool("p", "i", 2), Output("o", "p")), r"layer 'p': .*width = 0",
    ),
    "reorg of odd": (
        (Input("i", 1, 4, 5, 1.0, 0), Reorg("r", "i"), Output("o", "r")), r"layer 'r': .*'i' = 4, 5.*even",
    ),
    "too many channels": (
        (Input("i", 60000, 1, 1, 1.0, 0), Concat("c", ("i", "i")), Output("o", "c")), r"layer 'c': .*channels = 120000",
    ),
    "concat of sizes": (with_layer("b", stride=2), r"layer 'sum': .*height of 'b' = 4.*8, like 'a'"),
    "concat of scales": (
        (*with_layer("b", scale=0.75)[:3], Concat("c", ("a", "b")), Output("o", "c")),
        r"layer 'c': .*scale of 'b' = 0.75",
    ),
    "concat of zero points": (
        (replace(IMAGE, scale=0.5), conv("a", "image", 3, 1), Concat("c", ("a", "image")), Output("o", "c")),
        r"layer 'c': .*zero_point of 'image' = -128",
    ),
    "add of channels": (
        (*LAYERS[:2], conv("b", "image", 3, 2), Add("s", ("a", "b"), requant(4), 1.0), Output("o", "s")),
        r"layer 's': .*channels of 'b' = 2",
    ),
    "kernel of a pool": (with_layer("half", kernel=8), r"layer 'half': .*kernel = 8;.*2 .. 7"),
    "least kernel of a pool": (with_layer("half", kernel=1), r"layer 'half': .*kernel = 1;.*2 .. 7"),
    "padding of a pool": (
        with_layer("half", kernel=3, padding=(0, 0, 0, 3)), r"layer 'half': .*padding right = 3;.*0 .. 2",
    ),
    "sides of a pool": (with_layer("half", padding=(0, 1)), r"layer 'half': .*padding = \(0, 1\)"),
    "groups of filters": (with_layer("a", groups=3), r"layer 'a': cannot divide.*groups = 3; allowed: divisors of 4"),
    "groups of channels": (with_layer("a", groups=2), r"layer 'a': .*weights.shape = \(4, 3, 3, 3\);.*, 3 / 2, K, K\)"),
    "no groups": (with_layer("a", groups=0), r"layer 'a': .*groups = 0;"),
    "groups real": (with_layer("a", groups=2.0), r"layer 'a': .*groups = 2.0;"),
    "add of scales": (with_layer("b", scale=0.75), r"layer 'sum': .*scale of 'b' = 0.75"),
    "add of scales, equal weights": (
        (*LAYERS[:2], conv("c", "image", 3, 4, scale=0.75), Add("s", ("a", "c"), requant(4), 1.0, weights=(3, 3))),
        r"layer 's': .*scale of 'c' = 0.75",
    ),
    "add of sizes, unequal weights": (
        (*LAYERS[:2], conv("c", "image", 3, 4, stride=2), Add("s", ("a", "c"), requant(4), 1.0, weights=(1, 2))),
        r"layer 's': .*height of 'c' = 4",
    ),
    "add of one weight": (with_layer("sum", weights=(1,)), r"layer 'sum': .*weights = \(1,\).*first, second"),
    "add of a weight of 0": (with_layer("sum", weights=(1, 0)), r"layer 'sum': .*weights = \(1, 0\)"),
    "add of a wide weight": (with_layer("sum", weights=(1, 128)), r"layer 'sum': .*weights second = 128;.*-128 .. 127"),
    "add of a real weight": (with_layer("sum", weights=(1.0, 2)), r"layer 'sum': .*weights first = 1.0"),
    "no requant": (with_layer("a", requant=None), r"layer 'a': .*requant = NoneType"),
    "requant for other filters": (
        with_layer("a", requant=requant(3)), r"layer 'a': .*multiplier.shape = \(3,\).*\(4,\)",
    ),
    "bias for other filters": (
        with_layer("sum", requant=requant(4, bias=np.zeros(5, np.int64))), r"layer 'sum': .*bias.shape = \(5,\)",
    ),
    "multiplier float": (
        with_layer("a", requant=requant(4, multiplier=np.ones(4))), r"layer 'a': .*requant.multiplier = float64",
    ),
    "multiplier negative": (
        with_layer("a", requant=requant(4, multiplier=big(-1))), r"layer 'a': .*multiplier\[2\] = -1;.*0 .. 262143",
    ),
    "multiplier too large": (
        with_layer("a", requant=requant(4, multiplier=big(2**18))), r"layer 'a': .*multiplier\[2\] = 262144",
    ),
    "bias too large": (
        with_layer("a", requant=requant(4, bias=big(2**45))), r"layer 'a': .*bias\[2\] = 35184372088832",
    ),
    "two biases too large": (
        with_layer("a", requant=requant(4, bias=np.array([0, 2**45, 2**46, 0]))),
        r"layer 'a': .*bias\[1\] = 35184372088832",
    ),
    "bias least": (with_layer("sum", requant=requant(4, bias=big(-(2**63)))), r"layer 'sum': .*bias\[2\] = -9"),
    "shift negative": (with_layer("a", requant=requant(4, shift=-1)), r"layer 'a': .*shift = -1.*0 .. 32"),
    "shift too large": (with_layer("a", requant=requant(4, shift=33)), r"layer 'a': .*shift = 33"),
    "unknown activation": (
        with_layer("a", requant=requant(4, activation="mish")),
        r"layer 'a': .*activation = 'mish'.*linear, relu, leaky",
    ),
    "rounding of a number": (
        with_layer("a", requant=requant(4, half_even=1)), r"layer 'a': .*requant.half_even = 1; allowed: True, False",
    ),
    "clamp that is no pair": (
        with_layer("a", requant=requant(4, clamp=(1, 2, 3))), r"layer 'a': .*clamp = \(1, 2, 3\)",
    ),
    "clamp of a number": (with_layer("a", requant=requant(4, clamp=7)), r"layer 'a': .*clamp = 7"),
    "clamp of no integers": (with_layer("a", requant=requant(4, clamp=(0.0, 7))), r"layer 'a': .*clamp = \(0.0, 7\)"),
    "clamp to one value": (
        with_layer("sum", requant=requant(4, clamp=(3, 3))),
        r"layer 'sum': .*clamp = \(3, 3\).*-128 <= low < high <= 127",
    ),
    "clamp beyond": (with_layer("a", requant=requant(4, clamp=(0, 128))), r"layer 'a': .*clamp = \(0, 128\)"),
    "clamp below": (with_layer("a", requant=requant(4, clamp=(-129, 0))), r"layer 'a': .*clamp = \(-129, 0\)"),
    "zero point of a conv": (
        with_layer("a", zero_point=128), r"layer 'a': .*zero_point = 128; allowed: integers -128 .. 127",
    ),
    "zero point of a sum": (with_layer("sum", zero_point=0.5), r"layer 'sum': .*zero_point = 0.5"),
    "add of zero points": (with_layer("b", zero_point=3), r"layer 'sum': .*zero_point of 'b' = 3"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "legal"), [(-32, True), (31, True), (-33, False), (32, False)])
def test_a_table_holds_activations(value: int, legal: bool) -> None:
    table = np.zeros((3, 256), np.int8)
    table[1, 255] = value
    layers = (replace(IMAGE, zero_point=0, table=table), MaxPool("pool", "image", 1), Output("out", "pool"))
    if legal:
        assert Graph(layers, act_bits=6).input.table[1, 255] == value
    else:
        with pytest.raises(SternaError, match=rf"layer 'image': .*table\[1, 255\] = {value}; allowed: -32 .. 31"):
            Graph(layers, act_bits=6)


def test_the_graph_that_the_refusals_start_from_is_legal() -> None:
    Graph(LAYERS)


@pytest.mark.parametrize("sizes", [(65535, 1, 1), (1, 65535, 1), (1, 1, 65535), (1, 1, 1)])
def test_the_largest_and_the_smallest_of_everything_are_legal(sizes: tuple[int, int, int]) -> None:
    for scale in (sys.float_info.max, 5e-324, 1):
        image = Input("image", *sizes, scale, 0)
        graph = Graph((image, MaxPool("pool", "image", 1, padding=(0, 0, 1, 1)), Output("out", "pool")))
        assert graph.info["pool"].shape == sizes and graph.info["pool"].scale == scale
    limits = {"multiplier": [0, 2**18 - 1], "bias": [1 - 2**45, 2**45 - 1]}
    for shift in (0, 32):
        widest = requant(2, shift=shift, **{name: np.array(values) for name, values in limits.items()})
        Graph((IMAGE, conv("a", "image", 3, 2, 7, padding=(7, 0, 7, 7), requant=widest), Output("out", "a")))


@pytest.mark.parametrize(("layers", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_say_where_what_and_what_to_do(layers: tuple[Layer, ...], message: str) -> None:
    with pytest.raises(SternaError, match=message) as refusal:
        Graph(layers)
    assert refusal.value.allowed
    assert refusal.value.remedy
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"act_bits": 3}, r"act_bits = 3.*4 .. 8"),
        ({"act_bits": 9}, r"act_bits = 9"),
        ({"acc_bits": 11}, r"acc_bits = 11.*12 .. 32"),
        ({"acc_bits": 20.0}, r"acc_bits = 20.0"),
        ({"act_bits": 7}, r"layer 'image': .*zero_point = -128.*-64 .. 63"),
        ({"metadata": []}, r"metadata = list"),
        ({"metadata": {"a": float("nan")}}, r"metadata = .*JSON"),
        ({"metadata": {"a": object()}}, r"metadata = .*object"),
    ],
)
def test_refusals_of_the_graph_as_a_whole(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SternaError, match=message) as refusal:
        Graph(LAYERS, **changes)
    assert refusal.value.allowed
    assert refusal.value.remedy


def filter_graph(weights: NDArray[np.int8], requantisation: Requant | None = None, **changes: Any) -> Graph:
    """A 1x1 convolution of one pixel whose only filter has `weights` [C]."""
    shaped, given = weights.reshape(1, -1, 1, 1), requantisation or requant(1)
    layer = conv("c", "image", weights.size, 1, 1, weights=shaped, padding=(0, 0, 0, 0), requant=given)
    return Graph((Input("image", weights.size, 1, 1, 1.0, 0), layer, Output("out", "c")), **changes)


def test_the_accumulator_bound_of_an_add_counts_its_weights_digit_by_digit() -> None:
    def bound(*weights: int) -> int:
        add = Add("sum", ("image", "image"), requant(1), 1.0, weights=weights)  # type: ignore[arg-type]
        return int(Graph((Input("image", 1, 2, 2, 1.0, 0), add, Output("out", "sum")), acc_bits=12).bounds["sum"][0])

    assert (bound(1, 1), bound(8, -5), bound(5, 5)) == (2 * 128, 13 * 128, 10 * 128)
    with pytest.raises(SternaError, match=r"layer 'sum', filter 0: .*largest magnitude = 2048; .*0 .. 2047"):
        bound(7, 7)  # 7 is 8 - 1, and 8 on the way


@pytest.mark.parametrize(("act_bits", "acc_bits"), [(4, 12), (8, 12), (5, 17), (8, 20), (8, 23)])
def test_the_accumulator_bound_refuses_one_weight_too_many(act_bits: int, acc_bits: int) -> None:
    most = (2 ** (acc_bits - 1) - 1) // 2 ** (act_bits - 1)
    weights = np.ones(most, np.int8)
    graph = filter_graph(weights, act_bits=act_bits, acc_bits=acc_bits)
    sums = reference.convolve(np.full((1, most, 1, 1), graph.act_min, np.int8), graph["c"], 0)  # type: ignore[arg-type]
    assert abs(sums).max() == graph.bounds["c"][0] <= 2 ** (acc_bits - 1) - 1
    with pytest.raises(SternaError, match=r"layer 'c', filter 0: .*largest magnitude = .*allowed: 0 \.\. "):
        filter_graph(np.ones(most + 1, np.int8), act_bits=act_bits, acc_bits=acc_bits)


def horner(weights: NDArray[np.int8], image: NDArray[np.int64], rng: np.random.Generator) -> int:
    """Largest magnitude an accumulator meets: planes from the highest down, the digits of a plane in any order."""
    value = largest = 0
    for plane in csd.digits(weights)[::-1].astype(np.int64):
        value *= 2
        partial = value + np.cumsum(rng.permutation(plane * image))
        largest = max(largest, abs(value), int(abs(partial).max()))
        value = int(partial[-1])
    assert value == int(weights.astype(np.int64) @ image)
    return largest


@given(weight=st.integers(-128, 127), count=st.integers(1, 15))
def test_the_bound_is_met_by_filters_of_equal_weights(weight: int, count: int) -> None:
    weights = np.full(count, weight, np.int8)
    darkest = np.full(count, -128)
    assert horner(weights, darkest, np.random.default_rng(0)) == filter_graph(weights).bounds["c"][0]


@given(seed=st.integers(0, 2**32), largest=st.sampled_from([1, 3, 15, 127]))
def test_no_image_and_no_order_exceeds_the_bound(seed: int, largest: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-largest, largest + 1, rng.integers(1, 30)).astype(np.int8)
    image = rng.choice([-128, 127], weights.size)
    worst = np.where(weights > 0, -128, 127)
    bound = filter_graph(weights).bounds["c"][0]
    assert max(horner(weights, image, rng), horner(weights, worst, rng)) <= bound


def test_an_addition_is_bounded_by_twice_the_darkest_activation() -> None:
    graph = Graph(LAYERS)
    assert graph.bounds["sum"].tolist() == [256] * 4
    assert graph.bounds.keys() == graph.requant_bits.keys() == {"a", "b", "sum"}


@given(
    multiplier=st.integers(0, 2**18 - 1), bias=st.integers(1 - 2**45, 2**45 - 1), shift=st.integers(0, 32),
    count=st.integers(1, 40),
)  # fmt: skip
def test_requant_bits_are_the_fewest_that_hold_the_worst_case(
    multiplier: int, bias: int, shift: int, count: int
) -> None:
    changed = requant(1, multiplier=np.array([multiplier]), bias=np.array([bias]), shift=shift)
    bits = filter_graph(np.ones(count, np.int8), changed).requant_bits["c"]
    worst = 128 * count * multiplier + abs(bias) + (2**shift) // 2
    assert -(2 ** (bits - 1)) <= -worst <= worst <= 2 ** (bits - 1) - 1
    assert bits == 1 or worst > 2 ** (bits - 2) - 1


def test_the_widest_legal_requantisation_fits_51_bits() -> None:
    weights = np.full((1, 2675, 7, 7), -128, np.int8)
    weights.reshape(-1)[131071:] = 0
    widest = requant(1, multiplier=np.array([2**18 - 1]), bias=np.array([2**45 - 1]), shift=32)
    layer = conv("c", "image", 2675, 1, 7, weights=weights, padding=(0, 0, 0, 0), requant=widest)
    graph = Graph((Input("image", 2675, 7, 7, 1.0, 0), layer, Output("out", "c")), acc_bits=32)
    assert graph.bounds["c"][0] + 128 * 128 == 2**31
    assert graph.requant_bits["c"] == 51
