"""Bench of sterna_axil_crossing: a host in one clock, registers in another."""

from __future__ import annotations

import random
from typing import Any

import cocotb
from sim.support.clocks import PERIODS, start
from sim.support.streams import Bench, Field, Sink, Source

PARAMETERS: list[dict[str, int]] = [{}]


class TB:
    """Sources and sinks at both ends of each channel."""

    def __init__(self, dut: Any, periods: tuple[int, int]) -> None:
        self.host = Bench(dut, period=periods[0])
        self.engine = Bench(dut, clock="m_clk_i", reset="m_rst_ni", period=periods[1])
        self.channels = {}
        for name in ("aw", "w", "b_resp", "ar", "r"):
            forth, channel = name in ("aw", "w", "ar"), name.removesuffix("_resp")
            begin, end = ("s", "m") if forth else ("m", "s")
            payload = Field(getattr(dut, f"{begin}_{name}_i")), Field(getattr(dut, f"{end}_{name}_o"))
            valids = Field(getattr(dut, f"{begin}_{channel}_valid_i")), Field(getattr(dut, f"{end}_{channel}_valid_o"))
            readies = Field(getattr(dut, f"{begin}_{channel}_ready_o")), Field(getattr(dut, f"{end}_{channel}_ready_i"))
            source = Source(valids[0], readies[0], {"payload": payload[0]})
            sink = Sink(valids[1], readies[1], {"payload": payload[1]})
            self.channels[name] = source, sink
            (self.host if forth else self.engine).agents.append(source)
            (self.engine if forth else self.host).agents.append(sink)


@cocotb.test()
@cocotb.parametrize(periods=PERIODS)
async def moves_all_channels(dut: Any, periods: tuple[int, int]) -> None:
    tb = TB(dut, periods)
    await start(tb.host, tb.engine)
    wanted = {}
    for name, (source, _) in tb.channels.items():
        wanted[name] = [{"payload": random.getrandbits(source.payload["payload"].width)} for _ in range(60)]
        source.send(wanted[name])
    done = lambda: all(len(sink.taken) == 60 for _, sink in tb.channels.values())  # noqa: E731
    await tb.host.run_until(done, 20_000)
    assert {name: sink.taken for name, (_, sink) in tb.channels.items()} == wanted
