"""The clock that results assume besides the FPGA's target: the one that a timing estimate supports."""

from __future__ import annotations

from results.record import read_all


def supported_mhz() -> float:
    """MHz that the engine of `arria10` supports, by the estimate across its modules."""
    value = read_all()["flat_cluster"].metrics["arria10_mhz"].value
    assert isinstance(value, int | float)
    return value
