"""Random passes for a cluster: lines and entries of every kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sim.sterna_cluster.model import Unit
from sim.support.words import pack

from sterna.spec.tape import END_PASS_MAX_SKIP, ENTRY_CONTROL, Command

#: Lines of the ring that the stream leaves to the hardware (docs/engine.md, "Order of records").
MARGIN = 16


@dataclass(frozen=True)
class Shape:
    """The parameters of a cluster."""

    lanes: int
    units: int
    slots: int
    buffer_lines: int
    act_w: int
    acc_w: int
    chunk_bytes: int

    @property
    def slot_bits(self) -> int:
        """Bits of the slot in an entry."""
        return max(4, (self.slots - 1).bit_length())

    @property
    def chunk_entries(self) -> int:
        """Entries of a chunk."""
        return 8 * self.chunk_bytes // (self.slot_bits + 3)

    def command(self, code: int) -> int:
        """A control entry."""
        return ENTRY_CONTROL << self.slot_bits + 1 | code

    def double(self, slot: int) -> int:
        """A DOUBLE entry."""
        return self.command(1 << self.slot_bits | slot)

    def addition(self, skip: int, slot: int) -> int:
        """An entry that adds or subtracts."""
        return skip << self.slot_bits + 1 | slot << 1 | random.getrandbits(1)


@dataclass(frozen=True)
class Round:
    """A chunk for each unit, and how many lines of the pass come before it."""

    chunks: list[int]
    lines: int


@dataclass(frozen=True)
class Pass:
    """All that goes into a pass, and what must come out."""

    lines: list[np.ndarray]  # int[lanes] each
    rounds: list[Round]
    units: list[Unit]  # the accumulators at the end of the pass
    additions: int
    entries: int  # of the unit that has most of them


def random_line(shape: Shape) -> np.ndarray:
    """A line, often with extreme values."""
    limit = 1 << shape.act_w - 1
    if random.random() < 0.1:
        return np.full(shape.lanes, random.choice([-limit, limit - 1]), np.int64)
    return np.array([random.randrange(-limit, limit) for _ in range(shape.lanes)], np.int64)


def random_pass(shape: Shape, entries: int) -> Pass:
    """A pass of up to two rings of lines, with about `entries` entries a unit."""
    count = random.choice([1, 2, random.randint(1, shape.buffer_lines), random.randint(1, 2 * shape.buffer_lines)])
    lines = [random_line(shape) for _ in range(count)]
    units = [Unit(shape.lanes, shape.slots, shape.acc_w) for _ in range(shape.units)]
    streams = [_random_entries(shape, unit, lines, random.randint(0, 2 * entries)) for unit in units]
    additions = sum(unit.additions for unit in units)
    return Pass(lines, _rounds(shape, streams, count), units, additions, max(map(len, streams)))


def dense_pass(shape: Shape, density: float, lines: int) -> Pass:
    """A pass as the compiler makes it: each weight present with chance `density`, line by line, no accumulator
    touched twice running where that can be had, lines half a ring ahead."""
    streams = []
    additions = 0
    for _ in range(shape.units):
        entries: list[tuple[int, int]] = []
        pointer = last = -1
        for line in range(lines):
            slots = [slot for slot in range(shape.slots) if random.random() < density]
            if len(slots) > 1 and slots[0] == last:
                slots.append(slots.pop(0))
            for slot in slots:
                entries += _skips(shape, pointer, line - 2)
                pointer = entries[-1][1] if entries else -1
                entries.append((shape.addition(line - pointer, slot), line))
                pointer, last = line, slot
            additions += len(slots)
        entries += _skips(shape, pointer, lines - 1 - END_PASS_MAX_SKIP)
        pointer = entries[-1][1] if entries else -1
        entries.append((shape.command(Command.END_PASS | lines - 1 - pointer), lines - 1))
        streams.append(entries)
    data = [np.ones(shape.lanes, np.int64)] * lines
    units = [Unit(shape.lanes, shape.slots, shape.acc_w) for _ in streams]
    for unit, stream in zip(units, streams, strict=True):
        for entry, _ in stream:
            unit.apply(entry, data)
    rounds = _rounds(shape, streams, lines, shape.buffer_lines // 2)
    return Pass(data, rounds, units, additions, max(map(len, streams)))


def _skips(shape: Shape, pointer: int, least: int) -> list[tuple[int, int]]:
    """SKIP entries that lead from `pointer` to `least` or beyond by nothing, and the pointer behind each."""
    entries = []
    while pointer < least:
        exponent = min((least - pointer).bit_length() - 1, _widest(shape))
        pointer += 1 << exponent
        entries.append((shape.command(Command.SKIP | exponent), pointer))
    return entries


def _widest(shape: Shape) -> int:
    """The exponent of the widest SKIP."""
    return min(7, (shape.buffer_lines - MARGIN).bit_length() - 1)


def _random_entries(shape: Shape, unit: Unit, lines: list[np.ndarray], count: int) -> list[tuple[int, int]]:
    """Random entries that are legal for `lines`, and the pointer behind each; applies them to `unit`."""
    entries: list[tuple[int, int]] = []

    def append(entry: int) -> None:
        unit.apply(entry, lines)
        entries.append((entry, unit.pointer))

    while len(entries) < count:
        entry = _random_entry(shape, unit, len(lines))
        if unit.fits(entry, lines):
            append(entry)
    least = len(lines) - 1 - random.randint(0, END_PASS_MAX_SKIP)
    for entry, _ in _skips(shape, unit.pointer, least):
        append(entry)
    append(shape.command(Command.END_PASS | len(lines) - 1 - unit.pointer))
    return entries


def _random_entry(shape: Shape, unit: Unit, lines: int) -> int:
    left = lines - 1 - unit.pointer
    slot = random.choice([random.randrange(unit.slots), next(iter(unit.accumulators), 0)])
    choice = random.random()
    if choice < 0.8:
        skips = [skip for skip in (0, 0, 1, 1, 2) if (skip <= left if skip else unit.line is not None)]
        if skips:
            return shape.addition(random.choice(skips), slot)
    if choice < 0.86 and left:
        return shape.command(Command.SKIP | random.randint(0, min(left.bit_length() - 1, _widest(shape))))
    if choice < 0.92 and slot in unit.accumulators:
        return shape.double(slot)
    return shape.command(random.choice([Command.NOP, Command.PAD]))


def _rounds(
    shape: Shape, streams: list[list[tuple[int, int]]], lines: int, ahead: int | None = None
) -> list[Round]:
    """The entries of all units in rounds, and the lines between them, as the order of records allows: `ahead` lines
    more than a round needs, or any number."""
    rounds: list[Round] = []
    places = [0] * len(streams)
    pointers = [-1] * len(streams)
    sent = 0
    while any(place < len(stream) for place, stream in zip(places, streams, strict=True)):
        slowest = min(pointers)
        chunks = []
        for unit, stream in enumerate(streams):
            chunk = list(_chunk(shape, stream[places[unit] :], slowest + shape.buffer_lines - MARGIN))
            places[unit] += len(chunk)
            pointers[unit] = chunk[-1][1] if chunk else pointers[unit]
            chunks.append(_packed(shape, [entry for entry, _ in chunk]))
        needed = max(pointers) + 1
        most = min(lines, slowest + 2 * shape.buffer_lines - MARGIN + 1)
        wanted = [needed, most, random.randint(needed, most)] if ahead is None else [min(needed + ahead, most)]
        sent = max(sent, random.choice(wanted))
        rounds.append(Round(chunks, sent))
    return rounds


def _chunk(shape: Shape, entries: list[tuple[int, int]], limit: int) -> Iterator[tuple[int, int]]:
    """The entries of the next chunk: it ends when it is full, with PAD or END_PASS, before a pointer beyond `limit`."""
    for entry, pointer in entries[: shape.chunk_entries]:
        if pointer > limit:
            return
        yield entry, pointer
        if _drops(shape, entry):
            return


def _drops(shape: Shape, entry: int) -> bool:
    """Whether the rest of the chunk behind `entry` means nothing."""
    return entry == shape.command(Command.PAD) or entry & ~3 == shape.command(Command.END_PASS)


def _packed(shape: Shape, entries: list[int]) -> int:
    """Entries as a chunk; whatever follows a PAD or an end is random."""
    if not entries or (len(entries) < shape.chunk_entries and not _drops(shape, entries[-1])):
        entries = [*entries, shape.command(Command.PAD)]
    bits = shape.slot_bits + 3
    rest = [random.getrandbits(bits) for _ in range(shape.chunk_entries - len(entries))]
    return pack(entries + rest, bits)
