"""Bench of sterna_first_layer: random first layers on random images against the integer reference."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
import pytest
from numpy.typing import NDArray
from sim.sterna_first_layer.model import FirstLayer, random_layer
from sim.support.behind import Behind
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack, step_word, unpack_signed

from sterna.spec.config import WORD_CHANNELS
from sterna.spec.tape import Pool

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "GeneralRequant": 1, "Filters": 16, "Pieces": 8},
    {"TileH": 3, "TileW": 7, "ActW": 5, "MulW": 12, "FmAddrW": 9, "Filters": 32, "Pieces": 4},
    {"TileH": 13, "TileW": 13, "GeneralRequant": 1, "Filters": 32, "RequantWidth": 8, "Pieces": 4},
]
#: Words of the numbers of a filter.
NUMBERS = 5


class TB(Bench):
    """A source of pieces, the write port, and a memory that collects what is written."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.tile_h, self.tile_w = int(dut.TileH.value), int(dut.TileW.value)
        self.act_w, self.addr_w = int(dut.ActW.value), int(dut.FmAddrW.value)
        self.filters, self.pieces = int(dut.Filters.value), int(dut.Pieces.value)
        self.inputs = Inputs(dut)
        self.numbers = Source(Field(dut.number_valid_i), None, {"word": Field(dut.number_i)}, idle)
        self.ready = Sink(Field(dut.numbers_done_o), None, {})
        self.image = Source(
            Field(dut.piece_valid_i), Field(dut.piece_ready_o), {"pixels": Field(dut.piece_i)}, idle)  # fmt: skip
        self.writes = Sink(Field(dut.write_valid_o), None, {
            "address": Field(dut.write_addr_o), "lanes": Field(dut.write_lanes_o), "row": Field(dut.write_data_o)})
        self.done = Sink(Field(dut.done_o), None, {})
        behind = Behind(dut, stall)
        self.agents = [self.inputs, self.numbers, self.ready, self.image, self.writes, behind, self.done]

    def random_layer(self, height: int, width: int, pooled: bool, filters: int = 0) -> FirstLayer:
        """A layer of so many filters, or of any number that the engine has."""
        return random_layer(
            height, width, filters or random.randint(1, self.filters), pooled, self.act_w,
            int(self.dut.MulW.value), bool(int(self.dut.GeneralRequant.value)),
        )  # fmt: skip

    def any_layer(self) -> FirstLayer:
        """Often of whole tiles in a direction, or of a pixel."""
        pooled = random.random() < 0.5
        least = 2 if pooled else 1
        height = random.choice([least, self.tile_h, random.randint(least, 2 * self.tile_h + 1)])
        width = random.choice([least, 2 * self.tile_w, random.randint(least, self.pieces * self.tile_w)])
        return self.random_layer(height, width, pooled)

    async def fill(self, layer: FirstLayer) -> None:
        """Give the numbers of a layer."""
        self.ready.taken.clear()
        self.inputs.set(numbers_step_i=step_word(**layer.step))
        self.numbers.send({"word": word} for word in layer.numbers(self.filters))
        await self.run_until(lambda: bool(self.ready.taken), 4000)
        assert not self.numbers.queue
        await self.step(3)

    def tiles(self, size: int, tile: int) -> int:
        """Tiles that hold so many rows or columns."""
        return -(-size // tile)

    def begin(self, layer: FirstLayer) -> tuple[int, FirstLayer, NDArray[np.int8]]:
        """Start a random image; returns the map's base, the layer, and the image's activations."""
        _, height, width = layer.graph.info["image"].shape
        most = 1 << self.act_w - 1
        image = np.random.default_rng(random.getrandbits(32)).integers(-most, most, (3, height, width), np.int8)
        for y in range(height):
            for x in range(0, width, self.tile_w):
                part = [*image[:, y, x : x + self.tile_w].T.tolist()]
                part += [[random.randrange(-most, most) for _ in range(3)]] * (self.tile_w - len(part))
                self.image.send([{"pixels": pack([v for p in part for v in (*p, 0)], self.act_w)}])
        channels, rows, cols = layer.map_of(image).shape
        plane = self.tiles(rows, self.tile_h) * self.tiles(cols, self.tile_w)
        words = -(-channels // WORD_CHANNELS)
        base = random.randrange((1 << self.addr_w) - words * plane + 1)
        step = step_word(
            in_full_rows=height // self.tile_h, in_extra_rows=height % self.tile_h,
            in_full_cols=width // self.tile_w, in_extra_cols=width % self.tile_w,
            group_words=words, out_tiles_w=self.tiles(cols, self.tile_w), out_plane=plane,
            pool=Pool.MAX if layer.pooled else Pool.NONE,
        )  # fmt: skip
        self.inputs.pulse("start_i", base_i=base, step_i=step)
        return base, layer, image

    def check(self, base: int, layer: FirstLayer, image: NDArray[np.int8]) -> None:
        """Compare what was written; each pixel is written once."""
        want = layer.map_of(image)
        channels, rows, cols = want.shape
        tiles_h, tiles_w = self.tiles(rows, self.tile_h), self.tiles(cols, self.tile_w)
        memory: dict[tuple[int, int], list[int]] = {}
        for write in self.writes.taken:
            values = unpack_signed(write["row"], self.act_w, WORD_CHANNELS * self.tile_w)
            for lane in range(self.tile_h * self.tile_w):
                if write["lanes"] >> lane & 1:
                    where = write["address"] - base, lane
                    assert where not in memory, f"written twice: {where}"
                    first = lane % self.tile_w * WORD_CHANNELS
                    memory[where] = values[first : first + WORD_CHANNELS]
        assert len(memory) == -(-channels // WORD_CHANNELS) * rows * cols, "another number of pixels"
        for f, y, x in np.ndindex(want.shape):
            word = (f // WORD_CHANNELS * tiles_h + y // self.tile_h) * tiles_w + x // self.tile_w
            got = memory[word, y % self.tile_h * self.tile_w + x % self.tile_w][f % WORD_CHANNELS]
            assert got == want[f, y, x], f"map differs at {f, y, x}: {got} instead of {want[f, y, x]}"
        self.writes.taken.clear()

    async def finish(self) -> int:
        """Run until done; returns the cycles that took, and checks that done comes once, after the last write."""
        self.done.taken.clear()
        cycles = await self.run_until(lambda: bool(self.done.taken), 40000)
        writes = len(self.writes.taken)
        await self.step(5)
        assert len(self.done.taken) == 1 and len(self.writes.taken) == writes and not self.image.queue
        return cycles


async def started(dut: Any, idle: float, stall: float) -> TB:
    tb = TB(dut, idle, stall)
    await tb.start(start_i=0, step_i=0, numbers_step_i=0, base_i=0, write_go_i=0, write_idle_i=1)
    return tb


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.7], stall=[0.0, 0.9])
async def computes_random_layers(dut: Any, idle: float, stall: float) -> None:
    tb = await started(dut, idle, stall)
    for _ in range(5):
        layer = tb.any_layer()
        await tb.fill(layer)
        for _ in range(random.choice([1, 1, 2])):
            move = tb.begin(layer)
            await tb.finish()
            tb.check(*move)


@cocotb.test()
async def computes_two_pixels_a_cycle(dut: Any) -> None:
    """With pooling, but for two columns of each row; without it the requantiser decides."""
    tb = await started(dut, 0.0, 0.0)
    height, width = 2 * tb.tile_h, 4 * tb.tile_w
    groups = tb.filters // int(dut.RequantWidth.value)
    for pooled, pace in ((True, max(1, groups / 2)), (False, max(2, 2 * groups))):
        layer = tb.random_layer(height, width, pooled, tb.filters)
        await tb.fill(layer)
        move = tb.begin(layer)
        cycles = await tb.finish()
        columns = height // 2 * (width + 2)
        words = height // (1 + pooled) * -(-width // (1 + pooled) // tb.tile_w) * (tb.filters // 4 + 2)
        dut._log.info(f"pooled {pooled}: {cycles} cycles for {columns} columns of {height}x{width}, {words} writes")
        assert cycles <= max(columns * pace, words) + 4 * width + 80
        tb.check(*move)


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = await started(dut, 0.2, 0.2)
    for cycles in (3, 40, 200):
        layer = tb.random_layer(2 * tb.tile_h, 2 * tb.tile_w, True)
        tb.numbers.send({"word": word} for word in [*layer.numbers(tb.filters)][:7])
        await tb.step(20)
        await tb.clear()
        await tb.fill(layer)
        tb.begin(layer)
        await tb.step(cycles)
        await tb.clear()
        await tb.step(3)
        assert tb.writes.taken == [] and tb.done.taken == []
        move = tb.begin(layer)
        await tb.finish()
        tb.check(*move)


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = await started(dut, 0.0, 0.0)
    layer = tb.random_layer(4, 6, True)
    await tb.fill(layer)
    base, _, image = tb.begin(layer)
    await tb.finish()
    tb.writes.taken[0]["row"] ^= 1
    with pytest.raises(AssertionError, match="map differs"):
        tb.check(base, layer, image)
