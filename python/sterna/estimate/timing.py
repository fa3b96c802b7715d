"""The slowest path of a netlist from the delays of its cells.

A wire is taken to cost as much as the cell that drives it, and the setup of a register as much again for the wire to
it; see `Path.with_wires`. Inside a DSP block or a block RAM there are no wires.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sterna.estimate.usage import Path, is_shallow

if TYPE_CHECKING:
    from sterna.estimate.netlist import Cell


@dataclass(frozen=True)
class Delays:
    """Delays of the cells of a family, in picoseconds, from each input."""

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
)
#: Block delays are scaled from Cyclone V by the ratio of the LUTs, as nobody has measured them.
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
)
#: By family, from Yosys' techlibs/intel_alm/common/{alm,dff,mem,dsp}_sim.v. Cyclone 10 GX has the core of Arria 10
#: (20 nm); its delays are only in earlier versions of those files. Cyclone V is a 28 nm family.
FAMILIES = {"cyclone5": _CYCLONE_V, "arria10": _CYCLONE_10_GX}

#: The start or end of a path that comes from or goes to the outside.
PORT = "port"

#: Source bit, destination bit, delay, whether it counts as a level.
Arc = tuple[int, int, int, bool]


def longest_path(cells: Sequence[Cell], delays: Delays, inside: Collection[int] = ()) -> Path:
    """The slowest path, with wires, between registers, blocks and ports. The nets `inside` of blocks are no wires."""
    sources: dict[int, list[tuple[int, int, bool]]] = {}
    for cell in cells:
        for start, end, delay, level in _arcs(cell, delays):
            sources.setdefault(end, []).append((start, delay, level))
    arrived = {
        net: Path(delay, delay if net in inside else 0, 0, cell.name, PORT)
        for cell in cells
        for net, delay in _starts(cell, delays)
    }
    for net in _in_order(sources):
        best = arrived.get(net, Path(0, 0, 0, PORT, PORT))
        weight = 1 if net in inside else 2
        for source, more, level in sources.get(net, ()):
            before = arrived[source]
            if before.with_wires + weight * more > best.with_wires:
                best = Path(
                    before.picoseconds + more,
                    before.inside + (2 - weight) * more,
                    before.levels + level,
                    before.start,
                    PORT,
                )
        arrived[net] = best
    ends = ((net, setup, cell.name) for cell in cells for net, setup in _ends(cell, delays) if net in arrived)
    ended = [
        arrived[net]._replace(
            picoseconds=arrived[net].picoseconds + setup,
            inside=arrived[net].inside + (setup if net in inside else 0),
            end=name,
        )
        for net, setup, name in ends
    ]
    return max([*arrived.values(), *ended], key=lambda each: each.with_wires, default=Path(0, 0, 0, PORT, PORT))


def _arcs(cell: Cell, delays: Delays) -> Iterator[Arc]:
    """How signals go through a cell within a cycle."""
    if cell.kind == "MISTRAL_ALUT_ARITH":
        for pins, output in ((delays.adder_sum, "SO"), (delays.adder_carry, "CO")):
            for net in _nets(cell.outputs.get(output, ())):
                for pin, delay in pins.items():
                    # A carry chain is one level: the cell where it begins.
                    yield from ((start, net, delay, pin != "CI") for start in _nets(cell.inputs.get(pin, ())))
    elif cell.is_lut:
        by_pin = {"A": delays.inverter} if cell.kind == "MISTRAL_NOT" else delays.lut[int(cell.kind[-1])]
        for net in _nets(cell.outputs["Q"]):
            for pin, delay in by_pin.items():
                yield from ((start, net, delay, True) for start in _nets(cell.inputs[pin]))
    elif cell.kind == "STERNA_MULTIPLIER":
        yield from _all_to_all(cell, ("A", "B"), "Y", delays.multiply)
    elif cell.kind == "STERNA_MEMORY" and not cell.parameters["CLOCKED"]:
        yield from _all_to_all(cell, ("RD_ADDR",), "RD_DATA", delays.shallow_read)


def _all_to_all(cell: Cell, inputs: Sequence[str], output: str, delay: int) -> Iterator[Arc]:
    """Arcs from the slowest of the inputs would need a net of their own: so all, as blocks are few."""
    starts = [net for pin in inputs for net in _nets(cell.inputs[pin])]
    yield from ((start, net, delay, True) for net in _nets(cell.outputs[output]) for start in starts)


def _starts(cell: Cell, delays: Delays) -> Iterator[tuple[int, int]]:
    """Nets that change after a clock edge, and when."""
    if cell.kind == "MISTRAL_FF":
        yield from ((net, delays.register_out) for net in _nets(cell.outputs["Q"]))
    elif cell.kind == "STERNA_MEMORY" and cell.parameters["CLOCKED"]:
        delay = delays.register_out if is_shallow(cell.parameters["SIZE"]) else delays.block_read
        yield from ((net, delay) for net in _nets(cell.outputs["RD_DATA"]))


def _ends(cell: Cell, delays: Delays) -> Iterator[tuple[int, int]]:
    """Nets that have to be there before a clock edge, and how long."""
    if cell.kind == "MISTRAL_FF":
        pins, setup = ("DATAIN", "ENA", "SCLR", "SLOAD", "SDATA"), delays.register_setup
    elif cell.kind == "STERNA_MEMORY":
        pins, setup = ("RD_EN", "RD_SRST", "WR_EN", "WR_DATA", "WR_ADDR"), delays.block_setup
        if cell.parameters["CLOCKED"]:
            # In a memory of ALMs the register follows the read.
            read = delays.shallow_read if is_shallow(cell.parameters["SIZE"]) else delays.block_setup
            yield from ((net, read) for net in _nets(cell.inputs["RD_ADDR"]))
    else:
        return
    for pin in pins:
        yield from ((net, setup) for net in _nets(cell.inputs[pin]))


def _in_order(sources: Mapping[int, Sequence[tuple[int, int, bool]]]) -> Iterator[int]:
    """All nets, each after those that it depends on."""
    readers: dict[int, list[int]] = {}
    missing = {net: len(arcs) for net, arcs in sources.items()}
    for net, arcs in sources.items():
        for start, _, _ in arcs:
            readers.setdefault(start, []).append(net)
    ready = [net for net in readers if net not in missing]
    while ready:
        net = ready.pop()
        yield net
        for reader in readers.get(net, ()):
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)


def _nets(bits: Sequence[int | str]) -> Iterator[int]:
    return (bit for bit in bits if isinstance(bit, int))
