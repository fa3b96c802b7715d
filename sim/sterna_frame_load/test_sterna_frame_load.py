"""Bench of sterna_frame_load: random frames in each layout, and words of scratch memory, against the words that hold
their pixels."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cocotb
import pytest
from sim.support.behind import Behind
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import step_word, unpack

from sterna.spec.tape import INPUT_WORD

PARAMETERS = [
    {"TileH": 5, "TileW": 5, "ActW": 8, "FmAddrW": 12, "DataW": 64},
    {"TileH": 13, "TileW": 13, "ActW": 8, "FmAddrW": 12, "DataW": 1024, "InputTable": 1},
    {"TileH": 3, "TileW": 3, "ActW": 5, "FmAddrW": 8, "DataW": 512, "InputTable": 1},
    {"TileH": 13, "TileW": 7, "ActW": 6, "FmAddrW": 10, "DataW": 256},
    {"TileH": 13, "TileW": 13, "ActW": 8, "FmAddrW": 12, "DataW": 512},
    {"TileH": 3, "TileW": 15, "ActW": 8, "FmAddrW": 10, "DataW": 64, "InputTable": 1},
]
#: Bytes by which a value of an unsigned frame is larger.
GREY = 128
LEVELS = 256
#: Channels of a word that have a table.
TABLES = 3


@dataclass(frozen=True)
class Frame:
    """Rows, columns and channels of a frame, and how its bytes lie; in `scratch` memory they are rows of one tile."""

    height: int
    width: int
    channels: int
    interleaved: bool = False
    unsigned: bool = False
    scratch: bool = False

    @property
    def places(self) -> list[tuple[int, int, int]]:
        """Channel, row and column of each byte in turn."""
        rows, cols, channels = range(self.height), range(self.width), range(self.channels)
        if self.interleaved or self.scratch:
            return [(c, y, x) for y in rows for x in cols for c in channels]
        return [(c, y, x) for c in channels for y in rows for x in cols]


#: Channel, row and column: value.
Image = dict[tuple[int, int, int], int]


class TB(Bench):
    """A source of beats, the write port, and a memory that collects what is written."""

    def __init__(self, dut: Any, idle: float, stall: float) -> None:
        super().__init__(dut)
        self.tile_h, self.tile_w = int(dut.TileH.value), int(dut.TileW.value)
        self.act_w, self.addr_w = int(dut.ActW.value), int(dut.FmAddrW.value)
        self.beat_bytes = int(dut.DataW.value) // 8
        self.inputs = Inputs(dut)
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), {"beat": Field(dut.beat_data_i)}, idle)
        self.writes = Sink(Field(dut.write_valid_o), Field(dut.write_ready_i), {
            "address": Field(dut.write_addr_o), "lanes": Field(dut.write_lanes_o),
            "strobe": Field(dut.write_strobe_o), "row": Field(dut.write_data_o)}, stall)
        self.done = Sink(Field(dut.done_o), None, {})
        self.entries = Source(Field(dut.table_valid_i), None, {"entry": Field(dut.table_data_i)}, idle)
        self.filled = Sink(Field(dut.table_done_o), None, {})
        behind = Behind(dut, stall)
        self.agents = [self.inputs, self.beats, self.writes, behind, self.done, self.entries, self.filled]
        # Of each channel of a word, the activation of each byte of an unsigned frame.
        plain = [value >> 8 - self.act_w for value in range(-GREY, LEVELS - GREY)]
        self.values = [plain] * 4

    async def fill(self, count: int = LEVELS) -> None:
        """Give the first entries of new tables, if there are any."""
        if not int(self.dut.InputTable.value):
            return
        tables = [[random.getrandbits(self.act_w) for _ in range(LEVELS)] for _ in range(TABLES)]
        self.values = [*tables, self.values[TABLES]]
        self.filled.taken.clear()
        self.entries.send({"entry": self.entry(level)} for level in range(count))
        await self.run_until(lambda: bool(self.filled.taken) or not self.entries.queue, 5000)
        assert not self.entries.queue, "done too early"
        await self.step()
        assert len(self.filled.taken) == (count == LEVELS)
        await self.step()

    def entry(self, level: int) -> int:
        """The entry of a byte, in a word with other bits beside it."""
        above = random.getrandbits(8) << self.act_w & 255
        values = {f"channel_{c}": self.values[c][level] | above for c in range(TABLES)}
        return INPUT_WORD.pack(**values) | random.getrandbits(40) << 24

    def random_frame(self) -> Frame:
        """Often of whole tiles in a direction, or less than one."""
        if random.random() < 0.25:
            return self.words_of_scratch(random.randint(1, 6))
        height, width = (random.choice([1, tile, 2 * tile, random.randint(2, 3 * tile)])
                         for tile in (self.tile_h, self.tile_w))
        if random.random() < 0.5:
            return Frame(height, width, 3, True, random.random() < 0.5)
        return Frame(height, width, random.randint(1, 6), False, random.random() < 0.5)

    def words_of_scratch(self, count: int) -> Frame:
        """The layout of the frame memory does not matter to them."""
        layout = random.random() < 0.5, random.random() < 0.5
        return Frame(count * self.tile_h, self.tile_w, 4, *layout, scratch=True)

    def bytes_of(self, frame: Frame, image: Image) -> bytes:
        """The image in memory; each word of scratch memory fills whole beats, with anything after it."""
        data = bytes(value + GREY if frame.unsigned and not frame.scratch else value & 255 for value in image.values())
        if not frame.scratch:
            return data
        size = 4 * self.tile_h * self.tile_w
        return b"".join(data[at : at + size] + random.randbytes(-size % self.beat_bytes)
                        for at in range(0, len(data), size))  # fmt: skip

    def value(self, frame: Frame, channel: int, value: int) -> int:
        """The activation of a value of the image."""
        return (value if frame.scratch else self.values[channel][value + GREY]) & (1 << self.act_w) - 1

    def begin(self, frame: Frame) -> tuple[int, Frame, Image]:
        """Start a move of a random image; returns its base, the frame, and what it holds."""
        most = 1 << (self.act_w if frame.scratch else 8) - 1
        image = {place: random.randrange(-most, most) for place in frame.places}
        data = self.bytes_of(frame, image)
        for at in range(0, len(data), self.beat_bytes):
            beat = data[at : at + self.beat_bytes]
            beat += random.randbytes(self.beat_bytes - len(beat))
            self.beats.send([{"beat": int.from_bytes(beat, "little")}])
        base = random.randrange((1 << self.addr_w) - self.words(frame) + 1)
        step = step_word(
            in_full_rows=frame.height // self.tile_h, in_extra_rows=frame.height % self.tile_h,
            in_full_cols=frame.width // self.tile_w, in_extra_cols=frame.width % self.tile_w,
            filters=1 if frame.scratch else frame.channels, scratch=frame.scratch,
        )  # fmt: skip
        self.inputs.pulse(
            "start_i", base_i=base, step_i=step, interleaved_i=frame.interleaved, unsigned_i=frame.unsigned
        )
        return base, frame, image

    def tiles(self, frame: Frame) -> tuple[int, int]:
        """Rows and columns of tiles."""
        return -(-frame.height // self.tile_h), -(-frame.width // self.tile_w)

    def words(self, frame: Frame) -> int:
        """Feature memory words of the frame."""
        rows, cols = self.tiles(frame)
        return -(-frame.channels // 4) * rows * cols

    def pieces(self, frame: Frame) -> int:
        """Writes that the frame takes."""
        return (1 if frame.interleaved or frame.scratch else frame.channels) * frame.height * self.tiles(frame)[1]

    def check(self, base: int, frame: Frame, image: Image) -> None:
        """Compare what was written; each pixel is written once."""
        memory: dict[tuple[int, int, int], int] = {}
        for write in self.writes.taken:
            for place, value in enumerate(unpack(write["row"], self.act_w, 4 * self.tile_w) * self.tile_h):
                lane, channel = divmod(place, 4)
                if write["lanes"] >> lane & 1 and write["strobe"] >> channel & 1:
                    where = write["address"], lane, channel
                    assert where not in memory, f"written twice: {where}"
                    memory[where] = value
        rows, cols = self.tiles(frame)
        want = {}
        for (c, y, x), value in image.items():
            word = base + (c // 4 * rows + y // self.tile_h) * cols + x // self.tile_w
            lane = y % self.tile_h * self.tile_w + x % self.tile_w
            want[word, lane, c % 4] = self.value(frame, c % 4, value)
            if frame.interleaved and not frame.scratch:
                want[word, lane, 3] = 0
        assert memory == want, "memory differs: " + str(sorted(memory.items() ^ want.items())[:4])
        self.writes.taken.clear()

    async def finish(self) -> int:
        """Run until done; returns the cycles that took, and checks that done comes once, after the last write."""
        self.done.taken.clear()
        cycles = await self.run_until(lambda: bool(self.done.taken), 20000)
        writes = len(self.writes.taken)
        await self.step(5)
        assert len(self.done.taken) == 1 and len(self.writes.taken) == writes and not self.beats.queue
        return cycles


async def started(dut: Any, idle: float, stall: float) -> TB:
    tb = TB(dut, idle, stall)
    await tb.start(start_i=0, write_idle_i=1)
    await tb.fill()
    return tb


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], stall=[0.0, 0.6])
async def loads_random_frames(dut: Any, idle: float, stall: float) -> None:
    tb = await started(dut, idle, stall)
    for number in range(12):
        if number == 6:
            await tb.fill()
        move = tb.begin(tb.random_frame())
        await tb.finish()
        tb.check(*move)


@cocotb.test()
async def writes_a_piece_a_cycle(dut: Any) -> None:
    """Unless the beats are fewer."""
    tb = await started(dut, 0.0, 0.0)
    for frame in (Frame(tb.tile_h, 3 * tb.tile_w, 3, True), Frame(tb.tile_h, 3 * tb.tile_w - 1, 4),
                  tb.words_of_scratch(3)):  # fmt: skip
        move = tb.begin(frame)
        beats = len(tb.beats.queue)
        assert await tb.finish() <= max(tb.pieces(frame), beats) + 20
        tb.check(*move)


@cocotb.test()
async def takes_no_beat_without_a_move(dut: Any) -> None:
    tb = await started(dut, 0.0, 0.0)
    tb.beats.send([{"beat": 1}])
    await tb.step(5)
    assert tb.beats.sent == 0 and tb.writes.taken == []


@cocotb.test()
async def starts_anew_after_clear(dut: Any) -> None:
    tb = await started(dut, 0.2, 0.2)
    for cycles in (2, 7, 30):
        await tb.fill(100)
        await tb.clear()
        await tb.fill()
        tb.begin(Frame(2 * tb.tile_h, 2 * tb.tile_w, 4))
        await tb.step(cycles)
        await tb.clear()
        await tb.step(3)
        assert tb.writes.taken == [] and tb.done.taken == []
        move = tb.begin(tb.random_frame())
        await tb.finish()
        tb.check(*move)


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = await started(dut, 0.0, 0.0)
    base, frame, image = tb.begin(Frame(4, 4, 3, True))
    await tb.finish()
    (channel, _, _), value = random.choice(list(image.items()))
    tb.values[channel] = [*tb.values[channel]]
    tb.values[channel][value + GREY] ^= 1
    with pytest.raises(AssertionError, match="memory differs"):
        tb.check(base, frame, image)
