"""The check of the method: a small engine composed from its modules beside the same engine synthesised flat."""

from __future__ import annotations

from typing import NamedTuple

from sterna.estimate.engine import default_synthesis, estimate_engine
from sterna.estimate.fpgas import load_fpga
from sterna.estimate.hierarchy import engine
from sterna.estimate.resources import resources
from sterna.spec.config import EngineConfig

#: About as small as an engine can be.
SMALL = EngineConfig(
    name="small", tile_h=3, tile_w=3, clusters=2, drains=1, pes=4, accumulators=4, buffer_vectors=32, act_w=8, acc_w=20,
    mul_w=18, fm_words=64, axi_data_w=64, chunk_bytes=4, fifo_chunks=4,
)  # fmt: skip


class Comparison(NamedTuple):
    """ALMs of the small engine, with registers in any ALM that has room, as a flat netlist has them."""

    composed: int
    whole: int


def compare_small() -> Comparison:
    """Synthesise the small engine both ways; takes minutes."""
    synthesis, fpga = default_synthesis(), load_fpga("gx1150")
    top = engine(SMALL, synthesis.rtl)
    flat = synthesis.usage(top.part, inside=[part.module for part in top.counts])
    return Comparison(estimate_engine(SMALL, fpga, synthesis).resources.alms, resources(flat, fpga).alms)
