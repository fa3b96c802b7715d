"""The gather as its users see it: windows in, words out, in order."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

from sim.support.streams import Field


class WordReader:
    """Agent at ports `read_*` and `word_*`: answers each window after `latency` cycles.

    `answers` holds the word of a window; a window it lacks gets a random word, which is kept there.
    `stall` is the chance that a cycle takes no window. `ahead`: the word is told by `word_next_i`, in the cycle before.
    """

    def __init__(self, dut: Any, window: str, latency: int, stall: float = 0.0, *, ahead: bool = False) -> None:
        self.read_valid, self.read_ready = Field(dut.read_valid_o), Field(dut.read_ready_i)
        self.window = Field(getattr(dut, window))
        self.told, self.word = Field(dut.word_next_i if ahead else dut.word_valid_i), Field(dut.word_data_i)
        self.ahead = ahead
        self.latency, self.stall = latency, stall
        self.answers: dict[int, int] = {}
        self.windows: list[int] = []
        self._under_way: deque[tuple[int, int]] = deque()
        self._cycle = 0
        self._ready = False

    @property
    def asked(self) -> int:
        """Requested windows."""
        return len(self.windows)

    def clear(self) -> None:
        """Forget what is under way; called right after the design's clear."""
        self.told.write(0)
        self._under_way.clear()
        self.windows.clear()

    def drive(self) -> None:
        self._cycle += 1
        self._ready = random.random() >= self.stall
        self.read_ready.write(self._ready)
        due = self._due(self._cycle)
        self.word.write(self._under_way.popleft()[1] if due else random.getrandbits(self.word.width))
        self.told.write(self._due(self._cycle + 1) if self.ahead else due)

    def _due(self, cycle: int) -> bool:
        return bool(self._under_way) and self._under_way[0][0] == cycle

    def sample(self) -> None:
        if self._ready and self.read_valid.read():
            window = self.window.read()
            word = self.answers.setdefault(window, random.getrandbits(self.word.width))
            self.windows.append(window)
            self._under_way.append((self._cycle + self.latency, word))
