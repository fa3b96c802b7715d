"""docs/results/networks.json: classifiers on the engine of config arria10, whole frames.

AlexNet, GoogLeNet and ResNet-50 with random weights, image by image, and the first two with the images of a batch as
pixels of the layers that see the whole map. Of each graph, every map of one frame is compared with the reference, and
the cycles of another one are counted. What does not fit the config's feature memory is compiled for a larger one,
computed by the emulator, and says so; with `RTL=no` the emulator computes all. Graphs that are done are kept in
build/results by content, so the command can be interrupted and goes on.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.clock import supported_mhz
from results.record import ROOT, Metric, TableRow, write
from sterna.cli.progress import bar, of_steps
from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.estimate.kept import kept
from sterna.graph import Add, Conv, Graph, MaxPool, batch
from sterna.package.package import Package, StepInfo
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.run.compare import compare_backends
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.paths import HARNESS, INCLUDE, rtl_sources
from support.engines import simulated
from support.network_graphs import random_network_graph

SEED, CONFIG, MHZ, DENSITY, CLASSES = 0, "arria10", 240, 0.15, 1000
CACHE = ROOT / "build" / "results" / "networks"
#: Side of the image of each network.
NETWORKS = {"alexnet": 224, "googlenet": 224, "resnet50": 224}
#: Those of which most weights, or many, are in layers that see the whole map.
AS_PIXELS = ("alexnet", "googlenet")
#: Steps in which the feature memory grows.
MORE_WORDS = 512
#: What PEs wait for, as a step's counters have it.
WAITS = {"wait_vectors": "vectors", "wait_weights": "weights", "wait_drain": "the drain"}


@dataclass(frozen=True)
class Part:
    """One graph of a network, computed once for `images` images."""

    graph: Graph
    images: int = 1


@dataclass(frozen=True)
class Case:
    """A network as its `parts`."""

    network: str
    batch: int
    parts: tuple[Part, ...]


def main() -> int:
    """Run all cases, and write; 1 and nothing written if a map differs."""
    rows: list[TableRow] = []
    for case in cases():
        rows.append(row(case, [measured(part.graph) for part in case.parts]))
        print(rows[-1], flush=True)
    if not all(row["equal"] for row in rows):
        print("error: a map differs from the reference", file=sys.stderr)
        return 1
    write("networks", metrics(rows), command="make results-networks", config=CONFIG, seed=SEED, rows=rows)
    return 0


def cases() -> Iterator[Case]:
    """Each network image by image, and those that gain by it with a tile of images as pixels."""
    config = load_config(CONFIG)
    for name, side in NETWORKS.items():
        graph = random_network_graph(
            np.random.default_rng(SEED), name, side, side, density=DENSITY, outputs=CLASSES
        )  # fmt: skip
        yield Case(name, 1, (Part(graph),))
        if name not in AS_PIXELS:
            continue
        first, second = batch.cut(graph, config.tile_h, config.tile_w)
        yield Case(name, config.lanes, (Part(first), Part(second, config.lanes)))


def compiled(graph: Graph, *, trace: bool) -> Package:
    """`graph` for the config, or for one with more feature memory if it does not fit.

    Without cycles if it is to be traced.
    """
    config = load_config(CONFIG)
    while True:
        try:
            return compile_graph(graph, config, trace=trace, cycles=not trace)
        except SternaError as refusal:
            if refusal.attribute != "words":
                raise
        config = config.model_copy(update={"fm_words": config.fm_words + MORE_WORDS})


def measured(graph: Graph) -> dict[str, Any]:
    """What `simulate` finds, or found before, for a random image."""
    package, traced = compiled(graph, trace=False), compiled(graph, trace=True)
    shape = graph.info[graph.input.name].shape
    image = np.random.default_rng(SEED).integers(-128, 128, (1, *shape)).astype(np.int8)
    digest = hashlib.sha256(bytes([in_rtl(package.config)]))
    digest.update(traced.tape + package.tape + image.tobytes() + package.config.hash.to_bytes(8, "little"))
    for path in sorted([*rtl_sources(), *HARNESS.glob("*.*"), *INCLUDE.rglob("*.h")]):
        digest.update(path.read_bytes())
    found: dict[str, Any] = kept(
        CACHE / f"{digest.hexdigest()[:20]}.json", lambda: simulate(package, traced, image)
    )  # fmt: skip
    return found | {"package": package}


def simulate(package: Package, traced: Package, image: NDArray[np.int8]) -> dict[str, Any]:
    """Maps compared and cycles counted, by the engine if it is that of the config; else the emulator compares alone."""
    with _engine(package.config) as engine, open_backend("reference:") as reference:
        with bar("every map of one frame") as show:
            progress = of_steps(show, len(traced.schedule.steps), [""])
            observed = compare_backends(reference, engine, traced, image, progress)
        engine.load(package)
        engine.infer(image)
        alone = engine.counters()
    cycles = package.schedule.alone_cycles if alone is None else alone.cycles
    return {"cycles_alone": cycles, "rtl": alone is not None, "layers": len(observed.layers), "equal": observed.equal}


def _engine(config: EngineConfig) -> AbstractContextManager[Backend]:
    return simulated(config) if in_rtl(config) else open_backend("emulator:")


def in_rtl(config: EngineConfig) -> bool:
    """Whether an engine of `config` is simulated."""
    return config == load_config(CONFIG) and os.environ.get("RTL") != "no"


def row(case: Case, found: list[dict[str, Any]]) -> TableRow:
    """The row of a case, of whose parts `found` was measured; cycles are those of one image."""
    packages: list[Package] = [each["package"] for each in found]
    images = [part.images for part in case.parts]
    schedules = [package.schedule for package in packages]
    cycles = sum(schedule.queued_cycles / count for schedule, count in zip(schedules, images, strict=True))
    work = sum(
        sum(step.lane_work for step in schedule.steps) / count
        for schedule, count in zip(schedules, images, strict=True)
    )
    info = case.parts[0].graph.input
    is_counted = all(each["rtl"] for each in found)
    return {
        "network": case.network,
        "image": f"{info.height}x{info.width}",
        "images_as_pixels": case.batch,
        "weights": "random",
        "density": DENSITY,
        "fm_words": max(package.config.fm_words for package in packages),
        "cycles": round(cycles),
        f"frames_per_s_{MHZ}mhz": round(MHZ * 1e6 / cycles, 1),
        "frames_per_s_supported_clock": round(supported_mhz() * 1e6 / cycles, 1),
        "additions_per_lane": round(work / (load_config(CONFIG).all_lanes * cycles), 4),
        "waits_for": waits_for(list(zip(packages, images, strict=True))),
        "checked_in": "RTL" if is_counted else "emulator",
        "alone_counted": sum(each["cycles_alone"] for each in found) if is_counted else "not counted",
        "alone_predicted": sum(schedule.alone_cycles for schedule in schedules),
        "layers": sum(each["layers"] for each in found),
        "equal": all(each["equal"] for each in found),
    }


def waits_for(parts: list[tuple[Package, int]]) -> str:
    """What the PEs wait for most, of which layers, and for what share of their time."""
    waits: Counter[tuple[str, str]] = Counter()
    total = 0.0
    for package, images in parts:
        total += package.config.all_pes * package.schedule.alone_cycles / images
        for step in package.schedule.steps:
            kind = _kind(package.graph, step)
            if step.op == "CONV":
                for attribute, what in WAITS.items():
                    waits[what, kind] += getattr(step, attribute) / images
            else:
                waits["memory", kind] += step.cycles * package.config.all_pes / images
    (what, kind), most = waits.most_common(1)[0]
    return f"{what} of {kind}, {most / total:.0%}"


def _kind(graph: Graph, step: StepInfo) -> str:
    """What a step computes, loads or stores."""
    name = step.layers[0].partition("#")[0]
    if step.op != "CONV":
        ends = {graph.input.name, *(layer.input for layer in graph.outputs)}
        return "images and results" if name in ends else "maps that spill"
    match graph[name]:
        case MaxPool():
            return "max pools"
        case Add():
            return "sums"
        case Conv():
            return "convolutions"
    return "reorgs"


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """Frames of each network, and what holds for all."""
    speed, words = f"frames_per_s_{MHZ}mhz", load_config(CONFIG).fm_words
    method = (
        "cycles from one queued frame to the next by the compiler's cycle model, which RTL confirms for frames alone "
        f"where the row says so; weights random, density {DENSITY}; memory {load_config(CONFIG).memory}; "
        f"the best row that fits the config itself; {MHZ} MHz are assumed"
    )
    made = {
        f"fps_{name}": Metric(
            what=f"{name} at 224x224, random weights, at {MHZ} MHz",
            value=max(float(row[speed]) for row in rows if row["network"] == name and row["fm_words"] == words),
            unit="frames/s", method=method,
        )
        for name in NETWORKS
    }  # fmt: skip
    counted = [row for row in rows if row["checked_in"] == "RTL"]
    if counted:
        errors = [abs(int(row["alone_counted"]) / int(row["alone_predicted"]) - 1) for row in counted]
        made["counted"] = Metric(
            what="Largest error of the cycle model", value=round(max(errors), 4), unit="",
            method="frames alone, counted in RTL over predicted",
        )  # fmt: skip
    return made | {
        "equal": Metric(
            what="Every map of every graph equals the reference", value=all(row["equal"] for row in rows), unit="",
            method="one whole frame of each graph, every map that the engine makes, every value; in RTL or by the "
            "emulator, as the row says",
        ),
        "clock": Metric(
            what="Clock that the timing estimate supports", value=supported_mhz(), unit="MHz",
            method="across modules, with loads and distance; of the config itself, not of one with more memory",
        ),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
