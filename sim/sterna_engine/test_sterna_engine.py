"""Bench of the whole engine: a hand-made tape against numpy, every way a frame can end, and that the next one works."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from cocotbext.axi.sparse_memory import SparseMemory
from numpy.typing import NDArray
from sim.support.axi import BAD_FROM, MEMORY_BYTES, ReadMemory, WriteMemory

from sterna.spec import tape
from sterna.spec.registers import ENGINE_VERSION, IDENTITY, Control, ErrorCode, Register, Status
from sterna.spec.tape import Command, Op, RecordKind, Segment, SegmentKind

CONFIG_HASH = 0x5EED_0001
TILE, CLUSTERS, UNITS, SLOTS, BLOCK_LINES, FM_WORDS, BEAT, CHUNK = 3, 2, 4, 4, 16, 64, 8, 2
PARAMETERS = [
    {
        "TileH": TILE, "TileW": TILE, "Clusters": CLUSTERS, "Units": UNITS, "Slots": SLOTS,
        "BlockLines": BLOCK_LINES, "FmWords": FM_WORDS, "AxiDataW": 8 * BEAT, "ChunkBytes": CHUNK,
        "FifoChunks": 4, "ConfigHash": CONFIG_HASH,
    }
]
TAPE, FRAME, RESULT = 0x1000, 0x8F80, 0x10FC0
HEIGHT, WIDTH = 5, 7
TILES_H, TILES_W = -(-HEIGHT // TILE), -(-WIDTH // TILE)
TILES = TILES_H * TILES_W
WORD_BYTES = -(-TILE * TILE * 4 // BEAT) * BEAT
PAD, SHIFT = -3, 6
WATCHDOG = 400

Ints = NDArray[np.int64]


class Job:
    """One 1x1 convolution of a four-channel map: output channel f is sign[f] * input channel source[f], scaled.

    With `tiles_at_once` 1 the clusters make four output channels each, else all of them the same four.
    """

    def __init__(self, tiles_at_once: int, tile_groups: int | None = None) -> None:
        self.tiles_at_once = tiles_at_once
        self.groups = CLUSTERS // tiles_at_once
        self.tile_groups = -(-TILES // tiles_at_once) if tile_groups is None else tile_groups
        rng = np.random.default_rng(random.getrandbits(32))
        filters = UNITS * self.groups
        self.image = rng.integers(-128, 128, (4, HEIGHT, WIDTH))
        self.source = rng.integers(0, 4, filters)
        self.sign = rng.choice([-1, 1], filters)
        self.multiplier = rng.integers(0, 1 << 8, filters)
        self.bias = rng.integers(-(1 << 13), 1 << 13, filters)

    def padded(self) -> Ints:
        """The image on whole tiles, as the engine reads it."""
        full = np.full((4, TILES_H * TILE, TILES_W * TILE), PAD)
        full[:, :HEIGHT, :WIDTH] = self.image
        return full

    def frame(self) -> bytes:
        """The image as LOAD takes it."""
        return words(self.padded())

    def result(self) -> bytes:
        """The output as STORE writes it."""
        total = self.sign[:, None, None] * self.padded()[self.source]
        scaled = total * self.multiplier[:, None, None] + self.bias[:, None, None] + (1 << SHIFT >> 1)
        return words(np.clip(scaled >> SHIFT, -128, 127))

    def stream(self, number: int) -> bytes:
        """Entries of a unit stream for the one block: walk to the line, apply it, end."""
        line, entries = int(self.source[number]), []
        while line > 1:
            entries.append(control(Command.SKIP))
            line -= 1
        entries.append((line + 1) << 6 | (self.sign[number] < 0))
        return bytes([*entries, control(Command.END_PASS)])

    def weights(self) -> bytes:
        """The WEIGHTS payload: one fetch word, and the rounds of its block."""
        fetch = tape.pack_fields(
            tape.FETCH_FIELDS, {"plane": 0, "mask": 15, "last_in_block": 1, "last_in_pass": 1}
        )
        streams = [tape.pad(self.stream(n), CHUNK) for n in range(UNITS * self.groups)]
        longest = max(map(len, streams))
        padding = bytes([control(Command.PAD), 0])
        streams = [padding * ((longest - len(s)) // CHUNK) + s for s in streams]
        rounds = b"".join(s[at : at + CHUNK] for at in range(0, longest, CHUNK) for s in streams)
        return record(RecordKind.FETCH, 1, fetch.to_bytes(8, "little")) + record(
            RecordKind.ROUNDS, longest // CHUNK, rounds
        )

    def segments(self) -> list[Segment]:
        """LOAD, CONV, STORE."""
        conv = tape.pack_step(
            op=Op.CONV, barrier=1, gather_stride=1, shift=SHIFT, pad_value=PAD, tiles_at_once=self.tiles_at_once,
            fm_base=TILES, in_full_rows=HEIGHT // TILE, in_extra_rows=HEIGHT % TILE, in_full_cols=WIDTH // TILE,
            in_extra_cols=WIDTH % TILE, in_tiles_w=TILES_W, out_tiles_h=TILES_H, out_tiles_w=TILES_W,
            out_plane=TILES, tile_groups=self.tile_groups, filters=UNITS, group_words=1,
        )
        table = b"".join(
            int(m | (b & (1 << 46) - 1) << 18).to_bytes(8, "little")
            for m, b in zip(self.multiplier.tolist(), self.bias.tolist(), strict=True)
        )
        return [
            Segment(SegmentKind.STEP, tape.pack_step(op=Op.LOAD, fm_base=0, fm_words=TILES)),
            Segment(SegmentKind.STEP, conv),
            Segment(SegmentKind.REQUANT, table),
            Segment(SegmentKind.WEIGHTS, self.weights()),
            Segment(SegmentKind.STEP, tape.pack_step(op=Op.STORE, fm_base=TILES, fm_words=TILES * self.groups)),
        ]

    def tape(self) -> bytes:
        """The whole tape."""
        return tape.write(CONFIG_HASH, self.segments())


def control(command: int) -> int:
    """A control entry."""
    return tape.ENTRY_CONTROL << 6 | command


def record(kind: RecordKind, count: int, data: bytes) -> bytes:
    """A record of a WEIGHTS payload."""
    return tape.pad((kind | count << 8).to_bytes(8, "little"), BEAT) + tape.pad(data, BEAT)


def words(values: Ints) -> bytes:
    """Channel values on whole tiles as feature memory words in frame order."""
    out = b""
    for first in range(0, len(values), 4):
        for y in range(0, TILES_H * TILE, TILE):
            for x in range(0, TILES_W * TILE, TILE):
                lanes = values[first : first + 4, y : y + TILE, x : x + TILE].reshape(4, -1)
                out += tape.pad(lanes.T.astype(np.int8).tobytes(), WORD_BYTES)
    return out


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
        self.reads.write(RESULT, bytes(4096))
        await self.write(Register.WATCHDOG, WATCHDOG)
        await self.write(Register.TAPE_BYTES, len(data))
        for name, address in place.items():
            await self.write(Register[f"{name.upper()}_LO"], address)
        await self.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)

    async def finish(self) -> tuple[ErrorCode, int]:
        """Wait for the interrupt; returns the error code and its segment."""
        for _ in range(8000):
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

    async def check(self, job: Job) -> None:
        """Run a job and compare its result."""
        code, _ = await self.run(job.tape(), job.frame())
        assert code is ErrorCode.NONE
        wanted = job.result()
        assert self.writes.read(RESULT, len(wanted)) == wanted
        assert not any(self.writes.read(RESULT + len(wanted), 256))


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
    at = 64
    for _ in range(index):
        at += 64 + int.from_bytes(data[at + 8 : at + 16], "little")
    return at


@cocotb.test()
@cocotb.parametrize(tiles_at_once=[1, 2], pause=[0.0, 0.4])
async def computes_a_convolution(dut: Any, tiles_at_once: int, pause: float) -> None:
    tb = await started(dut, pause)
    for _ in range(2):
        await tb.check(Job(tiles_at_once))


@cocotb.test()
async def names_itself(dut: Any) -> None:
    tb = await started(dut)
    assert await tb.read(Register.IDENTITY) == IDENTITY
    assert await tb.read(Register.VERSION) == ENGINE_VERSION
    assert await tb.read(Register.CONFIG_HASH) == CONFIG_HASH
    assert await tb.read(Register.CAPABILITY_TILE) == TILE | TILE << 8 | CLUSTERS << 16 | UNITS << 24
    lines_log2 = BLOCK_LINES.bit_length() - 1
    assert await tb.read(Register.CAPABILITY_UNIT) == SLOTS | 8 << 8 | 20 << 16 | lines_log2 << 24
    assert await tb.read(Register.CAPABILITY_WORDS) == FM_WORDS


@cocotb.test()
async def counts_what_it_does(dut: Any) -> None:
    tb = await started(dut, 0.0)
    job = Job(2)
    await tb.check(job)
    data = job.tape()
    repeats = (job.tile_groups - 1) * len(tape.pad(job.weights()))
    assert await tb.read(Register.STEPS) == 3
    assert await tb.read(Register.BEATS_READ_LO) * BEAT == len(data) + len(job.frame()) + repeats
    assert await tb.read(Register.BEATS_WRITTEN_LO) * BEAT == len(job.result())
    assert await tb.read(Register.BUSY_LO) == CLUSTERS * UNITS * job.tile_groups
    cycles = await tb.read(Register.CYCLES_LO)
    steps = []
    for index in range(3):
        await tb.write(Register.PROFILE_INDEX, index)
        steps.append((await tb.read(Register.PROFILE_CYCLES), await tb.read(Register.PROFILE_BUSY)))
    assert [busy for _, busy in steps] == [0, CLUSTERS * UNITS * job.tile_groups, 0]
    assert all(length > 20 for length, _ in steps)
    assert cycles - 60 < sum(length for length, _ in steps) < cycles


@cocotb.test()
async def names_every_damage(dut: Any) -> None:
    """Also that a frame after a broken one is right."""
    tb = await started(dut)
    job = Job(1)
    data, frame = job.tape(), job.frame()
    for at, code in ((0, ErrorCode.BAD_MAGIC), (8, ErrorCode.BAD_VERSION), (12, ErrorCode.BAD_CONFIG)):
        assert await tb.run(flip(data, at), frame) == (code, 0)
    assert await tb.run(data[:-64], frame) == (ErrorCode.BAD_LENGTH, 0)
    assert await tb.run(flip(data, 40), frame) == (ErrorCode.HEADER_CRC, 0)
    for index in range(5):
        at = header_of(data, index)
        assert await tb.run(flip(data, at + 20), frame) == (ErrorCode.SEGMENT_HEADER, index)
        assert await tb.run(flip(data, at + 64), frame) == (ErrorCode.SEGMENT_CRC, index)
        await tb.check(Job(random.choice([1, 2])))
    bad_step = [Segment(SegmentKind.STEP, tape.pack_step(op=9))]
    assert await tb.run(tape.write(CONFIG_HASH, bad_step), frame) == (ErrorCode.BAD_STEP, 0)
    await tb.check(job)


@cocotb.test()
async def any_flipped_bit_of_weights_is_found(dut: Any) -> None:
    tb = await started(dut, 0.0)
    job = Job(2)
    data = job.tape()
    first = header_of(data, 3) + 64
    last = header_of(data, 4)
    for _ in range(12):
        damaged = bytearray(data)
        damaged[random.randrange(first, last)] ^= 1 << random.randrange(8)
        assert await tb.run(bytes(damaged), job.frame()) == (ErrorCode.SEGMENT_CRC, 3)
    await tb.check(job)


@cocotb.test()
async def names_bus_errors(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1)
    code, _ = await tb.run(job.tape(), job.frame(), tape_addr=BAD_FROM - 128)
    assert code is ErrorCode.BUS_READ
    code, segment = await tb.run(job.tape(), job.frame(), frame_addr=BAD_FROM - 64)
    assert (code, segment) == (ErrorCode.BUS_READ, 0)
    code, segment = await tb.run(job.tape(), job.frame(), result_addr=BAD_FROM - 64)
    assert (code, segment) == (ErrorCode.BUS_WRITE, 4)
    await tb.check(job)


@cocotb.test()
async def gives_up_when_nothing_moves(dut: Any) -> None:
    """A unit whose pass never ends: checksums are right, but its last chunk does nothing."""
    tb = await started(dut)
    job = Job(1)
    segments = job.segments()
    endless = bytearray(job.weights())
    round_bytes = CHUNK * UNITS * job.groups
    endless[-round_bytes : CHUNK - round_bytes] = bytes([control(Command.NOP)] * CHUNK)
    segments[3] = Segment(SegmentKind.WEIGHTS, bytes(endless))
    code, _ = await tb.run(tape.write(CONFIG_HASH, segments), job.frame())
    assert code is ErrorCode.STALL
    await tb.check(job)


@cocotb.test()
async def a_dead_bus_is_no_dead_engine(dut: Any) -> None:
    tb = await started(dut)
    job = Job(1)
    tb.reads.pause(1.0)
    code, _ = await tb.run(job.tape(), job.frame())
    assert code is ErrorCode.STALL
    tb.reads.pause(0.1)
    await tb.check(job)


@cocotb.test()
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


@cocotb.test()
async def ignores_what_makes_no_sense(dut: Any) -> None:
    """Abort while idle, start while busy, changed addresses while busy."""
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.ABORT)
    assert await tb.read(Register.STATUS) == 0
    job = Job(2)
    await tb.begin(job.tape(), job.frame())
    await tb.write(Register.TAPE_ADDR_LO, 0)
    await tb.write(Register.RESULT_ADDR_LO, 0)
    await tb.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)
    assert await tb.read(Register.STATUS) == Status.BUSY
    assert await tb.finish() == (ErrorCode.NONE, 0)
    assert tb.writes.read(RESULT, len(job.result())) == job.result()
