"""A simulated engine in a process of its own, so that a crash of it is an error here and nothing more."""

from __future__ import annotations

import itertools
import mmap
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

from sterna.errors import SternaError
from sterna.run import simulation_worker as worker

#: Signals that a process gets for what itself does.
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)


class Simulation:
    """The Verilated `library` and one engine in it; `seed` fills what reset leaves undefined.

    Every method raises SternaError if the simulation has failed or its process has ended; only `close` is then of use.
    Ctrl-C in the middle of a call leaves it usable.
    """

    def __init__(self, library: Path, seed: int) -> None:
        self.cycles = 0
        self._library = library
        self._words = TemporaryFile()  # noqa: SIM115 (until `close`)
        self._socket, its_socket = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        memory = os.memfd_create("sterna-simulation")
        try:
            os.ftruncate(memory, worker.WINDOW)
            self._window = mmap.mmap(memory, worker.WINDOW)
            numbers = (its_socket.fileno(), memory, os.getpid())
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", worker.__file__, str(library), *map(str, numbers)],
                stdin=subprocess.DEVNULL, stdout=self._words, stderr=self._words, pass_fds=numbers[:2],
            )  # fmt: skip
        finally:
            os.close(memory)
            its_socket.close()
        self._numbers, self._answer = itertools.count(1), bytearray(worker.ANSWER.size)
        self._settled = True
        try:
            self.call("open", seed)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process. May be called twice."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        self._words.close()

    def call(self, name: str, *arguments: int) -> tuple[int, int]:
        """Result and value of one of the worker's OPERATIONS."""
        self._settle()
        return self._exchange(name, *arguments)

    def write(self, address: int, data: bytes) -> None:
        """Write `data` to the engine's memory."""
        for start in range(0, len(data), worker.WINDOW):
            part = data[start : start + worker.WINDOW]
            self._settle()
            self._window[: len(part)] = part
            self._exchange("write_memory", address + start, len(part))

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of the engine's memory."""
        data = bytearray()
        while len(data) < size:
            count = min(worker.WINDOW, size - len(data))
            self.call("read_memory", address + len(data), count)
            data += self._window[:count]
        return bytes(data)

    def _settle(self) -> None:
        """Wait until nothing uses the shared memory: Ctrl-C may have left a call at work."""
        if not self._settled:
            self._exchange("settle")

    def _exchange(self, name: str, *arguments: int) -> tuple[int, int]:
        number = next(self._numbers)
        self._settled = False
        padding = [0] * (4 - len(arguments))
        try:
            self._socket.send(worker.CALL.pack(number, worker.OPERATIONS.index(name), *arguments, *padding))
            # Answers to calls that Ctrl-C interrupted come before.
            while worker.ANSWER.unpack(self._answer)[0] != number:
                if not self._socket.recv_into(self._answer):
                    raise self._ended()
        except OSError:
            raise self._ended() from None
        self._settled = True
        _, result, value, cycles = worker.ANSWER.unpack(self._answer)
        if name != "settle":
            self.cycles = cycles
        if result in (worker.FAILED, worker.NOT_LOADED):
            raise self._failure(result, self._window[:value].decode(errors="replace"))
        return result, value

    def _failure(self, result: int, text: str) -> SternaError:
        if result == worker.NOT_LOADED:
            return SternaError(
                f"the built simulator cannot be loaded ({text})", where=str(self._library), remedy="delete it"
            )
        return SternaError(
            f"the simulation failed: {text}",
            where=f"simulated engine, cycle {self.cycles}",
            remedy="open the backend again; if the error returns, the engine's sources or the compiler are at fault",
        )

    def _ended(self) -> SternaError:
        """The error for a process that has ended."""
        if self._words.closed:
            return SternaError("the simulation is not open", where="simulated engine", remedy="open it first")
        code = self._process.wait()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        self._words.seek(0)
        words = self._words.read().decode(errors="replace").split("\n")
        last = next((f" ({line.strip()})" for line in reversed(words) if line.strip()), "")
        remedy = "open the backend again"
        if code >= 0 or -code in _CRASHES:
            remedy += f"; if the error returns, delete {self._library.parent}, which rebuilds the simulator"
        elif -code == signal.SIGKILL:
            remedy = "if the machine ran out of memory, close other programs; then open the backend again"
        return SternaError(
            f"the simulator's process {how}{last}", where=f"simulated engine, after cycle {self.cycles}", remedy=remedy
        )
