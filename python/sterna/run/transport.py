"""What the driver needs to reach an engine. A board, a simulation: each is one class with these methods.

It becomes a backend by a class that opens it and is found by name as any backend is (`sterna.run.backend`):

    class BoardBackend(EngineBackend):
        usage = "board:ADDRESS"

        @classmethod
        def from_uri(cls, uri, announce):
            return cls(BoardTransport(uri.path), **uri.values(cls.parameters))

    class BoardTransport(Transport):
        def __init__(self, address):
            super().__init__()
            self.memory_base, self.memory_bytes = 0x4000_0000, 64 << 20

        def read32(self, register):
            ...

A transport defines `open`, `close`, `read32`, `write32`, `read_memory`, `write_memory` and `wait`.
"""

from __future__ import annotations

from sterna.native import libsterna

Transport = libsterna.Transport
"""Registers and memory of one engine. Every method raises SternaError if the engine cannot be reached."""
