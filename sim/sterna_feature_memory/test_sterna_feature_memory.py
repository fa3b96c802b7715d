"""Bench of sterna_feature_memory: random writes of drains and of a LOAD, random reads, against plain lists."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import cocotb
import pytest
from sim.support.streams import AheadSource, Bench, Field
from sim.support.words import pack, unpack

PARAMETERS = [
    {"TileH": 3, "TileW": 5, "Drains": 2, "FmWords": 64, "ActW": 8},
    {"TileH": 7, "TileW": 3, "Drains": 4, "FmWords": 100, "ActW": 5},
    {"TileH": 3, "TileW": 3, "Drains": 1, "FmWords": 4096, "ActW": 4},
]
READ_LATENCY = 3
#: Words of a LOAD that wait.
LOAD_DEPTH = 8
#: Ports that what a drain writes comes to.
PORTS = {"address": "write_addr_i", "strobe": "write_strobe_i", "word": "write_data_i"}


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


class Drains:
    """Writes of the drains, at most one in each cycle: a drain says that it writes, gives the place in the cycle after
    that, and the word in the next one. What means nothing is noise.

    `idle` is the chance that no drain begins a write in a cycle.
    """

    def __init__(self, dut: Any, idle: float) -> None:
        self.dut, self.count, self.idle = dut, int(dut.Drains.value), idle
        self.queue: deque[dict[str, int]] = deque()
        self.clear()

    def clear(self) -> None:
        """Forget what is under way."""
        self.queue.clear()
        self.place: dict[str, int] | None = None  # whose place comes in this cycle
        self._next: dict[str, int] | None = None
        self.dut.write_next_i.value = 0

    def drive(self) -> None:
        word, self.place, self._next = self.place, self._next, None
        if self.queue and random.random() >= self.idle:
            self._next = self.queue.popleft() | {"drain": random.randrange(self.count)}
        self.dut.write_next_i.value = 1 << self._next["drain"] if self._next else 0
        for name, item in (("address", self.place), ("strobe", self.place), ("word", word)):
            for drain in range(self.count):
                port = getattr(self.dut, PORTS[name])[drain]
                is_meant = item is not None and item["drain"] == drain
                port.value = item[name] if is_meant else random.getrandbits(len(port))

    def sample(self) -> None:
        """Nothing to watch."""


class TB(Bench):
    """Writers, a reader, and the model, which the reads are compared with as they come."""

    def __init__(self, dut: Any, idle: float) -> None:
        super().__init__(dut)
        self.tile_h, self.tile_w, self.words = (int(getattr(dut, n).value) for n in ("TileH", "TileW", "FmWords"))
        self.lanes, self.act_w = self.tile_h * self.tile_w, int(dut.ActW.value)
        self.addr_w = (self.words - 1).bit_length()
        self.model = Model(self.lanes, self.words, 4 * self.act_w, self.act_w)
        self.drains = Drains(dut, idle)
        self.load = AheadSource(Field(dut.load_valid_i), Field(dut.load_few_o), {
            "address": Field(dut.load_addr_i), "lanes": Field(dut.load_lanes_i),
            "strobe": Field(dut.load_strobe_i), "row": Field(dut.load_data_i)}, idle, ahead=3)  # fmt: skip
        #: In the cycle before, no load came or waited.
        self.was_idle = True
        #: Loads that were taken and not yet written.
        self.waiting: deque[Mapping[str, int]] = deque()
        self.agents = [self.drains, self.load, self]
        self.reading = 0.0
        self.read_span = self.words
        self.checked = 0
        self.plant = 0
        self._addresses: list[int] = []
        self._coming: deque[Sequence[int | None]] = deque([()] * READ_LATENCY)

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
        """Queue that many writes of drains and of the loader."""
        self.drains.queue.extend(self.random_writes(count, span))
        self.load.send(self.random_loads(count, span))

    def fill(self) -> None:
        """Queue a load of every word of every bank."""
        self.load.send({"address": a, "lanes": (1 << self.lanes) - 1, "strobe": 15,
                        "row": random.getrandbits(self.tile_w * 4 * self.act_w)} for a in range(self.words))

    def idle(self) -> bool:
        """Whether all is written that was sent."""
        return not (self.load.queue or self.waiting or self.drains.queue or self.drains.place)

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

    def _compare(self, expected: Sequence[int | None]) -> None:
        for lane, want in enumerate(expected):
            if want is not None:
                got = int(self.dut.read_data_o.value) >> (lane * 4 * self.act_w) & (1 << 4 * self.act_w) - 1
                want ^= self.plant
                assert got == want, f"bank {lane}: {got:x}, not {want:x}"
        self.checked += bool(expected)

    def _apply_writes(self) -> None:
        """Tell the model of the write of this cycle: a drain's, or that of the load that has waited longest."""
        assert int(self.dut.load_idle_o.value) == self.was_idle
        self.was_idle = not (self.waiting or self.load.accepted)
        if item := self.drains.place:
            self.model.write(item["address"], (1 << self.lanes) - 1, item["strobe"], item["word"])
        elif self.waiting:
            item = self.waiting.popleft()
            word = pack([item["row"]] * self.tile_h, self.tile_w * 4 * self.act_w)
            self.model.write(item["address"], item["lanes"], item["strobe"], word)
        if self.load.accepted:
            self.waiting.append(self.load.accepted)


async def filled(dut: Any, idle: float) -> TB:
    """A bench whose memory holds random words throughout."""
    tb = TB(dut, 0.0)
    await tb.start(read_valid_i=0)
    tb.fill()
    await tb.run_until(tb.idle, tb.words + 10)
    tb.drains.idle = idle
    tb.load.rate = idle
    return tb


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.3, 0.8], span=[4, 60])
async def reads_what_was_written(dut: Any, idle: float, span: int) -> None:
    tb = await filled(dut, idle)
    tb.reading, tb.read_span = 0.7, span
    tb.send(150, span)
    await tb.run_until(tb.idle, 3000)
    await tb.step(10)
    assert tb.checked > 100


@cocotb.test()
async def holds_every_word(dut: Any) -> None:
    tb = await filled(dut, 0.5)
    tb.reading, tb.read_span = 1.0, tb.words
    await tb.step(300)
    assert tb.checked >= 290


@cocotb.test()
async def loads_are_written_when_no_drain_is(dut: Any) -> None:
    """They wait for drains that write in every cycle, and take each cycle that these leave."""
    tb = await filled(dut, 0.0)
    tb.send(40, tb.words)
    before = tb.load.sent
    await tb.step(40)
    assert tb.load.sent - before <= LOAD_DEPTH
    await tb.run_until(tb.idle, 45)
    tb.drains.idle = 0.3
    for _ in range(5):
        tb.send(60, tb.words)
        await tb.run_until(tb.idle, 500)


@cocotb.test()
async def keeps_its_contents_when_cleared(dut: Any) -> None:
    """But for a word of a drain that was on its way, which holds anything then. What waits is not written."""
    tb = await filled(dut, 0.0)
    span = 8
    for cycles in range(1, 20):
        tb.drains.idle = random.random()
        tb.send(20, span)
        await tb.step(cycles)
        spoilt = tb.drains.place
        await tb.clear()
        tb.waiting.clear()
        tb.was_idle = True
        if spoilt:
            tb.drains.queue.append(tb.random_writes(1, 1)[0] | {"address": spoilt["address"], "strobe": 15})
            await tb.run_until(tb.idle, 100)
        tb.reading, tb.read_span, checked = 1.0, span, tb.checked
        await tb.step(20)
        tb.reading = 0.0
        await tb.step(READ_LATENCY)
        assert tb.checked == checked + 20


@cocotb.test()
async def comparison_sees_a_wrong_bit(dut: Any) -> None:
    tb = await filled(dut, 0.0)
    tb.reading, tb.plant = 1.0, 1 << random.randrange(4 * tb.act_w)
    with pytest.raises(AssertionError, match="bank"):
        await tb.step(10)
