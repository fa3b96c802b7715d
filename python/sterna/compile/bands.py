"""Operations that run by bands of rows of tiles, as maps lie in scratch memory (docs/explanation/engine/memory.md).

`sw/src/compile/bands.cpp` follows the same rules when it makes the tape.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from sterna.compile.lower import Operation
from sterna.compile.lowered import Lowered


class Held(NamedTuple):
    """Rows of tiles in a buffer: `rows` from `first` on, from the buffer's row `place` on; the last `loads` of them are
    loaded for the band that needs them."""

    first: int
    rows: int
    place: int
    loads: int

    @property
    def end(self) -> int:
        """The row after the last."""
        return self.first + self.rows

    def stay_beside(self, after: Held) -> bool:
        """Whether what is loaded for `after` does not lie where these rows are."""
        first = after.place + after.rows - after.loads
        return first >= self.place + self.rows or first + after.loads <= self.place


@dataclass(frozen=True)
class Needs:
    """Which rows of tiles of its sources an operation needs for those of its map."""

    tile_h: int
    #: Rows of the sources for each row of the map.
    stride: int
    #: Rows of tiles above a window's own, and pixel rows of its lowest tap.
    above: int
    below: int
    #: Rows of tiles of the sources and of the map.
    sources: int
    map: int
    #: What is loaded begins at a multiple of so many rows.
    align: int

    def top(self, row: int) -> int:
        """The first row that row `row` of the map needs."""
        return min(max(row * self.stride - self.above, 0), self.sources - 1)

    def needed(self, first: int, count: int) -> tuple[int, int]:
        """The first of the rows that so many rows of the map need, and how many."""
        end, top = first + count, self.top(first) // self.align * self.align
        lowest = ((end * self.tile_h - 1) * self.stride + self.below) // self.tile_h
        return top, max(min(self.sources - 1, lowest), self.top(end - 1)) - top + 1

    def bands(self, rows: int) -> list[tuple[int, int]]:
        """First row and number of rows of each band of `rows`."""
        return [(first, min(rows, self.map - first)) for first in range(0, self.map, rows)]

    def most(self, rows: int) -> int:
        """The most rows that a band of `rows` needs."""
        return max(self.needed(*band)[1] for band in self.bands(rows))

    def held(self, rows: int, room: int) -> list[Held]:
        """What lies in a buffer of `room` rows for each band of `rows`: behind what the band before needed, of which it
        uses what it can, or from the beginning on."""
        found: list[Held] = []
        for band in self.bands(rows):
            first, count = self.needed(*band)
            found.append(Held(first, count, 0, count))
            if len(found) == 1:
                continue
            before = found[-2]
            place = before.place + first - before.first
            follows = before.first <= first <= before.end and before.end % self.align == 0
            if follows and place + count <= room:
                found[-1] = Held(first, count, place, max(first + count - before.end, 0))
        return found


def of_phases(lowered: Lowered, operation: Operation) -> bool:
    """Whether an operation reads the phases of a map that is split by phase, and makes them."""
    return operation.output in lowered.program.split


def needs(lowered: Lowered, operation: Operation, *, loads: bool) -> Needs:
    """What an operation needs; if it `loads`, the image begins at a beat."""
    config, rows = lowered.config, operation.weights.row
    above = -(int(rows.min(initial=0)) // config.tile_h)
    source = lowered.map_rows(operation.sources[0])
    return Needs(
        config.tile_h, operation.gather_stride, above, int(rows.max(initial=0)), source,
        lowered.map_rows(operation.output), _align(lowered, operation) if loads else 1,
    )  # fmt: skip


def _align(lowered: Lowered, operation: Operation) -> int:
    image = lowered.graph.input
    if lowered.computed_sources(operation) != [image.name]:
        return 1
    beat_bytes = lowered.config.beat_bytes
    return beat_bytes // math.gcd(lowered.config.tile_h * image.width * image.channels, beat_bytes)
