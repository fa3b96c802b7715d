"""Bench of sterna_sequencer: what each step waits for and starts, and every way a frame ends."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import step_word

from sterna.spec.registers import ErrorCode
from sterna.spec.tape import BESIDE_LOADS, MOST_BESIDE_STORES, Op

PARAMETERS = [{"FmAddrW": 12, "InputTable": 1, "FirstLayer": 1}]
# A frame's words lie on both sides of 8 GB.
FRAME, RESULT, SCRATCH = 0x1_FFFF_0000, 0x9_8765_0000, 0x4_3210_0000
NEXT_FRAME, NEXT_RESULT, NEXT_SCRATCH = 0x7_1111_0000, 0x8_2222_0000, 0x5_3333_0000
LAYOUT, NEXT_LAYOUT = 1, 2
WATCHDOG = 40

#: Levels of an engine in which nothing is under way.
QUIET = {
    "reader_idle_i": 1, "writer_idle_i": 1, "table_busy_i": 0, "issuing_i": 0, "drained_i": 1, "earlier_drained_i": 1,
    "step_drained_i": 0, "distributor_idle_i": 1, "issuer_idle_i": 1, "activity_i": 1, "discarded_i": 0,
    "tape_done_i": 0, "tape_error_i": 0, "tape_error_code_i": 0, "tape_segment_i": 0,
}
PULSES = (
    "start_i", "abort_i", "tape_read_error_i", "load_read_error_i", "write_error_i", "weights_done_i", "load_done_i",
    "store_done_i", "table_done_i",
)


class TB(Bench):
    """Steps in; watchers for everything that starts."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.steps = Source(
            Field(dut.step_valid_i), Field(dut.step_ready_o), {"step_i": Field(dut.step_i)}, idle=0.0
        )
        load = {
            "addr": Field(dut.load_addr_o), "step": Field(dut.load_step_o), "layout": Field(dut.load_layout_o)
        }  # fmt: skip
        store = {
            "addr": Field(dut.store_addr_o), "bytes": Field(dut.store_bytes_o), "base": Field(dut.store_base_o),
            "words": Field(dut.store_words_o),
        }
        self.loads = Sink(Field(dut.load_command_valid_o), Field(dut.load_command_ready_i), load)
        self.stores = Sink(Field(dut.store_command_valid_o), Field(dut.store_command_ready_i), store)
        self.load_starts = Sink(Field(dut.load_start_o), None, {})
        self.store_starts = Sink(Field(dut.store_start_o), None, {})
        ended = {"code": Field(dut.error_code_o), "segment": Field(dut.error_segment_o)}
        self.ends = Sink(Field(dut.finish_o), None, ended)
        self.convs = Sink(Field(dut.conv_start_o), None, {"step": Field(dut.step_o)})
        table = {
            "half": Field(dut.table_half_o), "filters": Field(dut.table_filters_o),
            "log2": Field(dut.table_tiles_log2_o),
        }
        self.tables = Sink(Field(dut.table_start_o), None, table)
        self.step_ends = Sink(Field(dut.step_end_o), None, {})
        self.inputs = Inputs(dut)
        self.agents = [
            self.inputs, self.steps, self.loads, self.stores, self.load_starts, self.store_starts, self.ends,
            self.convs, self.tables, self.step_ends,
        ]

    async def begin(self) -> None:
        """Reset, and a frame that waits for its first step."""
        await self.start(
            watchdog_i=WATCHDOG, frame_addr_i=FRAME, result_addr_i=RESULT, scratch_addr_i=SCRATCH,
            frame_layout_i=LAYOUT, **QUIET, **dict.fromkeys(PULSES, 0),
        )
        await self.pulse("start_i")
        await self.until("step_ready_o")

    async def set(self, **levels: int) -> None:
        """Change levels and let them work for a few cycles."""
        self.inputs.set(**levels)
        await self.step(5)

    async def pulse(self, name: str) -> None:
        """Give a pulse and let it work."""
        self.inputs.pulse(name)
        await self.step(5)

    async def until(self, name: str, value: int = 1) -> None:
        """Wait until an output has a value."""
        await self.run_until(lambda: self.output(name) == value, 100)

    def output(self, name: str) -> int:
        """Value of an output."""
        return int(getattr(self.dut, name).value)

    async def give(self, **fields: int) -> int:
        """Offer a step; returns it as a word."""
        word = step_word(tiles_at_once=2, **fields)
        self.steps.send([{"step_i": word}])
        sent = self.steps.sent
        await self.run_until(lambda: self.steps.sent == sent + 1, 50)
        await self.step(2)
        return word

    async def blocked_by(self, blockers: dict[str, int], begun: Callable[[], int]) -> None:
        """Nothing begins while any one of these inputs has this value; all are released at the end."""
        before = begun()
        released = {name: 1 - value for name, value in blockers.items()}
        for name, value in blockers.items():
            await self.set(**{**released, name: value})
            assert begun() == before, f"began in spite of {name}"
        await self.set(**released)
        assert begun() == before + 1

    async def start_conv(self, **fields: int) -> None:
        """A CONV step that nothing holds up, all of whose WEIGHTS pass."""
        await self.give(op=Op.CONV, **fields)
        await self.until("weights_enable_o")
        await self.pulse("weights_done_i")

    async def run_conv(self, **fields: int) -> None:
        """A CONV step that nothing holds up, and that is drained at once."""
        await self.start_conv(**fields)
        self.inputs.set(step_drained_i=1)
        await self.step()
        await self.set(step_drained_i=0)

    async def start_store(self, **fields: int) -> None:
        """A STORE that nothing holds up."""
        stores = len(self.store_starts.taken)
        await self.give(op=Op.STORE, fm_words=1, **fields)
        await self.run_until(lambda: len(self.store_starts.taken) == stores + 1, 100)
        await self.step()

    async def drained(self) -> None:
        """Report the oldest CONV step as drained."""
        self.inputs.set(step_drained_i=1)
        await self.step()
        assert self.output("step_noted_o") == 1
        await self.set(step_drained_i=0)

    async def run_load(self, **fields: int) -> None:
        """A LOAD or nothing, if it is skipped."""
        loads = len(self.loads.taken)
        await self.give(op=Op.LOAD, fm_words=2, **fields)
        await self.step(12)
        if len(self.loads.taken) > loads and not fields.get("next"):
            await self.pulse("load_done_i")

    async def queue(self) -> None:
        """Start one more frame while one runs."""
        self.inputs.set(
            frame_addr_i=NEXT_FRAME, result_addr_i=NEXT_RESULT, scratch_addr_i=NEXT_SCRATCH, frame_layout_i=NEXT_LAYOUT
        )
        await self.pulse("start_i")
        self.inputs.set(frame_addr_i=0, result_addr_i=0, scratch_addr_i=0, frame_layout_i=0)
        assert self.output("queued_o") == 1


async def begun(dut: Any) -> TB:
    """A bench with a frame that waits for its first step."""
    tb = TB(dut)
    await tb.begin()
    return tb


@cocotb.test()
async def conv_waits_for_vectors_but_not_for_the_drain(dut: Any) -> None:
    tb = await begun(dut)
    tb.inputs.set(drained_i=0)
    for count in range(3):
        half = tb.output("half_o")
        blockers = {"distributor_idle_i": 0, "issuer_idle_i": 0, "issuing_i": 1}
        await tb.set(earlier_drained_i=0, **blockers)
        step = await tb.give(op=Op.CONV, filters=9 + count)
        await tb.step(5)
        assert len(tb.tables.taken) == count, "two steps' tables are in use"
        await tb.set(earlier_drained_i=1)
        assert tb.tables.taken[count:] == [{"half": 1 - half, "filters": 9 + count, "log2": 1}]
        assert (tb.output("half_o"), tb.output("weights_enable_o")) == (half, 0)
        await tb.blocked_by(blockers, lambda: len(tb.convs.taken))
        assert tb.convs.taken[count:] == [{"step": step}]
        assert (tb.output("half_o"), tb.output("weights_enable_o")) == (1 - half, 1)
        assert tb.output("step_ready_o") == 0
        await tb.set(table_busy_i=1)
        await tb.pulse("weights_done_i")
        assert (tb.output("weights_enable_o"), tb.output("step_ready_o")) == (0, 0)
        await tb.set(table_busy_i=0)
        assert tb.output("step_ready_o") == 1
        if count:
            await tb.drained()
        assert len(tb.step_ends.taken) == count


@cocotb.test()
async def no_table_is_written_while_two_are_in_use(dut: Any) -> None:
    """Nor does a step start before its table may be written."""
    tb = await begun(dut)
    await tb.set(earlier_drained_i=0)
    await tb.give(op=Op.CONV)
    await tb.step(20)
    assert not tb.tables.taken
    assert not tb.convs.taken
    await tb.set(earlier_drained_i=1)
    assert len(tb.tables.taken) == len(tb.convs.taken) == 1


@cocotb.test()
async def a_load_waits_for_the_vectors_of_earlier_steps(dut: Any) -> None:
    """Not until they are drained. It ends when its words are written."""
    tb = await begun(dut)
    for count in range(2):
        blockers = {"issuing_i": 1, "distributor_idle_i": 0, "issuer_idle_i": 0}
        tb.inputs.set(drained_i=0, **blockers)
        offset = random.randrange(1 << 20) * 64
        tb.loads.stall = 0.0
        step = await tb.give(op=Op.LOAD, dram_bytes=64, fm_base=count, dram_offset=offset)
        await tb.blocked_by(blockers, lambda: len(tb.loads.taken))
        assert len(tb.load_starts.taken) == count + 1
        assert tb.loads.taken[count:] == [{"addr": FRAME + offset, "step": step, "layout": LAYOUT}]
        assert len(tb.step_ends.taken) == count
        await tb.pulse("load_done_i")
        assert len(tb.step_ends.taken) == count + 1
    assert not tb.stores.taken


@cocotb.test()
@cocotb.parametrize(op=[Op.CONV, Op.LOAD, Op.STORE])
async def a_step_waits_for_a_load_unless_it_goes_on_beside_it(dut: Any, op: Op) -> None:
    tb = await begun(dut)
    tb.loads.stall = 0.0
    for _ in range(2):
        await tb.give(op=Op.LOAD, fm_words=1)
        await tb.step(10)
        sent = tb.steps.sent
        tb.steps.send([{"step_i": step_word(op=op, tiles_at_once=2, fm_words=1)}])
        await tb.step(20)
        assert tb.steps.sent == sent
        await tb.pulse("load_done_i")
        assert tb.steps.sent == sent + 1
        if op is Op.CONV:
            await tb.until("weights_enable_o")
            await tb.pulse("weights_done_i")
            await tb.drained()
        else:
            await tb.step(10)
            await tb.pulse(f"{op.name.lower()}_done_i")
    if op is Op.CONV:
        await tb.give(op=Op.LOAD, fm_words=1)
        await tb.step(10)
        await tb.run_conv(beside=BESIDE_LOADS)
        assert len(tb.convs.taken) == 3
        # Steps end in order.
        assert len(tb.step_ends.taken) == 4
        await tb.pulse("load_done_i")
        tb.inputs.set(step_drained_i=1)
        await tb.step(5)
        assert len(tb.step_ends.taken) == 6


@cocotb.test()
async def a_store_waits_for_the_steps_before_it(dut: Any) -> None:
    """And no step waits for it that may go on beside it."""
    tb = await begun(dut)
    tb.stores.stall = 0.0
    for count in range(2):
        ended = len(tb.step_ends.taken)
        await tb.start_conv(beside=0)
        size, offset = random.randint(1, 999) * 64, random.randrange(1 << 20) * 64
        await tb.give(op=Op.STORE, dram_bytes=size, fm_base=count, dram_offset=offset, fm_words=7 + count)
        await tb.start_conv(beside=1)
        await tb.step(20)
        assert len(tb.stores.taken) == count
        await tb.drained()
        move = {"addr": RESULT + offset, "bytes": size, "base": count, "words": 7 + count}
        assert tb.stores.taken[count:] == [move]
        assert len(tb.store_starts.taken) == count + 1
        await tb.start_conv(beside=2)
        assert len(tb.convs.taken) == 3 * count + 3
        # It ends when the writer has every beat and every answer.
        await tb.set(step_drained_i=1)
        await tb.set(writer_idle_i=0)
        await tb.pulse("store_done_i")
        assert len(tb.step_ends.taken) == ended + 1
        await tb.set(writer_idle_i=1)
        assert len(tb.step_ends.taken) == ended + 4
        await tb.set(step_drained_i=0)
    assert not tb.loads.taken


@cocotb.test()
@cocotb.parametrize(op=[Op.CONV, Op.LOAD])
async def so_many_stores_go_on_beside_a_step(dut: Any, op: Op) -> None:
    """As it says: of two, one, or none."""
    tb = await begun(dut)
    tb.stores.stall = tb.loads.stall = 0.0

    def started() -> int:
        return len(tb.convs.taken) + len(tb.loads.taken)

    for beside in range(MOST_BESIDE_STORES + 1):
        before = started()
        for _ in range(2):
            await tb.give(op=Op.STORE, fm_words=1, dram_bytes=64)
        await tb.step(5)
        await tb.give(op=op, fm_words=1, beside=beside)
        for going_on in (2, 1, 0):
            await tb.step(20)
            assert started() == before + (going_on <= beside), f"{going_on} STOREs go on"
            if going_on:
                await tb.pulse("store_done_i")
        if op is Op.CONV:
            await tb.pulse("weights_done_i")
            await tb.drained()
        else:
            await tb.pulse("load_done_i")
    assert len(tb.stores.taken) == 6


@cocotb.test()
async def a_third_store_waits_until_the_first_has_ended(dut: Any) -> None:
    tb = await begun(dut)
    tb.stores.stall = 0.0
    for number in range(3):
        await tb.give(op=Op.STORE, fm_words=1, dram_bytes=64, dram_offset=64 * number)
    await tb.step(20)
    assert len(tb.stores.taken) == 1
    assert tb.output("step_ready_o") == 0
    for number in range(1, 4):
        await tb.pulse("store_done_i")
        await tb.step(5)
        assert tb.output("step_ready_o") == 1
        assert [store["addr"] - RESULT for store in tb.stores.taken] == [0, 64, 128][: number + 1]
        assert len(tb.step_ends.taken) == number


@cocotb.test()
@cocotb.parametrize(case=[(Op.TABLE, "input_table_o", "first_layer_o"), (Op.FIRST, "first_layer_o", "input_table_o")])
async def tables_are_filled_in_a_quiet_engine(dut: Any, case: tuple[Op, str, str]) -> None:
    """And the numbers of the first layer are given."""
    op, filled, other = case
    tb = await begun(dut)
    tb.loads.stall = 0.0
    blockers = {"issuing_i": 1, "distributor_idle_i": 0, "issuer_idle_i": 0, "drained_i": 0}
    tb.inputs.set(**blockers)
    await tb.give(op=op)
    await tb.blocked_by(blockers, lambda: tb.output(filled))
    assert (tb.output("step_ready_o"), len(tb.step_ends.taken), tb.output(other)) == (0, 0, 0)
    await tb.pulse("table_done_i")
    assert (tb.output(filled), tb.output("step_ready_o"), len(tb.step_ends.taken)) == (0, 1, 1)
    # Not while a LOAD in the background uses them.
    await tb.queue()
    await tb.run_load(next=1)
    await tb.give(op=op)
    await tb.step(10)
    assert tb.output(filled) == 0
    await tb.pulse("load_done_i")
    assert (tb.output(filled), tb.output(other)) == (1, 0)
    assert len(tb.loads.taken) == 1 and not tb.stores.taken


@cocotb.test()
@cocotb.parametrize(op=[Op.LOAD, Op.STORE])
async def each_frame_has_a_scratch_memory(dut: Any, op: Op) -> None:
    """A move uses it if its step says so."""
    tb = await begun(dut)
    commands, done = (tb.loads, "load_done_i") if op is Op.LOAD else (tb.stores, "store_done_i")
    await tb.queue()
    for scratch in (SCRATCH, NEXT_SCRATCH):
        await tb.until("step_ready_o")
        await tb.give(op=op, fm_words=1, dram_offset=192, scratch=1)
        await tb.step(12)
        assert commands.taken[-1]["addr"] == scratch + 192
        await tb.pulse(done)
        await tb.pulse("tape_done_i")
    assert len(commands.taken) == 2


@cocotb.test()
async def a_queued_frames_image_is_loaded_in_the_background(dut: Any) -> None:
    tb = await begun(dut)
    tb.loads.stall = 0.0
    await tb.run_load()
    await tb.queue()
    # It waits only for the vectors of earlier steps.
    blockers = {"issuing_i": 1, "distributor_idle_i": 0, "issuer_idle_i": 0}
    tb.inputs.set(drained_i=0, **blockers)
    step = await tb.give(op=Op.LOAD, next=1, dram_bytes=192, dram_offset=64)
    await tb.blocked_by(blockers, lambda: len(tb.loads.taken))
    move = {"addr": NEXT_FRAME + 64, "step": step, "layout": NEXT_LAYOUT}
    assert tb.loads.taken[1:] == [move]
    assert tb.output("step_ready_o") == 1
    await tb.set(drained_i=1)
    await tb.run_conv()
    await tb.start_store()
    await tb.pulse("store_done_i")
    assert len(tb.step_ends.taken) == 4
    # The next LOAD and the end of the frame wait for it.
    await tb.give(op=Op.LOAD, fm_words=1)
    await tb.step(30)
    assert len(tb.loads.taken) == 2
    await tb.pulse("load_done_i")
    assert len(tb.loads.taken) == 3
    await tb.pulse("load_done_i")
    await tb.pulse("tape_done_i")
    assert tb.ends.taken == [{"code": ErrorCode.NONE, "segment": 0}]
    # The next frame follows by itself, has its image and uses its own addresses.
    assert (tb.output("busy_o"), tb.output("queued_o")) == (1, 0)
    await tb.until("step_ready_o")
    await tb.run_load()
    await tb.run_load(next=1)
    assert len(tb.loads.taken) == 3
    assert tb.output("step_ready_o") == 1
    await tb.start_store()
    assert tb.stores.taken[-1]["addr"] == NEXT_RESULT
    await tb.pulse("store_done_i")
    await tb.set(tape_done_i=1)
    assert len(tb.ends.taken) == 2
    assert tb.output("busy_o") == 0
    # A frame that was not queued loads its image again.
    await tb.set(tape_done_i=0)
    await tb.pulse("start_i")
    await tb.until("step_ready_o")
    await tb.run_load()
    assert len(tb.loads.taken) == 4


@cocotb.test()
async def a_frame_queued_too_late_loads_its_own_image(dut: Any) -> None:
    tb = await begun(dut)
    await tb.run_load(next=1)
    assert not tb.loads.taken
    await tb.queue()
    await tb.pulse("tape_done_i")
    assert len(tb.ends.taken) == 1
    await tb.until("step_ready_o")
    await tb.run_load()
    assert [load["addr"] for load in tb.loads.taken] == [NEXT_FRAME]


@cocotb.test()
async def a_first_layer_needs_pixels_side_by_side(dut: Any) -> None:
    """A frame whose pixels do not lie so is not loaded ahead, and fails when it begins."""
    tb = await begun(dut)
    tb.loads.stall = 0.0
    await tb.run_load(group_words=1)
    await tb.queue()
    await tb.run_load(next=1, group_words=1)
    assert [load["layout"] for load in tb.loads.taken] == [LAYOUT]
    assert tb.output("step_ready_o") == 1
    await tb.pulse("tape_done_i")
    assert tb.ends.taken == [{"code": ErrorCode.NONE, "segment": 0}]
    await tb.until("step_ready_o")
    tb.inputs.set(tape_done_i=0, tape_segment_i=6)
    await tb.run_load(group_words=1)
    assert len(tb.loads.taken) == 1
    assert tb.ends.taken[1:] == [{"code": ErrorCode.BAD_LAYOUT, "segment": 6}]


@cocotb.test()
async def an_error_drops_the_queued_frame(dut: Any) -> None:
    tb = await begun(dut)
    tb.loads.stall = 0.0
    await tb.queue()
    tb.inputs.set(tape_segment_i=4)
    await tb.run_load(next=1)
    assert len(tb.loads.taken) == 1
    tb.inputs.set(tape_segment_i=9)
    await tb.pulse("load_read_error_i")
    assert tb.ends.taken == [{"code": ErrorCode.BUS_READ, "segment": 4}]
    assert (tb.output("busy_o"), tb.output("queued_o")) == (0, 0)
    await tb.pulse("start_i")
    await tb.until("step_ready_o")
    await tb.run_load()
    assert len(tb.loads.taken) == 2


@cocotb.test()
async def steps_end_in_order(dut: Any) -> None:
    """A move in the background counts as ended, but not before the steps before it."""
    tb = await begun(dut)
    for _ in range(2):
        await tb.give(op=Op.CONV)
        await tb.until("weights_enable_o")
        await tb.pulse("weights_done_i")
        await tb.run_load(next=1)
    assert not tb.step_ends.taken
    await tb.drained()
    assert len(tb.step_ends.taken) == 2
    await tb.drained()
    assert len(tb.step_ends.taken) == 4


@cocotb.test()
async def the_frame_ends_when_all_is_written(dut: Any) -> None:
    tb = await begun(dut)
    await tb.give(op=Op.CONV)
    await tb.until("weights_enable_o")
    await tb.pulse("weights_done_i")
    blockers = {
        "issuing_i": 1, "distributor_idle_i": 0, "issuer_idle_i": 0, "drained_i": 0, "writer_idle_i": 0,
    }
    await tb.set(**blockers)
    await tb.set(tape_done_i=1)
    for name in blockers:
        await tb.set(**{name: QUIET[name]})
    assert not tb.ends.taken
    await tb.drained()
    assert tb.ends.taken == [{"code": ErrorCode.NONE, "segment": 0}]
    assert tb.output("busy_o") == 0
    for name in blockers:
        await tb.set(tape_done_i=0)
        await tb.pulse("start_i")
        await tb.until("step_ready_o")
        ended = len(tb.ends.taken)
        await tb.set(**{name: blockers[name]})
        await tb.set(tape_done_i=1)
        assert len(tb.ends.taken) == ended
        await tb.set(**{name: QUIET[name]})
        assert len(tb.ends.taken) == ended + 1


@cocotb.test()
async def a_start_in_the_last_cycle_of_a_frame_begins_the_next(dut: Any) -> None:
    """A cycle before it is one of a queued frame, a cycle after it one of an idle engine."""
    tb = await begun(dut)
    tb.loads.stall = 0.0
    for late in (-1, 0, 1):
        loads = len(tb.loads.taken)
        if late == -1:
            tb.inputs.pulse("start_i", frame_addr_i=NEXT_FRAME)
            await tb.step()
        tb.inputs.set(tape_done_i=1)
        await tb.step()
        if late == 0:
            tb.inputs.pulse("start_i")
        await tb.step()
        assert tb.output("finish_o") == 1
        tb.inputs.set(tape_done_i=0)
        if late == 1:
            tb.inputs.pulse("start_i")
        await tb.step(2)
        assert (tb.output("busy_o"), tb.output("queued_o")) == (1, 0)
        await tb.until("step_ready_o")
        await tb.run_load()
        assert [load["addr"] for load in tb.loads.taken[loads:]] == [NEXT_FRAME]
    assert len(tb.ends.taken) == 3


@cocotb.test()
async def a_frame_begins_when_the_bus_is_idle(dut: Any) -> None:
    tb = TB(dut)
    levels = QUIET | {"reader_idle_i": 0, "writer_idle_i": 0}
    levels |= {"frame_addr_i": 0, "result_addr_i": 0, "scratch_addr_i": 0, "frame_layout_i": 0}
    await tb.start(watchdog_i=WATCHDOG, **levels, **dict.fromkeys(PULSES, 0))
    await tb.pulse("start_i")
    for name in ("reader_idle_i", "writer_idle_i"):
        assert (tb.output("busy_o"), tb.output("clear_o"), tb.output("flush_o")) == (1, 1, 1)
        assert tb.output("step_ready_o") == 0
        await tb.set(**{name: 1})
    assert (tb.output("clear_o"), tb.output("step_ready_o")) == (0, 1)


ERRORS = {
    ErrorCode.ABORTED: "abort_i", ErrorCode.BUS_READ: "tape_read_error_i", ErrorCode.BUS_WRITE: "write_error_i",
    ErrorCode.SEGMENT_CRC: "tape_error_i",
}
LAST_STATES = 4


async def go_to(tb: TB, state: int) -> None:
    """One of a few states of a frame; the step was segment 5, the tape reader is at segment 6."""
    tb.inputs.set(tape_segment_i=5)
    if state == 1:
        await tb.set(issuer_idle_i=0)
        await tb.give(op=Op.CONV)
    elif state == 2:
        await tb.give(op=Op.CONV)
        await tb.until("weights_enable_o")
    elif state == LAST_STATES - 1:
        await tb.start_store()
    await tb.set(tape_segment_i=6)


@cocotb.test()
@cocotb.parametrize(code=list(ERRORS), state=list(range(LAST_STATES)))
async def errors_end_the_frame_in_order(dut: Any, code: ErrorCode, state: int) -> None:
    tb = await begun(dut)
    await go_to(tb, state)
    tb.inputs.set(reader_idle_i=0, writer_idle_i=0, tape_error_code_i=code)
    await tb.pulse(ERRORS[code])
    for name in ("reader_idle_i", "writer_idle_i"):
        assert (tb.output("flush_o"), tb.output("clear_o"), tb.output("busy_o")) == (1, 1, 1)
        assert not tb.ends.taken
        await tb.set(**{name: 1})
    moving = state == LAST_STATES - 1 and code in (ErrorCode.ABORTED, ErrorCode.BUS_WRITE)
    assert tb.ends.taken == [{"code": code, "segment": 5 if moving else 6}]
    assert tb.output("busy_o") == 0
    await tb.set(tape_error_i=0, issuer_idle_i=1)
    await tb.pulse("start_i")
    await tb.until("step_ready_o")
    await tb.run_conv()
    await tb.set(tape_done_i=1)
    assert tb.ends.taken[1:] == [{"code": ErrorCode.NONE, "segment": 0}]


@cocotb.test()
async def the_last_answer_may_be_an_error(dut: Any) -> None:
    """The writer is idle a cycle later, in which the STORE ends, and the frame with it."""
    tb = await begun(dut)
    tb.inputs.set(writer_idle_i=0)
    await tb.start_store()
    await tb.pulse("store_done_i")
    await tb.set(tape_done_i=1)
    assert not tb.ends.taken
    tb.inputs.pulse("write_error_i")
    await tb.step()
    await tb.set(writer_idle_i=1)
    assert [end["code"] for end in tb.ends.taken] == [ErrorCode.BUS_WRITE]


@cocotb.test()
async def the_watchdog_lets_the_tape_be_checked(dut: Any) -> None:
    tb = await begun(dut)
    await go_to(tb, 2)
    for _ in range(4):
        tb.inputs.set(activity_i=0)
        await tb.step(WATCHDOG - 3)
        assert tb.output("discard_o") == 0
        await tb.set(activity_i=1)
    tb.inputs.set(activity_i=0)
    await tb.step(WATCHDOG + 4)
    assert tb.output("discard_o") == 1
    assert not tb.ends.taken
    await tb.set(activity_i=1)
    await tb.step(3 * WATCHDOG)
    assert not tb.ends.taken
    await tb.set(discarded_i=1)
    assert tb.ends.taken == [{"code": ErrorCode.STALL, "segment": 6}]
    assert tb.output("discard_o") == 0


@cocotb.test()
async def the_watchdog_prefers_a_wrong_checksum(dut: Any) -> None:
    tb = await begun(dut)
    await go_to(tb, 2)
    tb.inputs.set(activity_i=0)
    await tb.step(WATCHDOG + 5)
    await tb.set(tape_error_i=1, tape_error_code_i=ErrorCode.SEGMENT_CRC)
    assert tb.ends.taken == [{"code": ErrorCode.SEGMENT_CRC, "segment": 6}]


@cocotb.test()
@cocotb.parametrize(state=list(range(LAST_STATES)))
async def the_watchdog_needs_no_bus(dut: Any, state: int) -> None:
    """Nothing moves any more, not even what would complete a burst."""
    tb = await begun(dut)
    await go_to(tb, state)
    tb.inputs.set(activity_i=0, reader_idle_i=0, writer_idle_i=0)
    await tb.run_until(lambda: bool(tb.ends.taken), 4 * WATCHDOG)
    assert tb.ends.taken[0]["code"] == ErrorCode.STALL
    assert tb.cycle > 2 * WATCHDOG


@cocotb.test()
async def no_watchdog_never_gives_up(dut: Any) -> None:
    tb = await begun(dut)
    await tb.set(watchdog_i=0, activity_i=0)
    await tb.step(200)
    assert tb.output("discard_o") == 0
    assert tb.output("busy_o") == 1
