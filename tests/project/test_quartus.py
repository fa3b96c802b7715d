"""docs/results/quartus.json, from real reports of Quartus and a known estimate."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sterna
from results.makers import quartus
from results.record import ROOT
from sterna.errors import SternaError

REPORTS = ROOT / "tests" / "estimate" / "quartus_reports"


def test_what_quartus_found_is_beside_the_estimate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real report, which is for the FPGA of config cyclone5 but not of the engine."""
    written: dict[str, Any] = {}
    shares = [SimpleNamespace(used=used) for used in (4000, 50, 100, 8)]
    size = SimpleNamespace(shares=shares, resources=SimpleNamespace(flip_flops=5000))
    asked: list[object] = []

    def measure(config: Any, fpga: Any) -> Any:
        asked.extend((config.name, config.hash, fpga.name))
        return size

    monkeypatch.setattr(quartus, "measure", measure)
    monkeypatch.setattr(quartus, "measure_clock", lambda size: SimpleNamespace(mhz=77))
    monkeypatch.setattr(
        quartus, "write", lambda name, metrics, **more: written.update(more, name=name, metrics=metrics)
    )
    engine = sterna.load_config("cyclone5")
    sterna.generate(engine, tmp_path, quartus="de10-nano")
    shutil.copytree(REPORTS / "cyclone5", tmp_path / "build" / "fit_only")
    monkeypatch.setenv("ENGINE", str(tmp_path))
    quartus.main()
    assert asked == ["cyclone5", engine.hash, "de10-nano"]
    assert (written["name"], written["config"]) == ("quartus", "cyclone5")
    assert {name: metric.value for name, metric in written["metrics"].items()} == {
        "version": "18.1.0 Build 625 09/12/2018 SJ Lite Edition", "device": "5CSEBA6U23I7", "fmax_mhz": 69.65,
        "estimated_mhz": 77, "virtual_pins": 0,
    }  # fmt: skip
    assert written["rows"] == [
        {"resource": "ALM", "estimated": 4000, "Quartus": 2825},
        {"resource": "registers", "estimated": 5000, "Quartus": 3821},
        {"resource": "block_RAM", "estimated": 100, "Quartus": 87},
        {"resource": "DSP", "estimated": 8, "Quartus": 4},
    ]


@pytest.mark.parametrize(
    ("report", "engine", "said"),
    [
        ("cyclone10", "nano", "reports are for an FPGA that has no entry; part = 10CX220YF780E5G; allowed: 10AX115"),
        ("cyclone5", "", r"is no folder that sterna generate wrote; file = parameters.json"),
    ],
)
def test_reports_of_something_else_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: str, engine: str, said: str
) -> None:
    if engine:
        sterna.generate(engine, tmp_path)
    shutil.copytree(REPORTS / report, tmp_path / "build" / "fit_only")
    monkeypatch.setenv("ENGINE", str(tmp_path))
    with pytest.raises(SternaError, match=said):
        quartus.main()
    monkeypatch.delenv("ENGINE")
    with pytest.raises(SternaError, match="no engine folder is named"):
        quartus.main()
