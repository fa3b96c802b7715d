"""FPGA resources of a module, as numbers that can be added and multiplied."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

#: Words of a memory that goes into memory ALMs; deeper ones go into block RAM.
SHALLOW_WORDS = 32
#: Bits of the factors of a DSP block.
DSP_BITS = 27


def is_shallow(words: int) -> bool:
    """Whether a memory of this many words goes into memory ALMs."""
    return words <= SHALLOW_WORDS


class MemoryShape(NamedTuple):
    """A memory as the module sees it."""

    words: int
    width: int
    read_ports: int
    write_ports: int
    #: Reads wait for a clock edge.
    clocked: bool
    #: Equal groups of bits that are written each by a strobe of its own.
    strobes: int = 1

    @property
    def group(self) -> int:
        """Bits of a group, rounded up."""
        return -(-self.width // self.strobes)


class MultiplierShape(NamedTuple):
    """Bits of a multiplier's operands."""

    a: int
    b: int

    @property
    def is_one_block(self) -> bool:
        """Whether one DSP block does it, which has registers before and after it."""
        return max(self) <= DSP_BITS


#: Modules written as one DSP block each, for the registers, the sum and the chain of it (Intel, "Arria 10 Native Fixed
#: Point DSP IP Core", the sum of two products of 18x19 bits).
DSP_BLOCKS = frozenset({"sterna_product_pair"})


@dataclass(frozen=True)
class Usage:
    """What a module itself takes, without the modules that it instantiates."""

    #: ALMs of LUTs, packed in pairs.
    lut_alms: int
    adder_bits: int
    #: All LUTs, and those of them that lie in ALMs of adders for nothing.
    luts: int
    absorbed_luts: int
    #: Inputs in use of the ALMs of LUTs and adders.
    inputs: int
    #: Registers outside of DSP blocks and block RAM, and those of them that do not follow a LUT or an adder.
    flip_flops: int
    bypassed_flip_flops: int
    memories: Counter[MemoryShape] = field(default_factory=Counter)
    multipliers: Counter[MultiplierShape] = field(default_factory=Counter)

    @property
    def in_blocks(self) -> Usage:
        """The same, if the blocks of its multipliers hold all the rest."""
        return Usage(0, 0, 0, 0, 0, 0, 0, multipliers=self.multipliers)
