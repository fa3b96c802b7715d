"""Bench of sterna_tape_reader: real tapes pass whole and in order; every damage is named with its segment."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source

from sterna.spec import tape
from sterna.spec.registers import ErrorCode
from sterna.spec.tape import ALIGN, Op, Segment, SegmentKind

CONFIG_HASH = 0x1234ABCD
PARAMETERS = [
    {"DataW": 64, "Clusters": 2, "FirstLayer": 1, "ConfigHash": CONFIG_HASH},
    {"DataW": 512, "Clusters": 4, "InputTable": 1, "ConfigHash": CONFIG_HASH},
]
# The tapes lie on both sides of 8 GB.
TAPE_ADDRESS = 0x1_FFFF_FF00
#: Beats that wait in front of the walk.
BEATS = 2


class Memory:
    """Answers commands with the bytes of the tape; an agent that the sink of commands feeds."""

    def __init__(self, commands: Sink, beats: Source, beat_bytes: int) -> None:
        self.commands, self.beats, self.beat_bytes = commands, beats, beat_bytes
        self.content = b""
        self.asked = 0

    def drive(self) -> None:
        for command in self.commands.taken:
            first = command["addr"] - TAPE_ADDRESS
            assert 0 <= first < first + command["bytes"] <= len(self.content)
            starts = range(first, first + command["bytes"], self.beat_bytes)
            self.asked += command["bytes"]
            self.beats.send(
                {"data": int.from_bytes(self.content[at : at + self.beat_bytes], "little")} for at in starts
            )
        self.commands.taken.clear()

    def sample(self) -> None:
        """Nothing to read."""


class TB(Bench):
    """A memory with the tape, and sinks for steps and payloads."""

    def __init__(self, dut: Any, idle: float = 0.2, stall: float = 0.2) -> None:
        super().__init__(dut)
        self.beat_bytes = len(dut.beat_data_i) // 8
        command = {"addr": Field(dut.command_addr_o), "bytes": Field(dut.command_bytes_o)}
        commands = Sink(Field(dut.command_valid_o), Field(dut.command_ready_i), command, stall)
        data = {"data": Field(dut.beat_data_i)}
        self.beats = Source(Field(dut.beat_valid_i), Field(dut.beat_ready_o), data, idle)
        self.steps = Sink(Field(dut.step_valid_o), Field(dut.step_ready_i), {"step": Field(dut.step_o)}, stall)
        payload = {"data": Field(dut.payload_o)}
        self.requant = Sink(Field(dut.requant_valid_o), Field(dut.requant_ready_i), payload, stall)
        self.weights = Sink(Field(dut.weights_valid_o), Field(dut.weights_ready_i), payload, stall)
        self.weights_done = Sink(Field(dut.weights_done_o), None, {})
        self.inputs = Inputs(dut)
        self.memory = Memory(commands, self.beats, self.beat_bytes)
        self.commands = commands
        self.agents = [
            self.memory, self.inputs, commands, self.beats, self.steps, self.requant, self.weights, self.weights_done,
        ]

    async def begin(self, data: bytes, register_bytes: int | None = None) -> None:
        """Reset the bench's record and start on a tape."""
        await self.clear()
        self.memory.content = data
        self.inputs.pulse("start_i", tape_bytes_i=len(data) if register_bytes is None else register_bytes)
        await self.step()

    async def finish(self) -> tuple[ErrorCode, int]:
        """Run to the end; returns the error code and its segment."""
        await self.run_until(lambda: bool(self.dut.done_o.value or self.dut.error_o.value), 20000)
        return ErrorCode(int(self.dut.error_code_o.value)), int(self.dut.segment_o.value)

    def taken(self, sink: Sink) -> bytes:
        """The bytes that a payload sink took."""
        return b"".join(beat["data"].to_bytes(self.beat_bytes, "little") for beat in sink.taken)

    async def error_of(self, data: bytes, register_bytes: int | None = None) -> tuple[ErrorCode, int]:
        """The error with which a tape ends."""
        await self.begin(data, register_bytes)
        return await self.finish()


async def started(dut: Any, **rates: float) -> TB:
    """A bench out of reset."""
    tb = TB(dut, **rates)
    await tb.start(tape_addr_i=TAPE_ADDRESS, tape_bytes_i=0, start_i=0, discard_i=0)
    return tb


def conv(clusters: int, groups: int, lines: int) -> list[Segment]:
    """A CONV step with random payloads."""
    tiles = random.choice([1 << i for i in range(clusters.bit_length())])
    filters = random.randint(1, 20)
    requant = tape.pad(random.randbytes(8 * filters * (clusters // tiles)))
    weights = random.randbytes(ALIGN * lines)
    step = tape.pack_step(
        op=Op.CONV, tiles_at_once=tiles, tile_groups=groups, filters=filters, requant_bytes=len(requant),
        weights_bytes=len(weights),
    )
    payloads = [(SegmentKind.STEP, step), (SegmentKind.REQUANT, requant), (SegmentKind.WEIGHTS, weights)]
    return [Segment(kind, payload) for kind, payload in payloads]


def move(op: Op) -> list[Segment]:
    """A LOAD or STORE step."""
    return [Segment(SegmentKind.STEP, tape.pack_step(op=op, fm_words=random.randint(1, 99)))]


def filling(dut: Any) -> dict[Op, int]:
    """The steps that fill what the engine has, with the bytes of their payloads."""
    all_of = {Op.TABLE: (dut.InputTable, 2048), Op.FIRST: (dut.FirstLayer, 1280)}
    return {op: size for op, (has, size) in all_of.items() if int(has.value)}


def table(op: Op, size: int) -> list[Segment]:
    """A TABLE or FIRST step with a random payload."""
    step = tape.pack_step(op=op, requant_bytes=size)
    return [Segment(SegmentKind.STEP, step), Segment(SegmentKind.REQUANT, random.randbytes(size))]


def sample_segments(dut: Any) -> list[Segment]:
    """Moves, convolutions and, if the engine has them, tables in an order that meets every pair of neighbours."""
    clusters = int(dut.Clusters.value)
    tables = [segment for op, size in filling(dut).items() for segment in table(op, size)]
    return [
        *tables, *move(Op.LOAD), *move(Op.LOAD), *conv(clusters, 3, 5), *conv(clusters, 1, 1), *move(Op.STORE),
        *conv(clusters, 2, 1), *tables, *tables, *conv(clusters, 1, 3), *move(Op.STORE), *move(Op.LOAD), *tables,
    ]


def streams(segments: list[Segment]) -> tuple[list[dict[str, int]], bytes, bytes]:
    """What must come out: steps, REQUANT bytes, WEIGHTS bytes with their repeats."""
    steps, requant, weights, groups = [], b"", b"", 0
    for segment in segments:
        payload = tape.pad(segment.payload)
        if segment.kind is SegmentKind.STEP:
            steps.append({"step": int.from_bytes(payload, "little")})
            groups = tape.unpack_step(payload)["tile_groups"]
        elif segment.kind is SegmentKind.REQUANT:
            requant += payload
        else:
            weights += payload * groups
    return steps, requant, weights


def positions(data: bytes) -> list[tuple[int, int]]:
    """(first byte of the header, bytes of the payload) of each segment."""
    found, at = [], ALIGN
    while at < len(data):
        size = int.from_bytes(data[at + 8 : at + 16], "little")
        found.append((at, size))
        at += ALIGN + size
    return found


def patch(data: bytes, header: int, offset: int, value: int, size: int) -> bytes:
    """Write a field of the header at `header` and make the header's CRC right again."""
    changed = bytearray(data)
    changed[header + offset : header + offset + size] = value.to_bytes(size, "little")
    checked = header + ALIGN - 4
    changed[checked : checked + 4] = zlib.crc32(changed[header:checked]).to_bytes(4, "little")
    return bytes(changed)


def flip(data: bytes, first: int, last: int) -> bytes:
    """Flip a random bit in bytes first .. last - 1."""
    changed = bytearray(data)
    changed[random.randrange(first, last)] ^= 1 << random.randrange(8)
    return bytes(changed)


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5], stall=[0.0, 0.5])
async def passes_whole_tapes(dut: Any, idle: float, stall: float) -> None:
    tb = await started(dut, idle=idle, stall=stall)
    for _ in range(2):
        segments = sample_segments(dut)
        assert await tb.error_of(tape.write(CONFIG_HASH, segments)) == (ErrorCode.NONE, len(segments))
        assert (tb.steps.taken, tb.taken(tb.requant), tb.taken(tb.weights)) == streams(segments)
        assert len(tb.weights_done.taken) == 4
        assert not tb.beats.queue, "nothing is requested in vain"


@cocotb.test()
async def an_empty_tape_ends_at_once(dut: Any) -> None:
    tb = await started(dut)
    assert await tb.error_of(tape.write(CONFIG_HASH, [])) == (ErrorCode.NONE, 0)


@cocotb.test()
async def asks_ahead_but_not_for_a_step_that_is_not_taken(dut: Any) -> None:
    """When a CONV step is taken, everything up to the step after the next one is requested at once."""
    tb = await started(dut, idle=0.0, stall=0.0)
    segments = [*move(Op.LOAD), *conv(int(dut.Clusters.value), 3, 4), *move(Op.STORE), *move(Op.STORE)]
    data = tape.write(CONFIG_HASH, segments)
    tb.steps.stall = 1.0
    await tb.begin(data)
    tb.memory.asked = 0
    conv_at, store_at = positions(data)[1][0], positions(data)[4][0]
    repeats = 2 * positions(data)[3][1]
    for asked in (4 * ALIGN, conv_at + 3 * ALIGN, store_at + 3 * ALIGN + repeats, len(data) + repeats):
        await tb.run_until(lambda: int(dut.step_valid_o.value) == 1, 500)
        await tb.step(30)
        assert tb.memory.asked == asked
        tb.requant.stall = tb.weights.stall = 1.0
        tb.steps.stall = 0.0
        await tb.step(2)
        tb.steps.stall = 1.0
        await tb.step(12)
        tb.requant.stall = tb.weights.stall = 0.0
    assert await tb.finish() == (ErrorCode.NONE, len(segments))
    assert (tb.steps.taken, tb.taken(tb.requant), tb.taken(tb.weights)) == streams(segments)


@cocotb.test()
async def streams_a_beat_a_cycle(dut: Any) -> None:
    """Between repeats of WEIGHTS a few cycles are lost, in which its CRC is checked."""
    tb = await started(dut, idle=0.0, stall=0.0)
    groups, lines = 8, 20
    data = tape.write(CONFIG_HASH, conv(int(dut.Clusters.value), groups, lines))
    await tb.begin(data)
    await tb.run_until(lambda: len(tb.weights.taken) > 0, 500)
    beats = groups * lines * ALIGN // tb.beat_bytes
    assert await tb.run_until(lambda: len(tb.weights.taken) == beats, 20000) <= beats + 5 * groups


@cocotb.test()
async def names_wrong_tape_headers(dut: Any) -> None:
    tb = await started(dut)
    data = tape.write(CONFIG_HASH, sample_segments(dut))
    assert await tb.error_of(flip(data, 0, 8)) == (ErrorCode.BAD_MAGIC, 0)
    assert await tb.error_of(flip(data, 8, 12)) == (ErrorCode.BAD_VERSION, 0)
    assert await tb.error_of(flip(data, 12, 16)) == (ErrorCode.BAD_CONFIG, 0)
    assert await tb.error_of(flip(data, 16, 24)) == (ErrorCode.BAD_LENGTH, 0)
    assert await tb.error_of(flip(data, 24, ALIGN)) == (ErrorCode.HEADER_CRC, 0)
    for wrong in (0, ALIGN // 2, len(data) - ALIGN, len(data) - ALIGN // 2, len(data) - 4, ALIGN):
        assert await tb.error_of(data, wrong) == (ErrorCode.BAD_LENGTH, 0)
    assert not tb.steps.taken


@cocotb.test()
async def names_wrong_segment_counts(dut: Any) -> None:
    tb = await started(dut)
    segments = [*move(Op.LOAD), *conv(int(dut.Clusters.value), 1, 1)]
    data = tape.write(CONFIG_HASH, segments)
    assert await tb.error_of(patch(data, 0, 24, 5, 4)) == (ErrorCode.BAD_LENGTH, 4)
    assert await tb.error_of(patch(data, 0, 24, 1, 4)) == (ErrorCode.BAD_LENGTH, 1)
    assert await tb.error_of(patch(data, 0, 24, 2, 4)) == (ErrorCode.BAD_STEP, 2)
    shorter = tape.write(CONFIG_HASH, segments[:2])
    assert await tb.error_of(shorter) == (ErrorCode.BAD_LENGTH, 1)


@cocotb.test()
async def names_damaged_segments(dut: Any) -> None:
    tb = await started(dut)
    segments = [*move(Op.LOAD), *conv(int(dut.Clusters.value), 2, 3), *move(Op.STORE)]
    data = tape.write(CONFIG_HASH, segments)
    for index, (at, size) in enumerate(positions(data)):
        assert await tb.error_of(flip(data, at, at + ALIGN)) == (ErrorCode.SEGMENT_HEADER, index)
        payload = at + ALIGN
        assert await tb.error_of(flip(data, payload, payload + size)) == (ErrorCode.SEGMENT_CRC, index)
        handed_on = [s for s in segments[:index] if s.kind is SegmentKind.STEP]
        assert len(tb.steps.taken) == len(handed_on)
        assert len(tb.weights_done.taken) == (index > 3)


@cocotb.test()
async def names_wrong_segment_headers(dut: Any) -> None:
    tb = await started(dut)
    data = tape.write(CONFIG_HASH, [*move(Op.LOAD), *conv(int(dut.Clusters.value), 1, 2), *move(Op.STORE)])
    places = positions(data)
    for index, (at, size) in enumerate(places):
        assert await tb.error_of(patch(data, at, 4, index + 1, 4)) == (ErrorCode.SEGMENT_HEADER, index)
        kind = int.from_bytes(data[at : at + 4], "little")
        for other in {0, 1, 2, 3, 4, 0x80000000 + kind} - {kind}:
            assert await tb.error_of(patch(data, at, 0, other, 4)) == (ErrorCode.BAD_STEP, index)
        for wrong in (0, 1, size + ALIGN // 2, len(data) - at, 1 << 32, (1 << 63) + size):
            assert await tb.error_of(patch(data, at, 8, wrong, 8)) == (ErrorCode.BAD_LENGTH, index)
    assert await tb.error_of(patch(data, places[0][0], 8, 2 * ALIGN, 8)) == (ErrorCode.BAD_LENGTH, 0)


@cocotb.test()
async def refuses_steps_that_it_cannot_run(dut: Any) -> None:
    tb = await started(dut)
    clusters = int(dut.Clusters.value)
    good = {
        "op": Op.CONV, "tiles_at_once": 1, "tile_groups": 1, "filters": 1, "requant_bytes": ALIGN,
        "weights_bytes": ALIGN,
    }
    changes: list[dict[str, int]] = [
        {"op": 0}, {"op": 6}, {"op": Op.LOAD}, {"op": Op.STORE}, {"tiles_at_once": 0}, {"tiles_at_once": 3},
        {"tiles_at_once": 2 * clusters}, {"tile_groups": 0}, {"filters": 0},
        {"filters": 1 + int(dut.TableEntries.value)},
    ]
    for op, size in {Op.TABLE: 2048, Op.FIRST: 1280}.items():
        if op not in filling(dut):
            changes.append({"op": op, "requant_bytes": size, "weights_bytes": 0})
    for change in changes:
        step = Segment(SegmentKind.STEP, tape.pack_step(**{**good, **change}))
        assert await tb.error_of(tape.write(CONFIG_HASH, [step])) == (ErrorCode.BAD_STEP, 0)
        assert not tb.steps.taken


@cocotb.test()
async def refuses_lengths_that_do_not_fit_the_step(dut: Any) -> None:
    """The table's length follows from the filters; the payloads may not reach beyond the tape."""
    tb = await started(dut)
    clusters = int(dut.Clusters.value)
    good = {"op": Op.CONV, "tiles_at_once": 1, "tile_groups": 1, "filters": 17, "weights_bytes": 2 * ALIGN}
    table = len(tape.pad(bytes(8 * 17 * clusters)))
    payloads = [Segment(SegmentKind.REQUANT, bytes(table)), Segment(SegmentKind.WEIGHTS, bytes(2 * ALIGN))]
    lengths = [
        {"requant_bytes": table}, {"requant_bytes": table - ALIGN}, {"requant_bytes": table + ALIGN},
        {"requant_bytes": 0}, {"requant_bytes": table - ALIGN // 2},
        {"requant_bytes": table + 8}, {"requant_bytes": table, "weights_bytes": 0},
        {"requant_bytes": table, "weights_bytes": 2 * ALIGN - 8}, {"requant_bytes": table, "weights_bytes": 3 * ALIGN},
        {"requant_bytes": table, "weights_bytes": (1 << 32) - ALIGN},
    ]
    for number, change in enumerate(lengths):
        step = Segment(SegmentKind.STEP, tape.pack_step(**(good | change)))
        wanted = (ErrorCode.BAD_LENGTH, 0) if number else (ErrorCode.NONE, 3)
        assert await tb.error_of(tape.write(CONFIG_HASH, [step, *payloads])) == wanted
    step = Segment(SegmentKind.STEP, tape.pack_step(**(good | lengths[0] | {"weights_bytes": ALIGN})))
    assert await tb.error_of(tape.write(CONFIG_HASH, [step, *payloads])) == (ErrorCode.BAD_LENGTH, 2)


async def stuck_in(tb: TB, sink: str, data: bytes) -> None:
    """Run until a payload no longer flows, then discard it."""
    getattr(tb, sink).stall = 0.5
    await tb.begin(data)
    await tb.run_until(lambda: len(getattr(tb, sink).taken) > 0, 3000)
    getattr(tb, sink).stall = 1.0
    await tb.step(50)
    assert int(tb.dut.discarded_o.value) == 0
    tb.agents.remove(getattr(tb, sink))
    tb.inputs.set(discard_i=1)
    dropped: Callable[[], bool] = lambda: bool(tb.dut.discarded_o.value or tb.dut.error_o.value)  # noqa: E731
    await tb.run_until(dropped, 3000)
    tb.inputs.set(discard_i=0)
    tb.agents.append(getattr(tb, sink))


@cocotb.test()
@cocotb.parametrize(sink=["requant", "weights"])
async def discards_but_goes_on_checking(dut: Any, sink: str) -> None:
    tb = await started(dut)
    clusters = int(dut.Clusters.value)
    filters = int(dut.TableEntries.value)
    requant = Segment(SegmentKind.REQUANT, tape.pad(random.randbytes(8 * filters * clusters)))
    weights = Segment(SegmentKind.WEIGHTS, random.randbytes(4096))
    step = tape.pack_step(
        op=Op.CONV, tiles_at_once=1, tile_groups=3, filters=filters, requant_bytes=len(requant.payload),
        weights_bytes=len(weights.payload),
    )
    segments = [*move(Op.LOAD), Segment(SegmentKind.STEP, step), requant, weights]
    data = tape.write(CONFIG_HASH, segments)
    index = 2 if sink == "requant" else 3
    at, size = positions(data)[index]
    await stuck_in(tb, sink, data)
    assert int(dut.error_o.value) == 0
    assert tb.beats.sent <= (at + ALIGN + size) // tb.beat_bytes + BEATS
    await stuck_in(tb, sink, flip(data, at + ALIGN, at + ALIGN + size))
    assert int(dut.error_o.value) == 1
    assert int(dut.error_code_o.value) == ErrorCode.SEGMENT_CRC
    assert int(dut.segment_o.value) == index
