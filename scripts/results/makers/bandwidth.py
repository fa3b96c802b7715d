"""docs/results/bandwidth.json: full YOLOv2 on arria10 with memories of many bandwidths and latencies.

Rows are of the compiler's cycle model; at some points the simulated engine counts as well. docs/bandwidth.png shows
them. Simulated points are kept in build/results by content, so the command can be interrupted and goes on.
"""

from __future__ import annotations

import sys

from results.makers.frame_arria10 import CONFIG, MHZ, SEED, TRAINED, Job, trained_case
from results.record import ROOT, Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.cli.progress import bar
from sterna.compile.compiler import compile_timed
from sterna.estimate.bandwidth import MemoryPoint, memory_of, sweep
from sterna.estimate.kept import kept
from sterna.estimate.performance import performance
from sterna.estimate.plot import draw_memories
from sterna.run.transports.sim import MemoryTiming
from sterna.spec.config import load_config
from support.engines import infer_queued, simulated

BANDWIDTHS, LATENCIES = (4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 20.0, 30.0), (20, 60, 100, 200, 400)
#: GB/s and cycles of the points that are simulated.
SIMULATED = ((4.0, 400), (10.0, 60), (14.0, 100), (30.0, 20))
IMAGE = ROOT / "docs" / "bandwidth.png"
CACHE = ROOT / "build" / "results" / "bandwidth"


def main() -> int:
    """Estimate, simulate, draw and write; 1 and nothing written if estimated and counted cycles differ."""
    case, config = trained_case(TRAINED), load_config(CONFIG)
    with bar("compile") as show:
        package, clock = compile_timed(case.graph, config, progress=show)
    with bar("memories") as show:
        points = sweep(clock, package, MHZ, BANDWIDTHS, LATENCIES, show)
    job = Job(case.images, package, package)
    counted = {point: count(job, *point) for point in SIMULATED}
    rows = [row(point, counted) for point in points]
    if any(row["counted"] not in ("", row["cycles"]) for row in rows):
        print(f"error: estimated and counted cycles differ: {rows}", file=sys.stderr)
        return 1
    draw_memories(points, performance(package, MHZ), IMAGE)
    write("bandwidth", metrics(rows), command="make results-bandwidth", config=CONFIG, seed=SEED, rows=rows)
    return 0


def count(job: Job, bandwidth: float, latency: int) -> int:
    """Cycles from one queued frame to the next that the simulated engine counts with such a memory."""
    memory = memory_of(job.package.config, MHZ, bandwidth, latency)

    def simulate() -> int:
        print(f"simulating {memory.name}, {latency} cycles of latency", flush=True)
        with simulated(job.package.config, timing=MemoryTiming(memory)) as engine:
            engine.load(job.package)
            return infer_queued(engine, job.images)[1].cycles

    key = f"{job.key}-{memory.latency}-{memory.gap_cycles}-{memory.gap_every}"
    cycles: int = kept(CACHE / f"{key}.json", simulate)
    return cycles


def row(point: MemoryPoint, counted: dict[tuple[float, int], int]) -> TableRow:
    """The row of a point; `counted`: by bandwidth and latency, what the simulated engine counted."""
    return {
        "sustained_GB_per_s": point.bandwidth,
        "latency": point.latency,
        "cycles": point.cycles,
        "frames_per_s_240mhz": round(MHZ * 1e6 / point.cycles, 1),
        "counted": counted.get((point.bandwidth, point.latency), ""),
    }


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Frames per second at a few points, and that the engine counts what is estimated."""
    method = f"cycle model, frames queued, batch 1, at {MHZ} MHz, memory that answers after 60 cycles"
    found = {
        f"fps_{bandwidth:g}": Metric(
            what=f"Trained YOLOv2-416, density 0.15 balanced, {bandwidth:g} GB/s sustained",
            value=next(
                row["frames_per_s_240mhz"]
                for row in rows
                if (row["sustained_GB_per_s"], row["latency"]) == (bandwidth, 60)
            ),
            unit="frames/s", method=method,
        )
        for bandwidth in (4.0, 10.0, 14.0)
    }  # fmt: skip
    checked = [row for row in rows if row["counted"] != ""]
    return found | {
        "equal": Metric(
            what=f"Cycles estimated and counted are equal at {len(checked)} points",
            value=all(row["cycles"] == row["counted"] for row in checked), unit="",
            method="RTL simulation of queued frames",
        )
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(guarded(main))
