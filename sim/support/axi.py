"""AXI memory models for benches: random pauses, and an address from which on every access is an error."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from cocotbext.axi import AxiRamRead, AxiRamWrite, AxiReadBus, AxiWriteBus
from cocotbext.axi.sparse_memory import SparseMemory

MEMORY_BYTES = 1 << 20
#: Accesses from here on are answered with SLVERR.
BAD_FROM = MEMORY_BYTES - 4096


def pauses(chance: float) -> Iterator[bool]:
    """Endless random pauses of a channel."""
    return (random.random() < chance for _ in itertools.count())


def check_address(address: int) -> None:
    """Refuse an access outside the memory."""
    if address >= BAD_FROM:
        raise ValueError(f"no memory at {address:#x}")


class ReadMemory(AxiRamRead):
    """Read port at `m_axi_*` of `dut`, or of `ports`; asserts that no burst crosses 4 KB."""

    def __init__(self, dut: Any, pause: float, mem: SparseMemory | None = None, ports: Any = None) -> None:
        bus = AxiReadBus.from_prefix(ports or dut, "m_axi")
        super().__init__(bus, dut.clk_i, dut.rst_ni, reset_active_level=False, size=MEMORY_BYTES, mem=mem)
        self.log.setLevel("ERROR")
        self.pause(pause)

    def pause(self, chance: float) -> None:
        """Pause each channel in a cycle with this chance."""
        self.ar_channel.set_pause_generator(pauses(chance))
        self.r_channel.set_pause_generator(pauses(chance))

    async def _read(self, address: int, length: int) -> bytes:
        check_address(address)
        return bytes(await super()._read(address, length))


class WriteMemory(AxiRamWrite):
    """Write port at `m_axi_*` of `dut`, or of `ports`; asserts that no burst crosses 4 KB and that WLAST is right."""

    def __init__(self, dut: Any, pause: float, mem: SparseMemory | None = None, ports: Any = None) -> None:
        bus = AxiWriteBus.from_prefix(ports or dut, "m_axi")
        super().__init__(bus, dut.clk_i, dut.rst_ni, reset_active_level=False, size=MEMORY_BYTES, mem=mem)
        self.log.setLevel("ERROR")
        self.pause(pause)

    def pause(self, chance: float) -> None:
        """Pause each channel in a cycle with this chance."""
        for channel in (self.aw_channel, self.w_channel, self.b_channel):
            channel.set_pause_generator(pauses(chance))

    def take_one_in(self, cycles: int) -> None:
        """Take a beat in one of so many cycles, with no other pauses."""
        self.pause(0.0)
        self.w_channel.set_pause_generator(itertools.cycle([False, *[True] * (cycles - 1)]))

    async def _write(self, address: int, data: bytes) -> None:
        check_address(address)
        await super()._write(address, data)
