"""Bench of sterna_drain_reader: the steps of random passes against plain loops, with room coming and going."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_drain.model import PHASES, Part, parts
from sim.sterna_drain.stimulus import joined, pass_fields, random_commands, shape_of
from sim.support.streams import Bench, Field, Source

from sterna.spec.tape import Pool

PARAMETERS = [
    {}, {"Clusters": 1, "Pes": 8, "FmAddrW": 9}, {"Pes": 16, "Accumulators": 16},
    {"Clusters": 4, "Pes": 32, "Accumulators": 4},
]  # fmt: skip


class TB(Bench):
    """Passes in, steps out; the halves end in turn."""

    def __init__(self, dut: Any, room: float) -> None:
        super().__init__(dut)
        self.shape = shape_of(dut)
        self.room = room
        fields = pass_fields(dut, self.shape.clusters)
        self.passes = Source(Field(dut.pass_valid_i), Field(dut.pass_ready_o), fields, 0.2)
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
                   for name in ("begin", "step", "read", "shift", "cluster", "place", "first", "channel", "table",
                                "word", "strobe", "address", "end", "read_address", "free")}
        if not outputs["step"]:
            assert not any(outputs[name] for name in ("begin", "read", "shift", "free"))
            return
        assert self.has_room or not outputs["begin"], "a word was begun without room"
        half, acc_index = divmod(outputs["read_address"], self.shape.accumulators)
        outputs |= {"half": half, "acc_index": acc_index}
        assert not outputs["read"] or self.ended >> half & 1
        free = outputs["free"]
        if free:
            self.freed.append(free.bit_length() - 1)
            self.ended &= ~free
        self.steps.append(outputs)
        self.cycles.append(self.cycle)

    def expected(self, commands: list[dict[str, int]], half: int) -> list[dict[str, int]]:
        """The steps of a pass; one that is not written anywhere has two steps, which only end it."""
        if not any(command["write"] for command in commands):
            nothing = {"strobe": 0, "read": 0, "shift": 0}
            return [{"begin": 0, "word": 0, "end": 0, "free": 0} | nothing,
                    {"begin": 1, "word": 1, "end": 1, "free": 1 << half} | nothing]
        pool, pes = commands[0]["pool"], self.shape.pes
        words = {}  # by cluster, phase that is written, channel
        for part in parts(commands, pes):
            words.update({(part.cluster, part.phase, channel): part for channel in part.channels})
        steps = []
        for row in range(-(-commands[0]["filters"] // pes)):
            for kept in (True, False) if pool == Pool.KEEP else (False,):
                for phase in range(PHASES) if pool else (None,):
                    acc_index = row if phase is None else PHASES * row + phase
                    for cluster, command in enumerate(commands):
                        for pe in range(pes):
                            # The maximum is a channel with its last phase.
                            written = phase if kept else None
                            is_channel = kept or phase in (None, PHASES - 1)
                            channel = row * pes + pe
                            part = words.get((cluster, written, channel)) if is_channel else None
                            step = self.place(half, acc_index, cluster, pe)
                            if command["write"] and channel < command["filters"]:
                                step["table"] = command["table_half"] * pes * self.shape.accumulators + channel
                            step["first"] = int(kept or phase in (None, 0))
                            steps.append(step | self.channel(command, part, channel))
        steps[-len(commands) * pes]["free"] = 1 << half
        steps[-1] |= {"end": 1, "word": 1, "begin": max(steps[-1]["begin"], 1 - steps[-1]["channel"])}
        return steps

    def place(self, half: int, acc_index: int, cluster: int, pe: int) -> dict[str, int]:
        """Where in the row a step is; the first one reads it."""
        step = {"end": 0, "free": 0, "cluster": cluster, "place": cluster * self.shape.pes + pe}
        if pe == cluster == 0:
            return step | {"read": 1, "shift": 0, "half": half, "acc_index": acc_index}
        return step | {"read": 0, "shift": 1}

    def channel(self, command: dict[str, int], part: Part | None, channel: int) -> dict[str, int]:
        """What the value of a PE counts for: a channel of the word `part`, or none."""
        if part is None:
            return {"begin": 0, "word": 0, "channel": 0, "strobe": 0}
        step = {"channel": 1, "begin": int(channel == part.channels[0]), "word": int(channel == part.channels[-1])}
        if step["word"]:
            step |= {"strobe": part.strobe, "address": part.address(command, self.shape.address_w)}
        return step


@cocotb.test()
@cocotb.parametrize(room=[1.0, 0.4])
async def walks_the_channels(dut: Any, room: float) -> None:
    tb = TB(dut, room)
    await tb.start(ended_i=0, room_i=0)
    passes = [random_commands(tb.shape, random.getrandbits(1)) for _ in range(60)]
    expected = [step for i, commands in enumerate(passes) for step in tb.expected(commands, i % 2)]
    tb.passes.send(map(joined, passes))
    await tb.run_until(lambda: len(tb.steps) == len(expected), 90000)
    await tb.step(50)
    assert tb.freed == [i % 2 for i in range(len(passes))]
    assert len(tb.steps) == len(expected)
    for index, (got, want) in enumerate(zip(tb.steps, expected, strict=True)):
        if not got["word"]:
            del got["strobe"]
            want.pop("strobe", None)
        assert got.items() >= want.items(), f"step {index}: {got} instead of {want}"


@cocotb.test()
@cocotb.parametrize(pool=list(Pool))
async def steps_every_cycle(dut: Any, pool: Pool) -> None:
    tb = TB(dut, 1.0)
    await tb.start(ended_i=0, room_i=0)
    shape = tb.shape
    full = shape.accumulators * shape.pes // (PHASES if pool else 1)
    tb.passes.send([joined(random_commands(shape, 0, pool=pool, write=1, filters=full))])
    await tb.run_until(lambda: len(tb.freed) == 1, 4000)
    await tb.step(shape.clusters * shape.pes + 2)
    assert len(tb.steps) == shape.accumulators * shape.clusters * shape.pes * (2 if pool == Pool.KEEP else 1)
    assert tb.cycles[-1] - tb.cycles[0] == len(tb.steps) - 1
