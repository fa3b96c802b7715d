"""Bench of sterna_tile_cursor: every tile of maps of all shapes, by division."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench

PARAMETERS = [{"Position": 0}, {"Position": 3}]


class TB(Bench):
    """The inputs of the cursor and where it must be."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.position = int(dut.Position.value)
        self.inputs = Inputs(dut)
        self.agents = [self.inputs]

    async def settle(self, tile: int, height: int, width: int) -> int:
        """Wait until ready and compare with `tile`; returns the cycles it took."""
        cycles = await self.run_until(lambda: bool(int(self.dut.ready_o.value)), 10)
        want = divmod(min(tile, height * width - 1), width)
        assert (int(self.dut.row_o.value), int(self.dut.col_o.value)) == want, f"tile {tile} of {height}x{width}"
        return cycles


@cocotb.test()
async def walks_maps_of_all_shapes(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(start_i=0, advance_i=0, stride_i=1, tiles_h_i=1, tiles_w_i=1)
    for height, width in [(1, 1), (1, 9), (9, 1), (2, 3), (5, 4)] + [
        (random.randint(1, 6), random.randint(1, 6)) for _ in range(10)
    ]:
        stride = random.randint(tb.position + 1, 4)
        tb.inputs.pulse("start_i", stride_i=stride, tiles_h_i=height, tiles_w_i=width)
        await tb.step(2)
        await tb.settle(tb.position, height, width)
        for tile in range(tb.position + stride, height * width + 2 * stride, stride):
            tb.inputs.pulse("advance_i")
            await tb.step(2)
            assert await tb.settle(tile, height, width) <= stride - 1
            await tb.step(random.randint(0, 2))


@cocotb.test()
async def goes_to_the_first_tile_when_cleared(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(start_i=0, advance_i=0, stride_i=4, tiles_h_i=3, tiles_w_i=3)
    tb.inputs.pulse("advance_i")
    await tb.step(3)
    await tb.clear()
    await tb.step()
    assert await tb.settle(0, 3, 3) == 0
