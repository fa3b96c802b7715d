"""What a PE computes, written for clarity from docs/reference/tape.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sterna.spec.tape import ENTRY_CONTROL, Command

Vectors = Sequence[np.ndarray]


@dataclass
class Pe:
    """The accumulators and the vector pointer of one PE during one pass."""

    lanes: int
    accumulators: int
    acc_w: int
    sums: dict[int, np.ndarray] = field(default_factory=dict)
    pointer: int = -1
    vector: np.ndarray | None = None
    additions: int = 0

    @property
    def acc_index_w(self) -> int:
        """Bits of the accumulator in an entry."""
        return max(4, (self.accumulators - 1).bit_length())

    def split(self, entry: int) -> tuple[int, int]:
        """Skip of `entry`, and the bits below it."""
        return divmod(entry, 2 << self.acc_index_w)

    def after(self, entry: int, vectors: Vectors) -> tuple[int, np.ndarray] | None:
        """Accumulator and sums that `entry` would give, or None if it is not an addition."""
        skip, low = self.split(entry)
        if skip != ENTRY_CONTROL:
            vector = vectors[self.pointer + skip] if skip else self.vector
            assert vector is not None, "an addition before the first vector of its pass"
            acc_index = low >> 1 & self.accumulators - 1
            old = self.accumulator(acc_index)
            return acc_index, old - vector if low & 1 else old + vector
        if low >> self.acc_index_w:
            acc_index = low & self.accumulators - 1
            return acc_index, 2 * self.sums[acc_index]
        return None

    def fits(self, entry: int, vectors: Vectors) -> bool:
        """Whether no accumulator overflows with `entry`."""
        result = self.after(entry, vectors)
        limit = 1 << self.acc_w - 1
        return result is None or bool((result[1] >= -limit).all() and (result[1] < limit).all())

    def apply(self, entry: int, vectors: Vectors) -> None:
        """Do what `entry` says."""
        skip, low = self.split(entry)
        result = self.after(entry, vectors)
        if result is not None:
            self.sums[result[0]] = result[1]
            self.additions += 1
        if skip != ENTRY_CONTROL and skip:
            self.pointer += skip
            self.vector = vectors[self.pointer]
        elif skip == ENTRY_CONTROL and low & ~7 == Command.SKIP:
            self.pointer += 1 << (low & 7)
            self.vector = None
        elif skip == ENTRY_CONTROL and low & ~3 == Command.END_PASS:
            self.pointer += low & 3

    def accumulator(self, acc_index: int) -> np.ndarray:
        """The sums in `acc_index`, zero if it was never touched."""
        return self.sums.get(acc_index, np.zeros(self.lanes, np.int64))
