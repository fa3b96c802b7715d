"""Bench of sterna_faults: which error ends a frame, with which segment, and when the watchdog does."""

from __future__ import annotations

import itertools
from typing import Any

import cocotb
from cocotb.triggers import FallingEdge
from sim.support.inputs import Inputs
from sim.support.streams import Bench

from sterna.spec.registers import WATCHDOG_CYCLES, ErrorCode

PARAMETERS: list[dict[str, int]] = [{}]
WATCHDOG = 30
TAPE, MOVE, LOAD = 7, 5, 3
IDLE = {
    "running_i": 0, "busy_i": 0, "start_i": 0, "watchdog_i": WATCHDOG, "activity_i": 1, "discarded_i": 0, "abort_i": 0,
    "tape_read_error_i": 0, "load_read_error_i": 0, "write_error_i": 0, "bad_layout_i": 0,
    "tape_error_i": 0, "moving_i": 0,
    "tape_error_code_i": ErrorCode.SEGMENT_CRC, "tape_segment_i": TAPE, "move_segment_i": MOVE, "load_segment_i": LOAD,
}  # fmt: skip
#: What comes first counts, with its segment while a move goes on, and else.
FAULTS = {
    "abort_i": (ErrorCode.ABORTED, MOVE, TAPE),
    "tape_read_error_i": (ErrorCode.BUS_READ, TAPE, TAPE),
    "load_read_error_i": (ErrorCode.BUS_READ, LOAD, LOAD),
    "write_error_i": (ErrorCode.BUS_WRITE, MOVE, TAPE),
    "bad_layout_i": (ErrorCode.BAD_LAYOUT, MOVE, TAPE),
    "tape_error_i": (ErrorCode.SEGMENT_CRC, TAPE, TAPE),
}


class TB(Bench):
    """A frame that runs until it fails."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.inputs = Inputs(dut)
        self.agents = [self.inputs, self]
        self.failed = 0

    def drive(self) -> None:
        """A frame that has failed runs no more."""
        if self.failed:
            self.dut.running_i.value = 0

    def sample(self) -> None:
        """Count failures."""
        self.failed += int(self.dut.failed_o.value)

    async def begin(self, **levels: int) -> None:
        """Start a frame."""
        self.failed = 0
        self.inputs.pulse("start_i", **IDLE | {"running_i": 1, "busy_i": 1} | levels)
        await self.step(2)
        assert self.error() == (ErrorCode.NONE, 0)

    def error(self) -> tuple[int, int]:
        """Error code and segment."""
        return int(self.dut.error_code_o.value), int(self.dut.error_segment_o.value)

    def discards(self) -> bool:
        """Whether the tape reader is to drop what it reads."""
        return bool(self.dut.discard_o.value)


async def started(dut: Any) -> TB:
    tb = TB(dut)
    await tb.start(**IDLE)
    return tb


@cocotb.test()
@cocotb.parametrize(moving=[0, 1])
async def the_first_of_several_errors_counts(dut: Any, moving: int) -> None:
    tb = await started(dut)
    for count in (1, 2):
        for names in itertools.combinations(FAULTS, count):
            await tb.begin(moving_i=moving)
            for name in names:
                tb.inputs.pulse(name)
            await tb.step(3)
            code, at_move, else_at = FAULTS[names[0]]
            segment = at_move if moving else else_at
            if "load_read_error_i" in names:
                segment = LOAD
            elif moving and {"write_error_i", "bad_layout_i"} & set(names) and "tape_read_error_i" not in names:
                segment = MOVE
            elif moving and {"tape_read_error_i", "tape_error_i"} & set(names):
                segment = TAPE
            assert tb.failed == 1
            assert tb.error() == (code, segment), names


@cocotb.test()
async def nothing_fails_while_no_frame_runs(dut: Any) -> None:
    tb = await started(dut)
    for name in FAULTS:
        tb.inputs.pulse(name)
        await tb.step(3)
    tb.inputs.set(activity_i=0)
    await tb.step(3 * WATCHDOG)
    assert tb.failed == 0
    assert tb.error() == (ErrorCode.NONE, 0)
    assert not tb.discards()


@cocotb.test()
async def the_watchdog_gives_up_in_two_steps(dut: Any) -> None:
    """First the tape reader drops its payload; the frame fails when it has, or when nothing moves even so."""
    tb = await started(dut)
    for discarded in (True, False):
        await tb.begin(activity_i=0)
        await tb.run_until(tb.discards, WATCHDOG + 4)
        assert tb.failed == 0
        if discarded:
            tb.inputs.set(discarded_i=1)
        cycles = await tb.run_until(lambda: tb.failed == 1, WATCHDOG + 4)
        assert cycles <= 2 if discarded else cycles >= WATCHDOG
        await tb.step(2)
        assert tb.error() == (ErrorCode.STALL, TAPE)
        assert not tb.discards()


@cocotb.test()
async def any_activity_puts_the_watchdog_off(dut: Any) -> None:
    tb = await started(dut)
    await tb.begin(activity_i=0)
    for _ in range(5):
        await tb.step(WATCHDOG - 3)
        assert not tb.discards()
        tb.inputs.set(activity_i=1)
        await tb.step()
        tb.inputs.set(activity_i=0)
    assert tb.failed == 0
    await tb.begin(activity_i=0, watchdog_i=0)
    await tb.step(10 * WATCHDOG)
    assert not tb.discards()
    assert tb.failed == 0


@cocotb.test()
async def what_an_aborted_frame_leaves_is_given_up_without_a_watchdog(dut: Any) -> None:
    """The bus is dead, so its bursts are never completed."""
    tb = await started(dut)
    await tb.begin(activity_i=0, watchdog_i=0)
    tb.inputs.pulse("abort_i")
    await tb.step(10)
    assert tb.error() == (ErrorCode.ABORTED, TAPE)
    assert not int(dut.expired_o.value)
    await FallingEdge(dut.clk_i)
    dut.still_q.value = WATCHDOG_CYCLES - 5
    await tb.run_until(lambda: int(dut.expired_o.value) == 1, 10)
