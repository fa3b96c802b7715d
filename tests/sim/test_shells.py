"""Whole frames through whole shells, every stored map equal to the reference's: clocks of odd ratios, the bus of a
board, a memory that pauses for refresh and moves less than the bus could."""

from __future__ import annotations

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.graph import file
from sterna.package.package import Package
from sterna.spec import load_config
from sterna.spec.memory import Memory
from sterna.spec.paths import ROOT
from support.network_graphs import random_network_graph
from support.random_graphs import random_graph
from support.shells import Shell, compare_frames, frame_equal, simulated_shell

NANO = load_config("nano")
#: As on a DE10-Nano.
SOC = Shell("sterna_soc", 128)
#: It moves less than half of the beats, in clumps.
SLOW = Memory(name="slow", latency=240, refresh_every=500, refresh_cycles=90, gap_every=7, gap_cycles=4)


@pytest.fixture(scope="module")
def demo() -> Package:
    """The demo's model, with all of its maps stored."""
    return compile_graph(file.load(ROOT / "models" / "demo-nano.sterna-graph"), NANO, trace=True)


def test_the_demo(demo: Package) -> None:
    assert frame_equal(SOC, demo)


@pytest.mark.parametrize("seed", range(4))
def test_other_clocks_and_memories(seed: int) -> None:
    """The bus is slower than the engine, or faster; odd seeds have a slow memory that stalls besides."""
    graph = random_graph(np.random.default_rng(seed), max_size=40, max_channels=40)
    memory, stall = (SLOW, 0.3) if seed % 2 else (None, 0.0)
    with simulated_shell(NANO, SOC, memory=memory, stall=stall, seed=seed) as backend:
        comparison = compare_frames(backend, compile_graph(graph, NANO, trace=True), 3)
    assert comparison.equal, comparison.first


OTHERS = (Shell("sterna_soc", 64), Shell("sterna_pcie", 512), Shell("sterna_soc", 128, as_synthesised=True))


@pytest.mark.slow
@pytest.mark.parametrize("shell", OTHERS, ids=str)
def test_the_demo_in_other_shells(demo: Package, shell: Shell) -> None:
    """Narrower and wider memories; what synthesis reads."""
    assert frame_equal(shell, demo)


@pytest.mark.slow
def test_cyclone5() -> None:
    config = load_config("cyclone5")
    graph = random_network_graph(np.random.default_rng(0), "yolov2-tiny", 64, 64, density=0.1)
    assert frame_equal(SOC, compile_graph(graph, config, trace=True))


@pytest.mark.slow
def test_a_wrong_shell_is_found(demo: Package) -> None:
    """Bursts change places in pairs as they are written."""
    plant = ("({burst_addr, burst_len})", "({burst_addr ^ 64'h100, burst_len})")
    with simulated_shell(NANO, SOC, plant=plant) as backend:
        assert not compare_frames(backend, demo).equal
