"""The clock that results tell besides the FPGA's target: the one that a timing estimate supports."""

from __future__ import annotations

from sterna.spec.fpga import load_fpga


def supported_mhz() -> int:
    """MHz that the engine of `arria10` supports, by the estimate across its modules."""
    return load_fpga("gx1150").clocks["arria10"]
