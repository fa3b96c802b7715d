"""Delays of cells and wires, by family of FPGAs.

The delays of cells are Yosys'. Those of wires are a rule: a wire takes longer the more pins it reaches, and the larger
the parts of the engine are that it connects (`Delays.wire`). The rule is set so that for none of the open cores in
docs/results/timing_calibration.json the estimate is faster than what Quartus reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sterna.estimate.usage import is_shallow

if TYPE_CHECKING:
    from sterna.estimate.netlist import Cell

#: Bits of a word in a memory of ALMs, and all bits of the smaller kind of block RAM: addresses go to each.
MLAB_BITS = 20
BLOCK_BITS = 10240


@dataclass(frozen=True)
class Delays:
    """Delays of a family, in picoseconds; those of cells from each input."""

    lut: Mapping[int, Mapping[str, int]]
    inverter: int
    adder_sum: Mapping[str, int]
    adder_carry: Mapping[str, int]
    register_out: int
    register_setup: int
    #: Reading a memory of ALMs, a block RAM; setup of a block; through a multiplier.
    shallow_read: int
    block_read: int
    block_setup: int
    multiply: int
    #: A wire to a cell nearby; what it takes more for each square root of a further load, and for each square root
    #: of an ALM in the parts that it connects.
    near: float
    fan: float
    far: float
    #: What a wire takes more to or from a block RAM or a multiplier, which lie in columns of their own.
    column: float

    def wire(self, loads: int, alms: int = 0) -> int:
        """A wire to that many pins, which connects parts of that many ALMs."""
        return round(self.near + self.fan * math.sqrt(max(0, loads - 1)) + self.far * math.sqrt(alms))

    def scaled(self, cells: float, wires: float) -> Delays:
        """Cells and wires slower by these factors."""

        def each(delays: Mapping[str, int]) -> dict[str, int]:
            return {pin: round(delay * cells) for pin, delay in delays.items()}

        return Delays(
            lut={size: each(delays) for size, delays in self.lut.items()},
            inverter=round(self.inverter * cells),
            adder_sum=each(self.adder_sum),
            adder_carry=each(self.adder_carry),
            register_out=round(self.register_out * cells),
            register_setup=round(self.register_setup * cells),
            shallow_read=round(self.shallow_read * cells),
            block_read=round(self.block_read * cells),
            block_setup=round(self.block_setup * cells),
            multiply=round(self.multiply * cells),
            near=self.near * wires,
            fan=self.fan * wires,
            far=self.far * wires,
            column=self.column * wires,
        )


def _luts(*delays: int) -> dict[int, dict[str, int]]:
    """Delays of LUTs of two to six inputs from those of six: a smaller one uses the fastest inputs."""
    return {size: dict(zip("ABCDEF", delays[6 - size :], strict=False)) for size in range(2, 7)}


_CYCLONE_V = Delays(
    lut=_luts(605, 583, 510, 512, 400, 97),
    inverter=97,
    adder_sum={"A": 1342, "B": 1323, "C": 927, "D0": 887, "D1": 785, "CI": 368},
    adder_carry={"A": 1082, "B": 1062, "C": 813, "D0": 866, "D1": 1198, "CI": 36},
    register_out=731,
    register_setup=0,
    shallow_read=487,
    block_read=1004,
    block_setup=161,
    multiply=3928,
    near=550,
    fan=30,
    # Two thirds of the side of a square, which is the mean distance in it, at 50 ps for each block of ten ALMs: nextpnr
    # (mistral/delay.cc) takes 298 ps for a wire along six blocks.
    far=298 / 6 * 2 / 3 / math.sqrt(10),
    column=1150,
)
#: Delays of blocks and wires are scaled from Cyclone V by the ratio of the LUTs, as nobody has measured them.
_FASTER = 275 / 605
_CYCLONE_10_GX = Delays(
    lut=_luts(275, 272, 175, 165, 162, 53),
    inverter=53,
    adder_sum={"A": 644, "B": 477, "C": 416, "D0": 380, "D1": 431, "CI": 276},
    adder_carry={"A": 525, "B": 433, "C": 712, "D0": 653, "D1": 593, "CI": 16},
    register_out=219,
    register_setup=268,
    shallow_read=221,
    block_read=456,
    block_setup=73,
    multiply=1785,
    near=_CYCLONE_V.near * _FASTER,
    fan=_CYCLONE_V.fan * _FASTER,
    far=_CYCLONE_V.far * _FASTER,
    column=_CYCLONE_V.column * _FASTER,
)
#: By family, from Yosys' techlibs/intel_alm/common/{alm,dff,mem,dsp}_sim.v. Cyclone 10 GX has the core of Arria 10
#: (20 nm); its delays are only in earlier versions of those files. Cyclone V is a 28 nm family.
FAMILIES = {"cyclone5": _CYCLONE_V, "arria10": _CYCLONE_10_GX}
#: The speed grade that these delays stand for. nextpnr (mistral/delay.cc) names the corner of those of Cyclone V: slow,
#: 1.1 V, 100 degrees, which is that of industrial chips, grade 7. For Cyclone 10 GX nobody does; they are taken for
#: those of the faster of its two grades, which has the block RAM of grade 2 of Arria 10.
GRADES = {"cyclone5": 7, "arria10": 2}
#: How much slower the next grade is: block RAM of Cyclone V reaches 315, 275 and 240 MHz in grades 6, 7 and 8 (Intel,
#: Cyclone V Device Datasheet, "Memory Block Performance Specifications").
GRADE_STEP = 315 / 275
#: How much longer wires are on a chip that is 80 % full than on the empty ones of the calibration: an assumption.
FULL_CHIP = 1.2


def delays_of(family: str, grade: int, *, full: bool) -> Delays:
    """The delays of chips of a speed grade, 80 % full or else nearly empty."""
    slower = GRADE_STEP ** (grade - GRADES[family])
    return FAMILIES[family].scaled(slower, slower * (FULL_CHIP if full else 1))


def is_block(cell: Cell) -> bool:
    """Whether it is a block RAM or a multiplier."""
    return cell.kind == "STERNA_MULTIPLIER" or (
        cell.kind == "STERNA_MEMORY" and not is_shallow(cell.parameters["SIZE"])
    )


class Arc(NamedTuple):
    """A way through a cell within a cycle."""

    start: int
    end: int
    delay: int
    #: Whether it is a level of logic: a carry chain is one where it begins.
    level: bool
    #: Whether a wire leads to it: not along a carry chain.
    wired: bool


class End(NamedTuple):
    """A net that has to be there before a clock edge."""

    net: int
    setup: int
    #: Whether it is the data of a register, which lies in the ALM of the logic before it.
    data: bool


def arcs(cell: Cell, delays: Delays) -> Iterator[Arc]:
    """How signals go through a cell within a cycle."""
    if cell.kind == "MISTRAL_ALUT_ARITH":
        for pins, output in ((delays.adder_sum, "SO"), (delays.adder_carry, "CO")):
            for net in _nets(cell.outputs.get(output, ())):
                for pin, delay in pins.items():
                    chained = pin == "CI"
                    yield from (
                        Arc(start, net, delay, not chained, not chained) for start in _nets(cell.inputs.get(pin, ()))
                    )
    elif cell.is_lut:
        by_pin = {"A": delays.inverter} if cell.kind == "MISTRAL_NOT" else delays.lut[int(cell.kind[-1])]
        for net in _nets(cell.outputs["Q"]):
            for pin, delay in by_pin.items():
                yield from (Arc(start, net, delay, True, True) for start in _nets(cell.inputs[pin]))
    elif cell.kind == "STERNA_MULTIPLIER":
        yield from _all_to_all(cell, ("A", "B"), "Y", delays.multiply)
    elif cell.kind == "STERNA_MEMORY" and not cell.parameters["CLOCKED"]:
        yield from _all_to_all(cell, ("RD_ADDR",), "RD_DATA", delays.shallow_read)


def _all_to_all(cell: Cell, inputs: Sequence[str], output: str, delay: int) -> Iterator[Arc]:
    """Arcs from the slowest of the inputs would need a net of their own: so all, as blocks are few."""
    starts = [net for pin in inputs for net in _nets(cell.inputs[pin])]
    yield from (Arc(start, net, delay, True, True) for net in _nets(cell.outputs[output]) for start in starts)


def starts(cell: Cell, delays: Delays) -> Iterator[tuple[int, int]]:
    """Nets that change after a clock edge, and when."""
    if cell.kind == "MISTRAL_FF":
        yield from ((net, delays.register_out) for net in _nets(cell.outputs["Q"]))
    elif cell.kind == "STERNA_MEMORY" and cell.parameters["CLOCKED"]:
        delay = delays.register_out if is_shallow(cell.parameters["SIZE"]) else delays.block_read
        yield from ((net, delay) for net in _nets(cell.outputs["RD_DATA"]))


def ends(cell: Cell, delays: Delays) -> Iterator[End]:
    """Nets that have to be there before a clock edge. An asynchronous reset is none: it has a network of its own."""
    if cell.kind == "MISTRAL_FF":
        yield from (End(net, delays.register_setup, True) for net in _nets(cell.inputs["DATAIN"]))
        for pin in ("ENA", "SCLR", "SLOAD", "SDATA"):
            yield from (End(net, delays.register_setup, False) for net in _nets(cell.inputs[pin]))
    elif cell.kind == "STERNA_MEMORY":
        for pin in ("RD_EN", "RD_SRST", "WR_EN", "WR_DATA", "WR_ADDR"):
            yield from (End(net, delays.block_setup, False) for net in _nets(cell.inputs[pin]))
        if cell.parameters["CLOCKED"]:
            # In a memory of ALMs the register follows the read.
            read = delays.shallow_read if is_shallow(cell.parameters["SIZE"]) else delays.block_setup
            yield from (End(net, read, False) for net in _nets(cell.inputs["RD_ADDR"]))


def loads(cell: Cell) -> Iterator[tuple[int, float]]:
    """The nets that the cell loads, and by how many pins: an address goes to each block of a memory."""
    if cell.kind == "STERNA_MEMORY":
        words, width = cell.parameters["SIZE"], cell.parameters["WIDTH"]
        blocks = -(-width // MLAB_BITS) * -(-words // 32) if is_shallow(words) else -(-width * words // BLOCK_BITS)
        for pin in ("RD_ADDR", "WR_ADDR", "RD_EN", "RD_SRST"):
            yield from ((net, blocks) for net in _nets(cell.inputs[pin]))
        # One pin for each bit, of which those of a block are one.
        yield from ((net, blocks / width) for net in _nets(cell.inputs["WR_EN"]))
        yield from ((net, 1) for net in _nets(cell.inputs["WR_DATA"]))
        return
    for pin, bits in cell.inputs.items():
        if pin not in ("CLK", "ACLR", "CI"):
            yield from ((net, 1) for net in _nets(bits))


def _nets(bits: Sequence[int | str]) -> Iterator[int]:
    return (bit for bit in bits if isinstance(bit, int))
