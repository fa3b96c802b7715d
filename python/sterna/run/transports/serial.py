"""An engine behind a serial line as a transport: a USB serial port, or a simulated board's pseudo-terminal."""

from __future__ import annotations

import os
import select
import termios
import tty
import zlib
from pathlib import Path

from sterna.errors import SternaError
from sterna.native import libsterna
from sterna.spec.serial import BAUD, FORGET_SECONDS, MOST_WORDS, WORD_BYTES, SerialCommand

#: Bytes of the SDRAM of a ULX3S.
MEMORY_BYTES = 32 << 20
#: Seconds without a byte after which the line counts as dead; a simulated board is slow.
PATIENCE = 10.0
#: Cycles of a wait at most: the board answers at once when the interrupt comes, and takes no other command before.
MOST_WAIT = 1_000_000

_CHECK_BYTES = 4
#: Bytes of a read or write.
_AT_ONCE = 1 << 16


class SerialTransport(libsterna.Transport):
    """The engine that the serial port at `path` reaches. `patience`: seconds without a byte that it waits at most.

    Each answer is checked; a byte that is lost or changed is a SternaError. `sent` and `received` count bytes.
    """

    def __init__(self, path: Path, *, baud: int = BAUD, patience: float = PATIENCE) -> None:
        super().__init__()
        self._path, self._baud, self._patience = path, baud, patience
        self._line: int | None = None
        self.memory_base, self.memory_bytes = 0, MEMORY_BYTES
        self.sent = self.received = 0

    def open(self) -> None:
        """Set the line up, and forget what came before."""
        speed = getattr(termios, f"B{self._baud}", None)
        if speed is None:
            raise self._error("the line has no such speed", "choose one that the board is built for", str(self._baud))
        try:
            self._line = os.open(self._path, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._line)
            settings = termios.tcgetattr(self._line)
            settings[4] = settings[5] = speed
            termios.tcsetattr(self._line, termios.TCSANOW, settings)
        except (OSError, termios.error) as error:
            self.close()
            reason = error.args[-1]
            raise self._error(f"cannot be opened ({reason})", "connect the board, or name another port") from error
        # The board has forgotten a half command by then, and the rest of an answer has come.
        while self._readable(2 * FORGET_SECONDS):
            self._read()

    def close(self) -> None:
        """Release the line. May be called twice."""
        line, self._line = self._line, None
        if line is not None:
            os.close(line)

    def read32(self, register: int) -> int:
        """The register at byte address `register`."""
        return int.from_bytes(self._ask(SerialCommand.READ_REGISTER, register, answer=4), "little")

    def write32(self, register: int, value: int) -> None:
        """Write a register."""
        self._ask(SerialCommand.WRITE_REGISTER, register, value)

    def read_memory(self, address: int, size: int) -> bytes:
        """`size` bytes of the SDRAM from `address` on."""
        first, last = self._words(address, size)
        found = bytearray()
        for word in range(first, last, MOST_WORDS):
            count = min(MOST_WORDS, last - word)
            found += self._ask(SerialCommand.READ_MEMORY, word * WORD_BYTES, count, answer=count * WORD_BYTES)
        start = address - first * WORD_BYTES
        return bytes(found[start : start + size])

    def write_memory(self, address: int, data: bytes) -> None:
        """Write `data` to the SDRAM; of words that it fills in part, the rest stays as it is."""
        first, last = self._words(address, len(data))
        start = address - first * WORD_BYTES
        rest = last * WORD_BYTES - address - len(data)
        before = self.read_memory(first * WORD_BYTES, start) if start else b""
        after = self.read_memory(address + len(data), rest) if rest else b""
        whole = before + bytes(data) + after
        for at in range(0, len(whole), MOST_WORDS * WORD_BYTES):
            part = whole[at : at + MOST_WORDS * WORD_BYTES]
            self._ask(SerialCommand.WRITE_MEMORY, first * WORD_BYTES + at, len(part) // WORD_BYTES, data=part)

    def wait(self, cycles: int) -> bool:
        """Wait for the interrupt; whether it is raised."""
        return self._ask(SerialCommand.WAIT, min(cycles, MOST_WAIT), answer=1) == b"\1"

    def _words(self, address: int, size: int) -> tuple[int, int]:
        if not 0 <= address <= address + size <= MEMORY_BYTES:
            raise self._error("has no memory there", f"use 0 .. {MEMORY_BYTES - 1}", f"{address} + {size}")
        return address // WORD_BYTES, -(-(address + size) // WORD_BYTES)

    def _ask(self, command: SerialCommand, *arguments: int, data: bytes = b"", answer: int = 0) -> bytes:
        """Give a command and take `answer` bytes, checked."""
        sizes = command.arguments.values()
        given = zip(arguments, sizes, strict=True)
        message = bytes([command]) + b"".join(value.to_bytes(size, "little") for value, size in given) + data
        got = self._exchange(message, answer + _CHECK_BYTES)
        found, check = got[:answer], int.from_bytes(got[answer:], "little")
        if check != zlib.crc32(message + found):
            raise self._error(
                "an answer is damaged", "check the cable, or choose the speed that the board is built for"
            )
        return found

    def _exchange(self, message: bytes, size: int) -> bytes:
        """Send `message` and receive `size` bytes."""
        line = self._opened()
        found, left = bytearray(), memoryview(message)
        while len(found) < size:
            readable, writable, _ = select.select([line], [line] if left else [], [], self._patience)
            if not readable and not writable:
                raise self._error("does not answer", "check that the board is configured and connected")
            if writable:
                left = left[self._write(left[:_AT_ONCE]) :]
            if readable:
                found += self._read()
        self.sent += len(message)
        self.received += size
        if len(found) > size:
            raise self._error("more came than was asked for", "open it again")
        return bytes(found)

    def _opened(self) -> int:
        if self._line is None:
            raise self._error("is not open", "open it first")
        return self._line

    def _readable(self, seconds: float) -> bool:
        return bool(select.select([self._opened()], [], [], seconds)[0])

    def _read(self) -> bytes:
        try:
            found = os.read(self._opened(), _AT_ONCE)
        except OSError as error:
            raise self._gone(error.strerror) from error
        if not found:
            raise self._gone("nothing more comes")
        return found

    def _write(self, data: memoryview) -> int:
        try:
            return os.write(self._opened(), data)
        except OSError as error:
            raise self._gone(error.strerror) from error

    def _gone(self, reason: str | None) -> SternaError:
        return self._error(f"is gone ({reason})", "connect the board, and open it again")

    def _error(self, what: str, remedy: str, value: str | None = None) -> SternaError:
        if value is None:
            return SternaError(what, where=f"serial port {self._path}", remedy=remedy)
        return SternaError(what, where=f"serial port {self._path}", attribute="value", value=value, remedy=remedy)
