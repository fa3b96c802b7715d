"""Bench of sterna_sequencer: what each step waits for and starts, and every way a frame ends."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import step_word

from sterna.spec.registers import ErrorCode
from sterna.spec.tape import Op

WORD_BYTES = 104
PARAMETERS = [{"WordBytes": WORD_BYTES}]
FRAME, RESULT = 0x1_2345_0000, 0x9_8765_0000
WATCHDOG = 40

#: Levels of an engine in which nothing is under way.
QUIET = {
    "reader_idle_i": 1, "writer_idle_i": 1, "bus_free_i": 1, "tables_idle_i": 1, "issuing_i": 0, "drained_i": 1,
    "earlier_drained_i": 1, "distributor_idle_i": 1, "loader_idle_i": 1, "activity_i": 1, "discarded_i": 0,
    "tape_done_i": 0, "tape_error_i": 0, "tape_error_code_i": 0, "tape_segment_i": 0,
}
PULSES = (
    "start_i", "abort_i", "read_error_i", "write_error_i", "requant_done_i", "weights_done_i", "load_done_i",
    "store_done_i",
)


class TB(Bench):
    """Steps in; watchers for everything that starts."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.steps = Source(
            Field(dut.step_valid_i), Field(dut.step_ready_o), {"step_i": Field(dut.step_i)}, idle=0.0
        )
        move = {"addr": Field(dut.move_addr_o), "bytes": Field(dut.move_bytes_o)}
        self.loads = Sink(Field(dut.load_command_valid_o), Field(dut.load_command_ready_i), move)
        self.stores = Sink(Field(dut.store_command_valid_o), Field(dut.store_command_ready_i), move)
        ended = {"code": Field(dut.error_code_o), "segment": Field(dut.error_segment_o)}
        self.ends = Sink(Field(dut.finish_o), None, ended)
        step = {"step": Field(dut.step_o)}
        self.starts = {
            name: Sink(Field(getattr(dut, f"{name}_o")), None, step)
            for name in ("conv_start", "load_start", "store_start")
        }
        self.begins = Sink(Field(dut.step_begin_o), None, {})
        self.inputs = Inputs(dut)
        self.agents = [
            self.inputs, self.steps, self.loads, self.stores, self.ends, self.begins, *self.starts.values()
        ]

    async def begin(self) -> None:
        """Reset, and a frame that waits for its first step."""
        await self.start(
            watchdog_i=WATCHDOG, frame_addr_i=FRAME, result_addr_i=RESULT, **QUIET, **dict.fromkeys(PULSES, 0)
        )
        await self.pulse("start_i")
        await self.until("step_ready_o")

    async def set(self, **levels: int) -> None:
        """Change levels and let them work for a few cycles."""
        self.inputs.set(**levels)
        await self.step(4)

    async def pulse(self, name: str) -> None:
        """Give a pulse and let it work."""
        self.inputs.pulse(name)
        await self.step(4)

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

    async def blocked_by(self, blockers: dict[str, int], begun: int) -> None:
        """No step begins while any one of these inputs has this value; all are released at the end."""
        released = {name: 1 - value for name, value in blockers.items()}
        for name, value in blockers.items():
            await self.set(**{**released, name: value})
            assert len(self.begins.taken) == begun, f"began in spite of {name}"
        await self.set(**released)

    async def run_conv(self, **fields: int) -> None:
        """A CONV step that nothing holds up."""
        await self.give(op=Op.CONV, **fields)
        await self.until("table_enable_o")
        await self.pulse("requant_done_i")
        await self.until("weights_enable_o")
        await self.pulse("weights_done_i")


async def begun(dut: Any) -> TB:
    """A bench with a frame that waits for its first step."""
    tb = TB(dut)
    await tb.begin()
    return tb


@cocotb.test()
async def conv_waits_for_tables_and_lines(dut: Any) -> None:
    tb = await begun(dut)
    for count, barrier in enumerate((0, 1, 0)):
        half = tb.output("table_half_o")
        tb.inputs.set(issuing_i=1, earlier_drained_i=0)
        step = await tb.give(op=Op.CONV, barrier=barrier, filters=9 + count)
        await tb.set(issuing_i=0)
        assert tb.output("table_enable_o") == 0
        await tb.set(earlier_drained_i=1)
        assert tb.output("table_enable_o") == 1
        assert tb.output("table_half_o") == 1 - half
        assert tb.output("table_filters_o") == 9 + count
        assert tb.output("table_tiles_log2_o") == 1
        blockers = {"tables_idle_i": 0, "distributor_idle_i": 0, "loader_idle_i": 0, "issuing_i": 1}
        if barrier:
            blockers["drained_i"] = 0
        else:
            tb.inputs.set(drained_i=0)
        await tb.set(**blockers)
        await tb.pulse("requant_done_i")
        await tb.blocked_by(blockers, count)
        assert len(tb.begins.taken) == count + 1
        assert tb.starts["conv_start"].taken[count:] == [{"step": step}]
        assert tb.output("weights_enable_o") == 1
        assert tb.output("step_ready_o") == 0
        await tb.set(drained_i=1)
        await tb.pulse("weights_done_i")
        assert tb.output("weights_enable_o") == 0
        assert tb.output("step_ready_o") == 1


@cocotb.test()
@cocotb.parametrize(op=[Op.LOAD, Op.STORE])
async def moves_wait_for_a_quiet_engine(dut: Any, op: Op) -> None:
    tb = await begun(dut)
    name, base = ("load", FRAME) if op is Op.LOAD else ("store", RESULT)
    commands = tb.loads if op is Op.LOAD else tb.stores
    for count in range(2):
        blockers = {
            "issuing_i": 1, "distributor_idle_i": 0, "loader_idle_i": 0, "drained_i": 0, "bus_free_i": 0,
            "reader_idle_i": 0,
        }
        tb.inputs.set(**blockers)
        words, offset = random.randint(1, 999), random.randrange(1 << 20) * 64
        step = await tb.give(op=op, fm_words=words, dram_offset=offset)
        assert tb.output("hold_o") == 1
        await tb.blocked_by(blockers, count)
        assert tb.starts[f"{name}_start"].taken[count:] == [{"step": step}]
        assert tb.output(f"{name}_active_o") == 1
        await tb.run_until(lambda count=count: len(commands.taken) == count + 1, 50)
        await tb.step(10)
        assert commands.taken[count:] == [{"addr": base + offset, "bytes": words * WORD_BYTES}]
        await tb.set(writer_idle_i=0)
        await tb.pulse(f"{name}_done_i")
        assert tb.output("step_ready_o") == 0
        await tb.set(writer_idle_i=1)
        assert tb.output("step_ready_o") == 1
        assert tb.output("hold_o") == 0
    other = tb.stores if op is Op.LOAD else tb.loads
    assert not other.taken


@cocotb.test()
async def the_frame_ends_when_all_is_written(dut: Any) -> None:
    tb = await begun(dut)
    await tb.run_conv()
    blockers = {
        "issuing_i": 1, "distributor_idle_i": 0, "loader_idle_i": 0, "drained_i": 0, "writer_idle_i": 0,
    }
    await tb.set(**blockers)
    await tb.set(tape_done_i=1)
    for name in blockers:
        assert not tb.ends.taken
        await tb.set(**{name: QUIET[name]})
    assert tb.ends.taken == [{"code": ErrorCode.NONE, "segment": 0}]
    assert tb.output("busy_o") == 0


@cocotb.test()
async def a_frame_begins_when_the_bus_is_idle(dut: Any) -> None:
    tb = TB(dut)
    levels = QUIET | {"reader_idle_i": 0, "writer_idle_i": 0}
    await tb.start(watchdog_i=WATCHDOG, frame_addr_i=0, result_addr_i=0, **levels, **dict.fromkeys(PULSES, 0))
    await tb.pulse("start_i")
    for name in ("reader_idle_i", "writer_idle_i"):
        assert (tb.output("busy_o"), tb.output("clear_o"), tb.output("flush_o")) == (1, 1, 1)
        assert tb.output("step_ready_o") == 0
        await tb.set(**{name: 1})
    assert (tb.output("clear_o"), tb.output("step_ready_o")) == (0, 1)


ERRORS = {
    ErrorCode.ABORTED: "abort_i", ErrorCode.BUS_READ: "read_error_i", ErrorCode.BUS_WRITE: "write_error_i",
    ErrorCode.SEGMENT_CRC: "tape_error_i",
}
LAST_STATES = 4


async def go_to(tb: TB, state: int) -> None:
    """One of a few states of a frame; the step was segment 5, the tape reader is at segment 6."""
    tb.inputs.set(tape_segment_i=5)
    if state == 1:
        await tb.give(op=Op.CONV)
        await tb.until("table_enable_o")
    elif state == 2:
        await tb.give(op=Op.CONV)
        await tb.until("table_enable_o")
        await tb.pulse("requant_done_i")
        await tb.until("weights_enable_o")
    elif state == LAST_STATES - 1:
        await tb.give(op=Op.STORE, fm_words=3)
        await tb.until("store_active_o")
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
    moving = state == LAST_STATES - 1 and code is not ErrorCode.SEGMENT_CRC
    assert tb.ends.taken == [{"code": code, "segment": 5 if moving else 6}]
    assert tb.output("busy_o") == 0
    await tb.pulse("start_i")
    await tb.until("step_ready_o")
    await tb.run_conv()
    await tb.set(tape_done_i=1)
    assert tb.ends.taken[1:] == [{"code": ErrorCode.NONE, "segment": 0}]


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
    await tb.step(WATCHDOG + 3)
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
