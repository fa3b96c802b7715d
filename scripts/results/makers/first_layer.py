"""docs/results/first_layer.json: the kept full YOLOv2 on arria10 with its first layer on DSP blocks, simulated.

As frame_arria10 does it: one frame with every map stored and compared, then frames in sequence. The engine without
`first_layer` is there by the cycle model, for comparison.
"""

from __future__ import annotations

import sys
from typing import Any

from results.makers.frame_arria10 import CONFIG, FRAMES, SEED, TRAINED, measured, prepare, trained_case
from results.record import Metric, TableRow, write
from sterna.compile import compile_graph
from sterna.estimate.engine import estimate_engine
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import load_fpga
from support.engines import simulated

FPGA = "gx1150"


def main() -> int:
    """Simulate, and write; 1 and nothing written if a frame or a count differs."""
    case, config = trained_case(TRAINED), load_config(CONFIG)
    plain = config.model_copy(update={"first_layer": False})
    job = prepare(case, config)
    print("building the simulator if it is not built yet: some minutes", flush=True)
    with simulated(config) as engine, open_backend("reference:") as expected:
        found = measured(job, engine, expected)
    if not (found["equal"] and is_as_predicted(found, job.package)):
        print(
            f"error: a frame differs from the reference, or its cycles from the cycle model: {found}", file=sys.stderr
        )
        return 1
    packages = compile_graph(case.graph, plain), job.package
    rows = [row(package, dsps_and_alms(package.config)) for package in packages]
    write("first_layer", metrics(found), command="make results-first_layer", config=CONFIG, seed=SEED, rows=rows)
    return 0


def is_as_predicted(found: dict[str, Any], package: Package) -> bool:
    """Whether the counted cycles, of queued frames and of one alone, are those of the cycle model."""
    schedule = package.schedule
    return bool((found["cycles"], found["cycles_alone"]) == (schedule.queued_cycles, schedule.alone_cycles))


def dsps_and_alms(config: EngineConfig) -> dict[str, float]:
    """Shares of the FPGA, with the board's shell."""
    shares = {each.key: each for each in estimate_engine(config, load_fpga(FPGA)).shares}
    return {f"{key.upper()}_share": round(shares[key].share, 3) for key in ("dsp", "alm")}


def row(package: Package, shares: dict[str, float]) -> TableRow:
    """A row of the table: an engine, cycles of queued frames and of one alone, and what the engine takes."""
    schedule = package.schedule
    columns: TableRow = {"first_layer": package.config.first_layer, "cycles_queued": schedule.queued_cycles}
    return columns | {"cycles_alone": schedule.alone_cycles} | shares


def metrics(found: dict[str, Any]) -> dict[str, Metric]:
    """What was counted."""
    counted = f"clock cycles counted in RTL simulation; memory {load_config(CONFIG).memory}"
    return {
        "cycles": Metric(
            what="Trained YOLOv2-416 on arria10 with first_layer: clock cycles per queued frame", value=found["cycles"],
            unit="", method=counted,
        ),
        "alone": Metric(what="Of a frame alone", value=found["cycles_alone"], unit="", method=counted),
        "predicted": Metric(
            what="Both are those of the cycle model", value=True, unit="", method="equal numbers, else none is written"
        ),
        "equal": Metric(
            what=f"All {found['layers_compared']} maps of an unseen scene equal the reference", value=found["equal"],
            unit="", method=f"every value of every map; outputs also for {FRAMES} frames in sequence",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
