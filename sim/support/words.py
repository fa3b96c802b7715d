"""Feature memory words, and the structs of the RTL, as plain integers."""

from __future__ import annotations

from collections.abc import Sequence

from sterna.generate.spec.systemverilog import GATHER
from sterna.spec.tape import STEP


def pack(values: Sequence[int], width: int) -> int:
    """Values of `width` bits, the first one lowest; negative values are two's complement."""
    mask = (1 << width) - 1
    return int("".join(f"{value & mask:0{width}b}" for value in reversed(values)), 2)


def unpack(packed: int, width: int, count: int) -> list[int]:
    """The reverse of `pack`, unsigned."""
    bits = f"{packed:0{width * count}b}"
    return [int(bits[i : i + width], 2) for i in range(0, width * count, width)][::-1]


def as_vectors(pixels: Sequence[int], act_w: int) -> int:
    """Pixels of four channels, one per lane, as the word of four vectors that the gather gives."""
    channels = [unpack(pixel, act_w, 4) for pixel in pixels]
    return pack([pixel[c] for c in range(4) for pixel in channels], act_w)


def step_word(**fields: int) -> int:
    """A `step_t` with these fields, all others 0."""
    return STEP.pack(**fields)


def gather_word(**fields: int) -> int:
    """A `gather_t` with these fields, all others 0."""
    return GATHER.pack(**fields)


def unpack_signed(packed: int, width: int, count: int) -> list[int]:
    """The reverse of `pack` for two's complement values."""
    sign = 1 << width - 1
    return [(value ^ sign) - sign for value in unpack(packed, width, count)]
