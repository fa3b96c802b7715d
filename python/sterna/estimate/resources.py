"""Modules' usage as resources of an FPGA.

Memories of up to 32 words become memory ALMs: 20 bits in ten ALMs, including the register after the read. Deeper ones
become block RAM in the shape that takes the fewest blocks; where several lie one after the other a multiplexer
follows. Each read port has a copy of its own. A memory of two write ports cannot be built from blocks of one.

A block has byte enables, of ten bits at most, only in its two widest shapes (Intel, "Arria 10 Core Fabric and General
Purpose I/Os Handbook", Byte Enable in Embedded Memory Blocks; the same for Cyclone V). So a memory whose words are
written in groups either uses those, or has blocks of their own for each group. In memory ALMs each group has its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

from sterna.errors import SternaError
from sterna.estimate.usage import DSP_BITS, SHALLOW_WORDS, MemoryShape, MultiplierShape, Usage, is_shallow
from sterna.spec.fpga import Fpga

MLAB_BITS, MLAB_ALMS = 20, 10
BLOCK_BITS = 40
#: A block RAM may be so many times as deep, and is then as many times narrower.
BLOCK_DEPTHS = (1, 2, 4, 8)
#: Bits of a byte, and the depths of a block RAM that has byte enables.
BYTE_BITS, BYTE_DEPTHS = 10, (1, 2)
ALM_INPUTS, ALM_FLIP_FLOPS, ALM_ADDER_BITS = 8, 4, 2


@dataclass(frozen=True)
class Resources:
    """FPGA resources of modules, before LUTs, adders and registers share ALMs."""

    lut_alms: int = 0
    adder_bits: int = 0
    #: Inputs of these ALMs that are in use.
    inputs: int = 0
    #: All registers, and those that need an ALM's input as they do not follow a LUT or an adder.
    flip_flops: int = 0
    bypassed_flip_flops: int = 0
    #: ALMs after block RAMs that lie one after the other.
    mux_alms: int = 0
    mlabs: int = 0
    block_rams: int = 0
    #: Halves of DSP blocks.
    dsp_halves: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __mul__(self, times: int) -> Resources:
        return Resources(*(each * times for each in astuple(self)))

    @property
    def logic_alms(self) -> int:
        """ALMs of LUTs and adders."""
        return self.lut_alms + -(-self.adder_bits // ALM_ADDER_BITS) + self.mux_alms

    @property
    def register_alms(self) -> int:
        """ALMs of registers that find no place or no input beside LUTs and adders."""
        places = ALM_FLIP_FLOPS * self.logic_alms - (self.flip_flops - self.bypassed_flip_flops)
        inputs = ALM_INPUTS * self.logic_alms - self.inputs
        return -(-max(0, self.bypassed_flip_flops - max(0, min(places, inputs))) // ALM_FLIP_FLOPS)

    @property
    def alms(self) -> int:
        """All ALMs."""
        return self.logic_alms + self.register_alms + MLAB_ALMS * self.mlabs

    @property
    def dsps(self) -> int:
        """DSP blocks."""
        return -(-self.dsp_halves // 2)


def total(parts: Iterable[Resources]) -> Resources:
    """The sum of `parts`."""
    return sum(parts, Resources())


def resources(usage: Usage, fpga: Fpga) -> Resources:
    """What a module itself takes of `fpga`."""
    memories = (_memory(shape, fpga) * count for shape, count in usage.memories.items())
    own = Resources(
        lut_alms=usage.lut_alms,
        adder_bits=usage.adder_bits,
        inputs=usage.inputs,
        flip_flops=usage.flip_flops,
        bypassed_flip_flops=usage.bypassed_flip_flops,
        dsp_halves=sum(_dsp_halves(shape) * count for shape, count in usage.multipliers.items()),
    )
    return total([own, *memories])


def _memory(shape: MemoryShape, fpga: Fpga) -> Resources:
    if shape.write_ports > 1:
        raise SternaError(
            "no memory block has so many write ports", where=f"memory of {shape.words} x {shape.width} bits",
            value=shape.write_ports, allowed="1", remedy="write at one address per cycle",
        )  # fmt: skip
    if is_shallow(shape.words) or not shape.clocked:
        return _shallow(shape) * shape.read_ports
    ways = [_groups(shape, fpga.block_ram_words * depth, BLOCK_BITS // depth) for depth in BLOCK_DEPTHS]
    if shape.strobes > 1 and shape.group <= BYTE_BITS:
        ways += [_bytes(shape, fpga.block_ram_words * depth, BLOCK_BITS // depth) for depth in BYTE_DEPTHS]
    return min(ways, key=lambda each: (each.block_rams, each.mux_alms)) * shape.read_ports


def _shallow(shape: MemoryShape) -> Resources:
    chained = -(-shape.words // SHALLOW_WORDS)
    return Resources(
        mlabs=shape.strobes * -(-shape.group // MLAB_BITS) * chained, mux_alms=_mux_alms(chained, shape.width)
    )


def _groups(shape: MemoryShape, words: int, width: int) -> Resources:
    """Blocks of `words` x `width` bits, none of which holds bits of two groups."""
    chained = -(-shape.words // words)
    return Resources(
        block_rams=chained * shape.strobes * -(-shape.group // width), mux_alms=_mux_alms(chained, shape.width)
    )


def _bytes(shape: MemoryShape, words: int, width: int) -> Resources:
    """Blocks of `words` x `width` bits with a group in each byte."""
    chained = -(-shape.words // words)
    return Resources(
        block_rams=chained * -(-shape.strobes // (width // BYTE_BITS)), mux_alms=_mux_alms(chained, shape.width)
    )


def _mux_alms(inputs: int, width: int) -> int:
    """ALMs of a multiplexer: two bits of one with up to three inputs share an ALM, one bit of four inputs takes one."""
    if inputs == 1:
        return 0
    return -(-width // 2) if inputs <= 3 else width * -(-(inputs - 1) // 3)


def _dsp_halves(shape: MultiplierShape) -> int:
    """A DSP block multiplies 27 by 27 bits, or twice 18 by 19."""
    small, large = sorted(shape)
    if small <= 18 and large <= 19:
        return 1
    return 2 * -(-small // DSP_BITS) * -(-large // DSP_BITS)
