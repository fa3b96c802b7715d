"""What a unit computes, written for clarity from docs/engine.md ("Entry")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sterna.spec.tape import ENTRY_CONTROL, Command

Lines = Sequence[np.ndarray]


@dataclass
class Unit:
    """The accumulators and the line pointer of one unit during one pass."""

    lanes: int
    slots: int
    acc_w: int
    accumulators: dict[int, np.ndarray] = field(default_factory=dict)
    pointer: int = -1
    line: np.ndarray | None = None
    additions: int = 0

    @property
    def slot_bits(self) -> int:
        """Bits of the slot in an entry."""
        return max(4, (self.slots - 1).bit_length())

    def split(self, entry: int) -> tuple[int, int]:
        """Skip of `entry`, and the bits below it."""
        return divmod(entry, 2 << self.slot_bits)

    def after(self, entry: int, lines: Lines) -> tuple[int, np.ndarray] | None:
        """Slot and sums that `entry` would give, or None if it is not an addition."""
        skip, low = self.split(entry)
        if skip != ENTRY_CONTROL:
            line = lines[self.pointer + skip] if skip else self.line
            assert line is not None, "an addition before the first line of its pass"
            slot = low >> 1 & self.slots - 1
            old = self.slot(slot)
            return slot, old - line if low & 1 else old + line
        if low >> self.slot_bits:
            slot = low & self.slots - 1
            return slot, 2 * self.accumulators[slot]
        return None

    def fits(self, entry: int, lines: Lines) -> bool:
        """Whether no accumulator overflows with `entry`."""
        result = self.after(entry, lines)
        limit = 1 << self.acc_w - 1
        return result is None or bool((result[1] >= -limit).all() and (result[1] < limit).all())

    def apply(self, entry: int, lines: Lines) -> None:
        """Do what `entry` says."""
        skip, low = self.split(entry)
        result = self.after(entry, lines)
        if result is not None:
            self.accumulators[result[0]] = result[1]
            self.additions += 1
        if skip != ENTRY_CONTROL and skip:
            self.pointer += skip
            self.line = lines[self.pointer]
        elif skip == ENTRY_CONTROL and low & ~7 == Command.SKIP:
            self.pointer += 1 << (low & 7)
            self.line = None
        elif skip == ENTRY_CONTROL and low & ~3 == Command.END_PASS:
            self.pointer += low & 3

    def slot(self, slot: int) -> np.ndarray:
        """The sums in `slot`, zero if it was never touched."""
        return self.accumulators.get(slot, np.zeros(self.lanes, np.int64))
