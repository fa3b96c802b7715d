"""The check of the methods: a small engine composed from its modules beside the same engine synthesised flat."""

from __future__ import annotations

from typing import NamedTuple

from sterna.estimate.engine import default_synthesis, estimate_engine
from sterna.estimate.hierarchy import engine
from sterna.estimate.resources import resources
from sterna.estimate.supported_clock import estimate_clock
from sterna.estimate.timing import delays_of
from sterna.spec.config import EngineConfig
from sterna.spec.fpga import load_fpga

#: About as small as an engine can be.
SMALL = EngineConfig(
    name="small", tile_h=3, tile_w=3, clusters=2, drains=1, pes=4, accumulators=4, act_w=8, acc_w=20,
    mul_w=18, fm_words=64, axi_data_w=64,
)  # fmt: skip


#: ALMs of a part that is timed by itself in this check: the engine is too small for the usual number.
TOGETHER = 400


class Comparison(NamedTuple):
    """A number of the small engine both ways."""

    composed: int
    whole: int


def compare_alms() -> Comparison:
    """ALMs, with registers in any ALM that has room, as a flat netlist has them; takes minutes."""
    synthesis, fpga = default_synthesis(), load_fpga("gx1150")
    top = engine(SMALL, synthesis.rtl)
    flat = synthesis.usage(top.part, inside=[part.module for part in top.counts])
    return Comparison(estimate_engine(SMALL, fpga, synthesis).resources.alms, resources(flat, fpga).alms)


def compare_paths(fpga_name: str) -> Comparison:
    """Picoseconds of the slowest path; takes minutes."""
    synthesis, fpga = default_synthesis(), load_fpga(fpga_name)
    top = engine(SMALL, synthesis.rtl)
    delays = delays_of(fpga.family, fpga.speed_grade, full=True)
    flat = synthesis.model(top.part, delays, inside=[part.module for part in top.counts])
    clock = estimate_clock(estimate_engine(SMALL, fpga, synthesis), synthesis, together=TOGETHER)
    return Comparison(clock.slowest[0].delay, flat.inside[0].delay)
