"""The rows and metrics of the estimated power are what they are called."""

from __future__ import annotations

import pytest

from results.makers import power
from results.record import Metric
from sterna.estimate.band import Band
from sterna.estimate.power import SHELL, ModulePower, Power

NONE = Band(0, 0)
MODULES = (
    ModulePower("sterna_pe", Band(1, 4), Band(0.5, 1), NONE, NONE),
    ModulePower(SHELL, Band(0.25, 1), Band(0.25, 1), Band(0.5, 2), NONE),
    ModulePower("sterna_drain", Band(0.5, 1), NONE, Band(1, 5), Band(0.5, 2)),
)
SLOW = Power(100, MODULES, memory=Band(1.5, 3), static=Band(4, 16), board=Band(5, 20))
SYSTEMS = (
    {"chip": "VCK5000", "precision": "8 bits", "batch": 8, "frames": 962, "power": "not given"},
    {"chip": power.GPU, "precision": "FP16", "batch": 1, "frames": 2000, "power": "400 W, GPU board"},
)


def test_systems_are_side_by_side() -> None:
    fast = Power(200, MODULES, memory=NONE, static=NONE, board=NONE)
    rows = list(power.side_by_side((SLOW, fast), (420.0, 840.0), SYSTEMS))
    assert [tuple(row.values())[:6] for row in rows] == [
        ("arria10 at 100 MHz", 420.0, 15.0, 56.0, 7.5, 28.0),
        ("arria10 at 200 MHz", 840.0, 4.5, 17.0, 49.4, 186.7),
        ("arria10 at 100 MHz", 420.0, 66, 66, 6.4, 6.4),
        ("H100 80GB, FP16, batch 1", 2000, 400.0, 400.0, 5.0, 5.0),
    ]
    assert ["estimated" in str(row["power"]) for row in rows] == [True, True, False, False]


def test_metrics_are_the_sum_and_its_parts() -> None:
    rows = list(power.side_by_side((SLOW,), (420.0,), SYSTEMS))
    found: dict[str, Metric] = power.metrics(SLOW, 420.0, rows)
    values = {name: metric.value for name, metric in found.items()}
    assert values == {
        "watts": 29.0, "factor": 1.9, "low": 15.0, "high": 56.0, "frames_per_joule": 14.5, "of_gpu": "4 .. 14",
        "logic": "1.5 .. 5.0", "clock": "0.5 .. 1.0", "block_ram": "1.0 .. 5.0", "dsp": "0.5 .. 2.0",
        "shell": "1.0 .. 4.0", "static": "4.0 .. 16.0", "fpga": "8.5 .. 33.0", "memory": "1.5 .. 3.0",
        "board": "5.0 .. 20.0",
    }  # fmt: skip


def test_the_power_of_the_gpu_is_that_of_the_table_of_peers() -> None:
    systems = power.yaml.safe_load(power.peers.FILE.read_text("utf-8"))
    rows = list(power.side_by_side((SLOW,), (1.0,), systems))[2:]
    assert [(row["frames/s"], row["W_from"]) for row in rows] == [(2067, 376.0), (6029, 643.0)]


def test_a_gpu_without_watts_is_noticed() -> None:
    with pytest.raises(TypeError):
        list(power.side_by_side((SLOW,), (1.0,), ({**SYSTEMS[1], "power": "not given"},)))
