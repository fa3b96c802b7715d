"""What a drain writes, written for clarity from docs/reference/tape.md and docs/explanation/engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sim.sterna_cluster.model import Pe

from sterna.spec.activations import Activation
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import REQUANT_MULTIPLIER_BITS, Pool

PHASES = 4


@dataclass(frozen=True)
class Word:
    """A word written to the feature memory: data [lanes][channels that the strobe names]."""

    address: int
    strobe: int
    data: tuple[tuple[int, ...], ...]


def requantise(
    acc: np.ndarray, entry: int, activation: int, shift: int, low: int, high: int, half_even: int
) -> list[int]:
    """Activations of one channel from its accumulators and its 64-bit table entry."""
    multiplier = entry & (1 << REQUANT_MULTIPLIER_BITS) - 1
    bias = entry >> REQUANT_MULTIPLIER_BITS
    bias -= bias >> 45 << 46

    def one(value: int) -> int:
        total = value * multiplier + bias
        eighths = total if activation == Activation.LEAKY and total < 0 else 8 * total
        if activation == Activation.RELU:
            eighths = max(eighths, 0)
        raised = eighths + (4 << shift if shift else 0)
        result = raised >> shift + 3
        if half_even and shift and raised % (8 << shift) == 0:
            result &= ~1
        return min(max(result, low), high)

    return [one(int(value)) for value in acc]


@dataclass(frozen=True)
class Part:
    """The channels of a word, of one cluster, and of one phase if phases are written; all of them are of one row."""

    cluster: int
    row: int
    phase: int | None
    channels: range

    @property
    def word(self) -> int:
        """Number of the word."""
        return self.channels[0] // WORD_CHANNELS

    @property
    def strobe(self) -> int:
        """The places of the channels in the word."""
        return sum(1 << channel % WORD_CHANNELS for channel in self.channels)

    def address(self, command: dict[str, int], address_w: int) -> int:
        """Where it goes, by the pass command of its cluster."""
        address = command["address"] + self.word * command["plane"]
        if self.phase is not None:
            address = command["keep_address"] + (PHASES * self.word + self.phase) * command["plane"]
        return address % (1 << address_w)


def parts(commands: Sequence[dict[str, int]], pes: int) -> Iterator[Part]:
    """What the passes `commands` (fields of `pass_t`), one per cluster of `pes` PEs, write, in order.

    Row by row: with KEEP the words of each phase, then those of the channels, cluster after cluster each time.
    """
    kept = range(PHASES) if commands[0]["pool"] == Pool.KEEP else ()
    for row in range(-(-commands[0]["filters"] // pes)):
        for phase in (*kept, None):
            for cluster, command in enumerate(commands):
                if command["write"]:
                    yield from _parts_of_row(cluster, row, phase, row * pes, min((row + 1) * pes, command["filters"]))


def _parts_of_row(cluster: int, row: int, phase: int | None, first: int, stop: int) -> Iterator[Part]:
    """Channels `first` to `stop` in words."""
    for start in range(first, stop, WORD_CHANNELS):
        yield Part(cluster, row, phase, range(start, min(start + WORD_CHANNELS, stop)))


def sums(pes: Sequence[Pe], pool: int, channel: int) -> list[np.ndarray]:
    """The sums of a channel, which one of the `pes` of a cluster holds: one, or one for each phase. Numbers of
    accumulators are those in the half of the pass."""
    row, pe = divmod(channel, len(pes))
    indices = [row] if pool == Pool.NONE else [PHASES * row + phase for phase in range(PHASES)]
    return [pes[pe].accumulator(index) for index in indices]


def drain(
    clusters: Sequence[Sequence[Pe]], commands: Sequence[dict[str, int]], tables: Sequence[Sequence[int]],
    general: dict[str, int], address_w: int,
) -> list[Word]:
    """The words that draining the PEs of `clusters` writes, in order, with a command and a table for each cluster.

    general: the fields of `general_t`.
    """
    words = []
    for part in parts(commands, len(clusters[0])):
        command, table = commands[part.cluster], tables[part.cluster]
        values = []
        for channel in part.channels:
            phases = sums(clusters[part.cluster], command["pool"], channel)
            acc = np.max(phases, axis=0) if part.phase is None else phases[part.phase]
            values.append(requantise(acc, table[channel], command["activation"], command["shift"], **general))
        words.append(Word(part.address(command, address_w), part.strobe, tuple(zip(*values, strict=True))))
    return words
