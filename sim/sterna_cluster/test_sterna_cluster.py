"""Bench of sterna_cluster: random words and rounds against the model; words come late and go early."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
import numpy as np
from sim.sterna_cluster.stimulus import Cycle, Player, shape_of
from sim.support.streams import Bench
from sim.support.words import pack

from sterna.spec.tape import ENTRY

PARAMETERS = [
    {"Lanes": 9},
    {"Lanes": 66, "Pes": 8, "Accumulators": 4, "ActW": 4, "AccW": 12, "Delay": 18},
    {"Lanes": 3, "Pes": 16, "Accumulators": 8, "ActW": 5, "AccW": 32, "Delay": 20},
]
IDLE = ("word_valid_i", "round_valid_i", "row_load_i", "row_shift_i")
#: Cycles from when a row step leaves the delay to the one in which the row registers take their new values.
ROW_CYCLE = 4
#: Cycles from when a round leaves the delay until its operations are counted.
BUSY_CYCLE = 2


class Rounds(Player):
    """Gives rounds and row steps, and the words that come meanwhile; checks the count of operations."""

    def __init__(self, dut: Any) -> None:
        self.delay = int(dut.Delay.value)
        super().__init__(dut, shape_of(dut), IDLE, self.delay + ROW_CYCLE)

    def begin(self) -> None:
        """Nothing is known or under way."""
        super().begin()
        self.busy = deque([0] * (self.delay + BUSY_CYCLE))
        # A word comes to the PEs at once, a round after `delay`: what is to meet there comes so far apart.
        self.words: deque[tuple[int, np.ndarray] | None] = deque([None] * self.delay)

    def give(self, cycle: Cycle) -> Cycle:
        """The round or row step, and the word of an earlier cycle."""
        dut = self.dut
        self.words.append(cycle.word)
        self.give_word(self.words.popleft())
        self.give_row_step(cycle)
        dut.round_valid_i.value, dut.half_i.value = cycle.entries is not None, cycle.half
        noise = random.getrandbits(len(dut.round_i))
        dut.round_i.value = pack([e.word for e in cycle.entries], ENTRY.bits) if cycle.entries else noise
        return cycle

    def sample(self) -> None:
        """Compare the first row register and the count."""
        super().sample()
        self.busy.append(self.given.busy)
        assert int(self.dut.busy_o.value) == self.busy.popleft()


async def begin(dut: Any) -> tuple[Bench, Rounds]:
    """A bench that runs."""
    bench, rounds = Bench(dut), Rounds(dut)
    bench.agents = [rounds]
    await bench.start(**rounds.idle)
    return bench, rounds


@cocotb.test()
async def equals_the_model(dut: Any) -> None:
    bench, rounds = await begin(dut)
    await bench.step(1500)
    rounds.stimulus.covered(10)


@cocotb.test()
async def drops_what_is_on_its_way_when_cleared(dut: Any) -> None:
    bench, rounds = await begin(dut)
    for _ in range(12):
        await bench.step(random.randint(1, 3 * rounds.delay))
        await bench.clear()
