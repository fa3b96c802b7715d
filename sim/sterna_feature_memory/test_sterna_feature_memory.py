"""Bench of sterna_feature_memory: random writes of all requesters, random reads, against plain dictionaries."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import cocotb
import pytest
from sim.support.streams import Bench, Field, Source
from sim.support.words import pack, unpack

PARAMETERS = [
    {"TileH": 3, "TileW": 5, "Drains": 2, "FmWords": 64, "ActW": 8},
    {"TileH": 7, "TileW": 3, "Drains": 4, "FmWords": 100, "ActW": 5},
    {"TileH": 3, "TileW": 3, "Drains": 1, "FmWords": 4096, "ActW": 4},
]
READ_LATENCY = 3


class Model:
    """What each bank holds. A write is seen by every read that is asked for in a later cycle."""

    def __init__(self, lanes: int, words: int, pixel_w: int, act_w: int) -> None:
        self.lanes, self.pixel_w, self.act_w = lanes, pixel_w, act_w
        self.banks = [[0] * words for _ in range(lanes)]
        self.fresh: set[tuple[int, int]] = set()

    def write(self, address: int, enabled: int, strobe: int, word: int) -> None:
        """Write the channels of `strobe` of the lanes `enabled`."""
        channels = pack([-(strobe >> c & 1) for c in range(4)], self.act_w)
        for lane, pixel in enumerate(unpack(word, self.pixel_w, self.lanes)):
            if enabled >> lane & 1:
                self.banks[lane][address] = self.banks[lane][address] & ~channels | pixel & channels
                self.fresh.add((lane, address))


class TB(Bench):
    """Writers, a reader, and the model, which the reads are compared with as they come."""

    def __init__(self, dut: Any, idle: float) -> None:
        super().__init__(dut)
        self.tile_h, self.tile_w = int(dut.TileH.value), int(dut.TileW.value)
        self.words, self.drains = int(dut.FmWords.value), int(dut.Drains.value)
        self.lanes, self.act_w = self.tile_h * self.tile_w, int(dut.ActW.value)
        self.addr_w = (self.words - 1).bit_length()
        self.model = Model(self.lanes, self.words, 4 * self.act_w, self.act_w)
        self.writers = [
            Source(Field(dut.write_valid_i, c, 1), Field(dut.write_ready_o, c, 1), {
                "address": Field(dut.write_addr_i[c]), "strobe": Field(dut.write_strobe_i[c])}, idle,
                {"word": Field(dut.write_data_i[c])}, Field(dut.write_next_i, c, 1))
            for c in range(self.drains)
        ]
        self.load = Source(Field(dut.load_valid_i), Field(dut.load_ready_o), {
            "address": Field(dut.load_addr_i), "lanes": Field(dut.load_lanes_i),
            "strobe": Field(dut.load_strobe_i), "row": Field(dut.load_data_i)}, idle, None, Field(dut.load_next_i))
        self.agents = [*self.writers, self.load, self]
        self.reading = 0.0
        self.read_span = self.words
        self.checked = 0
        self.plant = 0
        self._addresses: list[int] = []
        self._coming: deque[list[int | None]] = deque([[]] * READ_LATENCY)

    def random_writes(self, count: int, span: int) -> list[dict[str, int]]:
        """Writes of drains to the first `span` words."""
        return [{"address": random.randrange(span), "strobe": random.getrandbits(4),
                 "word": random.getrandbits(self.lanes * 4 * self.act_w)} for _ in range(count)]

    def random_loads(self, count: int, span: int) -> list[dict[str, int]]:
        """Writes of the frame loader to the first `span` words."""
        return [{"address": random.randrange(span), "strobe": random.getrandbits(4),
                 "lanes": random.getrandbits(self.lanes), "row": random.getrandbits(self.tile_w * 4 * self.act_w)}
                for _ in range(count)]

    def send(self, count: int, span: int) -> None:
        """Queue that many writes of everybody."""
        for writer in self.writers:
            writer.send(self.random_writes(count, span))
        self.load.send(self.random_loads(count, span))

    def fill(self) -> None:
        """Queue a load of every word of every bank."""
        self.load.send({"address": a, "lanes": (1 << self.lanes) - 1, "strobe": 15,
                        "row": random.getrandbits(self.tile_w * 4 * self.act_w)} for a in range(self.words))

    def written(self) -> int:
        """Writes taken."""
        return sum(writer.sent for writer in (*self.writers, self.load))

    def drive(self) -> None:
        read = random.random() < self.reading
        self.dut.read_valid_i.value = read
        # Column parts below half of the span and row parts that never carry beyond it.
        half = self.read_span // 2
        rows = [random.randrange(self.read_span - half) for _ in range(self.tile_h)]
        cols = [random.randrange(half + 1) for _ in range(self.tile_w)]
        self.dut.read_row_i.value = pack(rows, self.addr_w)
        self.dut.read_col_i.value = pack(cols, self.addr_w)
        self._addresses = [row + col for row in rows for col in cols] if read else []

    def sample(self) -> None:
        self._compare(self._coming.popleft())
        self.model.fresh.clear()
        words = [self.model.banks[lane][a] for lane, a in enumerate(self._addresses)]
        self._apply_writes()
        # A word written in the cycle in which it is asked for may be read old or new.
        self._coming.append([None if place in self.model.fresh else word
                             for place, word in zip(enumerate(self._addresses), words, strict=True)])

    def _compare(self, expected: list[int | None]) -> None:
        for lane, want in enumerate(expected):
            if want is not None:
                got = int(self.dut.read_data_o.value) >> (lane * 4 * self.act_w) & (1 << 4 * self.act_w) - 1
                want ^= self.plant
                assert got == want, f"bank {lane}: {got:x}, not {want:x}"
        self.checked += bool(expected)

    def _apply_writes(self) -> None:
        """Tell the model of the writes taken in this cycle."""
        taken = [source.accepted for source in (*self.writers, self.load) if source.accepted is not None]
        assert len(taken) <= 1, "one write per cycle"
        for item in taken:
            lanes = item.get("lanes", (1 << self.lanes) - 1)
            word = item["word"] if "word" in item else pack([item["row"]] * self.tile_h, self.tile_w * 4 * self.act_w)
            self.model.write(item["address"], lanes, item["strobe"], word)


async def filled(dut: Any, idle: float) -> TB:
    """A bench whose memory holds random words throughout."""
    tb = TB(dut, 0.0)
    await tb.start(read_valid_i=0)
    tb.fill()
    await tb.run_until(lambda: not tb.load.queue, tb.words + 10)
    for source in (*tb.writers, tb.load):
        source.idle = idle
    return tb


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.6], span=[4, 60])
async def reads_what_was_written(dut: Any, idle: float, span: int) -> None:
    tb = await filled(dut, idle)
    tb.reading, tb.read_span = 0.7, span
    tb.send(60, span)
    await tb.run_until(lambda: not any(source.queue for source in (*tb.writers, tb.load)), 3000)
    await tb.step(10)
    assert tb.checked > 50


@cocotb.test()
async def holds_every_word(dut: Any) -> None:
    tb = await filled(dut, 0.5)
    tb.reading, tb.read_span = 1.0, tb.words
    await tb.step(300)
    assert tb.checked >= 290


@cocotb.test()
async def writes_every_cycle_and_shares_fairly(dut: Any) -> None:
    tb = await filled(dut, 0.0)
    tb.send(40, tb.words)
    await tb.step()  # Choosing the first one takes a cycle.
    start = tb.written()
    shares = [source.sent for source in (*tb.writers, tb.load)]
    await tb.step(20 * (tb.drains + 1))
    assert tb.written() - start >= 20 * (tb.drains + 1)
    for source, before in zip((*tb.writers, tb.load), shares, strict=True):
        assert 19 <= source.sent - before <= 21


@cocotb.test()
async def keeps_its_contents_when_cleared(dut: Any) -> None:
    tb = await filled(dut, 0.0)
    await tb.step(2)
    await tb.clear()
    tb.reading, tb.read_span = 1.0, tb.words
    await tb.step(50)
    assert tb.checked >= 40


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = await filled(dut, 0.0)
    tb.reading, tb.plant = 1.0, 1 << random.randrange(4 * tb.act_w)
    with pytest.raises(AssertionError, match="bank"):
        await tb.step(10)
