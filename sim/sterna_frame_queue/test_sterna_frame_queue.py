"""Bench of sterna_frame_queue: addresses and images of the frame that runs and of the one that is queued."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench

PARAMETERS: list[dict[str, int]] = [{}]


class TB(Bench):
    """Pulses in, levels out."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.inputs = Inputs(dut)
        self.agents = [self.inputs]

    async def pulse(self, *names: str, **values: int) -> None:
        """Give pulses together and let them work."""
        for name in names:
            self.inputs.pulse(name, **values)
        await self.step(2)

    async def queue(self, *names: str) -> tuple[int, int, int, int]:
        """Queue a frame; its addresses and layout."""
        frame, result, scratch = (random.getrandbits(64) for _ in range(3))
        layout = random.getrandbits(2)
        await self.pulse(
            "start_i", *names, frame_addr_i=frame, result_addr_i=result, scratch_addr_i=scratch, frame_layout_i=layout
        )
        self.inputs.set(frame_addr_i=0, result_addr_i=0, scratch_addr_i=0, frame_layout_i=~layout & 3)
        return frame, result, scratch, layout

    def output(self, name: str) -> int:
        """Value of an output."""
        return int(getattr(self.dut, f"{name}_o").value)

    def running(self) -> tuple[int, int, int, int]:
        """Addresses and layout of the frame that runs."""
        frame, result, scratch = (self.output(f"{name}_addr") for name in ("frame", "result", "scratch"))
        return frame, result, scratch, self.output("frame_layout")


async def started(dut: Any) -> TB:
    tb = TB(dut)
    await tb.start(
        start_i=0, frame_addr_i=0, result_addr_i=0, scratch_addr_i=0, frame_layout_i=0, take_i=0, drop_i=0, load_i=0
    )
    return tb


@cocotb.test()
async def a_queued_frame_waits_until_it_is_taken(dut: Any) -> None:
    tb = await started(dut)
    first = await tb.queue("take_i")
    for _ in range(5):
        assert (tb.output("queued"), tb.running()) == (0, first)
        second = await tb.queue()
        assert (tb.output("queued"), tb.running()) == (1, first)
        assert (tb.output("queued_frame_addr"), tb.output("queued_layout")) == (second[0], second[3])
        await tb.pulse("take_i")
        first = second


@cocotb.test()
async def an_image_goes_with_its_frame(dut: Any) -> None:
    tb = await started(dut)
    await tb.queue("take_i")
    assert (tb.output("queued_has_image"), tb.output("has_image")) == (0, 0)
    await tb.queue()
    await tb.pulse("load_i")
    assert (tb.output("queued_has_image"), tb.output("has_image")) == (1, 0)
    await tb.pulse("take_i")
    assert (tb.output("queued_has_image"), tb.output("has_image")) == (0, 1)
    await tb.queue("take_i")
    assert (tb.output("queued_has_image"), tb.output("has_image")) == (0, 0)


@cocotb.test()
async def a_failed_frame_takes_all_with_it(dut: Any) -> None:
    tb = await started(dut)
    await tb.queue("take_i")
    await tb.queue()
    await tb.pulse("load_i", "take_i")
    await tb.queue()
    await tb.pulse("load_i")
    assert (tb.output("queued"), tb.output("queued_has_image"), tb.output("has_image")) == (1, 1, 1)
    await tb.pulse("drop_i")
    assert (tb.output("queued"), tb.output("queued_has_image"), tb.output("has_image")) == (0, 0, 0)
