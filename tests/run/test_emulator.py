"""The emulator equals the reference on every map of random graphs, and refuses what does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from sterna.errors import SternaError
from sterna.graph import KINDS, Conv, Graph, Input, Layer, MaxPool, Output, Requant, infer, reference
from sterna.graph.layers import OneInput
from sterna.run import open_backend
from sterna.run.emulator import SIMD, Emulator, executor, is_known
from support.packages import small_package
from support.processes import Forked
from support.random_graphs import random_graph, random_image

GRAPHS = 40
SLOW_GRAPHS = 500
FORMS = [(simd, threads) for simd in SIMD for threads in (1, 2)]


def graph_and_images(seed: int) -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(seed)
    bits = {"act_bits": int(rng.integers(4, 9)), "acc_bits": int(rng.integers(14, 33))}
    graph = random_graph(rng, **bits, input_table=seed % 3 == 1, general_requant=True)
    return graph, np.stack([random_image(rng, graph) for _ in range(int(rng.integers(1, 3)))])


def check_graph(graph: Graph, images: np.ndarray, simd: str, threads: int, name: object) -> None:
    """All maps at once, and the outputs alone, for which convolution and pooling become one."""
    expected = reference.execute(graph, images)
    for layers in (None, [output.name for output in graph.outputs]):
        found = Emulator(graph, layers, threads=threads, simd=simd).run(images)
        assert list(found) == list(layers or expected)
        for layer, tensor in found.items():
            assert tensor.dtype == np.int8
            assert np.array_equal(tensor, expected[layer]), f"graph {name}, layer '{layer}'"


@pytest.mark.parametrize(("simd", "threads"), FORMS)
def test_equals_reference(simd: str, threads: int) -> None:
    for seed in range(GRAPHS):
        check_graph(*graph_and_images(seed), simd, threads, seed)


@pytest.mark.slow
@pytest.mark.parametrize(("simd", "threads"), FORMS)
def test_equals_reference_on_many(simd: str, threads: int) -> None:
    for seed in range(1000, 1000 + SLOW_GRAPHS):
        check_graph(*graph_and_images(seed), simd, threads, seed)


def layered(
    channels: int, size: tuple[int, int], *weights: np.ndarray, stride: int = 1, pool: bool = False, zero: int = 0
) -> Graph:
    """Convolutions of `weights`, one after the other, that keep the size, the last before a pooling if `pool`."""
    layers: list[Layer] = [Input("image", channels, *size, 1.0, zero)]
    for number, each in enumerate(weights):
        filters, pad = len(each), each.shape[2] // 2
        gain = np.full(filters, (1 << 17) // max(1, int(np.abs(each.astype(int)).sum(axis=(1, 2, 3)).max()) // 8))
        requant = Requant(gain, np.full(filters, 999), 17, ("leaky", "relu", "linear")[number % 3])
        around = (pad, pad, pad, pad)
        layers.append(Conv(f"conv{number}", layers[-1].name, each, stride, around, requant, 1.0))
    if pool:
        layers.append(MaxPool("pool", layers[-1].name, 2))
    return Graph((*layers, Output("out", layers[-1].name)), 8, 32)


def ternary(rng: np.random.Generator, shape: tuple[int, ...], density: float) -> np.ndarray:
    return (rng.choice([-1, 1], shape) * (rng.random(shape) < density)).astype(np.int8)


def grouped(
    channels: int, size: tuple[int, int], groups: int, weights: np.ndarray, *, stride: int = 1, pool: bool = False
) -> Graph:
    """A convolution in groups, that keeps the size at stride 1."""
    graph = layered(weights.shape[1], size, weights, stride=stride, pool=pool, zero=-7)
    image, conv, *others = graph.layers
    return Graph((replace(image, channels=channels), replace(conv, groups=groups), *others), 8, 32)  # type: ignore[call-arg]


def large_graphs() -> dict[str, Graph]:
    """Of sizes that random graphs do not have: many blocks of channels, tiles, vectors and groups of taps."""
    rng = np.random.default_rng(0)
    return {
        "many channels": layered(300, (13, 13), ternary(rng, (40, 300, 3, 3), 0.3)),
        "full blocks": layered(200, (9, 11), ternary(rng, (5, 200, 3, 3), 0.49)),
        "one sign": layered(64, (9, 70), np.abs(ternary(rng, (6, 64, 3, 3), 0.45)), zero=-128),
        "wide": layered(3, (30, 210), ternary(rng, (7, 3, 3, 3), 0.4), pool=True),
        "wider than a window": layered(2, (3, 9000), ternary(rng, (3, 2, 5, 5), 0.4)),
        "wider than addresses": layered(2, (2, 30000), ternary(rng, (3, 2, 3, 3), 0.4), pool=True),
        "high": layered(4, (300, 5), ternary(rng, (9, 4, 3, 3), 0.4), pool=True),
        "dense": layered(70, (14, 30), rng.integers(-128, 128, (19, 70, 3, 3)).astype(np.int8), pool=True),
        "dense and many": layered(1100, (5, 5), rng.integers(-128, 128, (9, 1100, 1, 1)).astype(np.int8)),
        "deep": layered(
            32, (26, 26), ternary(rng, (64, 32, 3, 3), 0.15), ternary(rng, (32, 64, 1, 1), 0.15),
            ternary(rng, (130, 32, 3, 3), 0.05), pool=True,
        ),
        "groups": grouped(300, (13, 13), 3, ternary(rng, (45, 100, 3, 3), 0.3)),
        "depthwise": grouped(700, (20, 45), 700, ternary(rng, (700, 1, 3, 3), 0.6), pool=True),
        "average": grouped(400, (14, 14), 400, np.ones((400, 1, 7, 7), np.int8), stride=2),
        "depthwise, dense": grouped(300, (26, 40), 300, rng.integers(-128, 128, (600, 1, 3, 3)).astype(np.int8)),
        "groups, dense": grouped(297, (14, 14), 27, rng.integers(-128, 128, (81, 11, 3, 3)).astype(np.int8), pool=True),
        "groups of one filter": grouped(1200, (5, 9), 6, rng.integers(-9, 9, (6, 200, 3, 3)).astype(np.int8), stride=2),
        "stride 2": layered(20, (31, 45), ternary(rng, (33, 20, 3, 3), 0.2), stride=2),
        "stride 2, dense": layered(5, (31, 44), rng.integers(-9, 9, (8, 5, 7, 7)).astype(np.int8), stride=2, pool=True),
    }  # fmt: skip


@pytest.mark.parametrize("simd", SIMD)
def test_every_window_of_a_pool(simd: str) -> None:
    rng = np.random.default_rng(3)
    image = rng.integers(-128, 128, (1, 2, 9, 150)).astype(np.int8)
    for kernel in range(2, 8):
        for stride in (1, 2):
            sides = tuple(int(side) for side in rng.integers(0, kernel, 4))
            pools = [MaxPool("pool", "image", stride, kernel), MaxPool("padded", "image", stride, kernel, sides)]
            outputs = [Output(f"out_{pool.name}", pool.name) for pool in pools]
            graph = Graph((Input("image", 2, 9, 150, 1.0, 0), *pools, *outputs))
            check_graph(graph, image, simd, 1, (kernel, stride, sides))


@pytest.mark.parametrize(("simd", "threads"), FORMS)
@pytest.mark.parametrize("extreme", [True, False])
def test_equals_reference_on_large_layers(simd: str, threads: int, extreme: bool) -> None:
    """Noise, and pixels that are as large as possible, for which no sum on the way may overflow."""
    rng = np.random.default_rng(1)
    for name, graph in large_graphs().items():
        shape = (1, *graph.info["image"].shape)
        image = np.full(shape, -128) if extreme else rng.integers(-128, 128, shape)
        check_graph(graph, image.astype(np.int8), simd, threads, name)


@pytest.mark.parametrize("simd", SIMD)
def test_without_a_shift_fractions_of_a_slope_are_rounded_down(simd: str) -> None:
    requant = Requant(np.array([1]), np.array([-60]), 0, "leaky")
    for weight in (1, 2):
        conv = Conv("conv", "image", np.full((1, 1, 1, 1), weight, np.int8), 1, (0, 0, 0, 0), requant, 1.0)
        graph = Graph((Input("image", 1, 2, 128, 1.0, 0), conv, Output("out", "conv")))
        image = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 2, 128)
        check_graph(graph, image, simd, 1, weight)


@pytest.mark.parametrize("simd", SIMD)
def test_a_single_wrong_weight_is_noticed(simd: str) -> None:
    """The comparison finds a tap that is flipped, left out or moved, wherever it is."""
    rng = np.random.default_rng(2)
    graph = large_graphs()["many channels"]
    image = rng.integers(-128, 128, (1, 300, 13, 13)).astype(np.int8)
    expected = reference.execute(graph, image)["out"]
    for _ in range(5):
        conv = graph["conv0"]
        assert isinstance(conv, Conv)
        weights = conv.weights.copy()
        filter_, channel, y, x = (int(rng.integers(size)) for size in weights.shape)
        weights[filter_, channel, y, x] = (weights[filter_, channel, y, x] + 2) % 3 - 1
        wrong = layered(300, (13, 13), weights)
        assert not np.array_equal(Emulator(wrong, ["out"], simd=simd).run(image)["out"], expected)


@dataclass(frozen=True, eq=False)
class Turn(OneInput):
    """A kind of layer that the library does not know."""


def test_a_kind_of_layer_that_the_library_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs on the reference, where a user only asks for the graph's maps; the emulator itself refuses it."""
    monkeypatch.setitem(KINDS, "turn", Turn)
    monkeypatch.setitem(infer._INFER, Turn, lambda layer, source: source)
    monkeypatch.setitem(reference._COMPUTE, Turn, lambda graph, layer, tensor: tensor[..., ::-1])
    graph = Graph((Input("image", 1, 2, 3, 1.0, 0), Turn("turn", "image"), Output("out", "turn")))
    image = np.arange(6, dtype=np.int8).reshape(1, 1, 2, 3)
    assert not is_known(graph) and is_known(graph_and_images(0)[0])
    assert np.array_equal(executor(graph, ["out"])(image)["out"], image[..., ::-1])
    with pytest.raises(SternaError, match=r"does not know; allowed: input, conv.*; remedy: use the backend reference:"):
        Emulator(graph)


def test_a_forked_process_uses_and_drops_an_emulator(tmp_path: Path) -> None:
    """The threads of the process that made it are not there; the loaders of a training are forked."""
    graph, images = graph_and_images(3)
    held = [Emulator(graph, threads=2)]
    expected = held[0].run(images)

    def run() -> int:
        found = held.pop().run(images)
        return sum(not np.array_equal(found[name], tensor) for name, tensor in expected.items())

    assert Forked(run, tmp_path).wait().code == 0


def test_threads_of_python_share_an_emulator() -> None:
    graph, images = graph_and_images(3)
    emulator = Emulator(graph, threads=2)
    expected = reference.execute(graph, images)
    wrong = []

    def run() -> None:
        for _ in range(20):
            found = emulator.run(images)
            wrong.extend(name for name, tensor in expected.items() if not np.array_equal(found[name], tensor))

    both = [Thread(target=run) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert not wrong


def test_images_without_order_in_memory() -> None:
    graph, images = graph_and_images(0)
    turned = np.asfortranarray(images)
    expected = reference.execute(graph, images)
    assert all(np.array_equal(tensor, expected[name]) for name, tensor in Emulator(graph).run(turned).items())


def test_backend() -> None:
    """It gives what the reference gives, image after image, and tells how far it is."""
    package = small_package()
    images = np.stack([random_image(np.random.default_rng(seed), package.graph) for seed in range(2)])
    told: list[tuple[int, int]] = []
    with open_backend("reference:") as golden, open_backend("emulator:") as backend:
        golden.load(package)
        backend.load(package)
        found = backend.infer(images, lambda *done: told.append(done))
        for name, expected in golden.infer(images).items():
            assert np.array_equal(found[name], expected), name
    assert told == [(number, len(package.schedule.steps)) for number in range(2)]


def test_images_that_do_not_fit() -> None:
    graph, images = graph_and_images(0)
    with pytest.raises(SternaError, match="do not fit the graph's Input"):
        Emulator(graph).run(images[:, :, 1:])


def test_a_layer_that_is_not_there() -> None:
    with pytest.raises(SternaError, match="has no such layer; layer = 'nothing'"):
        Emulator(graph_and_images(0)[0], ["nothing"])


def test_what_a_processor_does_not_have() -> None:
    graph, _ = graph_and_images(0)
    with pytest.raises(SternaError, match=r"simd = mmx; allowed: scalar.*; remedy"):
        Emulator(graph, simd="mmx")
    for threads in (0, 1025):
        with pytest.raises(SternaError, match=rf"threads = {threads}; allowed: 1 .. 1024"):
            Emulator(graph, threads=threads)
