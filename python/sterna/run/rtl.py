"""A generated engine in simulation as a transport: the Verilated RTL and a memory on its bus."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sterna.errors import SternaError
from sterna.run import simulator

#: Above 4 GB, so that all address bits matter.
MEMORY_BASE = 0x1_2340_0000
MEMORY_BYTES = 1 << 32
#: Real time between two looks at Ctrl-C.
LOOK_MILLISECONDS = 200

_IRQ, _FAILED = 0, -1  # sim/harness/sterna_sim.h
_HANDLE, _U32, _U64 = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint64
_SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "open": (_HANDLE, [_U64]),
    "close": (None, [_HANDLE]),
    "reset": (ctypes.c_int, [_HANDLE]),
    "error": (ctypes.c_char_p, [_HANDLE]),
    "write32": (ctypes.c_int, [_HANDLE, _U32, _U32]),
    "read32": (ctypes.c_int, [_HANDLE, _U32, ctypes.POINTER(_U32)]),
    "write_memory": (ctypes.c_int, [_HANDLE, _U64, ctypes.c_char_p, _U64]),
    "read_memory": (ctypes.c_int, [_HANDLE, _U64, ctypes.c_char_p, _U64]),
    "set_timing": (ctypes.c_int, [_HANDLE, _U32, _U32, _U32, _U64]),
    "set_fault": (ctypes.c_int, [_HANDLE, _U64, _U64]),
    "run": (ctypes.c_int, [_HANDLE, _U64, _U32]),
    "cycles": (_U64, [_HANDLE]),
}


@dataclass(frozen=True)
class MemoryTiming:
    """How the memory answers: cycles of latency of a burst, and the share of cycles (0 .. 0.95) that stall."""

    latency: tuple[int, int] = (20, 20)
    stall: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        first, last = self.latency
        if not 0 <= first <= last <= 100_000:
            raise SternaError(
                "bad memory timing", attribute="latency", value=self.latency, allowed="0 .. 100000, rising"
            )
        if not 0 <= self.stall <= 0.95:
            raise SternaError("bad memory timing", attribute="stall", value=self.stall, allowed="0 .. 0.95")


class RtlTransport:
    """The engine in `folder` (made by `sterna generate`), simulated. Built on `open` if it has not been yet."""

    memory_base = MEMORY_BASE
    memory_bytes = MEMORY_BYTES

    def __init__(
        self,
        folder: Path,
        *,
        timing: MemoryTiming | None = None,
        build_dir: Path | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        self._folder, self._build_dir, self._announce = folder, build_dir, announce
        self._timing = timing or MemoryTiming()
        self._library: ctypes.CDLL | None = None
        self._handle: int | None = None

    def open(self) -> None:
        """Build if needed, load, reset."""
        path = simulator.build(self._folder, self._build_dir, self._announce)
        try:
            self._library = ctypes.CDLL(str(path))
        except OSError as error:
            raise SternaError(
                f"the built simulator cannot be loaded ({error})", where=str(path), remedy="delete it"
            ) from error
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, f"sterna_sim_{name}")
            function.restype, function.argtypes = result, arguments
        self._handle = self._library.sterna_sim_open(self._timing.seed)
        self._raise_failure()
        first, last = self._timing.latency
        self._call("set_timing", first, last, round(self._timing.stall * 1000), self._timing.seed)

    def close(self) -> None:
        """End the simulation."""
        if self._library is not None and self._handle is not None:
            self._library.sterna_sim_close(self._handle)
        self._handle = None

    def read32(self, register: int) -> int:
        """The 32-bit register at byte address `register`."""
        value = _U32()
        self._call("read32", register, ctypes.byref(value))
        return value.value

    def write32(self, register: int, value: int) -> None:
        """Write the 32-bit register at byte address `register`."""
        self._call("write32", register, value)

    def read_memory(self, address: int, size: int) -> bytes:
        """`size` bytes of the memory at bus address `address`."""
        buffer = ctypes.create_string_buffer(size)
        self._call("read_memory", address, buffer, size)
        return buffer.raw

    def write_memory(self, address: int, data: bytes) -> None:
        """Write `data` to the memory at bus address `address`."""
        self._call("write_memory", address, data, len(data))

    def wait(self, cycles: int) -> bool:
        """Clock the engine until its interrupt is high, at most `cycles`; True if it is."""
        end = self.cycles + cycles
        while (left := end - self.cycles) > 0:
            why = self._call("run", left, LOOK_MILLISECONDS)
            if why == _IRQ:
                return True
        return False

    @property
    def cycles(self) -> int:
        """Clock cycles since `open`."""
        return self._call("cycles")

    def reset(self) -> None:
        """Reset the engine in the middle of whatever it does; the memory keeps its contents."""
        self._call("reset")

    def set_fault(self, address: int, size: int) -> None:
        """Let the memory refuse (SLVERR) what touches `size` bytes at `address`; size 0 ends that."""
        self._call("set_fault", address, size)

    def _call(self, name: str, *arguments: object) -> int:
        if self._library is None or self._handle is None:
            raise SternaError("the simulation is not open", where="rtl device", remedy="open it first")
        result: int = getattr(self._library, f"sterna_sim_{name}")(self._handle, *arguments)
        if result == _FAILED:
            self._raise_failure()
        return result

    def _raise_failure(self) -> None:
        assert self._library is not None
        text = self._library.sterna_sim_error(self._handle).decode(errors="replace")
        if text:
            raise SternaError(
                f"the simulation failed: {text}",
                where=f"rtl device, cycle {self._library.sterna_sim_cycles(self._handle)}",
                remedy="open the device again; if it comes again, the engine's sources are at fault",
            )
