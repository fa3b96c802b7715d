"""Bench of sterna_line_writer: announced words against the lines of their masks."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS = [{"LineW": 27, "Depth": 4}]


class TB(Bench):
    """Announcements, each followed by its word some cycles later, and the lines."""

    def __init__(self, dut: Any, idle: float, stall: float, late: float) -> None:
        super().__init__(dut)
        self.line_w, self.late = int(dut.LineW.value), late
        self.announced = Source(Field(dut.announce_valid_i), Field(dut.announce_ready_o), {
            "mask": Field(dut.announce_mask_i)}, idle)
        self.lines = Sink(Field(dut.line_valid_o), Field(dut.line_ready_i), {
            "line": Field(dut.line_data_o)}, stall)
        self.agents = [self.announced, self.lines, self]
        self.words: deque[int] = deque()
        self.given = 0

    def send(self, masks: list[int]) -> list[dict[str, int]]:
        """Queue words with these masks; returns their lines."""
        lines = []
        for mask in masks:
            word = random.getrandbits(4 * self.line_w)
            self.words.append(word)
            self.announced.send([{"mask": mask}])
            lines += [
                {"line": word >> (c * self.line_w) & (1 << self.line_w) - 1} for c in range(4) if mask >> c & 1
            ]
        return lines

    def drive(self) -> None:
        """A word comes only after the cycle in which it was announced."""
        due = self.given < self.announced.sent and random.random() >= self.late
        self.dut.word_valid_i.value = due
        self.dut.word_data_i.value = self.words.popleft() if due else random.getrandbits(4 * self.line_w)
        self.given += due

    def sample(self) -> None:
        """Nothing to read."""


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6], late=[0.0, 0.6])
async def gives_the_lines_of_each_mask(dut: Any, idle: float, stall: float, late: float) -> None:
    tb = TB(dut, idle, stall, late)
    await tb.start(word_valid_i=0)
    lines = tb.send([random.randint(1, 15) for _ in range(150)])
    await tb.run_until(lambda: len(tb.lines.taken) == len(lines) and not tb.words, 5000)
    await tb.step(5)
    assert tb.lines.taken == lines


@cocotb.test()
async def gives_a_line_a_cycle(dut: Any) -> None:
    tb = TB(dut, 0.0, 0.0, 0.0)
    await tb.start(word_valid_i=0)
    lines = tb.send([15] * 20)
    assert await tb.run_until(lambda: len(tb.lines.taken) == len(lines), 200) <= len(lines) + 5


@cocotb.test()
async def announces_as_many_as_fit(dut: Any) -> None:
    depth = int(dut.Depth.value)
    tb = TB(dut, 0.0, 1.0, 0.0)
    await tb.start(word_valid_i=0)
    lines = tb.send([15] * 3 * depth)
    await tb.step(5 * depth)
    assert tb.announced.sent == depth
    tb.lines.stall = 0.0
    await tb.run_until(lambda: len(tb.lines.taken) == len(lines), 200)
    assert tb.lines.taken == lines
