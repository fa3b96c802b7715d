"""Bench of sterna_pe: random words and operations at the closest legal distances, against plain arrays."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_cluster.stimulus import Cycle, Player, shape_of
from sim.support.streams import Bench

PARAMETERS = [
    {"Lanes": 4},
    {"Lanes": 66, "Accumulators": 4, "ActW": 5, "AccW": 14},
    {"Lanes": 3, "Accumulators": 8, "ActW": 4, "AccW": 8},
]
IDLE = ("word_valid_i", "entry_valid_i", "row_load_i", "row_shift_i")
#: Cycles from a read or a shift to the one in which the row register takes its new value.
ROW_CYCLE = 4


class Operations(Player):
    """Gives words, operations and row steps; checks whether the PE is busy."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut, shape_of(dut), IDLE, ROW_CYCLE)

    def begin(self) -> None:
        """Nothing is known or under way."""
        super().begin()
        self.busy = 0

    def give(self, cycle: Cycle) -> Cycle:
        """All of the cycle."""
        dut = self.dut
        self.give_word(cycle.word)
        self.give_row_step(cycle)
        dut.entry_valid_i.value, dut.half_i.value = cycle.entries is not None, cycle.half
        dut.entry_i.value = random.getrandbits(len(dut.entry_i)) if cycle.entries is None else cycle.entries[0].word
        return cycle

    def sample(self) -> None:
        """Compare the row register, and what the operation of the cycle before says."""
        super().sample()
        assert int(self.dut.busy_o.value) == self.busy
        self.busy = self.given.busy


async def begin(dut: Any) -> tuple[Bench, Operations]:
    """A bench that runs."""
    bench, operations = Bench(dut), Operations(dut)
    bench.agents = [operations]
    await bench.start(**operations.idle)
    return bench, operations


@cocotb.test()
async def equals_the_model(dut: Any) -> None:
    bench, operations = await begin(dut)
    await bench.step(2000)
    operations.stimulus.covered(20)


@cocotb.test()
async def drops_operations_when_cleared(dut: Any) -> None:
    bench, _ = await begin(dut)
    for _ in range(30):
        await bench.step(random.randint(1, 40))
        await bench.clear()
