"""docs/results/frame_arria10.json: whole frames of full YOLOv2 through the simulated engine of config arria10.

For each density and pattern: one frame with every map stored and compared with the reference; then frames of different
images in sequence, as in use, whose outputs are compared and of which the last but one is counted. Cases that
are done are kept in build/results by content, so the command can be interrupted and goes on.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.record import ROOT, Metric, write
from sterna.cli.progress import bar, of_steps
from sterna.compile import compile_graph
from sterna.estimate.kept import kept
from sterna.package.package import Package
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.run.compare import compare_backends
from sterna.spec.config import load_config
from sterna.spec.paths import HARNESS, INCLUDE, rtl_sources
from support.engines import infer_queued, simulated
from support.network_graphs import random_network_graph

SEED, CONFIG, CLOCK = 0, "arria10", 240e6
CACHE = ROOT / "build" / "results" / "frame_arria10"
#: Frames in sequence. The second finds its image loaded, and the third one's is loaded while it runs.
FRAMES = 3


@dataclass(frozen=True)
class Case:
    """A network to run."""

    density: float
    pattern: str = "unstructured"
    height: int = 416
    width: int = 416
    #: Integers of the first layer are drawn from -most .. most.
    most: int = 3

    @property
    def network(self) -> str:
        """Its name in the table."""
        return f"yolov2 {self.height}x{self.width}, first layer {self.most.bit_length() + 1} bits"


CASES = (
    *(Case(density, pattern) for pattern in ("unstructured", "balanced") for density in (0.3, 0.2, 0.15, 0.1)),
    Case(0.15, most=127),
    Case(0.15, height=288, width=544),
)


@dataclass(frozen=True)
class Job:
    """All that goes into the simulation of a case; `traced` stores every map."""

    images: NDArray[np.int8]
    traced: Package
    package: Package

    @property
    def key(self) -> str:
        """Digest of what decides the outcome: the simulator's sources, the tapes and the images."""
        digest = hashlib.sha256(self.traced.tape + self.package.tape + self.images.tobytes())
        for path in sorted([*rtl_sources(), *HARNESS.iterdir(), *INCLUDE.rglob("*.h")]):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:20]


def main() -> int:
    """Run all cases, and write; 1 and nothing written if a frame differs."""
    rows = []
    print("building the simulator if it is not built yet: some minutes", flush=True)
    with simulated(load_config(CONFIG)) as engine, open_backend("reference:") as reference:
        for number, case in enumerate(CASES):
            print(f"[{number + 1}/{len(CASES)}] {case}", flush=True)
            job = prepare(case)
            rows.append(kept(CACHE / f"{job.key}.json", lambda case=case, job=job: run(case, job, engine, reference)))
            print(f"    {rows[-1]}", flush=True)
    if not all(row["equal"] for row in rows):
        print("error: a frame differs from the reference", file=sys.stderr)
        return 1
    write(
        "frame_arria10", _metrics(rows), command="make results-frame_arria10", config=CONFIG, seed=SEED, rows=rows
    )  # fmt: skip
    return 0


def prepare(case: Case) -> Job:
    """Draw the network and the images, and compile."""
    rng = np.random.default_rng(SEED)
    graph = random_network_graph(
        rng, "yolov2", case.height, case.width, density=case.density, balanced=case.pattern == "balanced",
        most=case.most,
    )  # fmt: skip
    images = rng.integers(-128, 128, (FRAMES, 3, case.height, case.width)).astype(np.int8)
    config = load_config(CONFIG)
    return Job(images, compile_graph(graph, config, trace=True), compile_graph(graph, config))


def run(case: Case, job: Job, engine: Backend, reference: Backend) -> dict[str, Any]:
    """The row of a case."""
    return {
        "network": case.network,
        "density": case.density,
        "pattern": case.pattern,
        **simulate(job, engine, reference),
    }


def simulate(job: Job, engine: Backend, reference: Backend) -> dict[str, Any]:
    """What the engine makes of `job`, compared with the reference."""
    package, config = job.package, job.package.config
    with bar("every map of one frame") as show:
        progress = of_steps(show, len(job.traced.schedule.steps), "")
        observed = compare_backends(reference, engine, job.traced, job.images[:1], progress)
    reference.load(package)
    engine.load(package)
    start = monotonic()
    found, counters = infer_queued(engine, job.images)
    seconds = (monotonic() - start) / FRAMES
    expected = reference.infer(job.images)
    equal = observed.equal and all(np.array_equal(found[name], expected[name]) for name in package.schedule.outputs)
    work = sum(step.lane_work for step in package.schedule.steps)
    return {
        "cycles": counters.cycles,
        "frames_per_s_240mhz": round(CLOCK / counters.cycles, 1),
        "lanes_busy": round(work / (config.all_lanes * counters.cycles), 4),
        "layers_compared": len(observed.layers),
        "equal": equal,
        "seconds_per_frame": round(seconds, 1),
    }


def _metrics(rows: list[dict[str, Any]]) -> dict[str, Metric]:
    def best(density: float, pattern: str) -> dict[str, Any]:
        return next(row for row in rows if (row["density"], row["pattern"]) == (density, pattern))

    counted = (
        "clock cycles counted in RTL simulation, from one frame's end to the next one's, the next image loaded "
        "meanwhile; memory ddr4-2133"
    )
    return {
        "fps_015": Metric(
            what="YOLOv2-416, batch 1, density 0.15 unstructured, at 240 MHz",
            value=best(0.15, "unstructured")["frames_per_s_240mhz"], unit="frames/s", method=counted,
        ),
        "fps_010": Metric(
            what="The same, density 0.10 balanced", value=best(0.1, "balanced")["frames_per_s_240mhz"],
            unit="frames/s", method=counted,
        ),
        "busy_020": Metric(
            what="Lanes busy, density 0.20 unstructured", value=best(0.2, "unstructured")["lanes_busy"], unit="",
            method="additions to pixels of the map / (lanes x cycles of the frame)",
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
