"""Bench of sterna_first_sums: columns with gaps between them against the sums over windows."""

from __future__ import annotations

import random
from typing import Any

import cocotb
import numpy as np
from sim.support.streams import Bench, Field, Sink, Source
from sim.support.words import pack, unpack_signed

PARAMETERS = [{"Filters": 8}, {"Filters": 2, "ActW": 5, "SumW": 18}]
#: Channels, rows and columns of a filter; rows of a column.
SHAPE = (3, 3, 3)
ROWS = 4
PIXELS = 2


class TB(Bench):
    """Sources of weights and columns, and the sums."""

    def __init__(self, dut: Any, idle: float) -> None:
        super().__init__(dut)
        self.filters, self.act_w, self.sum_w = (int(getattr(dut, n).value) for n in ("Filters", "ActW", "SumW"))
        self.weights = np.zeros((self.filters, *SHAPE), np.int64)
        self.numbers = Source(Field(dut.weights_valid_i), None, {
            "filter": Field(dut.weights_filter_i), "place": Field(dut.weights_place_i),
            "weights": Field(dut.weights_i)}, idle)  # fmt: skip
        self.columns = Source(Field(dut.column_valid_i), None, {
            "column": Field(dut.column_i), "output": Field(dut.output_i), "odd": Field(dut.odd_i),
            "second": Field(dut.second_i)}, idle)  # fmt: skip
        self.sums = Sink(Field(dut.valid_o), None, {
            "odd": Field(dut.odd_o), "second": Field(dut.second_o), "sums": Field(dut.sums_o)})  # fmt: skip
        self.agents = [self.numbers, self.columns, self.sums]

    async def fill(self) -> None:
        """Give new weights, in any order; some are the least."""
        self.weights = np.random.default_rng(random.getrandbits(32)).integers(-128, 128, self.weights.shape)
        self.weights[0] = -128
        words = []
        for f in range(self.filters):
            flat = [*self.weights[f].flatten().tolist(), *[0] * 5]
            words += [{"filter": f, "place": p, "weights": pack(flat[8 * p : 8 * p + 8], 8)} for p in range(4)]
        self.numbers.send(random.sample(words, len(words)))
        await self.run_until(lambda: not self.numbers.queue, 2000)
        await self.step(3)

    def send(self, count: int) -> list[dict[str, Any]]:
        """Queue `count` random columns; returns what must come."""
        most = 1 << self.act_w - 1
        rng = np.random.default_rng(random.getrandbits(32))
        columns = rng.integers(-most, most, (count, ROWS, SHAPE[0]))
        columns[: count // 4] = -most
        want = []
        for x, column in enumerate(columns):
            item = {name: random.randrange(2) for name in ("output", "odd", "second")}
            item["output"] &= x >= 2
            self.columns.send([{"column": pack(column.flatten().tolist(), self.act_w), **item}])
            if item["output"]:
                windows = [columns[x - 2 : x + 1, p : p + 3].transpose(2, 1, 0) for p in range(PIXELS)]
                sums = [int((weights * window).sum()) for window in windows for weights in self.weights]
                want.append({"odd": item["odd"], "second": item["second"], "sums": sums})
        return want

    def check(self, want: list[dict[str, Any]]) -> None:
        """Compare what came."""
        got = [
            {**each, "sums": unpack_signed(each["sums"], self.sum_w, PIXELS * self.filters)} for each in self.sums.taken
        ]
        assert got == want
        self.sums.clear()


@cocotb.test()
@cocotb.parametrize(idle=[0.0, 0.5])
async def sums_windows(dut: Any, idle: float) -> None:
    tb = TB(dut, idle)
    await tb.start()
    for _ in range(3):
        await tb.fill()
        want = tb.send(60)
        await tb.run_until(lambda: not tb.columns.queue, 1000)
        await tb.step(25)
        tb.check(want)


@cocotb.test()
async def forgets_what_is_under_way_but_no_weights(dut: Any) -> None:
    tb = TB(dut, 0.0)
    await tb.start()
    await tb.fill()
    tb.send(10)
    await tb.step(12)
    await tb.clear()
    await tb.step(25)
    assert tb.sums.taken == []
    want = tb.send(10)
    await tb.step(40)
    tb.check(want)
