"""Turns to write a word: who has one may write, and nobody waits for an answer."""

from __future__ import annotations

import random
from typing import Any


class Turns:
    """An agent that gives turns. Checks that words are written in turns alone, each a cycle after it was announced.

    Turns are given a cycle ahead. `stall` is the chance that a cycle is no turn.
    """

    def __init__(self, dut: Any, stall: float) -> None:
        self.dut, self.stall = dut, stall
        self.clear()

    def drive(self) -> None:
        """Choose whether the next cycle is a turn."""
        self.dut.turn_i.value = int(random.random() >= self.stall)

    def sample(self) -> None:
        """Compare what is written with what was announced."""
        assert int(self.dut.write_valid_o.value) == self._announced, "another write than was announced"
        self._announced = int(self.dut.write_next_o.value)
        assert not self._announced or self._has_turn, "a word is written out of turn"
        self._has_turn = int(self.dut.turn_i.value)

    def clear(self) -> None:
        """Nothing is announced."""
        self._announced = self._has_turn = 0
