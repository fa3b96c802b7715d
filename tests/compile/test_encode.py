"""Entries, skips and requantisation words."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sterna.compile.encode import encode_pass, requant_payload
from sterna.compile.schedule import Additions, Fetches, Pass, PassWork
from sterna.graph import Requant
from sterna.spec import load_config, tape
from sterna.spec.tape import Command

NANO = load_config("nano").model_copy(update={"block_lines": 512})
END, PAD = 0xC0 | Command.END_PASS, 0xC0 | Command.PAD


def stream_bytes(lines: list[int]) -> bytes:
    """What unit 0 is given when its slot 1 subtracts each of `lines`."""
    index = np.array(lines, np.int64)
    zero = np.zeros_like(index)
    additions = Additions(zero, zero, zero, index, zero + 1, zero == 0, zero)
    fetch = Fetches(np.arange(128), np.zeros(128, np.int64), np.zeros(128, np.int64), np.full(128, 15))
    encoded = encode_pass(NANO, NANO.units, PassWork((fetch,), additions, ((0, 0, 0, 0),)))
    rounds = int(encoded.rounds[0])
    size = NANO.chunk_bytes
    data = encoded.payload[2 * NANO.beat_bytes + 128 * 8 :]
    chunks = [data[at : at + size] for at in range(0, rounds * NANO.units * size, size)][:: NANO.units]
    data_bytes = b"".join(chunks)
    additions = [byte < 0xC0 for byte in data_bytes[: data_bytes.index(END)]]
    waits = sum(first and second for first, second in pairwise(additions))  # all touch one slot
    assert int(encoded.busy[0, 0]) == data_bytes.index(END) + 1 + waits
    return data_bytes


@given(st.lists(st.integers(0, 511), max_size=40))
def test_skips_reach_every_line(lines: list[int]) -> None:
    pointer, met = -1, []
    data = stream_bytes(sorted(lines))
    for byte in data[: data.index(END)]:
        if byte >> 6 != tape.ENTRY_CONTROL:
            pointer += byte >> 6
            met.append(pointer)
            assert byte & 63 == 1 << 1 | 1
        else:
            assert byte & Command.SKIP
            pointer += 1 << (byte & 7)
    assert met == sorted(lines)
    assert set(data[data.index(END) + 1 :]) <= {PAD}


def test_near_lines_need_no_skip() -> None:
    assert stream_bytes([0, 0, 1, 3])[:4] == bytes([0x43, 0x03, 0x43, 0x83])


@given(st.integers(0, 2**18 - 1), st.integers(-(2**45) + 1, 2**45 - 1))
def test_requant_words_keep_both_numbers(multiplier: int, bias: int) -> None:
    requant = Requant(np.array([multiplier]), np.array([bias]), 3, "relu")
    present, absent = np.frombuffer(requant_payload(requant, Pass(np.array([[0, -1]]))), "<u8").tolist()
    bits = tape.REQUANT_MULTIPLIER_BITS
    assert present & ((1 << bits) - 1) == multiplier
    found = present >> bits
    assert found - ((found >> (tape.REQUANT_BIAS_BITS - 1)) << tape.REQUANT_BIAS_BITS) == bias
    assert absent == 0
