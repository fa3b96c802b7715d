"""The board in simulation, FPGA and memory, behind a pseudo-terminal as on a desk behind a USB serial port."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecp5 import flow
from sterna.errors import SternaError
from sterna.run.simulator import make_flags, verilator_root

#: Cycles of a bit on the line in simulation of the RTL, which is shorter than on the board to save time.
SHORT_BIT = 4
#: Cycles of a bit in the netlist; `BitCycles` of ulx3s_top.
BIT = 27

_OPTIONS = (
    "--cc", "--exe", "--build", "--no-timing", "--assert", "-O3", "--x-assign", "fast", "--x-initial", "unique",
    "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "ulx3s_sim",
)  # fmt: skip


def build_rtl(folder: Path) -> Path:
    """The program that simulates the board with the RTL, built in `folder`."""
    listed = flow.sources(folder / "engine")
    return _build(folder, listed, SHORT_BIT, [f"-GBitCycles={SHORT_BIT}"])


def build_netlist(folder: Path, netlist: Path) -> Path:
    """The program that simulates the board with the netlist in Verilog of place and route."""
    return _build(folder, [netlist], BIT, ["+define+NETLIST"])


@contextmanager
def running(program: Path) -> Iterator[Path]:
    """The path of the serial port of the board that `program` simulates, as long as it runs."""
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        yield Path(process.stdout.readline().strip())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _build(folder: Path, sources: Iterable[Path], bit_cycles: int, options: list[str]) -> Path:
    made = folder / "simulator"
    models = [*sorted(flow.MODELS.glob("*.sv")), flow.MODELS / "cells.v", flow.MODELS / "simulator.cpp"]
    made.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            verilator_root() / "bin" / "verilator", *_OPTIONS, *options, "-CFLAGS", f"-DBIT_CYCLES={bit_cycles}",
            "--Mdir", made, *sources, *models,
        ],
        env=os.environ | {"MAKEFLAGS": make_flags(OPT_FAST="-O1")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
        raise SternaError(
            f"the build failed: {lines[0] if lines else 'no output'}", where=str(made), remedy="correct it"
        )
    return made / "Vulx3s_sim"
