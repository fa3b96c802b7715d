"""docs/results/activity.json: how often the signals of each module change in a frame, counted in RTL simulation.

The testbench of a generated folder runs the frame and checks every value and counter; Verilator counts the toggles from
the first beat on. `sterna estimate --power` reads the file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from results import saif
from results.makers.frame_arria10 import trained_case
from results.record import Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.estimate.hierarchy import engine
from sterna.generate.rtl import generate
from sterna.generate.rtl.folder import TESTBENCH_LIST, WAIVERS
from sterna.graph import Graph
from sterna.run.simulator import make_flags, verilator_root
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.paths import MODELS, RTL
from support.network_graphs import random_network_graph

SEED, DENSITY, SIDE = 0, 0.15, 160
TRAINED = MODELS / "demo-nano.sterna-graph"
TOP = ("sterna_tb", "u_top", "u_engine")
COUNTS = "activity.saif"
#: Verilator leaves out what is larger: not arrays of lanes, of which a group has 64 at most, nor rows of accumulators.
LARGEST_ARRAY, LARGEST_BITS = "64", "4096"
#: Counts from the first beat that the engine asks for; the clock of the testbench has a period of ten units.
_DUMP = f"""\
module sterna_activity (
  input logic start_i
);
  initial begin
    $dumpfile("{COUNTS}");
    @(posedge start_i);
    $dumpvars;
  end
endmodule
bind sterna_tb sterna_activity u_activity (.start_i(m_arvalid));
"""
_PASS = re.compile(r"^PASS: .* all counters are as expected; (\d+) cycles$", re.MULTILINE)


@dataclass(frozen=True)
class Frame:
    """An image int8[C, H, W] on an engine."""

    config: EngineConfig
    network: str
    graph: Graph
    image: NDArray[np.int8]


def main() -> None:
    """Simulate and write."""
    rows = [row for frame in frames() for row in measured(frame)]
    write("activity", metrics(rows), command="make results-activity", seed=SEED, rows=rows)


def frames() -> Iterator[Frame]:
    """A trained network on three engines, and one with random weights and image, whose values change more."""
    trained, nano = trained_case(TRAINED), load_config("nano")
    # With what only the largest engine has.
    first = nano.model_copy(update={"name": "nano with a first layer", "first_layer": True, "block_windows": 1})
    for config in (nano, load_config("cyclone5"), first):
        yield Frame(config, f"{trained.weights}, a scene", trained.graph, trained.images[0])
    rng = np.random.default_rng(SEED)
    graph = random_network_graph(rng, "yolov2-nano", SIDE, SIDE, density=DENSITY)
    image = rng.integers(-128, 128, (3, SIDE, SIDE)).astype(np.int8)
    yield Frame(nano, f"yolov2-nano {SIDE}x{SIDE}, random, density {DENSITY}", graph, image)


def measured(frame: Frame) -> list[TableRow]:
    """A row for each module. Raises SternaError if the frame is not as expected."""
    config = frame.config
    package = compile_graph(frame.graph, config)
    with TemporaryDirectory(prefix="sterna-activity-") as scratch:
        folder = Path(scratch) / "engine"
        generate(config, folder, package, frame.image)
        cycles = simulate(folder)
        with (folder / COUNTS).open(encoding="utf-8") as lines:
            found = saif.by_module(saif.bits(lines), TOP, engine(config, RTL))
    # A queued frame has as much to do in fewer cycles.
    queued = round(cycles * package.schedule.queued_cycles / package.schedule.alone_cycles)
    rows = list(rows_of(config.name, frame.network, queued, found))
    print(rows[0], flush=True)
    return rows


def rows_of(config: str, network: str, cycles: int, found: Mapping[str, saif.Toggles]) -> Iterator[TableRow]:
    """What `sterna.estimate.activity` reads."""
    for module, (bits, toggles) in found.items():
        yield {
            "config": config, "network": network, "cycles": cycles, "module": module, "bits": bits, "toggles": toggles,
        }  # fmt: skip


def simulate(folder: Path) -> int:
    """Clock cycles of the frame, whose toggles are then in COUNTS."""
    (folder / "activity.sv").write_text(_DUMP, "utf-8")
    flags = make_flags(OPT_FAST="-O1")
    command = [
        str(verilator_root() / "bin" / "verilator"), "--binary", "-O3", "-j", str(os.cpu_count() or 1), "--trace-saif",
        *("--trace-max-array", LARGEST_ARRAY, "--trace-max-width", LARGEST_BITS),
        "-CFLAGS", "-std=c++20", "-Mdir", "build", "--top-module", "sterna_tb", WAIVERS, "-f", TESTBENCH_LIST,
        "activity.sv",
    ]  # fmt: skip
    for step in (command, ["build/Vsterna_tb"]):
        done = subprocess.run(
            step, cwd=folder, env=os.environ | {"MAKEFLAGS": flags}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            said = (done.stdout + done.stderr).strip().splitlines()
            raise SternaError(
                f"the frame was not simulated: {said[-1] if said else step[0]}", where="results",
                remedy="make sure that the tests of the testbench pass",
            )  # fmt: skip
    passed = _PASS.search(done.stdout)
    assert passed is not None, "the testbench passes or fails"
    return int(passed[1])


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """What the rows say together."""
    chances = {(row["config"], row["network"]): [0, 0] for row in rows}
    for row in rows:
        sums = chances[row["config"], row["network"]]
        sums[0] += int(row["toggles"])
        sums[1] += int(row["bits"]) * int(row["cycles"])
    shares = [toggles / chance for toggles, chance in chances.values()]
    method = "SAIF of Verilator, over the cycles of a queued frame; without clock, parameters and words of memories"
    return {
        "frames": Metric(
            what="Frames, each as the reference has it", value=len(shares), unit="", method="RTL in its testbench"
        ),
        "least": Metric(
            what="Toggles per bit and cycle, least active frame", value=round(100 * min(shares), 2), unit="%",
            method=method,
        ),
        "most": Metric(what="Most active frame", value=round(100 * max(shares), 2), unit="%", method=method),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(guarded(main))
