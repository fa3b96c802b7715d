"""Designs with several clocks: a bench for each of them, and odd ratios of their periods."""

from __future__ import annotations

import cocotb
from cocotb.triggers import gather
from sim.support.streams import Bench

#: Periods of two clocks in ps: about equal, the first one slower, the second one slower, each by far, and equal.
PERIODS = [(10_000, 9_970), (10_000, 7_310), (7_310, 10_000), (10_000, 1_230), (1_230, 10_000), (10_000, 10_000)]


async def start(first: Bench, *others: Bench) -> None:
    """Start all clocks and reset the design; then the benches but the first run by themselves."""
    await gather(first.start(), *(bench.start() for bench in others))
    for bench in others:
        cocotb.start_soon(bench.run())
