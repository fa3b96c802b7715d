"""Whatever of a tape is damaged, the simulated engine ends the frame with an error code, and works again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.generate.rtl.sim import SimBackend
from sterna.package.package import Package
from sterna.spec import load_config
from sterna.spec.config import EngineConfig
from support.engines import SIMULATORS
from support.random_configs import random_config
from support.random_graphs import random_graph

Got = Callable[[object], None]
NANO = load_config("nano")
#: Graphs in which flips were seen to make weights that break rules of the RTL.
GRAPH = 9
MARK = pytest.mark.case(
    "damaged-tape-in-simulation",
    kind="remedy",
    expected="the engine's error code and the segment, never the engine's sources",
)


@contextmanager
def trusting(config: EngineConfig) -> Iterator[SimBackend]:
    """The simulated engine with a driver that leaves it to the engine to check tapes."""
    with TemporaryDirectory() as name:
        folder = Path(name) / "engine"
        generate(config, folder)
        with SimBackend(folder, build_dir=SIMULATORS, watchdog=2000, verify=False) as backend:
            yield backend


def damaged(rng: np.random.Generator, package: Package, bits: int) -> Package:
    data = bytearray(package.tape)
    for bit in rng.choice(len(data) * 8, bits, replace=False):
        data[bit // 8] ^= 1 << bit % 8
    return replace(package, tape=bytes(data))


def fuzz(config: EngineConfig, graph_seed: int, flips: list[int]) -> Counter[str]:
    """How often each error code came, for a tape with as many bits flipped as each of `flips` says."""
    rng = np.random.default_rng(graph_seed)
    graph = random_graph(rng, act_bits=config.act_w, max_size=24, max_channels=40)
    package = compile_graph(graph, config)
    image = rng.integers(-128, 128, (1, *graph.info[graph.input.name].shape)).astype(np.int8)
    codes = Counter[str]()
    with trusting(config) as backend:
        backend.load(package)
        right = backend.infer(image)
        for bits in flips:
            backend.load(damaged(rng, package, bits))
            with pytest.raises(SternaError) as caught:
                backend.infer(image)
            found = re.fullmatch(
                r"(tape header|segment \d+ \(.*\)): the engine stopped: .*; error = \d+ (\w+);.*", str(caught.value)
            )
            assert found, str(caught.value)
            codes[found[2]] += 1
        backend.load(package)
        again = backend.infer(image)
    assert all(np.array_equal(layer, again[name]) for name, layer in right.items())
    return codes


@MARK
@pytest.mark.parametrize("bits", [1, 30])
def test_flipped_bits(bits: int, got: Got) -> None:
    codes = fuzz(NANO, GRAPH, [bits] * 60)
    assert codes["SEGMENT_CRC"] > 15
    assert not codes.keys() & {"STALL", "ABORTED", "BUS_READ", "BUS_WRITE"}
    got(f"60 tapes with {bits} bits flipped: {dict(codes)}")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 19, 38])
def test_flipped_bits_on_many(seed: int) -> None:
    config = random_config(np.random.default_rng(seed))
    for graph_seed in range(8):
        codes = fuzz(config, graph_seed, [1] * 200 + [2, 30, 300] * 20)
        assert not codes.keys() & {"STALL", "ABORTED", "BUS_READ", "BUS_WRITE"}
