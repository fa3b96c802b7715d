"""Bench of sterna_pixel_rows: random images against the columns that their windows need."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from numpy.typing import NDArray
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack

PARAMETERS = [{"TileW": 5, "Pieces": 4}, {"TileW": 3, "ActW": 5, "Pieces": 16}, {"TileW": 13, "Pieces": 2}]
CHANNELS, ROWS = 3, 4


class TB(Bench):
    """A source of pieces and the columns."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.tile_w, self.act_w, self.pieces = (int(getattr(dut, n).value) for n in ("TileW", "ActW", "Pieces"))
        self.inputs = Inputs(dut)
        self.image = Source(
            Field(dut.piece_valid_i), Field(dut.piece_ready_o), {"piece": Field(dut.piece_i)}, idle)  # fmt: skip
        self.columns = Sink(Field(dut.column_valid_o), Field(dut.column_ready_i), {
            "column": Field(dut.column_o), "output": Field(dut.output_o), "odd": Field(dut.odd_o),
            "second": Field(dut.second_o)}, stall)  # fmt: skip
        self.agents = [self.inputs, self.image, self.columns]

    def begin(self, height: int, width: int, pooled: bool) -> list[dict[str, int]]:
        """Start a random image; returns the columns that must come."""
        most = 1 << self.act_w - 1
        pad = random.randrange(-most, most)
        image = np.random.default_rng(random.getrandbits(32)).integers(-most, most, (height, width, CHANNELS))
        for row in image:
            for x in range(0, width, self.tile_w):
                part = row[x : x + self.tile_w].flatten().tolist()
                part += [random.randrange(-most, most) for _ in range(CHANNELS * self.tile_w - len(part))]
                self.image.send([{"piece": pack(part, self.act_w)}])
        self.inputs.pulse(
            "start_i", rows_i=height, last_piece_i=(width - 1) // self.tile_w,
            last_pixels_i=(width - 1) % self.tile_w + 1, pooled_i=pooled, pad_value_i=pad & (2 * most - 1),
        )  # fmt: skip
        return self.wanted(image, pad, pooled)

    def wanted(self, image: NDArray[np.int64], pad: int, pooled: bool) -> list[dict[str, int]]:
        """Columns of four rows, two rows of the map after the other."""
        height, width, _ = image.shape
        padded = np.pad(image, ((1, 2), (1, 1), (0, 0)), constant_values=pad)
        want = []
        for y in range(0, height - pooled, 2):
            for x in range(-1, width + 1):
                column = padded[y : y + ROWS, x + 1].flatten().tolist()
                second = pooled or y + 1 < height
                want.append({"column": pack(column, self.act_w), "output": x > 0, "odd": (x - 1) % 2 if x > 0 else 0,
                             "second": second})  # fmt: skip
        return want

    async def finish(self, want: list[dict[str, int]]) -> int:
        """Run until all columns came; returns the cycles that took."""
        cycles = await self.run_until(lambda: len(self.columns.taken) >= len(want), 40000)
        await self.step(5)
        got = self.columns.taken
        assert len(got) == len(want), "another number of columns"
        assert not self.image.queue
        for at, (one, other) in enumerate(zip(got, want, strict=True)):
            if not other["output"]:
                one["odd"] = one["second"] = other["odd"] = other["second"] = 0
            assert one == other, f"column {at}"
        self.columns.taken.clear()
        return cycles

    def any_size(self, pooled: bool) -> tuple[int, int]:
        """Often a row, or whole pieces."""
        least = 2 if pooled else 1
        widths = [least, self.tile_w, random.randint(least, self.pieces * self.tile_w)]
        return random.choice([least, random.randint(least, 12)]), random.choice(widths)


async def started(dut: Any, idle: float, stall: float) -> TB:
    tb = TB(dut, idle, stall)
    await tb.start(start_i=0)
    return tb


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.9], stall=[0.0, 0.7])
async def gives_the_columns_of_random_images(dut: Any, idle: float, stall: float) -> None:
    tb = await started(dut, idle, stall)
    for _ in range(12):
        pooled = random.random() < 0.5
        await tb.finish(tb.begin(*tb.any_size(pooled), pooled))


@cocotb.test()
async def gives_a_column_a_cycle(dut: Any) -> None:
    """Once the first rows are there, or a piece as often as one is taken, where that takes longer."""
    tb = await started(dut, 0.0, 0.0)
    row = tb.pieces * (4 if tb.tile_w >= 8 else 2)
    rows = 20
    want = tb.begin(rows, tb.pieces * tb.tile_w, True)
    of_pair = max(len(want) // (rows // 2), 2 * row)
    assert await tb.finish(want) <= 3 * row + rows // 2 * of_pair + 6


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = await started(dut, 0.2, 0.2)
    for cycles in (2, 15, 60):
        tb.begin(12, 2 * tb.tile_w, False)
        await tb.step(cycles)
        await tb.clear()
        await tb.step(5)
        assert tb.columns.taken == []
        await tb.finish(tb.begin(5, tb.tile_w + 1, False))
