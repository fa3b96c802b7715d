"""Bench of sterna_gather: random maps in banks, random windows inside and outside of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cocotb
import pytest
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import as_vectors, gather_word, pack, step_word

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "ActW": 8, "FmAddrW": 12},
    {"TileH": 3, "TileW": 7, "ActW": 5, "FmAddrW": 10},
    {"TileH": 13, "TileW": 15, "ActW": 6, "FmAddrW": 16},
]
LATENCY = 15
READ_LATENCY = 3


@dataclass(frozen=True)
class Map:
    """One channel word of a map: its place, its pixels (word of four channels at [y][x]) and its step."""

    plane: int
    pixels: list[list[int]]
    stride: int
    pad: int

    @property
    def height(self) -> int:
        return len(self.pixels)

    @property
    def width(self) -> int:
        return len(self.pixels[0])


class Banks:
    """Feature memory as the gather sees it: a word in each bank, `READ_LATENCY` cycles after the addresses.

    Words that were never put there are random, and so is what stands at the port between two reads.
    """

    def __init__(self, dut: Any, tile_h: int, tile_w: int, pixel_w: int, addr_w: int) -> None:
        self.tile_h, self.tile_w, self.pixel_w, self.addr_w = tile_h, tile_w, pixel_w, addr_w
        self.asked, self.rows, self.cols = Field(dut.read_valid_o), Field(dut.read_row_o), Field(dut.read_col_o)
        self.data = Field(dut.read_data_i)
        self.words: dict[tuple[int, int, int], int] = {}
        self.coming = [0] * READ_LATENCY

    def put(self, image: Map) -> None:
        """Lay a map out as docs/explanation/engine/memory.md says."""
        tiles_w = -(-image.width // self.tile_w)
        for y, row in enumerate(image.pixels):
            for x, pixel in enumerate(row):
                address = image.plane + y // self.tile_h * tiles_w + x // self.tile_w
                self.words[y % self.tile_h, x % self.tile_w, address] = pixel

    def drive(self) -> None:
        self.data.write(self.coming.pop(0))

    def sample(self) -> None:
        lanes = self.tile_h * self.tile_w
        if not self.asked.read():
            self.coming.append(random.getrandbits(lanes * self.pixel_w))
            return
        mask = (1 << self.addr_w) - 1
        rows = [self.rows.read() >> (y * self.addr_w) & mask for y in range(self.tile_h)]
        cols = [self.cols.read() >> (x * self.addr_w) & mask for x in range(self.tile_w)]
        self.coming.append(pack([self._word(y, x, (rows[y] + cols[x]) & mask) for y in range(self.tile_h)
                                 for x in range(self.tile_w)], self.pixel_w))

    def _word(self, y: int, x: int, address: int) -> int:
        return self.words.get((y, x, address), random.getrandbits(self.pixel_w))


class TB(Bench):
    """The gather, its memory, a source of windows and a model of what each window holds."""

    def __init__(self, dut: Any, idle: float) -> None:
        super().__init__(dut)
        self.tile_h, self.tile_w = int(dut.TileH.value), int(dut.TileW.value)
        self.act_w, self.addr_w = int(dut.ActW.value), int(dut.FmAddrW.value)
        self.pixel_w = 4 * self.act_w
        self.banks = Banks(dut, self.tile_h, self.tile_w, self.pixel_w, self.addr_w)
        self.windows = Source(Field(dut.request_valid_i), Field(dut.request_ready_o),
                              {"window": Field(dut.request_i)}, idle)
        self.plain = Source(Field(dut.plain_valid_i), Field(dut.plain_ready_o), {"window": Field(dut.plain_i)}, idle)
        self.words = Sink(Field(dut.word_valid_o), None,
                          {"word": Field(dut.word_data_o), "plain": Field(dut.word_plain_o)})
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self.banks, self.windows, self.plain, self.words]

    def random_map(self) -> Map:
        """A map of any size from one pixel to a few tiles, somewhere in the memory."""
        height, width = random.randint(1, 3 * self.tile_h + 1), random.randint(1, 3 * self.tile_w + 1)
        words = -(-height // self.tile_h) * -(-width // self.tile_w)
        return Map(
            plane=random.randrange((1 << self.addr_w) - words + 1),
            pixels=[[random.getrandbits(self.pixel_w) for _ in range(width)] for _ in range(height)],
            stride=random.choice((1, 2)),
            pad=random.randint(-(1 << (self.act_w - 1)), (1 << (self.act_w - 1)) - 1),
        )

    async def use(self, image: Map) -> None:
        """Make `image` the map of the step."""
        self.banks.words.clear()
        self.banks.put(image)
        self.inputs.set(step_i=step_word(
            in_full_rows=image.height // self.tile_h, in_extra_rows=image.height % self.tile_h,
            in_full_cols=image.width // self.tile_w, in_extra_cols=image.width % self.tile_w,
            in_tiles_w=-(-image.width // self.tile_w), gather_stride=image.stride, pad_value=image.pad,
        ))
        await self.step()

    def random_window(self, image: Map) -> tuple[int, int]:
        """First row and column of a window, mostly touching the map."""
        return (random.randint(-3 * self.tile_h, image.height + self.tile_h),
                random.randint(-3 * self.tile_w, image.width + self.tile_w))

    def request(self, image: Map, top: int, left: int) -> dict[str, int]:
        """The request for the window that begins at pixel (top, left)."""
        return {"window": gather_word(
            plane=image.plane, tile_row=top // self.tile_h, row=top % self.tile_h,
            tile_col=left // self.tile_w, col=left % self.tile_w,
        )}

    def window(self, image: Map, top: int, left: int) -> dict[str, int]:
        """The word of that window."""
        padding = pack([image.pad] * 4, self.act_w)
        ys = [top + image.stride * i for i in range(self.tile_h)]
        xs = [left + image.stride * i for i in range(self.tile_w)]
        return {"word": as_vectors([image.pixels[y][x] if 0 <= y < image.height and 0 <= x < image.width else padding
                                  for y in ys for x in xs], self.act_w), "plain": 0}

    def ask_plain(self, address: int) -> dict[str, int]:
        """Ask for the word at `address`, somehow rotated; returns it."""
        row, col = random.randrange(self.tile_h), random.randrange(self.tile_w)
        pixels = []
        for lane in range(self.tile_h * self.tile_w):
            y, x = lane // self.tile_w + row, lane % self.tile_w + col
            place = y % self.tile_h, x % self.tile_w, address
            pixels.append(self.banks.words.setdefault(place, random.getrandbits(self.pixel_w)))
        self.plain.send([{"window": gather_word(plane=address, row=row, col=col, tile_row=5, tile_col=-1)}])
        return {"word": as_vectors(pixels, self.act_w), "plain": 1}

    async def expect(self, words: list[dict[str, int]]) -> None:
        """Run until all windows, or all plain words, are answered and compare."""
        await self.run_until(lambda: not self.windows.queue and len(self.words.taken) >= len(words), 5000)
        await self.step(LATENCY + 2)
        self.compare(self.words.taken, words)
        self.words.taken.clear()

    @staticmethod
    def compare(taken: list[dict[str, int]], words: list[dict[str, int]]) -> None:
        """Words that came with those that had to come."""
        assert len(taken) == len(words)
        for i, (got, want) in enumerate(zip(taken, words, strict=True)):
            assert got == want, f"window {i}: {got['word']:x}, not {want['word']:x}"


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5])
async def reads_windows_of_random_maps(dut: Any, idle: float) -> None:
    tb = TB(dut, idle)
    await tb.start(step_i=0)
    for _ in range(8):
        image = tb.random_map()
        await tb.use(image)
        corners = [tb.random_window(image) for _ in range(40)]
        tb.windows.send(tb.request(image, *corner) for corner in corners)
        await tb.expect([tb.window(image, *corner) for corner in corners])


@cocotb.test()
async def reads_every_offset_with_both_strides(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(step_i=0)
    for stride in (1, 2):
        drawn = tb.random_map()
        image = Map(drawn.plane, drawn.pixels, stride, drawn.pad)
        await tb.use(image)
        corners = [(y, random.randrange(tb.tile_w)) for y in range(tb.tile_h)]
        corners += [(random.randrange(tb.tile_h), x) for x in range(tb.tile_w)]
        tb.windows.send(tb.request(image, *corner) for corner in corners)
        await tb.expect([tb.window(image, *corner) for corner in corners])


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5, 0.9], plain_idle=[0.0, 0.5])
async def reads_plain_words_between_windows(dut: Any, idle: float, plain_idle: float) -> None:
    """Of a map with either stride. Windows go first, and no plain word waits once they leave a cycle."""
    tb = TB(dut, idle)
    tb.plain.idle = plain_idle
    await tb.start(step_i=0)
    for _ in range(4):
        image = tb.random_map()
        await tb.use(image)
        corners = [tb.random_window(image) for _ in range(40)]
        windows = [tb.window(image, *corner) for corner in corners]
        plain = [tb.ask_plain(random.randrange(1 << tb.addr_w)) for _ in range(40)]
        tb.windows.send(tb.request(image, *corner) for corner in corners)
        await tb.run_until(lambda: len(tb.words.taken) >= 80, 5000)
        await tb.step(LATENCY + 2)
        taken = [[word for word in tb.words.taken if word["plain"] == kind] for kind in (0, 1)]
        tb.words.taken.clear()
        tb.compare(taken[0], windows)
        tb.compare(taken[1], plain)


@cocotb.test()
async def reads_plain_words_while_the_step_changes(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(step_i=0)
    words = [tb.ask_plain(random.randrange(1 << tb.addr_w)) for _ in range(40)]
    for _ in range(40):
        tb.inputs.set(step_i=step_word(
            gather_stride=random.choice((1, 2)), in_tiles_w=random.getrandbits(8), pad_value=random.randint(-8, 7)
        ))
        await tb.step()
    await tb.expect(words)


@cocotb.test()
async def a_plain_word_waits_for_no_more_than_the_windows(dut: Any) -> None:
    """It comes a cycle after a window that is asked for with it, and a cycle later for each other one."""
    tb = TB(dut, 0.0)
    await tb.start(step_i=0)
    image = tb.random_map()
    await tb.use(image)
    for count in range(4):
        word = tb.ask_plain(3)
        tb.windows.send([tb.request(image, 0, 0)] * count)
        cycles = await tb.run_until(lambda: any(each["plain"] for each in tb.words.taken), 100)
        assert word in tb.words.taken
        assert cycles == LATENCY + 1 + max(1, count)
        assert len(tb.words.taken) == count + 1
        tb.words.taken.clear()


@cocotb.test()
async def answers_after_a_fixed_time(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(step_i=0)
    image = tb.random_map()
    await tb.use(image)
    tb.windows.send([tb.request(image, 0, 0)] * 50)
    assert await tb.run_until(lambda: len(tb.words.taken) == 1, 100) == LATENCY + 1
    assert await tb.run_until(lambda: len(tb.words.taken) == 50, 100) == 49


@cocotb.test()
async def forgets_requests_when_cleared(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(step_i=0)
    image = tb.random_map()
    await tb.use(image)
    for cycles in range(1, LATENCY):
        tb.windows.send([tb.request(image, 0, 0)] * LATENCY)
        await tb.step(cycles)
        await tb.clear()
        await tb.step(LATENCY + 2)
        assert tb.words.taken == []


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start(step_i=0)
    image = tb.random_map()
    await tb.use(image)
    tb.windows.send([tb.request(image, 0, 0)])
    wrong = tb.window(image, 0, 0)
    wrong |= {"word": wrong["word"] ^ 1 << random.randrange(len(dut.word_data_o))}
    with pytest.raises(AssertionError, match="window 0"):
        await tb.expect([wrong])
