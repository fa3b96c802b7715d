"""docs/results/frame_arria10.json: whole frames of full YOLOv2 through the simulated engine of config arria10.

Trained networks (the kept one, and every graph in the folder that GRAPHS names) and random ones. For each: one frame
with every map stored and compared with the reference; a frame alone; then frames of different images in sequence, as in
use, whose outputs are compared and of which the last but one is counted. Cases that are done are kept in build/results
by content, so the command can be interrupted and goes on.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.clock import supported_mhz
from results.record import ROOT, Metric, TableRow, write
from sterna.cli.progress import bar, of_steps
from sterna.compile import compile_graph
from sterna.estimate.kept import kept
from sterna.estimate.performance import performance
from sterna.graph import Conv, Graph, file
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.run.compare import compare_backends
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.paths import HARNESS, INCLUDE, MODELS, rtl_sources
from sterna.train.data.scenes import SceneSet
from sterna.vision.prepare import to_integers
from support.engines import infer_queued, simulated
from support.network_graphs import random_network_graph

SEED, CONFIG, MHZ = 0, "arria10", 240
CACHE = ROOT / "build" / "results" / "frame_arria10"
#: Frames in sequence. The second finds its image loaded, and the third one's is loaded while it runs.
FRAMES = 3
SIDE, PATTERNS, DENSITIES = 416, ("unstructured", "balanced"), (0.15, 0.1, 0.07, 0.05)
TRAINED = MODELS / "yolov2-scenes.sterna-graph"


@dataclass(frozen=True)
class Case:
    """A network and images int8[N, C, H, W] for it. `weights`: random, or the name of the trained graph."""

    weights: str
    density: float
    pattern: str
    graph: Graph
    images: NDArray[np.int8]


@dataclass(frozen=True)
class Job:
    """All that goes into the simulation of a case; `traced` stores every map."""

    images: NDArray[np.int8]
    traced: Package
    package: Package

    @property
    def key(self) -> str:
        """Digest of what decides the outcome: the simulator's sources, the memory, the tapes and the images."""
        digest = hashlib.sha256(self.traced.tape + self.package.tape + self.images.tobytes())
        digest.update(f"{self.package.config.memory_timing}".encode())
        for path in sorted([*rtl_sources(), *HARNESS.glob("*.*"), *INCLUDE.rglob("*.h")]):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:20]


def main() -> int:
    """Run all cases, and write; 1 and nothing written if a frame differs."""
    rows: list[TableRow] = []
    print("building the simulator if it is not built yet: some minutes", flush=True)
    with simulated(load_config(CONFIG)) as engine, open_backend("reference:") as reference:
        for case in cases():
            job = prepare(case)
            rows.append(row(case, job, measured(job, engine, reference)))
            print(rows[-1], flush=True)
    if not all(row["equal"] for row in rows):
        print("error: a frame differs from the reference", file=sys.stderr)
        return 1
    write(
        "frame_arria10", _metrics(rows), command="make results-frame_arria10", config=CONFIG, seed=SEED, rows=rows
    )  # fmt: skip
    return 0


def cases() -> Iterator[Case]:
    """The networks, each made when it is needed."""
    folder = os.environ.get("GRAPHS")
    for path in (TRAINED, *(sorted(Path(folder).glob("*.sterna-graph")) if folder else ())):
        yield trained_case(path)
    for pattern in PATTERNS:
        for density in DENSITIES:
            yield random_case(density, pattern)


def trained_case(path: Path) -> Case:
    """The trained network in the file, and street scenes that were not used in training."""
    graph = file.load(path)
    scenes = SceneSet(SEED, "test", FRAMES, graph.input.height, graph.input.width)
    pixels = np.stack([scenes[index].image for index in range(FRAMES)])
    weights = [layer.weights.reshape(len(layer.weights), -1) for layer in _ternary(graph)]
    nonzeros = [np.count_nonzero(filters, axis=1) for filters in weights]
    share = sum(map(np.sum, nonzeros)) / sum(filters.size for filters in weights)
    # A weight of exactly 0 that is among the largest of its filter leaves it one nonzero short.
    pattern = "balanced" if all(np.ptp(counts) <= 1 for counts in nonzeros) else "unstructured"
    return Case(path.stem, round(float(share), 3), pattern, graph, to_integers(pixels))


def _ternary(graph: Graph) -> list[Conv]:
    return [layer for layer in graph.layers if isinstance(layer, Conv) and abs(layer.weights).max(initial=0) <= 1]


def random_case(density: float, pattern: str) -> Case:
    """Random weights and images."""
    rng = np.random.default_rng(SEED)
    graph = random_network_graph(rng, "yolov2", SIDE, SIDE, density=density, balanced=pattern == "balanced")
    images = rng.integers(-128, 128, (FRAMES, 3, SIDE, SIDE)).astype(np.int8)
    return Case("random", density, pattern, graph, images)


def prepare(case: Case, config: EngineConfig | None = None) -> Job:
    """Compile, for CONFIG or an engine like it."""
    config = config or load_config(CONFIG)
    return Job(case.images, compile_graph(case.graph, config, trace=True), compile_graph(case.graph, config))


def row(case: Case, job: Job, found: dict[str, Any]) -> TableRow:
    """The row of a case, of which `found` was counted: frames and GB per second at two clocks."""
    columns: TableRow = {"weights": case.weights, "density": case.density, "pattern": case.pattern}
    columns |= {"cycles_queued": found["cycles"], "cycles_alone": found["cycles_alone"]}
    traffic = performance(job.package, MHZ).frame_traffic
    for name, mhz in ((f"{MHZ}mhz", MHZ), ("supported_clock", supported_mhz())):
        frames = mhz * 1e6 / found["cycles"]
        columns |= {
            f"queued_per_s_{name}": round(frames, 1),
            f"alone_per_s_{name}": round(mhz * 1e6 / found["cycles_alone"], 1),
            f"GB_per_s_{name}": round(traffic * frames / 1e9, 2),
        }
    return columns | {
        name: found[name] for name in ("additions_per_lane", "layers_compared", "equal", "seconds_per_frame")
    }


def measured(job: Job, engine: Backend, reference: Backend) -> dict[str, Any]:
    """What `simulate` finds, or found before."""
    found: dict[str, Any] = kept(CACHE / f"{job.key}.json", lambda: simulate(job, engine, reference))
    return found


def simulate(job: Job, engine: Backend, reference: Backend) -> dict[str, Any]:
    """What the engine makes of `job`, compared with the reference."""
    package, config = job.package, job.package.config
    with bar("every map of one frame") as show:
        progress = of_steps(show, len(job.traced.schedule.steps), [""])
        observed = compare_backends(reference, engine, job.traced, job.images[:1], progress)
    reference.load(package)
    engine.load(package)
    engine.infer(job.images[:1])
    alone = engine.counters()
    assert alone is not None
    start = monotonic()
    found, counters = infer_queued(engine, job.images)
    seconds = (monotonic() - start) / FRAMES
    expected = reference.infer(job.images)
    equal = observed.equal and all(np.array_equal(found[name], expected[name]) for name in package.schedule.outputs)
    work = sum(step.lane_work for step in package.schedule.steps)
    return {
        "cycles": counters.cycles,
        "cycles_alone": alone.cycles,
        "additions_per_lane": round(work / (config.all_lanes * counters.cycles), 4),
        "layers_compared": len(observed.layers),
        "equal": equal,
        "seconds_per_frame": round(seconds, 1),
    }


def _metrics(rows: list[TableRow]) -> dict[str, Metric]:
    def of(density: float, pattern: str, column: str) -> float | int | str | bool:
        wanted = ("random", density, pattern)
        return next(row[column] for row in rows if (row["weights"], row["density"], row["pattern"]) == wanted)

    counted = (
        "clock cycles counted in RTL simulation, from one frame's end to the next one's, the next image loaded "
        f"meanwhile; memory {load_config(CONFIG).memory}"
    )
    speed, supported = f"queued_per_s_{MHZ}mhz", "queued_per_s_supported_clock"
    return {
        "fps_015": Metric(
            what=f"YOLOv2-416, batch 1, density 0.15 balanced, at {MHZ} MHz", value=of(0.15, "balanced", speed),
            unit="frames/s", method=counted,
        ),
        "fps_010": Metric(
            what="The same, density 0.10 balanced", value=of(0.1, "balanced", speed), unit="frames/s", method=counted,
        ),
        "fps_005": Metric(
            what="The same, density 0.05 balanced", value=of(0.05, "balanced", speed), unit="frames/s", method=counted,
        ),
        "supported_fps_015": Metric(
            what="Density 0.15 balanced, at the clock that the timing estimate supports",
            value=of(0.15, "balanced", supported), unit="frames/s", method=counted,
        ),
        "supported_fps_010": Metric(
            what="The same, density 0.10 balanced", value=of(0.1, "balanced", supported), unit="frames/s",
            method=counted,
        ),
        "supported_fps_005": Metric(
            what="The same, density 0.05 balanced", value=of(0.05, "balanced", supported), unit="frames/s",
            method=counted,
        ),
        "additions_015": Metric(
            what="Additions per lane and cycle, density 0.15 balanced",
            value=of(0.15, "balanced", "additions_per_lane"), unit="",
            method="additions to pixels of the map / (lanes x cycles of the frame), at most 4",
        ),
        "clock": Metric(
            what="That clock", value=supported_mhz(), unit="MHz",
            method="timing estimate across modules, with loads and distance",
        ),
        "equal": Metric(
            what="Every layer of every case equals the reference", value=all(row["equal"] for row in rows), unit="",
            method="every map that the engine makes, every value; outputs also for three frames in sequence",
        ),
        "seconds": Metric(
            what="Simulation time per frame", value=max(row["seconds_per_frame"] for row in rows), unit="s",
            method="wall clock of the slowest case, one thread, on the machine named below",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
