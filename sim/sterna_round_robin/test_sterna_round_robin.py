"""Bench of sterna_round_robin: random requests against a pointer that walks."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.inputs import Inputs
from sim.support.streams import Bench

PARAMETERS = [{"Requests": 5}, {"Requests": 2}]


class TB(Bench):
    """Requests, and the requester that a fair choice takes next."""

    def __init__(self, dut: Any) -> None:
        super().__init__(dut)
        self.requests = int(dut.Requests.value)
        self.inputs = Inputs(dut)
        self.agents = [self.inputs]
        self.first = 0

    async def choose(self, request: int) -> None:
        """Give `request` for a cycle and compare the grant."""
        self.inputs.set(request_i=request)
        await self.step()
        order = [(self.first + i) % self.requests for i in range(self.requests)]
        want = next((i for i in order if request >> i & 1), None)
        assert int(self.dut.grant_o.value) == (0 if want is None else 1 << want)
        if want is not None:
            self.first = (want + 1) % self.requests


@cocotb.test()
async def grants_the_next_one_in_turn(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(request_i=0)
    for _ in range(500):
        await tb.choose(random.getrandbits(tb.requests) & random.getrandbits(tb.requests))
    for _ in range(3 * tb.requests):
        await tb.choose((1 << tb.requests) - 1)


@cocotb.test()
async def starts_at_the_first_after_clear(dut: Any) -> None:
    tb = TB(dut)
    await tb.start(request_i=0)
    await tb.choose(1)
    tb.inputs.set(request_i=0)
    await tb.step()
    await tb.clear()
    tb.first = 0
    await tb.choose(3)
