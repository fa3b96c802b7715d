"""What a synthesised module takes: its LUTs packed into ALMs, registers, shapes of memories and multipliers, delay.

The rules of packing (Intel, "Arria 10 Core Fabric": an ALM has eight inputs, two adders and four registers):

- a LUT of six inputs takes an ALM; two of five inputs or less share one if they have at most eight inputs in all;
- two bits of an adder share an ALM. A LUT that feeds nothing but an adder bit lies in front of that adder and costs
  nothing, as far as the inputs of half an ALM go: two functions of four inputs, of which they share three. (Yosys
  leaves such LUTs outside.)
- a register takes the output of a LUT or adder in its ALM, or one of the ALM's inputs. One that takes either an
  adder or another signal has the adder and one input, and no LUT: the synchronous load, which Yosys does not use;
- registers that alone follow a multiplier or a block RAM are inside that block. So are, once more, those in front
  of multipliers that feed nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, permutations
from typing import Any

from sterna.estimate.usage import MemoryShape, MultiplierShape, Usage, is_shallow

ALM_INPUTS = 8
LARGEST_HALF = 5

Bit = int | str


@dataclass(frozen=True)
class Cell:
    """A cell of the netlist: bits are numbers of nets, or a constant as text."""

    name: str
    kind: str
    #: Where it comes from, as file:line; empty if unknown.
    source: str
    parameters: Mapping[str, int]
    #: Truth table of a LUT of three inputs.
    function: int
    inputs: Mapping[str, tuple[Bit, ...]]
    outputs: Mapping[str, tuple[Bit, ...]]

    @property
    def input_nets(self) -> frozenset[int]:
        """The nets that it reads."""
        return frozenset().union(*map(_nets, self.inputs.values()))

    @property
    def is_lut(self) -> bool:
        """A lookup table, or an inverter that stands for itself."""
        return self.kind == "MISTRAL_NOT" or (self.kind.startswith("MISTRAL_ALUT") and self.kind[-1].isdigit())


def _nets(bits: Iterable[Bit]) -> frozenset[int]:
    """The nets among `bits`, without constants."""
    return frozenset(bit for bit in bits if isinstance(bit, int))


def read_cells(module: Mapping[str, Any]) -> list[Cell]:
    """The cells of a module of Yosys' JSON."""
    return [_cell(name, entry) for name, entry in module["cells"].items()]


def _cell(name: str, entry: Mapping[str, Any]) -> Cell:
    ways = entry["port_directions"]
    ports = {name: tuple(bits) for name, bits in entry["connections"].items()}
    boxed = entry["type"].startswith("STERNA_")
    return Cell(
        name=name,
        kind=entry["type"],
        source=_source(entry["attributes"].get("src", "")),
        parameters={name: int(value, 2) for name, value in entry["parameters"].items()} if boxed else {},
        function=int(entry["parameters"]["LUT"], 2) if entry["type"] == "MISTRAL_ALUT3" else -1,
        inputs={name: bits for name, bits in ports.items() if ways[name] == "input"},
        outputs={name: bits for name, bits in ports.items() if ways[name] == "output"},
    )


def _source(written: str) -> str:
    """Yosys names all places that a cell comes from, with columns: the first one in the sources, not in its own."""
    for place in written.split("|"):
        file, _, line = place.rpartition(":")
        if file and not file.startswith("/"):
            return f"{file.removeprefix('rtl/')}:{line.partition('.')[0]}"
    return ""


def usage(module: Mapping[str, Any]) -> Usage:
    """What the module of Yosys' JSON takes."""
    cells = read_cells(module)
    fanout = fan_out(cells, module)
    adders = [cell for cell in cells if cell.kind == "MISTRAL_ALUT_ARITH"]
    luts = {id(cell): cell for cell in cells if cell.is_lut}
    flip_flops = [cell for cell in cells if cell.kind == "MISTRAL_FF"]
    absorbed = _absorbed(adders, luts.values(), fanout)
    loads = _loads(adders, luts.values(), flip_flops, fanout)
    left = [cell.input_nets for key, cell in luts.items() if key not in absorbed | loads]
    after = _after_blocks(cells, flip_flops, fanout)
    logic = {net for cell in (*adders, *luts.values()) for bits in cell.outputs.values() for net in bits}
    bypassed = sum(register.inputs["DATAIN"][0] not in logic for register in flip_flops)
    return Usage(
        lut_alms=packed_alms(left),
        adder_bits=len(adders),
        luts=len(luts),
        absorbed_luts=len(absorbed | loads),
        inputs=sum(map(len, left)) + _adder_inputs(adders, {key: luts[key] for key in absorbed}) + len(loads),
        flip_flops=len(flip_flops) - len(after),
        bypassed_flip_flops=bypassed - len(after),
        memories=Counter(_memory(cell) for cell in cells if cell.kind == "STERNA_MEMORY"),
        multipliers=Counter(_multiplier(cell) for cell in cells if cell.kind == "STERNA_MULTIPLIER"),
    )


def wireless(cells: Sequence[Cell], fanout: Mapping[Bit, int]) -> set[int]:
    """The nets that lie inside a block, or inside an ALM between a LUT and an adder."""
    adders = [cell for cell in cells if cell.kind == "MISTRAL_ALUT_ARITH"]
    luts = [cell for cell in cells if cell.is_lut]
    flip_flops = [cell for cell in cells if cell.kind == "MISTRAL_FF"]
    absorbed = _absorbed(adders, luts, fanout)
    in_alms = {net for lut in luts if id(lut) in absorbed for net in _nets(lut.outputs["Q"])}
    return in_alms | _after_blocks(cells, flip_flops, fanout) | _before_multipliers(cells, flip_flops, fanout)


def fan_out(cells: Iterable[Cell], module: Mapping[str, Any]) -> Counter[Bit]:
    """How many pins read each net."""
    readers = (bits for cell in cells for bits in cell.inputs.values())
    outputs = (tuple(port["bits"]) for port in module["ports"].values() if port["direction"] == "output")
    return Counter(bit for bits in (*readers, *outputs) for bit in bits if isinstance(bit, int))


def _absorbed(adders: Iterable[Cell], luts: Iterable[Cell], fanout: Mapping[Bit, int]) -> set[int]:
    """Identities of the LUTs that lie in front of an adder bit for nothing."""
    alone = {lut.outputs["Q"][0]: lut for lut in luts if fanout.get(lut.outputs["Q"][0]) == 1}
    found: set[int] = set()
    for adder in adders:
        operands = [alone.get(adder.inputs[pin][0]) for pin in "AB"]
        for taken in (operands, [operands[0], None], [None, operands[1]]):
            sides = [lut.input_nets if lut else _nets(adder.inputs[pin]) for lut, pin in zip(taken, "AB", strict=True)]
            sides[1] |= _nets(adder.inputs["C"])
            if max(map(len, sides)) <= 4 and len(sides[0] | sides[1]) <= 5:
                found |= {id(lut) for lut in taken if lut}
                break
    return found


def _loads(
    adders: Iterable[Cell], luts: Iterable[Cell], flip_flops: Iterable[Cell], fanout: Mapping[Bit, int]
) -> set[int]:
    """Identities of the LUTs that are the synchronous load of a register after an adder."""
    sums = {bit for adder in adders for bit in adder.outputs.get("SO", ())}
    data = {register.inputs["DATAIN"][0] for register in flip_flops}
    return {
        id(lut)
        for lut in luts
        if lut.function in _MULTIPLEXERS
        and fanout.get(lut.outputs["Q"][0]) == 1
        and lut.outputs["Q"][0] in data
        and any(lut.inputs[pin][0] in sums for pin in _MULTIPLEXERS[lut.function])
    }


def _multiplexers() -> dict[int, str]:
    """The functions of three inputs that choose one of two, with the names of the two."""
    found = {}
    for select, first, second in permutations(range(3)):
        chosen = (row >> (first if row >> select & 1 else second) & 1 for row in range(8))
        found[sum(bit << row for row, bit in enumerate(chosen))] = "ABC"[first] + "ABC"[second]
    return found


_MULTIPLEXERS = _multiplexers()


def _adder_inputs(adders: Sequence[Cell], absorbed: Mapping[int, Cell]) -> int:
    """Inputs of the ALMs of adders: the nets of each two neighbours, of which those in front of the adder count."""
    in_front = {lut.outputs["Q"][0]: lut.input_nets for lut in absorbed.values()}
    follower = {adder.inputs["CI"][0]: adder for adder in adders}
    chains = [adder for adder in adders if not isinstance(adder.inputs["CI"][0], int)]
    count = 0
    for first in chains:
        chain = [first]
        while (carry := chain[-1].outputs.get("CO", ("",))[0]) in follower and isinstance(carry, int):
            chain.append(follower[carry])
        nets = [
            frozenset().union(*(in_front.get(bit, _nets((bit,))) for pin in "ABC" for bit in adder.inputs[pin]))
            for adder in chain
        ]
        count += sum(len(frozenset().union(*nets[at : at + 2])) for at in range(0, len(nets), 2))
    return count


def packed_alms(luts: Iterable[frozenset[int]]) -> int:
    """ALMs for LUTs with these inputs."""
    luts = list(luts)
    large = sum(len(inputs) > LARGEST_HALF for inputs in luts)
    halves = sorted((inputs for inputs in luts if len(inputs) <= LARGEST_HALF), key=len, reverse=True)
    waiting: dict[tuple[int, ...], int] = {}
    partnered: set[int] = set()
    for index, inputs in enumerate(halves[: sum(len(each) >= 4 for each in halves)]):
        common = len(inputs) + LARGEST_HALF - ALM_INPUTS
        held = (waiting.get(key, index) for key in combinations(sorted(inputs), common))
        partner = next((each for each in held if each != index and each not in partnered), None)
        if partner is not None:
            partnered |= {partner, index}
        elif len(inputs) == LARGEST_HALF:
            waiting |= {key: index for size in (1, 2) for key in combinations(sorted(inputs), size)}
    left = [len(inputs) for index, inputs in enumerate(halves) if index not in partnered]
    fives, small = left.count(LARGEST_HALF), sum(size <= ALM_INPUTS - LARGEST_HALF for size in left)
    beside = min(fives, small)
    return large + len(partnered) // 2 + fives + (len(left) - fives - beside + 1) // 2


def _after_blocks(cells: Iterable[Cell], flip_flops: Iterable[Cell], fanout: Mapping[Bit, int]) -> set[int]:
    """Nets from a multiplier or a block RAM to a register and nothing else: the register is inside the block."""
    outputs = {
        bit
        for cell in cells
        if _is_one_dsp(cell) or (cell.kind == "STERNA_MEMORY" and _in_block_ram(cell))
        for bits in cell.outputs.values()
        for bit in _nets(bits)
        if fanout.get(bit, 0) == 1
    }
    return outputs & {bit for register in flip_flops for bit in _nets(register.inputs["DATAIN"])}


def _before_multipliers(cells: Iterable[Cell], flip_flops: Iterable[Cell], fanout: Mapping[Bit, int]) -> set[int]:
    """Nets from a register to multipliers and nothing else: each of their blocks holds the register as well."""
    multipliers = [cell for cell in cells if _is_one_dsp(cell)]
    pins = Counter(bit for cell in multipliers for bits in cell.inputs.values() for bit in bits)
    outputs = {bit for register in flip_flops for bit in _nets(register.outputs["Q"])}
    return {bit for bit in outputs if pins[bit] and pins[bit] == fanout[bit]}


def _is_one_dsp(cell: Cell) -> bool:
    return cell.kind == "STERNA_MULTIPLIER" and _multiplier(cell).is_one_block


def _in_block_ram(cell: Cell) -> bool:
    shape = _memory(cell)
    return shape.clocked and not is_shallow(shape.words)


def _memory(cell: Cell) -> MemoryShape:
    values = cell.parameters
    return MemoryShape(
        words=values["SIZE"],
        width=values["WIDTH"],
        read_ports=values["RD_PORTS"],
        write_ports=values["WR_PORTS"],
        clocked=values["CLOCKED"] != 0,
        strobes=_strobes(cell),
    )


def _strobes(cell: Cell) -> int:
    """Groups of bits that have a write enable of their own, of the write port that has most."""
    enables, width = cell.inputs["WR_EN"], cell.parameters["WIDTH"]
    ports = (enables[at : at + width] for at in range(0, len(enables), width))
    return max(sum(1 for _ in groupby(port)) for port in ports)


def _multiplier(cell: Cell) -> MultiplierShape:
    return MultiplierShape(cell.parameters["A_WIDTH"], cell.parameters["B_WIDTH"])
