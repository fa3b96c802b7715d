"""What a cluster computes, written for clarity from docs/engine.md ("Tape", "Entry", "Requantisation")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import ENTRY_CONTROL, REQUANT_MULTIPLIER_BITS, Activation, Command, Pool

Lines = Sequence[np.ndarray]
PHASES = 4


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
    """The words that draining `units` by the pass `command` (fields of `pass_t`) writes, in order."""
    words: list[Word] = []
    plane = command["plane"]

    def write(channels: range, sums: list[np.ndarray], address: int, step: int) -> None:
        """The words of a row; those of consecutive channel words are `step` apart."""
        values = [requantise(acc, table[channel], command["activation"], command["shift"], act_w)
                  for channel, acc in zip(channels, sums, strict=True)]
        for word in range(channels[0] // WORD_CHANNELS, channels[-1] // WORD_CHANNELS + 1):
            of_word = [i for i, channel in enumerate(channels) if channel // WORD_CHANNELS == word]
            strobe = sum(1 << channels[i] % WORD_CHANNELS for i in of_word)
            data = tuple(zip(*(values[i] for i in of_word), strict=True))
            words.append(Word((address + word * step) % (1 << address_w), strobe, data))

    for first in range(0, command["filters"] if command["write"] else 0, len(units)):
        channels = range(first, min(first + len(units), command["filters"]))
        row = first // len(units)
        used = units[: len(channels)]
        if command["pool"] == Pool.NONE:
            write(channels, [unit.slot(row) for unit in used], command["address"], plane)
            continue
        phases = [[unit.slot(PHASES * row + phase) for unit in used] for phase in range(PHASES)]
        if command["pool"] == Pool.KEEP:
            for phase, sums in enumerate(phases):
                write(channels, sums, command["keep_address"] + phase * plane, PHASES * plane)
        write(channels, list(np.max(phases, axis=0)), command["address"], plane)
    return words
