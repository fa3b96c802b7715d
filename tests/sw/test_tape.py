"""The encoder refuses what is no part of a tape, before it works on it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from sterna import _native
from sterna.errors import SternaError


@dataclass
class Work:
    """Two words, an addition in each of two streams."""

    config: tuple[int, ...] = (5, 5, 16, 8)
    streams: int = 2
    tiles_at_once: int = 1
    #: plane, row, col, after
    fetches: list[list[int]] = field(default_factory=lambda: [[0, 0, 0, 0], [1, 0, 0, 0]])
    #: stream, accumulator
    used: list[list[int]] = field(default_factory=lambda: [[0, 0], [1, 15]])
    #: stream, word, channel, accumulator, digit, subtract
    additions: list[list[int]] = field(default_factory=lambda: [[0, 0, 3, 0, 1, 0], [1, 1, 2, 15, 0, 1]])

    def encode(self) -> int:
        """Rounds of the part."""
        arrays = [np.array(rows, np.int64) for rows in (self.fetches, self.used, self.additions)]
        config = _native.EncoderConfig(*self.config)
        return len(_native.encode_part(config, self.streams, self.tiles_at_once, *arrays)[1])


def test_a_part_is_encoded() -> None:
    """A word in each of two rounds, and a doubling two after the first addition."""
    assert Work().encode() == 3


FETCHES = {"plane": 0, "row": 1, "col": 2, "after": 3}
ADDITIONS = {"stream": 0, "word": 1, "channel": 2, "acc_index": 3, "digit": 4, "subtract": 5}


def with_value(array: str, column: int, value: int) -> Work:
    """The last row so changed."""
    work = Work()
    getattr(work, array)[-1][column] = value
    return work


@pytest.mark.parametrize(
    ("work", "message"),
    [
        (Work(config=(0, 5, 16, 8)), "tile_h = 0; allowed: 1 .. 16"),
        (Work(config=(5, 17, 16, 8)), "tile_w = 17; allowed: 1 .. 16"),
        (Work(config=(5, 5, 33, 8)), "accumulators = 33; allowed: 1 .. 32"),
        (Work(config=(5, 5, 16, 4)), "beat_bytes = 4; allowed: 8 .. 128"),
        (Work(streams=1), "streams = 1; allowed: 2 .. "),
        (Work(tiles_at_once=0), "tiles_at_once = 0; allowed: 1 .. "),
        (Work(fetches=[[0, 0, 0, 0]]), "word = 1; allowed: 0 .. 0"),
        (with_value("fetches", FETCHES["plane"], 1 << 24), "plane = 16777216; allowed: 0 .. 16777215"),
        (with_value("fetches", FETCHES["row"], -2049), "row = -2049; allowed: -2048 .. 2048"),
        (with_value("fetches", FETCHES["col"], 2049), "col = 2049; allowed: -2048 .. 2048"),
        (with_value("fetches", FETCHES["after"], 1024), "after = 1024; allowed: 0 .. 1023"),
        (with_value("used", 0, 2), "stream = 2; allowed: 0 .. 1"),
        (with_value("used", 1, 16), "acc_index = 16; allowed: 0 .. 15"),
        (Work(used=[[0, 0], [1, 15], [0, 0]]), "accumulators of one place = 2; allowed: 1 .. 1"),
        (with_value("additions", ADDITIONS["stream"], 2), "stream = 2; allowed: 0 .. 1"),
        (with_value("additions", ADDITIONS["stream"], -1), "stream = -1; allowed: 0 .. 1"),
        (with_value("additions", ADDITIONS["word"], 2), "word = 2; allowed: 0 .. 1"),
        (with_value("additions", ADDITIONS["channel"], 4), "channel = 4; allowed: 0 .. 3"),
        (with_value("additions", ADDITIONS["channel"], -1), "channel = 255; allowed: 0 .. 3"),
        (with_value("additions", ADDITIONS["acc_index"], 16), "acc_index = 16; allowed: 0 .. 15"),
        (with_value("additions", ADDITIONS["acc_index"], 14), "an accumulator that is not used = 1; allowed: 0 .. 0"),
        (with_value("additions", ADDITIONS["digit"], 8), "digit = 8; allowed: 0 .. 7"),
        (with_value("additions", ADDITIONS["digit"], 2), "last word of a digit = 1; allowed: -1 .. -1"),
        (with_value("additions", ADDITIONS["subtract"], 2), "subtract = 2; allowed: 0 .. 1"),
    ],
)
def test_what_is_no_part_is_refused(work: Work, message: str) -> None:
    with pytest.raises(SternaError, match=f"^part of a tape: .*is out of range; .*{message}.*; remedy: give the work"):
        work.encode()


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(SternaError, match="rows of another length; used = 3; allowed: 2"):
        Work(used=[[0, 0, 0], [1, 15, 0]]).encode()
