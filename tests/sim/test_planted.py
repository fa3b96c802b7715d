"""Planted errors are caught and located by the comparison of two backends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.generate.rtl import generate
from sterna.graph import Conv, Graph, Input, Output, Requant
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.compare import Comparison, compare_backends
from sterna.run.transports.sim import SimTransport
from sterna.spec import tape
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import Segment, SegmentKind
from support.engines import SIMULATORS, simulated
from support.random_configs import random_config

CONFIG = random_config(np.random.default_rng(2))
IMAGES = np.random.default_rng(5).integers(-128, 128, (1, 3, 8, 9)).astype(np.int8)


def graph() -> Graph:
    """Two convolutions with plain requantisation, so that an error shows where it is made."""
    rng = np.random.default_rng(3)
    layers = [Input("image", 3, 8, 9, 1.0, 0)]
    for name, source, shape in (("first", "image", (6, 3, 3, 3)), ("second", "first", (4, 6, 3, 3))):
        requant = Requant(np.full(shape[0], 5), np.arange(shape[0]) * 7, 5, "linear")
        weights = rng.integers(-1, 2, shape).astype(np.int8)
        layers.append(Conv(name, source, weights, 1, (1, 1, 1, 1), requant, 1.0))
    return Graph((*layers, Output("out", "second")))


def with_payload(package: Package, kind: SegmentKind, number: int, change: dict[int, int]) -> Package:
    """The package with bytes (position: XOR) of the number-th segment of `kind` changed, checksums right again."""
    segments = list(tape.read(package.tape).segments)
    index = [i for i, segment in enumerate(segments) if segment.kind is kind][number]
    payload = bytearray(segments[index].payload)
    for position, flip in change.items():
        payload[position] ^= flip
    segments[index] = Segment(kind, bytes(payload))
    return replace(package, tape=tape.write(package.config.hash, segments))


def first_sign(package: Package, number: int) -> tuple[int, int]:
    """Byte and bit of the first operand's sign in the number-th WEIGHTS payload, after one record of fetch words."""
    weights = [s.payload for s in tape.read(package.tape).segments if s.kind is SegmentKind.WEIGHTS][number]
    beat = package.config.beat_bytes
    fetches = int.from_bytes(weights[:8], "little") >> 8
    at = beat + -(-fetches * 8 // beat) * beat + beat
    while True:
        entry = tape.ENTRY.from_bytes(weights[at : at + tape.ENTRY.size])
        for place in range(0, WORD_CHANNELS * tape.OPERAND.bits, tape.OPERAND.bits):
            slot = entry["operands"] >> place & tape.ABSENT_SLOT
            if entry["kind"] != tape.EntryKind.NONE and slot != tape.ABSENT_SLOT:
                sign = place + tape.OPERAND.bits - 1
                return at + sign // 8, 1 << sign % 8
        at += tape.ENTRY.size


def compared(package: Package, plant: tuple[str, str, str] | None = None) -> Comparison:
    with simulated(package.config, plant=plant) as engine, open_backend("reference:") as reference:
        return compare_backends(reference, engine, package, IMAGES)


@pytest.fixture(scope="module")
def package() -> Package:
    return compile_graph(graph(), CONFIG, trace=True)


def test_nothing_planted(package: Package) -> None:
    assert compared(package).equal


@pytest.mark.parametrize(("layer", "number"), [("first", 0), ("second", 1)])
def test_weight_sign(package: Package, layer: str, number: int) -> None:
    planted = with_payload(package, SegmentKind.WEIGHTS, number, dict([first_sign(package, number)]))
    found = compared(planted).first
    assert found is not None
    assert found.layer == layer
    assert found.first != found.second


@pytest.mark.parametrize(("layer", "number"), [("first", 0), ("second", 1)])
def test_multiplier(package: Package, layer: str, number: int) -> None:
    """Drained channel 0 of a step is the filter that the compiler gave PE 0; its place is found from the package."""
    planted = with_payload(package, SegmentKind.REQUANT, number, {0: 2})
    found = compared(planted).first
    assert found is not None
    assert found.layer == layer
    stored = package.schedule.stored(layer)
    assert stored is not None
    assert stored.channels[found.channel] == (0, 0)


def test_tap_offset(package: Package) -> None:
    """One window offset is read a column to the right or left."""
    planted = with_payload(package, SegmentKind.WEIGHTS, 1, {package.config.beat_bytes + 5: 0x30})
    found = compared(planted).first
    assert found is not None
    assert found.layer == "second"


def test_adder_bit(package: Package) -> None:
    """Bit 1 of the sum of one lane comes out inverted."""
    plant = (
        "sterna_lane_group.sv",
        "mem_q[address_q3][i] <= total(",
        "mem_q[address_q3][i] <= AccW'(i == 3 ? 2 : 0) ^ total(",
    )
    found = compared(package, plant).first
    assert found is not None
    assert found.layer == "first"
    assert (found.row % CONFIG.tile_h, found.column % CONFIG.tile_w) == divmod(3, CONFIG.tile_w)


@pytest.mark.case("cycle-of-a-failure", kind="remedy", expected="the cycle in which the first assertion failed")
@pytest.mark.parametrize("look", [3, 5000])
def test_the_cycle_of_a_failure_is_named(tmp_path: Path, look: int, got: Callable[[object], None]) -> None:
    """An assertion that fails 500 cycles after the reset, and one that fails right after it."""
    generate(CONFIG, tmp_path / "engine")
    source, last = tmp_path / "engine" / "rtl" / "sterna_engine.sv", "endmodule\n"
    text = source.read_text("utf-8")
    assert text.endswith(last)
    planted = """
      int unsigned planted_q;
      always_ff @(posedge clk_i) planted_q <= rst_ni ? planted_q + 1 : '0;
      First: assert property (@(posedge clk_i) planted_q != 500) else $error("the first one");
      Second: assert property (@(posedge clk_i) planted_q < 501) else $error("the second one");
    """
    source.write_text(text.removesuffix(last) + planted + last, "utf-8")
    transport = SimTransport(tmp_path / "engine", build_dir=SIMULATORS)
    transport.open()
    first = transport.cycles + 3  # the first cycle after the reset of the engine, in which the counter is 0
    with pytest.raises(
        SternaError, match=rf"simulated engine, cycle {first + 500}: the simulation failed: .*: the first one;"
    ) as caught:
        for _ in range(1000):
            transport.wait(look)
    transport.close()
    got(str(caught.value).split(";")[0])
