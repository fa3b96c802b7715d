"""Bench of sterna_msi_sender: a message for each interrupt, and again while it stays."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench, Field, Sink

PARAMETERS = [{"AgainLog2": 6}]
AGAIN = 64
ENABLED = 3 << 80


class NotWaiting(Field):
    """Ready as Avalon has it: not waitrequest."""

    def write(self, value: int) -> None:
        super().write(not value)


class TB(Bench):
    """Interrupts in, messages out."""

    def __init__(self, dut: Any, stall: float) -> None:
        super().__init__(dut)
        self.inputs = Inputs(dut)
        message = {name: Field(getattr(dut, f"m_msi_{name}")) for name in ("address", "writedata", "byteenable")}
        self.messages = Sink(Field(dut.m_msi_write), NotWaiting(dut.m_msi_waitrequest), message, stall)
        self.agents = [self.inputs, self.messages]
        self.address, self.data = random.getrandbits(64), random.getrandbits(16)
        self.message = {"address": self.address, "writedata": self.data, "byteenable": 15}

    @property
    def asked(self) -> int:
        """The host's registers, without the bits that enable messages."""
        return self.address | self.data << 64

    async def begin(self) -> None:
        """Start with messages enabled and no interrupt."""
        await self.start(irq_i=0, msi_intfc_i=self.asked | ENABLED)


@cocotb.test()
@cocotb.parametrize(stall=[0.0, 0.8])
async def sends_a_message_for_each_interrupt(dut: Any, stall: float) -> None:
    tb = TB(dut, stall)
    await tb.begin()
    for number in range(20):
        tb.inputs.set(irq_i=1)
        await tb.run_until(lambda number=number: len(tb.messages.taken) == number + 1, AGAIN)
        tb.inputs.set(irq_i=0)
        await tb.step(random.randint(1, 9))
    await tb.step(2 * AGAIN)
    assert tb.messages.taken == [tb.message] * 20


@cocotb.test()
async def sends_again_while_an_interrupt_stays(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.begin()
    tb.inputs.set(irq_i=1)
    await tb.step(4 * AGAIN + 10)
    assert len(tb.messages.taken) == 5


@cocotb.test()
async def an_interrupt_that_rises_during_a_message_is_told_too(dut: Any) -> None:
    tb = TB(dut, 1.0)
    await tb.begin()
    for level in (1, 0, 1):
        tb.inputs.set(irq_i=level)
        await tb.step(4)
    tb.messages.stall = 0.0
    await tb.step(10)
    assert len(tb.messages.taken) == 2


@cocotb.test()
@cocotb.parametrize(bits=[0, 1, 2])
async def waits_until_messages_are_enabled(dut: Any, bits: int) -> None:
    """Both by the host and as a master of the bus. An interrupt that ends before is not told."""
    tb = TB(dut, 0.0)
    await tb.begin()
    for stays in (0, 1):
        tb.inputs.set(irq_i=1, msi_intfc_i=tb.asked | bits << 80)
        await tb.step(10)
        tb.inputs.set(irq_i=stays)
        await tb.step(5)
        assert not tb.messages.taken
        tb.inputs.set(msi_intfc_i=tb.asked | ENABLED)
        await tb.step(10)
        assert len(tb.messages.taken) == stays
