"""Bench of sterna_drain_reader: the steps of random passes against plain loops, with room coming and going."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.sterna_drain.model import PHASES, Part, parts, row_channels
from sim.sterna_drain.stimulus import joined, pass_fields, random_commands, shape_of
from sim.support.streams import Bench, Field, Source

from sterna.spec.tape import Pool

PARAMETERS = [
    {}, {"Clusters": 1, "Pes": 8, "FmAddrW": 9}, {"Pes": 16, "Accumulators": 16},
    {"Clusters": 4, "Pes": 32, "Accumulators": 4},
]


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
                   for name in ("begin", "step", "read", "shift", "cluster", "maximum", "first", "channel", "table",
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
        words = {}  # by cluster, row, whether phases are written, PE of the last channel
        for part in parts(commands, pes):
            size = row_channels(pes, pool)
            phase = (PHASES - 1 if pool else 0) if part.phase is None else part.phase
            for channel in part.channels:
                words[part.cluster, part.row, part.phase is not None, phase * size + channel % size] = (part, channel)
        rows = -(-commands[0]["filters"] // row_channels(pes, pool))
        walks = [(row, kept) for row in range(rows) for kept in ((True, False) if pool == Pool.KEEP else (False,))]
        steps = []
        for row, kept in walks:
            for cluster, command in enumerate(commands):
                for pe in range(pes):
                    begins = pe == cluster == 0
                    step = {"begin": 0, "word": 0, "strobe": 0, "end": 0, "free": 0, "channel": 0, "cluster": cluster,
                            "read": int(begins), "shift": int(not begins)}
                    if begins:
                        step |= {"half": half, "acc_index": row}
                    step |= self.channel(command, pe, kept, words.get((cluster, row, kept, pe)))
                    steps.append(step)
        steps[-len(commands) * pes]["free"] = 1 << half
        steps[-1] |= {"end": 1, "word": 1, "begin": max(steps[-1]["begin"], 1 - steps[-1]["channel"])}
        return steps

    def channel(
        self, command: dict[str, int], pe: int, kept: bool, word: tuple[Part, int] | None
    ) -> dict[str, int]:
        """What the value of a PE counts for."""
        pool, size = command["pool"], row_channels(self.shape.pes, command["pool"])
        step = {"first": int(pool == Pool.NONE or kept or pe < size)}
        if pool != Pool.NONE:
            step["maximum"] = pe % size
        if word is None:
            return step
        part, channel = word
        table = command["table_half"] * self.shape.pes * self.shape.accumulators + channel
        step |= {"channel": 1, "table": table,
                 "begin": int(channel == part.channels[0]), "word": int(channel == part.channels[-1])}
        if step["word"]:
            step |= {"strobe": part.strobe, "address": part.address(command, self.shape.address_w)}
        else:
            del step["word"]
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
    full = shape.accumulators * row_channels(shape.pes, pool)
    tb.passes.send([joined(random_commands(shape, 0, pool=pool, write=1, filters=full))])
    await tb.run_until(lambda: len(tb.freed) == 1, 4000)
    await tb.step(shape.clusters * shape.pes + 2)
    assert len(tb.steps) == shape.accumulators * shape.clusters * shape.pes * (2 if pool == Pool.KEEP else 1)
    assert tb.cycles[-1] - tb.cycles[0] == len(tb.steps) - 1
