"""Bench of sterna_tape_requester: the requests for random tapes, and when they come."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink

from sterna.spec.tape import ALIGN

PARAMETERS: list[dict[str, int]] = [{}]
# The tapes lie on both sides of 8 GB.
ADDRESS = 0x1_FFFF_FF00
#: Cycles from the end of the last command until a step can be taken, and from its sums.
SETTLED = 6


@dataclass(frozen=True)
class Step:
    """A step by the lines of its payloads; one without WEIGHTS is a TABLE, one without any a move."""

    requant: int = 0
    weights: int = 0
    groups: int = 0

    @property
    def payloads(self) -> int:
        return (self.requant > 0) + (self.weights > 0)

    def end(self, place: int) -> int:
        """Lines before the end of its payloads, if it stands before `place`."""
        return place + self.requant + self.weights + self.payloads


def random_steps(count: int) -> list[Step]:
    """Moves, TABLE and CONV steps."""
    return [
        Step(random.randint(1, 9), random.randint(1, 400), random.choice([1, 1, 2, 3, 8]))
        if random.random() < 0.6
        else random.choice([Step(), Step(32, 0, 1)])
        for _ in range(count)
    ]


class TB(Bench):
    """A tape that is walked step by step."""

    def __init__(self, dut: Any, stall: float) -> None:
        super().__init__(dut)
        command = {"addr": Field(dut.command_addr_o), "bytes": Field(dut.command_bytes_o)}
        self.commands = Sink(Field(dut.command_valid_o), Field(dut.command_ready_i), command, stall)
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self.commands]

    def asked(self) -> list[tuple[int, int]]:
        """First line and the one after the last of each command taken."""
        starts = [(command["addr"] - ADDRESS, command["bytes"]) for command in self.commands.taken]
        return [(start // ALIGN, (start + size) // ALIGN) for start, size in starts]

    async def begin(self, lines: int) -> None:
        """Start on a tape of `lines` lines."""
        self.inputs.pulse("start_i", tape_addr_i=ADDRESS, tape_lines_i=lines)
        await self.step()

    async def take(self, step: Step, place: int) -> None:
        """Offer a step that ends at `place`, and take it."""
        self.inputs.pulse(
            "step_summed_i", has_payload_i=step.payloads > 0, one_group_i=step.groups == 1, tile_groups_i=step.groups,
            weights_lines_i=step.weights, step_end_i=step.end(place),
        )  # fmt: skip
        await self.step(random.choice([2, 2, 7]))
        self.inputs.pulse("step_taken_i")
        await self.step()


async def started(dut: Any, stall: float = 0.0) -> TB:
    tb = TB(dut, stall)
    await tb.start(
        start_i=0, tape_addr_i=ADDRESS, tape_lines_i=0, step_summed_i=0, step_taken_i=0, has_payload_i=0, one_group_i=0,
        tile_groups_i=0, weights_lines_i=0, step_end_i=0,
    )  # fmt: skip
    return tb


@cocotb.test()
@cocotb.parametrize(stall=[0.0, 0.5])
async def asks_for_a_step_ahead(dut: Any, stall: float) -> None:
    """All payloads of a step that is taken, WEIGHTS for every tile group, the next step and the header after it."""
    tb = await started(dut, stall)
    for _ in range(20):
        tb.commands.taken.clear()
        steps = random_steps(random.randint(1, 12))
        lines = 1 + sum(2 + step.end(0) for step in steps)
        await tb.begin(lines)
        place, limit = 3, min(4, lines)
        wanted = [(0, limit)]
        for step in steps:
            await tb.run_until(lambda wanted=wanted: len(tb.asked()) == len(wanted), 500)
            await tb.step(SETTLED)
            assert tb.asked() == wanted
            await tb.take(step, place)
            end, before = step.end(place), limit
            limit = min(end + 3, lines)
            again = [(end - step.weights, end)] * (step.groups - 2)
            if step.groups > 1:
                wanted += [(before, end), *again, (end - step.weights, limit)]
            elif before < limit:
                wanted.append((before, limit))
            place = end + 2
        await tb.run_until(lambda wanted=wanted: len(tb.asked()) == len(wanted), 500)
        await tb.step(2 * SETTLED)
        assert tb.asked() == wanted
        assert limit == lines


@cocotb.test()
async def clear_forgets_the_rest(dut: Any) -> None:
    tb = await started(dut)
    await tb.begin(1000)
    await tb.step(SETTLED)
    await tb.take(Step(1, 10, 5), 3)
    await tb.run_until(lambda: len(tb.commands.taken) == 2, 50)
    await tb.clear()
    await tb.step(4 * SETTLED)
    assert not tb.commands.taken
    await tb.begin(2)
    await tb.step(2 * SETTLED)
    assert tb.asked() == [(0, 2)]
