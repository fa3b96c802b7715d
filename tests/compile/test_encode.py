"""Entries, skips, the order of additions, and requantisation words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sterna.compile.clock.units import entry_table
from sterna.compile.encode import EncodedPass, encode_pass, requant_payload
from sterna.compile.schedule import Additions, Fetches, Pass, PassWork
from sterna.graph import Requant
from sterna.spec import load_config, tape
from sterna.spec.config import EngineConfig
from sterna.spec.tape import Command
from support.tape_emulator import read_records

NANO = load_config("nano")
CONTROL = tape.ENTRY_CONTROL << 5


def pass_work(lines: int, additions: list[tuple[int, int, int]]) -> PassWork:
    """Additions (stream, line, slot) over `lines` lines, a multiple of four."""
    words = lines // 4
    zero = np.zeros(words, np.int64)
    stream, line, slot = np.array(additions, np.int64).reshape(-1, 3).T
    none = np.zeros_like(stream)
    return PassWork(
        Fetches(np.arange(words), zero, zero, np.full(words, 15), zero),
        Additions(stream, line, slot, none == 0, none),
        ((0, lines - 1, 0),),
    )


def entries_of(config: EngineConfig, work: PassWork) -> tuple[EncodedPass, list[list[int]]]:
    """The encoded pass and each stream's entries; the order of records is checked on the way."""
    encoded = encode_pass(config, config.units, work)
    fetches, entries = read_records(config, encoded.payload, config.units)
    assert len(fetches) == len(work.fetches.mask)
    return encoded, entries


def pointers(config: EngineConfig, encoded: EncodedPass) -> NDArray[np.int64]:
    """The line pointer behind each [round, stream]."""
    advance = entry_table(config)[1]
    return advance[encoded.codes].sum(axis=2).cumsum(axis=0) - 1


@given(st.lists(st.integers(0, 511), max_size=40), st.sampled_from([32, 64, 512]))
def test_skips_reach_every_line(lines: list[int], buffer_lines: int) -> None:
    config = NANO.model_copy(update={"buffer_lines": buffer_lines})
    work = pass_work(512, [(0, line, 1) for line in lines])
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
    assert met == sorted(lines)
    assert pointer == 511
    assert pointers(config, encoded)[-1].tolist() == [511] * NANO.units


def test_near_lines_need_no_skip() -> None:
    _, streams = entries_of(NANO, pass_work(8, [(0, line, 1) for line in (0, 0, 1, 3)]))
    assert streams[0] == [0x23, 0x03, 0x23, 0x43, CONTROL | Command.SKIP | 2, CONTROL | Command.END_PASS]


@pytest.mark.parametrize("density", [0.15, 0.5])
def test_additions_that_touch_one_slot_are_parted(density: float) -> None:
    rng = np.random.default_rng(1)
    stream, line, slot = np.nonzero(rng.random((NANO.units, 512, 16)) < density)
    order = rng.permutation(len(line))
    work = pass_work(512, list(zip(stream[order], line[order], slot[order], strict=True)))
    _, streams = entries_of(NANO, work)
    repeated = sum(
        first < CONTROL and second < CONTROL and first >> 1 & 15 == second >> 1 & 15
        for entries in streams
        for first, second in pairwise(entries)
    )
    assert repeated < 0.01 * len(line)
    for index, entries in enumerate(streams):
        assert added(entries) == sorted(zip(line[stream == index], slot[stream == index], strict=True))


def added(entries: list[int]) -> list[tuple[int, int]]:
    """Sorted (line, slot) of all additions."""
    pointer, found = -1, []
    for entry in entries:
        if entry >= CONTROL:
            pointer += 1 << (entry & 7) if entry & Command.SKIP else 0
            continue
        pointer += entry >> 5
        found.append((pointer, entry >> 1 & 15))
    return sorted(found)


def test_units_with_little_work_wait_for_the_others() -> None:
    """A stream of few entries is spread over the rounds, so that no line is needed before the ring has room for it."""
    rng = np.random.default_rng(2)
    busy = [(0, int(line), int(slot)) for line, slot in zip(*np.nonzero(rng.random((2048, 16)) < 0.3), strict=True)]
    encoded, streams = entries_of(NANO, pass_work(2048, [*busy, (1, 2047, 3), (2, 5, 3)]))
    assert max(len(stream) for stream in streams[1:]) < 100
    places = pointers(NANO, encoded)
    spread = places.max(axis=1) - places.min(axis=1)
    assert spread.max() <= NANO.buffer_lines


@given(st.integers(0, 2**18 - 1), st.integers(-(2**45) + 1, 2**45 - 1))
def test_requant_words_keep_both_numbers(multiplier: int, bias: int) -> None:
    requant = Requant(np.array([multiplier]), np.array([bias]), 3, "relu")
    present, absent = np.frombuffer(requant_payload(requant, Pass(np.array([[0, -1]]))), "<u8").tolist()
    bits = tape.REQUANT_MULTIPLIER_BITS
    assert present & ((1 << bits) - 1) == multiplier
    found = present >> bits
    assert found - ((found >> (tape.REQUANT_BIAS_BITS - 1)) << tape.REQUANT_BIAS_BITS) == bias
    assert absent == 0
