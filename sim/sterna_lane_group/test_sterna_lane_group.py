"""Bench of sterna_lane_group: random words and operations at the closest legal distances, against plain arrays."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_cluster.stimulus import Cycle, Player, Shape
from sim.support.streams import Bench
from sim.support.words import pack

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import ABSENT_SLOT, EntryKind

PARAMETERS = [
    {"Lanes": 5, "Accumulators": 8, "ActW": 4, "AccW": 12},
    {"Lanes": 64, "Accumulators": 32},
    {"Lanes": 1, "Accumulators": 16, "ActW": 5, "AccW": 32},
]
IDLE = ("word_valid_i", "add_i", "row_load_i", "row_shift_i")
#: Cycles from a read or a shift to the one in which the row register takes its new value.
ROW_CYCLE = 3


class Lanes(Player):
    """Gives a word and the operation of the cycle before, as a PE does."""

    def __init__(self, dut: Any) -> None:
        lanes, accumulators, act_w, acc_w = (
            int(getattr(dut, name).value) for name in ("Lanes", "Accumulators", "ActW", "AccW")
        )
        super().__init__(dut, Shape(lanes, 1, accumulators // 2, act_w, acc_w), IDLE, ROW_CYCLE)

    def begin(self) -> None:
        """Nothing is known or under way."""
        super().begin()
        self.last = Cycle()

    def give(self, cycle: Cycle) -> Cycle:
        """The word, and what else came with the one before."""
        self.give_word(cycle.word)
        operation, self.last = self.last, cycle
        self.dut.row_load_i.value, self.dut.row_shift_i.value = operation.load is not None, operation.shift
        self.give_operation(operation)
        return operation

    def give_operation(self, operation: Cycle) -> None:
        """An addition, a read of the row, or noise."""
        entry = operation.entries[0] if operation.busy and operation.entries else None
        self.dut.add_i.value = entry is not None
        values = {name: random.getrandbits(len(getattr(self.dut, name)))
                  for name in ("slot_i", "subtract_i", "address_i", "zero_i", "double_i")}
        if operation.load is not None:
            absent = pack([ABSENT_SLOT] * WORD_CHANNELS, 5)
            values = {"slot_i": absent, "subtract_i": 0, "address_i": operation.load, "zero_i": 0, "double_i": 0}
        elif entry is not None:
            values = {
                "slot_i": pack([slot for slot, _ in entry.operands], 5),
                "subtract_i": pack([subtract for _, subtract in entry.operands], 1),
                "address_i": operation.half * self.shape.accumulators + entry.acc_index,
                "zero_i": entry.kind == EntryKind.SET,
                "double_i": entry.kind == EntryKind.DOUBLE,
            }
        for name, value in values.items():
            getattr(self.dut, name).value = value


async def begin(dut: Any) -> tuple[Bench, Lanes]:
    """A bench that runs."""
    bench, lanes = Bench(dut), Lanes(dut)
    bench.agents = [lanes]
    await bench.start(**lanes.idle)
    return bench, lanes


@cocotb.test()
async def adds_and_shows(dut: Any) -> None:
    bench, lanes = await begin(dut)
    await bench.step(2000)
    lanes.stimulus.covered(20)


@cocotb.test()
async def drops_operations_when_cleared(dut: Any) -> None:
    bench, _ = await begin(dut)
    for _ in range(30):
        await bench.step(random.randint(1, 40))
        await bench.clear()
