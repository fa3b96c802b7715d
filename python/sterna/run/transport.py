"""What the driver needs to reach an engine. A board, a simulation: each is one class with these methods.

It becomes a backend by a class that opens it and is found by name as any backend is (`sterna.run.backend`):

    class BoardBackend(EngineBackend):
        usage = "board:ADDRESS"

        @classmethod
        def from_uri(cls, uri, announce):
            return cls(BoardTransport(uri.path), **uri.values(cls.parameters))
"""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """Registers and memory of one engine. Every method raises SternaError if the engine cannot be reached."""

    @property
    def memory_base(self) -> int:
        """Bus address of the memory that the driver may use, a multiple of 4096."""

    @property
    def memory_bytes(self) -> int:
        """Size of that memory."""

    @property
    def memory_latency(self) -> int:
        """Maximum cycles until that memory answers; 0 if unknown."""

    def open(self) -> None:
        """Reach the engine and reset it."""

    def close(self) -> None:
        """Release the engine. May be called twice."""

    def read32(self, register: int) -> int:
        """The 32-bit register at byte address `register`."""

    def write32(self, register: int, value: int) -> None:
        """Write the 32-bit register at byte address `register`."""

    def read_memory(self, address: int, size: int) -> bytes:
        """`size` bytes of the memory at bus address `address`."""

    def write_memory(self, address: int, data: bytes) -> None:
        """Write `data` to the memory at bus address `address`."""

    def wait(self, cycles: int) -> bool:
        """Wait for the engine's interrupt for at most about `cycles` of its clock; True if it is raised."""
