"""Numbers with a description each, for tables and headers."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Self


class DescribedEnum(IntEnum):
    """Numbers of which one is chosen; members are written `NAME = value, "sentence"`."""

    description: str

    def __new__(cls, value: int, description: str = "") -> Self:
        """A member with its sentence."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member


class DescribedFlag(IntFlag):
    """Bits of a word; members are written `NAME = bit, "sentence"`."""

    description: str

    def __new__(cls, value: int, description: str = "") -> Self:
        """A member with its sentence."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member
