"""Entries, skips, the order of additions, and requantisation words."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sterna.compile import compile_graph
from sterna.compile.clock.pes import entry_table
from sterna.graph import Conv, Graph, Input, Output, Requant
from sterna.native import libsterna
from sterna.spec import load_config, tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Command, RecordKind, SegmentKind
from support.tape_emulator import read_records

NANO = load_config("nano")
CONTROL = tape.ENTRY_CONTROL << 5


@dataclass(frozen=True)
class Work:
    """What the PEs do in a part."""

    #: A multiple of four: each fetch word gives so many.
    vectors: int
    #: Stream, vector, accumulator.
    additions: list[tuple[int, int, int]]


@dataclass(frozen=True)
class Encoded:
    """Entries uint8[round, stream, entry] and records int64[record, 2] of a part."""

    codes: NDArray[np.uint8]
    records: NDArray[np.int64]


def entries_of(config: EngineConfig, work: Work) -> tuple[Encoded, list[list[int]]]:
    """The encoded part and each stream's entries; the order of records is checked on the way."""
    words = work.vectors // 4
    zero = np.zeros(words, np.int64)
    stream, vector, acc_index = np.array(work.additions, np.int64).reshape(-1, 3).T.copy()
    payload, codes, records = libsterna.encode_part(
        libsterna.EncoderConfig(
            config.tile_h, config.tile_w, config.buffer_vectors, config.acc_index_w, config.chunk_bytes,
            config.beat_bytes,
        ),
        config.pes,
        [np.arange(words), zero, zero, np.full(words, 15), zero],
        [stream, vector, acc_index, np.zeros_like(stream)],
        np.ones(len(stream), np.uint8),
        [(0, work.vectors - 1, 0)],
    )  # fmt: skip
    fetches, entries = read_records(config, payload, config.pes)
    assert len(fetches) == words
    return Encoded(codes, records), entries


def pointers(config: EngineConfig, encoded: Encoded) -> NDArray[np.int64]:
    """The vector pointer after each [round, stream]."""
    advance = entry_table(config)[1]
    return advance[encoded.codes].sum(axis=2).cumsum(axis=0) - 1


@given(st.lists(st.integers(0, 511), max_size=40), st.sampled_from([32, 64, 512]))
def test_skips_reach_every_vector(vectors: list[int], buffer_vectors: int) -> None:
    config = NANO.model_copy(update={"buffer_vectors": buffer_vectors})
    work = Work(512, [(0, vector, 1) for vector in vectors])
    encoded, streams = entries_of(config, work)
    pointer, met = -1, []
    for entry in streams[0]:
        if entry < CONTROL:
            pointer += entry >> 5
            met.append(pointer)
            assert entry & 31 == 1 << 1 | 1
        elif entry & Command.SKIP:
            pointer += 1 << (entry & 7)
        else:
            pointer += entry & 3
    assert met == sorted(vectors)
    assert pointer == 511
    assert pointers(config, encoded)[-1].tolist() == [511] * NANO.pes


def test_near_vectors_need_no_skip() -> None:
    _, streams = entries_of(NANO, Work(8, [(0, vector, 1) for vector in (0, 0, 1, 3)]))
    assert streams[0] == [0x23, 0x03, 0x23, 0x43, CONTROL | Command.SKIP | 2, CONTROL | Command.END_PASS]


@pytest.mark.parametrize("buffer_vectors", [32, 64, 512])
def test_no_way_over_vectors_takes_fewer_entries(buffer_vectors: int) -> None:
    """Before an addition, and before the end of the part, come as few SKIPs as any sum of their lengths needs."""
    config = NANO.model_copy(update={"buffer_vectors": buffer_vectors})
    longest = buffer_vectors // 4  # of a SKIP
    fewest = [0]
    for distance in range(1, 200):
        powers = [1 << k for k in range(8) if 1 << k <= min(longest, distance)]
        fewest.append(1 + min(fewest[distance - power] for power in powers))

    for end in (0, 1, 2, 3, 4, 5, 7, 31, 65, 191):
        advances = [1, *range(1, 40), 63, 66, 127, 130, 199]
        vectors = np.cumsum(advances) - 1
        total = -(-(int(vectors[-1]) + 1 + end) // 4) * 4
        advances.append(total - 1 - int(vectors[-1]))
        _, streams = entries_of(config, Work(total, [(0, int(vector), 1) for vector in vectors]))
        skips, found = 0, []
        for entry in streams[0]:
            is_skip = entry >= CONTROL and bool(entry & Command.SKIP)
            skips += is_skip
            if not is_skip:
                found.append(skips)
                skips = 0
        own = [(1, 2)] * len(vectors) + [(0, 1, 2, 3)]
        assert found == [
            min(fewest[advance - own_advance] for own_advance in legal if own_advance <= advance)
            for advance, legal in zip(advances, own, strict=True)
        ]


def test_a_repeat_is_separated_within_the_vector_before_if_the_next_has_one_addition() -> None:
    _, streams = entries_of(NANO, Work(4, [(0, 0, 1), (0, 0, 2), (0, 1, 2)]))
    assert [(entry >> 5, entry >> 1 & 15) for entry in streams[0] if entry < CONTROL] == [(1, 2), (0, 1), (1, 2)]


@pytest.mark.parametrize("density", [0.15, 0.5])
def test_additions_to_one_accumulator_are_kept_apart(density: float) -> None:
    rng = np.random.default_rng(1)
    stream, vector, acc_index = np.nonzero(rng.random((NANO.pes, 512, 16)) < density)
    order = rng.permutation(len(vector))
    work = Work(512, list(zip(stream[order], vector[order], acc_index[order], strict=True)))
    _, streams = entries_of(NANO, work)
    repeated = sum(
        first < CONTROL and second < CONTROL and first >> 1 & 15 == second >> 1 & 15
        for entries in streams
        for first, second in pairwise(entries)
    )
    assert repeated < 0.01 * len(vector)
    for index, entries in enumerate(streams):
        assert added(entries) == sorted(zip(vector[stream == index], acc_index[stream == index], strict=True))


def added(entries: list[int]) -> list[tuple[int, int]]:
    """Sorted (vector, accumulator) of all additions."""
    pointer, found = -1, []
    for entry in entries:
        if entry >= CONTROL:
            pointer += 1 << (entry & 7) if entry & Command.SKIP else 0
            continue
        pointer += entry >> 5
        found.append((pointer, entry >> 1 & 15))
    return sorted(found)


def test_pes_with_little_work_wait_for_the_others() -> None:
    """A stream of few entries is spread over the rounds: no vector is needed before the ring has room for it."""
    rng = np.random.default_rng(2)
    busy = [(0, vector, acc_index) for vector, acc_index in np.argwhere(rng.random((2048, 16)) < 0.3).tolist()]
    encoded, streams = entries_of(NANO, Work(2048, [*busy, (1, 2047, 3), (2, 5, 3)]))
    assert max(len(stream) for stream in streams[1:]) < 100
    places = pointers(NANO, encoded)
    spread = places.max(axis=1) - places.min(axis=1)
    assert spread.max() <= NANO.buffer_vectors


@pytest.mark.parametrize("buffer_vectors", [32, 128])
@pytest.mark.parametrize("seed", range(4))
def test_a_round_takes_all_that_the_ring_allows(seed: int, buffer_vectors: int) -> None:
    """A full chunk of each stream, unless an entry would lead its PE beyond the slowest one's vector + R - 16."""
    config = NANO.model_copy(update={"buffer_vectors": buffer_vectors})
    rng = np.random.default_rng(seed)
    density = rng.permutation([0.01, 0.05, 0.3, 0.7])[:, None, None]
    additions = np.stack(np.nonzero(rng.random((config.pes, 512, 4)) < density), 1)
    encoded, streams = entries_of(config, Work(512, additions.tolist()))
    advance = entry_table(config)[1]
    pad, at, places = CONTROL | Command.PAD, [0] * config.pes, [-1] * config.pes
    for codes in encoded.codes:
        limit = min(places) + buffer_vectors - 16
        for pe, entries in enumerate(streams):
            chunk: list[int] = []
            while len(chunk) < config.chunk_entries and at[pe] < len(entries):
                place = places[pe] + int(advance[entries[at[pe]]])
                if place > limit:
                    break
                chunk.append(entries[at[pe]])
                places[pe] = place
                at[pe] += 1
            assert codes[pe].tolist() == chunk + [pad] * (config.chunk_entries - len(chunk))
    assert at == [len(entries) for entries in streams]


def test_fetch_words_come_half_a_ring_ahead() -> None:
    """In groups of 32 words, so the vectors that lie ready before a round are at most so many fewer."""
    config = NANO.model_copy(update={"buffer_vectors": 512})
    vectors = 4096
    encoded, _ = entries_of(
        config, Work(vectors, [(pe, vector, 1) for pe in range(4) for vector in range(vectors)])
    )
    needed = pointers(config, encoded).max(axis=1)
    fetched, at, ahead = 0, 0, list[int]()
    for kind, count in encoded.records.tolist():
        if kind == RecordKind.FETCH:
            fetched += 4 * count
        else:
            ahead += (fetched - 1 - needed[at : at + count]).tolist()
            at += count
    group = 32 * 4
    steady = [vectors_ahead for vectors_ahead, vector in zip(ahead, needed, strict=True) if 2048 <= vector < 3072]
    assert 256 - group <= min(steady) and max(steady) <= 256 + 4


@given(st.integers(0, 2**18 - 1), st.integers(-(2**45) + 1, 2**45 - 1))
def test_requant_words_keep_both_numbers(multiplier: int, bias: int) -> None:
    requant = Requant(np.array([multiplier]), np.array([bias]), 3, "relu")
    conv = Conv("conv", "image", np.ones((1, 1, 1, 1), np.int8), 1, (0, 0, 0, 0), requant, 1.0)
    package = compile_graph(Graph((Input("image", 1, 5, 5, 1.0, 0), conv, Output("out", "conv"))), NANO, cycles=False)
    (payload,) = [each.payload for each in tape.read(package.tape).segments if each.kind is SegmentKind.REQUANT]
    present, *others = np.frombuffer(payload, "<u8").tolist()
    bits = tape.REQUANT_MULTIPLIER_BITS
    assert present & ((1 << bits) - 1) == multiplier
    found = present >> bits
    assert found - ((found >> (tape.REQUANT_BIAS_BITS - 1)) << tape.REQUANT_BIAS_BITS) == bias
    assert not any(others)
