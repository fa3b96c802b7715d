"""Random passes for a cluster: vectors and entries of every kind."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sim.sterna_cluster.model import Pe
from sim.support.words import pack

from sterna.spec.tape import END_PASS_MAX_SKIP, ENTRY_CONTROL, Command

#: Vectors of the ring that the stream leaves to the hardware (docs/reference/tape.md).
MARGIN = 16


@dataclass(frozen=True)
class Shape:
    """The parameters of a cluster."""

    lanes: int
    pes: int
    accumulators: int
    buffer_vectors: int
    act_w: int
    acc_w: int
    chunk_bytes: int

    @property
    def acc_index_w(self) -> int:
        """Bits of the accumulator in an entry."""
        return max(4, (self.accumulators - 1).bit_length())

    @property
    def chunk_entries(self) -> int:
        """Entries of a chunk."""
        return 8 * self.chunk_bytes // (self.acc_index_w + 3)

    def command(self, code: int) -> int:
        """A control entry."""
        return ENTRY_CONTROL << self.acc_index_w + 1 | code

    def double(self, acc_index: int) -> int:
        """A DOUBLE entry."""
        return self.command(1 << self.acc_index_w | acc_index)

    def addition(self, skip: int, acc_index: int) -> int:
        """An entry that adds or subtracts."""
        return skip << self.acc_index_w + 1 | acc_index << 1 | random.getrandbits(1)


@dataclass(frozen=True)
class Round:
    """A chunk for each PE, and how many vectors of the pass come before it."""

    chunks: list[int]
    vectors: int


@dataclass(frozen=True)
class Pass:
    """All that goes into a pass, and what must come out."""

    vectors: list[np.ndarray]  # int[lanes] each
    rounds: list[Round]
    pes: list[Pe]  # the accumulators at the end of the pass
    additions: int
    entries: int  # of the PE that has most of them


def random_vector(shape: Shape) -> np.ndarray:
    """A vector, often with extreme values."""
    limit = 1 << shape.act_w - 1
    if random.random() < 0.1:
        return np.full(shape.lanes, random.choice([-limit, limit - 1]), np.int64)
    return np.array([random.randrange(-limit, limit) for _ in range(shape.lanes)], np.int64)


def random_pass(shape: Shape, entries: int) -> Pass:
    """A pass of up to two rings of vectors, with about `entries` entries a PE."""
    count = random.choice([1, 2, random.randint(1, shape.buffer_vectors), random.randint(1, 2 * shape.buffer_vectors)])
    vectors = [random_vector(shape) for _ in range(count)]
    pes = [Pe(shape.lanes, shape.accumulators, shape.acc_w) for _ in range(shape.pes)]
    streams = [_random_entries(shape, pe, vectors, random.randint(0, 2 * entries)) for pe in pes]
    additions = sum(pe.additions for pe in pes)
    return Pass(vectors, _rounds(shape, streams, count), pes, additions, max(map(len, streams)))


def dense_pass(shape: Shape, density: float, vectors: int) -> Pass:
    """A pass as the compiler makes it: each weight present with chance `density`, vector by vector, no accumulator
    touched twice running where that can be had, vectors half a ring ahead."""
    streams = []
    additions = 0
    for _ in range(shape.pes):
        entries: list[tuple[int, int]] = []
        pointer = last = -1
        for vector in range(vectors):
            accumulators = [acc_index for acc_index in range(shape.accumulators) if random.random() < density]
            if len(accumulators) > 1 and accumulators[0] == last:
                accumulators.append(accumulators.pop(0))
            for acc_index in accumulators:
                entries += _skips(shape, pointer, vector - 2)
                pointer = entries[-1][1] if entries else -1
                entries.append((shape.addition(vector - pointer, acc_index), vector))
                pointer, last = vector, acc_index
            additions += len(accumulators)
        entries += _skips(shape, pointer, vectors - 1 - END_PASS_MAX_SKIP)
        pointer = entries[-1][1] if entries else -1
        entries.append((shape.command(Command.END_PASS | vectors - 1 - pointer), vectors - 1))
        streams.append(entries)
    data = [np.ones(shape.lanes, np.int64)] * vectors
    pes = [Pe(shape.lanes, shape.accumulators, shape.acc_w) for _ in streams]
    for pe, stream in zip(pes, streams, strict=True):
        for entry, _ in stream:
            pe.apply(entry, data)
    rounds = _rounds(shape, streams, vectors, shape.buffer_vectors // 2)
    return Pass(data, rounds, pes, additions, max(map(len, streams)))


def _skips(shape: Shape, pointer: int, least: int) -> list[tuple[int, int]]:
    """SKIP entries that lead from `pointer` to `least` or beyond by nothing, and the pointer after each."""
    entries = []
    while pointer < least:
        exponent = min((least - pointer).bit_length() - 1, _widest(shape))
        pointer += 1 << exponent
        entries.append((shape.command(Command.SKIP | exponent), pointer))
    return entries


def _widest(shape: Shape) -> int:
    """The exponent of the widest SKIP."""
    return min(7, (shape.buffer_vectors - MARGIN).bit_length() - 1)


def _random_entries(shape: Shape, pe: Pe, vectors: list[np.ndarray], count: int) -> list[tuple[int, int]]:
    """Random entries that are legal for `vectors`, and the pointer after each; applies them to `pe`."""
    entries: list[tuple[int, int]] = []

    def append(entry: int) -> None:
        pe.apply(entry, vectors)
        entries.append((entry, pe.pointer))

    while len(entries) < count:
        entry = _random_entry(shape, pe, len(vectors))
        if pe.fits(entry, vectors):
            append(entry)
    least = len(vectors) - 1 - random.randint(0, END_PASS_MAX_SKIP)
    for entry, _ in _skips(shape, pe.pointer, least):
        append(entry)
    append(shape.command(Command.END_PASS | len(vectors) - 1 - pe.pointer))
    return entries


def _random_entry(shape: Shape, pe: Pe, vectors: int) -> int:
    left = vectors - 1 - pe.pointer
    acc_index = random.choice([random.randrange(pe.accumulators), next(iter(pe.sums), 0)])
    choice = random.random()
    if choice < 0.8:
        skips = [skip for skip in (0, 0, 1, 1, 2) if (skip <= left if skip else pe.vector is not None)]
        if skips:
            return shape.addition(random.choice(skips), acc_index)
    if choice < 0.86 and left:
        return shape.command(Command.SKIP | random.randint(0, min(left.bit_length() - 1, _widest(shape))))
    if choice < 0.92 and acc_index in pe.sums:
        return shape.double(acc_index)
    return shape.command(random.choice([Command.NOP, Command.PAD]))


def _rounds(
    shape: Shape, streams: list[list[tuple[int, int]]], vectors: int, ahead: int | None = None
) -> list[Round]:
    """The entries of all PEs in rounds, and the vectors between them, as the order of records allows: `ahead` vectors
    more than a round needs, or any number."""
    rounds: list[Round] = []
    places = [0] * len(streams)
    pointers = [-1] * len(streams)
    sent = 0
    while any(place < len(stream) for place, stream in zip(places, streams, strict=True)):
        slowest = min(pointers)
        chunks = []
        for pe, stream in enumerate(streams):
            chunk = list(_chunk(shape, stream[places[pe] :], slowest + shape.buffer_vectors - MARGIN))
            places[pe] += len(chunk)
            pointers[pe] = chunk[-1][1] if chunk else pointers[pe]
            chunks.append(_packed(shape, [entry for entry, _ in chunk]))
        needed = max(pointers) + 1
        most = min(vectors, slowest + 2 * shape.buffer_vectors - MARGIN + 1)
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
    """Whether the rest of the chunk after `entry` means nothing."""
    return entry == shape.command(Command.PAD) or entry & ~3 == shape.command(Command.END_PASS)


def _packed(shape: Shape, entries: list[int]) -> int:
    """Entries as a chunk; whatever follows a PAD or an end is random."""
    if not entries or (len(entries) < shape.chunk_entries and not _drops(shape, entries[-1])):
        entries = [*entries, shape.command(Command.PAD)]
    bits = shape.acc_index_w + 3
    rest = [random.getrandbits(bits) for _ in range(shape.chunk_entries - len(entries))]
    return pack(entries + rest, bits)
