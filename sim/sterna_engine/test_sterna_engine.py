"""Bench of the whole engine: hand-made tapes against numpy, frames that follow each other, every way a frame can end,
and that the next one works."""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from cocotbext.axi.sparse_memory import SparseMemory
from numpy.typing import NDArray
from sim.sterna_cluster.model import ABSENT, Entry, Operand
from sim.support.axi import BAD_FROM, MEMORY_BYTES, ReadMemory, WriteMemory

from sterna.spec import tape
from sterna.spec.config import WORD_CHANNELS
from sterna.spec.registers import ENGINE_VERSION, IDENTITY, WATCHDOG_CYCLES, Control, ErrorCode, Register, Status
from sterna.spec.tape import (
    END_STREAM,
    REPEAT_DISTANCE,
    WINDOW_GUARD,
    WINDOW_WORDS,
    WORD_STREAM,
    EntryKind,
    Op,
    RecordKind,
    Segment,
    SegmentKind,
)

CONFIG_HASH = 0x5EED_0001
TILE, PES, ACCUMULATORS = 3, 4, 4


def parameters(clusters: int, drains: int, data_w: int) -> dict[str, int]:
    """A parameter set."""
    return {
        "TileH": TILE, "TileW": TILE, "Clusters": clusters, "Drains": drains, "Pes": PES, "Accumulators": ACCUMULATORS,
        "FmWords": 32 * clusters, "AxiDataW": data_w, "ConfigHash": CONFIG_HASH,
    }  # fmt: skip


#: The second one can issue a round in each cycle; it runs the tests that this changes.
PARAMETERS = [parameters(2, 1, 64), parameters(4, 2, 512)]


def parameter(name: str) -> int:
    """A parameter of the engine that is built; of the first set while none is there."""
    top = getattr(cocotb, "top", None)
    return PARAMETERS[0][name] if top is None else int(getattr(top, name).value)


CLUSTERS, DRAINS, FM_WORDS, BEAT = (*map(parameter, ("Clusters", "Drains", "FmWords")), parameter("AxiDataW") // 8)
WIDE = PARAMETERS[1]["Clusters"] == CLUSTERS
AT_ONCE = [tiles for tiles in (1, 2, 4) if tiles <= CLUSTERS]
#: Most channel words of a layer's output.
MOST_WORDS = 2 * CLUSTERS
WORD_BYTES = -(-TILE * TILE * 4 // BEAT) * BEAT
TAPE, FRAME, RESULT = 0x1000, 0x8F80, 0x10F80
NEXT_FRAME, NEXT_RESULT, FAR_TAPE = 0x20080, 0x30080, 0x40000
RESULT_BYTES = 1 << 14
PAD, SHIFT = -3, 6
WATCHDOG = 400

#: The bit of an entry that is the round's.
CONTROL = tape.ENTRY.pack(control=1)
#: Bits of an entry that say whether its operands are subtracted.
SIGNS = [tape.OPERAND.bits * place + tape.OPERAND.bits - 1 for place in range(WORD_CHANNELS)]

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Map:
    """Size of all maps of a job, in pixels and in tiles."""

    height: int
    width: int

    @property
    def tiles_h(self) -> int:
        """Rows of tiles."""
        return -(-self.height // TILE)

    @property
    def tiles_w(self) -> int:
        """Tiles in a row."""
        return -(-self.width // TILE)

    @property
    def tiles(self) -> int:
        """Tiles."""
        return self.tiles_h * self.tiles_w

    def padded(self, values: Ints) -> Ints:
        """Channel values on whole tiles, as the engine reads them."""
        full = np.full((len(values), self.tiles_h * TILE, self.tiles_w * TILE), PAD)
        full[:, : self.height, : self.width] = values[:, : self.height, : self.width]
        return full

    def words(self, values: Ints) -> bytes:
        """Channel values on whole tiles as feature memory words in frame order."""
        out = b""
        for first in range(0, len(values), 4):
            for y in range(0, self.tiles_h * TILE, TILE):
                for x in range(0, self.tiles_w * TILE, TILE):
                    lanes = values[first : first + 4, y : y + TILE, x : x + TILE].reshape(4, -1)
                    out += tape.pad(lanes.T.astype(np.int8).tobytes(), WORD_BYTES)
        return out


SEVERAL_TILES, THREE_TILES, ONE_TILE = Map(5, 7), Map(2, 8), Map(3, 2)


class Layer:
    """A 1x1 convolution: each output channel adds and subtracts up to three channels, scaled.

    With `tiles_at_once` 1 the clusters make different output channels, else all of them the same.
    """

    def __init__(self, size: Map, channels: int, filters: int, tiles_at_once: int) -> None:
        self.size, self.channels, self.filters, self.tiles_at_once = size, channels, filters, tiles_at_once
        self.groups, self.group_words = CLUSTERS // tiles_at_once, filters // 4
        self.tile_groups = -(-size.tiles // tiles_at_once)
        rng = np.random.default_rng(random.getrandbits(32))
        count = filters * self.groups
        self.weights = np.zeros((count, channels), np.int64)
        for row in self.weights:
            row[rng.permutation(channels)[: rng.integers(0, 4)]] = rng.choice([-1, 1])
        self.multiplier = rng.integers(0, 1 << 7, count)
        self.bias = rng.integers(-(1 << 13), 1 << 13, count)

    @property
    def out_words(self) -> int:
        """Channel words of the output."""
        return self.group_words * self.groups

    @property
    def additions(self) -> int:
        """Operations in a frame."""
        entries = sum(len(self.stream(group, pe)) for group in range(self.groups) for pe in range(PES))
        return entries * self.tile_groups * self.tiles_at_once

    @property
    def row_words(self) -> int:
        """Words that a drain writes of a row of the last tiles: one of each of its clusters that has a tile."""
        tiles = (self.size.tiles - 1) % self.tiles_at_once + 1
        has_tile = [cluster % self.tiles_at_once < tiles for cluster in range(CLUSTERS)]
        size = CLUSTERS // DRAINS
        return max(sum(has_tile[first : first + size]) for first in range(0, CLUSTERS, size))

    def run(self, values: Ints) -> Ints:
        """Its output on whole tiles."""
        total = np.tensordot(self.weights, self.size.padded(values), 1)
        scaled = total * self.multiplier[:, None, None] + self.bias[:, None, None] + (1 << SHIFT >> 1)
        return np.clip(scaled >> SHIFT, -128, 127)

    def words(self) -> list[int]:
        """The channel words of the input, in the order of a pass."""
        return list(range(self.channels // WORD_CHANNELS))

    def operations(self, weights: Ints) -> list[list[Operand]]:
        """The operations of a filter: each has a channel of each place in a word, if there is one more.

        Word w of a pass is in slot w. A filter without weights has an operation that sets it to zero.
        """
        places = [np.flatnonzero(weights[place::WORD_CHANNELS]) for place in range(WORD_CHANNELS)]
        return [
            [(int(words[turn]), int(weights[words[turn] * WORD_CHANNELS + place] < 0)) if turn < len(words) else ABSENT
             for place, words in enumerate(places)]
            for turn in range(max(1, *map(len, places)))
        ]  # fmt: skip

    def stream(self, group: int, pe: int) -> dict[int, Entry]:
        """The operations of a PE by their rounds. Word w comes in round w * tiles_at_once."""
        entries: dict[int, Entry] = {}
        for acc_index in range(self.filters // PES):
            at, kind = 0, EntryKind.SET
            for operands in self.operations(self.weights[group * self.filters + acc_index * PES + pe]):
                slots = [slot for slot, _ in operands if slot != tape.ABSENT_SLOT]
                at = max(at, max(slots, default=0) * self.tiles_at_once)
                while at in entries:
                    at += 1
                entries[at] = Entry(kind, acc_index, operands)
                at, kind = at + REPEAT_DISTANCE, EntryKind.ADD
        return entries

    def rounds(self) -> list[list[int]]:
        """The entries of all PE streams in each round."""
        streams = [self.stream(group, pe) for group in range(self.groups) for pe in range(PES)]
        words = {w * self.tiles_at_once for w in range(self.channels // WORD_CHANNELS)}
        count = 1 + max(words.union(*streams))
        nothing = Entry(EntryKind.NONE, 0)
        rounds = [[stream.get(at, nothing).word for stream in streams] for at in range(count)]
        for at in words:
            rounds[at][WORD_STREAM] |= CONTROL
        rounds[-1][END_STREAM] |= CONTROL
        return rounds

    def payload(self, plane: int, after: Sequence[int]) -> bytes:
        """WEIGHTS: a fetch word for each channel word from `plane` on, and the rounds."""
        words = self.words()
        fetches = b"".join(
            tape.FETCH_WORD.to_bytes(
                plane=plane + w * self.size.tiles, last_in_pass=int(number == len(words) - 1), after=after[w]
            )
            for number, w in enumerate(words)
        )
        rounds = self.rounds()
        entries = b"".join(entry.to_bytes(4, "little") for entries in rounds for entry in entries)
        return record(RecordKind.FETCH, len(words), fetches) + record(RecordKind.ROUNDS, len(rounds), entries)

    def segments(self, source: int, target: int, after: Sequence[int], beside: int = 0) -> list[Segment]:
        """STEP, REQUANT, WEIGHTS. What is subtracted counts as its inverse, one less than its negative."""
        bias = self.bias + self.multiplier * (self.weights < 0).sum(axis=1)
        table = tape.pad(b"".join(
            int(m | (b & (1 << 46) - 1) << 18).to_bytes(8, "little")
            for m, b in zip(self.multiplier.tolist(), bias.tolist(), strict=True)
        ))
        weights = tape.pad(self.payload(source, after))
        size = self.size
        step = tape.pack_step(
            op=Op.CONV, gather_stride=1, shift=SHIFT, pad_value=PAD, tiles_at_once=self.tiles_at_once,
            fm_base=target, in_full_rows=size.height // TILE, in_extra_rows=size.height % TILE,
            in_full_cols=size.width // TILE, in_extra_cols=size.width % TILE, in_tiles_w=size.tiles_w,
            out_tiles_h=size.tiles_h, out_tiles_w=size.tiles_w, out_plane=size.tiles, tile_groups=self.tile_groups,
            filters=self.filters, group_words=self.group_words, requant_bytes=len(table), weights_bytes=len(weights),
            beside=beside,
        )
        return [
            Segment(SegmentKind.STEP, step), Segment(SegmentKind.REQUANT, table), Segment(SegmentKind.WEIGHTS, weights)
        ]


class Around(Layer):
    """A layer that takes its words several times in a pass, so that they go round in the windows. Each weight has its
    channel of one of these times. PEs are lazy, so that words often stay as long as a tape may let them."""

    WORDS = 48

    def __init__(self, size: Map, channels: int, filters: int, tiles_at_once: int) -> None:
        super().__init__(size, channels, filters, tiles_at_once)
        rng = np.random.default_rng(random.getrandbits(32))
        self.weights = rng.integers(-1, 2, self.weights.shape)
        self.times = self.WORDS // (channels // WORD_CHANNELS)
        self.time = rng.integers(0, self.times, self.weights.shape)
        self.lazy = 1 - 0.1 / tiles_at_once
        self.seed = random.getrandbits(32)
        #: Words that came at the earliest round after the last that reads the word they overwrite.
        self.closest = 0

    def words(self) -> list[int]:
        return super().words() * self.times

    def waiting(self, row: int) -> deque[list[Operand | None]]:
        """The operations of a filter in the order of its words, which are given instead of their slots."""
        operations: deque[list[Operand | None]] = deque()
        for time in range(self.times):
            first = time * self.channels // WORD_CHANNELS
            for operands in self.operations(np.where(self.time[row] == time, self.weights[row], 0)):
                words = [None if each == ABSENT else (first + each[0], each[1]) for each in operands]
                if any(words):
                    operations.append(words)
        return operations or deque([[None] * WORD_CHANNELS])

    def rounds(self) -> list[list[int]]:
        rng = random.Random(self.seed)
        streams = [
            [self.waiting(group * self.filters + acc_index * PES + pe) for acc_index in range(self.filters // PES)]
            for group in range(self.groups) for pe in range(PES)
        ]  # fmt: skip
        left = Counter(each[0] for stream in streams for ops in stream for op in ops for each in op if each)
        read_at: dict[int, int] = {}
        touched: dict[tuple[int, int], int] = {}
        rounds: list[list[int]] = []
        taken, taken_at, count, self.closest = 0, -self.tiles_at_once, len(self.words()), 0
        while taken < count or any(ops for stream in streams for ops in stream):
            at, old = len(rounds), taken - WINDOW_WORDS
            free = not left[old] and read_at.get(old, -WINDOW_GUARD) + WINDOW_GUARD <= at
            takes = taken < count and at - taken_at >= self.tiles_at_once and free
            if takes:
                self.closest += read_at.get(old, at) + WINDOW_GUARD == at
                taken, taken_at = taken + 1, at
            entries = []
            for number, stream in enumerate(streams):
                ready = [
                    acc_index for acc_index, ops in enumerate(stream)
                    if ops and all(each is None or each[0] < taken for each in ops[0])
                    and touched.get((number, acc_index), -REPEAT_DISTANCE) + REPEAT_DISTANCE <= at
                ]  # fmt: skip
                if not ready or rng.random() < self.lazy:
                    entries.append(Entry(EntryKind.NONE, 0).word)
                    continue
                acc_index = rng.choice(ready)
                kind = EntryKind.ADD if (number, acc_index) in touched else EntryKind.SET
                operation = stream[acc_index].popleft()
                touched[number, acc_index] = at
                for each in operation:
                    if each:
                        left[each[0]] -= 1
                        read_at[each[0]] = at
                operands = [ABSENT if each is None else (each[0] % WINDOW_WORDS, each[1]) for each in operation]
                entries.append(Entry(kind, acc_index, operands).word)
            entries[WORD_STREAM] |= CONTROL * takes
            rounds.append(entries)
        rounds[-1][END_STREAM] |= CONTROL
        return rounds


class Job:
    """LOAD, convolutions that each read what the one before writes, STORE. `background` adds a LOAD of the next frame's
    image after the first convolution; `fine` lets a convolution begin with the first words of the one before."""

    def __init__(
        self, tiles_at_once: int, layers: int = 1, size: Map = SEVERAL_TILES, *, background: bool = False,
        fine: bool = False, kind: type[Layer] = Layer,
    ) -> None:
        self.size, self.background, self.fine = size, background, fine
        self.image = np.random.default_rng(random.getrandbits(32)).integers(-128, 128, (4, size.height, size.width))
        self.layers: list[Layer] = []
        channels = 4
        for _ in range(layers):
            self.layers.append(kind(size, channels, random.choice([4, 8]), tiles_at_once))
            channels = 4 * self.layers[-1].out_words

    def frame(self, image: Ints | None = None) -> bytes:
        """The image as LOAD takes it, plane after plane in whole beats."""
        return tape.pad((self.image if image is None else image).astype(np.int8).tobytes(), BEAT)

    def result(self, image: Ints | None = None) -> bytes:
        """The output as STORE writes it."""
        values = self.image if image is None else image
        for layer in self.layers:
            values = layer.run(values)
        return self.size.words(values)

    def segments(self) -> list[Segment]:
        """The whole job."""
        tiles = self.size.tiles
        places = self.places
        segments = [self.load()]
        for number, layer in enumerate(self.layers):
            source, target = (places[number % 2 - 1] if number else 0), places[number % 2]
            after = [0] * (layer.channels // 4)
            if number:
                before = self.layers[number - 1]
                rows = [w % before.group_words + 1 for w in range(len(after))]
                after = [row * before.row_words if self.fine else tape.AFTER_ALL for row in rows]
            segments += layer.segments(source, target, after)
            if number == 0 and self.background:
                segments.append(self.load(next=1))
        return [*segments, self.store(target, tiles * layer.out_words)]

    @property
    def places(self) -> tuple[int, int]:
        """Feature memory words from which on layers write in turn."""
        return self.size.tiles, (MOST_WORDS + 1) * self.size.tiles

    def load(self, **fields: int) -> Segment:
        """LOAD of the image, to word 0 unless `fields` say otherwise."""
        size = self.size
        load = {
            "op": Op.LOAD, "fm_words": size.tiles, "filters": 4, "dram_bytes": len(self.frame()),
            "in_full_rows": size.height // TILE, "in_extra_rows": size.height % TILE,
            "in_full_cols": size.width // TILE, "in_extra_cols": size.width % TILE,
        }  # fmt: skip
        return Segment(SegmentKind.STEP, tape.pack_step(**load | fields))

    @staticmethod
    def store(base: int, words: int, offset: int = 0) -> Segment:
        """STORE of words of the feature memory."""
        store = tape.pack_step(
            op=Op.STORE, fm_base=base, fm_words=words, dram_bytes=words * WORD_BYTES, dram_offset=offset
        )
        return Segment(SegmentKind.STEP, store)

    def tape(self) -> bytes:
        """The whole tape."""
        return tape.write(CONFIG_HASH, self.segments())


class Traced(Job):
    """A job that stores what each layer makes. `stores` of them may go on beside the layers after them: one is right,
    as a layer writes where the one before the last did."""

    def __init__(self, layers: int, stores: int = 1) -> None:
        super().__init__(2, layers)
        self.stores = stores

    def segments(self) -> list[Segment]:
        segments, offset = [self.load()], 0
        for number, layer in enumerate(self.layers):
            source, target = (self.places[number % 2 - 1] if number else 0), self.places[number % 2]
            after = [tape.AFTER_ALL] * (layer.channels // 4)
            segments += layer.segments(source, target, after, self.stores if number else 0)
            words = self.size.tiles * layer.out_words
            segments.append(self.store(target, words, offset))
            offset += words * WORD_BYTES
        return segments

    def result(self, image: Ints | None = None) -> bytes:
        values, stored = self.image if image is None else image, b""
        for layer in self.layers:
            values = layer.run(values)
            stored += self.size.words(values)
        return stored


class LoadsAgain(Job):
    """A job that loads a second image while its second layer computes, on which the third one works.

    `early`: what may go on beside the first and the third layer, which read what is loaded; nothing is right.
    """

    LAST = FM_WORDS - SEVERAL_TILES.tiles

    def __init__(self, beside: int = tape.BESIDE_LOADS, early: int = 0) -> None:
        super().__init__(2, 2)
        self.layers.append(Layer(self.size, 4, 4, 2))
        self.beside, self.early = beside, early
        self.second = np.random.default_rng(random.getrandbits(32)).integers(-128, 128, self.image.shape)

    def frame(self, image: Ints | None = None) -> bytes:
        return super().frame() + super().frame(self.second)

    def segments(self) -> list[Segment]:
        first, second, third = self.layers
        size = len(super().frame())
        words = self.size.tiles * second.out_words
        return [
            self.load(dram_bytes=size),
            *first.segments(0, self.places[0], [0], self.early),
            self.load(dram_bytes=size, dram_offset=size, fm_base=self.LAST),
            *second.segments(self.places[0], self.places[1], [tape.AFTER_ALL] * (second.channels // 4), self.beside),
            self.store(self.places[1], words),
            *third.segments(self.LAST, self.places[0], [0], self.early | 1),
            self.store(self.places[0], self.size.tiles * third.out_words, words * WORD_BYTES),
        ]

    def result(self, image: Ints | None = None) -> bytes:
        first, second, third = self.layers
        return self.size.words(second.run(first.run(self.image))) + self.size.words(third.run(self.second))


def record(kind: RecordKind, count: int, data: bytes) -> bytes:
    """A record of a WEIGHTS payload."""
    return tape.pad(tape.RECORD_HEADER.to_bytes(kind=kind, count=count), BEAT) + tape.pad(data, BEAT)


class TB:
    """Register access, memory, and frames."""

    def __init__(self, dut: Any, pause: float) -> None:
        self.dut = dut
        self.registers = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk_i, dut.rst_ni, reset_active_level=False
        )
        for port in (self.registers.write_if, self.registers.read_if):
            port.log.setLevel("ERROR")
        shared = SparseMemory(MEMORY_BYTES)
        self.reads, self.writes = ReadMemory(dut, pause, shared), WriteMemory(dut, pause, shared)

    async def start(self) -> None:
        """Clock and reset."""
        # At once, before the random state of the start of time can look like a clock edge to an assertion.
        self.dut.rst_ni.value = Immediate(0)
        self.dut.clk_i.value = Immediate(0)
        Clock(self.dut.clk_i, 10, unit="ns").start()
        await ClockCycles(self.dut.clk_i, 3)
        self.dut.rst_ni.value = 1
        await ClockCycles(self.dut.clk_i, 3)

    async def write(self, register: Register, value: int) -> None:
        """Write a register."""
        await self.registers.write_dword(register, value)

    async def read(self, register: Register) -> int:
        """Read a register."""
        return int(await self.registers.read_dword(register))

    async def begin(self, data: bytes, frame: bytes, **addresses: int) -> None:
        """Put tape and frame into memory and start; keyword arguments move tape_addr, frame_addr, result_addr."""
        place = {"tape_addr": TAPE, "frame_addr": FRAME, "result_addr": RESULT} | addresses
        self.reads.write(place["tape_addr"], data)
        self.reads.write(place["frame_addr"], frame)
        result = place["result_addr"]
        self.reads.write(result, bytes(min(RESULT_BYTES, MEMORY_BYTES - result)))
        await self.write(Register.STATUS, Status.DONE | Status.ERROR | Status.IRQ)
        await self.write(Register.WATCHDOG, WATCHDOG)
        await self.write(Register.TAPE_BYTES, len(data))
        for name, address in place.items():
            await self.write(Register[f"{name.upper()}_LO"], address)
        await self.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)

    async def queue(self, frame: bytes, frame_addr: int, result_addr: int) -> None:
        """Put one more frame into memory and start it after the one that runs."""
        self.reads.write(frame_addr, frame)
        self.reads.write(result_addr, bytes(4096))
        await self.write(Register.FRAME_ADDR_LO, frame_addr)
        await self.write(Register.RESULT_ADDR_LO, result_addr)
        await self.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)

    async def reset(self) -> None:
        """Reset in the middle of whatever goes on."""
        self.dut.rst_ni.value = 0
        await ClockCycles(self.dut.clk_i, 3)
        self.dut.rst_ni.value = 1
        await ClockCycles(self.dut.clk_i, 3)

    async def interrupt(self) -> None:
        """Wait for the interrupt and clear it."""
        for _ in range(20000):
            if int(self.dut.irq_o.value):
                break
            await ClockCycles(self.dut.clk_i, 1)
        assert int(self.dut.irq_o.value), "no interrupt"
        await self.write(Register.STATUS, Status.IRQ)

    async def finish(self) -> tuple[ErrorCode, int]:
        """Wait for the interrupt; returns the error code and its segment."""
        for _ in range(20000):
            if int(self.dut.irq_o.value):
                break
            await ClockCycles(self.dut.clk_i, 1)
        status = Status(await self.read(Register.STATUS))
        code = ErrorCode(await self.read(Register.ERROR_CODE))
        assert status == Status.IRQ | (Status.ERROR if code else Status.DONE)
        await self.write(Register.STATUS, Status.IRQ)
        assert not int(self.dut.irq_o.value)
        return code, await self.read(Register.ERROR_SEGMENT)

    async def run(self, data: bytes, frame: bytes, **addresses: int) -> tuple[ErrorCode, int]:
        """`begin` and `finish`."""
        await self.begin(data, frame, **addresses)
        return await self.finish()

    async def check(self, job: Job, **addresses: int) -> None:
        """Run a job and compare its result."""
        code, _ = await self.run(job.tape(), job.frame(), **addresses)
        assert code is ErrorCode.NONE
        self.compare(job.result(), RESULT)

    def compare(self, wanted: bytes, address: int) -> None:
        """The result in memory is this, and nothing is written after it."""
        assert self.writes.read(address, len(wanted)) == wanted
        assert not any(self.writes.read(address + len(wanted), 256))


async def started(dut: Any, pause: float = 0.1) -> TB:
    """A bench out of reset."""
    tb = TB(dut, pause)
    await tb.start()
    return tb


def flip(data: bytes, at: int) -> bytes:
    """Flip a bit of a byte."""
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def header_of(data: bytes, index: int) -> int:
    """Position of a segment's header."""
    at = tape.ALIGN
    for _ in range(index):
        at += tape.ALIGN + int.from_bytes(data[at + 8 : at + 16], "little")
    return at


@cocotb.test()
@cocotb.parametrize(tiles_at_once=AT_ONCE, pause=[0.0, 0.4])
async def computes_a_convolution(dut: Any, tiles_at_once: int, pause: float) -> None:
    tb = await started(dut, pause)
    for _ in range(2):
        await tb.check(Job(tiles_at_once))


@cocotb.test()
@cocotb.parametrize(tiles_at_once=AT_ONCE, size=[SEVERAL_TILES, ONE_TILE], fine=[False, True])
async def steps_overlap(dut: Any, tiles_at_once: int, size: Map, fine: bool) -> None:
    """Also many short ones, whose tables and vectors are there long before those of the step before are done with."""
    tb = await started(dut, random.choice([0.0, 0.3]))
    for layers in (2, 3, 7):
        await tb.check(Job(tiles_at_once, layers, size, fine=fine))


@cocotb.test()
@cocotb.parametrize(tiles_at_once=AT_ONCE)
async def words_go_round_in_the_windows(dut: Any, tiles_at_once: int) -> None:
    """A word is read in the round that takes it, and overwritten in the first round that may."""
    tb = await started(dut, 0.0)
    closest = 0
    for pause in (0.0, 0.0, 0.3):
        tb.reads.pause(pause)
        job = Job(tiles_at_once, 3, THREE_TILES, kind=Around)
        await tb.check(job, tape_addr=FAR_TAPE)
        closest += sum(layer.closest for layer in job.layers if isinstance(layer, Around))
    assert closest


@cocotb.test()
@cocotb.parametrize(steady=[True, False])
async def stores_go_on_beside_layers(dut: Any, steady: bool) -> None:
    """Maps are equal whether they may or not, and a frame is shorter if they may and the memory is slow."""
    tb = await started(dut, 0.0 if steady else 0.4)
    if steady:
        tb.writes.take_one_in(4)
    for layers in (2, 3, 6):
        job = Traced(layers)
        cycles = []
        for job.stores in (1, 0):
            await tb.check(job)
            cycles.append(await tb.read(Register.CYCLES_LO))
        assert not steady or cycles[0] < cycles[1] - 20 * (layers - 1), cycles


async def shows_what_is_wrong(tb: TB, kind: Callable[[], Job]) -> None:
    """Jobs end well, and the result of one of a few is another than it should be."""
    wrong = 0
    for _ in range(4):
        job = kind()
        code, _ = await tb.run(job.tape(), job.frame())
        assert code is ErrorCode.NONE
        wrong += tb.writes.read(RESULT, len(job.result())) != job.result()
    assert wrong


@cocotb.test(skip=WIDE)
async def a_layer_that_writes_over_what_is_stored_shows(dut: Any) -> None:
    tb = await started(dut, 0.0)
    tb.writes.pause(0.9)
    await shows_what_is_wrong(tb, lambda: Traced(5, stores=2))


@cocotb.test(skip=not WIDE)
async def a_layer_that_reads_what_is_not_loaded_shows(dut: Any) -> None:
    """The tape comes in so few beats that the layer begins long before the image is there."""
    tb = await started(dut, 0.0)
    await shows_what_is_wrong(tb, lambda: LoadsAgain(early=tape.BESIDE_LOADS))


@cocotb.test()
async def loads_go_on_beside_layers(dut: Any) -> None:
    tb = await started(dut, 0.0)
    for _ in range(3):
        job = LoadsAgain()
        cycles = []
        for job.beside in (tape.BESIDE_LOADS, 0):
            await tb.check(job)
            cycles.append(await tb.read(Register.CYCLES_LO))
        assert cycles[0] < cycles[1] - 20, cycles
    await tb.check(Job(1))


@cocotb.test()
@cocotb.parametrize(background=[False, True], pause=[0.0, 0.3])
async def frames_follow_each_other(dut: Any, background: bool, pause: float) -> None:
    """Frames of other images, each queued while the one before it runs."""
    tb = await started(dut, pause)
    job = Job(random.choice([1, 2]), 2, background=background)
    images = [job.image, *(np.random.default_rng(i).integers(-128, 128, job.image.shape) for i in range(3))]
    places = [(FRAME, RESULT), (NEXT_FRAME, NEXT_RESULT)]
    before = await tb.read(Register.FRAMES)
    await tb.begin(job.tape(), job.frame())
    cycles = []
    for number, image in enumerate(images):
        if number + 1 < len(images):
            await tb.queue(job.frame(images[number + 1]), *places[(number + 1) % 2])
            assert Status.QUEUED in Status(await tb.read(Register.STATUS))
        await tb.interrupt()
        assert await tb.read(Register.FRAMES) == before + number + 1
        tb.compare(job.result(image), places[number % 2][1])
        assert await tb.read(Register.STEPS) == 4 + background
        await tb.write(Register.PROFILE_INDEX, 0)
        cycles.append((await tb.read(Register.CYCLES_LO), await tb.read(Register.PROFILE_CYCLES)))
    assert await tb.read(Register.STATUS) == Status.DONE
    if background and not pause:
        first, second = cycles[:2]
        assert second[0] < first[0], "the image is there already"
        assert second[1] < first[1] - job.size.tiles * WORD_BYTES // BEAT


@cocotb.test(skip=WIDE)
async def a_broken_frame_takes_the_queued_one_with_it(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1, 2, background=True)
    data = job.tape()
    for delay in (0, 100, 250):
        await tb.begin(flip(data, header_of(data, len(job.segments()) - 1) + tape.ALIGN), job.frame())
        await tb.queue(job.frame(), NEXT_FRAME, NEXT_RESULT)
        await ClockCycles(dut.clk_i, delay)
        if delay:
            await tb.write(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
        code, _ = await tb.finish()
        assert code is (ErrorCode.ABORTED if delay else ErrorCode.SEGMENT_CRC)
        await tb.queue(job.frame(), NEXT_FRAME, NEXT_RESULT)
        assert Status(await tb.read(Register.STATUS)) == Status.ERROR, "nothing starts before the error is seen"
        assert not any(tb.writes.read(NEXT_RESULT, 64))
        await tb.check(job)


@cocotb.test(skip=WIDE)
async def a_reset_at_any_time_leaves_nothing_behind(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1, 2, background=True)
    await tb.check(job)
    whole = await tb.read(Register.CYCLES_LO)
    for delay in range(3, whole, whole // 12):
        await tb.begin(job.tape(), job.frame())
        if delay % 2:
            await tb.queue(job.frame(), NEXT_FRAME, NEXT_RESULT)
        await ClockCycles(dut.clk_i, delay)
        await tb.reset()
        assert await tb.read(Register.STATUS) == 0
        await tb.check(job)


@cocotb.test()
async def names_itself(dut: Any) -> None:
    tb = await started(dut)
    assert await tb.read(Register.IDENTITY) == IDENTITY
    assert await tb.read(Register.VERSION) == ENGINE_VERSION
    assert await tb.read(Register.CONFIG_HASH) == CONFIG_HASH
    assert await tb.read(Register.CAPABILITY_TILE) == TILE | TILE << 8 | CLUSTERS << 16 | PES << 24
    assert await tb.read(Register.CAPABILITY_PE) == ACCUMULATORS | 8 << 8 | 20 << 16
    assert await tb.read(Register.CAPABILITY_WORDS) == FM_WORDS


@cocotb.test()
async def counts_what_it_does(dut: Any) -> None:
    tb = await started(dut, 0.0)
    job = Job(2, 2)
    await tb.check(job)
    data = job.tape()
    weights = [len(s.payload) for s in job.segments() if s.kind is SegmentKind.WEIGHTS]
    repeats = sum((layer.tile_groups - 1) * size for layer, size in zip(job.layers, weights, strict=True))
    assert await tb.read(Register.STEPS) == 4
    assert await tb.read(Register.BEATS_READ_LO) * BEAT == len(data) + len(job.frame()) + repeats
    assert await tb.read(Register.BEATS_WRITTEN_LO) * BEAT == len(job.result())
    assert await tb.read(Register.BUSY_LO) == sum(layer.additions for layer in job.layers)
    cycles = await tb.read(Register.CYCLES_LO)
    steps = []
    for index in range(4):
        await tb.write(Register.PROFILE_INDEX, index)
        steps.append((await tb.read(Register.PROFILE_CYCLES), await tb.read(Register.PROFILE_BUSY)))
    assert sum(busy for _, busy in steps) == await tb.read(Register.BUSY_LO)
    assert all(length > 20 for length, _ in steps)
    assert cycles - 10 < sum(length for length, _ in steps) <= cycles


@cocotb.test(skip=WIDE)
async def names_every_damage(dut: Any) -> None:
    """Also that a frame after a broken one is right."""
    tb = await started(dut)
    job = Job(1, 2)
    data, frame = job.tape(), job.frame()
    for at, code in ((0, ErrorCode.BAD_MAGIC), (8, ErrorCode.BAD_VERSION), (12, ErrorCode.BAD_CONFIG)):
        assert await tb.run(flip(data, at), frame) == (code, 0)
    assert await tb.run(data[: -tape.ALIGN], frame) == (ErrorCode.BAD_LENGTH, 0)
    assert await tb.run(flip(data, 40), frame) == (ErrorCode.HEADER_CRC, 0)
    for index in range(len(job.segments())):
        at = header_of(data, index)
        assert await tb.run(flip(data, at + 20), frame) == (ErrorCode.SEGMENT_HEADER, index)
        assert await tb.run(flip(data, at + tape.ALIGN), frame) == (ErrorCode.SEGMENT_CRC, index)
        await tb.check(Job(random.choice([1, 2]), 2))
    bad_step = [Segment(SegmentKind.STEP, tape.pack_step(op=9))]
    assert await tb.run(tape.write(CONFIG_HASH, bad_step), frame) == (ErrorCode.BAD_STEP, 0)
    await tb.check(job)


@cocotb.test(skip=WIDE)
async def any_flipped_bit_of_weights_is_found(dut: Any) -> None:
    """Of fetch words, and of signs: an assertion of the PEs may refuse other bits of an entry first."""
    tb = await started(dut, 0.0)
    job = Job(2)
    data = job.tape()
    first = header_of(data, 3) + tape.ALIGN
    fetches = range(8 * (first + BEAT), 8 * (first + 2 * BEAT))
    entries = range(first + 3 * BEAT, header_of(data, 4), tape.ENTRY.size)
    for number in range(24):
        bit = random.choice(fetches) if number % 2 else 8 * random.choice(entries) + random.choice(SIGNS)
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        assert await tb.run(bytes(damaged), job.frame()) == (ErrorCode.SEGMENT_CRC, 3)
    await tb.check(job)


@cocotb.test(skip=WIDE)
async def names_bus_errors(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1)
    code, _ = await tb.run(job.tape(), job.frame(), tape_addr=BAD_FROM - 2 * tape.ALIGN)
    assert code is ErrorCode.BUS_READ
    code, segment = await tb.run(job.tape(), job.frame(), frame_addr=BAD_FROM - tape.ALIGN)
    assert (code, segment) == (ErrorCode.BUS_READ, 0)
    code, segment = await tb.run(job.tape(), job.frame(), result_addr=BAD_FROM - tape.ALIGN)
    assert (code, segment) == (ErrorCode.BUS_WRITE, 4)
    # Of the STORE, whatever goes on beside it, and of the LOAD.
    traced, again = Traced(4), LoadsAgain()
    code, segment = await tb.run(traced.tape(), traced.frame(), result_addr=BAD_FROM - tape.ALIGN)
    assert (code, segment) == (ErrorCode.BUS_WRITE, 4)
    code, segment = await tb.run(again.tape(), again.frame(), frame_addr=BAD_FROM - 2 * tape.ALIGN)
    assert (code, segment) == (ErrorCode.BUS_READ, 4)
    await tb.check(job)


class Endless(Layer):
    """A layer whose passes never end."""

    def rounds(self) -> list[list[int]]:
        rounds = super().rounds()
        rounds[-1][END_STREAM] &= ~CONTROL
        return rounds


@cocotb.test(skip=WIDE)
async def gives_up_when_nothing_moves(dut: Any) -> None:
    """Checksums are right, but the drain waits for the end of a pass."""
    tb = await started(dut)
    job = Job(1, 2)
    first = job.layers[0]
    job.layers[0] = Endless(first.size, first.channels, first.filters, first.tiles_at_once)
    code, _ = await tb.run(job.tape(), job.frame())
    assert code is ErrorCode.STALL
    await tb.check(Job(1, 2))


@cocotb.test(skip=WIDE)
async def a_dead_bus_is_no_dead_engine(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1)
    tb.reads.pause(1.0)
    code, _ = await tb.run(job.tape(), job.frame())
    assert code is ErrorCode.STALL
    tb.reads.pause(0.1)
    await tb.check(job)


async def follow(tb: TB, job: Job, cycle: int) -> bool:
    """Run the job, and in that cycle of it ask for another one; whether the first one had ended by then.

    The second one is never lost: it is queued, or it begins.
    """
    before = await tb.read(Register.FRAMES)
    tb.reads.write(NEXT_FRAME, job.frame())
    tb.reads.write(NEXT_RESULT, bytes(4096))
    await tb.begin(job.tape(), job.frame())
    await tb.write(Register.FRAME_ADDR_LO, NEXT_FRAME)
    await tb.write(Register.RESULT_ADDR_LO, NEXT_RESULT)
    busy = tb.dut.u_regs.busy_i
    await ClockCycles(tb.dut.clk_i, cycle)
    start = tb.registers.init_write(Register.CONTROL, (Control.START | Control.IRQ_ENABLE).to_bytes(4, "little"))
    while not int(tb.dut.start.value):
        await ClockCycles(tb.dut.clk_i, 1)
    had_ended = not int(busy.value)
    await start.wait()
    for _ in range(20000):
        if await tb.read(Register.FRAMES) == before + 2:
            break
    assert await tb.read(Register.FRAMES) == before + 2
    assert await tb.read(Register.STATUS) == Status.DONE | Status.IRQ
    for address in (RESULT, NEXT_RESULT):
        tb.compare(job.result(), address)
    return had_ended


@cocotb.test(skip=WIDE)
async def a_start_around_the_end_of_a_frame_is_never_lost(dut: Any) -> None:
    """In each cycle around it, also the last one."""
    tb = await started(dut, 0.0)
    job = Job(2, size=ONE_TILE)
    await tb.check(job)
    late, cycle = [], await tb.read(Register.CYCLES_LO) - 25
    while late[-4:] != [True] * 4:
        late.append(await follow(tb, job, cycle))
        cycle += 1
    assert late[:4] == [False] * 4


@cocotb.test(skip=WIDE)
async def a_host_that_clears_an_interrupt_and_then_looks_misses_no_frame(dut: Any) -> None:
    """It clears that of one frame in each cycle around the end of the next one."""
    tb = await started(dut, 0.0)
    job = Job(2, size=ONE_TILE)
    await tb.check(job)
    whole, outcomes = await tb.read(Register.CYCLES_LO), set[tuple[int, int]]()
    for cycle in range(whole - 18, whole + 6):
        before = await tb.read(Register.FRAMES)
        await tb.begin(job.tape(), job.frame())
        await tb.queue(job.frame(), NEXT_FRAME, NEXT_RESULT)
        while not int(dut.irq_o.value):
            await ClockCycles(dut.clk_i, 1)
        await ClockCycles(dut.clk_i, cycle)
        await tb.write(Register.STATUS, Status.IRQ)
        irq, frames = int(dut.irq_o.value), await tb.read(Register.FRAMES) - before
        outcomes.add((irq, frames))
        if frames == 1:
            await tb.interrupt()
        assert await tb.read(Register.FRAMES) == before + 2
        tb.compare(job.result(), NEXT_RESULT)
    assert {(0, 1), (0, 2)} <= outcomes <= {(0, 1), (0, 2), (1, 2)}


@cocotb.test(skip=WIDE)
async def an_abort_ends_a_frame_on_a_dead_bus_without_a_watchdog(dut: Any) -> None:
    """What is left of the frame is given up after the cycles of the watchdog that reset sets."""
    tb = await started(dut)
    job = Job(1)
    tb.reads.pause(1.0)
    await tb.begin(job.tape(), job.frame())
    await tb.write(Register.WATCHDOG, 0)
    await ClockCycles(dut.clk_i, 3 * WATCHDOG)
    assert await tb.read(Register.STATUS) == Status.BUSY
    await tb.write(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
    await ClockCycles(dut.clk_i, 3 * WATCHDOG)
    dut.u_sequencer.u_faults.still_q.value = WATCHDOG_CYCLES - 100
    code, _ = await tb.finish()
    assert code is ErrorCode.ABORTED
    tb.reads.pause(0.1)
    await tb.reset()
    await tb.check(job)


@cocotb.test(skip=WIDE)
async def aborts_at_any_time(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1)
    await tb.check(job)
    whole = await tb.read(Register.CYCLES_LO)
    for delay in range(0, whole - 60, 37):
        await tb.begin(job.tape(), job.frame())
        await ClockCycles(dut.clk_i, delay)
        await tb.write(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
        code, _ = await tb.finish()
        assert code is ErrorCode.ABORTED
        await tb.check(Job(2))


@cocotb.test(skip=WIDE)
async def ignores_what_makes_no_sense(dut: Any) -> None:
    """Abort while idle, changed addresses while busy."""
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.ABORT)
    assert await tb.read(Register.STATUS) == 0
    job = Job(2)
    await tb.begin(job.tape(), job.frame())
    await tb.write(Register.TAPE_ADDR_LO, 0)
    await tb.write(Register.RESULT_ADDR_LO, 0)
    assert await tb.read(Register.STATUS) == Status.BUSY
    assert await tb.finish() == (ErrorCode.NONE, 0)
    tb.compare(job.result(), RESULT)
