"""The timing of single modules, from netlists written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from sterna.estimate.model import Hop, Model, Register, Stretch, model
from sterna.estimate.timing import Delays
from support.netlists import adder, lut, module, multiplier, register

#: A wire takes 10 and 1 more for each square root of a further load; each cell has a digit of its own.
DELAYS = Delays(
    lut={size: dict.fromkeys("ABCDEF"[:size], 1_000) for size in range(2, 7)},
    inverter=1_000,
    adder_sum=dict.fromkeys(("A", "B", "C", "D0", "D1"), 20_000) | {"CI": 3_000},
    adder_carry=dict.fromkeys(("A", "B", "C", "D0", "D1"), 10_000) | {"CI": 2_000},
    register_out=100_000,
    register_setup=300_000,
    shallow_read=0,
    block_read=0,
    block_setup=0,
    multiply=5_000_000,
    near=10,
    fan=1,
    far=0,
    column=100,
)
THROUGH = 100_000 + 300_000


def timed(*cells: dict[str, Any], **more: Any) -> Model:
    return model(module(*cells, **more), DELAYS)


def slowest(*cells: dict[str, Any], **more: Any) -> int:
    return timed(*cells, **more).inside[0].delay


def test_a_path_adds_cells_and_wires() -> None:
    """The first wire leads to a LUT, the second from there to another one, which lies in the register's ALM."""
    assert slowest(register(9, 1), lut(2, 1, 8), lut(3, 2, 7), register(3, 4)) == THROUGH + 2 * 1_000 + 2 * 10


def test_a_wire_takes_longer_with_its_loads() -> None:
    others = [lut(20 + i, 1, 8) for i in range(9)]
    cells = (register(9, 1), lut(2, 1, 8), register(2, 4), *others)
    assert slowest(*cells) == THROUGH + 1_000 + 10 + 3


def test_a_carry_chain_has_no_wires() -> None:
    chain = (register(9, 1), adder(1, 8, 2, carry=5), adder(7, 6, 3, carry_in=5), register(3, 4))
    found = timed(*chain).inside[0]
    assert (found.delay, found.levels) == (THROUGH + 10_000 + 3_000 + 10, 1)


@pytest.mark.parametrize(
    ("more", "outputs", "wires"),
    [
        # Both registers are in the block.
        ([], (), 0),
        # The register in front feeds another multiplier: it is in both blocks.
        ([multiplier(1, 8, 9), register(9, 10)], (), 0),
        # It feeds a LUT as well: a wire leads from it to the block.
        ([lut(9, 1, 8)], (), 100 + 10 + 1),
        # The product is read by a LUT as well: a wire leads from the multiplier to the register.
        ([lut(9, 3, 8)], (), 100 + 10 + 1),
    ],
)
def test_wires_inside_a_block_take_no_time(more: list[dict[str, Any]], outputs: tuple[int, ...], wires: int) -> None:
    cells = (register(7, 1), multiplier(1, 2, 3), register(3, 4), *more)
    assert slowest(*cells, outputs=outputs) == THROUGH + 5_000_000 + wires


def test_ways_between_pins_and_registers() -> None:
    """A wire that comes in was counted where it starts, and one that leaves is counted where it ends."""
    ports = {"a_i": ("input", [1]), "u_child.x_i": ("output", [3]), "u_child.y_o": ("input", [5])}
    cells = (lut(2, 1, 8), register(2, 20), register(9, 10), lut(3, 10, 1), lut(6, 5, 8), register(6, 7))
    found = timed(*cells, ports=ports)
    assert found.between["a_i"]["u_child.x_i"] == Hop(1_000, 1)
    assert found.starts["u_child.x_i"].delay == 100_000 + 10 + 1_000
    assert found.ends["a_i"].delay == found.ends["u_child.y_o"].delay == 1_000 + 300_000
    assert found.driven == {"u_child.x_i"} and not found.inside
    assert [(net.loads, net.pins) for net in found.nets["a_i"]] == [(2, ())]
    assert [(net.loads, net.pins) for net in found.nets["u_child.x_i"]] == [(0, ("u_child.x_i",))]


def test_a_net_that_leaves_is_a_node_for_its_readers_in_the_module_as_well() -> None:
    """Its wire depends on all who read it, so no path goes through it unseen."""
    cells = (register(9, 1), lut(2, 1, 8), register(2, 3))
    found = timed(*cells, outputs=(2,))
    assert found.ends["out"].delay == 300_000 and not found.inside
    assert found.starts["out"].delay == 100_000 + 10 + 1_000


def test_a_net_that_goes_through_is_a_wire() -> None:
    found = timed(ports={"a_i": ("input", [1]), "u_child.x_i": ("output", [1])})
    assert [(net.loads, net.pins) for net in found.nets["a_i"]] == [(0, ("u_child.x_i",))]
    assert not found.driven and not found.between


@pytest.mark.parametrize(("width", "nodes"), [(64, {"a_i[0]", "a_i[63]"}), (65, {"a_i"})])
def test_bits_of_narrow_ports_are_told_apart(width: int, nodes: set[str]) -> None:
    bits = list(range(100, 100 + width))
    cells = (lut(2, bits[0], bits[0]), register(2, 3), register(bits[-1], 4))
    found = timed(*cells, ports={"a_i": ("input", bits)})
    assert found.ends.keys() == nodes
    assert {found.ends[node].delay for node in nodes} == ({301_000, 300_000} if width == 64 else {301_000})


def test_a_wide_port_that_depends_on_itself_is_no_loop() -> None:
    bits = list(range(100, 165))
    driven = (register(9, bits[0]), lut(bits[1], bits[0], 8), *(register(9, bit) for bit in bits[2:]))
    found = timed(*driven, ports={"a_o": ("output", bits)})
    assert found.driven == {"a_o", "a_o'"}
    assert found.between["a_o"]["a_o'"] == Hop(1_000, 1)


def test_registers_have_a_name_and_a_place() -> None:
    cells = (register(9, 1), lut(2, 1, 8), register(2, 3))
    found = timed(*cells, names={"some_q": [3], "longer_name_q": [3], "cell0_MISTRAL_FF_Q": [1]}).inside[0]
    assert found.start == Register("", "mistral_ff.sv:7")
    assert found.end == Register("some_q", "mistral_ff.sv:7")


def test_a_stretched_module_has_more_loads_and_whole_ports() -> None:
    """Nets that reach each slice do so in the wide module too; others stay as they are."""
    slices = [register(1, 20 + i) for i in range(4)]
    cells = (register(9, 1), lut(2, 1, 8), register(2, 3), *slices, register(30, 31), lut(32, 31, 8), register(32, 33))
    netlist = module(*cells, ports={"a_i": ("input", [40, 41])})
    narrow, wide = (model(netlist, DELAYS, stretch) for stretch in (Stretch(), Stretch(frozenset({"a_i"}), 4, 25.2)))
    first, second = narrow.inside[0].delay, wide.inside[0].delay
    assert first - THROUGH == 1_000 + 10 + 2 and second - THROUGH == 1_000 + 10 + 11
    assert narrow.nets.keys() == {"a_i[0]", "a_i[1]"} and wide.nets.keys() == {"a_i"}


def test_nets_with_many_loads_are_listed() -> None:
    found = timed(register(9, 1), *(register(1, 20 + i) for i in range(257)), names={"some_q": [1]})
    assert found.wide == {"some_q": 257}
    assert not timed(register(9, 1), *(register(1, 20 + i) for i in range(256))).wide
