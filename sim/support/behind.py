"""The queue behind a part that writes words of a LOAD."""

from __future__ import annotations

import random
from typing import Any

from sim.support.streams import Field


class Behind:
    """An agent that takes what is written, and lets it leave at random times; the part is done when all has left.

    A part with `write_go_i` writes in a cycle after one in which there was room, others when it is `write_ready_i`.
    `slow` is the chance that a cycle has no room, and that nothing leaves in it.
    """

    def __init__(self, dut: Any, slow: float) -> None:
        self.valid, self.done, self.idle = Field(dut.write_valid_o), Field(dut.done_o), Field(dut.write_idle_i)
        self.go = Field(dut.write_go_i) if hasattr(dut, "write_go_i") else None
        self.ready = None if self.go else Field(dut.write_ready_i)
        self.slow = slow
        self.clear()

    def clear(self) -> None:
        """All has left."""
        self.words = 0
        self._goes = self._had_room = False

    def drive(self) -> None:
        """A word may leave, another one may come."""
        self.words -= self.words > 0 and random.random() >= self.slow
        self.idle.write(self.words == 0)
        self._had_room, self._goes = self._goes, random.random() >= self.slow
        if self.go:
            self.go.write(self._goes)

    def sample(self) -> None:
        """Count what comes."""
        assert not (self.done.read() and self.words), "done before the last word has left"
        if self.valid.read() and (self.ready is None or self.ready.read()):
            assert self.ready or self._had_room, "a word is written that there is no room for"
            self.words += 1
