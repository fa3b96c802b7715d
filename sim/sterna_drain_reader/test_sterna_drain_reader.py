"""Bench of sterna_drain_reader: the steps of random passes against plain loops, with room coming and going."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_cluster.stimulus import Shape, random_command
from sim.sterna_cluster.test_sterna_cluster import pass_fields
from sim.support.streams import Bench, Field, Source

PARAMETERS = [{}, {"Units": 2, "Slots": 4, "FmAddrW": 9}]


class TB(Bench):
    """Passes in, steps out; the halves end in turn."""

    def __init__(self, dut: Any, room: float) -> None:
        super().__init__(dut)
        self.units, self.slots = int(dut.Units.value), int(dut.Slots.value)
        self.address_w = int(dut.FmAddrW.value)
        self.room = room
        self.passes = Source(Field(dut.pass_valid_i), Field(dut.pass_ready_o), pass_fields(dut), 0.2)
        self.ended = 0
        self.freed: list[int] = []
        self.steps: list[dict[str, int]] = []
        self.agents = [self.passes, self]

    def drive(self) -> None:
        """Room at random; a half ends some time after it was freed."""
        if random.random() < 0.2:
            self.ended |= 1 << random.getrandbits(1)
        self.dut.ended_i.value = self.ended
        self.has_room = random.random() < self.room
        self.dut.room_i.value = self.has_room

    def sample(self) -> None:
        """Take down a step."""
        dut = self.dut
        if not dut.step_valid_o.value:
            assert not int(dut.read_o.value)
            assert not int(dut.word_o.value)
            return
        assert self.has_room or not int(dut.word_o.value), "a word was begun without room"
        step = {name: int(getattr(dut, f"step_{name}_o").value)
                for name in ("first", "last", "table", "place", "word", "strobe", "address", "end")}
        half, slot = divmod(int(dut.read_address_o.value), self.slots)
        read = int(dut.read_o.value)
        if read:
            step |= {"unit": read.bit_length() - 1, "slot": slot, "half": half}
            assert read & read - 1 == 0 and self.ended >> half & 1
        free = int(dut.free_o.value)
        if free:
            self.freed.append(free.bit_length() - 1)
            self.ended &= ~free
        self.steps.append(step)

    def expected(self, command: dict[str, int], half: int) -> list[dict[str, int]]:
        """The steps of a pass; a step that reads nothing only ends a word and the pass."""
        if not command["write"]:
            return [{"last": 1, "word": 1, "strobe": 0, "end": 1}]
        steps = []
        phases = 4 if command["pool"] else 1
        for channel in range(command["filters"]):
            for phase in range(phases):
                last = phase == phases - 1
                final = last and channel == command["filters"] - 1
                steps.append({
                    "first": int(phase == 0), "last": int(last),
                    "table": command["table_half"] * self.units * self.slots + channel, "place": channel % 4,
                    "word": int(last and (final or channel % 4 == 3)), "strobe": (2 << channel % 4) - 1,
                    "address": (command["address"] + channel // 4 * command["plane"]) % (1 << self.address_w),
                    "end": int(final), "unit": channel % self.units,
                    "slot": phases * (channel // self.units) + phase, "half": half,
                })
        return steps


@cocotb.test()
@cocotb.parametrize(room=[1.0, 0.4])
async def walks_the_channels(dut: Any, room: float) -> None:
    tb = TB(dut, room)
    await tb.start(ended_i=0, room_i=0)
    shape = Shape(0, tb.units, tb.slots, 0, 8, 20, 18, tb.address_w, 0)
    commands = [random_command(shape, random.getrandbits(1))[0] for _ in range(40)]
    expected = [step for i, command in enumerate(commands) for step in tb.expected(command, i % 2)]
    tb.passes.send(commands)
    await tb.run_until(lambda: len(tb.freed) == len(commands), 20000)
    assert tb.freed == [i % 2 for i in range(len(commands))]
    assert len(tb.steps) == len(expected)
    for index, (got, want) in enumerate(zip(tb.steps, expected, strict=True)):
        assert got.items() >= want.items(), f"step {index}: {got} instead of {want}"
