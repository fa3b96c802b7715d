"""What a cluster computes, written for clarity from docs/engine.md ("Tape", "Entry", "Requantisation")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import ENTRY_CONTROL, REQUANT_MULTIPLIER_BITS, Activation, Command

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

    def after(self, entry: int, lines: Lines) -> tuple[int, np.ndarray] | None:
        """Slot and sums that `entry` would give, or None if it is not an addition."""
        skip, low = entry >> 6, entry & 63
        if skip != ENTRY_CONTROL:
            line = lines[self.pointer + skip] if skip else self.line
            assert line is not None, "an addition before the first line of its block"
            slot = low >> 1 & self.slots - 1
            old = self.accumulators.get(slot, np.zeros(self.lanes, np.int64))
            return slot, old - line if low & 1 else old + line
        if low & Command.DOUBLE:
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
        skip, low = entry >> 6, entry & 63
        result = self.after(entry, lines)
        if result is not None:
            self.accumulators[result[0]] = result[1]
            self.additions += 1
        if skip != ENTRY_CONTROL and skip:
            self.pointer += skip
            self.line = lines[self.pointer]
        elif skip == ENTRY_CONTROL and low & ~7 == Command.SKIP:
            self.pointer += 1 << (low & 7)
        elif skip == ENTRY_CONTROL and low in (Command.REWIND, Command.END_BLOCK, Command.END_PASS):
            self.pointer, self.line = -1, None

    def slot(self, slot: int) -> np.ndarray:
        """The sums in `slot`, zero if it was never touched."""
        return self.accumulators.get(slot, np.zeros(self.lanes, np.int64))


@dataclass(frozen=True)
class Word:
    """A word written to the feature memory: data [lanes][channels that the strobe names]."""

    address: int
    strobe: int
    data: tuple[tuple[int, ...], ...]


def requantise(acc: np.ndarray, entry: int, activation: int, shift: int, act_w: int) -> list[int]:
    """Activations of one channel from its accumulators and its 64-bit table entry."""
    multiplier = entry & (1 << REQUANT_MULTIPLIER_BITS) - 1
    bias = entry >> REQUANT_MULTIPLIER_BITS
    bias -= bias >> 45 << 46
    limit = 1 << act_w - 1

    def one(value: int) -> int:
        total = value * multiplier + bias
        if activation == Activation.RELU:
            total = max(total, 0)
        elif activation == Activation.LEAKY and total < 0:
            total >>= 3
        return min(max(total + (1 << shift >> 1) >> shift, -limit), limit - 1)

    return [one(int(value)) for value in acc]


def drain(
    units: Sequence[Unit], command: dict[str, int], table: Sequence[int], act_w: int, address_w: int
) -> list[Word]:
    """The words that draining `units` by the pass `command` (fields of `pass_t`) writes."""
    if not command["write"]:
        return []
    channels = []
    for channel in range(command["filters"]):
        unit, slot = units[channel % len(units)], channel // len(units)
        acc = unit.slot(slot)
        if command["pool"]:
            acc = np.max([unit.slot(4 * slot + phase) for phase in range(4)], axis=0)
        channels.append(requantise(acc, table[channel], command["activation"], command["shift"], act_w))
    words = []
    for index in range(0, len(channels), WORD_CHANNELS):
        group = channels[index : index + WORD_CHANNELS]
        address = command["address"] + index // WORD_CHANNELS * command["plane"]
        words.append(Word(address % (1 << address_w), (1 << len(group)) - 1, tuple(zip(*group, strict=True))))
    return words
