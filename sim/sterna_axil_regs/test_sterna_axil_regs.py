"""Bench of sterna_axil_regs: every register, the start and end of a frame, counters and profile."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import Immediate
from cocotb.triggers import ClockCycles, FallingEdge, ReadOnly, Timer
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from sim.support.axi import pauses
from sim.support.channels import axil_ports

from sterna.spec.registers import PROFILE_BITS, PROFILE_STEPS, READ, Control, ErrorCode, Register, Status
from sterna.spec.tape import ALIGN

PARAMETERS = [
    {
        "AllPes": 8, "ConfigHash": 0x89ABCDEF, "CapabilityTile": 0x04020505, "CapabilityPe": 0x06140810,
        "CapabilityWords": 4096,
    }
]
COUNTS = ("pes_busy_i", "pes_wait_vectors_i", "pes_wait_weights_i", "pes_wait_drain_i")
CONTROLS = ("busy_i", "queued_i", "finish_i", "error_code_i", "error_segment_i", "step_end_i")
BEATS = ("beat_read_i", "beat_written_i")
TOTALS = ("CYCLES", "BUSY", "WAIT_VECTORS", "WAIT_WEIGHTS", "WAIT_DRAIN", "BEATS_READ", "BEATS_WRITTEN")
PROFILE = ("CYCLES", "BUSY", "WAIT_VECTORS", "WAIT_WEIGHTS", "WAIT_DRAIN")


class TB:
    """Register access with pauses on every channel."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        bus = AxiLiteBus.from_prefix(axil_ports(dut), "s_axil")
        self.registers = AxiLiteMaster(bus, dut.clk_i, dut.rst_ni, reset_active_level=False)
        write, read = self.registers.write_if, self.registers.read_if
        for port in (write, read):
            port.log.setLevel("ERROR")
        for channel in (write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel):
            channel.set_pause_generator(pauses(0.3))

    async def start(self) -> None:
        """Clock and reset, with a quiet engine."""
        for name in (*COUNTS, *BEATS, *CONTROLS):
            getattr(self.dut, name).value = 0
        # At once, before the random state of the start of time can look like a clock edge to an assertion.
        self.dut.rst_ni.value = Immediate(0)
        self.dut.clk_i.value = Immediate(0)
        Clock(self.dut.clk_i, 10, unit="ns").start()
        await ClockCycles(self.dut.clk_i, 3)
        self.dut.rst_ni.value = 1
        await ClockCycles(self.dut.clk_i, 2)

    async def write(self, register: int, value: int) -> None:
        """Write a register."""
        await self.registers.write_dword(register, value)

    async def read(self, register: int) -> int:
        """Read a register."""
        return int(await self.registers.read_dword(register))

    async def pulse(self, **values: int) -> None:
        """Give inputs for one cycle, then zeros."""
        await FallingEdge(self.dut.clk_i)
        for name, value in values.items():
            getattr(self.dut, name).value = value
        await FallingEdge(self.dut.clk_i)
        for name in values:
            getattr(self.dut, name).value = 0

    async def count_pulses(self, name: str, found: list[int]) -> None:
        """Append the cycle number to `found` whenever an output is high."""
        cycle = 0
        while True:
            await FallingEdge(self.dut.clk_i)
            cycle += 1
            if int(getattr(self.dut, name).value):
                found.append(cycle)


async def started(dut: Any) -> TB:
    """A bench out of reset."""
    tb = TB(dut)
    await tb.start()
    return tb


@cocotb.test()
async def holds_constants_and_settings(dut: Any) -> None:
    tb = await started(dut)
    parameters = PARAMETERS[0]
    for name, register in (
        ("ConfigHash", Register.CONFIG_HASH), ("CapabilityTile", Register.CAPABILITY_TILE),
        ("CapabilityPe", Register.CAPABILITY_PE), ("CapabilityWords", Register.CAPABILITY_WORDS),
    ):
        await tb.write(register, 0x5A5A5A5A)
        assert await tb.read(register) == parameters[name]
    for register in (Register.TAPE_BYTES, Register.WATCHDOG, Register.TAPE_ADDR_HI, Register.RESULT_ADDR_HI):
        value = random.getrandbits(32)
        await tb.write(register, value)
        assert await tb.read(register) == value
    for low, port in (
        (Register.TAPE_ADDR_LO, "tape_addr_o"), (Register.FRAME_ADDR_LO, "frame_addr_o"),
        (Register.RESULT_ADDR_LO, "result_addr_o"), (Register.SCRATCH_ADDR_LO, "scratch_addr_o"),
    ):
        address = random.getrandbits(64)
        await tb.write(low, address & 0xFFFFFFFF)
        await tb.write(low + 4, address >> 32)
        assert int(getattr(dut, port).value) == address & -ALIGN
        assert await tb.read(low) == address & 0xFFFFFFFF & -ALIGN
        assert await tb.read(low + 4) == address >> 32
    await tb.write(Register.FRAME_LAYOUT, 0xFFFFFFFE)
    assert await tb.read(Register.FRAME_LAYOUT) == int(dut.frame_layout_o.value) == 2, "two bits"
    assert await tb.read(0xFFC) == 0


@cocotb.test()
async def registers_are_what_their_table_says(dut: Any) -> None:
    tb = await started(dut)
    for register in Register:
        assert register.reset is None or await tb.read(register) == register.reset
    for register in Register:
        if register.access == READ:
            before = await tb.read(register)
            await tb.write(register, before ^ 0xFFFFFFFF)
            assert await tb.read(register) == before


@cocotb.test()
async def writes_single_bytes(dut: Any) -> None:
    tb = await started(dut)
    await tb.write(Register.TAPE_BYTES, 0x11223344)
    await tb.registers.write(Register.TAPE_BYTES + 1, b"\xee")
    assert await tb.read(Register.TAPE_BYTES) == 0x1122EE44
    await tb.registers.write(Register.CONTROL + 1, b"\xff")
    assert int(dut.busy_i.value) == 0
    assert await tb.read(Register.CONTROL) == 0


@cocotb.test()
async def starts_and_ends_frames(dut: Any) -> None:
    tb = await started(dut)
    starts: list[int] = []
    aborts: list[int] = []
    cocotb.start_soon(tb.count_pulses("start_o", starts))
    cocotb.start_soon(tb.count_pulses("abort_o", aborts))
    await tb.write(Register.CONTROL, Control.ABORT)
    assert not aborts
    await tb.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)
    await ClockCycles(dut.clk_i, 3)
    assert len(starts) == 1
    dut.busy_i.value = 1
    await tb.write(Register.TAPE_BYTES, 77)
    assert await tb.read(Register.TAPE_BYTES) == 0
    later = {Register.FRAME_ADDR_LO: ALIGN, Register.RESULT_ADDR_LO: ALIGN, Register.FRAME_LAYOUT: 3}
    for register, value in later.items():
        await tb.write(register, value)
        assert await tb.read(register) == value, "these may change for the next frame"
    assert await tb.read(Register.STATUS) == Status.BUSY
    await tb.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)
    dut.queued_i.value = 1
    await tb.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)
    assert await tb.read(Register.STATUS) == Status.BUSY | Status.QUEUED
    await ClockCycles(dut.clk_i, 3)
    assert len(starts) == 2, "only one frame is queued"
    dut.queued_i.value = 0
    await tb.write(Register.CONTROL, Control.ABORT | Control.IRQ_ENABLE)
    await ClockCycles(dut.clk_i, 3)
    assert len(aborts) == 1
    for code, segment in ((ErrorCode.NONE, 0), (ErrorCode.SEGMENT_CRC, 12)):
        dut.busy_i.value = 0
        dut.error_code_i.value = code
        dut.error_segment_i.value = segment
        await tb.pulse(finish_i=1)
        end = Status.ERROR if code else Status.DONE
        assert int(dut.irq_o.value) == 1
        assert await tb.read(Register.STATUS) == end | Status.IRQ
        assert await tb.read(Register.ERROR_CODE) == code
        assert await tb.read(Register.ERROR_SEGMENT) == segment
        await tb.write(Register.STATUS, Status.IRQ)
        assert int(dut.irq_o.value) == 0
        assert await tb.read(Register.STATUS) == end
        if code:
            await tb.write(Register.CONTROL, Control.START | Control.IRQ_ENABLE)
            await ClockCycles(dut.clk_i, 3)
            assert len(starts) == 2, "nothing starts before the error is seen"
        await tb.write(Register.STATUS, end)
        assert await tb.read(Register.STATUS) == 0
    assert await tb.read(Register.FRAMES) == 1, "the one that ended well"
    await tb.write(Register.CONTROL, 0)
    dut.error_code_i.value = ErrorCode.NONE
    await tb.pulse(finish_i=1)
    assert int(dut.irq_o.value) == 0
    await tb.write(Register.CONTROL, Control.START)
    assert await tb.read(Register.STATUS) == Status.IRQ


@cocotb.test()
async def an_interrupt_that_rises_while_the_last_one_is_cleared_stays(dut: Any) -> None:
    """A frame ends in the cycle in which STATUS is written, and in the next one."""
    tb = await started(dut)
    ends = (Status.IRQ | Status.DONE).to_bytes(4, "little")
    await tb.write(Register.CONTROL, Control.IRQ_ENABLE)
    for late in (0, 1) * 3:
        clear = tb.registers.init_write(Register.STATUS, ends)
        while not int(dut.write.value):
            await FallingEdge(dut.clk_i)
        for _ in range(late):
            await FallingEdge(dut.clk_i)
        dut.finish_i.value = 1
        await FallingEdge(dut.clk_i)
        dut.finish_i.value = 0
        await clear.wait()
        assert (int(dut.irq_o.value), await tb.read(Register.STATUS)) == (1, Status.IRQ | Status.DONE)
        await tb.registers.write(Register.STATUS, ends)
        assert (int(dut.irq_o.value), await tb.read(Register.STATUS)) == (0, 0)


@cocotb.test()
async def a_start_before_an_error_is_seen_leaves_no_trace(dut: Any) -> None:
    """Not even in the cycle after it: what is written then counts as at any other time."""
    tb = await started(dut)
    await tb.pulse(finish_i=1, error_code_i=ErrorCode.STALL)
    starts: list[int] = []
    cocotb.start_soon(tb.count_pulses("start_o", starts))
    for _ in range(20):
        value = random.getrandbits(32)
        start = tb.registers.init_write(Register.CONTROL, Control.START.to_bytes(4, "little"))
        setting = tb.registers.init_write(Register.TAPE_BYTES, value.to_bytes(4, "little"))
        await start.wait()
        await setting.wait()
        assert await tb.read(Register.TAPE_BYTES) == value
        assert await tb.read(Register.STATUS) == Status.ERROR | Status.IRQ
    assert not starts


@cocotb.test()
async def a_queued_start_keeps_what_the_last_frame_left(dut: Any) -> None:
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    dut.busy_i.value = 1
    await tb.pulse(finish_i=1)
    await tb.write(Register.CONTROL, Control.START)
    assert await tb.read(Register.STATUS) == Status.BUSY | Status.DONE | Status.IRQ


async def random_cycles(tb: TB, cycles: int, last: str) -> list[int]:
    """Drive random counts while busy, and a pulse of `last` in the last cycle; returns the totals."""
    totals = [cycles] + [0] * 6
    for cycle in range(cycles):
        for index, name in enumerate((*COUNTS, *BEATS)):
            value = random.randint(0, 8 if name in COUNTS else 1)
            getattr(tb.dut, name).value = value
            totals[index + 1] += value
        getattr(tb.dut, last).value = int(cycle == cycles - 1)
        await FallingEdge(tb.dut.clk_i)
    for name in (*COUNTS, *BEATS, last):
        getattr(tb.dut, name).value = 0
    return totals


async def check_counters(tb: TB, parts: list[list[int]], rest: list[int]) -> None:
    """The registers show these steps, and after the last of them `rest`."""
    assert await tb.read(Register.STEPS) == len(parts)
    for name, counts in zip(TOTALS, zip(*parts, rest, strict=True), strict=True):
        assert await tb.read(Register[f"{name}_LO"]) == sum(counts)
        assert await tb.read(Register[f"{name}_HI"]) == 0
    for index, part in enumerate(parts):
        await tb.write(Register.PROFILE_INDEX, index)
        assert await tb.read(Register.PROFILE_INDEX) == index
        for name, count in zip(PROFILE, part, strict=False):
            assert await tb.read(Register[f"PROFILE_{name}"]) == count


@cocotb.test()
async def counts_frames_and_steps(dut: Any) -> None:
    """A step takes from the end of the one before it to its own; frames follow each other without a gap."""
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    for steps in (3, 5, 1):
        await FallingEdge(dut.clk_i)
        dut.busy_i.value = 1
        parts = [await random_cycles(tb, random.randint(5, 40), "step_end_i") for _ in range(steps)]
        rest = await random_cycles(tb, 4, "finish_i")
        # What was counted stays while the next frame runs.
        running = [await random_cycles(tb, random.randint(5, 40), "step_end_i") for _ in range(2)]
        assert await tb.read(Register.STEPS_NOW) == len(running)
        # The first step began before it was driven.
        await tb.write(Register.PROFILE_INDEX, 0)
        before = await tb.read(Register.PROFILE_CYCLES) - parts[0][0]
        assert 0 <= before <= (0 if steps == 3 else 200)
        parts[0][0] += before
        await check_counters(tb, parts, rest)
        await tb.pulse(finish_i=1)
        assert await tb.read(Register.STEPS) == len(running)
        await tb.write(Register.PROFILE_INDEX, 1)
        assert await tb.read(Register.PROFILE_BUSY) == running[1][1]


@cocotb.test()
async def keeps_the_profile_of_the_first_steps_only(dut: Any) -> None:
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    for index in range(PROFILE_STEPS + 2):
        await tb.pulse(pes_busy_i=1 + index % 5)
        await tb.pulse(step_end_i=1)
    await tb.pulse(finish_i=1)
    assert await tb.read(Register.STEPS) == PROFILE_STEPS + 2
    for index in (0, 1, PROFILE_STEPS - 1):
        await tb.write(Register.PROFILE_INDEX, index)
        assert await tb.read(Register.PROFILE_BUSY) == 1 + index % 5


@cocotb.test()
async def a_counter_of_the_profile_stays_at_its_largest_value(dut: Any) -> None:
    """It does so when it is passed, not when it is reached, and holds it to the end of the step."""
    tb = await started(dut)
    most = (1 << PROFILE_BITS) - 1
    for first, second, after in ((most - 8, 8, 0), (most - 7, 8, 0), (most, 1, 0), (most - 7, 8, 8), (3, 5, 1)):
        await tb.write(Register.CONTROL, Control.START)
        await ClockCycles(dut.clk_i, 3)
        await FallingEdge(dut.clk_i)
        dut.part_q.value = first << PROFILE_BITS
        for count in (second, after):
            dut.pes_busy_i.value = count
            await FallingEdge(dut.clk_i)
        dut.pes_busy_i.value = 0
        await tb.pulse(step_end_i=1)
        await tb.pulse(finish_i=1)
        await tb.write(Register.PROFILE_INDEX, 0)
        assert await tb.read(Register.PROFILE_BUSY) == min(first + second + after, most)


@cocotb.test()
async def a_frame_that_fails_is_counted_as_far_as_it_came(dut: Any) -> None:
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    for _ in range(3):
        await tb.pulse(step_end_i=1)
    await tb.pulse(finish_i=1, error_code_i=ErrorCode.STALL)
    assert await tb.read(Register.STEPS) == 3
    assert await tb.read(Register.STEPS_NOW) == 0
    assert await tb.read(Register.FRAMES) == 0


@cocotb.test()
async def a_counter_does_not_tear(dut: Any) -> None:
    """A frame that ends between the reads of its halves changes neither."""
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    await tb.pulse(finish_i=1)
    for old, new in ((0, 3), (3, 7)):
        assert await tb.read(Register.CYCLES_HI) == (old if old else 0)
        await tb.read(Register.CYCLES_LO)
        await FallingEdge(dut.clk_i)
        dut.high_q.value = sum(new << 32 * place for place in range(len(TOTALS)))
        await tb.pulse(finish_i=1)
        await ClockCycles(dut.clk_i, 3)
        assert await tb.read(Register.CYCLES_HI) == old
        await tb.read(Register.BUSY_LO)
        assert await tb.read(Register.BUSY_HI) == new
        await tb.read(Register.CYCLES_LO)


@cocotb.test()
async def a_counter_does_not_tear_as_it_rolls(dut: Any) -> None:
    """Its lower half is read in each cycle around the end of a frame, in which both halves change."""
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    dut.busy_i.value = 1
    seen = set[bool]()
    for frame in range(1, 11):
        await FallingEdge(dut.clk_i)
        dut.high_q.value = sum(frame << 32 * place for place in range(len(TOTALS)))
        dut.low_q.value = sum(frame << 32 * place + 16 for place in range(len(TOTALS)))
        for cycle in range(11):
            if cycle == 5:
                read = tb.registers.init_read(Register.CYCLES_LO, 4)
            dut.finish_i.value = int(cycle == 10 - frame)
            await FallingEdge(dut.clk_i)
        await read.wait()
        low = int.from_bytes(read.data.data, "little")
        high = await tb.read(Register.CYCLES_HI)
        assert high == low >> 16
        seen.add(high == frame)
        await ClockCycles(dut.clk_i, 3)
        assert await tb.read(Register.CYCLES_LO) >> 16 == await tb.read(Register.CYCLES_HI) == frame
    assert seen == {False, True}


@cocotb.test()
async def no_ready_depends_on_what_comes(dut: Any) -> None:
    await started(dut)
    await FallingEdge(dut.clk_i)
    readies = ("aw_ready_o", "w_ready_o", "ar_ready_o")
    for valids in (1, 0):
        for name in ("aw_valid_i", "w_valid_i", "ar_valid_i", "b_ready_i", "r_ready_i"):
            getattr(dut, name).value = valids
        await ReadOnly()
        assert [int(getattr(dut, name).value) for name in readies] == [1, 1, 1]
        await Timer(1, unit="ns")


@cocotb.test()
async def totals_carry_into_their_upper_halves(dut: Any) -> None:
    """In the last cycle of a frame, where the next one begins."""
    tb = await started(dut)
    await tb.write(Register.CONTROL, Control.START)
    await ClockCycles(dut.clk_i, 3)
    await FallingEdge(dut.clk_i)
    dut.low_q.value = (1 << 32 * len(TOTALS)) - 1
    for name in ("busy_i", "finish_i", *COUNTS, *BEATS):
        getattr(dut, name).value = 1
    await FallingEdge(dut.clk_i)
    dut.finish_i.value = 0
    for name in TOTALS:
        assert await tb.read(Register[f"{name}_LO"]) == 0
        assert await tb.read(Register[f"{name}_HI"]) == 1
    await tb.pulse(finish_i=1)
    for name in TOTALS:
        assert 0 < await tb.read(Register[f"{name}_LO"]) < 1 << 16
        assert await tb.read(Register[f"{name}_HI"]) == 0
