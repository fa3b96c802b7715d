"""The other end of a serial line: whatever has an engine's registers and memory, behind a pseudo-terminal."""

from __future__ import annotations

import os
import threading
import tty
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sterna.spec.serial import WORD_BYTES, SerialCommand


class Device(Protocol):
    """What a board carries commands out on; a transport is one."""

    def read32(self, register: int, /) -> int: ...
    def write32(self, register: int, value: int, /) -> None: ...
    def read_memory(self, address: int, size: int, /) -> bytes: ...
    def write_memory(self, address: int, data: bytes, /) -> None: ...
    def wait(self, cycles: int, /) -> bool: ...


class SerialBoard:
    """A board at the path `port`, which answers as long as it is not left. `spoil` changes its answers."""

    def __init__(self, device: Device) -> None:
        self.line, other = os.openpty()
        tty.setraw(other)
        self.port = Path(os.ttyname(other))
        self._other, self._device = other, device
        self.commands = list[SerialCommand]()
        self.spoil: Callable[[bytes], bytes] = lambda answer: answer
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Pull the plug."""
        os.close(self._other)
        os.close(self.line)

    def _take(self, size: int) -> bytes:
        got = bytearray()
        while len(got) < size:
            got += os.read(self.line, size - len(got))
        return bytes(got)

    def _serve(self) -> None:
        try:
            while True:
                self._answer()
        except OSError:
            return

    def _answer(self) -> None:
        command = SerialCommand(self._take(1)[0])
        message = bytes([command]) + self._take(command.argument_bytes)
        values, at = [], 1
        for size in command.arguments.values():
            values.append(int.from_bytes(message[at : at + size], "little"))
            at += size
        answer, device = b"", self._device
        match command:
            case SerialCommand.READ_REGISTER:
                answer = device.read32(values[0]).to_bytes(4, "little")
            case SerialCommand.WRITE_REGISTER:
                device.write32(values[0], values[1])
            case SerialCommand.WAIT:
                answer = bytes([device.wait(values[0])])
            case SerialCommand.READ_MEMORY:
                answer = device.read_memory(values[0], values[1] * WORD_BYTES)
            case SerialCommand.WRITE_MEMORY:
                data = self._take(values[1] * WORD_BYTES)
                message += data
                device.write_memory(values[0], data)
        self.commands.append(command)
        whole = self.spoil(answer + zlib.crc32(message + answer).to_bytes(4, "little"))
        while whole:
            whole = whole[os.write(self.line, whole) :]
