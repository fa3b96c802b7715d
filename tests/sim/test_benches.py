"""Runs the cocotb bench of every RTL module with every parameter set it asks for, the first ones of each by default."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sim.support.build import benches, parameter_sets, run_bench

from sterna.spec.paths import SHELL, rtl_sources

#: Modules of which synthesis reads other text than simulation.
FORKED = [path.stem for path in rtl_sources() + rtl_sources(SHELL) if "`else" in path.read_text("utf-8")]
QUICK = 2  # parameter sets of each module that are not slow

CASES = [
    pytest.param(
        module, parameters, id="-".join([module, *(f"{k}{v}" for k, v in parameters.items())]),
        marks=[pytest.mark.slow] if number >= QUICK else [],
    )
    for module in benches()
    for number, parameters in enumerate(parameter_sets(module))
]  # fmt: skip


@pytest.mark.parametrize(("module", "parameters"), CASES)
def test_bench(module: str, parameters: dict[str, int]) -> None:
    run_bench(module, parameters)


@pytest.mark.parametrize("module", [*FORKED, "sterna_pe", "sterna_shell"])
def test_bench_on_what_synthesis_reads(module: str) -> None:
    """The modules that read otherwise, and those that hold them."""
    assert FORKED == ["sterna_lane_group", "sterna_window", "sterna_sync"]
    for parameters in parameter_sets(module)[:QUICK]:
        run_bench(module, parameters, as_synthesised=True)


def test_a_build_that_stopped_does_not_spoil_the_next_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The compiler's place is taken by a program that leaves what a stopped build leaves: an empty source."""
    with monkeypatch.context() as changed:
        compiler = tmp_path / "bin" / "g++"
        compiler.parent.mkdir()
        compiler.write_text("#!/bin/sh\n: > Vtop__ALL.cpp\nexit 1\n")
        compiler.chmod(0o755)
        changed.setenv("PATH", str(compiler.parent), prepend=os.pathsep)
        with pytest.raises(RuntimeError, match="Command failed"):
            run_bench("sterna_reset_sync", {}, builds=tmp_path)
    run_bench("sterna_reset_sync", {}, builds=tmp_path)
