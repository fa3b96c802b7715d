"""How the density of a layer falls while a ternary stage trains."""

from __future__ import annotations

from collections.abc import Callable

from sterna.errors import SternaError
from sterna.registry import Registry

#: The density 0..1 to aim at after a share 0..1 of the stage, given the one that the layer is to end with.
Schedule = Callable[[float, float], float]

START = 0.7  # density from which a ternary stage starts ...
SPARSE_AT = 0.6  # ... and the share of the stage at which it reaches its target


def cubic(share: float, target: float) -> float:
    """Falls as a cubic to `target` (Zhu and Gupta 2017)."""
    left = max(0.0, 1.0 - share / SPARSE_AT)
    return target + (max(START, target) - target) * left**3


schedules: Registry[Schedule] = Registry(
    "schedule",
    "sterna.schedules",
    {"cubic": f"{__name__}:{cubic.__name__}"},
    "a function of the share of the stage that is done and the density at its end, which returns a density",
    callable,
)
"""Schedules by name."""


def density_at(name: str, share: float, target: float) -> float:
    """What the schedule `name` says; raises SternaError if there is none, or if that is no density."""
    density = schedules[name](share, target)
    if not 0 < density <= 1:
        raise SternaError(
            "gives no density", where=f"schedule '{name}'", attribute=f"after {share:.3f} of the stage", value=density,
            allowed="above 0, at most 1", remedy="correct its function",
        )  # fmt: skip
    return float(density)
