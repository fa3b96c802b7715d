"""Bench of sterna_drain_reader: the steps of random passes against plain loops, with room coming and going."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_cluster.model import PHASES
from sim.sterna_cluster.stimulus import Shape, random_command
from sim.sterna_cluster.test_sterna_cluster import pass_fields
from sim.support.streams import Bench, Field, Source

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import Pool

PARAMETERS = [{}, {"Units": 2, "Slots": 4, "FmAddrW": 9}, {"Units": 16, "Slots": 16}]


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
        self.cycles: list[int] = []
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
        outputs = {name: int(getattr(dut, f"{name}_o").value)
                   for name in ("begin", "step", "read", "shift", "unit", "first", "channel", "table", "place", "word",
                                "strobe", "address", "end", "read_address", "free")}
        if not outputs["step"]:
            assert not any(outputs[name] for name in ("begin", "read", "shift", "free"))
            return
        assert self.has_room or not outputs["begin"], "a word was begun without room"
        half, slot = divmod(outputs["read_address"], self.slots)
        outputs |= {"half": half, "slot": slot}
        assert not outputs["read"] or self.ended >> half & 1
        free = outputs["free"]
        if free:
            self.freed.append(free.bit_length() - 1)
            self.ended &= ~free
        self.steps.append(outputs)
        self.cycles.append(self.cycle)

    def expected(self, command: dict[str, int], half: int) -> list[dict[str, int]]:
        """The steps of a pass; a step that reads nothing only ends a word and the pass."""
        filters, pool = command["filters"], command["pool"]
        if not command["write"]:
            return [{"begin": 1, "word": 1, "strobe": 0, "end": 1, "read": 0, "shift": 0, "free": 1 << half}]
        steps: list[dict[str, int]] = []
        for row in range(-(-filters // self.units)):
            channels = range(row * self.units, min(filters, (row + 1) * self.units))
            if pool == Pool.NONE:
                steps += self.row(command, half, channels, row, command["address"], command["plane"])
                continue
            slots = [PHASES * row + phase for phase in range(PHASES)]
            if pool == Pool.KEEP:
                for phase, slot in enumerate(slots):
                    base = command["keep_address"] + phase * command["plane"]
                    steps += self.row(command, half, channels, slot, base, PHASES * command["plane"])
            for phase, slot in enumerate(slots):
                steps += self.row(command, half, channels, slot, command["address"], command["plane"],
                                  first=int(phase == 0), channel=int(phase == PHASES - 1))
        final = range((filters - 1) // self.units * self.units, filters)
        steps[-1]["end"] = 1
        steps[-len(final)]["free"] = 1 << half
        return steps

    def row(
        self, command: dict[str, int], half: int, channels: range, slot: int, base: int, word_step: int,
        first: int = 1, channel: int = 1,
    ) -> list[dict[str, int]]:
        """The steps of one row."""
        steps = []
        for unit, number in enumerate(channels):
            word, place = divmod(number, WORD_CHANNELS)
            step = {"unit": unit, "read": int(unit == 0), "shift": int(unit > 0), "first": first, "channel": channel,
                    "half": half, "slot": slot, "end": 0, "free": 0, "begin": 0, "word": 0,
                    "table": command["table_half"] * self.units * self.slots + number, "place": place}
            if channel:
                of_word = [c for c in channels if c // WORD_CHANNELS == word]
                step |= {"begin": int(number == of_word[0]), "word": int(number == of_word[-1]),
                         "address": (base + word * word_step) % (1 << self.address_w)}
            if step["word"]:
                step["strobe"] = sum(1 << c % WORD_CHANNELS for c in of_word)
            if unit:
                del step["slot"], step["half"]
            steps.append(step)
        return steps


@cocotb.test()
@cocotb.parametrize(room=[1.0, 0.4])
async def walks_the_channels(dut: Any, room: float) -> None:
    tb = TB(dut, room)
    await tb.start(ended_i=0, room_i=0)
    shape = Shape(0, tb.units, tb.slots, 0, 8, 20, 18, tb.address_w, 0)
    commands = [random_command(shape, random.getrandbits(1))[0] for _ in range(60)]
    expected = [step for i, command in enumerate(commands) for step in tb.expected(command, i % 2)]
    tb.passes.send(commands)
    await tb.run_until(lambda: len(tb.steps) == len(expected), 90000)
    await tb.step(50)
    assert tb.freed == [i % 2 for i in range(len(commands))]
    assert len(tb.steps) == len(expected)
    for index, (got, want) in enumerate(zip(tb.steps, expected, strict=True)):
        assert got.items() >= want.items(), f"step {index}: {got} instead of {want}"


@cocotb.test()
@cocotb.parametrize(pool=list(Pool))
async def steps_every_cycle(dut: Any, pool: Pool) -> None:
    tb = TB(dut, 1.0)
    await tb.start(ended_i=0, room_i=0)
    shape = Shape(0, tb.units, tb.slots, 0, 8, 20, 18, tb.address_w, 0)
    full = tb.units * tb.slots // (1 if pool == Pool.NONE else PHASES)
    tb.passes.send([random_command(shape, 0, pool=pool, write=1, filters=full)[0]])
    await tb.run_until(lambda: len(tb.freed) == 1, 4000)
    await tb.step(tb.units + 2)
    assert len(tb.steps) == full * {Pool.NONE: 1, Pool.MAX: PHASES, Pool.KEEP: 2 * PHASES}[pool]
    assert tb.cycles[-1] - tb.cycles[0] == len(tb.steps) - 1


@cocotb.test()
@cocotb.parametrize(pool=[Pool.MAX, Pool.KEEP])
async def leaves_a_gap_between_rows_of_one(dut: Any, pool: Pool) -> None:
    tb = TB(dut, 1.0)
    await tb.start(ended_i=0, room_i=0)
    shape = Shape(0, tb.units, tb.slots, 0, 8, 20, 18, tb.address_w, 0)
    tb.passes.send([random_command(shape, 0, pool=pool, write=1, filters=1)[0]])
    await tb.run_until(lambda: len(tb.freed) == 1, 400)
    assert {b - a for a, b in zip(tb.cycles, tb.cycles[1:], strict=False)} == {2}
