"""Bench of sterna_first_collector: random maps, pixel by pixel, against the words that hold them."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from numpy.typing import NDArray
from sim.support.behind import Behind
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack, unpack_signed

from sterna.spec.config import WORD_CHANNELS

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "Filters": 32},
    {"TileH": 3, "TileW": 3, "Filters": 16, "ActW": 5, "Latency": 3},
    {"TileH": 7, "TileW": 13, "Filters": 16, "Width": 4},
]


class Activations:
    """An agent that gives the activations of a group `latency` cycles after it was asked for."""

    def __init__(self, dut: Any, latency: int, act_w: int) -> None:
        self.dut, self.act_w, self.latency = dut, act_w, latency
        self.pixels: deque[list[list[int]]] = deque()
        self.coming: deque[list[int] | None] = deque([None] * (latency - 1))

    def drive(self) -> None:
        """Noise if none was asked for."""
        width = len(self.dut.data_i) // self.act_w
        group = self.coming.popleft() if len(self.coming) >= self.latency else None
        self.dut.data_i.value = pack(group or [random.getrandbits(self.act_w) for _ in range(width)], self.act_w)

    def sample(self) -> None:
        """Take what is asked for."""
        asked = int(self.dut.group_valid_o.value)
        self.coming.append(self.pixels[0][int(self.dut.group_o.value)] if asked else None)
        if int(self.dut.pixel_ready_o.value):
            self.pixels.popleft()

    def clear(self) -> None:
        """Forget what is under way."""
        self.pixels.clear()
        self.coming = deque([None] * (self.latency - 1))


class TB(Bench):
    """Pixels, their activations, and the writes."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        names = ("TileH", "TileW", "Filters", "Width", "ActW", "FmAddrW", "Latency")
        self.tile_h, self.tile_w, self.filters, self.width, self.act_w, self.addr_w, latency = (
            int(getattr(dut, name).value) for name in names
        )
        self.inputs = Inputs(dut)
        self.source = Source(Field(dut.pixel_valid_i), Field(dut.pixel_ready_o), {}, idle)
        self.activations = Activations(dut, latency, self.act_w)
        self.writes = Sink(Field(dut.write_valid_o), None, {
            "address": Field(dut.write_addr_o), "lanes": Field(dut.write_lanes_o), "row": Field(dut.write_data_o)})
        self.done = Sink(Field(dut.done_o), None, {})
        self.agents = [self.inputs, self.source, self.activations, self.writes, Behind(dut, stall), self.done]

    def begin(self, rows: int, cols: int, words: int, pooled: bool) -> tuple[int, int, NDArray[np.int64]]:
        """Start a random map; returns its base, the words of a plane, and it."""
        most = 1 << self.act_w - 1
        shape = WORD_CHANNELS * words, rows, cols
        values = np.random.default_rng(random.getrandbits(32)).integers(-most, most, shape)
        groups = -(-WORD_CHANNELS * words // self.width)
        for y, x in places(rows, cols, pooled):
            pixel = [*values[:, y, x].tolist(), *[0] * (groups * self.width - len(values))]
            self.activations.pixels.append([pixel[g : g + self.width] for g in range(0, len(pixel), self.width)])
            self.source.send([{}])
        tiles_w = -(-cols // self.tile_w)
        plane = -(-rows // self.tile_h) * tiles_w
        base = random.randrange((1 << self.addr_w) - words * plane + 1)
        self.inputs.pulse(
            "start_i", base_i=base, rows_i=rows, cols_i=cols, pooled_i=pooled, words_i=words, tiles_w_i=tiles_w,
            plane_i=plane,
        )  # fmt: skip
        return base, plane, values

    def any_map(self) -> tuple[int, int, int, bool]:
        """Often of whole tiles, a row or a column."""
        rows, cols = (random.choice([1, tile, 2 * tile, random.randint(1, 3 * tile)])
                      for tile in (self.tile_h, self.tile_w))  # fmt: skip
        return rows, cols, random.randint(1, self.filters // WORD_CHANNELS), random.random() < 0.5

    async def finish(self, base: int, plane: int, values: NDArray[np.int64]) -> None:
        """Run until done, and compare what was written; each pixel is written once."""
        self.done.taken.clear()
        await self.run_until(lambda: bool(self.done.taken), 40000)
        count = len(self.writes.taken)
        await self.step(5)
        assert len(self.done.taken) == 1 and len(self.writes.taken) == count and not self.source.queue
        memory = {}
        for write in self.writes.taken:
            row = unpack_signed(write["row"], self.act_w, WORD_CHANNELS * self.tile_w)
            for lane in range(self.tile_h * self.tile_w):
                if write["lanes"] >> lane & 1:
                    for c in range(WORD_CHANNELS):
                        where = write["address"], lane, c
                        assert where not in memory, f"written twice: {where}"
                        memory[where] = row[lane % self.tile_w * WORD_CHANNELS + c]
        tiles_w = -(-values.shape[2] // self.tile_w)
        want = {}
        for c, y, x in np.ndindex(values.shape):
            word = base + c // WORD_CHANNELS * plane + y // self.tile_h * tiles_w + x // self.tile_w
            want[word, y % self.tile_h * self.tile_w + x % self.tile_w, c % WORD_CHANNELS] = int(values[c, y, x])
        assert memory == want, "memory differs: " + str(sorted(memory.items() ^ want.items())[:4])
        self.writes.taken.clear()


def places(rows: int, cols: int, pooled: bool) -> Iterator[tuple[int, int]]:
    """Row and column of each pixel in turn."""
    height = 1 if pooled else 2
    for top in range(0, rows, height):
        for x in range(cols):
            yield from ((y, x) for y in range(top, min(rows, top + height)))


async def started(dut: Any, idle: float, stall: float) -> TB:
    tb = TB(dut, idle, stall)
    await tb.start(start_i=0, write_go_i=0, write_idle_i=1)
    return tb


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.8])
async def writes_random_maps(dut: Any, idle: float, stall: float) -> None:
    tb = await started(dut, idle, stall)
    for _ in range(10):
        await tb.finish(*tb.begin(*tb.any_map()))


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = await started(dut, 0.2, 0.2)
    for cycles in (3, 25, 90):
        tb.begin(2 * tb.tile_h, 2 * tb.tile_w, tb.filters // WORD_CHANNELS, False)
        await tb.step(cycles)
        await tb.clear()
        await tb.step(3)
        assert tb.writes.taken == [] and tb.done.taken == []
        await tb.finish(*tb.begin(*tb.any_map()))
