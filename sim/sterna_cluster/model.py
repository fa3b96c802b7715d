"""What a PE computes, written for clarity from docs/reference/tape.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import ABSENT_SLOT, ENTRY, OPERAND, EntryKind

#: The words of a window by their slots, int[WORD_CHANNELS, lanes] each.
Window = Mapping[int, np.ndarray]
#: Slot and subtract of an operand.
Operand = tuple[int, int]
ABSENT: Operand = (ABSENT_SLOT, 0)


@dataclass(frozen=True)
class Entry:
    """An operation: an operand for each channel of a word."""

    kind: EntryKind
    acc_index: int
    operands: Sequence[Operand] = (ABSENT,) * WORD_CHANNELS
    control: int = 0

    @property
    def word(self) -> int:
        """The entry on the tape."""
        operands = 0
        for channel, (slot, subtract) in enumerate(self.operands):
            operands |= OPERAND.pack(slot=slot, subtract=subtract) << channel * OPERAND.bits
        return ENTRY.pack(operands=operands, acc_index=self.acc_index, kind=self.kind, control=self.control)


def added(entry: Entry, window: Window, lanes: int) -> np.ndarray:
    """The sum of the entry's operands; what is subtracted counts as its bitwise inverse."""
    total = np.zeros(lanes, np.int64)
    for channel, (slot, subtract) in enumerate(entry.operands):
        if slot != ABSENT_SLOT:
            vector = window[slot][channel]
            total += ~vector if subtract else vector
    return total


@dataclass
class Pe:
    """The accumulators of one PE, by their numbers."""

    lanes: int
    acc_w: int
    sums: dict[int, np.ndarray] = field(default_factory=dict)

    def after(self, entry: Entry, number: int, window: Window) -> np.ndarray:
        """What `entry` would make of accumulator `number`."""
        if entry.kind == EntryKind.SET:
            return added(entry, window, self.lanes)
        if entry.kind == EntryKind.DOUBLE:
            return 2 * self.sums[number]
        return self.sums[number] + added(entry, window, self.lanes)

    def fits(self, sums: np.ndarray) -> bool:
        """Whether an accumulator can hold `sums`."""
        limit = 1 << self.acc_w - 1
        return bool((sums >= -limit).all() and (sums < limit).all())

    def accumulator(self, number: int) -> np.ndarray:
        """The sums of accumulator `number`, zero if it was never set."""
        return self.sums.get(number, np.zeros(self.lanes, np.int64))
