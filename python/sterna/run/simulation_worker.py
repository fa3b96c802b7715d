"""The process that holds a simulated engine: it loads the Verilated library and does what `simulation.py` asks for.

It is run as a script that needs nothing of Sterna but itself, so that it starts at once. Calls and answers are
messages on a socket; what is large goes through shared memory. Signals that end Sterna are its parent's business.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import select
import signal
import socket
import struct
import sys
from typing import Any

#: Number of the call, which of OPERATIONS, its arguments (0 for those that it does not have).
CALL = struct.Struct("=QQ4Q")
#: Number of the call, its result or a code below, its value, clock cycles since the engine was opened.
ANSWER = struct.Struct("=QqQQ")
#: Bytes of the shared memory.
WINDOW = 1 << 20
#: The value is then the length of a text in the shared memory.
FAILED, NOT_LOADED = -1, -2  # FAILED: as in sim/harness/sterna_sim.h
#: Seconds between two looks whether the parent is still there.
LOOK_SECONDS = 1.0

_HANDLE, _U32, _U64, _INT = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int
#: sim/harness/sterna_sim.h, but for what opens it and asks how it is. A pointer to bytes is the shared memory.
_ARGUMENTS: dict[str, list[Any]] = {
    "reset": [],
    "write32": [_U32, _U32],
    "read32": [_U32, ctypes.POINTER(_U32)],
    "write_memory": [_U64, ctypes.c_void_p, _U64],
    "read_memory": [_U64, ctypes.c_void_p, _U64],
    "set_timing": [_U32, _U32, _U32, _U64],
    "set_pauses": [_U32, _U32, _U32, _U32],
    "set_fault": [_U64, _U64],
    "run": [_U64, _U32],
}
#: "settle" does nothing: its answer says that all calls before it are done.
OPERATIONS = ("settle", "open", *_ARGUMENTS)


class _Engine:
    """The library and the engine in it."""

    def __init__(self, path: str, window: mmap.mmap) -> None:
        self._path, self._window = path, window
        self._bytes = ctypes.addressof(ctypes.c_char.from_buffer(window))

    def do(self, name: str, arguments: tuple[int, ...]) -> tuple[int, int, int]:
        """Result, value and cycles of an operation."""
        if name == "settle":
            return 0, 0, 0
        if name == "open":
            return self._open(arguments[0])
        value = _U32()
        result = getattr(self._library, f"sterna_sim_{name}")(self._handle, *self._given(name, arguments, value))
        return self._answer(result, value.value)

    def _open(self, seed: int) -> tuple[int, int, int]:
        try:
            self._library = ctypes.CDLL(self._path)
            self._declare("open", _HANDLE, [_U64])
            self._declare("error", ctypes.c_char_p, [_HANDLE])
            self._declare("cycles", _U64, [_HANDLE])
            for name, arguments in _ARGUMENTS.items():
                self._declare(name, _INT, [_HANDLE, *arguments])
        except (OSError, AttributeError) as error:
            return NOT_LOADED, self._say(str(error).encode()), 0
        self._handle = self._library.sterna_sim_open(seed)
        return self._answer(FAILED if self._error() else 0, 0)

    def _declare(self, name: str, result: Any, arguments: list[Any]) -> None:
        function = getattr(self._library, f"sterna_sim_{name}")
        function.restype, function.argtypes = result, arguments

    def _given(self, name: str, arguments: tuple[int, ...], value: ctypes.c_uint32) -> list[Any]:
        if name == "read32":
            return [arguments[0], ctypes.byref(value)]
        if name in ("write_memory", "read_memory"):
            return [arguments[0], self._bytes, arguments[1]]
        return list(arguments[: len(_ARGUMENTS[name])])

    def _answer(self, result: int, value: int) -> tuple[int, int, int]:
        cycles: int = self._library.sterna_sim_cycles(self._handle)
        return result, self._say(self._error()) if result == FAILED else value, cycles

    def _error(self) -> bytes:
        text: bytes = self._library.sterna_sim_error(self._handle)
        return text

    def _say(self, text: bytes) -> int:
        """Put `text` into the shared memory, and its length."""
        text = text[:WINDOW]
        self._window[: len(text)] = text
        return len(text)


def _next(calls: socket.socket, parent: int) -> bytes:
    """The next call; none if the parent has closed the socket or is no more."""
    while not select.select([calls], [], [], LOOK_SECONDS)[0]:
        if os.getppid() != parent:  # who was forked from it may hold its end of the socket
            return b""
    return calls.recv(CALL.size)


def main(path: str, calls: int, window: int, parent: int) -> None:
    """Answer until the parent has had enough."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=calls) as messages:
        engine = _Engine(path, mmap.mmap(window, WINDOW))
        while message := _next(messages, parent):
            number, operation, *arguments = CALL.unpack(message)
            messages.send(ANSWER.pack(number, *engine.do(OPERATIONS[operation], tuple(arguments))))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
