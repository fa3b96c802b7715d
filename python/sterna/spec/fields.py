"""Bit fields: how several numbers share a word, a header or a step."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sterna.errors import SternaError

#: Name of bits that are written as 0 and not read.
UNUSED = "unused"
_CRC_BYTES = 4


@dataclass(frozen=True)
class Field:
    """A number of `bits` bits, two's complement if `signed`."""

    name: str
    bits: int
    description: str = ""
    signed: bool = False

    @property
    def mask(self) -> int:
        """Its bits, at the bottom of a word."""
        return (1 << self.bits) - 1


@dataclass(frozen=True)
class Layout:
    """Fields from the low bits up. In memory the whole is little-endian."""

    name: str
    fields: tuple[Field, ...]
    description: str = ""

    @property
    def bits(self) -> int:
        """Bits of the whole."""
        return sum(field.bits for field in self.fields)

    @property
    def size(self) -> int:
        """Bytes of the whole."""
        return -(-self.bits // 8)

    def places(self) -> Iterator[tuple[Field, int]]:
        """Each field that is used, and the position of its lowest bit."""
        position = 0
        for field in self.fields:
            if field.name != UNUSED:
                yield field, position
            position += field.bits

    def pack(self, **values: int) -> int:
        """The fields as one number; those that are not given are 0. Any value may be given signed.

        Raises SternaError if a value does not fit, KeyError if there is no such field.
        """
        if unknown := values.keys() - {field.name for field, _ in self.places()}:
            raise KeyError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        word = 0
        for field, position in self.places():
            value = values.get(field.name, 0)
            if not -(1 << (field.bits - 1)) <= value <= field.mask:
                raise SternaError(
                    "does not fit the tape format",
                    attribute=field.name,
                    value=value,
                    allowed=f"{field.bits} bits",
                    remedy="use a smaller layer or input",
                )
            word |= (value & field.mask) << position
        return word

    def unpack(self, word: int) -> dict[str, int]:
        """The fields of a number that `pack` gave, by name."""
        values = {}
        for field, position in self.places():
            value = word >> position & field.mask
            values[field.name] = value - (value >> field.bits - 1 << field.bits) if field.signed else value
        return values

    def to_bytes(self, **values: int) -> bytes:
        """As `pack`, in memory: `size` bytes."""
        return self.pack(**values).to_bytes(self.size, "little")

    def from_bytes(self, data: bytes) -> dict[str, int]:
        """The fields in `data`, `size` bytes, by name."""
        return self.unpack(int.from_bytes(data, "little"))

    def with_crc(self, **values: int) -> bytes:
        """As `to_bytes`, with the CRC-32 of the bytes before it in the last field, `crc`."""
        body = self.to_bytes(**values)[:-_CRC_BYTES]
        return body + zlib.crc32(body).to_bytes(_CRC_BYTES, "little")

    def has_crc(self, data: bytes) -> bool:
        """Whether `data`, `size` bytes, ends with the CRC-32 of the bytes before it."""
        return zlib.crc32(data[:-_CRC_BYTES]) == self.from_bytes(data)["crc"]
