"""The encoder refuses what is no part of a tape, before it works on it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import pytest

from sterna import _native
from sterna.errors import SternaError


@dataclass
class Work:
    """Eight vectors in two fetch words, an addition in each of two streams."""

    config: tuple[int, ...] = (5, 5, 64, 4, 8, 8)
    streams: int = 2
    fetches: dict[str, list[int]] = field(
        default_factory=lambda: {"plane": [0, 1], "row": [0, 0], "col": [0, 0], "mask": [15, 15], "after": [0, 0]}
    )
    additions: dict[str, list[int]] = field(
        default_factory=lambda: {"stream": [0, 1], "vector": [3, 7], "acc_index": [0, 15], "digit": [0, 0]}
    )
    subtract: list[int] = field(default_factory=lambda: [0, 1])
    planes: list[tuple[int, int, int]] = field(default_factory=lambda: [(0, 7, 0)])

    def encode(self) -> int:
        """Rounds of the part."""
        fetches, additions = (
            [np.array(values, np.int64) for values in arrays.values()] for arrays in (self.fetches, self.additions)
        )
        config, subtract = _native.EncoderConfig(*self.config), np.array(self.subtract, np.uint8)
        return len(_native.encode_part(config, self.streams, fetches, additions, subtract, self.planes)[1])


def test_a_part_is_encoded() -> None:
    assert Work().encode() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": (0, 5, 64, 4, 8, 8)}, "tile_h = 0; allowed: 1 .. 16"),
        ({"config": (5, 17, 64, 4, 8, 8)}, "tile_w = 17; allowed: 1 .. 16"),
        ({"config": (5, 5, 16, 4, 8, 8)}, "buffer_vectors = 16; allowed: 32 .. "),
        ({"config": (5, 5, 64, 6, 8, 8)}, "acc_index_w = 6; allowed: 4 .. 5"),
        ({"config": (5, 5, 64, 4, 9, 8)}, "chunk_bytes = 9; allowed: 1 .. 8"),
        ({"config": (5, 5, 64, 4, 8, 0)}, "beat_bytes = 0; allowed: 1 .. 64"),
        ({"streams": 0}, "streams = 0; allowed: 1 .. "),
        ({"plane": [0]}, "values of fetch words = 1; allowed: 2 .. 2"),
        ({"mask": [15, 16]}, "mask = 16; allowed: 0 .. 15"),
        ({"mask": [0, 0]}, "vectors = 0; allowed: 1 .. "),
        ({"after": [0, 1024]}, "after = 1024; allowed: 0 .. 1023"),
        ({"digit": [0]}, "values of additions = 1; allowed: 2 .. 2"),
        ({"stream": [0, 2]}, "stream = 2; allowed: 0 .. 1"),
        ({"stream": [-1, 1]}, "stream = -1; allowed: 0 .. 1"),
        ({"vector": [3, 8]}, "vector = 8; allowed: 0 .. 7"),
        ({"acc_index": [0, 16]}, "acc_index = 16; allowed: 0 .. 15"),
        ({"subtract": [0, 2]}, "subtract = 2; allowed: 0 .. 1"),
        ({"planes": [(0, 8, 0)]}, "last_vector = 8; allowed: 0 .. 7"),
        ({"planes": [(0, 7, 256)]}, "doublings = 256; allowed: 0 .. 255"),
    ],
)
def test_what_is_no_part_is_refused(change: dict[str, object], message: str) -> None:
    work = Work()
    for name, value in change.items():
        arrays = work.fetches if name in work.fetches else work.additions if name in work.additions else None
        if arrays is None:
            work = dataclasses.replace(work, **{name: value})
        else:
            arrays[name] = value  # type: ignore[assignment]
    with pytest.raises(SternaError, match=f"^part of a tape: is out of range; {message}.*; remedy: give the work"):
        work.encode()
