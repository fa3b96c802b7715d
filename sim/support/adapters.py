"""What the benches of sterna_read_adapter and sterna_write_adapter share."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from sim.support.bursts import BurstMemory, Bytes, ReadMaster, WriteMaster
from sim.support.streams import Bench

#: Parameters: to a narrower bus, a wider one, and one of the same width.
WIDTHS = [
    {"FromDataW": 128, "ToDataW": 64, "ToBeats": 16},
    {"FromDataW": 64, "ToDataW": 256, "ToBeats": 16},
    {"FromDataW": 128, "ToDataW": 128, "ToBeats": 16},
    {"FromDataW": 512, "ToDataW": 128, "ToBeats": 16},
    {"FromDataW": 1024, "ToDataW": 512, "ToBeats": 64},
    {"FromDataW": 128, "ToDataW": 1024, "ToBeats": 32},
]

Master = TypeVar("Master", ReadMaster, WriteMaster)


class AdapterBench(Bench, Generic[Master]):
    """A master, and a memory that both know."""

    def __init__(self, dut: Any, master: type[Master], pause: float) -> None:
        super().__init__(dut)
        self.from_bytes, self.to_bytes = int(dut.FromDataW.value) // 8, int(dut.ToDataW.value) // 8
        self.content = Bytes()
        self.master = master(dut, "s", self.content, self.from_bytes, pause=pause)
        self.memory = BurstMemory(dut, self.content, self.to_bytes, int(dut.ToBeats.value), pause=pause)
        self.agents = [*self.master.agents, *self.memory.agents]
