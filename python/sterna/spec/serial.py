"""How a host reaches an engine's registers and memory over a serial line.

`sterna.generate.spec` makes the RTL's package and the table of the documentation from this.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

#: Bits per second.
BAUD = 3_000_000
#: Bytes that a word of memory has.
WORD_BYTES = 8
#: Words of a transfer at most.
MOST_WORDS = 65535
#: Seconds after which the board forgets a command that has not come whole.
FORGET_SECONDS = 0.02


class SerialCommand(IntEnum):
    """What a host asks of a board over a serial line; the first byte of a command.

    Members are written `NAME = byte, {argument: bytes}, "answer", "sentence"`.
    """

    arguments: dict[str, int]
    answer: str
    description: str

    def __new__(
        cls, value: int, arguments: dict[str, int] | None = None, answer: str = "", description: str = ""
    ) -> Self:
        """A command with what is known of it."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.arguments = arguments or {}
        member.answer, member.description = answer, description
        return member

    @property
    def argument_bytes(self) -> int:
        """Bytes of all arguments."""
        return sum(self.arguments.values())

    READ_REGISTER = 0x11, {"register": 2}, "4 bytes", "Reads a register."
    WRITE_REGISTER = 0x12, {"register": 2, "value": 4}, "", "Writes a register."
    READ_MEMORY = 0x13, {"address": 4, "words": 2}, "8 bytes for each word", "Reads words of memory."
    WRITE_MEMORY = 0x14, {"address": 4, "words": 2}, "", "Writes words of memory, whose bytes follow the arguments."
    WAIT = 0x15, {"cycles": 4}, "1 byte: 1 if it is raised, else 0", "Waits for the interrupt, at most so many cycles."
