"""Packing of lane values into ports."""

from __future__ import annotations

from collections.abc import Iterable


def pack(values: Iterable[int], width: int) -> int:
    """`values` (signed or not) side by side, `width` bits each, the first in the low bits."""
    word, mask = 0, (1 << width) - 1
    for place, value in enumerate(values):
        word |= (int(value) & mask) << place * width
    return word


def unpack(word: int, width: int, count: int) -> list[int]:
    """The `count` signed values of `width` bits in `word`, from the low bits up."""
    fields = ((word >> place * width) & ((1 << width) - 1) for place in range(count))
    return [field - ((field >> width - 1) << width) for field in fields]
